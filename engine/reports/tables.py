"""Tables laid out in columns; where the output is too narrow, each row as a list of its cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from engine.reports.layout import INDENT, laid_out
from engine.reports.lines import Line, Span, Table, Tone
from engine.reports.neutral import columns

_GAP = 2

_Row = Sequence[Sequence[Span]]


def table_rows(table: Table, width: int, clean: Callable[[str], str]) -> Iterator[list[Span]]:
    """Yield the rows of a table, each at most `width` columns wide.

    Args:
        table: what to lay out.
        width: of the output, in columns.
        clean: makes a text harmless, `neutral` or `neutral_ascii`.
    """
    titles = [[Span(clean(column.title), Tone.NOTE)] for column in table.columns]
    rows = [[_clean(cell, clean) for cell in row] for row in table.rows]
    widths = [max(map(_wide, cells)) for cells in zip(titles, *rows, strict=True)]
    if INDENT + sum(widths) + _GAP * (len(widths) - 1) > width:
        for cells in table.rows:
            yield from _listed(table, cells, width, clean)
        return
    for row in (titles, *rows):
        yield _in_columns(table, row, widths)


def _in_columns(table: Table, row: _Row, widths: Sequence[int]) -> list[Span]:
    shown = [Span(" " * INDENT)]
    for column, cell, width in zip(table.columns, row, widths, strict=True):
        blank = Span(" " * (width - _wide(cell)))
        shown += [blank, *cell] if column.right else [*cell, blank]
        shown.append(Span(" " * _GAP))
    while shown and not shown[-1].text.strip():
        shown.pop()
    return shown


def _listed(
    table: Table, row: _Row, width: int, clean: Callable[[str], str]
) -> Iterator[list[Span]]:
    about, *others = row
    yield from laid_out(Line(tuple(about), level=1), width, clean)
    for column, cell in zip(table.columns[1:], others, strict=True):
        if any(span.text for span in cell):
            titled = (Span(f"{column.title}: ", Tone.NOTE), *cell)
            yield from laid_out(Line(titled, level=2), width, clean)


def _clean(cell: Sequence[Span], clean: Callable[[str], str]) -> list[Span]:
    return [Span(clean(span.text), span.tone) for span in cell]


def _wide(cell: Sequence[Span]) -> int:
    return sum(columns(span.text) for span in cell)
