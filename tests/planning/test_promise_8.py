"""Promise 8: making backups comes first, whatever is refused, broken or not to be read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from engine.documents.model import (
    CopyRule,
    Documents,
    FullCopies,
    Guards,
    Incremental,
    MaxDeletes,
    Orphans,
    Override,
    Policy,
    Retire,
    Select,
    Target,
)
from engine.identity.marks import Role
from engine.inventory.records import Instance, Inventory, Key, Quota, ScopeStatus, Snapshot
from engine.planning import plan as planning
from engine.plans.plan import Finding, Plan, Step
from engine.retention.keep import Keep
from engine.retention.spans import Span
from tests.planning.builders import (
    DEFAULT_KEY,
    NOW,
    PROD,
    PROD_KEY,
    REMOTE,
    VAULT,
    VAULT_KEY,
    a_policy,
    a_snapshot,
    ago,
    an_instance,
    daily,
    documents,
    held_back,
    inventory,
    key_arn,
    plan,
    steps,
    terms,
)

HEALTHY = an_instance("healthy")
TROUBLED = an_instance("troubled", tags={"tier": "odd"})
KEEP = Keep(last=3)
COPIES = [CopyRule("local", keep=KEEP), CopyRule("remote", keep=KEEP)]
HISTORY = [
    snapshot for place in (PROD, VAULT, REMOTE) for snapshot in daily(HEALTHY, [4, 3, 2, 1], place)
]
BLIND = {
    "status": ScopeStatus.FAILED,
    "cause": "AccessDenied",
    "instances": None,
    "snapshots": None,
}


def two_policies(**odd: Any) -> Documents:
    """The healthy database under gold, the troubled one under a policy of its own."""
    return documents(
        a_policy(terms=terms(KEEP, COPIES)), a_policy("odd", terms=terms(**({"keep": KEEP} | odd)))
    )


def guarded(docs: Documents, **guards: Any) -> Documents:
    return replace(docs, estate=replace(docs.estate, guards=Guards(**guards)))


def made(found: Plan) -> list[str]:
    """What is made of the healthy database, and where."""
    return sorted(
        f"{step.action.value.split('_')[0]} {step.location.account}/{step.location.region}"
        for step in (*steps(found, "create_snapshot"), *steps(found, "copy_snapshot"))
        if step.source.identifier == "healthy" and step.withheld_by is None
    )


EVERYTHING = [f"copy {REMOTE}", f"copy {VAULT}", f"create {PROD}"]


def everything_is_made(found: Plan) -> bool:
    healthy = [s.id for s in found.steps if s.source.identifier == "healthy"]
    return made(found) == EVERYTHING and not set(healthy) & set(held_back(found))


# -- guards --------------------------------------------------------------------------------------


def old_key(days: Sequence[int]) -> list[Snapshot]:
    keys = (PROD_KEY, key_arn(VAULT, "before"))
    return daily(TROUBLED, days, VAULT, policy="odd", keys=keys)


def mine(days: Sequence[int], **changes: Any) -> list[Snapshot]:
    return daily(TROUBLED, days, policy="odd", **changes)


def too_many_deletes() -> tuple[Documents, list[Snapshot]]:
    docs = guarded(two_policies(keep=Keep(last=1)), max_deletes=MaxDeletes(3, 100))
    return docs, mine(range(12, 2, -1))


def full_copy_not_wanted() -> tuple[Documents, list[Snapshot]]:
    odd = {"copies": [CopyRule("local")], "incremental": Incremental.REQUIRE}
    return two_policies(**odd), [*mine([3, 2, 1]), *old_key([3, 2])]


def beyond_the_budget() -> tuple[Documents, list[Snapshot]]:
    docs = guarded(two_policies(copies=[CopyRule("local")]), full_copies=FullCopies(count=0))
    return docs, [*mine([3, 2, 1]), *old_key([3, 2])]


def matched_by_two() -> tuple[Documents, list[Snapshot]]:
    docs = two_policies()
    rival = replace(docs.policies["odd"], name="rival")
    return replace(docs, policies={**docs.policies, "rival": rival}), mine([5, 4, 3, 2, 1])


@pytest.mark.parametrize(
    ("trouble", "guard"),
    [
        (too_many_deletes, "max_deletes"),
        (full_copy_not_wanted, "incremental_required"),
        (beyond_the_budget, "full_copies"),
        (matched_by_two, "policy_conflict"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_guard_stops_nothing_of_other_databases(
    trouble: Callable[[], tuple[Documents, list[Snapshot]]], guard: str
) -> None:
    docs, snapshots = trouble()
    found = plan(docs, inventory([HEALTHY, TROUBLED], [*HISTORY, *snapshots]))
    assert guard in {state.guard for state in found.guards if state.tripped}
    assert guard in held_back(found).values()
    assert everything_is_made(found)
    own = [s for s in steps(found, "create_snapshot") if s.source.identifier == "troubled"]
    assert [step.withheld_by for step in own] == [None], "nor a new point of the same one"
    assert not found.findings


def test_a_quota_stops_only_what_does_not_fit() -> None:
    docs = two_policies(copies=[CopyRule("local")])
    ancient = a_snapshot(TROUBLED, ago(90), VAULT, policy="odd")
    history = [s for s in HISTORY if s.location != VAULT]
    quotas = {VAULT: Quota(100, 100)}
    found = plan(docs, inventory([HEALTHY, TROUBLED], [*history, ancient], quotas=quotas))
    assert made(found) == [f"copy {REMOTE}", f"create {PROD}"]
    assert {step.location.account for step in found.steps if step.withheld_by == "quota"} == {
        VAULT.account
    }


# -- conflicts -----------------------------------------------------------------------------------


def test_an_object_that_took_one_of_our_ids_stops_its_own_slot_only() -> None:
    squatter = a_snapshot(TROUBLED, ago(0), policy="odd", record={"tags": {}})
    found = plan(two_policies(), inventory([HEALTHY, TROUBLED], [*HISTORY, squatter]))
    assert [one.arn for one in found.conflicts] == [squatter.arn]
    assert everything_is_made(found)


def test_an_object_that_took_the_id_of_a_copy_stops_that_copy_only() -> None:
    squatter = a_snapshot(HEALTHY, ago(0), VAULT, record={"tags": {}})
    found = plan(two_policies(), inventory([HEALTHY], [*HISTORY, squatter]))
    assert [one.arn for one in found.conflicts] == [squatter.arn]
    assert made(found) == [f"copy {REMOTE}", f"create {PROD}"]


# -- targets and places --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "broken",
    [BLIND, {"keys": {}}, {"keys": {VAULT_KEY: Key(VAULT_KEY, state="PendingDeletion")}}],
    ids=["not read", "no key", "another key"],
)
def test_a_dead_target_stops_only_what_goes_there(broken: dict[str, Any]) -> None:
    found = plan(two_policies(), inventory([HEALTHY], HISTORY, scopes={VAULT: broken}))
    assert set(made(found)) >= {f"copy {REMOTE}", f"create {PROD}"}
    assert held_back(found) == {}


def test_a_target_nobody_defined_a_place_for_stops_nothing_else() -> None:
    docs = two_policies()
    targets = {**docs.estate.targets, "far": Target("far", "vault", "us-east-1", "alias/x")}
    copies = [*COPIES, CopyRule("far"), CopyRule("near"), CopyRule("nowhere")]
    docs = replace(
        docs,
        estate=replace(docs.estate, targets=targets),
        policies={"gold": a_policy(terms=terms(KEEP, copies))},
    )
    assert everything_is_made(plan(docs, inventory([HEALTHY], HISTORY)))


def test_without_a_target_being_read_a_failed_snapshot_is_still_made_again() -> None:
    failed = a_snapshot(HEALTHY, ago(0), status="failed")
    found = plan(two_policies(), inventory([HEALTHY], [*HISTORY, failed], scopes={VAULT: BLIND}))
    assert made(found) == [f"copy {REMOTE}", f"create {PROD}"]
    assert not found.findings


def test_without_its_snapshots_being_read_a_source_still_gets_its_point() -> None:
    half = {"status": ScopeStatus.FAILED, "cause": "throttled", "snapshots": None}
    found = plan(two_policies(), inventory([HEALTHY], HISTORY, scopes={PROD: half}))
    assert f"create {PROD}" in made(found)
    assert steps(found, "delete_snapshot") == []


def test_a_place_that_cannot_be_read_stops_nothing_elsewhere() -> None:
    elsewhere = replace(PROD, region="us-east-1")
    docs = two_policies()
    accounts = {
        **docs.estate.accounts,
        "prod": replace(docs.estate.accounts["prod"], regions=(PROD.region, elsewhere.region)),
    }
    docs = replace(docs, estate=replace(docs.estate, accounts=accounts))
    found = plan(docs, inventory([HEALTHY], HISTORY, scopes={}))
    assert not found.complete
    assert everything_is_made(found)


# -- what is wrong with other objects ------------------------------------------------------------


def odd_objects() -> list[tuple[str, Callable[[], Inventory]]]:
    away = an_instance("away", tags={"tier": "odd"})
    return [
        ("a stopped database", lambda: with_others([replace(TROUBLED, status="stopped")], [])),
        ("an unknown status", lambda: with_others([TROUBLED], mine([2, 1], status="bewitched"))),
        ("a copy that hangs", lambda: with_others([TROUBLED], old_copy("copying"))),
        ("failed objects", lambda: with_others([TROUBLED], mine([0, 1, 2], status="failed"))),
        ("pinned points", lambda: with_others([TROUBLED], mine([9, 8, 7, 1], pin="x"))),
        ("a database that is gone", lambda: with_others([], daily(away, [3, 2], policy="odd"))),
        ("the default key", lambda: with_others([replace(TROUBLED, kms_key=DEFAULT_KEY)], [])),
        ("no zone", lambda: with_others([replace(TROUBLED, secondary_zone=None)], mine([2, 1]))),
        ("shared with strangers", lambda: with_others([TROUBLED], mine([9], shared=STRANGERS))),
        ("bridges without copies", lambda: with_others([TROUBLED], mine([3], role=Role.BRIDGE))),
    ]


STRANGERS = frozenset({"999999999999"})


def with_others(instances: list[Instance], snapshots: list[Snapshot]) -> Inventory:
    return inventory([HEALTHY, *instances], [*HISTORY, *snapshots])


def old_copy(status: str) -> list[Snapshot]:
    return [*mine([3, 2, 1]), a_snapshot(TROUBLED, ago(3), VAULT, policy="odd", status=status)]


@pytest.mark.parametrize("number", range(10))
def test_whatever_is_wrong_with_one_database_the_others_are_backed_up(number: int) -> None:
    _, found = odd_objects()[number]
    made_of_it = plan(two_policies(copies=COPIES), found())
    assert everything_is_made(made_of_it)
    assert not made_of_it.findings


# -- the database itself -------------------------------------------------------------------------


def held() -> Policy:
    hold = Override(Select(), {("hold",): "case 2026-17"})
    return a_policy(terms=terms(KEEP, COPIES), overrides=(hold,))


@pytest.mark.parametrize(
    ("docs", "snapshots"),
    [
        (documents(held()), []),
        (documents(held()), [a_snapshot(HEALTHY, ago(0), status="failed")]),
        (matched_by_two()[0], [a_snapshot(HEALTHY, ago(0), status="failed")]),
        (guarded(two_policies(), max_deletes=MaxDeletes(0, 0)), []),
        (guarded(two_policies(), min_points=50), []),
        (two_policies(), daily(HEALTHY, [9, 8], zone="unknown", zone_checked=False)),
        (two_policies(), [a_snapshot(HEALTHY, ago(6), status="bewitched")]),
        (two_policies(), daily(HEALTHY, [9, 8, 7], pin="audit")),
    ],
    ids=[
        "held",
        "held and failed",
        "matched by two, and failed",
        "no delete allowed",
        "never enough points",
        "no zones",
        "unknown status",
        "pins",
    ],
)
def test_what_keeps_points_keeps_no_new_one_from_being_made(
    docs: Documents, snapshots: list[Snapshot]
) -> None:
    found = plan(docs, inventory([HEALTHY], [*HISTORY, *snapshots]))
    assert made(found) == EVERYTHING
    assert not found.findings


def test_retiring_and_orphans_stop_nothing() -> None:
    orphans = Orphans(Span(days=1), keep_last=0)
    docs = guarded(two_policies(orphans=orphans), max_deletes=MaxDeletes(0, 0))
    docs = replace(docs, estate=replace(docs.estate, retire=(Retire(policy="bronze"),)))
    gone = daily(an_instance("gone"), [40, 39], policy="odd", gone_since=ago(30))
    retired = daily(HEALTHY, [70, 69], policy="bronze")
    found = plan(docs, inventory([HEALTHY], [*HISTORY, *gone, *retired]))
    assert made(found) == EVERYTHING


# -- bugs ----------------------------------------------------------------------------------------


def test_what_the_verifier_finds_stops_deletes_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug in deleting: the verifier objects to every delete there is."""

    def verify(found: Sequence[Step], *_: object) -> tuple[Finding, ...]:
        return tuple(
            Finding(step.id, 2, "kept") for step in found if step.action == "delete_snapshot"
        )

    monkeypatch.setattr(planning, "verify", verify)
    found = planning.make_plan(two_policies(), inventory([HEALTHY], HISTORY), NOW)
    assert found.errored
    assert made(found) == EVERYTHING
    assert {step.withheld_by for step in steps(found, "delete_snapshot")} == {"verifier"}


