"""`schemas/plan.v1.json` describes what is written, all of it and nothing else."""

from __future__ import annotations

import dataclasses
import json
import typing
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from engine.plans import codes, costs, objectives
from engine.plans import consequences as changes
from engine.plans import plan as values
from engine.plans.json_form import dumps
from engine.plans.plan import Plan
from tests.plans.consequence_samples import CONSEQUENCE_SAMPLES
from tests.plans.samples import SAMPLES, thin_path

SCHEMA: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "schemas" / "plan.v1.json").read_text(encoding="utf-8")
)
VALIDATOR = jsonschema.Draft202012Validator(
    SCHEMA, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
)

OBJECTS: dict[str, type] = {
    "location": values.At,
    "source": values.SourceRef,
    "step_reason": values.Reason,
    "keep_reason": values.Reason,
    "forecast": values.Forecast,
    "precondition": values.Precondition,
    "step": values.Step,
    "kept": values.Kept,
    "waits": values.Waits,
    "unprotected": values.Unprotected,
    "hold": values.Held,
    "copy_tree": values.CopyTree,
    "hop": values.Hop,
    "unmanaged": values.Unmanaged,
    "conflict": values.Conflict,
    "drift": values.Drift,
    "warning": values.Warned,
    "retained": values.Retained,
    "next": values.NextSlot,
    "guard": values.GuardState,
    "finding": values.Finding,
    "scope": values.ScopeRead,
    "inventory": values.InventoryRead,
    "summary": values.Summary,
    "afterwards": values.Afterwards,
    "foreign_orphan": values.ForeignOrphan,
    "idle_chain": values.IdleChain,
    "judgement": objectives.Judgement,
    "newest": objectives.Newest,
    "gap": objectives.Gap,
    "restore_window": objectives.RestoreWindow,
    "restore_input": objectives.RestoreInput,
    "objective": objectives.Objective,
    "objectives": objectives.Objectives,
    "costs": costs.Costs,
    "step_cost": costs.StepCost,
    "policy_cost": costs.PolicyCost,
    "place_cost": costs.PlaceCost,
    "night": costs.Night,
    "term_edit": changes.TermEdit,
    "policy_edit": changes.PolicyEdit,
    "point_change": changes.PointChange,
    "reach": changes.Reach,
    "new_chain": changes.NewChain,
    "protected": changes.Protected,
    "cost_change": changes.CostChange,
    "window_change": changes.WindowChange,
    "consequences": changes.Consequences,
}

ENUMS: dict[tuple[str, str], type[StrEnum]] = {
    ("step", "action"): codes.Action,
    ("step_reason", "code"): codes.StepReason,
    ("keep_reason", "code"): codes.KeepReason,
    ("forecast", "verdict"): codes.Verdict,
    ("precondition", "check"): codes.Check,
    ("waits", "code"): codes.Waiting,
    ("unmanaged", "code"): codes.UnmanagedReason,
    ("guard", "guard"): codes.Guard,
    ("drift", "code"): codes.DriftCode,
    ("drift", "severity"): codes.DriftSeverity,
    ("afterwards", "fate"): codes.Fate,
    ("night", "fit"): costs.Fit,
    ("judgement", "status"): codes.ObjectiveStatus,
    ("objective", "status"): codes.ObjectiveStatus,
    ("newest", "way"): codes.RestoredFrom,
    ("policy_edit", "edit"): codes.EditKind,
    ("point_change", "before"): codes.Leaving,
    ("point_change", "after"): codes.Leaving,
    ("protected", "change"): codes.ProtectionChange,
}

EVERY_SAMPLE = {**SAMPLES, **CONSEQUENCE_SAMPLES}


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("make", EVERY_SAMPLE.values(), ids=EVERY_SAMPLE)
def test_every_sample_is_described(make: Callable[[], Plan]) -> None:
    VALIDATOR.validate(json.loads(dumps(make())))


def test_a_key_that_is_not_described_is_noticed() -> None:
    document = json.loads(dumps(thin_path()))
    document["steps"][0]["cost"] = 3
    with pytest.raises(jsonschema.ValidationError, match="cost"):
        VALIDATOR.validate(document)


def keys_of(kind: type) -> list[str]:
    if issubclass(kind, msgspec.Struct):
        return [field.encode_name for field in msgspec.structs.fields(kind)]
    assert dataclasses.is_dataclass(kind)
    return [field.name for field in dataclasses.fields(kind)]


@pytest.mark.parametrize("name", OBJECTS)
def test_an_object_has_the_keys_of_its_type_in_order(name: str) -> None:
    described = SCHEMA["$defs"][name]
    assert list(described["properties"]) == described["required"] == keys_of(OBJECTS[name])


def test_the_document_has_the_keys_of_a_plan_in_order() -> None:
    assert list(SCHEMA["properties"]) == SCHEMA["required"] == [*keys_of(values.Plan), "seal"]


def test_every_type_that_a_plan_is_made_of_is_described() -> None:
    assert set(SCHEMA["$defs"]) == set(OBJECTS)
    assert set(OBJECTS.values()) == set(_parts(values.Plan)) - {values.Plan}


def _parts(kind: type) -> Iterator[type]:
    yield kind
    for hint in typing.get_type_hints(kind).values():
        for part in (hint, *typing.get_args(hint)):
            if dataclasses.is_dataclass(part) or (
                isinstance(part, type) and issubclass(part, msgspec.Struct)
            ):
                yield from _parts(typing.cast("type", part))


@pytest.mark.parametrize(("place", "kind"), ENUMS.items(), ids=str)
def test_an_enum_lists_the_codes(place: tuple[str, str], kind: type[StrEnum]) -> None:
    described = SCHEMA["$defs"][place[0]]["properties"][place[1]]
    assert described["enum"] == [member.value for member in kind]


def test_the_kinds_of_change_are_the_effects() -> None:
    items = SCHEMA["$defs"]["step"]["properties"]["actions"]["items"]
    assert items["enum"] == [effect.value for effect in codes.Effect]


def described_keys() -> Iterator[tuple[str, dict[str, Any]]]:
    for key, described in SCHEMA["properties"].items():
        yield key, described
    for name, definition in SCHEMA["$defs"].items():
        for key, described in definition["properties"].items():
            yield f"{name}.{key}", described


def _name(value: object) -> str:
    return value if isinstance(value, str) else ""


@pytest.mark.parametrize(("key", "described"), list(described_keys()), ids=_name)
def test_a_key_has_a_description_and_an_example_that_holds(
    key: str, described: dict[str, Any]
) -> None:
    assert described["description"].endswith(".")
    assert described["examples"]
    alone = jsonschema.Draft202012Validator({**described, "$defs": SCHEMA["$defs"]})
    for example in described["examples"]:
        alone.validate(example)


def test_every_object_is_closed() -> None:
    for described in (SCHEMA, *SCHEMA["$defs"].values()):
        assert described["additionalProperties"] is False
        assert described["description"]
