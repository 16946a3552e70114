"""The document that a lab is seeded with.

Accounts are named as in the `accounts` of the document, or by id. Zones are names, as the account
calls them. A key is named by its alias; `aws/rds` is the default key, null is no encryption.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from engine.lab.clock import sensible
from engine.lab.errors import LabError

AccountId = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{12}\Z")]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
Identifier = Annotated[str, msgspec.Meta(pattern=r"^[a-zA-Z0-9:-]{1,255}\Z")]
Gibibytes = Annotated[int, msgspec.Meta(ge=1, le=65_536)]
Days = Annotated[int, msgspec.Meta(ge=0, le=35)]
Window = Annotated[str, msgspec.Meta(pattern=r"^([a-z]{3}:)?\d\d:\d\d-([a-z]{3}:)?\d\d:\d\d\Z")]


class AccountSeed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An account.

    Attributes:
        id: twelve digits.
        zones: per region, the ids of its zones by the names that the account has for them.
        roles: roles that may be assumed, with the external id that each wants; all if empty.
    """

    id: AccountId
    zones: dict[str, dict[str, str]] = {}
    roles: dict[str, str | None] = {}


class KeySeed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A customer key, or with the alias `alias/aws/rds` the default one.

    Attributes:
        alias: `alias/NAME`; several documents with one `id` give a key several.
        usable_by: other accounts that its policy lets use it.
        id: its id, by default made up.
    """

    account: str
    region: str
    alias: str | None
    usable_by: tuple[str, ...] = ()
    enabled: bool = True
    id: str | None = None


class BucketSeed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An S3 bucket."""

    account: str
    region: str
    name: Name


class InstanceSeed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A DB instance.

    Attributes:
        handle: how snapshots of the document name it, by default its identifier.
        zones: the primary's zone, and in Multi-AZ the standby's; by default the first ones.
        replica_of: identifier of its source in the same account and region.
        resource_id: its DbiResourceId, by default made up.
        deleted: whether it is gone, so that only its snapshots are there.
        persistent_options: options of its option group that a snapshot cannot do without.
    """

    account: str
    region: str
    identifier: Identifier
    handle: str | None = None
    engine: str = "postgres"
    engine_version: str | None = None
    multi_az: bool = False
    zones: tuple[str, ...] = ()
    key: str | None = None
    tags: dict[str, str] = {}
    copy_tags: bool = False
    retention_days: Days = 7
    backup_window: Window = "13:14-13:44"
    maintenance_window: Window = "wed:06:38-wed:07:08"
    storage_gib: Gibibytes = 100
    replica_of: str | None = None
    resource_id: str | None = None
    created: datetime | None = None
    status: str = "available"
    option_group: str | None = None
    deleted: bool = False
    persistent_options: tuple[str, ...] = ()


SnapshotType = Literal["manual", "automated", "awsbackup"]


class SnapshotSeed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A DB snapshot.

    Attributes:
        instance: handle of what it is a snapshot of; of a copy, null.
        copy_of: ARN of what it is a copy of; of a snapshot of an instance, null.
        created: when it was made; a copy keeps its origin's original time.
        zones: where the instance was then, by default where it is.
        zone_id: the zone that it was physically taken from, by default what `zones` say.
        key: of a copy, the alias or ARN of its key, by default its origin's key.
        status: what it stays in, but for `creating`, which ends.
        deleted: whether it is gone again, so that only the ground truth knows of it.
    """

    account: str
    region: str
    identifier: Identifier
    created: datetime
    instance: str | None = None
    copy_of: str | None = None
    type: SnapshotType = "manual"
    zones: tuple[str, ...] = ()
    zone_id: str | None = None
    key: str | None = None
    tags: dict[str, str] = {}
    shared_with: tuple[str, ...] = ()
    status: str = "available"
    deleted: bool = False


class Seed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything a lab starts from.

    Attributes:
        at: the lab's time, by default now.
        settings: as `engine.lab.settings.Settings` names them.
    """

    version: Literal[1] = 1
    at: datetime | None = None
    settings: dict[str, Any] = {}
    accounts: dict[str, AccountSeed] = {}
    keys: tuple[KeySeed, ...] = ()
    buckets: tuple[BucketSeed, ...] = ()
    instances: tuple[InstanceSeed, ...] = ()
    snapshots: tuple[SnapshotSeed, ...] = ()

    def account_id(self, named: str) -> str:
        """Return the id of an account that is named, or told by id.

        Raises:
            LabError: there is no such account.
        """
        if named in self.accounts:
            return self.accounts[named].id
        if any(account.id == named for account in self.accounts.values()):
            return named
        raise LabError(
            f"the seed names the account {named!r}, which is not among its accounts",
            "name one of " + (", ".join(self.accounts) or "those under `accounts`"),
        )


def read_seed(document: Any) -> Seed:
    """Read a seed from a JSON document.

    Raises:
        LabError: it is none; the text says where.
    """
    try:
        seed = msgspec.convert(document, Seed)
    except msgspec.ValidationError as error:
        raise LabError(f"the seed is not valid: {error}", "correct it") from None
    made = [one.created for one in seed.instances] + [one.created for one in seed.snapshots]
    for when in (seed.at, *made):
        if when is not None:
            sensible(when)
    return seed


def seed_document(seed: Seed) -> Any:
    """Write a seed as a JSON document."""
    return msgspec.to_builtins(seed)
