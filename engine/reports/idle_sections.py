"""The section about bases of other zones: what keeping them costs, and is for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from engine.plans.amounts import Pair, money
from engine.plans.plan import IdleChain, Plan
from engine.reports.folding import grouped
from engine.reports.lines import Line, Section, line, name
from engine.reports.wording import count, moment, place


def idle_section(plan: Plan) -> Iterator[Section]:
    """Yield the bases that are kept for a return to their zone, database by database."""
    if not plan.idle_chains:
        return
    lines = [
        row
        for address, alike in grouped(plan.idle_chains, lambda one: one.source.address).items()
        for row in _database(address, alike, plan.as_of)
    ]
    total = sum(one.gib for one in plan.idle_chains)
    cost = _sum(one.usd_month for one in plan.idle_chains)
    title = (
        f"Bases of zones that are not used now: {len(plan.idle_chains):,}, up to {total:,} GiB"
        f"{'' if cost is None else f', {money(cost)} a month'}"
    )
    yield Section(title, tuple(lines), aside=True)


def _database(address: str, alike: list[IdleChain], now: datetime) -> Iterator[Line]:
    spared = sum(one.spares for one in alike)
    gib = sum(one.gib for one in alike if one.spares)
    saved = _sum(one.saves_usd_month for one in alike)
    worth = "" if saved is None or not spared else f", {money(saved)} a month as of now"
    returns = (
        f": a return would spare {count(spared, 'full snapshot')}, up to {gib:,} GiB{worth}"
        if spared
        else ": a return would spare nothing"
    )
    yield line(name(address), returns, level=1)
    for one in alike:
        cost = "" if one.usd_month is None else f", {money(one.usd_month)} a month"
        ends = (
            f"kept as a base until {moment(one.until)}, or a newer one"
            if one.until > now
            else f"no base any more since {moment(one.until)}"
        )
        yield line(
            name(one.arn.rpartition(":")[2]),
            f" ({one.role} of {one.zone}, {one.gib:,} GiB) in ",
            name(place(one.location)),
            f": {ends}{cost}",
            level=2,
        )


def _sum(amounts: Iterable[Pair | None]) -> Pair | None:
    """Return the sum, None where one of them was not reckoned."""
    known = list(amounts)
    found = [one for one in known if one is not None]
    if len(found) < len(known):
        return None
    return sum(low for low, _ in found), sum(high for _, high in found)
