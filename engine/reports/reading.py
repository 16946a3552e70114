"""What a report rests on: what was read, what not, what was selected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.plans.plan import InventoryRead, ScopeRead
from engine.reports.lines import Line, Section, Span, Tone, line, name
from engine.reports.wording import count, moment

READ = "ok"


def unread_headline(read: InventoryRead) -> Iterator[Line]:
    """Yield how many locations could not be read, if there are any."""
    if unread := _unread(read):
        whole = count(len(read.scopes), "location")
        yield line(
            Span(f"{len(unread):,} of {whole} could not be read", Tone.PROBLEM), "; see below."
        )


def unread_sections(read: InventoryRead, consequence: str) -> Iterator[Section]:
    """Yield which locations could not be read and why, and what follows from it."""
    scopes = _unread(read)
    lines = [
        line(name(f"{scope.account}/{scope.region}"), f": {scope.cause or scope.status}", level=1)
        for scope in scopes
    ]
    if lines:
        lines.append(line(consequence, level=1))
        yield Section(f"Not read: {count(len(scopes), 'location')}", tuple(lines), Tone.PROBLEM)


def recording(read: InventoryRead) -> str:
    """Return `a recording`, with its time where that is known."""
    return f"a recording{f' of {moment(read.taken_at)}' if read.taken_at else ''}"


def selection(only: Sequence[str], exclude: Sequence[str]) -> str:
    """Return what part of the estate a report is about, as a sentence."""
    parts = [f"-only {glob}" for glob in only]
    parts += [f"-exclude {glob}" for glob in exclude]
    return f"It is about a part of the estate: {' '.join(parts)}."


def what_was_read(read: InventoryRead) -> Line:
    """Return how much was read, as a sentence."""
    scopes = [scope for scope in read.scopes if scope.status == READ]
    instances = sum(scope.instances or 0 for scope in scopes)
    snapshots = sum(scope.snapshots or 0 for scope in scopes)
    foreign = sum(scope.foreign or 0 for scope in read.scopes)
    aside = f", of which {foreign:,} by hand or by other tools: never touched" if foreign else ""
    return line(
        f"Read {len(scopes):,} of {count(len(read.scopes), 'location')}: "
        f"{count(instances, 'database')}, {count(snapshots, 'snapshot')}{aside}."
    )


def _unread(read: InventoryRead) -> list[ScopeRead]:
    return [scope for scope in read.scopes if scope.status != READ]
