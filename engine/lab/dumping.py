"""Writes what a lab holds as a seed, so that a history once made can be planted again.

What is gone is written where something that is there is a copy of it. Snapshots in progress are
written as available: their ends are not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import cast

from moto.kms.models import kms_backends
from moto.rds.models import rds_backends
from moto.s3.models import s3_backends

from engine.lab.callers import Callers
from engine.lab.rds.backend import LabBackend
from engine.lab.rds.keys import may_use
from engine.lab.rds.models import AVAILABLE, LabInstance, LabSnapshot
from engine.lab.rds.placement import zones_of
from engine.lab.seeds import (
    AccountSeed,
    BucketSeed,
    InstanceSeed,
    KeySeed,
    Seed,
    SnapshotSeed,
    SnapshotType,
)
from engine.lab.world import World


def dump(world: World, callers: Callers) -> Seed:
    """Return a seed of everything there is in seeded accounts, at the lab's time."""
    backends = [
        backend
        for account in sorted(callers.roles)
        for _, backend in sorted(rds_backends[account].items())
        if isinstance(backend, LabBackend)
    ]
    snapshots = list(_with_origins(backends))
    return Seed(
        at=world.now,
        settings={name: getattr(world.settings, name) for name in world.settings.__slots__},
        accounts={account: _account(account, callers) for account in sorted(callers.roles)},
        keys=tuple(_keys(callers.roles)),
        buckets=tuple(_buckets(callers.roles)),
        instances=tuple(_instances(backends, snapshots)),
        snapshots=tuple(map(_snapshot, snapshots)),
    )


def _account(account: str, callers: Callers) -> AccountSeed:
    regions = sorted(rds_backends[account])
    return AccountSeed(
        id=account,
        zones={region: zones_of(account, region) for region in regions},
        roles={role.name: role.external_id for role in callers.roles[account]},
    )


def _keys(accounts: Iterable[str]) -> Iterator[KeySeed]:
    known = sorted(accounts)
    for account in known:
        for region, backend in sorted(kms_backends[account].items()):
            for key in backend.keys.values():
                usable = tuple(one for one in known if one != account and may_use(key, one))
                for alias in key.aliases or (None,):
                    yield KeySeed(account, region, alias, usable, key.enabled, key.id)


def _buckets(accounts: Iterable[str]) -> Iterator[BucketSeed]:
    for account in sorted(accounts):
        for backend in s3_backends[account].values():
            for bucket in backend.buckets.values():
                yield BucketSeed(account, bucket.region_name, bucket.name)


def _with_origins(backends: Iterable[LabBackend]) -> Iterator[LabSnapshot]:
    """Yield all snapshots, and the gone ones that they are copies of."""
    seen: set[int] = set()
    for backend in backends:
        for snapshot in backend.database_snapshots.after(""):
            one: LabSnapshot | None = snapshot
            while one is not None and id(one) not in seen:
                seen.add(id(one))
                yield one
                one = one.origin


def _instances(
    backends: Iterable[LabBackend], snapshots: Iterable[LabSnapshot]
) -> Iterator[InstanceSeed]:
    found: dict[str, InstanceSeed] = {}
    for backend in backends:
        for instance in backend.databases.values():
            if isinstance(instance, LabInstance):
                found[instance.dbi_resource_id] = _instance(instance, deleted=False)
    for snapshot in snapshots:
        if snapshot.dbi_resource_id not in found:
            found[snapshot.dbi_resource_id] = _instance(snapshot.database, deleted=True)
    # Sources stand before their replicas, which may lie in other regions.
    yield from sorted(found.values(), key=lambda one: one.replica_of is not None)


def _instance(instance: LabInstance, *, deleted: bool) -> InstanceSeed:
    zones = (instance.zones.primary, instance.zones.standby)
    return InstanceSeed(
        account=instance.account_id,
        region=instance.region,
        identifier=instance.db_instance_identifier,
        handle=instance.dbi_resource_id,
        engine=instance.engine,
        engine_version=instance.engine_version,
        multi_az=instance.zones.standby is not None,
        zones=tuple(zone for zone in zones if zone),
        key=instance.kms_key_id,
        tags=_tags(instance.tags),
        copy_tags=instance.copy_tags_to_snapshot,
        retention_days=instance.backup_retention_period,
        backup_window=instance.preferred_backup_window,
        maintenance_window=instance.preferred_maintenance_window,
        storage_gib=instance.allocated_storage,
        replica_of=instance.source_db_instance_identifier if instance.is_replica else None,
        resource_id=instance.dbi_resource_id,
        created=instance.instance_create_time,
        status="available" if deleted else instance.status,
        option_group=instance.option_group_name,
        persistent_options=instance.persistent_options,
        deleted=deleted,
    )


def _snapshot(snapshot: LabSnapshot) -> SnapshotSeed:
    origin, gone = snapshot.origin, not snapshot.is_there
    return SnapshotSeed(
        account=snapshot.account_id,
        region=snapshot.region,
        identifier=snapshot.db_snapshot_identifier,
        created=snapshot.created,
        instance=snapshot.dbi_resource_id if origin is None else None,
        copy_of=origin.arn if origin else None,
        type=cast(SnapshotType, snapshot.snapshot_type),
        zone_id=snapshot.volume.zone if origin is None else None,
        zones=(snapshot.availability_zone,) if snapshot.availability_zone else (),
        key=snapshot.kms_key_id if origin else None,
        tags=_tags(snapshot.tags),
        shared_with=tuple(snapshot.attributes["restore"]),
        status=AVAILABLE if gone or snapshot.in_progress else snapshot.status,
        deleted=gone,
    )


def _tags(tags: Iterable[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}
