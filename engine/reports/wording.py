"""Numbers, times and codes as people say them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from engine.plans.codes import (
    Action,
    DriftCode,
    DriftSeverity,
    Guard,
    KeepReason,
    StepReason,
    UnmanagedReason,
    Verdict,
    Waiting,
)
from engine.plans.plan import At

VERBS = {
    Action.CREATE: "create",
    Action.COPY: "copy",
    Action.SHARE: "share",
    Action.UNSHARE: "unshare",
    Action.DELETE: "delete",
    Action.TAG: "tag",
    Action.MODIFY_BACKUPS: "set automated backups of",
    Action.REPLICATE_BACKUPS: "replicate automated backups of",
    Action.STOP_REPLICATION: "stop replicating automated backups of",
    Action.FAIL_OVER: "fail over",
}

STEP_REASONS: dict[str, str] = {
    StepReason.SLOT_DUE: "the slot is due",
    StepReason.TARGET_MISSING_POINT: "the target has no point of the slot",
    StepReason.ROUTE_NEEDS_BRIDGE: "re-encrypted, so that it can be shared",
    StepReason.ROUTE_NEEDS_SHARE: "the account that copies must see it",
    StepReason.ROUTE_DONE: "the account that copied needs it no longer",
    StepReason.NO_RULE_KEEPS: "no rule keeps them",
    StepReason.RETIRED: "the estate retires them",
    StepReason.ORPHAN_EXPIRED: "the database is gone, and the time to keep its points is over",
    StepReason.BRIDGE_DONE: "no copy needs the bridge any more",
    StepReason.FAILED_OBJECT: "AWS failed to make them; they are made again",
    StepReason.SOURCE_GONE: "the database is gone; its points are marked with the time",
    StepReason.SOURCE_RETURNED: "the database is back",
    StepReason.ZONE_CONFIRMED: "the zone was the same before and after",
    StepReason.ZONE_UNCERTAIN: "the zone changed while the snapshot was made",
    StepReason.BACKUPS_DIFFER: "retention or window is not what the policy says",
    StepReason.BACKUPS_TURNED_ON: "turned on in the maintenance window, with an outage",
    StepReason.BACKUPS_TURNED_OFF: "turned off in the maintenance window: all are deleted",
    StepReason.REPLICATION_MISSING: "not replicated there yet",
    StepReason.REPLICATION_DIFFERS: "started anew: retention or key is not what the policy says",
    StepReason.REPLICATION_UNWANTED: "the policy does not want them there",
    StepReason.EVENT_DUE: "an announced point is due",
    StepReason.ON_DEMAND: "somebody asked for a point now",
    StepReason.ADOPTED: "they come under the policy; no data moves",
    StepReason.PINNED: "somebody wants them kept",
    StepReason.UNPINNED: "nobody wants them kept any more; rules decide",
    StepReason.POLICY_SHARES: "the policy shares its newest points",
    StepReason.POLICY_SHARE_ENDS: "the policy shares it no longer",
    StepReason.FAIL_BACK: "back to the zone that their snapshots are to be taken in",
}

PROTECTED: dict[str, str] = {
    KeepReason.CHAIN_BASE: "that the next increment builds on",
    KeepReason.NEWEST_AT_LOCATION: "as the newest at their location",
    KeepReason.MIN_POINTS: "so that enough points stay",
    KeepReason.IN_FLIGHT: "in flight, or needed by what is",
    KeepReason.NOT_COPIED_YET: "not copied yet",
    KeepReason.PINNED: "pinned",
    KeepReason.HELD: "on hold",
    KeepReason.INVENTORY_INCOMPLETE: "as long as some location cannot be read",
    KeepReason.UNKNOWN_STATUS: "with a status that is not known",
    KeepReason.DISPLACING_POINT_NOT_AVAILABLE: "until what displaces them is available",
    KeepReason.EVENT: "as one-off points, for their own time",
    KeepReason.SHARED: "that an account they were shared with may still be copying",
}

UNMANAGED: dict[str, str] = {
    UnmanagedReason.POLICY_GONE: "their policy no longer exists",
    UnmanagedReason.SOURCE_UNMATCHED: "no policy matches their database",
    UnmanagedReason.TARGET_DROPPED: "the policy no longer names this target",
    UnmanagedReason.LOCATION_OUTSIDE_ESTATE: "the location is not in the estate",
}

WAITING: dict[str, str] = {
    Waiting.SOURCE_STATE: "the state of the database allows no snapshot",
    Waiting.WINDOW: "the window has not opened",
    Waiting.AUTOMATED_BACKUP_WINDOW: "the automated backup window is near",
    Waiting.SLOT_MISSED: "the slot was missed",
    Waiting.ORIGIN_IN_FLIGHT: "what is to be copied is still being made",
    Waiting.COPY_IN_FLIGHT: "another copy is on its way; one at a time",
    Waiting.BRIDGE_IN_FLIGHT: "the bridge is still being made",
    Waiting.TARGET_NOT_READ: "the target could not be read",
    Waiting.NO_ROUTE: "there is no route to the target",
    Waiting.UNSHARE_AFTER_COPY: "a copy in flight still needs the share",
    Waiting.AWS_BACKUP_DECIDES: "AWS Backup alone decides about their automated backups",
    Waiting.BACKUPS_PENDING: "the retention waits for the maintenance window",
    Waiting.BACKUPS_OFF: "automated backups are off: there is nothing to replicate",
    Waiting.MODIFY_STATE: "the state of the database allows no change of automated backups",
    Waiting.NO_REPLICA: "no replica will do",
    Waiting.NO_AUTOMATED_SNAPSHOT: "there is no new automated snapshot",
    Waiting.FAIL_BACK: "failing back is not safe now",
}

GUARDS: dict[str, str] = {
    Guard.MAX_DELETES: "more deletes than the estate allows at once",
    Guard.INCREMENTAL_REQUIRED: "the policy requires incremental copies",
    Guard.FULL_COPIES: "the budget for full copies is spent",
    Guard.QUOTA: "the snapshot quota would be exceeded",
    Guard.POLICY_CONFLICT: "two policies match the same database",
    Guard.VERIFIER: "a promise of the engine would be broken",
    Guard.BACKUP_OUTAGE: "turning automated backups on is an outage",
    Guard.BACKUP_LOSS: "turning automated backups off deletes them all, with an outage",
    Guard.BACKUP_WINDOW: "the backup window is in the way of another one",
    Guard.REPLICATION_QUOTA: "a region receives no more automated backups",
    Guard.FAIL_BACK: "failing back is an outage",
}

# What drifted, as a noun and what is wrong with it.
DRIFT: dict[DriftCode, tuple[str, str]] = {
    DriftCode.PUBLIC: ("snapshot", "that every AWS account may restore from"),
    DriftCode.SHARED_OUTSIDE: ("snapshot", "shared with accounts outside the estate"),
    DriftCode.SHARED_INSIDE: ("snapshot", "shared within the estate, but not by the engine"),
    DriftCode.KEY_MISSING: ("key", "not there"),
    DriftCode.KEY_PENDING_DELETION: ("key", "about to be deleted"),
    DriftCode.KEY_DISABLED: ("key", "disabled"),
    DriftCode.KEY_UNUSABLE: ("key", "in a state that allows no use"),
    DriftCode.KEY_AWS_MANAGED: ("key", "of AWS's where a customer-managed one must be"),
    DriftCode.POINT_DELETED: ("point", "no longer there"),
    DriftCode.UNTAGGED: ("snapshot", "of the engine's without its tags"),
    DriftCode.RETAGGED: ("snapshot", "of the engine's whose tags were changed"),
    DriftCode.CONFLICT: ("snapshot", "in the place of the engine's"),
    DriftCode.POINT_MISSING: ("point", "that the target wants and nothing sends"),
    DriftCode.TARGET_BEHIND: ("database", "whose copies do not get there any more"),
    DriftCode.TAGS_CONTRADICT: ("snapshot", "with a tag that contradicts AWS"),
    DriftCode.USER_TAGS: ("snapshot", "without a tag of the policy"),
    DriftCode.BACKUPS_DIFFER: ("database", "with other automated backups than documents say"),
    DriftCode.REPLICATION_DIED: ("database", "whose automated backups are replicated no longer"),
}

SEVERITIES = {
    DriftSeverity.ERROR: ("error", "errors"),
    DriftSeverity.WARNING: ("warning", "warnings"),
    DriftSeverity.INFO: ("remark", "remarks"),
}

VERDICTS = {
    Verdict.FULL: "in full",
    Verdict.INCREMENTAL: "incremental",
    Verdict.LIKELY_INCREMENTAL: "likely incremental",
    Verdict.UNKNOWN: "size unknown",
}


def count(number: int, noun: str, nouns: str | None = None) -> str:
    """Return `1 snapshot`, `1,234 snapshots`."""
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"


def moment(time: datetime) -> str:
    """Return a time as people read it, always UTC."""
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%MZ")


def span_of(slots: Iterable[datetime]) -> str:
    """Return the slot, or the oldest and the newest."""
    times = sorted(set(slots))
    if not times:
        return "no slot"
    if len(times) == 1:
        return moment(times[0])
    return f"{moment(times[0])} – {moment(times[-1])}"


def place(at: At) -> str:
    """Return `ACCOUNT/REGION`."""
    return f"{at.account}/{at.region}"


def size(gib: Sequence[int]) -> str:
    """Return what a forecast's least and most GiB mean to a reader."""
    least, most = gib
    if least == most:
        return f"{most:,} GiB"
    return f"up to {most:,} GiB" if least == 0 else f"{least:,} – {most:,} GiB"
