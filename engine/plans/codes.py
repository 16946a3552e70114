"""Every closed set of words that a plan uses, in one place; the schema lists the same."""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """What a step does in AWS."""

    CREATE = "create_snapshot"
    COPY = "copy_snapshot"
    SHARE = "share_snapshot"
    UNSHARE = "unshare_snapshot"
    DELETE = "delete_snapshot"
    TAG = "tag_snapshot"
    MODIFY_BACKUPS = "modify_automated_backups"
    REPLICATE_BACKUPS = "replicate_automated_backups"
    STOP_REPLICATION = "stop_replication"
    FAIL_OVER = "fail_over"


class Effect(StrEnum):
    """What kind of change an action is, so that a reader can look for every `delete`."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


EFFECTS: dict[Action, Effect] = {
    Action.CREATE: Effect.CREATE,
    Action.COPY: Effect.CREATE,
    Action.SHARE: Effect.UPDATE,
    Action.UNSHARE: Effect.UPDATE,
    Action.DELETE: Effect.DELETE,
    Action.TAG: Effect.UPDATE,
    Action.MODIFY_BACKUPS: Effect.UPDATE,
    Action.REPLICATE_BACKUPS: Effect.UPDATE,
    Action.STOP_REPLICATION: Effect.UPDATE,
    Action.FAIL_OVER: Effect.UPDATE,
}
# What is about the automated backups of an instance: its ARN is the instance's, and it has
# neither slot nor snapshot.
AUTOMATED = frozenset({Action.MODIFY_BACKUPS, Action.REPLICATE_BACKUPS, Action.STOP_REPLICATION})
# What is about an instance itself, as those are.
OF_INSTANCES = AUTOMATED | {Action.FAIL_OVER}


class StepReason(StrEnum):
    """Why a step is planned."""

    SLOT_DUE = "slot_due"
    TARGET_MISSING_POINT = "target_missing_point"
    ROUTE_NEEDS_BRIDGE = "route_needs_bridge"
    ROUTE_NEEDS_SHARE = "route_needs_share"
    ROUTE_DONE = "route_done"
    NO_RULE_KEEPS = "no_rule_keeps"
    RETIRED = "retired"
    ORPHAN_EXPIRED = "orphan_expired"
    BRIDGE_DONE = "bridge_done"
    FAILED_OBJECT = "failed_object"
    SOURCE_GONE = "source_gone"
    SOURCE_RETURNED = "source_returned"
    ZONE_CONFIRMED = "zone_confirmed"
    ZONE_UNCERTAIN = "zone_uncertain"
    BACKUPS_DIFFER = "backups_differ"
    BACKUPS_TURNED_ON = "backups_turned_on"
    BACKUPS_TURNED_OFF = "backups_turned_off"
    REPLICATION_MISSING = "replication_missing"
    REPLICATION_DIFFERS = "replication_differs"
    REPLICATION_UNWANTED = "replication_unwanted"
    EVENT_DUE = "event_due"
    ON_DEMAND = "on_demand"
    ADOPTED = "adopted"
    PINNED = "pinned"
    UNPINNED = "unpinned"
    POLICY_SHARES = "policy_shares"
    POLICY_SHARE_ENDS = "policy_share_ends"
    FAIL_BACK = "fail_back"


class KeepReason(StrEnum):
    """Why an object stays. The first are rules, then protections, then states."""

    LAST = "last"
    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    YEARLY = "yearly"
    WITHIN = "within"
    WITHIN_HOURLY = "within_hourly"
    WITHIN_DAILY = "within_daily"
    WITHIN_WEEKLY = "within_weekly"
    WITHIN_MONTHLY = "within_monthly"
    WITHIN_YEARLY = "within_yearly"
    OLDEST = "oldest"
    FUTURE = "future"
    NO_RULE = "no_rule"
    CHAIN_BASE = "chain_base"
    NEWEST_AT_LOCATION = "newest_at_location"
    MIN_POINTS = "min_points"
    IN_FLIGHT = "in_flight"
    NOT_COPIED_YET = "not_copied_yet"
    PINNED = "pinned"
    HELD = "held"
    INVENTORY_INCOMPLETE = "inventory_incomplete"
    UNKNOWN_STATUS = "unknown_status"
    DISPLACING_POINT_NOT_AVAILABLE = "displacing_point_not_available"
    UNMANAGED = "unmanaged"
    SOURCE_IS_GONE = "source_is_gone"
    BRIDGE_NEEDED = "bridge_needed"
    EVENT = "event"
    SHARED = "shared"


PROTECTIONS = frozenset(
    {
        KeepReason.CHAIN_BASE,
        KeepReason.NEWEST_AT_LOCATION,
        KeepReason.MIN_POINTS,
        KeepReason.IN_FLIGHT,
        KeepReason.NOT_COPIED_YET,
        KeepReason.PINNED,
        KeepReason.HELD,
        KeepReason.INVENTORY_INCOMPLETE,
        KeepReason.UNKNOWN_STATUS,
        KeepReason.DISPLACING_POINT_NOT_AVAILABLE,
        KeepReason.EVENT,
        KeepReason.SHARED,
    }
)


class Verdict(StrEnum):
    """What AWS is expected to store for a new snapshot."""

    FULL = "full"
    INCREMENTAL = "incremental"
    LIKELY_INCREMENTAL = "likely_incremental"
    UNKNOWN = "unknown"


class Check(StrEnum):
    """What must hold right before a step is done."""

    SNAPSHOT_STATUS = "snapshot_status"
    OWNED = "owned"
    UNPINNED = "unpinned"
    ORIGIN_OF_NOTHING_IN_FLIGHT = "origin_of_nothing_in_flight"
    CHAIN = "chain"
    INSTANCE = "instance"
    ZONES = "zones"
    ABSENT = "absent"
    NO_COPY_IN_FLIGHT_TO = "no_copy_in_flight_to"
    BACKUP_SETTINGS = "backup_settings"
    REPLICATIONS = "replications"
    ADOPTABLE = "adoptable"
    ROOM_FOR_TAGS = "room_for_tags"
    REPLICA_OF = "replica_of"
    AUTOMATED_SNAPSHOT = "automated_snapshot"
    READY_TO_FAIL_OVER = "ready_to_fail_over"
    NO_FAILOVER_FOR = "no_failover_for"
    NO_SNAPSHOT_BEING_MADE = "no_snapshot_being_made"
    BEFORE = "before"


class Waiting(StrEnum):
    """Why something that a policy wants is not in this plan."""

    SOURCE_STATE = "source_state"
    WINDOW = "window"
    AUTOMATED_BACKUP_WINDOW = "automated_backup_window"
    SLOT_MISSED = "slot_missed"
    ORIGIN_IN_FLIGHT = "origin_in_flight"
    COPY_IN_FLIGHT = "copy_in_flight"
    BRIDGE_IN_FLIGHT = "bridge_in_flight"
    TARGET_NOT_READ = "target_not_read"
    NO_ROUTE = "no_route"
    UNSHARE_AFTER_COPY = "unshare_after_copy"
    AWS_BACKUP_DECIDES = "aws_backup_decides"
    BACKUPS_PENDING = "backups_pending"
    BACKUPS_OFF = "backups_off"
    MODIFY_STATE = "modify_state"
    NO_REPLICA = "no_replica"
    NO_AUTOMATED_SNAPSHOT = "no_automated_snapshot"
    FAIL_BACK = "fail_back"


class UnmanagedReason(StrEnum):
    """Why no policy decides about a point."""

    POLICY_GONE = "policy_gone"
    SOURCE_UNMATCHED = "source_unmatched"
    TARGET_DROPPED = "target_dropped"
    LOCATION_OUTSIDE_ESTATE = "location_outside_estate"


class Guard(StrEnum):
    """What withholds steps."""

    MAX_DELETES = "max_deletes"
    INCREMENTAL_REQUIRED = "incremental_required"
    FULL_COPIES = "full_copies"
    QUOTA = "quota"
    POLICY_CONFLICT = "policy_conflict"
    VERIFIER = "verifier"
    BACKUP_OUTAGE = "backup_outage"
    BACKUP_LOSS = "backup_loss"
    BACKUP_WINDOW = "backup_window"
    REPLICATION_QUOTA = "replication_quota"
    FAIL_BACK = "fail_back"


class Fate(StrEnum):
    """What the next plan would do with a snapshot that this plan adopts."""

    KEPT = "kept"
    DELETABLE = "deletable"
    WITHHELD = "withheld"


class DriftSeverity(StrEnum):
    """How bad it is that the world is not what the engine left; the worst first."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class DriftCode(StrEnum):
    """How the world differs from what the engine left and the documents say."""

    PUBLIC = "public"
    SHARED_OUTSIDE = "shared_outside"
    SHARED_INSIDE = "shared_inside"
    KEY_MISSING = "key_missing"
    KEY_PENDING_DELETION = "key_pending_deletion"
    KEY_DISABLED = "key_disabled"
    KEY_UNUSABLE = "key_unusable"
    KEY_AWS_MANAGED = "key_aws_managed"
    POINT_DELETED = "point_deleted"
    UNTAGGED = "untagged"
    RETAGGED = "retagged"
    CONFLICT = "conflict"
    POINT_MISSING = "point_missing"
    TARGET_BEHIND = "target_behind"
    TAGS_CONTRADICT = "tags_contradict"
    USER_TAGS = "user_tags"
    BACKUPS_DIFFER = "backups_differ"
    REPLICATION_DIED = "replication_died"


