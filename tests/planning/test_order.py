"""Stage 7: what comes before what."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import networkx as nx
import pytest

from engine.documents.model import CopyRule, Documents
from engine.identity.marks import Role
from engine.inventory.records import Snapshot
from engine.planning.ordering import in_order
from engine.plans.plan import Plan, Step
from engine.retention.keep import Keep
from tests.planning.builders import (
    DEFAULT_KEY,
    PROD,
    REKEY,
    VAULT,
    VAULT_KEY,
    a_snapshot,
    ago,
    an_instance,
    daily,
    delete_of,
    inventory,
    plan,
    step_of,
    steps,
)
from tests.planning.judging import EVERYTHING, ONE, ORDERS, OTHER, due, gold, judged

SEALED = replace(ORDERS, kms_key=DEFAULT_KEY)
TO_VAULT = CopyRule("local", keep=ONE)


def everything() -> Plan:
    """A plan with steps of every kind: a new point goes to the vault by way of a bridge."""
    way = (DEFAULT_KEY, REKEY, VAULT_KEY)
    before = [
        *daily(SEALED, [2, 1], keys=(DEFAULT_KEY,)),
        *daily(SEALED, [2, 1], role=Role.BRIDGE),
        *daily(SEALED, [2, 1], VAULT, keys=way),
    ]
    found = plan(due(ONE, TO_VAULT), inventory([SEALED], before))
    assert not found.findings
    return found


def behind(found: Plan, step: Step) -> set[str]:
    """The ids of all that a step waits for."""
    graph: nx.DiGraph[str] = nx.DiGraph(
        (before, one.id) for one in found.steps for before in one.depends_on
    )
    return nx.ancestors(graph, step.id) if step.id in graph else set()


def test_create_then_rekey_then_share_then_copy_then_unshare_then_delete() -> None:
    found = everything()
    create, bridge = step_of(found, "create_snapshot"), step_of(found, "copy_snapshot", PROD)
    share, copy = step_of(found, "share_snapshot"), step_of(found, "copy_snapshot", VAULT)
    unshare = step_of(found, "unshare_snapshot")
    chain = [create, bridge, share, copy, unshare]
    for before, after in pairwise(chain):
        assert before.id in behind(found, after)
    positions = [found.steps.index(step) for step in chain]
    assert positions == sorted(positions)


def test_every_step_stands_behind_those_it_waits_for() -> None:
    found = everything()
    seen: set[str] = set()
    for step in found.steps:
        assert set(step.depends_on) <= seen
        seen.add(step.id)


def test_a_delete_depends_on_the_step_that_makes_its_displacing_point() -> None:
    found = judged(due(ONE), a_snapshot(ORDERS, ago(1), zone=OTHER), a_snapshot(ORDERS, ago(9)))
    displaced = steps(found, "delete_snapshot")
    assert [step.depends_on for step in displaced] == [(step_of(found, "create_snapshot").id,)]


def test_a_delete_depends_on_the_step_that_makes_its_chain_successor() -> None:
    base, other = a_snapshot(ORDERS, ago(9)), a_snapshot(ORDERS, ago(1), zone=OTHER)
    found = judged(due(Keep(last=2)), base, other)
    assert delete_of(found, base).depends_on == (step_of(found, "create_snapshot").id,)


def test_a_delete_depends_on_copies_that_read_it() -> None:
    old, newest = daily(ORDERS, [2, 1])
    there = a_snapshot(ORDERS, ago(9), VAULT)
    found = judged(gold(ONE, CopyRule("local", keep=EVERYTHING)), old, newest, there)
    assert delete_of(found, old).depends_on == (step_of(found, "copy_snapshot").id,)


def test_a_delete_depends_on_nothing_else() -> None:
    """The old one is displaced already, its chain goes on, and nobody reads it."""
    old, *others = daily(ORDERS, [4, 3, 2, 1])
    found = judged(due(Keep(last=3), CopyRule("local")), old, *others)
    assert steps(found, "create_snapshot")
    assert delete_of(found, old).depends_on == ()
    late = delete_of(found, others[0])
    assert late.depends_on == (step_of(found, "create_snapshot").id,)


def test_a_route_never_unshares_what_something_else_shares() -> None:
    """Only what `engine:shared` says the engine gave is taken back."""
    primary = a_snapshot(ORDERS, ago(1), record={"shared_with": frozenset({"999999999999"})})
    found = judged(gold(EVERYTHING, TO_VAULT), primary)
    unshare = step_of(found, "unshare_snapshot")
    assert unshare.parameters["ValuesToRemove"] == [VAULT.account]


def test_unshare_waits_for_every_copy_in_flight_to_that_account() -> None:
    """Two regions of one account: one copy is under way, the other one is planned."""
    primary = a_snapshot(ORDERS, ago(1), shared=frozenset({VAULT.account}))
    flying = a_snapshot(ORDERS, ago(1), VAULT, status="copying")
    docs = gold(EVERYTHING, CopyRule("local"), CopyRule("remote"))
    found = judged(docs, primary, flying)
    assert steps(found, "copy_snapshot")
    assert steps(found, "unshare_snapshot") == []
    arrived = replace(flying, status="available")
    after = judged(docs, primary, arrived)
    copy = step_of(after, "copy_snapshot")
    assert copy.id in step_of(after, "unshare_snapshot").depends_on


def test_unshare_waits_for_all_planned_copies_to_that_account() -> None:
    docs = due(EVERYTHING, CopyRule("local"), CopyRule("remote"))
    found = judged(docs)
    copies = {step.id for step in steps(found, "copy_snapshot")}
    assert len(copies) == 2
    assert copies <= set(step_of(found, "unshare_snapshot").depends_on)


# -- the graph -----------------------------------------------------------------------------------


def worlds() -> list[tuple[Documents, list[Snapshot]]]:
    """Histories that make steps wait for one another in as many ways as there are."""
    failed = [a_snapshot(ORDERS, ago(0), status="failed"), *daily(ORDERS, [3, 2, 1])]
    shared = a_snapshot(ORDERS, ago(9), shared=frozenset({VAULT.account}))
    return [
        (due(ONE, TO_VAULT), [*failed]),
        (due(ONE, TO_VAULT), [*failed, *daily(ORDERS, [3, 2], VAULT)]),
        (due(ONE, TO_VAULT), [shared, *daily(ORDERS, [3, 2, 1])]),
        (due(ONE, TO_VAULT), [shared, *daily(ORDERS, [3, 2, 1], zone=OTHER)]),
    ]


@pytest.mark.parametrize("number", range(4))
def test_there_are_no_circles(number: int) -> None:
    docs, history = worlds()[number]
    found = judged(docs, *history)
    graph: nx.DiGraph[str] = nx.DiGraph(
        (before, one.id) for one in found.steps for before in one.depends_on
    )
    assert nx.is_directed_acyclic_graph(graph)


def test_a_circle_would_be_told_not_followed() -> None:
    first, second = steps(everything(), "delete_snapshot")[:2]
    circle = {
        first.id: replace(first, depends_on=(second.id,)),
        second.id: replace(second, depends_on=(first.id,)),
    }
    with pytest.raises(nx.NetworkXUnfeasible):
        in_order(circle)


def test_of_steps_that_wait_for_nothing_those_that_make_points_come_first() -> None:
    instances = [an_instance("orders-2"), ORDERS]
    old = [*daily(ORDERS, [9, 8, 7, 1]), a_snapshot(ORDERS, ago(9), VAULT)]
    found = plan(due(Keep(last=2), CopyRule("local", keep=EVERYTHING)), inventory(instances, old))
    mine = [step.action.value for step in found.steps if step.source.identifier == "orders-1"]
    assert mine[0] == "create_snapshot"
    assert mine.index("share_snapshot") < mine.index("delete_snapshot")
