"""Stage 2: is a recovery point due, and may it be made now?"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from engine.documents.model import CatchUp, Terms
from engine.identity.marks import Marks, Role, fingerprint
from engine.identity.names import longest_id, snapshot_arn, snapshot_id
from engine.inventory.records import Instance, Kind, kind_of
from engine.planning.draft import Draft, Planned
from engine.planning.one_off import Promise, due_events, is_one_off, past_events
from engine.planning.replicas import allows_snapshots, body_of, warnings_of
from engine.planning.seeding import Content, content_of, is_seeded, seed_of
from engine.planning.slots import FRESH, Slot, latest_due
from engine.planning.steps import create_snapshot, passed_on, seed_snapshot, short, step_id
from engine.planning.survey import Holding, Source, World
from engine.plans.codes import Action, StepReason, Waiting
from engine.plans.plan import Reason, Warned

NEAR_BACKUP_WINDOW = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
_WINDOW = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")


def plan_create(draft: Draft, world: World) -> None:
    """Add the create steps of the slot and the events that are due, or say why they wait.

    AWS makes one snapshot of a database at a time, so the slot's point waits for those of events.
    """
    source = draft.source
    if source.terms is None:
        return
    assert source.instance is not None
    _plan_events(draft, source.instance, source.terms, world)
    slot = due_slot(source.terms, world.now)
    if slot is None or _is_covered(source, slot) or any(p.slot == slot.at for p in draft.planned):
        return
    body = body_of(source, world)
    if body.instance is None:
        draft.wait(Waiting.NO_REPLICA, body.missed or "", source.location, slot.at)
        return
    content = _content(source, body.instance, slot, world)
    if isinstance(content, str):
        draft.wait(Waiting.NO_AUTOMATED_SNAPSHOT, content, source.location, slot.at)
        return
    if _blocked(draft, source, body.instance, source.terms, slot, world):
        return
    reason = Reason(StepReason.SLOT_DUE, f"slot {short(slot.at)} is due")
    make_primary(draft, source.instance, slot.at, world, reason, content=content)
    for warned in warnings_of(body, source):
        draft.warn(warned)


def _content(source: Source, body: Instance, slot: Slot, world: World) -> Content | str:
    return (
        seed_of(source, body, slot, world) if is_seeded(source) else content_of(source, body, world)
    )


def _plan_events(draft: Draft, instance: Instance, terms: Terms, world: World) -> None:
    due = due_events(terms, instance, world.now)
    for event in past_events(terms, instance, world.now):
        if any(h.slot == event.at and not h.gives_way for h in _own(draft.source)):
            continue
        reason = _why_no_event(instance, Slot(event.at, None), world)
        if event not in due:
            text = f"nothing was made for {event.reason}, due {short(event.at)}, in time"
            reason = Waiting.SLOT_MISSED, text
        if reason is not None:
            draft.wait(*reason, draft.source.location, event.at)
            continue
        why = f"announced for {short(event.at)}: {event.reason}"
        promise = Promise(event.keep_until, event.reason)
        make_primary(
            draft, instance, event.at, world, Reason(StepReason.EVENT_DUE.value, why), promise
        )


def _why_no_event(instance: Instance, slot: Slot, world: World) -> tuple[Waiting, str] | None:
    if not allows_snapshots(instance):
        return Waiting.SOURCE_STATE, state_text(instance)
    if slot.is_late(world.now) and near_backup_window(instance, world.now):
        return Waiting.AUTOMATED_BACKUP_WINDOW, _window_text(instance)
    return None


def state_text(instance: Instance) -> str:
    """Return why a database's state allows no snapshot."""
    what = "cluster" if kind_of(instance.arn) is Kind.CLUSTER else "instance"
    return f"the {what} is {instance.status}; AWS takes snapshots of available ones"


def _window_text(instance: Instance) -> str:
    return f"the automated backup window {instance.backup_window} UTC is near"


def due_slot(terms: Terms, now: datetime) -> Slot | None:
    """Return the newest slot that is due under these terms."""
    schedule = terms.snapshots.schedule
    return None if schedule is None else latest_due(schedule, terms.timezone, now)


def _own(source: Source) -> list[Holding]:
    return [h for h in source.holdings if h.marks.resource == source.ref.resource_id]


def _is_covered(source: Source, slot: Slot) -> bool:
    there = (h for h in _own(source) if not h.gives_way)
    return any(h.slot == slot.at or _stands_for(h, slot) for h in there)


def _stands_for(holding: Holding, slot: Slot) -> bool:
    """Say whether a point made later serves a slot; one-off points are made besides it."""
    return holding.is_point and holding.taken_at >= slot.at and not is_one_off(holding.marks)


def _blocked(
    draft: Draft, source: Source, instance: Instance, terms: Terms, slot: Slot, world: World
) -> bool:
    reason = _why_not(source, instance, terms, slot, world)
    if reason is None:
        return False
    draft.wait(*reason, source.location, slot.at)
    return True


