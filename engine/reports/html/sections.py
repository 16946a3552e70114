"""Sections of a report as a page holds them: lines in a tree, each with an anchor of its own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from engine.reports.lines import Line, Section, Table, Tone

# What a page collapses: asides that are longer than this.
LONG = 60


@dataclass(frozen=True, slots=True)
class Node:
    """A line and those that stand below it."""

    line: Line
    below: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A section of a page; `anchor` is unique on it, `short` names it in a list of contents."""

    anchor: str
    title: str
    short: str
    tone: Tone
    nodes: tuple[Node, ...]
    table: Table | None
    closed: bool
    length: int


def parts(sections: Iterable[Section]) -> Iterator[Part]:
    """Yield the sections of a page."""
    taken: set[str] = set()
    for section in sections:
        short = section.title.partition(":")[0]
        length = _length(section)
        yield Part(
            anchor=_anchor(short, taken),
            title=section.title,
            short=short,
            tone=section.tone,
            nodes=tree(section.lines),
            table=section.table,
            closed=section.aside and length > LONG,
            length=length,
        )


def tree(lines: Sequence[Line]) -> tuple[Node, ...]:
    """Return lines as a tree: each stands below the last one before it that is less deep."""
    return _siblings(lines, 0, -1)[0]


def _siblings(lines: Sequence[Line], start: int, above: int) -> tuple[tuple[Node, ...], int]:
    """Return the nodes from `start` on that are deeper than `above`, and where they end."""
    nodes: list[Node] = []
    while start < len(lines) and lines[start].level > above:
        head = lines[start]
        below, start = _siblings(lines, start + 1, head.level)
        nodes.append(Node(head, below))
    return tuple(nodes), start


def _anchor(title: str, taken: set[str]) -> str:
    """Return the title as a fragment of an address, numbered where there are several alike."""
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40] or "section"
    anchor, number = slug, 1
    while anchor in taken:
        number += 1
        anchor = f"{slug}-{number}"
    taken.add(anchor)
    return anchor


def _length(section: Section) -> int:
    return len(section.lines) + (len(section.table.rows) if section.table else 0)
