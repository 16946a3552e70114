"""Promise 1: what the engine does not own is never deleted, changed or shared."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.inventory.records import Snapshot, SnapshotType
from engine.plans.codes import Action
from engine.plans.plan import At
from tests.verifying.scene import (
    FAR,
    HOME,
    VAULT,
    Scene,
    copy,
    copying,
    create,
    day,
    delete,
    found,
    marks,
    primary,
    step,
)

CHANGES = [Action.DELETE, Action.SHARE, Action.UNSHARE, Action.TAG]


@pytest.mark.parametrize("action", CHANGES)
def test_what_is_owned_may_be_changed(action: Action) -> None:
    assert Scene().broken(step(action, primary(1))) == []


STOLEN = primary(2).tags
STRANGERS: dict[str, list[Snapshot]] = {
    "not in the inventory": [],
    "automated": [replace(primary(1), type=SnapshotType.AUTOMATED)],
    "untagged": [replace(primary(1), tags={})],
    "of another estate": [replace(primary(1), tags={**primary(1).tags, "engine:estate": "other"})],
    "with stolen tags": [replace(primary(1), tags=STOLEN)],
    "at another location": [replace(primary(1), location=VAULT)],
}


@pytest.mark.parametrize("action", CHANGES)
@pytest.mark.parametrize("instead", STRANGERS.values(), ids=STRANGERS.keys())
def test_what_is_not_owned_is_left_alone(action: Action, instead: list[Snapshot]) -> None:
    scene = Scene()
    scene.snapshots[0:1] = instead
    assert scene.broken(step(action, primary(1))) == [1]


def test_a_finding_says_what_is_wrong() -> None:
    for stranger, words in (
        ([], "is not in the inventory"),
        ([replace(primary(1), type=SnapshotType.AUTOMATED)], "of type automated"),
        ([replace(primary(1), location=VAULT)], f"was found at {VAULT}, not at {HOME}"),
        ([replace(primary(1), tags={})], "is not the engine's"),
    ):
        scene = Scene(snapshots=stranger)
        (finding,) = scene.verify(scene.inventory(), delete(primary(1)))
        assert words in finding.text


def test_a_withheld_step_breaks_nothing() -> None:
    stranger = replace(primary(1), tags={})
    scene = Scene(snapshots=[stranger])
    assert scene.broken(replace(delete(stranger), withheld_by="guard")) == []
    assert scene.broken(delete(stranger)) == [1]


def test_an_id_is_called_for_where_its_arn_says() -> None:
    elsewhere = At(FAR.account, FAR.region)
    assert Scene().broken(replace(delete(primary(1)), location=elsewhere)) == [1]
    assert Scene().broken(replace(delete(primary(1)), snapshot=primary(2).identifier)) == [1]


def test_a_new_object_never_takes_the_place_of_a_stranger() -> None:
    scene = Scene()
    assert scene.broken(create(5)) == []
    assert scene.broken(copying(primary(4), copy(5))) == []
    scene.snapshots += [replace(primary(5), tags={}), replace(copy(5), tags=STOLEN)]
    assert scene.broken(create(5)) == [1]
    assert scene.broken(copying(primary(4), copy(5))) == [1]


def test_a_failed_object_of_its_own_may_be_made_again() -> None:
    scene = Scene()
    scene.snapshots.append(replace(primary(5), status="failed"))
    assert scene.broken(delete(primary(5)), create(5)) == []


def test_a_step_makes_what_it_says() -> None:
    other = {**create(5).parameters, "DBSnapshotIdentifier": primary(4).identifier}
    assert Scene().broken(replace(create(5), parameters=other)) == [1]


def test_what_the_plan_makes_may_be_shared_once_it_is_there() -> None:
    made = create(5)
    early = step(Action.SHARE, primary(5))
    late = step(Action.SHARE, primary(5), [made])
    assert Scene().broken(made, late) == []
    assert Scene().broken(made, early) == [1]
    assert Scene().broken(replace(made, withheld_by="quota"), late) == [1]


def test_what_the_plan_makes_is_not_deleted_by_it() -> None:
    made = create(5)
    assert Scene().broken(made, delete(primary(5), made)) == [1]


def test_tags_that_say_who_an_object_is_never_change() -> None:
    scene = Scene()
    for tag in ("engine:az", "engine:az-checked", "engine:gone-since", "engine:shared"):
        assert scene.broken(step(Action.TAG, primary(1), parameters={"Tags": {tag: "x"}})) == []
        assert scene.broken(step(Action.TAG, primary(1), parameters={"RemoveTags": [tag]})) == []
    for tag in ("Name", "engine:slot", "engine:policy", "engine:pin"):
        assert scene.broken(step(Action.TAG, primary(1), parameters={"Tags": {tag: "x"}})) == [1]
        assert scene.broken(step(Action.TAG, primary(1), parameters={"RemoveTags": [tag]})) == [1]


def test_sharing_changes_no_tag_but_its_own() -> None:
    scene = Scene()
    for action in (Action.SHARE, Action.UNSHARE):
        shared, other = {"Tags": {"engine:shared": "1"}}, {"Tags": {"engine:az": "unknown"}}
        assert scene.broken(step(action, primary(1), parameters=shared)) == []
        assert scene.broken(step(action, primary(1), parameters=other)) == [1]


def test_an_object_that_names_no_source_is_not_deleted() -> None:
    nameless = found(marks(day(1), source="orders"), HOME)
    assert Scene(snapshots=[nameless]).broken(delete(nameless)) == [4]
