"""What a pull request shows of a plan."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from engine.plans.plan import Plan
from engine.reports.lines import Report, Section, Span, Tone, line, name
from engine.reports.markdown import LIMIT, plan_as_markdown, report_as_markdown
from engine.reports.plan_report import plan_report
from tests.plans.samples import (
    HOSTILE,
    HOSTILE_MORE,
    SAMPLES,
    create,
    empty,
    guarded,
    hostile,
    incomplete,
    many,
    plan,
    recorded,
    small,
    source,
    thin_path,
)
from tests.plans.strategies import plans

# HTML that the report itself may hold; a pull request renders it, so the test does too.
RENDER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


class Seen(HTMLParser):
    """The elements of a rendered report, and its texts outside and inside code."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.prose: list[str] = []
        self.code: list[str] = []
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        (self.code if "code" in self._open else self.prose).append(data)


def seen(markdown: str) -> Seen:
    return Seen(RENDER.render(markdown))


def test_the_headline_has_the_counts_and_deletes_come_first_and_loud() -> None:
    text = plan_as_markdown(small())
    lines = text.split("\n")
    assert lines[1] == (
        "### Plan: 4 to create, 3 to copy, 8 to delete (2 stored in full); 3 protected"
    )
    assert lines[3:5] == ["> [!CAUTION]", "> **Deletes: 8 snapshots**"]
    assert text.index("Deletes: 8") < text.index("Stored in full") < text.index("Other steps")


def test_rows_of_steps_are_coloured_as_a_diff() -> None:
    block = plan_as_markdown(small()).split("```")[1]
    assert block.startswith("diff\n")
    assert "\n-    delete 6 snapshots of 2 databases" in block
    assert "\n-      3 each, 2026-11-11 02:00Z" in block


def test_details_are_collapsed() -> None:
    text = plan_as_markdown(small())
    assert "<details><summary>Other steps: 12</summary>" in text
    assert "<details><summary>Protected: 3 snapshots</summary>" in text
    assert text.count("<details>") == text.count("</details>")


def test_a_plan_without_deletes_does_not_shout() -> None:
    assert "CAUTION" not in plan_as_markdown(guarded())
    assert "CAUTION" not in plan_as_markdown(empty())


def test_the_acknowledge_command_can_be_copied() -> None:
    assert f"\n       engine apply -acknowledge {guarded().guards[0].acknowledge}\n" in (
        plan_as_markdown(guarded())
    )


def test_what_a_reader_must_know_first_stands_under_the_headline() -> None:
    assert "\n> 1 of 2 locations could not be read; see below.\n" in plan_as_markdown(incomplete())
    assert "cannot be applied.\n" in plan_as_markdown(recorded())


def test_the_footer_has_digest_time_and_expiry() -> None:
    shown = thin_path()
    foot = plan_as_markdown(shown).split("\n---\n")[1]
    assert f"- Plan `{shown.digest}`\n" in foot
    assert "as of 2026-11-21 02:10Z, expires 2026-11-22 02:10Z" in foot


def test_the_first_line_marks_the_report_of_an_estate() -> None:
    assert plan_as_markdown(thin_path()).startswith("<!-- engine-plan: acme -->\n")
    marker = plan_as_markdown(hostile()).split("\n", 1)[0]
    assert marker == "<!-- engine-plan: acme-script- -->"


# -- texts from elsewhere ------------------------------------------------------------------------


def test_texts_from_elsewhere_become_no_markup() -> None:
    page = seen(plan_as_markdown(hostile()))
    assert set(page.elements) <= {
        *("blockquote", "code", "details", "h3", "h4", "hr"),
        *("li", "p", "pre", "strong", "summary", "ul"),
    }
    assert page.elements.count("h3") == 1
    assert page.elements.count("details") == plan_as_markdown(hostile()).count("<details>") == 1


def test_texts_from_elsewhere_show_as_they_are() -> None:
    page = seen(plan_as_markdown(hostile()))
    whole = "".join(page.prose + page.code)
    assert "<script>alert(1)</script>" in whole
    assert r"\x1b[31mred" in whole
    assert "数据" in whole


def test_mentions_references_and_addresses_stand_in_code_only() -> None:
    prose = "".join(seen(plan_as_markdown(hostile())).prose)
    assert not re.search(r"@\w|#\d|://|www\.", prose)
    assert "@octocat" in HOSTILE_MORE


