"""The seal: a checksum over a whole plan document, so that what was reviewed is what is applied.

The digest names effects; the seal, the document's last key, covers every other key and value,
those too that only a newer engine knows. White space plays no part. It is no signature: whoever
can write plans can also seal them.
"""

from __future__ import annotations

import hashlib
import re

import msgspec

_SALT = b"engine plan document 1\n"
_END = re.compile(rb',"seal":"(sha256:[0-9a-f]{64})"\}\s*\Z')
_LENGTH = len(b',"seal":"sha256:"}\n') + 64


def sealed(document: bytes) -> bytes:
    """Return a JSON object, written without white space, with its seal as its last key."""
    return document.removesuffix(b"}") + f',"seal":"{seal_of(document)}"}}'.encode()


def seal_of(document: bytes) -> str:
    """Return `sha256:<hex>` over a JSON object without its seal and without white space."""
    return f"sha256:{hashlib.sha256(_SALT + document).hexdigest()}"


def is_sealed(document: bytes) -> bool:
    """Tell whether a JSON object ends in the seal of all that stands before it.

    Raises:
        msgspec.DecodeError: it is no JSON.
    """
    compact = msgspec.json.format(document, indent=-1)
    end = _END.search(compact, max(0, len(compact) - _LENGTH))
    if end is None:
        return False
    return end[1].decode() == seal_of(compact[: end.start()] + b"}")
