"""Databases that take every route there is, and the documents that send them on it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import msgspec

from engine.lab.estates import IRELAND, PROD, ROLES, VAULT, zones_of
from engine.lab.seeds import AccountSeed, InstanceSeed, KeySeed, Seed, read_seed, seed_document

FRANKFURT = "eu-central-1"

DATABASE = partial(
    InstanceSeed,
    "prod",
    IRELAND,
    backup_window="22:00-22:30",
    maintenance_window="sun:06:00-sun:06:30",
)
ORDERS = DATABASE(
    "orders-1",
    multi_az=True,
    zones=("eu-west-1a", "eu-west-1b"),
    key="alias/orders",
    tags={"to": "both"},
)
DEFAULT_KEY = DATABASE("legacy-1", engine="mysql", key="aws/rds", tags={"to": "near"})
DEFAULT_KEY_TO_BOTH = DATABASE("ledger-1", key="aws/rds", tags={"to": "both"})
UNENCRYPTED = DATABASE("wiki-1", engine="mysql", tags={"to": "near"})

DOCUMENTS = """\
version: 1
kind: estate
name: acme
account_defaults:
  role: backup-engine
  read_role: backup-reader
  rekey: alias/backup-share
  regions: [eu-west-1]
accounts:
  prod: {id: "111111111111"}
  vault: {id: "222222222222", regions: [eu-west-1, eu-central-1]}
targets:
  near: {account: vault, region: eu-west-1, key: alias/backups}
  far: {account: vault, region: eu-central-1, key: alias/backups}
defaults:
  snapshots:
    schedule: {every: 1d, window: "02:00-05:00"}
    retention: {keep: {last: 2}}
---
version: 1
kind: policy
name: near
select: {tags: {to: near}}
snapshots:
  copies: [{target: near}]
---
version: 1
kind: policy
name: both
select: {tags: {to: both}}
snapshots:
  copies: [{target: near}, {target: far}]
"""


@dataclass(frozen=True, slots=True)
class Alias:
    """A key by the place it lies in and the name it has there."""

    account: str
    region: str
    name: str


SHARING = Alias(PROD, IRELAND, "alias/backup-share")
NEAR = Alias(VAULT, IRELAND, "alias/backups")
FAR = Alias(VAULT, FRANKFURT, "alias/backups")


def estate_of(*databases: InstanceSeed) -> object:
    """Return the seed of the estate that `DOCUMENTS` governs, with these databases."""
    everywhere = {
        IRELAND: zones_of(IRELAND, 1, 2, 3),
        FRANKFURT: zones_of(FRANKFURT, 2, 3, 1),
    }
    seed = Seed(
        accounts={
            "prod": AccountSeed(PROD, zones={IRELAND: zones_of(IRELAND, 3, 1, 2)}, roles=ROLES),
            "vault": AccountSeed(VAULT, zones=everywhere, roles=ROLES),
        },
        keys=(
            KeySeed("prod", IRELAND, "alias/orders", usable_by=("vault",)),
            KeySeed("prod", IRELAND, SHARING.name, usable_by=("vault",)),
            KeySeed("vault", IRELAND, NEAR.name),
            KeySeed("vault", FRANKFURT, FAR.name),
        ),
        instances=databases,
    )
    document: object = seed_document(seed)
    return document


def with_keys(document: object, *keys: KeySeed) -> object:
    """Return a seed with these keys instead of its own."""
    found: object = seed_document(msgspec.structs.replace(read_seed(document), keys=keys))
    return found
