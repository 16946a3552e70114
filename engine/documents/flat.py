"""A policy as a flat list of what it says, to be compared with what it said before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from engine.documents.nodes import plain
from engine.documents.policies import PolicySource

_ABOUT = frozenset({"version", "kind", "name", "overrides"})


def flat(source: PolicySource) -> dict[str, str]:
    """Return the text of each value by the path it is written at, defaults merged under it.

    `snapshots.copies[0].target` is that of the first copy; texts that JSON would not take for
    something else stand without quotes.
    """
    body = plain(source.body)
    said = {key: value for key, value in body.items() if key not in _ABOUT}
    said["overrides"] = [plain(override) for override in source.overrides]
    return dict(_leaves(said, ""))


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for key, part in value.items():
            yield from _leaves(part, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and any(isinstance(part, dict | list) for part in value):
        for number, part in enumerate(value):
            yield from _leaves(part, f"{path}[{number}]")
    elif value != [] or path != "overrides":
        yield path, _text(value)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_text(part) for part in value)}]"
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
