"""What is kept costs a month at the horizon, without a change and with it."""

from __future__ import annotations

from engine.plans.codes import ProtectionChange
from engine.retention.keep import Keep
from tests.consequences.comparing import (
    BOTH,
    ORDERS,
    REMOTE,
    TO_VAULT,
    VAULT,
    an_instance,
    compared,
    days,
    gold,
    world,
)
from tests.planning.builders import a_cluster, a_policy, an_estate, documents, terms
from tests.planning.test_clusters import clusters, exists, points

LONG, SHORT = Keep(daily=35), Keep(daily=14)
NOTHING = (0.0, 0.0)


def test_fewer_points_cost_less_but_never_less_than_one_in_full() -> None:
    (one,) = compared(gold(LONG), gold(SHORT), world(days(35))).costs
    assert one.policy == "gold"
    least, most = one.usd_month_after
    assert least == 0.0
    # 100 GiB at about ten cents, in full once.
    assert most >= 9.0
    assert most < one.usd_month_before[1]
    (same,) = compared(gold(Keep(daily=3)), gold(Keep(daily=2)), world(days(3))).costs
    assert same.usd_month_after[1] >= 9.0


def test_what_is_decided_as_before_is_not_told() -> None:
    assert compared(gold(LONG), gold(LONG), world(days(35))).costs == ()


def test_a_new_target_costs_something_from_nothing() -> None:
    found = compared(gold(LONG, TO_VAULT), gold(LONG, *BOTH), world(days(35, VAULT)))
    (one,) = found.costs
    assert (one.location.account, one.location.region) == (REMOTE.account, REMOTE.region)
    assert one.usd_month_before == NOTHING
    assert one.usd_month_after[1] > 0


def test_points_that_no_policy_decides_about_any_more_cost_on() -> None:
    silver = a_policy("silver")
    found = compared(gold(LONG), documents(silver), world(days(35)))
    before, after = sorted(found.costs, key=lambda one: one.policy)
    assert (before.policy, before.usd_month_after) == ("gold", NOTHING)
    assert (after.policy, after.usd_month_before) == ("no policy", NOTHING)
    assert after.usd_month_after[1] > 0


def test_each_policy_has_one_row_a_location() -> None:
    two = an_instance("orders-2")
    snapshots = [*days(35, VAULT), *days(35, VAULT, of=two)]
    found = compared(gold(LONG, TO_VAULT), gold(SHORT, TO_VAULT), world(snapshots, ORDERS, two))
    (alone, _) = compared(gold(LONG, TO_VAULT), gold(SHORT, TO_VAULT), world(days(35, VAULT))).costs
    home, _ = found.costs
    assert home.usd_month_before[1] > 1.9 * alone.usd_month_before[1]


def test_snapshots_of_clusters_are_full_and_have_no_chains() -> None:
    found = exists([a_cluster()], points(range(1, 36)))
    before, after = (
        documents(clusters(terms=terms(keep)), estate=an_estate()) for keep in (LONG, SHORT)
    )
    told = compared(before, after, found)
    (one,) = told.costs
    assert one.usd_month_before[1] > 2 * one.usd_month_after[1]
    # That of 35 days ago would go anyhow: the guard that the change trips withholds it too.
    assert len(told.reach[0].points) == 35
    target = documents(clusters(terms=terms(LONG, [TO_VAULT])), estate=an_estate())
    told = compared(before, target, found)
    assert [one.change for one in told.protection] == [ProtectionChange.GAINED]
    assert told.chains == ()
