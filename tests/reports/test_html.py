"""What a browser shows of a plan."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.plans.codes import Verdict
from engine.plans.costs import Costs, StepCost
from engine.plans.plan import Plan
from engine.reports.html.report_page import plan_as_html, report_as_html
from engine.reports.lines import Column, Report, Section, Table, Tone, cell, line, name
from engine.reports.neutral import neutral
from engine.reports.plan_report import plan_report
from tests.plans.samples import (
    HOSTILE,
    HOSTILE_MORE,
    SAMPLES,
    create,
    empty,
    forecast,
    guarded,
    hostile,
    many,
    plan,
    recorded,
    small,
    source,
)
from tests.plans.strategies import plans
from tests.reports.pages import Page, check

Golden = Callable[[str, str], None]


@cache
def page_of(sample: str, *, full: bool = False) -> Page:
    return check(plan_as_html(SAMPLES[sample](), full=full))


def said(report: Report) -> Iterator[str]:
    """The lines of a report in its order."""
    yield from (_text(one.spans) for one in report.headline)
    for section in report.sections:
        yield section.title
        yield from (_text(one.spans) for one in section.lines)
    yield from (_text(one.spans) for one in report.footer)


def _text(spans: tuple[object, ...]) -> str:
    return "".join(span.text for span in spans)  # type: ignore[attr-defined]


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("full", [False, True], ids=["folded", "full"])
def test_a_page_is_well_formed_and_asks_for_nothing(sample: str, full: bool) -> None:
    assert page_of(sample, full=full).root.all("section")


@pytest.mark.parametrize("sample", sorted(set(SAMPLES) - {"many"}))
def test_a_page_says_what_the_text_says_in_its_order(sample: str) -> None:
    text = page_of(sample).root.text
    at = 0
    for words in said(plan_report(SAMPLES[sample]())):
        wanted = " ".join(neutral(words).split())
        for label in re.findall(r"\w+:\d{12}/\S+", wanted):
            # A step's id is a link that is called by what the step does.
            wanted = wanted.replace(label, f"{label.split(':')[0]} orders-2")
        assert wanted in text[at:], f"{wanted!r} is not behind {text[at - 200 : at]!r}"
        at = text.index(wanted, at) + len(wanted)


def test_every_step_has_one_row_that_its_dependents_link_to() -> None:
    page = page_of("small")
    rows = [row for row in page.root.all("tr") if "id" in row.attributes]
    steps = small().steps
    assert len(rows) == len(steps)
    assert sorted(code.text for row in rows for code in row.all("code")[1:]) == sorted(
        step.snapshot for step in steps
    )
    links = [link.attributes["title"] for row in rows for link in row.all("a")]
    assert sorted(links) == sorted(before for step in steps for before in step.depends_on)


def test_a_link_to_a_step_leads_to_its_row() -> None:
    page = page_of("thin_path")
    create_step, share_step, *_ = SAMPLES["thin_path"]().steps
    rows = {row.attributes["id"]: row for row in page.root.all("tr") if "id" in row.attributes}
    links = {link.attributes["title"]: link for row in rows.values() for link in row.all("a")}
    assert set(links) >= {create_step.id, share_step.id}
    assert links[create_step.id].text == "create orders-1"
    target = rows[links[create_step.id].attributes["href"][1:]]
    assert create_step.snapshot in target.text


def test_folded_steps_are_closed_and_full_opens_them() -> None:
    def opened(page: Page) -> set[bool]:
        return {"open" in one.attributes for one in page.root.all("details")}

    assert opened(page_of("small")) == {False}
    assert opened(page_of("small", full=True)) == {True}
    assert "Kept: 6 snapshots" in page_of("small", full=True).root.text


def test_a_long_aside_is_closed_but_a_short_one_is_not() -> None:
    lines = tuple(line(str(number), level=1) for number in range(61))
    for length, closed in ((60, 0), (61, 1)):
        section = Section("Kept", lines[:length], aside=True)
        page = check(report_as_html(Report("acme", (line("Plan"),), (section,), ())))
        assert len(page.root.all("details")) == closed


def test_steps_show_only_what_tells_them_apart() -> None:
    page = page_of("guarded")
    titles = [
        [column.text for column in table.all("thead")[0].all("th")]
        for table in page.root.all("table")
    ]
    assert ["database", "slot", "snapshot"] in titles
    assert ["database", "slot", "snapshot", "after"] in titles
    one, other = create(source("a")), create(source("b"))
    told = forecast(Verdict.INCREMENTAL, "primary_same_zone", "another reason")
    shown = check(plan_as_html(plan(one, replace(other, forecast=told))))
    assert [title.text for title in shown.root.all("thead")[0].all("th")][3] == "stored"


def test_what_a_step_takes_and_costs_stands_beside_it() -> None:
    making, other = create(source("a")), create(source("b"))
    cost = StepCost(making.id, (1, 2), (0.1, 3.0), (0, 0), (600.0, 3600.0))
    costs = Costs((0, 9), (0, 3), (0, 0), steps=(cost,))
    page = check(plan_as_html(replace(plan(making, other), costs=costs)))
    (row, free) = page.root.all("tbody")[0].all("tr")
    told = {one.attributes["data-title"]: one.text for one in row.all("td")}
    assert (told["takes"], told["a month"]) == ("10 min to 60 min", "+$0.10 to +$3.00")
    assert [one.text for one in free.all("td")[2:]] == ["", ""]


def test_the_counts_stand_on_top_deletes_first() -> None:
    (tiles,) = (
        one for one in page_of("small").root.all("ul") if one.attributes.get("class") == "tiles"
    )
    assert [tile.text for tile in tiles.all("li")] == [
        *("8 to delete", "2 stored in full", "4 to create", "3 to copy"),
        *("7 other changes", "0 withheld", "3 protected"),
    ]


def test_a_table_of_a_section_is_a_table() -> None:
    table = Table(
        (Column("database"), Column("points", right=True)), ((cell(name("a")), cell("<b>")),)
    )
    section = Section("What changes", (line("because", level=1),), Tone.FULL, table=table)
    page = check(report_as_html(Report("acme", (line("Plan"),), (section,), ())))
    (shown,) = page.root.all("table")
    assert [one.text for one in shown.all("th", "td")] == ["database", "points", "a", "<b>"]
    assert page.root.all("td")[0].attributes == {"data-title": "points", "class": "right"}


# -- texts from elsewhere ------------------------------------------------------------------------


def test_texts_from_elsewhere_become_no_markup() -> None:
    tame, wild = plan_as_html(small()), plan_as_html(hostile())
    assert {one.tag for one in Page(wild).root.all()} <= {one.tag for one in Page(tame).root.all()}
    text = page_of("hostile").root.text
    for words in (HOSTILE, HOSTILE_MORE):
        assert " ".join(neutral(words).split()) in text


@pytest.mark.parametrize(
    "attack",
    [
        "</title><script>alert(1)</script>",
        '" onmouseover="alert(1)" x="',
        "' autofocus onfocus='alert(1)",
        "</style><script>alert(1)</script>",
        "</script><script>alert(1)</script>",
        "<!-- <script> -->",
        "<![CDATA[<script>alert(1)</script>]]>",
        "{{ 7 * 7 }} {% raw %}",
        "javascript:alert(1)",
        "&lt;script&gt; &#60;b&#62;",
        "\u202egnp.exe \u2066 \u200b \x00 \x1b[31m",
    ],
)
def test_an_attack_shows_as_its_own_text(attack: str) -> None:
    one = create(source(attack), policy=attack)
    going = replace(create(source(attack + "2"), policy=attack), id=attack, depends_on=(one.id,))
    shown = plan(one, going, estate=attack, unprotected=hostile().unprotected)
    page = check(plan_as_html(shown, full=True))
    assert len(page.root.all("script")) == len(page.root.all("style")) == 1
    assert page.root.text.count(" ".join(neutral(attack).split())) >= 4
    assert "49" not in page.root.all("title")[0].inside


def test_letters_that_run_from_right_to_left_turn_nothing_around_them() -> None:
    hebrew, plain = "\u05d0\u05d1-1", "orders-1"
    page = check(plan_as_html(plan(create(source(hebrew)), create(source(plain)))))
    isolated = {one.text for one in page.root.all("bdi")}
    assert hebrew in isolated
    assert not any(plain in text for text in isolated)
    assert len(page.root.all("bdi")) == page.root.text.count(hebrew) + 2  # with those of the rows


@given(plans, st.booleans())
@settings(max_examples=15, deadline=None)
def test_any_plan_makes_a_sound_page(shown: Plan, full: bool) -> None:
    page = check(plan_as_html(shown, full=full))
    assert page.root.text.isprintable()


# -- the page as such ----------------------------------------------------------------------------


def test_the_same_plan_gives_the_same_bytes() -> None:
    assert plan_as_html(small()) == plan_as_html(small())


def test_the_size_grows_with_the_steps_and_no_faster() -> None:
    sizes = [len(plan_as_html(many(number))) for number in (50, 100, 200)]
    assert sizes[2] - sizes[1] == pytest.approx(2 * (sizes[1] - sizes[0]), rel=0.02)


def test_without_its_script_nothing_is_hidden_but_the_tools() -> None:
    hidden = [one for one in page_of("small").root.all() if "hidden" in one.attributes]
    assert [one.attributes["class"] for one in hidden] == ["tools"]


def test_every_part_of_a_plan_is_reached_from_the_list_of_sections() -> None:
    page = page_of("small")
    (nav,) = page.root.all("nav")
    sections = [one.attributes["id"] for one in page.root.all("section")]
    assert [link.attributes["href"][1:] for link in nav.all("a")] == sections
    assert sections[:3] == ["deletes", "stored-in-full-by-aws", "other-steps"]


def test_sections_of_the_same_name_have_anchors_of_their_own() -> None:
    sections = tuple(Section(title, (line("x"),)) for title in ("A: 1", "A: 2", "!", "?"))
    page = check(report_as_html(Report("acme", (line("Plan"),), sections, ())))
    anchors = [one.attributes["id"] for one in page.root.all("section")]
    assert anchors == ["a", "a-2", "section", "section-2"]


def test_what_a_reader_must_know_first_stands_under_the_headline() -> None:
    page = check(plan_as_html(recorded()))
    notices = [one.text for one in page.root.all("p") if one.attributes.get("class") == "notice"]
    assert notices[0].endswith("and cannot be applied.")
    assert check(plan_as_html(empty())).root.all("h1")[0].text.startswith("Nothing to do")


@pytest.mark.parametrize("sample", ["thin_path", "guarded", "hostile"])
def test_the_body_is_as_reviewed(sample: str, golden: Golden) -> None:
    html = plan_as_html(SAMPLES[sample]())
    body = html[html.index("<body>") : html.index("<script>")]
    golden(f"{sample}.body.html", body)


# -- colours -------------------------------------------------------------------------------------

INKS = {
    "ink": ("paper", "panel", "add-tint", "change-tint", "full-tint", "delete-tint"),
    "quiet": ("paper", "panel"),
    "link": ("paper", "panel", "add-tint", "change-tint", "full-tint", "delete-tint"),
    "add": ("paper", "panel", "add-tint"),
    "change": ("paper", "panel", "change-tint"),
    "full": ("paper", "panel", "full-tint", "delete-tint"),
    "delete": ("paper", "panel", "full-tint", "delete-tint"),
}


def schemes() -> list[dict[str, str]]:
    """The colours of each scheme, light first; the others take from it what they do not name."""
    style = (files("engine.reports.html") / "templates" / "style.css").read_text()
    found = [
        dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block))
        for block in re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    ]
    return [found[0], *({**found[0], **other} for other in found[1:])]


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_text_can_be_read_on_its_ground_in_every_scheme() -> None:
    assert len(schemes()) == 3  # light, dark, print
    for scheme in schemes():
        for ink, grounds in INKS.items():
            for ground in grounds:
                pair = sorted((luminance(scheme[ink]), luminance(scheme[ground])))
                contrast = (pair[1] + 0.05) / (pair[0] + 0.05)
                assert contrast >= 4.5, f"{ink} on {ground}: {contrast:.2f}"


def test_guarded_deletes_come_with_the_command_that_lets_them_go() -> None:
    codes = [one.text for one in page_of("guarded").root.all("code")]
    assert f"engine apply -acknowledge {guarded().guards[0].acknowledge}" in codes
