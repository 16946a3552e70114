"""Stage 5, what is no point: failed objects and bridges."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from engine.documents.model import (
    CopyRule,
    Documents,
)
from engine.identity.marks import Role
from engine.inventory.records import ScopeStatus, Snapshot
from engine.plans.plan import Plan
from tests.planning.builders import (
    DEFAULT_KEY,
    PROD,
    REKEY,
    VAULT,
    VAULT_KEY,
    a_snapshot,
    ago,
    daily,
    delete_of,
    deleted,
    inventory,
    kept,
    plan,
    step_of,
    steps,
    witnesses,
)
from tests.planning.judging import (
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

# -- what failed ---------------------------------------------------------------------------------


def test_what_failed_goes_and_is_made_again_behind_it() -> None:
    failed = a_snapshot(ORDERS, ago(0), status="failed")
    found = judged(due(), failed)
    create, going = step_of(found, "create_snapshot"), delete_of(found, failed)
    assert create.arn == failed.arn
    assert create.depends_on == (going.id,)
    assert going.depends_on == ()


def test_what_failed_does_not_wait_for_copies_of_what_is_made_again() -> None:
    """The new one has the id of the failed one: waiting for its copies would be a circle."""
    failed = a_snapshot(ORDERS, ago(0), status="failed")
    found = judged(due(ONE, TO_VAULT), failed)
    order = [step.action.value for step in found.steps]
    assert order == [
        "delete_snapshot",
        "create_snapshot",
        "share_snapshot",
        "copy_snapshot",
        "unshare_snapshot",
    ]


def test_a_failed_bridge_is_made_again() -> None:
    sealed = replace(ORDERS, kms_key=DEFAULT_KEY)
    primary = a_snapshot(sealed, ago(1), keys=(DEFAULT_KEY,))
    failed = a_snapshot(sealed, ago(1), role=Role.BRIDGE, status="failed")
    found = plan(gold(ONE, TO_VAULT), inventory([sealed], [primary, failed]))
    bridge = step_of(found, "copy_snapshot", PROD)
    assert bridge.depends_on == (delete_of(found, failed).id,)
    assert not found.findings


def test_a_hold_does_not_keep_what_failed() -> None:
    failed = a_snapshot(ORDERS, ago(0), status="failed")
    found = plan(due(hold="case 2026-17"), inventory([ORDERS], [failed]))
    assert deleted(found) == {failed.arn}
    assert step_of(found, "create_snapshot").withheld_by is None


def test_what_failed_and_is_pinned_stays_and_is_not_made_again_under_its_id() -> None:
    docs = due(EVERYTHING, TO_VAULT)
    failed = a_snapshot(ORDERS, ago(0), status="failed", pin="evidence")
    found = judged(docs, failed)
    assert kept(found, failed) == ["pinned"]
    assert found.steps == ()
    copy = a_snapshot(ORDERS, ago(1), VAULT, status="failed", pin="evidence")
    there = a_snapshot(ORDERS, ago(2), VAULT)
    found = judged(gold(EVERYTHING, TO_VAULT), a_snapshot(ORDERS, ago(1)), copy, there)
    assert found.steps == ()


def test_a_failed_bridge_that_is_pinned_is_not_made_again_under_its_id() -> None:
    primary = a_snapshot(SEALED, ago(1), keys=(DEFAULT_KEY,))
    failed = a_snapshot(SEALED, ago(1), role=Role.BRIDGE, status="failed", pin="evidence")
    found = plan(gold(EVERYTHING, TO_VAULT), inventory([SEALED], [primary, failed]))
    assert found.steps == ()
    assert [one.code for one in found.waiting] == ["bridge_in_flight"]


def test_an_unread_target_does_not_keep_what_failed() -> None:
    failed = a_snapshot(ORDERS, ago(0), status="failed")
    found = judged(due(ONE, TO_VAULT), failed, scopes=unread(VAULT))
    assert deleted(found) == {failed.arn}
    assert step_of(found, "create_snapshot").withheld_by is None


def test_an_unread_place_keeps_what_failed_there() -> None:
    failed = a_snapshot(ORDERS, ago(1), VAULT, status="failed")
    half = {VAULT: {"status": ScopeStatus.FAILED, "cause": "throttled"}}
    found = judged(gold(ONE, CopyRule("local", keep=ONE)), failed, scopes=half)
    assert kept(found, failed) == ["inventory_incomplete"]


# -- bridges -------------------------------------------------------------------------------------

SEALED = replace(ORDERS, kms_key=DEFAULT_KEY)
COPIED = (DEFAULT_KEY, REKEY, VAULT_KEY)


def sealed(days: list[int], **changes: Any) -> list[Snapshot]:
    return daily(SEALED, days, keys=(DEFAULT_KEY,), **changes)


def bridges(days: list[int], **changes: Any) -> list[Snapshot]:
    return daily(SEALED, days, role=Role.BRIDGE, **changes)


def bridged(docs: Documents, *snapshots: Snapshot, **changes: Any) -> Plan:
    found = plan(docs, inventory([SEALED], snapshots, **changes))
    assert not found.findings
    return found


ALL_TO_VAULT = gold(EVERYTHING, TO_VAULT)


def test_at_most_one_uncopied_bridge_per_source_and_route() -> None:
    there = a_snapshot(SEALED, ago(9), VAULT, keys=COPIED)
    found = bridged(ALL_TO_VAULT, *sealed([3, 2, 1]), there)
    assert step_of(found, "copy_snapshot", PROD).slot == ago(3)
    under_way = bridges([3], status="copying")
    assert (
        steps(bridged(ALL_TO_VAULT, *sealed([3, 2, 1]), there, *under_way), "copy_snapshot") == []
    )


def test_a_bridge_stays_while_a_target_wants_its_slot() -> None:
    there = a_snapshot(SEALED, ago(9), VAULT, keys=COPIED)
    old, newer = bridges([2, 1])
    found = bridged(ALL_TO_VAULT, *sealed([3, 2, 1]), there, old, newer)
    assert step_of(found, "copy_snapshot", VAULT).slot == ago(3)
    assert kept(found, old) == kept(found, newer) == ["bridge_needed"]


def test_a_bridge_goes_after_the_copy_that_needed_it_when_a_newer_one_is_there() -> None:
    there = [a_snapshot(SEALED, ago(n), VAULT, keys=COPIED) for n in (9, 1)]
    old, newer = bridges([2, 1])
    found = bridged(ALL_TO_VAULT, *sealed([2, 1]), *there, old, newer)
    copy = step_of(found, "copy_snapshot", VAULT)
    going = delete_of(found, old)
    assert copy.id in going.depends_on
    assert ("chain", newer.arn) in witnesses(going)


def test_a_bridge_stays_while_something_in_flight_comes_from_it() -> None:
    old, newer = bridges([2, 1])
    flying = a_snapshot(SEALED, ago(2), VAULT, keys=COPIED, status="copying", origin=old.arn)
    docs = gold(EVERYTHING, CopyRule("local", keep=ONE))
    copied = a_snapshot(SEALED, ago(1), VAULT, keys=COPIED)
    assert "in_flight" in kept(bridged(docs, *sealed([2, 1]), old, newer, flying, copied), old)


def test_a_bridge_stays_until_a_newer_one_of_its_chain_is_available() -> None:
    done = [a_snapshot(SEALED, ago(n), VAULT, keys=COPIED) for n in (2, 1)]
    old, newer = bridges([2, 1])
    found = bridged(ALL_TO_VAULT, *sealed([2, 1]), *done, old, newer)
    assert deleted(found) == {old.arn}
    assert kept(found, newer) == ["chain_base"]
    other = a_snapshot(SEALED, ago(1), role=Role.BRIDGE, zone=OTHER)
    both = bridged(ALL_TO_VAULT, *sealed([2, 1]), *done, old, other)
    assert kept(both, old) == kept(both, other) == ["chain_base"]


def test_a_bridge_of_an_idle_chain_goes() -> None:
    done = a_snapshot(SEALED, ago(95), VAULT, keys=COPIED)
    [old] = bridges([95])
    found = bridged(ALL_TO_VAULT, *sealed([95]), done, old)
    assert deleted(found) == {old.arn}
