"""The estate that shows what the tool is for; `policies/` governs it.

Three accounts, two regions; Multi-AZ and Single-AZ; PostgreSQL, MySQL, SQL Server and Oracle; one
database under the default key, one unencrypted, a read replica, one replaced by restore and swap,
one deleted; automated and AWS Backup snapshots, manual ones of people, one with stolen tags.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from engine.lab.estates import IRELAND, PROD, VAULT, zones_of
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

# Fixed, so that whoever makes a history of the estate can name its databases.
CUSTOMERS_BEFORE = "db-ACMECUSTOMERSBEFORETHESWAP"
CUSTOMERS = "db-ACMECUSTOMERSAFTERTHESWAP2"
REPORTS = "db-ACMEREPORTSWHICHISDELETED2"
ORDERS = "db-ACMEORDERSWHOSETAGSAREHERE"

_GOLD, _SILVER, _BRONZE = ({"tier": tier} for tier in ("gold", "silver", "bronze"))
_AUTOMATED_DAYS = 7
_SWAPPED_DAYS_AGO = 6
_DELETED_DAYS_AGO = 4


def acme(at: datetime) -> Any:
    """Return the seed of the estate as it is at a time; the lab's clock is not moved."""
    seed = Seed(
        accounts=_accounts(),
        keys=_keys(),
        buckets=(BucketSeed("vault", IRELAND, BUCKET),),
        instances=(*_prod(at), *_others()),
        snapshots=(*_automated(at), *_aws_backup(at), *_of_people(at)),
    )
    return seed_document(seed)


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


def _keys() -> tuple[KeySeed, ...]:
    shared = ("vault",)
    return (
        KeySeed("prod", IRELAND, "alias/orders", usable_by=shared),
        KeySeed("prod", FRANKFURT, "alias/crm", usable_by=shared),
        KeySeed("prod", IRELAND, "alias/backup-share", usable_by=shared),
        KeySeed("prod", FRANKFURT, "alias/backup-share", usable_by=shared),
        KeySeed("analytics", IRELAND, "alias/warehouse", usable_by=shared),
        KeySeed("analytics", IRELAND, "alias/backup-share", usable_by=shared),
        KeySeed("vault", IRELAND, "alias/backups"),
        KeySeed("vault", FRANKFURT, "alias/backups"),
    )


def _database(account: str, region: str, identifier: str, **more: Any) -> InstanceSeed:
    return InstanceSeed(
        account,
        region,
        identifier,
        backup_window="22:00-22:30",
        maintenance_window="sun:06:00-sun:06:30",
        **more,
    )


def _prod(at: datetime) -> tuple[InstanceSeed, ...]:
    own = {"key": "alias/orders"}
    pair: dict[str, Any] = {"multi_az": True, "zones": ("eu-west-1a", "eu-west-1b")}
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
        _database("prod", IRELAND, "billing", engine="oracle-ee", **own, **pair, tags=_GOLD),
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
            created=at - timedelta(days=_SWAPPED_DAYS_AGO),
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


def _automated(at: datetime) -> Iterator[SnapshotSeed]:
    """Yield what RDS took by itself on the last days."""
    window = at.astimezone(UTC).replace(hour=22, minute=4, second=11, microsecond=0)
    last = window if window < at else window - timedelta(days=1)
    for instance in (*_prod(at), *_others()):
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


def _aws_backup(at: datetime) -> Iterator[SnapshotSeed]:
    for number, name in enumerate(("orders-1", "shop", "warehouse"), start=1):
        yield SnapshotSeed(
            "analytics" if name == "warehouse" else "prod",
            IRELAND,
            f"awsbackup:job-0{number}c0ffee-0000-4000-8000-00000000000{number}",
            at - timedelta(days=number, hours=3),
            instance=name,
            type="awsbackup",
            tags={"aws:backup:source-resource": name},
        )


def _of_people(at: datetime) -> Iterator[SnapshotSeed]:
    """Yield what people made; the tags of the last are copied from a point of another database."""
    prod = ("prod", IRELAND)
    yield SnapshotSeed(
        *prod,
        "orders-1-before-the-big-migration",
        at - timedelta(days=18),
        instance="orders-1",
        tags={"owner": "mara"},
    )
    yield SnapshotSeed(
        *prod, "customers-before-swap", at - timedelta(days=6), instance="customers-before"
    )
    yield SnapshotSeed(
        *prod, "reports-final", at - timedelta(days=_DELETED_DAYS_AGO), instance="reports"
    )
    slot = (at - timedelta(days=9)).replace(hour=1, minute=0, second=0, microsecond=0)
    source = f"arn:aws:rds:{IRELAND}:{PROD}:db:orders-1"
    yield SnapshotSeed(
        "analytics",
        IRELAND,
        f"orders-1-gold-{slot:%Y%m%dt%H%Mz}-euw1-az1-0badc0de",
        slot,
        instance="warehouse",
        tags={
            "engine:estate": "acme",
            "engine:policy": "gold",
            "engine:slot": f"{slot:%Y-%m-%dT%H:%M:%SZ}",
            "engine:role": "primary",
            "engine:resource": ORDERS,
            "engine:volume": ORDERS,
            "engine:source": source,
            "engine:az": "euw1-az1",
            "engine:keys": "none",
        },
    )