class ObjectiveStatus(StrEnum):
    """Whether an objective is met, the best first."""

    MET = "met"
    UNCERTAIN = "uncertain"
    """The limit lies within the range of an estimate."""
    UNKNOWN = "unknown"
    """What it depends on could not be read, or there is nothing to judge by."""
    BROKEN = "broken"


class RestoredFrom(StrEnum):
    """What the newest moment that can be restored is restored from."""

    SNAPSHOT = "snapshot"
    AUTOMATED_BACKUPS = "automated_backups"


class ControlStatus(StrEnum):
    """Whether a control holds, the best first."""

    PASSED = "passed"
    NOT_JUDGED = "not_judged"
    """What it depends on could not be read, or it is for no database."""
    EXCEPTED = "excepted"
    """It is broken, and may be for now."""
    BROKEN = "broken"


class ControlRule(StrEnum):
    """What a control requires."""

    COVERED = "covered"
    MIN_RETENTION = "min_retention"
    POINTS_IN = "points_in"
    CUSTOMER_MANAGED_KEYS = "customer_managed_keys"
    NO_FOREIGN_SHARES = "no_foreign_shares"
    NEWEST_POINT = "newest_point"
    NO_GAP = "no_gap"


class ControlLevel(StrEnum):
    """How bad it is when a control is broken."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Leaving(StrEnum):
    """How near a point is to its end under a set of documents; the nearest first.

    `later` is within the time that was looked ahead, `stays` is not.
    """

    NOW = "now"
    WITHHELD = "withheld"
    PROTECTED = "protected"
    LATER = "later"
    STAYS = "stays"


class EditKind(StrEnum):
    """What a change does to a policy."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class ProtectionChange(StrEnum):
    """What a change does to the protection of a database at a location."""

    LOST = "lost"
    GAINED = "gained"
    MOVED = "moved"