def _why_not(
    source: Source, instance: Instance, terms: Terms, slot: Slot, world: World
) -> tuple[Waiting, str] | None:
    seeded = is_seeded(source)
    if not allows_snapshots(instance) and not seeded:
        return Waiting.SOURCE_STATE, state_text(instance)
    fresh, in_window = slot.is_fresh(world.now), slot.is_open(world.now)
    assert terms.snapshots.schedule is not None
    catch_up = terms.snapshots.schedule.catch_up
    if catch_up is CatchUp.NONE and not (fresh and in_window):
        return Waiting.SLOT_MISSED, f"slot {short(slot.at)} was missed; catch_up is none"
    if catch_up is CatchUp.IN_WINDOW and not in_window:
        return Waiting.SLOT_MISSED, f"the window of slot {short(slot.at)} is over"
    if not in_window and not fresh and _is_first(source, world):
        return Waiting.WINDOW, "the first point of a database waits for its window"
    if (seeded or slot.is_late(world.now)) and near_backup_window(instance, world.now):
        return Waiting.AUTOMATED_BACKUP_WINDOW, _window_text(instance)
    return None


def _is_first(source: Source, world: World) -> bool:
    known = world.scope(source.location).snapshots is not None
    return known and all(is_one_off(h.marks) for h in _own(source))


def near_backup_window(instance: Instance, now: datetime) -> bool:
    """Say whether `now` is within an hour of the automated backup window (UTC).

    RDS refuses snapshots while it makes its own, and skips its own while a copy of the same
    database runs in the Region (RDS User Guide, Introduction to backups). A window that leaves
    no time of day free is not waited for, nor is that of Aurora, which backs up all the time
    (Aurora User Guide, Overview of backing up and restoring).
    """
    if kind_of(instance.arn) is Kind.CLUSTER and instance.engine.startswith("aurora"):
        return False
    clock = _WINDOW.fullmatch(instance.backup_window or "")
    if clock is None or instance.backup_retention_days == 0:
        return False
    hour, minute, end_hour, end_minute = map(int, clock.groups())
    start, end = 60 * hour + minute, 60 * end_hour + end_minute
    utc = now.astimezone(UTC)
    margin = NEAR_BACKUP_WINDOW // MINUTE
    since_start = (60 * utc.hour + utc.minute - (start - margin)) % 1440
    busy = (end - start) % 1440 + 2 * margin
    return since_start < busy <= 1440 - FRESH // MINUTE


def make_primary(
    draft: Draft,
    instance: Instance,
    slot: datetime,
    world: World,
    reason: Reason,
    promise: Promise | None = None,
    content: Content | None = None,
) -> None:
    """Add the step that makes one point, behind those of other points of the database.

    It holds `content`, or without it the database itself as it is now.
    """
    source = draft.source
    content = content or content_of(source, instance, world)
    body = content.body
    assert source.policy is not None
    assert source.terms is not None
    marks = _marks(source, instance, slot, world, content, promise)
    proof = fingerprint(
        marks.estate, marks.role, source.location, marks.resource, marks.policy, slot
    )
    foreign = world.suspects.get((source.location, proof))
    if foreign is not None:
        draft.conflict(foreign.arn, source.location, slot)
        return
    most = longest_id(instance.arn)
    name = snapshot_id(instance.identifier, source.policy.name, slot, content.zone, proof, most)
    action = Action.CREATE if content.automated is None else Action.COPY
    planned = Planned(
        step=step_id(action, source.location, name),
        arn=snapshot_arn(instance.arn, source.location, name),
        identifier=name,
        location=source.location,
        marks=marks,
        taken_at=content.taken_at,
        kms_key=content.kms_key,
        allocated_gib=content.allocated_gib,
    )
    inherited = instance.tags if instance.copy_tags_to_snapshot else {}
    tags, left_out = passed_on(marks, source.terms, inherited)
    if left_out:
        draft.warn(tags_left_out(source, left_out))
    zones = f"{body.availability_zone or ''}/{body.secondary_zone or ''}"
    before = [earlier.step for earlier in draft.planned]
    if content.automated is None:
        draft.add(create_snapshot(source, body, planned, tags, zones, reason))
    else:
        draft.add(seed_snapshot(source, content.automated, planned, tags, reason))
    draft.depend(planned.step, before)
    draft.planned.append(planned)


def _marks(
    source: Source,
    instance: Instance,
    slot: datetime,
    world: World,
    content: Content,
    promise: Promise | None,
) -> Marks:
    assert source.policy is not None
    marks = Marks(
        estate=world.estate.name,
        policy=source.policy.name,
        slot=slot,
        role=Role.PRIMARY,
        resource=instance.resource_id,
        source=instance.arn,
        volume=content.body.resource_id,
        zone=content.zone,
        keys=content.keys,
        zone_checked=content.zone_checked,
    )
    if promise is None:
        return marks
    return replace(
        marks,
        keep_until=promise.keep_until,
        reason=promise.reason,
        stays_here=promise.stays_here,
    )


def tags_left_out(source: Source, keys: tuple[str, ...]) -> Warned:
    """Return the warning that a snapshot cannot bear all tags it should."""
    assert source.policy is not None
    return Warned(
        code="W401 tags-left-out",
        severity="warning",
        text=f"{len(keys)} tags do not fit within AWS's 50 per snapshot: {', '.join(keys)}",
        source=source.ref.address,
        policy=source.policy.name,
        fix="use fewer tags on the database or in snapshots.tags",
    )
