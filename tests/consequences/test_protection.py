"""Which databases gain or lose protection by a change."""

from __future__ import annotations

from dataclasses import replace

from engine.consequences.edits import edits
from engine.plans.codes import EditKind
from engine.plans.consequences import Consequences, TermEdit
from engine.retention.keep import Keep
from tests.consequences.comparing import (
    BOTH,
    PROD,
    REMOTE,
    TO_VAULT,
    VAULT,
    an_instance,
    compared,
    days,
    gold,
    world,
)
from tests.planning.builders import a_policy, documents, terms

KEEP = Keep(daily=35)
NOTHING = documents(a_policy("silver"))


def told(found: Consequences) -> list[tuple[str, str, str | None, str | None]]:
    return [
        (one.change.value, f"{one.location.account}/{one.location.region}", one.before, one.after)
        for one in found.protection
    ]


def test_a_policy_that_goes_leaves_its_databases_without_protection() -> None:
    found = compared(gold(KEEP, TO_VAULT), NOTHING, world(days(3, VAULT)))
    assert told(found) == [("lost", str(PROD), "gold", None), ("lost", str(VAULT), "gold", None)]


def test_a_policy_that_comes_protects() -> None:
    found = compared(NOTHING, gold(KEEP, TO_VAULT), world([]))
    assert told(found) == [
        ("gained", str(PROD), None, "gold"),
        ("gained", str(VAULT), None, "gold"),
    ]


def test_a_target_that_is_dropped_is_lost_there_only() -> None:
    found = compared(gold(KEEP, *BOTH), gold(KEEP, TO_VAULT), world(days(3, VAULT, REMOTE)))
    assert told(found) == [("lost", str(REMOTE), "gold", None)]


def test_another_policy_at_home_is_told_once() -> None:
    moved = documents(replace(a_policy("aurum", terms=terms(KEEP, (TO_VAULT,))), select=SELECT))
    found = compared(gold(KEEP, TO_VAULT), moved, world(days(3, VAULT)))
    assert told(found) == [("moved", str(PROD), "gold", "aurum")]


SELECT = a_policy().select


def test_without_a_schedule_nothing_is_protected() -> None:
    found = compared(gold(KEEP), gold(KEEP, schedule=None), world(days(3)))
    assert told(found) == [("lost", str(PROD), "gold", None)]


def test_a_database_that_is_gone_or_left_out_is_not_told() -> None:
    assert told(compared(gold(KEEP), NOTHING, world(days(3), an_instance("other", tags={})))) == []


def test_edits_name_policies_and_terms() -> None:
    was = {"gold": {"snapshots.retention.keep.daily": "35", "hold": "case"}, "old": {"a": "1"}}
    will = {"gold": {"snapshots.retention.keep.daily": "14", "timezone": "UTC"}, "new": {}}
    assert [(one.policy, one.edit) for one in edits(was, will)] == [
        ("gold", EditKind.CHANGED),
        ("new", EditKind.ADDED),
        ("old", EditKind.REMOVED),
    ]
    changed = next(iter(edits(was, will)))
    assert changed.terms == (
        TermEdit("hold", "case", None),
        TermEdit("snapshots.retention.keep.daily", "35", "14"),
        TermEdit("timezone", None, "UTC"),
    )
    assert list(edits(was, was)) == []
