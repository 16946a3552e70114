"""Stage 8: limits that withhold steps until a person acknowledges them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from engine.documents.model import FullCopies, Incremental
from engine.identity.marks import Marks, Role
from engine.inventory.records import Kind, Location
from engine.planning.draft import Draft, Planned, at
from engine.planning.one_off import is_one_off
from engine.planning.requiring import breaks_rpo, is_first_there
from engine.planning.steps import short
from engine.planning.survey import World
from engine.planning.withholding import Steps
from engine.plans.codes import AUTOMATED, Action, Guard, StepReason, Verdict
from engine.plans.digest import guard_digest
from engine.plans.plan import At, Forecast, GuardState, Step, Warned

FRESH = timedelta(hours=48)
PERCENT_FROM = 5
_POINT_DELETES = frozenset(
    {StepReason.NO_RULE_KEEPS, StepReason.RETIRED, StepReason.ORPHAN_EXPIRED}
)


def apply_guards(
    steps: Steps, drafts: Sequence[Draft], world: World, acknowledged: frozenset[str]
) -> list[GuardState]:
    """Withhold what the guards are about; returns the state of each."""
    accepted = acknowledged | world.estate.guards.acknowledged
    states = list(_policy_conflicts(steps, drafts))
    states.extend(_max_deletes(steps, drafts, world, accepted))
    states.extend(_incremental_required(steps, drafts, world, accepted))
    states.extend(_full_copies(steps, drafts, world, accepted))
    return states


def still_holding(states: Iterable[GuardState], steps: Steps) -> Iterable[GuardState]:
    """Yield the states with what they withhold now that room has been given away."""
    for state in states:
        held = tuple(name for name in state.withholds if steps.is_withheld(name))
        yield state if held == state.withholds else replace(state, withholds=held)


# -- two policies for one database ---------------------------------------------------------------


def _policy_conflicts(steps: Steps, drafts: Sequence[Draft]) -> Iterable[GuardState]:
    for draft in drafts:
        rivals = draft.source.match.rivals
        if not rivals or draft.source.policy is None:
            continue
        deletes = [s.id for s in draft.steps.values() if _removes_something(s)]
        steps.withhold(deletes, Guard.POLICY_CONFLICT)
        names = ", ".join((draft.source.policy.name, *rivals))
        yield GuardState(
            Guard.POLICY_CONFLICT,
            draft.source.ref.address,
            tripped=bool(deletes),
            limit=None,
            value=len(deletes),
            text=f"matched by {names}: the first makes its points, nothing of it is deleted",
            withholds=tuple(sorted(deletes)),
        )


def _removes_something(step: Step) -> bool:
    """Say whether a step may delete data.

    What failed holds none and is in the way of new points; a change of automated backups may, and
    two policies may want different ones.
    """
    if step.action in AUTOMATED:
        return True
    return step.action is Action.DELETE and step.reason.code != StepReason.FAILED_OBJECT


# -- deletes beyond the usual --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Leaving:
    """What would leave one source at one location."""

    about: str
    deletes: tuple[Step, ...]
    fresh: int
    points: int

    @property
    def excess(self) -> int:
        """Deletes beyond the points that became available lately."""
        return max(0, len(self.deletes) - self.fresh)


def _max_deletes(
    steps: Steps, drafts: Sequence[Draft], world: World, accepted: frozenset[str]
) -> Iterable[GuardState]:
    places = [place for draft in drafts for place in _leaving(draft, steps, world)]
    over = [place for place in places if _is_over(place.excess, place.points, world)]
    for place in over:
        yield _delete_state(steps, world, place.about, place.excess, place.deletes, accepted)
    excess = sum(place.excess for place in places)
    everything = sum(place.points for place in places)
    if _is_over(excess, everything, world):
        deletes = [s for place in places if place.excess for s in place.deletes]
        yield _delete_state(steps, world, "the estate", excess, deletes, accepted)
    elif not over:
        limit = world.estate.guards.max_deletes.count
        text = f"{excess} deletes beyond the points that became available lately"
        yield GuardState(
            Guard.MAX_DELETES, "the estate", tripped=False, limit=limit, value=excess, text=text
        )


def _leaving(draft: Draft, steps: Steps, world: World) -> Iterable[_Leaving]:
    deletes: dict[At, list[Step]] = defaultdict(list)
    for step in draft.steps.values():
        counted = step.action is Action.DELETE and step.reason.code in _POINT_DELETES
        if counted and step.id in steps.all() and not steps.is_withheld(step.id):
            deletes[step.location].append(step)
    points = Counter(h.location for h in draft.source.holdings if h.is_point)
    for location, count in points.items():
        going = tuple(deletes.get(at(location), ()))
        fresh = _fresh(draft, location, world) if going else 0
        about = f"{draft.source.ref.address} at {location}" if going else ""
        yield _Leaving(about, going, fresh, count)


def _fresh(draft: Draft, location: Location, world: World) -> int:
    found = {
        h.slot
        for h in draft.source.holdings
        if h.location == location
        and h.is_point
        and h.is_available
        and _makes_room(h.marks)
        and h.made_at > world.now - FRESH
    }
    planned = {
        p.slot
        for p in draft.planned
        if p.location == location and p.marks.role is not Role.BRIDGE and _makes_room(p.marks)
    }
    return len(found | planned)


def _makes_room(marks: Marks) -> bool:
    """Say whether a new point takes the place of an old one; those made or taken in besides do not.

    So the deletes that follow an adoption count as excess, however young its snapshots are.
    """
    return marks.adopted is None and not is_one_off(marks)


def _is_over(excess: int, points: int, world: World) -> bool:
    limit = world.estate.guards.max_deletes
    over_percent = excess > PERCENT_FROM and excess * 100 > limit.percent * points
    return excess > limit.count or over_percent


def _delete_state(
    steps: Steps,
    world: World,
    about: str,
    excess: int,
    deletes: Sequence[Step],
    accepted: frozenset[str],
) -> GuardState:
    limit = world.estate.guards.max_deletes
    text = (
        f"{about}: {excess} deletes beyond the points that became available in the last 48 h "
        f"(allowed: {limit.count}, and {limit.percent} % of the points there)"
    )
    return _trip(steps, Guard.MAX_DELETES, about, limit.count, excess, text, deletes, accepted)


def _trip(
    steps: Steps,
    guard: Guard,
    about: str,
    limit: int | None,
    value: int,
    text: str,
    about_steps: Sequence[Step],
    accepted: frozenset[str],
) -> GuardState:
    digest = guard_digest(guard, [step.arn for step in about_steps])
    if digest not in accepted:
        steps.withhold([step.id for step in about_steps], guard)
    return GuardState(
        guard,
        about,
        tripped=True,
        limit=limit,
        value=value,
        text=text,
        acknowledge=digest,
        acknowledged=digest in accepted,
        withholds=() if digest in accepted else tuple(sorted(s.id for s in about_steps)),
    )


# -- copies that AWS would store in full ---------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Full:
    """A copy that is forecast full and not withheld."""

    draft: Draft
    planned: Planned
    step: Step
    forecast: Forecast

    @property
    def is_first(self) -> bool:
        """Whether the database has no point at that location yet."""
        return is_first_there(self.draft.source, self.planned)

    def breaks_rpo(self, world: World) -> bool:
        """Say whether the newest point there is older than the policy's RPO without it."""
        return breaks_rpo(self.draft.source, self.planned.location, world.now)


