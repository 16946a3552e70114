"""Puts a seed into moto's backends, past the API: 20,000 snapshots take seconds."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from moto.kms.models import Key, KmsBackend, kms_backends
from moto.rds.models import rds_backends
from moto.s3.exceptions import S3ClientError
from moto.s3.models import s3_backends

from engine.lab.callers import Callers, Role
from engine.lab.errors import LabError
from engine.lab.rds import automated, replicas
from engine.lab.rds.arns import parse_arn
from engine.lab.rds.backend import LabBackend
from engine.lab.rds.copying import describe_origin
from engine.lab.rds.keys import DEFAULT_ALIAS, default_key, find_key, policy_for
from engine.lab.rds.models import AVAILABLE, CREATING, LabInstance, LabSnapshot, ZonePair
from engine.lab.rds.placement import another_zone, name_zones, volume_of, zone_id
from engine.lab.rds.sharing import share_with
from engine.lab.rds.snapshots import drop, volume_now
from engine.lab.seeds import BucketSeed, InstanceSeed, KeySeed, Seed, SnapshotSeed
from engine.lab.truth import Volume
from engine.lab.world import World

_VERSIONS = {
    "postgres": "16.4",
    "mysql": "8.0.39",
    "mariadb": "10.11.8",
    "oracle": "19.0.0.0.ru-2024-07.rur-2024-07.r1",
    "sqlserver": "15.00.4385.2.v1",
}
_DEFAULT_KEY = "aws/rds"
_AGE = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Seeded:
    """How much was put in."""

    accounts: int
    keys: int
    instances: int
    snapshots: int


def plant(seed: Seed, world: World, callers: Callers) -> Seeded:
    """Put a seed into the lab, beside what is there.

    Raises:
        LabError: the seed contradicts itself or what is there.
    """
    _check_regions(seed)
    world.settings = world.settings.changed_by(seed.settings)
    if seed.at is not None and _utc(seed.at) != world.clock.now():
        world.clock.move_to(_utc(seed.at))
        world.settle()
    for account in seed.accounts.values():
        callers.roles[account.id] = tuple(Role(*role) for role in account.roles.items())
        for region, zones in account.zones.items():
            name_zones(account.id, region, zones)
    keys = [(_plant_key(seed, key), key) for key in seed.keys]
    for bucket in seed.buckets:
        _plant_bucket(seed, bucket)
    instances: dict[str, LabInstance] = {}
    for one in seed.instances:
        handle = one.handle or one.identifier
        if handle in instances:
            raise LabError(
                f"the seed has two instances with the handle {handle!r}", "give each its own handle"
            )
        instances[handle] = _plant_instance(seed, one)
    with _collector_paused():
        _plant_snapshots(seed, world, instances)
    # Last: what is encrypted with a key that is disabled now was so before.
    for key, seeded in keys:
        if not seeded.enabled:
            key.enabled, key.key_state = False, "Disabled"
    return Seeded(len(seed.accounts), len(seed.keys), len(instances), len(seed.snapshots))


def _check_regions(seed: Seed) -> None:
    named = {(one.id, region) for one in seed.accounts.values() for region in one.zones}
    named |= {(one.account, one.region) for one in seed.keys}
    named |= {(one.account, one.region) for one in seed.buckets}
    named |= {(one.account, one.region) for one in seed.instances}
    named |= {(one.account, one.region) for one in seed.snapshots}
    for account, region in sorted(named):
        _backend(seed, account, region)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Pause the garbage collector: it would walk all that was planted again and again."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _backend(seed: Seed, account: str, region: str) -> LabBackend:
    account_id = seed.account_id(account)
    backends = rds_backends[account_id]
    if region not in backends:
        raise LabError(f"the seed names the region {region!r}", "name one that AWS has")
    backend = backends[region]
    if not isinstance(backend, LabBackend):
        raise TypeError("the RDS backend is not the lab's")
    return backend


def _plant_key(seed: Seed, seeded: KeySeed) -> Key:
    account = seed.account_id(seeded.account)
    backend = kms_backends[account][seeded.region]
    known = backend.keys.get(seeded.id or "")
    if known is None and seeded.alias == DEFAULT_ALIAS:
        known = default_key(account, seeded.region)
    key = known or backend.create_key(
        policy=policy_for(account, [seed.account_id(other) for other in seeded.usable_by]),
        key_usage="ENCRYPT_DECRYPT",
        key_spec="SYMMETRIC_DEFAULT",
        description=seeded.alias or "",
        tags=None,
    )
    if seeded.id not in {None, key.id}:
        _name_key(backend, key, seeded.id or "")
    if seeded.alias is not None:
        backend.create_alias(key.id, seeded.alias)
    return key


def _name_key(backend: KmsBackend, key: Key, key_id: str) -> None:
    del backend.keys[key.id]
    key.arn = key.arn.replace(key.id, key_id)
    key.id = key_id
    backend.keys[key.id] = key


def _plant_bucket(seed: Seed, seeded: BucketSeed) -> None:
    backend = s3_backends[seed.account_id(seeded.account)]["aws"]
    try:
        backend.create_bucket(seeded.name, seeded.region)
    except S3ClientError as error:
        raise LabError(
            f"the seed's bucket {seeded.name!r} cannot be made: {error}", "name another"
        ) from None


def _key_arn(backend: LabBackend, named: str | None) -> str | None:
    if named is None:
        return None
    account, region = backend.account_id, backend.region_name
    if named in {_DEFAULT_KEY, DEFAULT_ALIAS}:
        return default_key(account, region).arn
    key = find_key(named, account, region)
    if key is None:
        raise LabError(
            f"the seed names the key {named!r}, which is not in {account}/{region}",
            "add it to `keys`",
        )
    return key.arn


def _plant_instance(seed: Seed, seeded: InstanceSeed) -> LabInstance:
    backend = _backend(seed, seeded.account, seeded.region)
    if seeded.identifier in backend.databases and not seeded.deleted:
        raise LabError(
            f"{seeded.account}/{seeded.region} has an instance {seeded.identifier!r} already",
            "give the seed's another identifier",
        )
    instance = LabInstance.make(
        backend,
        db_instance_identifier=seeded.identifier,
        db_instance_class="db.r6g.large",
        engine=seeded.engine,
        engine_version=seeded.engine_version or _VERSIONS.get(seeded.engine.split("-")[0]),
        allocated_storage=seeded.storage_gib,
        storage_type="gp3",
        backup_retention_period=seeded.retention_days,
        preferred_backup_window=seeded.backup_window,
        preferred_maintenance_window=seeded.maintenance_window,
        copy_tags_to_snapshot=seeded.copy_tags,
        master_username="admin",
        kms_key_id=_key_arn(backend, seeded.key),
        dbi_resource_id=seeded.resource_id,
        tags=_tags(seeded.tags),
    )
    instance.place(_zones(backend, seeded))
    instance.status = seeded.status
    created = _utc(seeded.created) if seeded.created else backend.world.now - _AGE
    instance.created = instance.instance_create_time = created
    if seeded.option_group:
        instance.option_group_name = seeded.option_group
    instance.persistent_options = seeded.persistent_options
    if seeded.deleted:
        return instance
    backend.databases[instance.db_instance_identifier] = instance
    if seeded.replica_of:
        replicas.follow(instance, backend.instance(seeded.replica_of))
    automated.begin(backend, instance)
    return instance


def _zones(backend: LabBackend, seeded: InstanceSeed) -> ZonePair:
    account, region = backend.account_id, backend.region_name
    primary = seeded.zones[0] if seeded.zones else f"{region}a"
    if not seeded.multi_az:
        return ZonePair(primary, None)
    if len(seeded.zones) > 1:
        return ZonePair(primary, seeded.zones[1])
    return ZonePair(primary, another_zone(account, region, primary))


def _plant_snapshots(seed: Seed, world: World, instances: dict[str, LabInstance]) -> None:
    """Put snapshots in as they came: the ground truth depends on their order."""
    planted: dict[str, LabSnapshot] = {}
    going: list[LabSnapshot] = []
    # An origin comes before its copies also where the document gives both the same time.
    ordered = sorted(seed.snapshots, key=lambda one: (_utc(one.created), one.copy_of is not None))
    for seeded in ordered:
        backend = _backend(seed, seeded.account, seeded.region)
        if seeded.identifier in backend.database_snapshots:
            raise LabError(
                f"{seeded.account}/{seeded.region} has a snapshot {seeded.identifier!r} already",
                "give the seed's another identifier",
            )
        snapshot = _make(backend, seeded, instances, planted)
        planted[snapshot.arn] = snapshot
        backend.database_snapshots[snapshot.db_snapshot_identifier] = snapshot
        _settle(world, snapshot, seeded.status)
        if seeded.shared_with:
            share_with(backend, snapshot, [seed.account_id(one) for one in seeded.shared_with])
        if seeded.deleted:
            going.append(snapshot)
    for snapshot in going:
        drop(snapshot.backend, snapshot)


def _make(
    backend: LabBackend,
    seeded: SnapshotSeed,
    instances: dict[str, LabInstance],
    planted: dict[str, LabSnapshot],
) -> LabSnapshot:
    if seeded.copy_of is not None:
        snapshot = _make_copy(backend, seeded, planted)
    elif seeded.instance in instances:
        snapshot = _make_primary(backend, seeded, instances[seeded.instance])
    else:
        raise LabError(
            f"the seed's snapshot {seeded.identifier!r} is of {seeded.instance!r}, which is not "
            "among its instances",
            "name the handle of one, or what it is a copy of",
        )
    snapshot.created = _utc(seeded.created)
    if snapshot.origin is None:
        snapshot.original = snapshot.created
    snapshot.tags = _tags(seeded.tags)
    return snapshot


def _make_primary(backend: LabBackend, seeded: SnapshotSeed, instance: LabInstance) -> LabSnapshot:
    account, region = backend.account_id, backend.region_name
    volume = volume_now(instance)
    if seeded.zones:
        ids = [zone_id(account, region, name) for name in seeded.zones]
        standby = ids[1] if len(ids) > 1 else None
        volume = volume_of(instance.dbi_resource_id, instance.engine, ids[0], standby)
    if seeded.zone_id is not None:
        volume = Volume(instance.dbi_resource_id, seeded.zone_id)
    snapshot = LabSnapshot(
        backend,
        instance,
        seeded.identifier,
        seeded.type,
        volume=volume,
        key=instance.kms_key_id,
    )
    if seeded.zones:
        snapshot.availability_zone = seeded.zones[0]
    return snapshot


def _make_copy(
    backend: LabBackend, seeded: SnapshotSeed, planted: dict[str, LabSnapshot]
) -> LabSnapshot:
    named = seeded.copy_of or ""
    origin = planted.get(named) or (backend.find_snapshot(named) if parse_arn(named) else None)
    if origin is None:
        raise LabError(
            f"the seed's snapshot {seeded.identifier!r} is a copy of {named!r}, which is not there",
            "give the ARN of a snapshot that is older than the copy",
        )
    key = _key_arn(backend, seeded.key) if seeded.key else origin.kms_key_id
    snapshot = LabSnapshot(
        backend,
        origin.database,
        seeded.identifier,
        seeded.type,
        volume=origin.volume,
        key=key,
        origin=origin,
    )
    describe_origin(snapshot, origin, None)
    return snapshot


def _settle(world: World, snapshot: LabSnapshot, status: str) -> None:
    snapshot.status = status
    if status not in {AVAILABLE, CREATING}:
        return
    world.ledger.begin(snapshot.subject, snapshot.created)
    if status == AVAILABLE:
        world.ledger.complete(snapshot.arn, snapshot.created)
        return
    seconds = world.settings.create_seconds
    snapshot.started, snapshot.ends = world.now, world.now + timedelta(seconds=seconds)

    def done() -> None:
        snapshot.status = AVAILABLE
        world.ledger.complete(snapshot.arn)

    snapshot.appointment = world.after(seconds, done)


def _tags(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _utc(when: datetime) -> datetime:
    return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)


def account_rows(accounts: Iterable[str]) -> list[dict[str, object]]:
    """Count what is in each account and region that has been used."""
    known = {*accounts, *rds_backends}
    return [
        {
            "account": account,
            "region": region,
            "instances": len(backend.databases),
            "snapshots": len(backend.database_snapshots),
        }
        for account in sorted(known)
        for region, backend in sorted(rds_backends[account].items())
    ]
