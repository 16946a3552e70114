"""What the place that shows a report can do."""

from __future__ import annotations

from dataclasses import dataclass

PLAIN_WIDTH = 80


@dataclass(frozen=True, slots=True)
class Screen:
    """Width in columns, whether colours show, whether characters beyond ASCII do."""

    width: int = PLAIN_WIDTH
    colour: bool = False
    unicode: bool = True
