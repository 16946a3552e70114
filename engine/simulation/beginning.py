"""The world that a simulation begins with: an inventory's, or one of databases that are made up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from engine.documents.model import Documents, Target
from engine.documents.scene import DEFAULT_QUOTA, Fleet, MadeUp
from engine.identity.marks import ORIGIN, owned_marks
from engine.inventory.records import (
    Instance,
    Inventory,
    Key,
    KeyManager,
    Location,
    Quota,
    Scope,
    Snapshot,
    SnapshotState,
    SnapshotType,
)
from engine.simulation.settings import Settings
from engine.simulation.things import Flight, Place, key_arn, resource_id
from engine.simulation.world import World


def made_up_inventory(documents: Documents, fleets: Sequence[Fleet], start: datetime) -> Inventory:
    """Return what would be read of an estate that holds nothing but made-up databases.

    Every key that documents and databases name exists, managed by the customer but for
    `alias/aws/…`; zones have the same names in all accounts.
    """
    homes = [(one, _home(one, documents)) for fleet in fleets for one in fleet.databases]
    instances: dict[Location, list[Instance]] = {at: [] for at in _locations(documents)}
    for made_up, at in homes:
        instances.setdefault(at, []).extend(_instances(made_up, at, start))
    quotas = _quotas(documents, fleets)
    keys = _keys(documents, [(one.key, at) for one, at in homes if one.key is not None])
    scopes = {
        at: Scope(
            at,
            instances=tuple(found),
            snapshots=(),
            keys={arn: key for arn, key in keys.items() if _is_at(arn, at)},
            quota=Quota(0, quotas.get(at, DEFAULT_QUOTA)),
            zones=_zones(at.region),
        )
        for at, found in instances.items()
    }
    return Inventory(scopes, recorded=False, taken_at=start)


def world_of(inventory: Inventory, settings: Settings) -> World:
    """Return the world that an inventory shows; what is on its way there arrives in due time."""
    places = {
        at: Place(
            replace(scope, instances=_known(scope.instances), snapshots=_known(scope.snapshots))
        )
        for at, scope in inventory.scopes.items()
    }
    world = World(places, settings)
    for scope in inventory.scopes.values():
        world.instances.update({one.arn: one for one in scope.instances or ()})
        world.snapshots.update({one.arn: one for one in scope.snapshots or ()})
    return world


def take_off(world: World, estate: str, now: datetime) -> None:
    """Let what was found on its way go on: how long it has been so, nobody knows.

    What others have on its way to places of their own is taken for arrived.
    """
    for arn, snapshot in list(world.snapshots.items()):
        if snapshot.state is not SnapshotState.IN_PROGRESS:
            continue
        if snapshot.type is SnapshotType.AUTOMATED or owned_marks(snapshot, estate) is not None:
            world.flights[arn] = _flight(snapshot, world.settings, now)
        else:
            created = snapshot.created_at or now
            world.snapshots[arn] = replace(snapshot, status="available", created_at=created)


def _flight(snapshot: Snapshot, settings: Settings, now: datetime) -> Flight:
    origin = snapshot.source_snapshot or snapshot.tags.get(ORIGIN)
    is_copy = snapshot.status != "creating"
    takes = settings.create
    if is_copy:
        near = origin is None or f":{snapshot.location.region}:" in origin
        takes = settings.copy if near else settings.cross_region
    return Flight(
        snapshot.arn, now, now + takes, snapshot.location, snapshot.resource_id, is_copy=is_copy
    )


def _known(found: tuple[object, ...] | None) -> tuple[()] | None:
    """Return an empty tuple for what is known: what is played is put in at each reading."""
    return None if found is None else ()


# -- databases that are made up ------------------------------------------------------------------


def _home(made_up: MadeUp, documents: Documents) -> Location:
    accounts = documents.estate.accounts
    account = accounts.get(made_up.account)
    return Location(made_up.account if account is None else account.id, made_up.region)


def _instances(made_up: MadeUp, at: Location, start: datetime) -> Iterator[Instance]:
    zones = made_up.zones or (f"{at.region}a",)
    window = made_up.backup_window
    for name in made_up.names():
        yield Instance(
            arn=f"arn:aws:rds:{at.region}:{at.account}:db:{name}",
            location=at,
            identifier=name,
            resource_id=resource_id(at, name, 0),
            engine=made_up.engine,
            multi_az=len(zones) > 1,
            availability_zone=zones[0],
            secondary_zone=zones[1] if len(zones) > 1 else None,
            encrypted=made_up.key is not None,
            kms_key=None if made_up.key is None else _arn_of(made_up.key, at),
            allocated_gib=made_up.gib,
            backup_retention_days=made_up.backup_days,
            backup_window=None if window is None else str(window),
            created_at=start,
            tags=dict(made_up.tags),
        )


def _locations(documents: Documents) -> Iterator[Location]:
    accounts = documents.estate.accounts
    for account in accounts.values():
        for region in account.regions:
            yield Location(account.id, region)
    for target in documents.estate.targets.values():
        if isinstance(target, Target):
            yield Location(accounts[target.account].id, target.region)


def _keys(documents: Documents, used: Iterable[tuple[str, Location]]) -> Mapping[str, Key]:
    wanted = list(used)
    accounts = documents.estate.accounts
    for target in documents.estate.targets.values():
        if isinstance(target, Target):
            wanted.append((target.key, Location(accounts[target.account].id, target.region)))
    for account in accounts.values():
        if account.rekey is not None:
            wanted += [(account.rekey, Location(account.id, region)) for region in account.regions]
    return {_arn_of(key, at): _key(key, at) for key, at in wanted}


def _key(reference: str, at: Location) -> Key:
    aliases = () if ":key/" in reference else (reference,)
    manager = KeyManager.AWS if reference.startswith("alias/aws/") else KeyManager.CUSTOMER
    return Key(_arn_of(reference, at), manager, aliases=aliases)


def _arn_of(reference: str, at: Location) -> str:
    return reference if ":key/" in reference else key_arn(at, reference)


def _is_at(arn: str, at: Location) -> bool:
    return f":{at.region}:{at.account}:" in arn


def _quotas(documents: Documents, fleets: Iterable[Fleet]) -> dict[Location, int]:
    accounts = documents.estate.accounts
    found: dict[Location, int] = {}
    for fleet in fleets:
        for one in fleet.quotas:
            account = accounts.get(one.account)
            at = Location(one.account if account is None else account.id, one.region)
            found[at] = one.manual_snapshots
    return found


def _zones(region: str) -> Mapping[str, str]:
    """Return ids for the zones of a region, as AWS forms them: `euw1-az1` for `eu-west-1a`."""
    front, *middle, number = region.split("-")
    short = f"{front}{''.join(word[0] for word in middle)}{number}"
    return {f"{region}{letter}": f"{short}-az{count}" for count, letter in enumerate("abcdef", 1)}
