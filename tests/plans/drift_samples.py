"""Drift as a person might meet it, written by hand."""

from __future__ import annotations

from dataclasses import replace

from engine.plans.codes import DriftCode, DriftSeverity
from engine.plans.drift import DRIFT_FORMAT_VERSION, DriftFound, SharesRead, summary_of
from engine.plans.plan import At, Drift, InventoryRead
from tests.plans.samples import (
    DAY,
    HOSTILE,
    HOSTILE_MORE,
    KEY,
    NOW,
    POLICIES,
    PROD,
    REMOTE,
    SLOT,
    VAULT,
    arn_of,
    read,
    scope,
    snapshot_id,
    source,
    unread,
)

ORDERS = source("orders-1")
STRANGER = "999999999999"
_READ = read(scope(PROD, 14, 210), scope(VAULT, 0, 170), scope(REMOTE, 0, 60))
_SHARES = SharesRead(364, 29)


def one(
    code: DriftCode,
    severity: DriftSeverity = DriftSeverity.ERROR,
    text: str = "it is not as it was",
    *,
    days: int = 1,
    at: At = PROD,
    name: str = "orders-1",
    values: tuple[str | None, str | None] = (None, None),
) -> Drift:
    """One thing that drifted."""
    database = source(name)
    slot = SLOT - days * DAY
    arn = arn_of(snapshot_id(database, "gold", slot, at), at)
    return Drift(code, severity, arn, at, database, slot, text, "put it right", *values)


def found(
    *drift: Drift,
    inventory: InventoryRead = _READ,
    shares: SharesRead = _SHARES,
) -> DriftFound:
    """A report of these, which stand in the order in which they are to be read."""
    refused = bool(shares.refused)
    return DriftFound(
        DRIFT_FORMAT_VERSION,
        "0.1.0",
        "acme",
        NOW,
        POLICIES,
        inventory,
        shares,
        summary_of(drift),
        drift,
        complete=inventory.complete and not refused,
    )


def every_code() -> DriftFound:
    """One of each kind."""
    warnings = [
        DriftCode.POINT_MISSING,
        DriftCode.TARGET_BEHIND,
        DriftCode.TAGS_CONTRADICT,
        DriftCode.BACKUPS_DIFFER,
    ]
    errors = [code for code in DriftCode if code not in {*warnings, DriftCode.USER_TAGS}]
    drift = [one(code) for code in errors]
    drift += [one(code, DriftSeverity.WARNING) for code in warnings]
    return found(*drift, one(DriftCode.USER_TAGS, DriftSeverity.INFO))


def shared_by_somebody() -> DriftFound:
    """What a bad night looks like: many alike, some with words of their own, a key."""
    text = f"it is shared with {STRANGER}, outside the estate"
    shared = [
        one(
            DriftCode.SHARED_OUTSIDE,
            text=text,
            days=days,
            at=VAULT,
            name=name,
            values=(None, STRANGER),
        )
        for name in ("billing", "crm-eu", "orders-1")
        for days in (1, 2, 3, 4)
    ]
    key = Drift(
        DriftCode.KEY_DISABLED,
        DriftSeverity.ERROR,
        KEY,
        VAULT,
        None,
        None,
        "the key is Disabled: target local needs it; 134 snapshots cannot be restored without it",
        "enable it: aws kms enable-key",
        "Enabled",
        "Disabled",
    )
    deleted = [
        one(
            DriftCode.POINT_DELETED,
            DriftSeverity.WARNING,
            f"copy {number} was made from it, and the policy keeps it: somebody deleted it",
            days=number,
        )
        for number in (3, 4, 5)
    ]
    retagged = one(
        DriftCode.RETAGGED,
        text="its id proves that the engine made it, but engine:policy was changed",
        days=6,
        values=("engine:policy=gold", "engine:policy=silver"),
    )
    return found(*shared, key, retagged, *deleted)


def nothing() -> DriftFound:
    """An estate in its normal life."""
    return found()


def half_read() -> DriftFound:
    """Nothing drifted, as far as could be seen."""
    inventory = read(
        scope(PROD, 14, 210), unread(REMOTE, "AccessDenied on rds:DescribeDBSnapshots")
    )
    return replace(
        found(inventory=inventory, shares=SharesRead(210, 12, 3)), only=("prod/*/orders-*",)
    )


def hostile() -> DriftFound:
    """Texts that try to leave their place."""
    bad = replace(
        one(DriftCode.UNTAGGED),
        arn=HOSTILE,
        source=source(HOSTILE_MORE),
        text=HOSTILE_MORE,
        fix=HOSTILE,
        expected=HOSTILE,
        found=HOSTILE_MORE,
    )
    return replace(found(bad), estate="acme --> <script>")


DRIFT_SAMPLES = {
    "nothing": nothing,
    "every_code": every_code,
    "shared_by_somebody": shared_by_somebody,
    "half_read": half_read,
    "hostile": hostile,
}
