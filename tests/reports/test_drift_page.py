"""`docs/drift.md` explains every code, with the severities that it is given."""

from __future__ import annotations

import re
from pathlib import Path

from engine.plans.codes import DriftCode, DriftSeverity

PAGE = Path(__file__).parents[2] / "docs" / "drift.md"
ROW = re.compile(r"^\| (\w+) \| ([\w, ]+) \| (.+) \|$", re.MULTILINE)


def rows() -> list[tuple[str, list[str], str]]:
    found = ROW.findall(PAGE.read_text(encoding="utf-8"))
    return [(code, severities.split(", "), text) for code, severities, text in found[1:]]


def test_every_code_is_explained_once_in_the_order_of_reports() -> None:
    assert [code for code, _, _ in rows()] == [code.value for code in DriftCode]


def test_severities_are_those_there_are() -> None:
    assert {one for _, severities, _ in rows() for one in severities} == set(DriftSeverity)


def test_explanations_are_sentences() -> None:
    assert all(text.endswith(".") for _, _, text in rows())
