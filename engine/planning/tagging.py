"""Changes to the engine's own tags: a zone confirmed late, a source gone or back."""

from __future__ import annotations

from dataclasses import replace

from engine.identity import marks as tag
from engine.identity.marks import Marks, Role, time_text
from engine.inventory.placement import UNKNOWN_ZONE, volume_zone
from engine.planning.draft import Draft
from engine.planning.replicas import instance_with
from engine.planning.steps import Origin, short, tag_snapshot
from engine.planning.survey import Holding, Life, Source, World
from engine.plans.codes import StepReason
from engine.plans.plan import Reason


def plan_tags(draft: Draft, world: World) -> None:
    """Add the tag steps that this source's objects need."""
    source = draft.source
    if source.life is Life.UNKNOWN:
        return
    for holding in source.holdings:
        if not holding.is_available:
            continue
        if source.life is Life.GONE:
            _mark_gone(draft, world, holding)
        elif holding.marks.gone_since is not None:
            _mark_returned(draft, holding)
        _check_zone(draft, world, holding)


def _mark_gone(draft: Draft, world: World, holding: Holding) -> None:
    if holding.marks.gone_since is not None:
        return
    text = f"{draft.source.location} no longer lists its database"
    step = tag_snapshot(
        draft.source,
        holding,
        Reason(StepReason.SOURCE_GONE.value, text),
        "gone",
        add={tag.GONE_SINCE: time_text(world.now)},
    )
    draft.add(step)


def _mark_returned(draft: Draft, holding: Holding) -> None:
    assert holding.marks.gone_since is not None
    text = f"its database was gone since {short(holding.marks.gone_since)} and is back"
    reason = Reason(StepReason.SOURCE_RETURNED.value, text)
    draft.add(tag_snapshot(draft.source, holding, reason, "returned", remove=[tag.GONE_SINCE]))


def _check_zone(draft: Draft, world: World, holding: Holding) -> None:
    """Read the zone pair again for an object whose run ended before it could."""
    source = draft.source
    zone = _settled_zone(source, world, holding)
    if zone is None:
        return
    if zone == holding.marks.zone:
        reason = Reason(
            StepReason.ZONE_CONFIRMED.value, f"taken in {holding.marks.zone}, as tagged"
        )
        add = {tag.ZONE_CHECKED: "true"}
    else:
        text = f"tagged {holding.marks.zone}, but its database has moved since"
        reason = Reason(StepReason.ZONE_UNCERTAIN.value, text)
        add = {tag.ZONE: UNKNOWN_ZONE}
    draft.add(tag_snapshot(source, holding, reason, "zone", add=add))


def settled(
    source: Source, world: World, origin: Origin, marks: Marks
) -> tuple[Marks, tuple[str, ...]]:
    """Return a copy's marks and which tags it takes from its origin as that is when it is copied.

    An origin that the same plan tags with its zone may be copied before or after that: its copy
    is tagged with what the plan found.
    """
    zone = _settled_zone(source, world, origin) if isinstance(origin, Holding) else None
    if zone is None:
        return marks, (tag.ZONE, tag.ZONE_CHECKED)
    return replace(marks, zone=zone, zone_checked=zone != UNKNOWN_ZONE), ()


def _settled_zone(source: Source, world: World, holding: Holding) -> str | None:
    """Return the zone that an unchecked object is found to be of by now; None where none is.

    A copy's volume is its primary's; where nobody can tell any more where that was taken, the
    object stays unchecked.
    """
    if not _awaits_check(source, holding):
        return None
    primary: Holding | None = holding
    if holding.marks.role is not Role.PRIMARY:
        primary = next((h for h in source.holdings if _is_primary_of(h, holding)), None)
    return None if primary is None else _true_zone(source, world, primary)


def _awaits_check(source: Source, holding: Holding) -> bool:
    marks = holding.marks
    unchecked = not marks.zone_checked and marks.zone != UNKNOWN_ZONE
    return unchecked and holding.is_available and source.life is not Life.UNKNOWN


def _true_zone(source: Source, world: World, primary: Holding) -> str | None:
    """Return the zone a primary was taken in as far as it can be trusted; None: not yet known."""
    marks = primary.marks
    if marks.zone_checked or marks.zone == UNKNOWN_ZONE:
        return marks.zone
    instance = instance_with(marks.volume, source)
    if instance is None or not primary.is_available:
        return None
    seen = primary.snapshot.availability_zone
    stayed = seen in {None, instance.availability_zone}
    moved = volume_zone(instance, world.scope(source.location)) != marks.zone
    return marks.zone if stayed and not moved else UNKNOWN_ZONE


def _is_primary_of(candidate: Holding, derived: Holding) -> bool:
    return (
        candidate.marks.role is Role.PRIMARY
        and candidate.marks.volume == derived.marks.volume
        and candidate.slot == derived.slot
    )
