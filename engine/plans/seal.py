"""The seal: a checksum over a whole plan document, so that what was reviewed is what is applied.

The digest names effects; the seal covers every key and value, those too that only a newer engine
knows, whatever their order and the white space between them. It is no signature: whoever can
write plans can also seal them.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from engine.plans.digest import as_plain
from engine.plans.plan import Plan

SEAL = "seal"
_SALT = b"engine plan document 1\n"
_CANONICAL = msgspec.json.Encoder(order="sorted", enc_hook=as_plain)


def seal_of(document: Plan | dict[str, Any]) -> str:
    """Return `sha256:<hex>` over a plan, or over the JSON object that one was read from.

    Raises:
        OverflowError: a number has more digits than any that the engine writes.
    """
    text = _CANONICAL.encode(document)
    return f"sha256:{hashlib.sha256(_SALT + text).hexdigest()}"