# -- it settles ----------------------------------------------------------------------------------


@pytest.mark.parametrize("keep", [Keep(last=1), Keep(last=2)], ids=str)
@pytest.mark.parametrize("least", [0, 1])
def test_a_full_location_never_holds_up_what_older_points_could_make_room_for(
    keep: Keep, least: int
) -> None:
    """Retention was just shortened and not one more snapshot fits."""
    docs = guarded(documents(a_policy(terms=terms(keep))), min_points=least)
    points = daily(HEALTHY, [4, 3, 2, 1])
    full = inventory([HEALTHY], points, quotas={PROD: Quota(4, 4)})
    found = plan(docs, full)
    [create] = steps(found, "create_snapshot")
    assert create.withheld_by is None
    assert len(create.depends_on) == 1
    made_room = {step.id for step in steps(found, "delete_snapshot") if not step.depends_on}
    assert set(create.depends_on) <= made_room


def test_zones_that_nobody_knows_do_not_fill_a_target_for_ever() -> None:
    """Every copy is the base of a chain nobody knows; with the last room they start to go."""
    docs = documents(a_policy(terms=terms(KEEP, [CopyRule("local", keep=Keep(last=1))])))
    nowhere = replace(HEALTHY, secondary_zone=None)
    unknown: dict[str, Any] = {"zone": "unknown", "zone_checked": False}
    points = [*daily(nowhere, [2, 1], **unknown), *daily(nowhere, [5, 4, 3], VAULT, **unknown)]
    full = inventory([nowhere], points, quotas={VAULT: Quota(100, 100)})
    found = plan(docs, full, NOW + timedelta(minutes=1))
    [copy] = steps(found, "copy_snapshot")
    assert copy.withheld_by is None
    assert not found.findings
