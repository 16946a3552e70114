"""Tables as terminals and pull requests show them."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from engine.reports.lines import Column, Report, Section, Table, Tone, cell, line, name
from engine.reports.markdown import report_as_markdown
from engine.reports.neutral import columns
from engine.reports.screen import Screen
from engine.reports.text import report_as_text
from tests.plans.samples import HOSTILE, HOSTILE_MORE

LOSS = Table(
    (Column("database"), Column("oldest before"), Column("points", right=True)),
    (
        (cell(name("orders-1")), cell("2026-10-12"), cell("35")),
        (cell(name("billing-ledger")), cell(), cell("1,204")),
    ),
)


def report(table: Table) -> Report:
    section = Section("What the change does", (line("shorter", level=1),), Tone.FULL, table=table)
    return Report("acme", (line("Plan"),), (section,), ())


def rows(table: Table, width: int) -> list[str]:
    return report_as_text(report(table), Screen(width=width)).splitlines()[2:]


def test_a_table_stands_in_columns_with_its_numbers_to_the_right() -> None:
    assert rows(LOSS, 80) == [
        "What the change does",
        "  shorter",
        "  database        oldest before  points",
        "  orders-1        2026-10-12         35",
        "  billing-ledger                  1,204",
        "",
    ]


def test_where_it_is_too_wide_each_row_is_a_list_of_its_cells() -> None:
    assert rows(LOSS, 30) == [
        "What the change does",
        "  shorter",
        "  orders-1",
        "    oldest before: 2026-10-12",
        "    points: 35",
        "  billing-ledger",
        "    points: 1,204",
        "",
    ]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_row_of_a_table_is_wider_than_the_screen(width: int) -> None:
    table = Table(LOSS.columns, ((cell(HOSTILE), cell(name(HOSTILE_MORE)), cell("x" * 300)),))
    for row in rows(table, width):
        assert columns(row) <= width
        assert row.isprintable()


def test_a_pull_request_shows_a_table() -> None:
    assert report_as_markdown(report(LOSS)).split("\n\n")[1:4] == [
        "#### What the change does",
        "- shorter",
        "| database | oldest before | points |\n"
        "| --- | --- | ---: |\n"
        "| `orders-1` | 2026-10-12 | 35 |\n"
        "| `billing-ledger` |  | 1,204 |",
    ]


def test_no_text_ends_its_cell_or_becomes_markup() -> None:
    texts = (cell(HOSTILE_MORE), cell(name("a|b`|")), cell("\\| @octocat | <b>"))
    markdown = report_as_markdown(report(Table(LOSS.columns, (texts,))))
    html = MarkdownIt("commonmark", {"html": True}).enable(["table"]).render(markdown)
    assert html.count("<td") == len(texts)
    assert "&lt;b&gt;" in html
    assert "<b>" not in html
