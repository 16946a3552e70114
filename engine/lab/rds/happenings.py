"""What happens to instances by itself or by somebody else's hand, at the lab's command."""

from __future__ import annotations

from enum import StrEnum

from moto.rds.models import rds_backends

from engine.lab.errors import LabError
from engine.lab.faults import Address
from engine.lab.rds import instances, modifying
from engine.lab.rds.backend import LabBackend
from engine.lab.rds.models import LabInstance


class Happening(StrEnum):
    """What can happen to an instance; named as the kinds of fault that let it happen."""

    FAIL_OVER = "fail_over"
    STOP = "stop"
    START = "start"
    DELETE = "delete"
    RENAME = "rename"


def happen(what: Happening, address: Address, name: str | None = None) -> LabInstance:
    """Let something happen to an instance, as the API's own call for it does.

    A failover is at once and whatever the instance is doing, a rename is applied immediately, a
    deletion takes no last snapshot.

    Args:
        what: what happens.
        address: the instance.
        name: its new identifier, for a rename.

    Raises:
        LabError: the lab has nothing in that account and region, or a rename no name.
        RDSClientError: RDS refuses: there is no such instance, or its state does not allow it.
    """
    backend, identifier = _backend(address), address.identifier
    match what:
        case Happening.FAIL_OVER:
            return instances.fail_over_now(backend, identifier)
        case Happening.STOP:
            return instances.stop(backend, identifier, None)
        case Happening.START:
            return instances.start(backend, identifier)
        case Happening.DELETE:
            return instances.delete(backend, identifier, None, skip_final=True, drop_backups=True)
        case Happening.RENAME:
            if not name:
                raise LabError(f"the rename of {identifier} lacks a new name", "give `name`")
            changes = {"new_db_instance_identifier": name, "apply_immediately": True}
            return modifying.modify(backend, identifier, changes)


def _backend(address: Address) -> LabBackend:
    account, region = address.account, address.region
    known = account in rds_backends and region in rds_backends[account]
    backend = rds_backends[account][region] if known else None
    if not isinstance(backend, LabBackend):
        raise LabError(f"the lab has nothing in {account}/{region}", "name a seeded account")
    return backend
