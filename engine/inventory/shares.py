"""With whom snapshots are shared: a call per snapshot at its owner, a listing at recipients.

Importing this loads botocore.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from engine.aws import rds
from engine.aws.clients import Clients
from engine.aws.errors import AwsError
from engine.inventory.live import MOST_THREADS
from engine.inventory.records import Inventory, Location, Scope, Snapshot

NOBODY: frozenset[str] = frozenset()


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
        for snapshot in scope.snapshots or ()
        if snapshot.arn in wanted
    ]
    places = [at for at, scope in inventory.scopes.items() if scope.snapshots is not None]
    with ThreadPoolExecutor(MOST_THREADS) as pool:
        answers = list(pool.map(reading.shares, snapshots))
        listings = dict(zip(places, pool.map(reading.listing, places), strict=True))
    readers = {s.arn: who for s, who in zip(snapshots, answers, strict=True) if who is not None}
    return replace(
        inventory,
        scopes={
            at: _known(scope, readers, listings.get(at)) for at, scope in inventory.scopes.items()
        },
        notes=(*inventory.notes, *sorted(reading.notes)),
    )


def _known(
    scope: Scope, readers: dict[str, frozenset[str]], listing: tuple[Snapshot, ...] | None
) -> Scope:
    snapshots = scope.snapshots
    if snapshots is not None:
        snapshots = tuple(
            replace(one, shared_with=readers[one.arn]) if one.arn in readers else one
            for one in snapshots
        )
    return replace(scope, snapshots=snapshots, shared=scope.shared if listing is None else listing)


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
            client = self._clients.rds(at)
            return rds.accounts_that_may_restore(client, at, snapshot.identifier)
        except AwsError as error:
            if error.code.startswith("DBSnapshotNotFound"):
                return NOBODY
            self.notes.add(f"{at}: shares not known: {error.cause}")
            return None

    def listing(self, at: Location) -> tuple[Snapshot, ...] | None:
        """Return what other accounts share with a location."""
        self._pace(at)
        try:
            return rds.list_shared_snapshots(self._clients.rds(at), at)
        except AwsError as error:
            self.notes.add(f"{at}: what others share with it is not known: {error.cause}")
            return None
