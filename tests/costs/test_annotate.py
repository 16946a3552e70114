"""What a finished plan costs: steps, policies, places, leftovers, and what that rests on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from engine.costs.annotate import with_costs
from engine.costs.book import Book, book_of
from engine.costs.price_file import prices_of
from engine.costs.ranges import Range
from engine.costs.rates import Rate
from engine.documents.model import (
    CopyRule,
    Documents,
    Incremental,
    Override,
    OwnPrices,
    Select,
    SnapshotTerms,
    Terms,
)
from engine.inventory.records import Instance, Inventory
from engine.plans.costs import Costs, PolicyCost, StepCost
from engine.plans.digest import plan_digest
from engine.plans.plan import Plan, PlanOptions
from engine.retention.keep import Keep
from tests.planning.builders import (
    DAILY,
    NOW,
    PROD,
    REMOTE,
    VAULT,
    a_foreign_snapshot,
    a_policy,
    a_snapshot,
    ago,
    an_estate,
    an_instance,
    daily,
    delete_of,
    documents,
    failed_over,
    inventory,
    plan,
    step_of,
    terms,
)

ORDERS = an_instance()
GIB = 1 << 30
FULL = {"full_bytes": 64 * GIB}
PAID = OwnPrices(
    snapshots={"eu-west-1": (0.5, 0.5), "eu-central-1": (1.0, 2.0)},
    transfer={"eu-west-1": (0.25, 0.25)},
)


def changing(low: float, high: float, **changes: Any) -> Terms:
    made = terms(**changes)
    return replace(made, snapshots=replace(made.snapshots, changed_per_day=(low, high)))


def docs(policy_terms: Terms) -> Documents:
    return documents(a_policy(terms=policy_terms), estate=an_estate(prices=PAID))


def priced(found: Documents, there: Inventory, **options: Any) -> tuple[Plan, Costs]:
    made = with_costs(plan(found, there, **options), there, book_of(found, prices_of(found.estate)))
    assert made.costs is not None
    return made, made.costs


def cost_of(costs: Costs, step: str) -> StepCost:
    (found,) = [one for one in costs.steps if one.step == step]
    return found


def kept_by(costs: Costs, region: str = "eu-west-1", account: str = PROD.account) -> PolicyCost:
    (found,) = [one for one in costs.policies if (one.account, one.region) == (account, region)]
    return found


# -- steps -----------------------------------------------------------------------------------------


def test_the_first_snapshot_takes_up_to_all_of_the_storage() -> None:
    made, costs = priced(docs(changing(1, 5)), inventory([ORDERS]))
    cost = cost_of(costs, step_of(made, "create_snapshot").id)
    assert (cost.gib, cost.usd_month, cost.usd_once) == ((0.0, 100.0), (0.0, 50.0), (0.0, 0.0))
    assert cost.seconds is not None
    assert cost.seen == 0


def test_an_increment_takes_what_changed_since_its_base() -> None:
    there = inventory([ORDERS], daily(ORDERS, [2, 1], record=FULL))
    made, costs = priced(docs(changing(12.5, 25)), there)
    # The base was taken ten minutes after its slot, as this one is.
    assert cost_of(costs, step_of(made, "create_snapshot").id).gib == (8.0, 16.0)


def test_what_is_likely_an_increment_may_be_a_full_one() -> None:
    there = inventory([ORDERS], daily(ORDERS, [1], record=FULL, zone_checked=False))
    made, costs = priced(docs(changing(12.5, 25)), there)
    step = step_of(made, "create_snapshot")
    assert step.forecast is not None
    assert step.forecast.verdict == "likely_incremental"
    assert cost_of(costs, step.id).gib == (8.0, 64.0)


def test_a_copy_to_another_region_pays_its_way_once() -> None:
    found = docs(changing(12.5, 25, copies=[CopyRule("remote")]))
    there = inventory([ORDERS], daily(ORDERS, [0], record=FULL))
    made, costs = priced(found, there)
    cost = cost_of(costs, step_of(made, "copy_snapshot").id)
    assert (cost.gib, cost.usd_month, cost.usd_once) == ((64.0, 64.0), (64.0, 130.0), (16.0, 16.0))
    assert costs.usd_once == (16.0, 16.0)


def test_a_copy_within_a_region_pays_no_transfer() -> None:
    found = docs(changing(12.5, 25, copies=[CopyRule("local")]))
    _, costs = priced(found, inventory([ORDERS], daily(ORDERS, [0])))
    assert costs.usd_once == (0.0, 0.0)


def test_a_delete_frees_what_no_later_one_needs() -> None:
    there = inventory([ORDERS], daily(ORDERS, [4, 3, 2, 1, 0], record=FULL))
    made, costs = priced(docs(changing(12.5, 25)), there)
    oldest, next_one = daily(ORDERS, [4, 3])
    # The oldest holds what the next needs of it: what goes is a day's changes.
    for victim in (oldest, next_one):
        cost = cost_of(costs, delete_of(made, victim).id)
        assert cost.gib == (-16.0, -8.0)
        assert cost.usd_month == (-8.0, -4.0)
        assert cost.seconds is None


def test_a_withheld_copy_is_priced_and_part_of_no_sum() -> None:
    found = docs(changing(12.5, 25, copies=[CopyRule("local")], incremental=Incremental.REQUIRE))
    old = daily(ORDERS, [5], VAULT, zone="euw1-az1", record=FULL)
    there = inventory([ORDERS], [*daily(ORDERS, [1, 0], record=FULL), *old])
    made, costs = priced(found, there)
    step = step_of(made, "copy_snapshot")
    assert step.withheld_by == "incremental_required"
    assert cost_of(costs, step.id).gib == (64.0, 64.0)
    assert kept_by(costs, account=VAULT.account).change_usd_month == (0.0, 0.0)
    assert kept_by(costs, account=VAULT.account).snapshots == 1


def test_steps_that_store_nothing_cost_nothing() -> None:
    found = docs(terms(copies=[CopyRule("local")]))
    made, costs = priced(found, inventory([ORDERS], daily(ORDERS, [0])))
    assert {one.step for one in costs.steps} == {step_of(made, "copy_snapshot").id}


# -- what is kept ----------------------------------------------------------------------------------


def test_a_policy_pays_for_its_oldest_in_full_and_for_what_changed_since() -> None:
    there = inventory([ORDERS], daily(ORDERS, [2, 1, 0], record=FULL))
    _, costs = priced(docs(changing(12.5, 25)), there)
    found = kept_by(costs)
    assert found.snapshots == 3
    assert found.gib == (80.0, 96.0)
    assert found.usd_month == (40.0, 48.0)
    assert found.change_usd_month == (0.0, 0.0)


def test_each_chain_has_a_full_one_of_its_own() -> None:
    there = inventory(
        [ORDERS],
        [*daily(ORDERS, [1], record=FULL), *daily(ORDERS, [0], zone="euw1-az1", record=FULL)],
    )
    _, costs = priced(docs(changing(12.5, 25)), there)
    assert kept_by(costs).gib == (130.0, 130.0)


def test_of_a_chain_whose_zone_is_not_known_each_may_be_full() -> None:
    there = inventory([ORDERS], daily(ORDERS, [1, 0], zone="unknown", record=FULL))
    _, costs = priced(docs(changing(12.5, 25)), there)
    assert kept_by(costs).gib == (72.0, 130.0)


def test_the_newest_size_that_aws_tells_stands_for_those_it_does_not_tell() -> None:
    snapshots = [*daily(ORDERS, [1]), *daily(ORDERS, [0], record=FULL)]
    _, costs = priced(docs(changing(12.5, 25)), inventory([ORDERS], snapshots))
    assert kept_by(costs).gib == (72.0, 80.0)


def test_a_size_of_nothing_is_not_believed() -> None:
    there = inventory([ORDERS], daily(ORDERS, [0], record={"full_bytes": 0}))
    _, costs = priced(docs(changing(12.5, 25)), there)
    assert kept_by(costs).gib == (0.0, 100.0)


def test_what_failed_and_what_has_no_time_of_its_own() -> None:
    failed = a_snapshot(ORDERS, ago(1), status="failed", record=FULL)
    undated = a_snapshot(
        ORDERS, ago(0), status="creating", record={"original_created_at": None, **FULL}
    )
    _, costs = priced(docs(changing(12.5, 25)), inventory([ORDERS], [failed, undated]))
    assert kept_by(costs).snapshots == 1


def test_the_plan_adds_what_it_makes_less_what_it_removes() -> None:
    there = inventory([ORDERS], daily(ORDERS, [3, 2, 1], record=FULL))
    made, costs = priced(docs(changing(12.5, 25)), there)
    assert len(made.steps) == 2
    assert kept_by(costs).snapshots == 3
    assert kept_by(costs).change_usd_month == (0.0, 0.0)
    assert sum(one.usd_month[1] for one in costs.steps) == 4


# -- places ----------------------------------------------------------------------------------------


def test_as_much_as_the_databases_have_is_free() -> None:
    there = inventory([ORDERS], daily(ORDERS, [2, 1, 0], record=FULL))
    _, costs = priced(docs(changing(12.5, 25)), there)
    (place,) = costs.places
    assert (place.account, place.region) == (PROD.account, PROD.region)
    assert place.free_gib == (100.0, 100.0)
    assert place.usd_month == (0.0, 0.0)
    assert costs.usd_month == (0.0, 0.0)


def test_snapshots_of_others_use_up_what_is_free() -> None:
    by_hand = [
        a_foreign_snapshot(ORDERS, ago(9), arn=f"arn:{n}", identifier=f"by-hand-{n}", **FULL)
        for n in range(2)
    ]
    there = inventory([ORDERS], [*daily(ORDERS, [0], record=FULL), *by_hand])
    _, costs = priced(docs(changing(12.5, 25)), there)
    (place,) = costs.places
    assert place.gib == (64.0, 64.0)
    assert place.others_gib == (64.0, 130.0)
    assert place.usd_month == (14.0, 46.0)


def test_nothing_is_free_where_no_database_is() -> None:
    found = docs(changing(12.5, 25, copies=[CopyRule("local")]))
    there = inventory(
        [ORDERS], [*daily(ORDERS, [0], record=FULL), *daily(ORDERS, [0], VAULT, record=FULL)]
    )
    _, costs = priced(found, there)
    vault = next(place for place in costs.places if place.account == VAULT.account)
    assert vault.usd_month == (32.0, 32.0)


# -- leftovers -------------------------------------------------------------------------------------


def test_what_others_left_of_a_database_that_is_gone_is_priced() -> None:
    gone = replace(an_instance("reports"), resource_id="db-REPORTS")
    left = [
        a_foreign_snapshot(
            gone,
            ago(day),
            arn=f"arn:aws:rds:eu-west-1:111111111111:snapshot:{day}",
            identifier=f"final-{day}",
            **FULL,
        )
        for day in (20, 10)
    ]
    made, _ = priced(docs(terms()), inventory([ORDERS], left))
    assert [one.usd_month for one in made.foreign_orphans] == [(32.0, 32.0), (1.6, 32)]


def test_a_leftover_without_a_time_has_no_price() -> None:
    gone = replace(an_instance("reports"), resource_id="db-REPORTS")
    left = replace(a_foreign_snapshot(gone, NOW), created_at=None, original_created_at=None)
    made, _ = priced(docs(terms()), inventory([ORDERS], [left]))
    (one,) = made.foreign_orphans
    assert one.usd_month is None


# -- what it rests on ------------------------------------------------------------------------------


def test_the_digest_does_not_cover_what_a_plan_costs() -> None:
    found, there = docs(terms()), inventory([ORDERS])
    bare = plan(found, there)
    made, _ = priced(found, there)
    assert made.digest == bare.digest == plan_digest(made.steps)
    assert replace(made, costs=None) == bare


def test_what_was_assumed_is_said() -> None:
    found = documents(a_policy(terms=terms(copies=[CopyRule("remote")])))
    _, costs = priced(found, inventory([ORDERS], daily(ORDERS, [0])))
    text = "\n".join(costs.assumptions)
    assert "changes 0.5 to 10 % of its storage a day" in text
    assert "of 2 of 2 AWS does not tell" in text
    assert "$0.095 a month in eu-west-1 (2026-08)" in text
    assert "$0.095 to $0.167 a month in eu-central-1, which is in no price list here" in text
    assert "$0.02 to send from eu-west-1 to eu-central-1" in text
    assert "is assumed where no earlier run tells" in text
    assert costs.assumptions[-1].startswith("taxes")


def test_what_is_known_is_not_called_assumed() -> None:
    there = inventory([ORDERS], daily(ORDERS, [0], record=FULL))
    _, costs = priced(docs(changing(1, 2)), there)
    text = "\n".join(costs.assumptions)
    assert "of its storage a day" not in text
    assert "does not tell how much less" not in text
    assert "$0.5 a month in eu-west-1 (the estate's `prices`)" in text
    assert "to send" not in text


def test_where_nothing_is_kept_nothing_is_assumed_of_it() -> None:
    _, costs = priced(documents(), inventory([ORDERS]))
    assert costs.assumptions == ("taxes, discounts and requests to KMS are left out",)
    assert costs.policies == ()


def test_an_override_widens_the_rate_of_its_policy() -> None:
    override = Override(Select(), {("snapshots", "changed_per_day"): (10.0, 20.0)})
    silent = Override(Select(), {("hold",): "case 17"})
    taken_away = Override(Select(), {("snapshots", "changed_per_day"): None})
    of_one = SnapshotTerms(schedule=DAILY, keep=Keep(last=3), changed_per_day=(1.0, 2.0))

    def rate(*overrides: Override) -> Rate:
        policy = a_policy(terms=Terms(snapshots=of_one), overrides=overrides)
        return book_of(documents(policy), prices_of(an_estate())).rate("gold")

    assert rate() == rate(silent) == Rate(Range(0.01, 0.02))
    assert rate(override) == Rate(Range(0.01, 0.2))
    assert rate(taken_away) == Rate(Range(0.005, 0.1), is_assumed=True)


def test_a_policy_that_is_gone_is_priced_with_what_is_assumed() -> None:
    assert Book(prices_of(an_estate())).rate("bronze").is_assumed


def test_a_plan_of_one_database_prices_all_that_is_kept() -> None:
    other: Instance = an_instance("billing", resource_id="db-BILLING")
    there = inventory([ORDERS, other], [*daily(ORDERS, [0]), *daily(other, [0])])
    _, costs = priced(docs(terms()), there, only=("prod/*/orders-1",))
    assert kept_by(costs).snapshots == 2


def test_an_object_at_a_location_that_was_not_read_is_priced() -> None:
    found = docs(terms(copies=[CopyRule("remote")]))
    there = inventory([ORDERS], daily(ORDERS, [0]), locations=(PROD, VAULT, REMOTE))
    made = plan(found, there)
    without = replace(there, scopes={PROD: there.scopes[PROD]})
    costs = with_costs(made, without, book_of(found, prices_of(found.estate))).costs
    assert costs is not None
    assert kept_by(costs, "eu-central-1", VAULT.account).gib == (0.0, 100.0)


def test_a_seeded_point_is_priced_from_now() -> None:
    assert PlanOptions() == PlanOptions()
    base = a_snapshot(ORDERS, ago(1), record=FULL, taken_at=NOW - timedelta(days=1))
    made, costs = priced(docs(changing(12.5, 25)), inventory([ORDERS], [base]))
    assert cost_of(costs, step_of(made, "create_snapshot").id).gib == (8.0, 16.0)


# -- bases of other zones --------------------------------------------------------------------------


def test_a_base_of_another_zone_costs_what_is_kept_and_saves_what_would_be_full() -> None:
    """Four days of changes are less than all of it: the rest is saved."""
    moved = failed_over(ORDERS)
    kept = [a_snapshot(ORDERS, ago(4), record=FULL)]
    since = daily(ORDERS, [1, 0], zone="euw1-az1", record=FULL)
    made, _ = priced(docs(changing(12.5, 25)), inventory([moved], [*kept, *since]))
    (one,) = made.idle_chains
    assert one.arn == kept[0].arn
    assert one.usd_month == (32.0, 32.0)
    # Of 64 GiB 32 to 64 change in four days, and with them goes what they would save.
    assert one.saves_usd_month == (0.0, 16.0)


def test_what_spares_nothing_saves_nothing_and_what_is_not_known_has_no_price() -> None:
    moved = failed_over(ORDERS)
    old = a_snapshot(ORDERS, ago(4), VAULT, record=FULL)
    points = [a_snapshot(ORDERS, ago(4)), *daily(ORDERS, [1, 0], zone="euw1-az1"), old]
    there = inventory([moved], points)
    made, _ = priced(docs(changing(12.5, 25)), there)
    told = {one.role: one.saves_usd_month for one in made.idle_chains}
    assert told["copy"] == (0.0, 0.0)
    found = docs(changing(12.5, 25))
    elsewhere = with_costs(
        plan(found, there), inventory([moved]), book_of(found, prices_of(found.estate))
    )
    assert {one.usd_month for one in elsewhere.idle_chains} == {None}
