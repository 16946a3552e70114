"""A finished plan and what it costs: per step, per policy, per account and region."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from engine.costs.allowance import NO_ALLOWANCE
from engine.costs.assumptions import assumptions
from engine.costs.book import Book
from engine.costs.feasibility import nights
from engine.costs.orphans import with_their_cost
from engine.costs.prices import Kept
from engine.costs.ranges import NOTHING, Range, total
from engine.costs.resting import with_cost_of_rest
from engine.costs.stepping import Cost, Walk
from engine.costs.stock import Stock, Totals, stock_of
from engine.inventory.records import Inventory, Location
from engine.plans.amounts import Pair, rounded
from engine.plans.codes import Action
from engine.plans.costs import Costs, PlaceCost, PolicyCost, StepCost
from engine.plans.plan import Plan

_MAKES = frozenset({Action.CREATE, Action.COPY})


def with_costs(plan: Plan, inventory: Inventory, book: Book) -> Plan:
    """Return a finished plan with what it and all that is kept costs.

    What is withheld is priced, but is no part of any sum. All amounts have two figures: none is
    known better.
    """
    stock = stock_of(inventory, plan.estate, frozenset(_told(plan)))
    before = stock.totals(book)
    steps = list(_walked(plan, Walk(stock, book, plan.as_of)))
    after = stock.totals(book) if steps else before
    places = [_Place(location, stock, book, before, after) for location in _places(before, after)]
    costs = Costs(
        usd_month=_pair(total(place.billed for place in places)),
        change_usd_month=_pair(total(place.change for place in places)),
        usd_once=_pair(total(one.usd_once for one in steps if one.step.withheld_by is None)),
        steps=tuple(_step_cost(one) for one in steps),
        policies=tuple(_policies(before, after, book)),
        places=tuple(place.cost() for place in places),
        assumptions=tuple(assumptions(book, stock, _places(before, after), steps)),
        nights=tuple(nights(steps, book.documents)) if book.documents is not None else (),
    )
    orphans = with_their_cost(plan.foreign_orphans, inventory, stock, book.prices)
    idle = with_cost_of_rest(plan.idle_chains, stock, book, plan.as_of)
    return replace(plan, costs=costs, foreign_orphans=orphans, idle_chains=idle)


def _told(plan: Plan) -> Iterator[str]:
    """Yield the ARNs that the plan calls the engine's."""
    yield from (one.arn for one in plan.kept)
    yield from (one.arn for one in plan.unmanaged)
    yield from (step.arn for step in plan.steps if step.action is Action.DELETE)


def _walked(plan: Plan, walk: Walk) -> Iterator[Cost]:
    """Yield the cost of each step that has one: what is made first, then what goes."""
    doings = ((_MAKES, walk.make), (frozenset({Action.DELETE}), walk.delete))
    for actions, do in doings:
        for step in plan.steps:
            cost = do(step) if step.action in actions else None
            if cost is not None:
                yield cost


def _places(before: Totals, after: Totals) -> list[Location]:
    return sorted({location for _, location, _ in (*before.sums, *after.sums)})


class _Place:
    """What AWS bills at a location, of ours and of others."""

    def __init__(
        self, location: Location, stock: Stock, book: Book, before: Totals, after: Totals
    ) -> None:
        self._location = location
        self._allowance = stock.allowances.get(location, NO_ALLOWANCE)
        self._others = stock.others.get(location, NOTHING)
        self._prices = {kept: book.prices.of_storage(location.region, kept).usd for kept in Kept}
        self._ours = total(after.at(location, kept) for kept in Kept)
        self.billed = self._bill(after)
        self.change = self._bill(before).change_to(self.billed)

    def _bill(self, totals: Totals) -> Range:
        """Return what AWS bills; nothing is taken to be free of the snapshots of clusters."""
        of_instances = totals.at(self._location, Kept.SNAPSHOT) + self._others
        of_clusters = totals.at(self._location, Kept.CLUSTER_SNAPSHOT)
        billed = self._allowance.billed(of_instances) * self._prices[Kept.SNAPSHOT]
        return billed + of_clusters * self._prices[Kept.CLUSTER_SNAPSHOT]

    def cost(self) -> PlaceCost:
        """Return it as the plan has it."""
        return PlaceCost(
            account=self._location.account,
            region=self._location.region,
            gib=_pair(self._ours),
            others_gib=_pair(self._others),
            free_gib=_pair(self._allowance.left),
            usd_month=_pair(self.billed),
            change_usd_month=_pair(self.change),
        )


def _policies(before: Totals, after: Totals, book: Book) -> Iterator[PolicyCost]:
    for shelf in sorted({*before.sums, *after.sums}):
        policy, location, kept = shelf
        price = book.prices.of_storage(location.region, kept).usd
        was, now = before.of(shelf), after.of(shelf)
        yield PolicyCost(
            policy=policy,
            account=location.account,
            region=location.region,
            snapshots=now.count,
            gib=_pair(now.range),
            usd_month=_pair(now.range * price),
            change_usd_month=_pair((was.range * price).change_to(now.range * price)),
        )


def _step_cost(cost: Cost) -> StepCost:
    return StepCost(
        step=cost.step.id,
        gib=_pair(cost.gib),
        usd_month=_pair(cost.usd_month),
        usd_once=_pair(cost.usd_once),
        seconds=None if cost.seconds is None else _pair(cost.seconds),
        seen=cost.seen,
        work=cost.work,
    )


def _pair(amount: Range) -> Pair:
    return rounded(amount.pair)
