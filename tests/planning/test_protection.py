"""Stage 5: what stays although no rule keeps it, why, and until when."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from engine.documents.model import (
    Condition,
    CopyRule,
    Documents,
    Guards,
    Override,
    Policy,
    Retire,
    Select,
    Target,
)
from engine.identity.marks import Role
from engine.inventory.records import Inventory, Location, Quota, ScopeStatus, Snapshot
from engine.planning.draft import Draft
from engine.planning.protecting import protect
from engine.planning.removal import Removal
from engine.planning.routes import RouteBook
from engine.planning.survey import survey
from engine.plans.plan import Reason
from engine.retention.keep import Keep
from tests.planning.builders import (
    DEFAULT_KEY,
    NOW,
    PROD,
    REKEY,
    REMOTE,
    VAULT,
    VAULT_KEY,
    a_policy,
    a_snapshot,
    ago,
    an_estate,
    an_instance,
    daily,
    delete_of,
    deleted,
    documents,
    inventory,
    kept,
    plan,
    reasons,
    step_of,
    terms,
    witnesses,
)
from tests.planning.judging import (
    AT_ONCE,
    EVERYTHING,
    ONE,
    ORDERS,
    OTHER,
    TO_VAULT,
    due,
    gold,
    judged,
    unread,
)

# -- a delete turns into a keep ------------------------------------------------------------------


def test_a_protection_turns_a_delete_into_a_keep_with_its_reason_and_when_it_ends() -> None:
    base, newest = a_snapshot(ORDERS, ago(2), zone=OTHER), a_snapshot(ORDERS, ago(1))
    found = judged(gold(), base, newest)
    assert deleted(found) == set()
    assert reasons(found, base) == {
        "chain_base": Reason(
            "chain_base",
            f"the next increment of its chain (euw1-az1, primary at {PROD}) builds on it",
            "a newer one of its chain is available, or 2027-02-17 02:10Z if none comes",
        )
    }
    assert found.summary.protected == 1


def test_what_nothing_protects_goes() -> None:
    old, newest = daily(ORDERS, [2, 1])
    found = judged(gold(), old, newest)
    assert deleted(found) == {old.arn}
    assert delete_of(found, old).depends_on == ()


# -- newest_at_location, min_points --------------------------------------------------------------


def removed_by_hand(docs: Documents, found: Inventory, *victims: Snapshot) -> Draft:
    """What protection says of removals that no rule would ask for."""
    world, sources = survey(docs, found, NOW)
    draft = Draft(sources[0])
    chosen = {victim.arn for victim in victims}
    removals = [
        Removal(holding, Reason("no_rule_keeps", "a bug"))
        for holding in sources[0].holdings
        if holding.arn in chosen
    ]
    protect(draft, world, RouteBook(world.estate, dict(found.scopes)), removals, [])
    return draft


def test_the_newest_available_point_at_a_location_is_kept_whatever_the_rules_say() -> None:
    points = daily(ORDERS, [101, 100])
    docs = replace(gold(), estate=an_estate(guards=Guards(min_points=0)))
    draft = removed_by_hand(docs, inventory([ORDERS], points), points[1])
    [reason] = [reason for one in draft.kept for reason in one.reasons]
    assert reason == Reason(
        "newest_at_location",
        f"it is the newest available point at {PROD}",
        "a newer one is available there",
    )
    assert not draft.steps


def test_an_older_planned_copy_is_no_newer_point() -> None:
    newest = a_snapshot(ORDERS, ago(1), VAULT, policy="bronze", zone=OTHER)
    docs = replace(
        gold(EVERYTHING, TO_VAULT, idle_after=timedelta(hours=1)),
        estate=an_estate(retire=(Retire(policy="bronze"),), guards=Guards(min_points=0)),
    )
    older = a_snapshot(ORDERS, ago(9), VAULT)
    primaries = daily(ORDERS, [9, 5])
    found = judged(docs, newest, older, *primaries)
    assert step_of(found, "copy_snapshot").slot == ago(5)
    assert "newest_at_location" in kept(found, newest)


def test_min_points_stay_at_each_location() -> None:
    docs = replace(gold(), estate=an_estate(guards=Guards(min_points=3)))
    points = daily(ORDERS, [5, 4, 3, 2, 1])
    found = judged(docs, *points)
    assert deleted(found) == {points[0].arn, points[1].arn}
    assert kept(found, points[2]) == kept(found, points[3]) == ["min_points"]
    assert reasons(found, points[2])["min_points"].until == "a newer one is available there"


def test_min_points_counts_slots_not_objects() -> None:
    docs = documents(
        a_policy(terms=terms(ONE, schedule=None)),
        a_policy("silver", terms=terms(ONE, schedule=None)),
        estate=an_estate(guards=Guards(min_points=2)),
    )
    twins = [a_snapshot(ORDERS, ago(2), policy=name) for name in ("gold", "silver")]
    old, newest = daily(ORDERS, [3, 1])
    found = judged(docs, old, *twins, newest)
    assert deleted(found) == {old.arn}
    assert kept(found, twins[0]) == kept(found, twins[1]) == ["min_points"]


def test_points_that_stay_are_named_as_witnesses() -> None:
    docs = replace(gold(Keep(last=2)), estate=an_estate(guards=Guards(min_points=2)))
    points = daily(ORDERS, [3, 2, 1])
    going = delete_of(judged(docs, *points), points[0])
    assert {arn for _, arn in witnesses(going)} == {points[1].arn, points[2].arn}
    assert going.depends_on == ()


def test_a_planned_point_counts_if_the_delete_waits_for_it() -> None:
    docs = replace(due(Keep(last=2)), estate=an_estate(guards=Guards(min_points=2)))
    points = daily(ORDERS, [3, 2, 1])
    found = judged(docs, *points)
    create = step_of(found, "create_snapshot")
    late, early = delete_of(found, points[1]), delete_of(found, points[0])
    assert late.depends_on == (create.id,)
    assert {arn for _, arn in witnesses(late)} == {create.arn, points[2].arn}
    assert early.depends_on == (), "two are there until the new one is"
    assert {arn for _, arn in witnesses(early)} == {points[1].arn, points[2].arn}


def test_without_enough_points_until_then_all_wait_for_the_planned_one() -> None:
    docs = replace(due(), estate=an_estate(guards=Guards(min_points=1)))
    old = a_snapshot(ORDERS, ago(100), policy="bronze")
    retired = replace(docs, estate=an_estate(retire=(Retire(policy="bronze"),)))
    found = judged(retired, old)
    assert delete_of(found, old).depends_on == (step_of(found, "create_snapshot").id,)


def test_points_that_are_not_available_are_not_counted() -> None:
    docs = replace(gold(), estate=an_estate(guards=Guards(min_points=2)))
    points = [*daily(ORDERS, [3, 2]), a_snapshot(ORDERS, ago(1), status="creating")]
    found = judged(docs, *points)
    assert deleted(found) == set()
    assert "min_points" in kept(found, points[0])


# -- in_flight -----------------------------------------------------------------------------------


def test_an_object_in_flight_is_kept() -> None:
    flying = a_snapshot(ORDERS, ago(2), status="creating")
    newest = a_snapshot(ORDERS, ago(1))
    found = judged(gold(), flying, newest)
    assert reasons(found, flying)["in_flight"] == Reason(
        "in_flight", "it is creating", "it is available"
    )


def test_the_origin_of_an_object_in_flight_is_kept_and_nothing_else() -> None:
    points = daily(ORDERS, [3, 2, 1])
    copied = a_snapshot(ORDERS, ago(9), VAULT)
    flying = a_snapshot(ORDERS, ago(3), VAULT, status="copying")
    found = judged(gold(ONE, CopyRule("local", keep=ONE)), *points, copied, flying)
    assert kept(found, points[0]) == ["in_flight"]
    assert reasons(found, points[0])["in_flight"].until == f"{flying.identifier} is available"
    assert deleted(found) == {points[1].arn}


def test_the_base_of_an_object_in_flight_is_kept_though_something_planned_would_release_it() -> (
    None
):
    base, flying = a_snapshot(ORDERS, ago(3)), a_snapshot(ORDERS, ago(2), status="creating")
    other = a_snapshot(ORDERS, ago(1), zone=OTHER)
    oldest = a_snapshot(ORDERS, ago(4))
    found = judged(due(), oldest, base, flying, other)
    assert kept(found, base) == ["in_flight"]
    assert reasons(found, base)["in_flight"].until == f"{flying.identifier} is available"
    assert oldest.arn in deleted(found)


@pytest.mark.parametrize("trace", ["source_snapshot", "engine:origin"])
def test_what_somebody_else_is_copying_is_kept(trace: str) -> None:
    old, newest = daily(ORDERS, [2, 1])
    changes: dict[str, Any] = {"source_snapshot": old.arn}
    if trace == "engine:origin":
        changes = {"tags": {trace: old.arn}}
    by_hand = replace(
        a_snapshot(ORDERS, ago(2), VAULT, status="copying"),
        identifier="a-copy-by-hand",
        arn=f"arn:aws:rds:{VAULT.region}:{VAULT.account}:snapshot:a-copy-by-hand",
        **({"tags": {}} | changes),
    )
    found = judged(gold(), old, newest, by_hand)
    assert kept(found, old) == ["in_flight"]
    done = replace(by_hand, status="available")
    assert deleted(judged(gold(), old, newest, done)) == {old.arn}


def test_a_delete_waits_for_planned_copies_that_read_the_object() -> None:
    old, newest = daily(ORDERS, [2, 1])
    there = a_snapshot(ORDERS, ago(9), VAULT)
    found = judged(gold(ONE, TO_VAULT), old, newest, there)
    copy = step_of(found, "copy_snapshot")
    assert copy.parameters["SourceDBSnapshotIdentifier"] == old.arn
    assert copy.id in delete_of(found, old).depends_on


# -- not_copied_yet ------------------------------------------------------------------------------


def test_what_a_target_wants_and_has_not_stays() -> None:
    points, there = daily(ORDERS, [4, 3, 2, 1]), a_snapshot(ORDERS, ago(9), VAULT)
    found = judged(gold(ONE, TO_VAULT), *points, there)
    assert kept(found, points[1]) == kept(found, points[2]) == ["not_copied_yet"]
    assert deleted(found) == {points[0].arn}, "it is being sent"


def test_not_copied_yet_ends_when_the_target_would_not_want_it_any_more() -> None:
    points, there = daily(ORDERS, [4, 3, 2, 1]), a_snapshot(ORDERS, ago(9), VAULT)
    found = judged(gold(ONE, CopyRule("local", keep=ONE)), *points, there)
    assert deleted(found) == {there.arn, *(point.arn for point in points[:3])}


def test_not_copied_yet_ends_when_room_falls_below_one_point_per_source() -> None:
    points, there = daily(ORDERS, [4, 3, 2, 1]), a_snapshot(ORDERS, ago(9), VAULT)
    docs, found = gold(ONE, TO_VAULT), (*points, there)
    assert len(deleted(judged(docs, *found, quotas={PROD: Quota(99, 100)}))) == 1
    assert len(deleted(judged(docs, *found, quotas={PROD: Quota(100, 100)}))) == 3
    two = inventory([ORDERS, an_instance("orders-2")], found, quotas={PROD: Quota(99, 100)})
    assert len(deleted(plan(docs, two))) == 3
    elsewhere = judged(docs, *found, quotas={VAULT: Quota(98, 100)})
    assert len(deleted(elsewhere)) == 1


def test_what_goes_to_a_target_through_a_bridge_stays_until_it_is_there() -> None:
    sealed = replace(ORDERS, kms_key=DEFAULT_KEY)
    points = daily(sealed, [4, 3, 2, 1], keys=(DEFAULT_KEY,))
    there = a_snapshot(sealed, ago(9), VAULT, keys=(DEFAULT_KEY, REKEY, VAULT_KEY))
    found = plan(gold(ONE, TO_VAULT), inventory([sealed], [*points, there]))
    copy = step_of(found, "copy_snapshot", VAULT)
    assert copy.id in delete_of(found, points[0]).depends_on


def test_a_copy_is_never_waiting_to_be_copied() -> None:
    copies = daily(ORDERS, [3, 2], VAULT)
    primaries = daily(ORDERS, [3, 2, 1])
    docs = gold(EVERYTHING, CopyRule("local", keep=ONE), CopyRule("remote", keep=EVERYTHING))
    found = judged(docs, *copies, *primaries, a_snapshot(ORDERS, ago(9), REMOTE))
    assert copies[0].arn in deleted(found)


# -- pinned, held --------------------------------------------------------------------------------


@pytest.mark.parametrize(("pin", "text"), [("audit", "it is pinned: audit"), ("", "it is pinned")])
def test_a_pin_keeps_a_point(pin: str, text: str) -> None:
    old, newest = a_snapshot(ORDERS, ago(2), pin=pin), a_snapshot(ORDERS, ago(1))
    found = judged(gold(), old, newest)
    assert reasons(found, old) == {"pinned": Reason("pinned", text, "engine:pin is removed")}


def test_a_hold_of_the_policy_keeps_everything() -> None:
    old, newest = daily(ORDERS, [2, 1])
    found = judged(gold(hold="case 2026-17"), old, newest)
    assert reasons(found, old) == {
        "held": Reason("held", "on hold: case 2026-17", "the hold is removed")
    }


def test_a_hold_of_the_policy_that_made_a_point_keeps_it() -> None:
    docs = documents(
        a_policy(terms=terms(ONE, schedule=None)),
        a_policy("silver", terms=terms(ONE, schedule=None, hold="case 2026-17")),
    )
    old = a_snapshot(ORDERS, ago(2), policy="silver")
    own, newest = daily(ORDERS, [3, 1])
    found = judged(docs, own, old, newest)
    assert kept(found, old) == ["held"]
    assert deleted(found) == {own.arn}


def holding_override(select: Select) -> Policy:
    hold = Override(select, {("hold",): "case 2026-17"})
    return a_policy(terms=terms(ONE, schedule=None), overrides=(hold,))


def test_an_override_holds_the_databases_it_selects() -> None:
    docs = documents(holding_override(Select(Condition(identifiers=("orders-1",)))))
    for name, held in (("orders-1", True), ("orders-2", False)):
        instance = an_instance(name)
        old, newest = daily(instance, [2, 1])
        found = plan(docs, inventory([instance], [old, newest]))
        assert (kept(found, old) == ["held"]) is held


def test_of_a_source_that_is_gone_nobody_knows_the_tags_so_every_hold_that_may_hold_does() -> None:
    points = daily(ORDERS, [40, 39], gone_since=ago(30))
    hold = Override(Select(Condition(tags={"legal": ("hold",)})), {("hold",): "case 2026-17"})
    docs = documents(a_policy(terms=terms(ONE, orphans=AT_ONCE), overrides=(hold,)))
    found = plan(docs, inventory([], points))
    assert deleted(found) == set()
    assert kept(found, points[0]) == ["held"]
    elsewhere = Select(Condition(tags={"legal": ("hold",)}, identifiers=("users-*",)))
    other = replace(docs.policies["gold"], overrides=(replace(hold, select=elsewhere),))
    assert len(deleted(plan(documents(other), inventory([], points)))) == 2


# -- inventory_incomplete, unknown_status --------------------------------------------------------


def test_without_its_source_being_read_nothing_of_it_goes() -> None:
    points = [*daily(ORDERS, [3, 2, 1], VAULT), *daily(ORDERS, [3, 2, 1])]
    docs = gold(ONE, CopyRule("local", keep=ONE))
    found = judged(docs, *points, scopes=unread(PROD))
    assert deleted(found) == set()
    assert kept(found, points[0]) == ["inventory_incomplete"]


def test_without_a_target_being_read_no_primary_and_no_bridge_goes() -> None:
    points = daily(ORDERS, [3, 2, 1])
    bridges = daily(ORDERS, [3, 2], role=Role.BRIDGE)
    found = judged(gold(ONE, TO_VAULT), *points, *bridges, scopes=unread(VAULT))
    assert reasons(found, points[0]) == {
        "inventory_incomplete": Reason(
            "inventory_incomplete",
            f"{VAULT} could not be read: AccessDenied",
            f"{VAULT} is read completely",
        )
    }
    assert kept(found, bridges[0]) == ["inventory_incomplete"]
    assert deleted(found) == set()


@pytest.mark.parametrize("life", ["live", "gone"])
def test_without_a_former_target_in_the_same_account_being_read_no_primary_goes(life: str) -> None:
    """A copy within an account leaves no mark on its origin while it is under way."""
    sister = Location(PROD.account, REMOTE.region)
    estate = an_estate(targets={"sister": Target("sister", "prod", REMOTE.region, "alias/backups")})
    docs = documents(
        a_policy(terms=terms(ONE, schedule=None)),
        a_policy("silver", terms=terms(ONE, [CopyRule("sister")], schedule=None, orphans=AT_ONCE)),
        estate=estate,
    )
    old, newest = daily(ORDERS, [20, 19], policy="silver", gone_since=ago(15))
    instances = [ORDERS] if life == "live" else []
    places = (PROD, VAULT, sister)
    blind = inventory(instances, [old, newest], scopes=unread(sister), locations=places)
    assert kept(plan(docs, blind), old) == ["inventory_incomplete"]
    assert old.arn in deleted(plan(docs, inventory(instances, [old, newest], locations=places)))


def test_an_unread_location_says_so_even_without_a_cause() -> None:
    half = {VAULT: {"instances": None}}
    points = daily(ORDERS, [2, 1])
    found = judged(gold(ONE, TO_VAULT), *points, *daily(ORDERS, [2, 1], VAULT), scopes=half)
    assert reasons(found, points[0])["inventory_incomplete"].text == (
        f"{VAULT} could not be read: not read completely"
    )


def test_a_copy_at_a_place_that_was_read_in_part_stays() -> None:
    copies = daily(ORDERS, [3, 2, 1], VAULT)
    half = {VAULT: {"instances": None, "status": ScopeStatus.FAILED, "cause": "throttled"}}
    found = judged(gold(EVERYTHING, CopyRule("local", keep=ONE)), *copies, scopes=half)
    assert kept(found, copies[0]) == kept(found, copies[1]) == ["inventory_incomplete"]


def test_a_copy_does_not_depend_on_other_targets_being_read() -> None:
    copies = daily(ORDERS, [3, 2, 1], VAULT)
    docs = gold(EVERYTHING, CopyRule("local", keep=ONE), CopyRule("remote"))
    found = judged(docs, *copies, scopes=unread(REMOTE))
    assert deleted(found) == {copies[0].arn, copies[1].arn}


def test_what_is_shared_with_an_account_that_was_not_read_stays() -> None:
    """The policy sends nothing there any more, but a copy may still be on its way."""
    shared = a_snapshot(ORDERS, ago(2), shared=frozenset({VAULT.account}))
    found = judged(gold(), shared, a_snapshot(ORDERS, ago(1)), scopes=unread(REMOTE))
    assert kept(found, shared) == ["inventory_incomplete"]


def test_what_is_shared_outside_the_estate_stays_until_it_is_unshared_by_hand() -> None:
    shared = a_snapshot(ORDERS, ago(2), shared=frozenset({"999999999999"}))
    found = judged(gold(), shared, a_snapshot(ORDERS, ago(1)))
    assert reasons(found, shared)["inventory_incomplete"].until == "it is unshared by hand"


def test_what_is_shared_is_unshared_before_it_goes() -> None:
    shared = a_snapshot(ORDERS, ago(2), shared=frozenset({VAULT.account}))
    found = judged(gold(), shared, a_snapshot(ORDERS, ago(1)))
    assert delete_of(found, shared).depends_on == (step_of(found, "unshare_snapshot").id,)


def test_what_is_shared_with_an_account_that_still_copies_it_stays() -> None:
    shared = a_snapshot(ORDERS, ago(2), shared=frozenset({VAULT.account}))
    flying = a_snapshot(ORDERS, ago(2), VAULT, status="copying")
    found = judged(gold(ONE, TO_VAULT), shared, a_snapshot(ORDERS, ago(1)), flying)
    assert "in_flight" in kept(found, shared)


def test_an_object_whose_status_nobody_knows_stays() -> None:
    odd = a_snapshot(ORDERS, ago(2), status="incompatible-restore")
    found = judged(gold(), odd, a_snapshot(ORDERS, ago(1)))
    assert reasons(found, odd) == {
        "unknown_status": Reason(
            "unknown_status", "its status is incompatible-restore", "it is available"
        )
    }
