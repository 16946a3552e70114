"""A report before it has a form: sections of lines of spans, the same for every output."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from engine.plans.plan import Step


class Tone(StrEnum):
    """How loud a span is; every output has its own way to say it."""

    PLAIN = "plain"
    STRONG = "strong"
    NAME = "name"
    NOTE = "note"
    ADD = "add"
    CHANGE = "change"
    FULL = "full"
    DELETE = "delete"
    PROBLEM = "problem"


class Mark(StrEnum):
    """The sign before a line, as in a diff."""

    NONE = ""
    ADD = "+"
    CHANGE = "~"
    FULL = "!"
    DELETE = "-"


class Form(StrEnum):
    """What a section is made of: steps are laid out in columns, notes are sentences."""

    STEPS = "steps"
    NOTES = "notes"


MARK_TONES = {
    Mark.NONE: Tone.PLAIN,
    Mark.ADD: Tone.ADD,
    Mark.CHANGE: Tone.CHANGE,
    Mark.FULL: Tone.FULL,
    Mark.DELETE: Tone.DELETE,
}


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of text; not yet harmless, each output neutralises it in its own way."""

    text: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Line:
    """A line of any length; `level` is its depth below the section's title.

    `loud` is the mark that continues in spirit: outputs that colour whole lines use it. `steps` are
    those that the line folds: outputs that can unfold a line show them below it.
    """

    spans: tuple[Span, ...]
    level: int = 0
    mark: Mark = Mark.NONE
    loud: Mark = Mark.NONE
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; numbers stand `right`."""

    title: str
    right: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """What is compared side by side: each row has a cell of spans for each column.

    The first column says what a row is about.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[tuple[Span, ...], ...], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A titled part of a report; `aside` ones may be collapsed; a table follows the notes."""

    title: str
    lines: tuple[Line, ...]
    tone: Tone = Tone.STRONG
    form: Form = Form.NOTES
    aside: bool = False
    table: Table | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report, in reading order.

    `kind` is the command it is of, `whole` the one that shows all of it.
    """

    estate: str
    headline: tuple[Line, ...]
    sections: tuple[Section, ...]
    footer: tuple[Line, ...]
    kind: str = "plan"
    whole: str = "engine show PLAN"


def line(
    *parts: str | Span, level: int = 0, mark: Mark = Mark.NONE, loud: Mark | None = None
) -> Line:
    """Return a line of plain texts and spans."""
    spans = tuple(Span(part) if isinstance(part, str) else part for part in parts)
    return Line(spans, level, mark, mark if loud is None else loud)


def cell(*parts: str | Span) -> tuple[Span, ...]:
    """Return a cell of a table of plain texts and spans."""
    return tuple(Span(part) if isinstance(part, str) else part for part in parts)


def name(text: str) -> Span:
    """Return the span of an identifier, an ARN, a command: what is copied as it stands."""
    return Span(text, Tone.NAME)


def listed(names: Iterable[str], limit: int | None = None) -> list[str | Span]:
    """Return names parted by commas; of more than `limit` the first ones and how many more."""
    known = list(names)
    shown = known if limit is None or len(known) <= limit + 1 else known[:limit]
    parts: list[str | Span] = []
    for known_name in shown:
        if parts:
            parts.append(", ")
        parts.append(name(known_name))
    if len(shown) < len(known):
        parts.append(f" and {len(known) - len(shown):,} more")
    return parts
