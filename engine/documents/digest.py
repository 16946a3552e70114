"""The digest of documents: over what they mean, not over how and where they are written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import timedelta
from enum import Enum
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from engine.documents.model import Estate, Policy
from engine.retention.spans import Span


def digest_of(estate: Estate, policies: Mapping[str, Policy]) -> str:
    """Return `sha256:` and the digest of the estate and the policies.

    Formatting, comments, file names and the order of keys do not count.
    """
    meaning = [_meaning(estate), _meaning(policies)]
    text = json.dumps(meaning, sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _meaning(value: Any) -> Any:
    """Return a value as JSON can say it."""
    if value is None or isinstance(value, Enum | str | int):
        return value.value if isinstance(value, Enum) else value
    if isinstance(value, ZoneInfo | Span):
        return str(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Mapping):
        return {_key(key): _meaning(part) for key, part in value.items()}
    if isinstance(value, frozenset):
        return sorted(value)
    if is_dataclass(value):
        kind: Any = type(value)
        return [kind.__name__, *(_meaning(getattr(value, name)) for name in _names_of(kind))]
    return [_meaning(part) for part in value]


def _key(key: str | tuple[str, ...]) -> str:
    return key if isinstance(key, str) else "/".join(key)


@lru_cache(maxsize=64)
def _names_of(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind) if field.name != "place")
