"""Drift as people read it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from engine.plans.codes import DriftCode, DriftSeverity
from engine.reports.markdown import drift_as_markdown
from engine.reports.screen import Screen
from engine.reports.text import drift_as_text, plan_as_text
from engine.reports.wording import DRIFT, SEVERITIES
from tests.plans.drift_samples import DRIFT_SAMPLES, every_code, found, half_read, nothing, one
from tests.plans.samples import empty, small

Golden = Callable[[str, str], None]


@pytest.mark.parametrize("sample", DRIFT_SAMPLES)
def test_text_is_as_reviewed(sample: str, golden: Golden) -> None:
    golden(f"drift_{sample}.txt", drift_as_text(DRIFT_SAMPLES[sample](), Screen()))


@pytest.mark.parametrize("sample", ["shared_by_somebody", "hostile"])
def test_unfolded_text_is_as_reviewed(sample: str, golden: Golden) -> None:
    golden(f"drift_{sample}.full.txt", drift_as_text(DRIFT_SAMPLES[sample](), Screen(), full=True))


@pytest.mark.parametrize("sample", ["shared_by_somebody", "half_read"])
def test_coloured_text_is_as_reviewed(sample: str, golden: Golden) -> None:
    text = drift_as_text(DRIFT_SAMPLES[sample](), Screen(colour=True))
    golden(f"drift_{sample}.colour.txt", text)


@pytest.mark.parametrize("sample", DRIFT_SAMPLES)
def test_markdown_is_as_reviewed(sample: str, golden: Golden) -> None:
    golden(f"drift_{sample}.md", drift_as_markdown(DRIFT_SAMPLES[sample]()))


@pytest.mark.parametrize("sample", DRIFT_SAMPLES)
@pytest.mark.parametrize("width", [40, 80])
def test_no_line_is_wider_than_the_screen(sample: str, width: int) -> None:
    text = drift_as_text(DRIFT_SAMPLES[sample](), Screen(width=width), full=True)
    assert max(len(line) for line in text.splitlines()) <= width


def test_every_code_and_severity_has_its_words() -> None:
    assert set(DRIFT) == set(DriftCode)
    assert list(SEVERITIES) == list(DriftSeverity)
    text = drift_as_text(every_code(), Screen(width=200))
    assert all(f"({code})" in text for code in DriftCode)


def test_the_worst_is_told_first() -> None:
    text = drift_as_text(every_code(), Screen())
    assert text.index("Errors: 13") < text.index("Warnings: 4") < text.index("Remarks: 1")


def test_what_is_alike_is_folded_and_unfolded() -> None:
    alike = found(*(one(DriftCode.PUBLIC, days=day) for day in range(20)))
    folded = drift_as_text(alike, Screen(width=200))
    assert "20 snapshots that every AWS account may restore from" in folded
    assert "and 14 more (-full shows them)" in folded
    assert folded.count("it is not as it was") == 1
    assert folded.count("put it right") == 1
    unfolded = drift_as_text(alike, Screen(width=200), full=True)
    assert unfolded.count("orders-1-gold-") == 20
    assert "more" not in unfolded


def test_slot_and_database_are_named_where_the_id_does_not_say_them() -> None:
    adopted = replace(one(DriftCode.PUBLIC), arn="arn:aws:rds:eu-west-1:1:snapshot:by-hand")
    assert "by-hand (slot 2026-11-20 02:00Z of orders-1)" in drift_as_text(found(adopted), Screen())
    assert "slot" not in drift_as_text(found(one(DriftCode.PUBLIC)), Screen())


def test_no_drift_is_not_said_of_what_could_not_be_read() -> None:
    assert drift_as_text(nothing(), Screen()).startswith("No drift: everything is as the engine")
    text = drift_as_text(half_read(), Screen())
    assert text.startswith("No drift: what could be read is as the engine left it.")
    assert "1 of 2 locations could not be read" in text
    assert "With whom 3 snapshots are shared could not be read" in text
    assert "What drifted there is not known." in text


def test_a_report_has_its_own_mark_in_a_pull_request() -> None:
    markdown = drift_as_markdown(found(*(one(DriftCode.PUBLIC, days=day) for day in range(900))))
    assert markdown.startswith("<!-- engine-drift: acme -->")
    short = drift_as_markdown(every_code(), limit=3000)
    assert "`engine drift -full` shows all" in short


def test_a_plan_tells_of_drift_only_where_there_is_some() -> None:
    assert "Drift" not in plan_as_text(empty(), Screen())
    text = plan_as_text(small(), Screen())
    assert "Drift: 1 error" in text
    assert "expected engine:slot=2026-11-18T02:00:00Z, found nothing" in text
