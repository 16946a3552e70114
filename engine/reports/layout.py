"""Lines laid out in columns: wrapped at words, indented, harmless."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import accumulate

from engine.reports.lines import MARK_TONES, Line, Mark, Span
from engine.reports.neutral import columns

INDENT = 2
# However deep a line stands and however narrow the terminal is, its text gets this much room.
LEAST = 20

# How much of a row may stay empty for a cut at a better place.
SEAM = 24

_SEAMS = re.compile("[-/:]")
_WORDS = re.compile(r" +|[^ ]+")


def laid_out(line: Line, width: int, clean: Callable[[str], str]) -> Iterator[list[Span]]:
    """Yield the rows of a line, each at most `width` columns wide.

    Args:
        line: what to lay out.
        width: of the output, in columns.
        clean: makes a text harmless, `neutral` or `neutral_ascii`.
    """
    indent = INDENT * line.level
    hang = indent + (INDENT if line.mark is not Mark.NONE or line.level else 0)
    if line.mark is Mark.NONE:
        lead = [Span(" " * indent)] if indent else []
        first = indent
    else:
        tone = MARK_TONES[line.mark]
        lead = [Span(" " * indent), Span(f"{line.mark.value} ", tone)]
        first = indent + INDENT
    pieces = [Span(clean(span.text), span.tone) for span in line.spans]
    if first + sum(columns(piece.text) for piece in pieces) <= width:
        yield [*lead, *pieces]
        return
    room = max(LEAST, width - first), max(LEAST, width - hang)
    for number, row in enumerate(_wrapped(pieces, *room)):
        yield [*(lead if number == 0 else [Span(" " * hang)]), *row]


def _wrapped(pieces: list[Span], first: int, rest: int) -> Iterator[list[Span]]:
    row: list[Span] = []
    used, room = 0, first
    for word in _words(pieces):
        wide = sum(columns(part.text) for part in word)
        blank = word[0].text.isspace()
        if used + wide > room and row and not blank:
            yield _trimmed(row)
            row, used, room = [], 0, rest
        if blank and not row:
            continue
        tail = word
        while wide > room and not blank:
            head, tail = _split(tail, room)
            yield head
            room = rest
            wide = sum(columns(part.text) for part in tail)
        row += tail
        used += wide
    if row:
        yield _trimmed(row)


def _words(pieces: list[Span]) -> Iterator[list[Span]]:
    """Yield blanks and words; a word may span pieces, as a name and the comma after it do."""
    word: list[Span] = []
    for piece in pieces:
        for part in _WORDS.findall(piece.text):
            if part[0] == " ":
                if word:
                    yield word
                    word = []
                yield [Span(part, piece.tone)]
            else:
                word.append(Span(part, piece.tone))
    if word:
        yield word


def _split(word: list[Span], room: int) -> tuple[list[Span], list[Span]]:
    """Cut a word that is wider than `room`."""
    head: list[Span] = []
    tail = list(word)
    while (wide := columns(tail[0].text)) <= room:
        head.append(tail.pop(0))
        room -= wide
    part = tail[0]
    cut = _seam(part.text, _fitting(part.text, room))
    head.append(Span(part.text[:cut], part.tone))
    return head, [Span(part.text[cut:], part.tone), *tail[1:]]


def _fitting(text: str, room: int) -> int:
    """Return how many characters of `text` fit."""
    return sum(1 for end in accumulate(map(columns, text)) if end <= room)


def _seam(text: str, cut: int) -> int:
    """Return a cut near `cut`, after a mark that parts ids and ARNs, where there is one."""
    seams = [match.end() for match in _SEAMS.finditer(text, max(0, cut - SEAM), cut)]
    return seams[-1] if seams else cut


def _trimmed(row: list[Span]) -> list[Span]:
    while row and row[-1].text.isspace():
        row = row[:-1]
    return row
