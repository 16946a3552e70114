"""`schemas/drift.v1.json` describes what `engine drift` writes, all of it and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from engine.plans.drift import DriftFound, DriftSummary, SharesRead
from engine.plans.json_form import dumps_drift
from tests.plans.drift_samples import DRIFT_SAMPLES, every_code, shared_by_somebody

SCHEMAS = Path(__file__).parents[2] / "schemas"
SCHEMA: dict[str, Any] = json.loads((SCHEMAS / "drift.v1.json").read_text(encoding="utf-8"))
PLAN: dict[str, Any] = json.loads((SCHEMAS / "plan.v1.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(
    SCHEMA, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
)


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("make", DRIFT_SAMPLES.values(), ids=DRIFT_SAMPLES)
def test_every_sample_is_described(make: Callable[[], DriftFound]) -> None:
    VALIDATOR.validate(json.loads(dumps_drift(make())))


def test_a_key_that_is_not_described_is_noticed() -> None:
    document = json.loads(dumps_drift(every_code()))
    document["drift"][0]["guess"] = 1
    with pytest.raises(jsonschema.ValidationError, match="guess"):
        VALIDATOR.validate(document)


@pytest.mark.parametrize(
    ("described", "kind"),
    [
        (SCHEMA, DriftFound),
        (SCHEMA["$defs"]["shares"], SharesRead),
        (SCHEMA["$defs"]["summary"], DriftSummary),
    ],
    ids=["document", "shares", "summary"],
)
def test_an_object_has_the_keys_of_its_type_in_order(
    described: dict[str, Any], kind: type[Any]
) -> None:
    keys = [field.name for field in fields(kind)]
    assert list(described["properties"]) == described["required"] == keys
    assert described["additionalProperties"] is False


@pytest.mark.parametrize("name", ["location", "source", "drift", "scope", "inventory"])
def test_what_plans_have_too_is_described_as_there(name: str) -> None:
    assert SCHEMA["$defs"][name] == PLAN["$defs"][name]


def test_each_key_has_a_description_and_an_example_that_holds() -> None:
    own = {**SCHEMA["properties"]}
    for name in ("shares", "summary"):
        own |= {f"{name}.{key}": one for key, one in SCHEMA["$defs"][name]["properties"].items()}
    for key, described in own.items():
        assert described["description"].endswith("."), key
        alone = jsonschema.Draft202012Validator({**described, "$defs": SCHEMA["$defs"]})
        assert described["examples"], key
        for example in described["examples"]:
            alone.validate(example)


def test_equal_reports_give_equal_bytes_whatever_the_zone_of_their_times() -> None:
    found = shared_by_somebody()
    east = timezone(timedelta(hours=9))

    def turned(time: datetime | None) -> datetime | None:
        return None if time is None else time.astimezone(east)

    same = replace(
        found,
        as_of=found.as_of.astimezone(east),
        drift=tuple(replace(one, slot=turned(one.slot)) for one in found.drift),
    )
    assert dumps_drift(same) == dumps_drift(found)
