"""What a person sees of a plan in a terminal."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.plans.codes import Action, Verdict
from engine.plans.plan import At, Plan
from engine.reports.neutral import columns
from engine.reports.plan_report import summary_text
from engine.reports.screen import Screen
from engine.reports.text import plan_as_text
from tests.plans.samples import (
    SAMPLES,
    create,
    delete,
    empty,
    forecast,
    guarded,
    incomplete,
    many,
    plan,
    recorded,
    small,
    source,
    thin_path,
)
from tests.plans.strategies import plans

ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


def text_of(shown: Plan, *, full: bool = False, screen: Screen | None = None) -> str:
    return plan_as_text(shown, screen or Screen(), full=full)


def titles(text: str) -> list[str]:
    """The first lines of the blocks."""
    return [block.split("\n", 1)[0] for block in text.split("\n\n")]


def test_the_first_line_counts_what_would_be_done() -> None:
    assert titles(text_of(small()))[0] == (
        "Plan: 4 to create, 3 to copy, 8 to delete (2 stored in full); 3 protected"
    )
    assert titles(text_of(guarded()))[0] == (
        "Plan: 1 to create, 0 to copy, 0 to delete; 66 withheld"
    )
    assert summary_text(empty().summary) == "0 to create, 0 to copy, 0 to delete"


def test_deletes_come_first_then_fulls_then_the_rest() -> None:
    assert titles(text_of(small())) == [
        "Plan: 4 to create, 3 to copy, 8 to delete (2 stored in full); 3 protected",
        "Deletes: 8 snapshots",
        "Stored in full by AWS: 2 snapshots, up to 1,000 GiB",
        "Other steps: 12",
        "Conflicts: 1 snapshot not the engine's",
        "Drift: 1 error",
        "Errors: 1",
        "On hold: 1 database",
        "Unprotected: 2 databases",
        "Unmanaged: 3 snapshots that no policy decides about",
        "Waiting: 1 for a later run",
        "Warnings: 1",
        "Protected: 3 snapshots",
        "Copy topology",
        "Next slots",
        "Read 3 of 3 locations: 6 databases, 49 snapshots.",
    ]


def test_a_step_is_told_of_in_one_section_only() -> None:
    going = replace(delete(source("a"), 3), forecast=forecast(Verdict.FULL, "odd"))
    text = text_of(plan(going))
    assert "Deletes: 1 snapshot" in text
    assert "Stored in full" not in text


def test_an_empty_plan_says_so_in_one_sentence() -> None:
    first, *others = titles(text_of(empty()))
    assert first == "Nothing to do: what is due exists, and nothing has to go."
    assert others[0] == "Next slots"


def test_an_empty_plan_still_names_what_is_wrong() -> None:
    troubled = replace(small(), steps=(), kept=())
    text = text_of(troubled)
    assert text.startswith("Nothing to do now: what is due exists or has to wait.\n")
    for title in ("Conflicts: 1", "Errors: 1", "Unprotected: 2", "Waiting: 1", "Warnings: 1"):
        assert title in text


def test_a_delete_shows_which_sources_how_many_which_slots_and_why() -> None:
    text = text_of(small())
    assert (
        "    - delete 6 snapshots of 2 databases in 111111111111/eu-west-1\n"
        "      no rule keeps it: gold keeps the last 3, 7 daily and 4 weekly\n"
        "      3 each, 2026-11-11 02:00Z – 2026-11-13 02:00Z: orders-1, orders-2\n"
    ) in text


def test_every_database_that_loses_a_point_is_named_however_many_there_are() -> None:
    shown = many(300)
    deletes = text_of(shown).split("\n\n")[1]
    assert deletes.startswith("Deletes: 300 snapshots")
    names = {step.source.identifier for step in shown.steps if step.action is Action.DELETE}
    assert set(re.findall(r"tenant-\d{4}", deletes)) == names


def test_alike_creates_of_300_databases_are_one_line() -> None:
    text = text_of(many(300))
    assert "    + create 300 in 111111111111/eu-west-1, incremental\n" in text
    assert "tenant-0011 and 288 more\n" in text


def test_databases_of_the_same_name_are_counted() -> None:
    homes = [At(str(number) * 12, "eu-west-1") for number in (3, 4, 5)]
    shown = plan(*(create(source("orders", home)) for home in homes))
    assert (
        "    + create 3 in 3 locations, incremental\n      2026-11-21 02:00Z: orders (×3)\n"
    ) in text_of(shown)


def test_a_deleted_copy_names_where_its_database_is() -> None:
    assert (
        "    - delete 1 snapshot in 222222222222/eu-west-1\n"
        "      no rule keeps it: gold keeps the last 3, 7 daily and 4 weekly\n"
        "      from 111111111111/eu-west-1, 2026-10-12 02:00Z: orders-3\n"
    ) in text_of(small())


def test_only_the_first_reasons_of_aws_are_told() -> None:
    steps = [
        replace(
            create(source(f"orders-{number}")),
            forecast=forecast(Verdict.UNKNOWN, "a_rule", f"reason {number}"),
        )
        for number in range(5)
    ]
    assert "reason 0; reason 1; reason 2; and 2 other reasons (-full shows them)\n" in text_of(
        plan(*steps)
    )
    assert "reason 4" in text_of(plan(*steps), full=True)


def test_only_the_first_conflicts_are_told() -> None:
    conflict = small().conflicts[0]
    shown = replace(
        empty(),
        conflicts=tuple(replace(conflict, arn=f"{conflict.arn}-{n:02}") for n in range(40)),
    )
    assert text_of(shown).count("(slot 2026-11-19") == 12
    assert "  and 28 more (-full shows them)\n" in text_of(shown)
    assert text_of(shown, full=True).count("(slot 2026-11-19") == 40


def test_steps_of_no_policy_say_so() -> None:
    assert "\n  no policy\n    + create 1" in text_of(plan(create(source("a"), policy="")))


def test_unfolded_every_step_stands_alone_with_its_whole_id() -> None:
    shown = many(20)
    text = text_of(shown, full=True)
    assert len(re.findall(r"^    [-+~!] ", text, re.MULTILINE)) == len(shown.steps)
    for step in shown.steps:
        assert f"      {step.snapshot}\n" in text


def test_a_folded_plan_shows_no_whole_ids_of_its_steps() -> None:
    text = text_of(small())
    assert not any(step.snapshot in text for step in small().steps)


def test_a_withheld_step_is_shown_with_the_command_that_lets_it_go() -> None:
    shown = guarded()
    text = text_of(shown)
    for guard in shown.guards:
        command = f"      engine apply -acknowledge {guard.acknowledge}\n"
        assert (command in text) == bool(guard.acknowledge and not guard.acknowledged)
    assert "- delete 62 snapshots of 1 database" in text
    assert "Acknowledged: 1 guard" in text


def test_dependents_of_a_withheld_step_stand_under_its_guard() -> None:
    block = text_of(guarded()).split("incremental_required:")[1].split("-acknowledge")[0]
    assert re.findall(r"^      [-+~!] (\w+)", block, re.MULTILINE) == ["share", "copy", "unshare"]


def test_withheld_steps_of_an_unknown_guard_are_not_lost() -> None:
    held = replace(delete(source("orders-1"), 3), withheld_by="a guard of tomorrow")
    text = text_of(plan(held))
    assert "Withheld: 1 step\n" in text
    assert "- delete 1 snapshot in" in text


def test_steps_that_withhold_one_another_do_not_hang_the_report() -> None:
    one, other = delete(source("orders-1"), 3), delete(source("orders-1"), 4)
    shown = plan(replace(one, withheld_by=other.id), replace(other, withheld_by=one.id))
    assert "delete 2 snapshots of 1 database" in text_of(shown)


def test_a_location_that_could_not_be_read_is_named_with_its_cause() -> None:
    text = text_of(incomplete())
    assert "\n1 of 2 locations could not be read; see below.\n" in text
    assert "Not read: 1 location\n  222222222222/eu-central-1: AccessDenied:" in text
    assert "Read 1 of 2 locations" in text


def test_a_plan_from_a_recording_says_that_it_cannot_be_applied() -> None:
    text = text_of(recorded())
    assert "This plan is from a recording of 2026-11-20 02:10Z and cannot be applied.\n" in text
    assert "cannot be applied" not in text_of(thin_path())


def test_the_footer_names_estate_time_expiry_and_digest() -> None:
    assert text_of(thin_path()).endswith(
        "Estate acme as of 2026-11-21 02:10Z, expires 2026-11-22 02:10Z.\n"
        f"Plan {thin_path().digest}\n"
    )


@pytest.mark.parametrize("make", SAMPLES.values(), ids=SAMPLES)
@pytest.mark.parametrize("width", [40, 60, 80, 132])
@pytest.mark.parametrize("full", [False, True], ids=["folded", "full"])
def test_no_row_is_wider_than_the_screen(make: Callable[[], Plan], width: int, full: bool) -> None:
    for row in text_of(make(), full=full, screen=Screen(width=width)).split("\n"):
        assert columns(row) <= width
        assert row == row.rstrip()


@pytest.mark.parametrize("make", SAMPLES.values(), ids=SAMPLES)
def test_colours_change_nothing_but_colours(make: Callable[[], Plan]) -> None:
    coloured = text_of(make(), screen=Screen(colour=True))
    assert ESCAPES.sub("", coloured) == text_of(make())
    assert "\x1b[1;31m" in coloured or not make().summary.delete


@given(plans, st.integers(40, 120), st.booleans(), st.booleans())
@settings(max_examples=60, deadline=None)
def test_any_plan_shows_within_the_screen_and_without_invisible_characters(
    shown: Plan, width: int, full: bool, wide: bool
) -> None:
    text = text_of(shown, full=full, screen=Screen(width=width, unicode=wide))
    assert wide or text.isascii()
    for row in text.split("\n"):
        assert row.isprintable()
        assert columns(row) <= width