def _full(
    drafts: Sequence[Draft], steps: Steps, modes: Collection[Incremental] = tuple(Incremental)
) -> Iterable[_Full]:
    """Yield the copies forecast full, of policies whose `incremental` is one of `modes`.

    Those of clusters could never be anything else, so no limit is about them.
    """
    for draft in drafts:
        terms = draft.source.terms
        if terms is None or draft.source.kind is Kind.CLUSTER:
            continue
        if terms.snapshots.incremental not in modes:
            continue
        for planned in draft.planned:
            step = draft.steps[planned.step]
            forecast = step.forecast
            if planned.marks.role is not Role.COPY or steps.is_withheld(step.id):
                continue
            if forecast is not None and forecast.verdict is Verdict.FULL:
                yield _Full(draft, planned, step, forecast)


def _incremental_required(
    steps: Steps, drafts: Sequence[Draft], world: World, accepted: frozenset[str]
) -> Iterable[GuardState]:
    full = [
        one.step
        for one in _full(drafts, steps, {Incremental.REQUIRE})
        if not one.is_first and not one.breaks_rpo(world)
    ]
    if full:
        text = "copies that would be stored in full, where the policy requires increments"
        guard = Guard.INCREMENTAL_REQUIRED
        yield _trip(steps, guard, "incremental: require", 0, len(full), text, full, accepted)


def _full_copies(
    steps: Steps, drafts: Sequence[Draft], world: World, accepted: frozenset[str]
) -> Iterable[GuardState]:
    budget = world.estate.guards.full_copies
    if budget.count is None and budget.gib is None:
        return
    full = [one for one in _full(drafts, steps) if not one.breaks_rpo(world)]
    full.sort(key=lambda one: (not one.is_first, one.step.id))
    if guard_digest(Guard.FULL_COPIES, [one.step.arn for one in full]) in accepted:
        # All of these were beyond the budget of the run whose guard was acknowledged.
        over = [one.step for one in full]
    else:
        over = _beyond(full, budget)
    if over:
        text = (
            f"{len(over)} full copies beyond the budget of {_budget_text(budget.count, budget.gib)}"
        )
        guard = Guard.FULL_COPIES
        yield _trip(steps, guard, "full copies", budget.count, len(full), text, over, accepted)


def _beyond(full: Iterable[_Full], budget: FullCopies) -> list[Step]:
    over: list[Step] = []
    count = gib = 0
    for one in full:
        size = one.forecast.gib[1]
        fits_count = budget.count is None or count < budget.count
        fits_gib = budget.gib is None or gib + size <= budget.gib
        if fits_count and fits_gib:
            count, gib = count + 1, gib + size
        else:
            over.append(one.step)
    return over


def _budget_text(count: int | None, gib: int | None) -> str:
    parts = [f"{count} copies"] if count is not None else []
    parts += [f"{gib} GiB"] if gib is not None else []
    return " and ".join(parts)


def full_copy_warnings(steps: Steps, drafts: Sequence[Draft]) -> Iterable[Warned]:
    """Yield a warning for each copy in full that a policy with `incremental: prefer` will make.

    The first copy of a database to a location cannot be anything else.
    """
    for one in _full(drafts, steps, {Incremental.PREFER}):
        if one.is_first:
            continue
        text = f"its copy of {short(one.planned.slot)} to {one.planned.location} will be stored "
        policy = one.draft.source.policy
        yield Warned(
            "W402 full-copy",
            "warning",
            f"{text}in full: {one.forecast.because}",
            one.draft.source.ref.address,
            policy.name if policy else None,
            "let `incremental: require` hold such copies back, or `ignore` pass them in silence",
        )
