"""What a person sees of adopted snapshots, and of what others left behind."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from engine.plans.codes import Fate, KeepReason
from engine.plans.plan import Afterwards, ForeignOrphan, Plan, Reason
from engine.reports.screen import Screen
from engine.reports.text import plan_as_text
from tests.plans.samples import NOW, PROD, VAULT, arn_of, empty, source

ORDERS, REPORTS = source("orders-1"), source("reports")
MONTHLY = Reason(KeepReason.MONTHLY.value, "monthly-1")
BASE = Reason(KeepReason.CHAIN_BASE.value, "the next one builds on it", "2027-01-01 02:00Z")


def afterwards(name: str, *reasons: Reason, fate: Fate = Fate.KEPT, text: str = "") -> Afterwards:
    slot = NOW - timedelta(days=90)
    return Afterwards(arn_of(name, PROD), PROD, ORDERS, slot, fate, reasons, text)


def text_of(shown: Plan, *, full: bool = False) -> str:
    return plan_as_text(shown, Screen(), full=full)


ADOPTED = replace(
    empty(),
    afterwards=(
        afterwards("one", MONTHLY),
        afterwards("two", MONTHLY),
        afterwards("base", BASE),
        afterwards("going", fate=Fate.DELETABLE, text="no rule keeps it: gold keeps the last 2"),
        afterwards("held", fate=Fate.WITHHELD, text="no rule keeps it"),
    ),
)
LEFT = replace(
    empty(),
    foreign_orphans=(
        ForeignOrphan(arn_of("final", PROD), PROD, REPORTS, "manual", NOW - timedelta(80), 200),
        ForeignOrphan(arn_of("before", PROD), PROD, REPORTS, "manual", None, 100),
        ForeignOrphan(
            arn_of("awsbackup:job-1", VAULT), VAULT, REPORTS, "awsbackup", NOW - timedelta(1), 50
        ),
    ),
)


def test_what_no_rule_would_keep_is_named_one_by_one_before_the_rest() -> None:
    text = text_of(ADOPTED)
    assert text.index("Afterwards no rule keeps: 2 snapshots") < text.index("Afterwards kept: 3")
    assert "going of 2026-08-23 02:10Z" in text
    assert "would be deleted by the next run" in text
    assert "did a guard not withhold it" in text
    assert "Nothing is deleted now" in text


def test_what_would_be_kept_folds_by_reason() -> None:
    text = " ".join(text_of(ADOPTED).split())
    assert "2 of 2026-08-23 02:10Z: monthly" in text
    assert "builds on (until 2027-01-01 02:00Z)" in text
    assert "one of" not in text
    assert "one of 2026-08-23 02:10Z" in text_of(ADOPTED, full=True)


def test_leftovers_are_counted_by_database_and_place_with_size_and_age() -> None:
    text = " ".join(text_of(LEFT).split())
    assert "databases that are gone: 3 snapshots, up to 350 GiB" in text
    assert "111111111111/eu-west-1/reports: 2 snapshots, up to 300 GiB, the oldest 80 days" in text
    assert "reports in 222222222222/eu-west-1: 1 snapshot" in text
    assert "engine adopt brings manual ones" in text
    assert "final" not in text


def test_in_full_every_leftover_is_named() -> None:
    text = " ".join(text_of(LEFT, full=True).split())
    assert "final: manual, 80 days old, 200 GiB" in text
    assert "before: manual, of unknown age, 100 GiB" in text
    assert "awsbackup:job-1: awsbackup, 1 day old, 50 GiB" in text


def test_plans_without_any_say_nothing_of_them() -> None:
    assert "Afterwards" not in text_of(empty())
    assert "Left behind" not in text_of(empty())
