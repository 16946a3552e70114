"""Checks Signature Version 4 the way it was made: with botocore's own signer."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

from engine.lab.callers import Signed


def is_genuine(environ: Mapping[str, Any], body: bytes, signed: Signed, secret: str) -> bool:
    """Tell whether a request was signed with a secret, and not changed since."""
    from botocore.auth import S3SigV4Auth, SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    path, _, query = str(environ.get("REQUEST_URI") or environ["PATH_INFO"]).partition("?")
    url = f"http://{environ['HTTP_HOST']}{path}" + (f"?{query}" if query else "")
    headers = {name: _header(environ, name) for name in signed.headers}
    if not headers.keys() <= _present(environ):
        return False
    # The payload's hash counts also where it is not among the signed headers.
    headers.setdefault("x-amz-content-sha256", _header(environ, "x-amz-content-sha256"))
    kept = {name: value for name, value in headers.items() if value}
    request = AWSRequest(environ["REQUEST_METHOD"], url, headers=kept, data=body)
    request.context["timestamp"] = _header(environ, "x-amz-date")
    scheme = S3SigV4Auth if signed.service == "s3" else SigV4Auth
    auth = scheme(Credentials(signed.access_key, secret), signed.service, signed.region)
    canonical = auth.canonical_request(request)
    expected = auth.signature(auth.string_to_sign(request, canonical), request)
    return hmac.compare_digest(expected, signed.signature)


def _header(environ: Mapping[str, Any], name: str) -> str:
    return str(environ.get(_key(name), ""))


def _present(environ: Mapping[str, Any]) -> set[str]:
    return {name.removeprefix("HTTP_").replace("_", "-").lower() for name in environ}


def _key(name: str) -> str:
    plain = name.upper().replace("-", "_")
    return plain if plain in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{plain}"
