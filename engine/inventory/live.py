"""Reading what exists from AWS, all locations of an estate at once.

Importing this loads botocore.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from engine.aws import ec2, kms, rds, rds_clusters, sts
from engine.aws.clients import Clients
from engine.aws.errors import AwsError
from engine.documents.model import Estate, Target
from engine.inventory.bulk import collector_paused
from engine.inventory.records import (
    AutomatedBackup,
    Clusters,
    Instance,
    Inventory,
    Key,
    Kind,
    Location,
    Scope,
    ScopeStatus,
    Snapshot,
)

if TYPE_CHECKING:
    from mypy_boto3_rds.client import RDSClient

Part = TypeVar("Part")

# RDS keeps events for 14 days (RDS User Guide, Viewing Amazon RDS events); a minute's grace for
# clocks that differ.
EVENTS_REACH_BACK = timedelta(days=14) - timedelta(minutes=1)
MOST_THREADS = 16


def clients_of(estate: Estate) -> Clients:
    """Return clients for the accounts of an estate."""
    return Clients(estate.name, estate.accounts.values())


def locations_of(estate: Estate) -> tuple[Location, ...]:
    """Return every location of an estate: regions of accounts, and where its targets lie."""
    found = {
        Location(account.id, region)
        for account in estate.accounts.values()
        for region in account.regions
    }
    found |= {
        Location(estate.accounts[target.account].id, target.region)
        for target in estate.targets.values()
        if isinstance(target, Target)
    }
    return tuple(sorted(found))


def read_live(
    estate: Estate,
    clients: Clients,
    now: datetime,
    kinds: frozenset[Kind] = frozenset({Kind.INSTANCE}),
) -> Inventory:
    """Read all locations of an estate.

    Nothing that AWS refuses raises: a location whose instances or snapshots cannot be listed is
    FAILED with its cause, and what else could not be read of a location is None, with a note.

    Args:
        estate: whose accounts, regions and targets are read.
        clients: made by `clients_of`.
        now: the time of the run; becomes `taken_at`.
        kinds: DB clusters are read only where they are among these; instances always are.
    """
    locations = locations_of(estate)
    homes: dict[str, list[Location]] = {}
    for at in locations:
        homes.setdefault(at.account, []).append(at)
    with collector_paused(), ThreadPoolExecutor(_threads(locations)) as pool:
        strangers = dict(
            zip(
                homes,
                pool.map(lambda places: _wrong_account(clients, places), homes.values()),
                strict=True,
            )
        )
        readings = list(
            pool.map(
                lambda at: _LocationReading(clients, at, now, kinds).read(strangers[at.account]),
                locations,
            )
        )
    return Inventory(
        scopes={scope.location: scope for scope, _ in readings},
        recorded=False,
        taken_at=now,
        notes=tuple(note for _, notes in readings for note in notes),
    )


def _threads(locations: Iterable[Location]) -> int:
    return max(1, min(MOST_THREADS, len(tuple(locations))))


def _wrong_account(clients: Clients, places: Sequence[Location]) -> str | None:
    """Return why the credentials for an account cannot be its own, None where they are.

    An account read with another one's credentials would look as if all its databases were gone.
    Whichever of its regions answers can tell: one that is down makes none of the others unread.
    """
    cause = None
    for at in places:
        try:
            caller = sts.read_caller(clients.sts(at))
        except AwsError as error:
            cause = cause or error.cause
            if error.may_be_the_region:
                continue
            return cause
        if caller.account == at.account:
            return None
        return f"the credentials for it, {caller.arn}, belong to account {caller.account}"
    return cause


class _LocationReading:
    """Reads one location, keeping what works apart from what does not."""

    def __init__(
        self, clients: Clients, at: Location, now: datetime, kinds: frozenset[Kind]
    ) -> None:
        self._clients = clients
        self._at = at
        self._now = now
        self._kinds = kinds
        self._causes: list[str] = []
        self._notes: list[str] = []
        self._hidden: frozenset[str] = frozenset()

    def read(self, wrong_account: str | None) -> tuple[Scope, tuple[str, ...]]:
        """Return what there is, and notes on what is missing."""
        if wrong_account is not None:
            return Scope(self._at, ScopeStatus.FAILED, wrong_account), ()
        at, clients = self._at, self._clients
        try:
            client = clients.rds(at)
        except AwsError as error:
            return Scope(at, ScopeStatus.FAILED, error.cause), ()
        instances = self._essential(lambda: rds.list_instances(client, at))
        snapshots = self._essential(lambda: rds.list_snapshots(client, at))
        if instances is None and snapshots is None:
            # Each further call to a region that is down would take as long as these.
            return Scope(at, ScopeStatus.FAILED, "; ".join(self._causes)), ()
        automated = self._optional(
            "automated backups", lambda: rds.list_automated_backups(client, at)
        )
        clusters = self._clusters(client) if Kind.CLUSTER in self._kinds else Clusters()
        databases = (*(instances or ()), *(clusters.clusters or ()))
        objects = (*(snapshots or ()), *(clusters.snapshots or ()))
        keys = self._optional("keys", lambda: self._keys(databases, objects, automated or ()))
        quotas = self._optional("snapshot quota", lambda: rds.read_quotas(client, at)) or {}
        scope = Scope(
            location=at,
            status=ScopeStatus.FAILED if self._causes else ScopeStatus.OK,
            cause="; ".join(self._causes) or None,
            instances=instances,
            snapshots=snapshots,
            keys=keys,
            quota=quotas.get(Kind.INSTANCE),
            zones=self._optional("zone ids", lambda: ec2.read_zones(clients.ec2(at), at)),
            events=self._optional("events", lambda: rds.list_events(client, at, self._since)),
            hidden_keys=self._hidden,
            automated=automated,
            clusters=replace(clusters, quota=quotas.get(Kind.CLUSTER))
            if Kind.CLUSTER in self._kinds
            else None,
        )
        return scope, tuple(self._notes)

    def _clusters(self, client: RDSClient) -> Clusters:
        """Read DB clusters and their snapshots; what fails makes nothing else unread."""
        causes: list[str] = []
        clusters = self._essential(lambda: rds_clusters.list_clusters(client, self._at), causes)
        snapshots = self._essential(lambda: rds_clusters.list_snapshots(client, self._at), causes)
        return Clusters(clusters, snapshots, cause="; ".join(causes) or None)

    @property
    def _since(self) -> datetime:
        return self._now - EVENTS_REACH_BACK

    def _keys(
        self,
        instances: Iterable[Instance],
        snapshots: Iterable[Snapshot],
        automated: Iterable[AutomatedBackup],
    ) -> Mapping[str, Key]:
        used = {key for i in instances if (key := i.kms_key)}
        used |= {key for s in snapshots if (key := s.kms_key)}
        used |= {key for a in automated if (key := a.kms_key)}
        keys, refusals = kms.read_keys(self._clients.kms(self._at), self._at, used)
        self._hidden = frozenset(refusals)
        self._notes += [
            f"{self._at}: a key is not known: {refusal.cause}" for refusal in refusals.values()
        ]
        return keys

    def _essential(self, read: Callable[[], Part], causes: list[str] | None = None) -> Part | None:
        try:
            return read()
        except AwsError as error:
            (self._causes if causes is None else causes).append(error.cause)
            return None

    def _optional(self, what: str, read: Callable[[], Part]) -> Part | None:
        try:
            return read()
        except AwsError as error:
            self._notes.append(f"{self._at}: {what} not known: {error.cause}")
            return None
