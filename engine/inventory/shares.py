"""With whom snapshots are shared: a call per snapshot at its owner, a listing at recipients.

Importing this loads botocore.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from engine.aws import rds, rds_clusters
from engine.aws.clients import Clients
from engine.aws.errors import AwsError
from engine.inventory.live import MOST_THREADS
from engine.inventory.records import (
    NOT_READ,
    Inventory,
    Kind,
    Location,
    Scope,
    Snapshot,
    kind_of,
)

NOBODY: frozenset[str] = frozenset()
_READERS = {
    Kind.INSTANCE: rds.accounts_that_may_restore,
    Kind.CLUSTER: rds_clusters.accounts_that_may_restore,
}
_LISTINGS = {
    Kind.INSTANCE: rds.list_shared_snapshots,
    Kind.CLUSTER: rds_clusters.list_shared_snapshots,
}


def with_shares(
    inventory: Inventory,
    clients: Clients,
    asked: Collection[str],
    pace: Callable[[Location], object],
) -> Inventory:
    """Return an inventory in which it is known with whom the snapshots `asked` are shared.

    What others share with each location is listed too. Nothing that AWS refuses raises: what could
    not be read stays None, with a note.

    Args:
        inventory: what exists.
        clients: of the estate's accounts.
        asked: ARNs of snapshots; each costs a DescribeDBSnapshotAttributes.
        pace: waits until a call to a location may be made.
    """
    reading = _Reading(clients, pace)
    wanted = frozenset(asked)
    snapshots = [
        snapshot
        for scope in inventory.scopes.values()
        for snapshot in (*(scope.snapshots or ()), *((scope.clusters or NOT_READ).snapshots or ()))
        if snapshot.arn in wanted
    ]
    places = [
        (at, kind)
        for kind in Kind
        for at, scope in inventory.scopes.items()
        if scope.of(kind).snapshots is not None
    ]
    with ThreadPoolExecutor(MOST_THREADS) as pool:
        answers = list(pool.map(reading.shares, snapshots))
        listings = dict(zip(places, pool.map(reading.listing, places), strict=True))
    readers = {s.arn: who for s, who in zip(snapshots, answers, strict=True) if who is not None}
    return replace(
        inventory,
        scopes={at: _known(scope, readers, listings) for at, scope in inventory.scopes.items()},
        notes=(*inventory.notes, *sorted(reading.notes)),
    )


def _known(
    scope: Scope,
    readers: Mapping[str, frozenset[str]],
    listings: Mapping[tuple[Location, Kind], tuple[Snapshot, ...] | None],
) -> Scope:
    at, clusters = scope.location, scope.clusters
    listing = listings.get((at, Kind.INSTANCE))
    if clusters is not None:
        shared = listings.get((at, Kind.CLUSTER))
        clusters = replace(
            clusters,
            snapshots=_with_readers(clusters.snapshots, readers),
            shared=clusters.shared if shared is None else shared,
        )
    return replace(
        scope,
        snapshots=_with_readers(scope.snapshots, readers),
        shared=scope.shared if listing is None else listing,
        clusters=clusters,
    )


def _with_readers(
    snapshots: tuple[Snapshot, ...] | None, readers: Mapping[str, frozenset[str]]
) -> tuple[Snapshot, ...] | None:
    if snapshots is None:
        return None
    return tuple(
        replace(one, shared_with=readers[one.arn]) if one.arn in readers else one
        for one in snapshots
    )


class _Reading:
    """Reads what it can; `notes` say what it could not, each once."""

    def __init__(self, clients: Clients, pace: Callable[[Location], object]) -> None:
        self._clients = clients
        self._pace = pace
        self.notes: set[str] = set()

    def shares(self, snapshot: Snapshot) -> frozenset[str] | None:
        """Return who may restore a snapshot; one that is gone by now is shared with nobody."""
        at = snapshot.location
        self._pace(at)
        try:
            read = _READERS[kind_of(snapshot.arn)]
            return read(self._clients.rds(at), at, snapshot.identifier)
        except AwsError as error:
            if error.code.startswith(("DBSnapshotNotFound", "DBClusterSnapshotNotFound")):
                return NOBODY
            self.notes.add(f"{at}: shares not known: {error.cause}")
            return None

    def listing(self, place: tuple[Location, Kind]) -> tuple[Snapshot, ...] | None:
        """Return what other accounts share with a location, of one kind of databases."""
        at, kind = place
        self._pace(at)
        try:
            return _LISTINGS[kind](self._clients.rds(at), at)
        except AwsError as error:
            self.notes.add(f"{at}: what others share with it is not known: {error.cause}")
            return None
