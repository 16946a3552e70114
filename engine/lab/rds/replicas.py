"""How read replicas and their sources know each other: by names, which change."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from moto.rds.exceptions import RDSClientError

from engine.lab.rds.models import LabInstance

if TYPE_CHECKING:
    from engine.lab.rds.backend import LabBackend


def find_source(backend: LabBackend, named: str) -> LabInstance:
    """Return an instance of the account, in whatever region its ARN says."""
    parts = named.split(":")
    region = parts[3] if named.startswith("arn:") and len(parts) > 3 else backend.region_name
    return backend.at(backend.account_id, region).instance(named)


def follow(replica: LabInstance, source: LabInstance) -> None:
    """Let an instance be a read replica of another one of its account."""
    replica.is_replica = True
    replica.source_db_instance_identifier = _name_in(replica.region, source)
    source.add_replica(replica)


def rename(backend: LabBackend, instance: LabInstance, name: str) -> None:
    """Give an instance another name, by which its source and its replicas know it at once."""
    replicas, sources = list(_replicas(backend, instance)), list(_sources(backend, instance))
    before = {instance.db_instance_identifier, instance.db_instance_arn}
    del backend.databases[instance.db_instance_identifier]
    instance.db_instance_identifier = name
    backend.databases[instance.db_instance_identifier] = instance
    for replica in replicas:
        replica.source_db_instance_identifier = _name_in(replica.region, instance)
    for source in sources:
        source.replicas = [
            _name_in(source.region, instance) if one in before else one for one in source.replicas
        ]


def part(backend: LabBackend, instance: LabInstance) -> None:
    """Let an instance that is gone be replica and source of nothing.

    Its replicas in the region are promoted (RDS User Guide, Considerations when deleting
    replicas); those elsewhere stay replicas of what is gone.
    """
    for source in _sources(backend, instance):
        name = _name_in(source.region, instance)
        source.replicas = [one for one in source.replicas if one != name]
    for replica in _replicas(backend, instance):
        if replica.region == instance.region:
            replica.is_replica, replica.source_db_instance_identifier = False, None


def _name_in(region: str, instance: LabInstance) -> str:
    near = region == instance.region
    return str(instance.db_instance_identifier if near else instance.db_instance_arn)


def _replicas(backend: LabBackend, instance: LabInstance) -> Iterator[LabInstance]:
    for named in instance.replicas:
        yield from _found(backend, named)


def _sources(backend: LabBackend, instance: LabInstance) -> Iterator[LabInstance]:
    if instance.is_replica and instance.source_db_instance_identifier:
        yield from _found(backend, instance.source_db_instance_identifier)


def _found(backend: LabBackend, named: str) -> Iterator[LabInstance]:
    # A source elsewhere may be gone, or another may have its name by now.
    with contextlib.suppress(RDSClientError):
        yield find_source(backend, named)
