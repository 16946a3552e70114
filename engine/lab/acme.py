"""The estate that shows what the tool is for; `policies/` governs it.

Three accounts, two regions; Multi-AZ and Single-AZ; PostgreSQL, MySQL, SQL Server and Oracle; one
database under the default key, one unencrypted, a read replica, one replaced by restore and swap,
one deleted; automated and AWS Backup snapshots, manual ones of people, one with stolen tags.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

import msgspec

from engine.lab.clock import text_of
from engine.lab.errors import LabError
from engine.lab.estates import IRELAND, PROD, VAULT, zones_of
from engine.lab.history import read_history
from engine.lab.seeds import (
    AccountSeed,
    BucketSeed,
    InstanceSeed,
    KeySeed,
    Seed,
    SnapshotSeed,
    seed_document,
)

ANALYTICS = "333333333333"
FRANKFURT = "eu-central-1"
BUCKET = "acme-backup-engine"

# The fifteenth night begins: the window of the example policies opened five minutes ago.
NIGHT = datetime(2026, 11, 21, 1, 5, tzinfo=UTC)
NIGHTS = 14
FAILED_OVER = NIGHT - timedelta(days=8, hours=4)
SWAPPED = NIGHT - timedelta(days=6) + timedelta(hours=9)
DELETED = NIGHT - timedelta(days=4) + timedelta(hours=13)

CUSTOMERS_BEFORE = "db-ACMECUSTOMERSBEFORETHESWAP"
CUSTOMERS = "db-ACMECUSTOMERSAFTERTHESWAP2"
REPORTS = "db-ACMEREPORTSWHICHISDELETED2"
ORDERS = "db-ACMEORDERSWHOSETAGSAREHERE"
HISTORY = "acme_history.json"

_GOLD, _SILVER, _BRONZE = ({"tier": tier} for tier in ("gold", "silver", "bronze"))
_AUTOMATED_DAYS = 7
# A quota is raised on request: AWS's own of 100 is less than a month of ten databases.
_SETTINGS = {"manual_snapshots": 1000}


def acme(at: datetime | None = None) -> Any:
    """Return the seed of the estate after two weeks of `policies/`, as the next night begins.

    Args:
        at: the lab's time, if it has one; by default its clock is moved to that night.

    Raises:
        LabError: the time is before that night.
    """
    if at is not None and at < NIGHT:
        night = text_of(NIGHT)
        raise LabError(
            f"the history of the estate acme lasts until {night}; {text_of(at)} is before that",
            f"give -at {night} or later, or move a running lab: `engine lab clock -to {night}`",
        )
    seed = estate()
    history = tuple(read_history(files("engine.lab").joinpath(HISTORY).read_bytes()))
    snapshots = (*seed.snapshots, *history, _stolen(history))
    # A clock that somebody has set runs on while the estate is planted.
    moved_to = NIGHT if at is None else None
    return seed_document(msgspec.structs.replace(seed, at=moved_to, snapshots=snapshots))


def estate() -> Seed:
    """Return the estate as that night finds it, without what the engine made.

    Resource ids of instances and ids of keys are fixed: the history names them.
    """
    return Seed(
        settings=dict(_SETTINGS),
        accounts=_accounts(),
        keys=tuple(_keys()),
        buckets=(BucketSeed("vault", IRELAND, BUCKET),),
        instances=(*_prod(), *_others()),
        snapshots=(*_automated(), *_aws_backup(), *_of_people()),
    )


def _accounts() -> dict[str, AccountSeed]:
    roles = {"backup-engine": None, "backup-reader": None}
    return {
        "prod": AccountSeed(
            PROD,
            zones={
                IRELAND: zones_of(IRELAND, 3, 1, 2),
                FRANKFURT: zones_of(FRANKFURT, 2, 3, 1),
            },
            roles=dict(roles),
        ),
        "vault": AccountSeed(
            VAULT,
            zones={
                IRELAND: zones_of(IRELAND, 1, 2, 3),
                FRANKFURT: zones_of(FRANKFURT, 1, 2, 3),
            },
            roles=dict(roles),
        ),
        "analytics": AccountSeed(
            ANALYTICS,
            zones={IRELAND: zones_of(IRELAND, 2, 3, 1)},
            roles=dict.fromkeys(roles, "acme-backup"),
        ),
    }


def _keys() -> Iterator[KeySeed]:
    shared = ("vault",)
    keys = (
        ("prod", IRELAND, "alias/orders", shared),
        ("prod", FRANKFURT, "alias/crm", shared),
        ("prod", IRELAND, "alias/backup-share", shared),
        ("prod", FRANKFURT, "alias/backup-share", shared),
        ("analytics", IRELAND, "alias/warehouse", shared),
        ("analytics", IRELAND, "alias/backup-share", shared),
        ("vault", IRELAND, "alias/backups", ()),
        ("vault", FRANKFURT, "alias/backups", ()),
        ("prod", IRELAND, "alias/aws/rds", ()),
    )
    for number, (account, region, alias, usable_by) in enumerate(keys, start=1):
        key_id = f"ac3e0000-0000-4000-8000-{number:012}"
        yield KeySeed(account, region, alias, usable_by, id=key_id)


def _database(account: str, region: str, identifier: str, **more: Any) -> InstanceSeed:
    letters = f"ACME{identifier.replace('-', '').upper()}"
    return InstanceSeed(
        account,
        region,
        identifier,
        backup_window="22:00-22:30",
        maintenance_window="sun:06:00-sun:06:30",
        **{"resource_id": f"db-{letters:2<26}", **more},
    )


def _prod() -> tuple[InstanceSeed, ...]:
    own = {"key": "alias/orders"}
    pair: dict[str, Any] = {"multi_az": True, "zones": ("eu-west-1a", "eu-west-1b")}
    failed_over: dict[str, Any] = {"multi_az": True, "zones": ("eu-west-1b", "eu-west-1a")}
    customers = {**own, **pair, "tags": _GOLD}
    return (
        _database(
            "prod",
            IRELAND,
            "orders-1",
            **own,
            **pair,
            tags=_GOLD,
            resource_id=ORDERS,
            storage_gib=500,
        ),
        _database("prod", IRELAND, "orders-ledger", **own, **pair, tags=_GOLD),
        _database("prod", IRELAND, "orders-scratch", tags=_GOLD | {"backup": "none"}),
        _database("prod", IRELAND, "shop", engine="mysql", **own, **pair, tags=_SILVER),
        _database(
            "prod",
            IRELAND,
            "shop-replica",
            engine="mysql",
            **own,
            zones=("eu-west-1c",),
            retention_days=0,
            replica_of="shop",
            tags=_SILVER,
        ),
        _database("prod", IRELAND, "erp", engine="sqlserver-se", **own, **pair, tags=_SILVER),
        _database("prod", IRELAND, "billing", engine="oracle-ee", **own, **failed_over, tags=_GOLD),
        # Under the default key: nobody else may read it, so it takes a bridge to the vault.
        _database("prod", IRELAND, "crm", key="aws/rds", **pair, tags=_GOLD),
        _database("prod", IRELAND, "wiki", engine="mysql"),
        _database(
            "prod",
            IRELAND,
            "customers",
            handle="customers-before",
            resource_id=CUSTOMERS_BEFORE,
            deleted=True,
            **customers,
        ),
        _database(
            "prod",
            IRELAND,
            "customers",
            resource_id=CUSTOMERS,
            created=SWAPPED,
            **customers,
        ),
        _database(
            "prod", IRELAND, "reports", resource_id=REPORTS, deleted=True, **own, tags=_SILVER
        ),
        _database(
            "prod",
            FRANKFURT,
            "crm-eu",
            key="alias/crm",
            multi_az=True,
            zones=("eu-central-1a", "eu-central-1b"),
            tags=_GOLD,
        ),
        _database("prod", FRANKFURT, "search", engine="mysql", tags=_BRONZE),
    )


def _others() -> tuple[InstanceSeed, ...]:
    return (
        _database(
            "analytics",
            IRELAND,
            "warehouse",
            key="alias/warehouse",
            tags=_BRONZE,
            storage_gib=2_000,
        ),
        _database("analytics", IRELAND, "tmp-import"),
    )


def _automated() -> Iterator[SnapshotSeed]:
    """Yield what RDS took by itself on the last days."""
    last = NIGHT.replace(hour=22, minute=4, second=11) - timedelta(days=1)
    for instance in (*_prod(), *_others()):
        if instance.deleted or not instance.retention_days:
            continue
        for days in range(_AUTOMATED_DAYS):
            when = last - timedelta(days=days)
            if instance.created is None or when > instance.created:
                yield SnapshotSeed(
                    instance.account,
                    instance.region,
                    f"rds:{instance.identifier}-{when:%Y-%m-%d-%H-%M}",
                    when,
                    instance=instance.handle or instance.identifier,
                    type="automated",
                )


def _aws_backup() -> Iterator[SnapshotSeed]:
    for number, name in enumerate(("orders-1", "shop", "warehouse"), start=1):
        yield SnapshotSeed(
            "analytics" if name == "warehouse" else "prod",
            IRELAND,
            f"awsbackup:job-0{number}c0ffee-0000-4000-8000-00000000000{number}",
            NIGHT - timedelta(days=number, hours=3),
            instance=name,
            type="awsbackup",
            tags={"aws:backup:source-resource": name},
        )


def _of_people() -> Iterator[SnapshotSeed]:
    """Yield what people made."""
    prod = ("prod", IRELAND)
    yield SnapshotSeed(
        *prod,
        "orders-1-before-the-big-migration",
        NIGHT - timedelta(days=18),
        instance="orders-1",
        tags={"owner": "mara"},
    )
    yield SnapshotSeed(
        *prod,
        "customers-before-swap",
        SWAPPED - timedelta(minutes=20),
        instance="customers-before",
    )
    yield SnapshotSeed(*prod, "reports-final", DELETED - timedelta(minutes=5), instance="reports")


def _stolen(history: Iterable[SnapshotSeed]) -> SnapshotSeed:
    """Return a snapshot of another database that goes by the name and tags of an engine's point."""
    point = next(one for one in history if one.instance == "orders-1")
    return msgspec.structs.replace(
        point,
        account="analytics",
        instance="warehouse",
        created=point.created + timedelta(hours=7),
        zones=(),
        zone_id=None,
    )
