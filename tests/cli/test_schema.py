"""`engine schema`: the schemas as they are in the files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli.schema import SCHEMAS
from tests.cli.running import run

FOLDER = Path(__file__).parents[2] / "schemas"


@pytest.mark.parametrize("kind", SCHEMAS)
def test_a_schema_is_printed_as_it_is_in_its_file(
    kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    ran = run(capfd, "schema", kind)
    assert ran.code == 0
    assert ran.out == (FOLDER / SCHEMAS[kind][0]).read_text(encoding="utf-8")
    assert json.loads(ran.out)["$id"]


def test_without_a_kind_the_kinds_are_listed(capfd: pytest.CaptureFixture[str]) -> None:
    ran = run(capfd, "schema")
    assert [line.split()[0] for line in ran.out.splitlines()] == list(SCHEMAS)


def test_an_unknown_kind_is_wrong_usage(capfd: pytest.CaptureFixture[str]) -> None:
    ran = run(capfd, "schema", "polcy")
    assert ran.code == 64
    assert "say one of estate, accounts, policy, plan" in ran.err


def test_every_schema_file_belongs_to_a_kind() -> None:
    assert {file.name for file in FOLDER.glob("*.json")} == {name for name, _ in SCHEMAS.values()}
