"""What steps differ in that stand on one folded line, as a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from engine.plans.amounts import lasting, signed
from engine.plans.codes import Action
from engine.plans.costs import StepCost
from engine.plans.plan import Step
from engine.reports.lines import Column, Span, Table, cell, listed, name
from engine.reports.wording import VERDICTS, moment, place, size

_Cell = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class _Aspect:
    """A column of steps; `always` shown, or only where they differ in it."""

    title: str
    of: Callable[[Step], _Cell]
    always: bool = False
    right: bool = False


def step_table(steps: Sequence[Step], costs: Mapping[str, StepCost]) -> Table:
    """Return a row for each step, with the columns that tell something the fold does not.

    Args:
        steps: those of one fold.
        costs: what steps cost, by id; those that cost nothing to speak of may be missing.
    """
    shown = []
    for aspect in (*_ASPECTS, *_costs(costs), _AFTER):
        cells = [aspect.of(step) for step in steps]
        if any(cells) and (aspect.always or len(set(cells)) > 1):
            shown.append((Column(aspect.title, aspect.right), cells))
    columns = tuple(column for column, _ in shown)
    return Table(columns, tuple(zip(*(cells for _, cells in shown), strict=True)))


def _costs(costs: Mapping[str, StepCost]) -> tuple[_Aspect, ...]:
    def takes(step: Step) -> _Cell:
        cost = costs.get(step.id)
        return cell(lasting(cost.seconds)) if cost is not None and cost.seconds else ()

    def a_month(step: Step) -> _Cell:
        cost = costs.get(step.id)
        return cell(signed(cost.usd_month)) if cost is not None and any(cost.usd_month) else ()

    return (
        _Aspect("takes", takes, always=True),
        _Aspect("a month", a_month, always=True, right=True),
    )


def _slot(step: Step) -> _Cell:
    return cell(moment(step.slot)) if step.slot else ()


def _snapshot(step: Step) -> _Cell:
    return cell(name(step.snapshot)) if step.snapshot else ()


def _stored(step: Step) -> _Cell:
    if step.forecast is None:
        return ()
    told = step.forecast
    return cell(f"{VERDICTS[told.verdict]}, {size(told.gib)}: {told.because}")


def _why(step: Step) -> _Cell:
    return cell(step.reason.text) if step.action is not Action.CREATE else ()


def _after(step: Step) -> _Cell:
    return cell(*listed(step.depends_on))


def _withheld(step: Step) -> _Cell:
    return cell(name(step.withheld_by)) if step.withheld_by else ()


_ASPECTS = (
    _Aspect("database", lambda step: cell(name(step.source.identifier)), always=True),
    _Aspect("of", lambda step: cell(name(f"{step.source.account}/{step.source.region}"))),
    _Aspect("in", lambda step: cell(name(place(step.location)))),
    _Aspect("slot", _slot, always=True),
    _Aspect("snapshot", _snapshot, always=True),
    _Aspect("why", _why),
    _Aspect("stored", _stored),
    _Aspect("withheld by", _withheld),
)
_AFTER = _Aspect("after", _after, always=True)
