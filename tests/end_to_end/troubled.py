"""Estates with one trouble each, in accounts of their own, so that all share one lab."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from engine.identity.marks import Marks, Role, fingerprint, key_mark, tags_of
from engine.identity.names import derived_id, snapshot_arn, snapshot_id
from engine.inventory.records import Location
from engine.lab.estates import IRELAND, ROLES, zones_of
from engine.lab.process import LabProcess
from engine.lab.seeds import AccountSeed, InstanceSeed, KeySeed, Seed, SnapshotSeed, seed_document
from tests.end_to_end.estates import FRANKFURT
from tests.end_to_end.harness import World, seen_from, working_folder

TONIGHT = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
DAY = timedelta(days=1)
ZONE = "euw1-az1"
NAMES = ("prod", "vault", "spare")
ENGINE_ONLY: dict[str, str | None] = {"backup-engine": None}

DOCUMENTS = """\
version: 1
kind: estate
name: acme
account_defaults: {{role: backup-engine, read_role: backup-reader, regions: [eu-west-1]}}
accounts:
  prod: {{id: "{prod}"{rekey}}}
  vault: {{id: "{vault}", regions: [eu-west-1, eu-central-1]}}
  spare: {{id: "{spare}"}}
targets:
  vault: {{account: vault, region: eu-west-1, key: alias/backups}}
  spare: {{account: spare, region: eu-west-1, key: alias/backups}}
  far: {{account: vault, region: eu-central-1, key: alias/backups}}
  other-key: {{account: vault, region: eu-west-1, key: alias/other}}
  no-key: {{account: vault, region: eu-west-1, key: alias/nothing}}
defaults:
  snapshots:
    schedule: {{every: 1d, window: "02:00-05:00"}}
    retention: {{keep: {{daily: 35}}}}
guards: {guards}
---
version: 1
kind: policy
name: gold
select: {{tags: {{tier: gold}}}}
snapshots: {{copies: [{{target: vault}}, {{target: spare}}]}}
---
version: 1
kind: policy
name: apart
select: {{tags: {{tier: apart}}}}
snapshots: {{copies: [{{target: vault}}]}}
---
version: 1
kind: policy
name: odd
select: {{tags: {{tier: odd}}}}
snapshots: {odd}
"""
RIVAL = """\
---
version: 1
kind: policy
name: rival
select: {tags: {tier: odd}}
snapshots: {copies: [{target: vault}]}
"""

HOMES = {"healthy": "prod", "troubled": "prod", "elsewhere": "spare"}
TIERS = {"healthy": "gold", "troubled": "odd", "elsewhere": "apart"}
EVERYTHING = frozenset(
    {
        "healthy@prod", "healthy@vault", "healthy@spare",
        "troubled@prod", "troubled@vault",
        "elsewhere@spare", "elsewhere@vault",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Terms:
    """What the documents and the seed of a trouble have that others have not.

    `days` are the nights ago of which the odd database has points at home, `vault_days` in the
    vault; `vault_key` is the alias its copies there are under, `pin` what its points at home are
    pinned for.
    """

    odd: str = "{copies: [{target: vault}]}"
    guards: str = "{min_points: 1}"
    more: str = ""
    rekey: str = ""
    odd_key: str | None = "alias/orders"
    days: tuple[int, ...] = (3, 2, 1)
    vault_days: tuple[int, ...] = (3, 2, 1)
    vault_key: str = "alias/backups"
    pin: str | None = None
    roles: Mapping[str, dict[str, str | None]] = field(default_factory=dict)


@dataclass(frozen=True)
class Scene:
    """One estate in the lab: three accounts, two targets, two databases that are well, one odd."""

    lab: LabProcess
    number: int
    terms: Terms
    world: World

    def account(self, name: str) -> str:
        """The id of an account; those of other scenes are others."""
        return f"{NAMES.index(name) + 1}{self.number:011d}"

    def name_of(self, account: str) -> str:
        """The name of an account of this scene."""
        return NAMES[int(account[0]) - 1]

    def points(self, slot: datetime) -> set[str]:
        """Whose points of a slot are where, as boto3 shows the engine's available objects."""
        written = slot.strftime("%Y-%m-%dT%H:%M:%SZ")
        return {
            f"{one.instance}@{self.name_of(one.account)}"
            for one in self._seen()
            if one.slot == written and one.status == "available" and one.role != "bridge"
        }

    def arns(self) -> set[str]:
        """Everything that is there."""
        return {one.arn for one in self._seen()}

    def _seen(self) -> Iterator[Any]:
        for name in NAMES:
            for region in (IRELAND, FRANKFURT):
                listed = self.world.rds(self.account(name), region).describe_db_snapshots()
                for one in listed["DBSnapshots"]:
                    yield seen_from(one, None)


def staged(lab: LabProcess, folder: Path, number: int, terms: Terms) -> Scene:
    """Put an estate with a history into the lab."""
    ids = {name: f"{place + 1}{number:011d}" for place, name in enumerate(NAMES)}
    text = DOCUMENTS.format(**ids, guards=terms.guards, odd=terms.odd, rekey=terms.rekey)
    world = World(lab, working_folder(folder, text + terms.more), ids["prod"])
    lab.client.seed(seed_document(_Planting(ids, terms).seed()))
    return Scene(lab, number, terms, world)


