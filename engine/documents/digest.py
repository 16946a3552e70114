"""The digest of documents: over what they mean, not over how and where they are written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

from engine.documents.control_model import Control
from engine.documents.model import Estate, Policy
from engine.retention.spans import Span

Encoder = Callable[[Any], Any]

_PLAIN = frozenset({str, int, bool, type(None)})
# What estimates and audits go by decides about no step.
_ASIDE = (("snapshots", "changed_per_day"), ("objectives", "survive"))
_MEANINGLESS = frozenset({"place", "prices", *(path[-1] for path in _ASIDE)})
_ENCODERS: dict[type, Encoder] = {}


def digest_of(estate: Estate, policies: Mapping[str, Policy]) -> str:
    """Return `sha256:` and the digest of the estate and the policies.

    Formatting, comments, file names and the order of keys do not count, nor does what only serves
    estimates and audits: a new price makes no saved plan stale.
    """
    meaning = [_meaning(estate), _meaning(policies)]
    text = json.dumps(meaning, sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def digest_of_controls(controls: Iterable[Control]) -> str:
    """Return `sha256:` and the digest of the rules of auditors, in any order; "" without any."""
    meaning = [_meaning(control) for control in sorted(controls, key=lambda one: one.id)]
    if not meaning:
        return ""
    text = json.dumps(meaning, sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _meaning(value: Any) -> Any:
    """Return a value as JSON can say it."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    encode = _ENCODERS.get(kind) or _ENCODERS.setdefault(kind, _encoder(kind))
    return encode(value)


def _encoder(kind: Any) -> Encoder:
    """Return what encodes values of a type."""
    if issubclass(kind, Enum):
        return lambda value: value.value
    if issubclass(kind, ZoneInfo | Span):
        return str
    if issubclass(kind, datetime):
        return datetime.isoformat
    if issubclass(kind, date):
        return date.isoformat
    if issubclass(kind, timedelta):
        return timedelta.total_seconds
    if issubclass(kind, Mapping):
        return lambda value: {
            _key(key): _meaning(part) for key, part in value.items() if key not in _ASIDE
        }
    if issubclass(kind, frozenset):
        return sorted
    name = kind.__name__
    if is_dataclass(kind):
        parts = [field.name for field in fields(kind) if field.name not in _MEANINGLESS]
        return lambda value: [name, *[_meaning(getattr(value, part)) for part in parts]]
    return lambda value: [_meaning(part) for part in value]


def _key(key: str | tuple[str, ...]) -> str:
    return key if isinstance(key, str) else "/".join(key)
