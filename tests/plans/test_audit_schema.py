"""`schemas/audit.v1.json` describes what `engine audit` writes, all of it and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import timedelta, timezone
from enum import StrEnum
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from engine.errors import ExitCode
from engine.plans import audit as values
from engine.plans import codes
from engine.plans.audit import AuditFound
from engine.plans.json_form import dumps_audit
from engine.plans.objectives import Survival
from tests.plans.audit_samples import AUDIT_SAMPLES, bad, good

SCHEMAS = Path(__file__).parents[2] / "schemas"
SCHEMA: dict[str, Any] = json.loads((SCHEMAS / "audit.v1.json").read_text(encoding="utf-8"))
PLAN: dict[str, Any] = json.loads((SCHEMAS / "plan.v1.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(
    SCHEMA, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
)
DEFS = SCHEMA["$defs"]


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("make", AUDIT_SAMPLES.values(), ids=AUDIT_SAMPLES)
def test_every_sample_is_described(make: Callable[[], AuditFound]) -> None:
    VALIDATOR.validate(json.loads(dumps_audit(make())))


def test_a_key_that_is_not_described_is_noticed() -> None:
    document = json.loads(dumps_audit(bad()))
    document["controls"][0]["guess"] = 1
    with pytest.raises(jsonschema.ValidationError, match="guess"):
        VALIDATOR.validate(document)


@pytest.mark.parametrize(
    ("described", "kind"),
    [
        (SCHEMA, values.AuditFound),
        (DEFS["control"], values.ControlFound),
        (DEFS["ruling"], values.Ruling),
        (DEFS["written"], values.Written),
        (DEFS["objective_found"], values.ObjectiveFound),
        (DEFS["expired"], values.ExpiredException),
        (DEFS["audit_summary"], values.AuditSummary),
        (DEFS["survival_found"], values.SurvivalFound),
        (DEFS["survival"], Survival),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_an_object_has_the_keys_of_its_type_in_order(
    described: dict[str, Any], kind: type[Any]
) -> None:
    keys = [field.name for field in fields(kind)]
    assert list(described["properties"]) == described["required"] == keys
    assert described["additionalProperties"] is False


@pytest.mark.parametrize(
    ("name", "key", "kind"),
    [
        ("ruling", "status", codes.ControlStatus),
        ("control", "status", codes.ControlStatus),
        ("control", "rule", codes.ControlRule),
        ("control", "severity", codes.ControlLevel),
        ("survival", "status", codes.ObjectiveStatus),
    ],
)
def test_an_enum_lists_the_codes(name: str, key: str, kind: type[StrEnum]) -> None:
    assert DEFS[name]["properties"][key]["enum"] == [code.value for code in kind]


@pytest.mark.parametrize(
    "name",
    ["location", "source", "scope", "inventory", "objective", "judgement", "newest", "gap"],
)
def test_what_plans_have_too_is_described_as_there(name: str) -> None:
    assert DEFS[name] == PLAN["$defs"][name]


def test_each_key_has_a_description_and_an_example_that_holds() -> None:
    objects = [SCHEMA, *(one for one in DEFS.values() if one["type"] == "object")]
    for described in objects:
        for key, part in described["properties"].items():
            assert part["description"].endswith("."), key
            assert part["examples"], key
            resolver = {"$defs": DEFS, **part}
            for example in part["examples"]:
                jsonschema.Draft202012Validator(resolver).validate(example)


def test_equal_audits_give_equal_bytes_whatever_the_zone_of_their_times() -> None:
    found = bad()
    elsewhere = replace(found, as_of=found.as_of.astimezone(timezone(timedelta(hours=5))))
    assert dumps_audit(elsewhere) == dumps_audit(found)
    with pytest.raises(ValueError, match="no time zone"):
        dumps_audit(replace(found, as_of=found.as_of.replace(tzinfo=None)))


def test_what_is_not_known_comes_before_what_is_broken() -> None:
    assert good().exit_code is ExitCode.OK
    assert bad().exit_code is ExitCode.PARTIAL
    assert replace(bad(), complete=True).exit_code is ExitCode.OBJECTIVE_BROKEN
    summary = replace(bad().summary, objectives_broken=0, disturbances_broken=0)
    assert replace(bad(), complete=True, summary=summary).exit_code is ExitCode.OBJECTIVE_BROKEN
    summary = replace(summary, broken=0)
    assert replace(bad(), complete=True, summary=summary).exit_code is ExitCode.OK
    for one in ("objectives_broken", "disturbances_broken"):
        worse = replace(summary, **{one: 1})
        assert replace(good(), summary=worse).exit_code is ExitCode.OBJECTIVE_BROKEN


def test_a_control_tells_its_rulings_by_what_they_came_to() -> None:
    (control,) = (one for one in bad().controls if one.id == "BK-2")
    broken = control.in_status(codes.ControlStatus.BROKEN)
    assert len(broken) == 12
    assert {one.status for one in broken} == {codes.ControlStatus.BROKEN}
    (excused,) = control.in_status(codes.ControlStatus.EXCEPTED)
    assert "moves in spring" in excused.text
