"""What the engine does not own of databases that are gone: final snapshots, others' leftovers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from engine.identity.names import location_of
from engine.inventory.records import Location, Snapshot, SnapshotType
from engine.planning.draft import at
from engine.planning.matching import account_names, address_matches
from engine.planning.survey import World
from engine.plans.plan import ForeignOrphan, PlanOptions, SourceRef

_LISTED = frozenset({SnapshotType.MANUAL, SnapshotType.AWS_BACKUP})
_HOPS = 8


def foreign_orphans(world: World, options: PlanOptions) -> list[ForeignOrphan]:
    """Return them by address and age, oldest first.

    A database is gone where the location it lived in was read completely and no location lists
    it. Snapshots that AWS itself makes and removes are not among them.
    """
    names = account_names(world.estate)
    alive = {
        instance.resource_id
        for location in world.locations
        for instance in world.scope(location).instances or ()
    }
    origins = origins_of(world)
    found = [
        orphan
        for (location, resource), snapshots in world.others.items()
        if resource and resource not in alive
        for orphan in _of_one(snapshots, location, world, origins)
        if _is_wanted(orphan.source, options, names)
    ]
    found.sort(key=lambda one: (one.source.address, one.taken_at or world.now, one.arn))
    return found


def _of_one(
    snapshots: Sequence[Snapshot], location: Location, world: World, origins: Mapping[str, str]
) -> Iterator[ForeignOrphan]:
    for snapshot in snapshots:
        home = home_of(snapshot, origins)
        if snapshot.type not in _LISTED or home not in world.locations:
            continue
        if not world.scope(home).is_complete:
            continue
        ref = SourceRef(home.account, home.region, snapshot.instance, snapshot.resource_id)
        yield ForeignOrphan(
            arn=snapshot.arn,
            location=at(location),
            source=ref,
            type=snapshot.type.value,
            taken_at=snapshot.taken_at,
            gib=snapshot.allocated_gib,
        )


def home_of(snapshot: Snapshot, origins: Mapping[str, str]) -> Location:
    """Return where the database of a snapshot lived, as well as records tell.

    AWS names the origin of copies to another account or region only (API reference, DBSnapshot);
    `origins` maps each such copy to what it was made from.
    """
    arn = snapshot.arn
    for _ in range(_HOPS):
        if arn not in origins:
            break
        arn = origins[arn]
    return location_of(arn) or snapshot.location


def _is_wanted(source: SourceRef, options: PlanOptions, names: Mapping[str, str]) -> bool:
    name = names.get(source.account)
    left_out = options.only and not address_matches(options.only, source.address, name)
    return not left_out and not address_matches(options.exclude, source.address, name)


def origins_of(world: World) -> dict[str, str]:
    """Return what each copy that AWS names the origin of was made from, by ARN."""
    return {
        snapshot.arn: snapshot.source_snapshot
        for location in world.locations
        for snapshot in world.scope(location).snapshots or ()
        if snapshot.source_snapshot
    }
