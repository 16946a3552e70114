"""What others left behind of databases that are gone: told, never touched."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.identity.names import snapshot_arn
from engine.inventory.records import Location, Snapshot, SnapshotType
from tests.planning.builders import (
    PROD,
    REMOTE,
    VAULT,
    a_foreign_snapshot,
    a_snapshot,
    ago,
    an_instance,
    inventory,
    plan,
)
from tests.planning.judging import ORDERS, gold, unread

REPORTS = an_instance("reports")


def final(name: str = "reports-final", at: Location = PROD, **changes: Any) -> Snapshot:
    record = {"arn": snapshot_arn(REPORTS.arn, at, name), "identifier": name, "location": at}
    return a_foreign_snapshot(REPORTS, ago(80), **(record | changes))


def listed(*found: Snapshot, instances: tuple[Any, ...] = (ORDERS,), **changes: Any) -> list[str]:
    options = {name: changes.pop(name) for name in ("only", "exclude") if name in changes}
    made = plan(gold(), inventory(instances, found, **changes), **options)
    foreign = {one.arn for one in found if "engine:estate" not in one.tags}
    assert foreign.isdisjoint(step.arn for step in made.steps)
    return [one.arn.partition(":snapshot:")[2] for one in made.foreign_orphans]


def test_a_final_snapshot_of_a_database_that_is_gone_is_listed_with_age_and_size() -> None:
    made = plan(gold(), inventory([ORDERS], [final()]))
    (one,) = made.foreign_orphans
    assert (one.source.address, one.source.resource_id) == (
        "111111111111/eu-west-1/reports",
        REPORTS.resource_id,
    )
    assert (one.taken_at, one.gib, one.type) == (ago(80), 100, "manual")


def test_snapshots_of_databases_that_live_are_not_listed() -> None:
    assert listed(final(), instances=(ORDERS, REPORTS)) == []
    renamed = replace(REPORTS, identifier="archive", location=REMOTE)
    assert listed(final(), instances=(ORDERS, renamed)) == []


def test_copies_elsewhere_are_listed_under_the_database_they_are_of() -> None:
    origin = final()
    copy = final("copied", VAULT, source_snapshot=origin.arn)
    again = final("copied-again", REMOTE, source_snapshot=copy.arn)
    made = plan(gold(), inventory([ORDERS], [origin, copy, again]))
    assert {one.source.address for one in made.foreign_orphans} == {
        "111111111111/eu-west-1/reports"
    }
    assert [one.location.region for one in made.foreign_orphans] == [
        "eu-central-1",
        "eu-west-1",
        "eu-west-1",
    ]


@pytest.mark.parametrize(
    "snapshot",
    [
        final(type=SnapshotType.AUTOMATED),
        final(resource_id=""),
        final(
            "from-outside", VAULT, source_snapshot=snapshot_arn("a:aws", Location("9", "x"), "y")
        ),
        a_snapshot(REPORTS, ago(9)),
    ],
    ids=["automated", "of nothing", "from outside the estate", "owned"],
)
def test_what_is_not_known_to_be_left_behind_is_not_listed(snapshot: Snapshot) -> None:
    assert listed(snapshot) == []


def test_nothing_is_called_gone_where_it_is_not_known_what_lives() -> None:
    scopes = {PROD: unread(PROD)[PROD] | {"snapshots": (final(),)}}
    assert listed(scopes=scopes) == []


def test_copies_that_name_each_other_as_their_origin_are_listed_all_the_same() -> None:
    first = final("first", PROD, source_snapshot=snapshot_arn(REPORTS.arn, VAULT, "second"))
    second = final("second", VAULT, source_snapshot=first.arn)
    assert sorted(listed(first, second)) == ["first", "second"]


def test_a_selection_leaves_out_other_databases() -> None:
    assert listed(final(), only=("prod/*/reports",)) == ["reports-final"]
    assert listed(final(), only=("prod/*/orders-1",)) == []
    assert listed(final(), exclude=("prod/*/reports",)) == []
