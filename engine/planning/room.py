"""Stage 7, what sources share: the snapshot quota of each location."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from engine.inventory.records import Location
from engine.planning.draft import Draft
from engine.planning.survey import World
from engine.planning.withholding import Steps
from engine.plans.codes import Action, Guard
from engine.plans.plan import GuardState, Step

_MAKES = frozenset({Action.CREATE, Action.COPY})


def give_room(steps: Steps, drafts: Sequence[Draft], world: World) -> list[GuardState]:
    """Give what fits into each location's quota to those who need it most; withhold the rest.

    What is made beyond the free room waits for deletes that are safe without any new point. The
    source whose newest point is oldest comes first.
    """
    newest = _newest_points(drafts)
    by_location: dict[Location, list[Step]] = defaultdict(list)
    for step in steps.all().values():
        if not steps.is_withheld(step.id):
            by_location[Location(step.location.account, step.location.region)].append(step)
    states = []
    for location in sorted(by_location):
        room = world.rooms.get(location)
        if room is not None:
            state = _settle(steps, by_location[location], location, room, newest)
            if state is not None:
                states.append(state)
    return states


def _newest_points(drafts: Sequence[Draft]) -> Mapping[str, datetime]:
    return {
        draft.source.ref.resource_id: max(h.slot for h in draft.source.holdings if h.is_point)
        for draft in drafts
        if any(h.is_point for h in draft.source.holdings)
    }


def _settle(
    steps: Steps,
    here: Sequence[Step],
    location: Location,
    room: int,
    newest: Mapping[str, datetime],
) -> GuardState | None:
    makers = [step for step in here if step.action in _MAKES]
    if len(makers) <= room:
        return None
    makers.sort(key=lambda step: (_age(step, newest), step.action.value != "create_snapshot"))
    freed = [step.id for step in here if _frees_at_once(steps, step)]
    turned_away = []
    for step in makers[room:]:
        own = next((name for name in freed if name in step.depends_on), None)
        if own is not None:
            freed.remove(own)
        elif freed:
            steps.depend(step.id, freed.pop(0))
        else:
            turned_away.append(step.id)
    if not turned_away:
        return None
    steps.withhold(turned_away, Guard.QUOTA)
    text = (
        f"{location} has room for {room} more manual snapshots and {len(makers)} are wanted; "
        "raise the quota (L-272F1212) or keep fewer points there"
    )
    return GuardState(
        Guard.QUOTA,
        str(location),
        tripped=True,
        limit=room,
        value=len(makers),
        text=text,
        withholds=tuple(sorted(turned_away)),
    )


def _age(step: Step, newest: Mapping[str, datetime]) -> tuple[float, str]:
    point = newest.get(step.source.resource_id)
    return (point.timestamp() if point else float("-inf"), step.id)


def _frees_at_once(steps: Steps, step: Step) -> bool:
    return step.action is Action.DELETE and not _waits_for_something_new(steps, step)


def _waits_for_something_new(steps: Steps, step: Step) -> bool:
    before = [steps[name] for name in step.depends_on]
    return any(b.action in _MAKES or _waits_for_something_new(steps, b) for b in before)
