"""Stage 7, what sources share: the snapshot quota of each location."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from engine.inventory.records import Kind, Location, kind_of
from engine.planning.draft import Draft, at
from engine.planning.steps import MAKES, makes_primary
from engine.planning.survey import World
from engine.planning.withholding import Steps, is_bridge
from engine.plans.codes import Action, Guard
from engine.plans.plan import At, GuardState, SourceRef, Step

QUOTA_CODES = {Kind.INSTANCE: "L-272F1212", Kind.CLUSTER: "L-9B510759"}
"""What Service Quotas calls the quotas of manual snapshots (RDS User Guide, Quotas)."""
KINDS = {Kind.INSTANCE: "", Kind.CLUSTER: "cluster "}
"""What stands before `snapshots` where people read of them."""
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class _Place:
    """The room of one location while it is given away.

    `freed` are the deletes that make room without waiting for anything new, `in_reserve` those of
    them that `max_deletes` holds back, oldest slot first.
    """

    location: Location
    room: int
    left: int
    wanted: int = 0
    freed: list[str] = field(default_factory=list)
    in_reserve: list[str] = field(default_factory=list)
    turned_away: list[str] = field(default_factory=list)

    @property
    def most(self) -> int:
        """How many more snapshots there could be."""
        return self.left + len(self.freed) + len(self.in_reserve)


def give_room(steps: Steps, drafts: Sequence[Draft], world: World) -> list[GuardState]:
    """Give what fits into each location's quota to those who need it most; withhold the rest.

    What is made beyond the free room waits for deletes that are safe without any new point. The
    source whose newest point at a location is oldest comes first there. A copy gets room together
    with the bridge it needs, so that no bridge takes room for a copy that has none. No limit to
    deletes stops backups: where nothing else makes room, one that `max_deletes` holds back goes
    for each new snapshot.
    """
    makers = [
        s for s in _of_kind(steps, world) if s.action in MAKES and not steps.is_withheld(s.id)
    ]
    places = _places(steps, makers, world)
    if all(place.wanted <= place.left for place in places.values()):
        return []
    newest = _newest_points(drafts)
    given: set[str] = set()
    refused: set[str] = set()
    for maker in sorted(makers, key=lambda step: _need(step, newest)):
        unit = _with_makers_ahead(steps, maker, given)
        if maker.id in given or any(step.id in refused for step in unit):
            continue
        short = _first_too_small(unit, places, steps)
        if short is None:
            given.update(step.id for step in unit)
            _take(unit, places, steps)
        else:
            refused.add(maker.id)
            short.turned_away.append(maker.id)
    steps.withhold(refused, Guard.QUOTA)
    full = [places[where] for where in sorted(places) if places[where].turned_away]
    return [_state(place, world.kind) for place in full]


def _of_kind(steps: Steps, world: World) -> list[Step]:
    """Return the steps on snapshots of the world's kind: each kind has a quota of its own."""
    return [step for step in steps.all().values() if kind_of(step.arn) is world.kind]


def _places(steps: Steps, makers: Sequence[Step], world: World) -> dict[At, _Place]:
    """Return the locations whose room is known; what makes way for its own remake frees none."""
    places = {at(where): _Place(where, room, room) for where, room in world.rooms.items()}
    reserved = {name for maker in makers for name in maker.depends_on}
    for step in _of_kind(steps, world):
        place = places.get(step.location)
        if place is None:
            continue
        held = steps.is_withheld(step.id)
        if step.action in MAKES:
            place.wanted += not held and _takes_room(step, steps)
        elif step.id in reserved or not _frees_at_once(steps, step):
            continue
        elif not held:
            place.freed.append(step.id)
        elif steps.is_withheld_by(step.id, Guard.MAX_DELETES):
            place.in_reserve.append(step.id)
    for place in places.values():
        place.in_reserve.sort(key=lambda name: (steps[name].slot or NEVER, name))
    return places


def _newest_points(drafts: Sequence[Draft]) -> Mapping[tuple[SourceRef, At], datetime]:
    newest: dict[tuple[SourceRef, At], datetime] = defaultdict(lambda: NEVER)
    for draft in drafts:
        for holding in draft.source.holdings:
            if holding.is_point:
                key = (draft.source.ref, at(holding.location))
                newest[key] = max(newest[key], holding.slot)
    return newest


def _need(step: Step, newest: Mapping[tuple[SourceRef, At], datetime]) -> tuple[int, datetime, str]:
    """Order what is made: new points first, then the copies of the oldest; bridges on their own."""
    stage = 0 if makes_primary(step) else 1 + is_bridge(step)
    return (stage, newest[step.source, step.location], step.id)


def _with_makers_ahead(steps: Steps, maker: Step, given: set[str]) -> list[Step]:
    unit = {maker.id: maker}
    ahead = list(maker.depends_on)
    while ahead:
        step = steps[ahead.pop()]
        if step.action in MAKES and step.id not in given:
            unit[step.id] = step
        ahead.extend(step.depends_on)
    return list(unit.values())


def _takes_room(step: Step, steps: Steps) -> bool:
    """Say whether a step takes more room than what it makes way for gives back."""
    return not any(steps[name].action is Action.DELETE for name in step.depends_on)


def _first_too_small(
    unit: Sequence[Step], places: Mapping[At, _Place], steps: Steps
) -> _Place | None:
    needs = Counter(step.location for step in unit if _takes_room(step, steps))
    return next(
        (
            places[where]
            for where in sorted(needs)
            if where in places and needs[where] > places[where].most
        ),
        None,
    )


def _take(unit: Sequence[Step], places: Mapping[At, _Place], steps: Steps) -> None:
    for step in unit:
        place = places.get(step.location)
        if place is None or not _takes_room(step, steps):
            continue
        if place.left:
            place.left -= 1
            continue
        if not place.freed:
            steps.release(place.in_reserve[0])
            place.freed.append(place.in_reserve.pop(0))
        steps.depend(step.id, place.freed.pop(0))


def _state(place: _Place, kind: Kind) -> GuardState:
    text = (
        f"{place.location} has room for {place.room} more manual {KINDS[kind]}snapshots and "
        f"{place.wanted} are wanted; raise the quota ({QUOTA_CODES[kind]}) or keep fewer points "
        "there"
    )
    return GuardState(
        Guard.QUOTA,
        f"{place.location}{' clusters' if kind is Kind.CLUSTER else ''}",
        tripped=True,
        limit=place.room,
        value=place.wanted,
        text=text,
        withholds=tuple(sorted(place.turned_away)),
    )


def _frees_at_once(steps: Steps, step: Step) -> bool:
    """Say whether a delete waits for nothing new, nor for anything that is held back.

    It names the copies that read it itself.
    """
    before = step.depends_on
    waits = any(steps[name].action in MAKES or steps.is_withheld(name) for name in before)
    return step.action is Action.DELETE and not waits
