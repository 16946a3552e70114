"""Random inventories as AWS could tell them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from typing import Any

from hypothesis import strategies as st

from engine.inventory.bulk import Strings
from engine.inventory.convert import (
    automated_record,
    event_record,
    instance_record,
    key_record,
    rds_prefix,
    snapshot_record,
    zones_record,
)
from engine.inventory.convert_clusters import cluster_record, cluster_snapshot_record
from engine.inventory.records import (
    Clusters,
    Inventory,
    Location,
    Quota,
    Scope,
    ScopeStatus,
)
from engine.inventory.wire import (
    WireAutomatedBackup,
    WireEvent,
    WireInstance,
    WireKey,
    WireOptionGroup,
    WireParameterGroup,
    WireReplication,
    WireRestoreWindow,
    WireSnapshot,
    WireStatus,
    WireTag,
    WireZone,
)
from engine.inventory.wire_clusters import WireCluster, WireClusterSnapshot

texts = st.text(st.characters(codec="utf-8"), max_size=12)
names = st.from_regex(r"[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,4}){0,2}", fullmatch=True)
moments = st.none() | st.datetimes(timezones=st.just(UTC))
counts = st.none() | st.integers(0, 2**40)
tags = st.none() | st.lists(st.builds(WireTag, texts, st.none() | texts), max_size=4)
maybe = st.none() | texts
flags = st.none() | st.booleans()

PENDING = ("BackupRetentionPeriod", "DBInstanceClass", "MultiAZ")

locations = st.builds(
    Location,
    st.from_regex(r"[0-9]{12}", fullmatch=True),
    st.sampled_from(["eu-west-1", "eu-central-1", "us-gov-west-1", "cn-north-1"]),
)

snapshot_names = names | names.map("rds:{}".format) | names.map("awsbackup:{}".format)
snapshot_types = st.none() | st.sampled_from(["manual", "automated", "awsbackup", "shared"])

wire_snapshots = st.builds(
    WireSnapshot,
    identifier=snapshot_names,
    instance=maybe,
    resource_id=maybe,
    type=snapshot_types,
    status=st.none() | st.sampled_from(["available", "creating", "novel"]),
    engine=maybe,
    created_at=moments,
    original_created_at=moments,
    availability_zone=maybe,
    encrypted=flags,
    kms_key=maybe,
    allocated_gib=counts,
    progress=counts,
    source_snapshot=maybe,
    option_group=maybe,
    tde_credential=maybe,
    tags=tags,
    database_time=moments,
    full_bytes=counts,
)

wire_instances = st.builds(
    WireInstance,
    identifier=names,
    resource_id=names,
    engine=maybe,
    status=maybe,
    engine_version=maybe,
    multi_az=flags,
    availability_zone=maybe,
    secondary_zone=maybe,
    encrypted=flags,
    encryption_type=maybe,
    kms_key=maybe,
    allocated_gib=counts,
    backup_retention_days=counts,
    backup_window=maybe,
    maintenance_window=maybe,
    latest_restorable_at=moments,
    copy_tags_to_snapshot=flags,
    replica_of=maybe,
    replica_of_cluster=maybe,
    replicas=st.none() | st.lists(texts, max_size=2),
    cluster=maybe,
    aws_backup_arn=maybe,
    option_groups=st.none() | st.lists(st.builds(WireOptionGroup, maybe), max_size=2),
    created_at=moments,
    tags=tags,
    statuses=st.none()
    | st.lists(
        st.builds(WireStatus, st.sampled_from([None, "read replication", "other"]), maybe),
        max_size=2,
    ),
    pending=st.none() | st.dictionaries(st.sampled_from(PENDING), counts | texts),
    parameter_groups=st.none() | st.lists(st.builds(WireParameterGroup, texts, texts), max_size=2),
    replications=st.none() | st.lists(st.builds(WireReplication, maybe), max_size=2),
)

wire_automated = st.builds(
    WireAutomatedBackup,
    arn=st.none(),
    instance_arn=maybe,
    instance=maybe,
    resource_id=maybe,
    status=st.none() | st.sampled_from(["active", "retained", "replicating", "novel"]),
    engine=maybe,
    retention_days=counts,
    allocated_gib=counts,
    encrypted=flags,
    kms_key=maybe,
    restore_window=st.none() | st.builds(WireRestoreWindow, moments, moments),
)

wire_clusters = st.builds(
    WireCluster,
    identifier=names,
    resource_id=names,
    engine=maybe,
    status=maybe,
    engine_version=maybe,
    multi_az=flags,
    encrypted=flags,
    encryption_type=maybe,
    kms_key=maybe,
    allocated_gib=counts,
    backup_retention_days=counts,
    backup_window=maybe,
    maintenance_window=maybe,
    latest_restorable_at=moments,
    copy_tags_to_snapshot=flags,
    replica_of=maybe,
    replicas=st.none() | st.lists(texts, max_size=2),
    aws_backup_arn=maybe,
    created_at=moments,
    tags=tags,
)

wire_cluster_snapshots = st.builds(
    WireClusterSnapshot,
    identifier=snapshot_names,
    cluster=maybe,
    resource_id=maybe,
    type=snapshot_types,
    status=st.none() | st.sampled_from(["available", "creating", "novel"]),
    engine=maybe,
    created_at=moments,
    encrypted=flags,
    kms_key=maybe,
    allocated_gib=counts,
    progress=counts,
    source_snapshot=maybe,
    tags=tags,
)

wire_events = st.builds(WireEvent, moments, maybe, maybe, st.none() | st.lists(texts, max_size=2))
wire_keys = st.builds(
    WireKey,
    id=names,
    manager=st.sampled_from([None, "AWS", "CUSTOMER"]),
    state=maybe,
    enabled=flags,
    spec=maybe,
    usage=maybe,
    aliases=st.none() | st.lists(names.map("alias/{}".format), max_size=2),
)
shares = st.none() | st.frozensets(st.sampled_from(["all", "222222222222", "333333333333"]))


@st.composite
def scopes(draw: Callable[..., Any], location: Location) -> Scope:
    """Draw one location as it could have been read."""
    strings = Strings()

    def some(strategy: Any, convert: Callable[[Any], Any]) -> tuple[Any, ...] | None:
        wires = draw(st.none() | st.lists(strategy, max_size=3))
        return None if wires is None else tuple(convert(wire) for wire in wires)

    def a_snapshot(wire: WireSnapshot) -> Any:
        arn = f"{rds_prefix(location)}snapshot:{wire.identifier}"
        shared_with = draw(shares)
        known = {} if shared_with is None else {arn: shared_with}
        return snapshot_record(wire, location, strings, known)

    def foreign(wire: WireSnapshot) -> Any:
        wire.arn = f"arn:aws:rds:eu-west-1:999999999999:snapshot:{wire.identifier}"
        return snapshot_record(wire, location, strings)

    def automated(wire: WireAutomatedBackup) -> Any:
        wire.arn = f"{rds_prefix(location)}auto-backup:{wire.instance}"
        return automated_record(wire, location, strings)

    snapshots = some(wire_snapshots, a_snapshot)
    keys = some(wire_keys, lambda wire: key_record(wire, location, strings))
    zones = draw(st.none() | st.lists(st.builds(WireZone, names, names), max_size=3))
    events = some(wire_events, event_record)
    status = draw(st.sampled_from(ScopeStatus))
    return Scope(
        location=location,
        status=status,
        cause=None if status is ScopeStatus.OK else draw(maybe),
        instances=some(wire_instances, lambda wire: instance_record(wire, location, strings)),
        snapshots=None if snapshots is None else _one_per_arn(snapshots),
        keys=None if keys is None else {key.arn: key for key in keys},
        quota=draw(st.none() | st.builds(Quota, st.integers(0, 100), st.integers(0, 100))),
        zones=None if zones is None else zones_record(zones),
        events=None if events is None else tuple(event for event in events if event),
        shared=some(wire_snapshots, foreign),
        automated=some(wire_automated, automated),
        clusters=draw(st.none() | clusters(location)),
    )


@st.composite
def clusters(draw: Callable[..., Any], location: Location) -> Clusters:
    """Draw the DB clusters of a location whose files are both there."""
    strings = Strings()

    def own(wire: WireClusterSnapshot) -> Any:
        arn = f"{rds_prefix(location)}cluster-snapshot:{wire.identifier}"
        shared_with = draw(shares)
        known = {} if shared_with is None else {arn: shared_with}
        return cluster_snapshot_record(wire, location, strings, known)

    def foreign(wire: WireClusterSnapshot) -> Any:
        wire.arn = f"arn:aws:rds:eu-west-1:999999999999:cluster-snapshot:{wire.identifier}"
        return cluster_snapshot_record(wire, location, strings)

    shared = draw(st.none() | st.lists(wire_cluster_snapshots, max_size=2))
    return Clusters(
        clusters=tuple(
            cluster_record(wire, location, strings)
            for wire in draw(st.lists(wire_clusters, max_size=2))
        ),
        snapshots=_one_per_arn(
            tuple(own(wire) for wire in draw(st.lists(wire_cluster_snapshots, max_size=3)))
        ),
        shared=None if shared is None else tuple(foreign(wire) for wire in shared),
        quota=draw(st.none() | st.builds(Quota, st.integers(0, 100), st.integers(0, 100))),
    )


def _one_per_arn(snapshots: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple({snapshot.arn: snapshot for snapshot in snapshots}.values())


@st.composite
def inventories(draw: Callable[..., Any]) -> Inventory:
    """Draw an inventory of up to three locations."""
    places = draw(st.lists(locations, min_size=1, max_size=3, unique=True))
    return Inventory(
        scopes={place: draw(scopes(place)) for place in sorted(places)},
        recorded=True,
        taken_at=draw(moments),
        notes=tuple(draw(st.lists(texts, max_size=2))),
    )