@pytest.mark.parametrize(
    "text",
    [
        "# title",
        "- item",
        "+ item",
        "1. item",
        "2) item",
        "=====",
        "    code",
        "> quote",
        "~~~",
        "| a | b |",
        "$x$ and $`y`$",
        "&lt;b&gt; &copy;",
        "[a]: https://evil.example",
        "![x](https://evil.example/x.png)",
        "`code",
        "a\\",
        "**bold** _it_ __b__",
        "<!-- hidden -->",
        "www.evil.example",
        HOSTILE,
        HOSTILE_MORE,
    ],
)
def test_any_text_is_plain_wherever_it_stands(text: str) -> None:
    def elements(shown: str) -> list[str]:
        lines = (line(shown, level=1), line("to do: ", shown, level=2), line(name(shown), level=1))
        strong = line(Span(shown, Tone.STRONG), " ", Span(shown, Tone.PROBLEM))
        report = Report(
            "acme", (line(shown), line(shown)), (Section("Notes", (*lines, strong)),), lines
        )
        page = seen(report_as_markdown(report))
        return [element for element in page.elements if element != "code"]

    assert elements(text) == elements("plain")


def test_a_name_that_is_a_fence_closes_none() -> None:
    text = plan_as_markdown(plan(create(source("orders-1"), policy="```")))
    assert "\n````diff\n   ```\n" in text
    assert "create 1 in" not in "".join(seen(text).prose)


@given(plans, st.booleans())
@settings(max_examples=60, deadline=None)
def test_no_plan_breaks_out_of_its_report(shown: Plan, full: bool) -> None:
    text = plan_as_markdown(shown, full=full)
    page = seen(text)
    assert page.elements.count("h3") == 1
    assert not {"a", "img", "em", "ol"} & set(page.elements)
    tables = [s.table for s in plan_report(shown, full=full).sections if s.table is not None]
    assert page.elements.count("table") == len(tables)
    assert page.elements.count("tr") == sum(1 + len(table.rows) for table in tables)


# -- length --------------------------------------------------------------------------------------


@cache
def many_deletes() -> Plan:
    return many(4000)


@cache
def many_of_everything() -> Plan:
    """A plan whose every section alone is too long."""
    large, details = many(700), small()
    texts = [f"{number}: {'what was found ' * 6}" for number in range(600)]
    return replace(
        large,
        unprotected=tuple(
            replace(details.unprotected[0], text=text, engine="x" * 50) for text in texts
        ),
        unmanaged=tuple(replace(details.unmanaged[0], policy=text) for text in texts),
        conflicts=tuple(replace(details.conflicts[0], text=text) for text in texts),
        warnings=tuple(replace(details.warnings[0], text=text) for text in texts),
        next=tuple(replace(details.next[0], policy=text) for text in texts),
        only=tuple(texts),
    )


@pytest.mark.parametrize("limit", [LIMIT, 20_000, 8_000])
@pytest.mark.parametrize(
    ("make", "full"),
    [(many_of_everything, False), (many_of_everything, True), (many_deletes, False)],
    ids=["all", "all in full", "deletes"],
)
def test_a_report_never_exceeds_its_limit(make: Callable[[], Plan], full: bool, limit: int) -> None:
    assert LIMIT < 60_000
    text = plan_as_markdown(make(), full=full, limit=limit)
    assert limit * 0.7 < len(text) <= limit


def test_a_cut_is_told_and_breaks_nothing() -> None:
    shown = many_of_everything()
    text = plan_as_markdown(shown)
    assert text.count("too long for this report; `engine show PLAN` shows all") >= 5
    assert f"- Plan `{shown.digest}`\n" in text
    page = seen(text)
    assert page.elements.count("details") == text.count("</details>")
    for title in ("Deletes", "Conflicts", "Unprotected", "Unmanaged", "Warnings", "Next slots"):
        assert title in "".join(page.prose)


def test_a_long_section_leaves_room_for_all_that_follow() -> None:
    sections = tuple(
        Section(f"Section {number}", tuple(line(f"{row}", level=1) for row in range(5000)))
        for number in range(25)
    )
    text = report_as_markdown(Report("acme", (line("Plan"),), sections, (line("end"),)), 20_000)
    assert len(text) <= 20_000
    assert all(f"#### Section {number}\n\n- 0\n" in text for number in range(25))


def test_what_fits_is_not_cut() -> None:
    assert "too long for this report" not in plan_as_markdown(many(500))
    assert "too long for this report" in plan_as_markdown(many_deletes())


@pytest.mark.parametrize("make", SAMPLES.values(), ids=SAMPLES)
def test_every_sample_is_well_formed(make: Callable[[], Plan]) -> None:
    text = plan_as_markdown(make())
    seen(text)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