@dataclass(frozen=True)
class _Planting:
    ids: Mapping[str, str]
    terms: Terms

    def seed(self) -> Seed:
        """Everything that the estate starts from."""
        zones = {IRELAND: zones_of(IRELAND, 1, 2, 3), FRANKFURT: zones_of(FRANKFURT, 1, 2, 3)}
        return Seed(
            accounts={
                name: AccountSeed(
                    self.ids[name], zones=zones, roles=self.terms.roles.get(name, ROLES)
                )
                for name in NAMES
            },
            keys=tuple(self._keys()),
            instances=tuple(self._instances()),
            snapshots=tuple(self._history()),
        )

    def _keys(self) -> Iterator[KeySeed]:
        key = partial(self._key, usable_by=("vault", "spare"))
        yield key("prod", "alias/orders")
        yield key("spare", "alias/orders")
        yield self._key("prod", "alias/private")
        yield self._key("prod", "alias/odd", usable_by=("vault",))
        for name in ("vault", "spare"):
            yield self._key(name, "alias/backups")
        yield self._key("vault", "alias/other")
        yield self._key("vault", "alias/backups", region=FRANKFURT)

    def _key(
        self, account: str, alias: str, region: str = IRELAND, usable_by: tuple[str, ...] = ()
    ) -> KeySeed:
        found = self._key_id(account, alias, region)
        return KeySeed(account, region, alias, usable_by=usable_by, id=found)

    def _arn(self, account: str, alias: str) -> str:
        found = self._key_id(account, alias, IRELAND)
        return f"arn:aws:kms:{IRELAND}:{self.ids[account]}:key/{found}"

    def _key_id(self, account: str, alias: str, region: str) -> str:
        return str(uuid5(NAMESPACE_URL, f"{self.ids[account]}/{region}/{alias}"))

    def _instances(self) -> Iterator[InstanceSeed]:
        for name, home in HOMES.items():
            yield InstanceSeed(
                home, IRELAND, name,
                zones=("eu-west-1a",),
                key=self.terms.odd_key if name == "troubled" else "alias/orders",
                tags={"tier": TIERS[name]},
                backup_window="22:00-22:30",
                maintenance_window="sun:06:00-sun:06:30",
                resource_id=self._resource(name),
            )  # fmt: skip

    def _resource(self, name: str) -> str:
        return f"db-{name.upper()}{self.ids['prod']}"

    def _history(self) -> Iterator[SnapshotSeed]:
        yield from self._points("healthy", (3, 2, 1), {"vault": (3, 2, 1), "spare": (3, 2, 1)})
        yield from self._points("elsewhere", (3, 2, 1), {"vault": (3, 2, 1)})
        if self.terms.odd_key == "alias/orders":
            yield from self._points("troubled", self.terms.days, {"vault": self.terms.vault_days})

    def _points(
        self, name: str, days: Iterable[int], copies: Mapping[str, Iterable[int]]
    ) -> Iterator[SnapshotSeed]:
        there = set(days)
        for day in sorted(there | {day for found in copies.values() for day in found})[::-1]:
            primary = self._primary(name, TONIGHT - day * DAY)
            arn, seed = primary
            yield seed if day in there else SnapshotSeed(**_fields(seed), deleted=True)
            for target, found in copies.items():
                if day in found:
                    yield self._copy(name, TONIGHT - day * DAY, target, arn, seed.identifier)

    def _marks(self, name: str, slot: datetime, role: Role, keys: tuple[str, ...]) -> Marks:
        home = self.ids[HOMES[name]]
        resource = self._resource(name)
        return Marks(
            "acme", TIERS[name], slot, role, resource,
            f"arn:aws:rds:{IRELAND}:{home}:db:{name}",
            resource, ZONE, tuple(key_mark(key) for key in keys), zone_checked=True,
        )  # fmt: skip

    def _primary(self, name: str, slot: datetime) -> tuple[str, SnapshotSeed]:
        home = HOMES[name]
        at = Location(self.ids[home], IRELAND)
        marks = self._marks(name, slot, Role.PRIMARY, (self._arn(home, "alias/orders"),))
        marks = replace(marks, pin=self.terms.pin if name == "troubled" else None)
        proof = fingerprint("acme", marks.role, at, marks.resource, marks.policy, slot)
        identifier = snapshot_id(name, marks.policy, slot, ZONE, proof)
        seed = SnapshotSeed(
            home, IRELAND, identifier, slot + timedelta(minutes=5), instance=name,
            zones=("eu-west-1a",), tags=tags_of(marks),
        )  # fmt: skip
        return snapshot_arn("arn:aws:rds", at, identifier), seed

    def _copy(self, name: str, slot: datetime, target: str, origin: str, like: str) -> SnapshotSeed:
        alias = self.terms.vault_key if name == "troubled" else "alias/backups"
        at = Location(self.ids[target], IRELAND)
        keys = (self._arn(HOMES[name], "alias/orders"), self._arn(target, alias))
        marks = replace(self._marks(name, slot, Role.COPY, keys), origin=origin)
        proof = fingerprint("acme", marks.role, at, marks.resource, marks.policy, slot)
        return SnapshotSeed(
            target, IRELAND, derived_id(like, proof), slot + timedelta(minutes=20),
            copy_of=origin, key=keys[-1], tags=tags_of(marks),
        )  # fmt: skip


def _fields(seed: SnapshotSeed) -> dict[str, Any]:
    return {name: getattr(seed, name) for name in seed.__struct_fields__ if name != "deleted"}


def planned_id(scene: Scene, action: str, database: str) -> str:
    """The id that tonight's plan gives a point of a database."""
    (found,) = (
        step["snapshot"]
        for step in scene.world.planned()["steps"]
        if (step["action"], step["source"]["identifier"]) == (action, database)
    )
    return str(found)
