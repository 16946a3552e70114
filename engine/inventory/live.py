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
from engine.identity.marks import owned_marks
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
        kinds: DB clusters are read if they are among these, or if a policy that is gone left
            snapshots of some; instances always are.
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
        readings = [_LocationReading(clients, at, now, estate.name, kinds) for at in locations]
        scopes = list(pool.map(lambda one: one.read(strangers[one.at.account]), readings))
    if any(one.has_left_clusters for one in readings):
        # What lives at one location is needed to tell about copies at another.
        return read_live(estate, clients, now, kinds | {Kind.CLUSTER})
    return Inventory(
        scopes={scope.location: scope for scope in scopes},
        recorded=False,
        taken_at=now,
        notes=tuple(note for one in readings for note in one.notes),
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
    """Reads one location, keeping what works apart from what does not.

    Attributes:
        at: the location.
        notes: what is missing.
        has_left_clusters: that there are snapshots which a policy of clusters made that is gone.
    """

    def __init__(
        self, clients: Clients, at: Location, now: datetime, estate: str, kinds: frozenset[Kind]
    ) -> None:
        self._clients = clients
        self.at = at
        self._now = now
        self._estate = estate
        self._kinds = kinds
        self._causes: list[str] = []
        self.notes: list[str] = []
        self.has_left_clusters = False
        self._hidden: frozenset[str] = frozenset()

    def read(self, wrong_account: str | None) -> Scope:
        """Return what there is; call it once."""
        if wrong_account is not None:
            return Scope(self.at, ScopeStatus.FAILED, wrong_account)
        at, clients = self.at, self._clients
        try:
            client = clients.rds(at)
        except AwsError as error:
            return Scope(at, ScopeStatus.FAILED, error.cause)
        # In this order: the zones of a database tell where its snapshot was taken only if they are
        # read after it was seen to be there.
        snapshots = self._essential(lambda: rds.list_snapshots(client, at))
        instances = self._essential(lambda: rds.list_instances(client, at))
        if instances is None and snapshots is None:
            # Each further call to a region that is down would take as long as these.
            return Scope(at, ScopeStatus.FAILED, "; ".join(self._causes))
        automated = self._optional(
            "automated backups", lambda: rds.list_automated_backups(client, at)
        )
        wanted = Kind.CLUSTER in self._kinds
        clusters = self._clusters(client) if wanted else Clusters()
        self.has_left_clusters = not wanted and self._finds_left_clusters(client)
        databases = (*(instances or ()), *(clusters.clusters or ()))
        objects = (*(snapshots or ()), *(clusters.snapshots or ()))
        keys = self._optional("keys", lambda: self._keys(databases, objects, automated or ()))
        quotas = self._optional("snapshot quota", lambda: rds.read_quotas(client, at)) or {}
        return Scope(
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
            clusters=replace(clusters, quota=quotas.get(Kind.CLUSTER)) if wanted else None,
        )

    def _finds_left_clusters(self, client: RDSClient) -> bool:
        found = self._optional(
            "snapshots of DB clusters",
            lambda: rds_clusters.list_snapshots(client, self.at, "manual"),
        )
        return any(owned_marks(one, self._estate) is not None for one in found or ())

    def _clusters(self, client: RDSClient) -> Clusters:
        """Read DB clusters and their snapshots; what fails makes nothing else unread."""
        causes: list[str] = []
        snapshots = self._essential(lambda: rds_clusters.list_snapshots(client, self.at), causes)
        clusters = self._essential(lambda: rds_clusters.list_clusters(client, self.at), causes)
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
        keys, refusals = kms.read_keys(self._clients.kms(self.at), self.at, used)
        self._hidden = frozenset(refusals)
        self.notes += [
            f"{self.at}: a key is not known: {refusal.cause}" for refusal in refusals.values()
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
            self.notes.append(f"{self.at}: {what} not known: {error.cause}")
            return None
