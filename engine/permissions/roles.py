"""What the roles of an account must allow, and whom they must trust."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from engine.documents.model import Account, Estate
from engine.inventory.convert import partition_of
from engine.inventory.records import Location
from engine.permissions.arns import Breadth, key_arns, rds_arns
from engine.permissions.keys import homes_read_by, keys_made_under, role_statements
from engine.permissions.operations import User, actions_of
from engine.permissions.statements import (
    MANAGED_LIMIT,
    Conditions,
    Policy,
    Statement,
    policy_of,
)
from engine.permissions.ways import Ways

ESTATE_TAG = "engine:estate"


class StateBucket(Protocol):
    """Where a team keeps lock and journal; `account` is an account's name."""

    @property
    def account(self) -> str:
        """The account whose role reaches the bucket."""

    @property
    def bucket(self) -> str:
        """Its name."""

    @property
    def region(self) -> str:
        """Where it lies."""

    @property
    def prefix(self) -> str:
        """What keys in it begin with."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one account has to do with an estate.

    `ways` are those of all databases, `instances` and `clusters` those of each kind; `clusters` is
    None where no policy protects any.
    """

    account: Account
    estate: Estate
    ways: Ways
    state: StateBucket | None
    instances: Ways
    clusters: Ways | None = None

    @property
    def places(self) -> tuple[Location, ...]:
        """Where it takes part."""
        return tuple(Location(self.account.id, one) for one in self.ways.regions(self.account.id))


def role_policy(part: Part) -> Policy:
    """Return what changes are made with; with reading where no other role reads."""
    return _fitting(part, _role_statements)


def read_policy(part: Part) -> Policy:
    """Return what is read with: Describe and List only."""
    return _fitting(part, _read_statements)


def trust_policy(account: Account, principal: str) -> Policy:
    """Return whom the roles of an account trust."""
    external = account.external_id
    conditions: Conditions = (
        {"StringEquals": {"sts:ExternalId": external}} if external is not None else {}
    )
    reason = "whoever runs the engine works with this role"
    if external is not None:
        reason += ", and proves with the external id that it means this account"
    return Policy(
        (Statement("EngineAssumesRole", reason, ("sts:AssumeRole",), (), conditions, (principal,)),)
    )


def caller_policy(roles: Iterable[str]) -> Policy:
    """Return what whoever runs the engine needs: to assume the roles."""
    named = tuple(sorted(set(roles)))
    reason = "all reading and changing is done with these roles"
    statement = Statement("AssumeRolesOfEngine", reason, ("sts:AssumeRole",), named)
    return policy_of([statement if named else None])


def _fitting(part: Part, build: Callable[[Part, Breadth], Iterable[Statement]]) -> Policy:
    """Return a policy that names regions, or where that gets too long, names accounts only."""
    listed = policy_of(build(part, Breadth.LISTED))
    return listed if listed.size <= MANAGED_LIMIT else policy_of(build(part, Breadth.ANY))


# -- reading -------------------------------------------------------------------------------------


def _read_statements(part: Part, breadth: Breadth) -> Iterator[Statement]:
    regions = list(part.ways.regions(part.account.id))
    if not regions:
        return
    here: Conditions = {"StringEquals": {"aws:RequestedRegion": regions}}
    for service, sid, reason in (
        ("rds", "ReadDatabases", "plans rest on what databases, snapshots and limits there are"),
        ("ec2", "ReadZones", "RDS tells zones by names that differ between accounts"),
    ):
        yield Statement(sid, reason, actions_of(User.READ_ROLE, service), ("*",), here)
    listing = ("kms:ListAliases",)
    yield Statement("ReadAliases", "documents name keys by their aliases", listing, ("*",), here)
    reading = tuple(one for one in actions_of(User.READ_ROLE, "kms") if one not in listing)
    reason = "a key that is disabled, or AWS's own, is no use for a copy"
    yield Statement("ReadKeys", reason, reading, key_arns(part.places, breadth))


# -- changing ------------------------------------------------------------------------------------


def _role_statements(part: Part, breadth: Breadth) -> Iterator[Statement]:
    if part.places:
        instances = replace(part, ways=part.instances)
        yield from _making(instances, breadth)
        yield from _owned(instances, breadth)
        if part.clusters is not None:
            clusters = replace(part, ways=part.clusters)
            yield from map(_of_clusters, _making(clusters, breadth))
            yield from map(_of_clusters, _owned(clusters, breadth))
        yield from _automated(part, breadth)
        yield from role_statements(part.account.id, part.estate, part.ways, breadth)
    if part.state is not None and part.state.account == part.account.name:
        yield from _state(part.state)
    if part.account.read_role is None:
        yield from _read_statements(part, breadth)


_IN_CLUSTERS = (("DBSnapshot", "DBClusterSnapshot"),)
_RESOURCES = ((":db:", ":cluster:"), (":snapshot:", ":cluster-snapshot:"))


def _of_clusters(statement: Statement) -> Statement:
    """Return a statement on snapshots of instances as one on those of clusters.

    (Service Authorization Reference, Amazon RDS: both have the same actions and conditions.)
    """
    return replace(
        statement,
        sid=statement.sid.replace("Snapshots", "ClusterSnapshots"),
        actions=tuple(_with_words(one, _IN_CLUSTERS) for one in statement.actions),
        resources=tuple(_with_words(one, _RESOURCES) for one in statement.resources),
    )


def _with_words(text: str, words: Iterable[tuple[str, str]]) -> str:
    for one, other in words:
        text = text.replace(one, other)
    return text


def _making(part: Part, breadth: Breadth) -> Iterator[Statement]:
    """Yield what makes snapshots: never without the tag that says whose they are."""
    account, ways = part.account.id, part.ways
    tagged: Conditions = {"StringEquals": {f"aws:RequestTag/{ESTATE_TAG}": part.estate.name}}
    homes = [at for at in ways.homes if at.account == account]
    makes = {key.at for key in keys_made_under(account, part.estate, ways)}
    makes |= {at for at in ways.seeds if at.account == account}
    if homes:
        yield Statement(
            "CreateSnapshots",
            "policies may select databases here",
            ("rds:CreateDBSnapshot",),
            (*rds_arns(homes, "db", breadth), *rds_arns(homes, "snapshot", breadth)),
            tagged,
        )
    if makes:
        origins = homes_read_by(account, part.estate, ways)
        yield Statement(
            "CopySnapshots",
            "copies are made here; AWS asks for the origin as well as for the copy",
            ("rds:CopyDBSnapshot",),
            rds_arns({*makes, *origins}, "snapshot", breadth),
            tagged,
        )
    if homes or makes:
        yield Statement(
            "TagNewSnapshots",
            "what is made is tagged with its making",
            ("rds:AddTagsToResource",),
            rds_arns({*homes, *makes}, "snapshot", breadth),
            tagged,
        )


def _owned(part: Part, breadth: Breadth) -> Iterator[Statement]:
    """Yield what changes and removes snapshots: only those of this estate."""
    ours: Conditions = {"StringEquals": {f"aws:ResourceTag/{ESTATE_TAG}": part.estate.name}}
    snapshots = rds_arns(part.places, "snapshot", breadth)
    yield Statement(
        "TagOwnSnapshots",
        "tags say who may copy a snapshot, and what is known of its zone",
        ("rds:AddTagsToResource", "rds:RemoveTagsFromResource"),
        snapshots,
        ours,
    )
    yield Statement(
        "DeleteOwnSnapshots",
        "what no rule keeps goes; nothing without the estate's tag ever does",
        ("rds:DeleteDBSnapshot",),
        snapshots,
        ours,
    )
    leaving = {way.home for way in part.ways.copies if way.leaves_account}
    shared = [at for at in part.places if at in leaving | part.ways.shared]
    if shared:
        yield Statement(
            "ShareOwnSnapshots",
            "another account copies them, and they are taken back from it afterwards",
            ("rds:ModifyDBSnapshotAttribute",),
            rds_arns(shared, "snapshot", breadth),
            ours,
        )


def _automated(part: Part, breadth: Breadth) -> Iterator[Statement]:
    """Yield what changes instances and their automated backups, as far as policies say so."""
    account, ways = part.account.id, part.ways
    set_up = [at for at in ways.set_up if at.account == account]
    replicated = [at for at in ways.replicated if at.account == account]
    if set_up:
        yield Statement(
            "SetAutomatedBackups",
            "policies say how long RDS keeps its own backups, or when it makes them",
            ("rds:ModifyDBInstance",),
            rds_arns(set_up, "db", breadth),
        )
    failed_back = [at for at in ways.failed_back if at.account == account]
    if failed_back:
        yield Statement(
            "FailBack",
            "policies have databases failed back, each time with an acknowledgement",
            ("rds:RebootDBInstance",),
            rds_arns(failed_back, "db", breadth),
        )
    if replicated:
        yield Statement(
            "ReplicateAutomatedBackups",
            "policies say which region receives them; a region that they drop receives no more",
            (
                "rds:StartDBInstanceAutomatedBackupsReplication",
                "rds:StopDBInstanceAutomatedBackupsReplication",
            ),
            (
                *rds_arns(replicated, "db", breadth),
                *rds_arns(part.places, "auto-backup", breadth),
            ),
        )


def _state(state: StateBucket) -> Iterator[Statement]:
    """Yield what lock and journal need; nothing is ever deleted there."""
    bucket = f"arn:{partition_of(state.region)}:s3:::{state.bucket}"
    below = f"{state.prefix.strip('/')}/*" if state.prefix.strip("/") else "*"
    objects = tuple(one for one in actions_of(User.ROLE, "s3") if one != "s3:ListBucket")
    yield Statement("KeepState", "lock and journal", objects, (f"{bucket}/{below}",))
    # Not by prefix: reading an object has none, and S3 would deny one that is not there yet.
    yield Statement(
        "ListState",
        "runs are found by their names; without this S3 hides what is not there",
        ("s3:ListBucket",),
        (bucket,),
    )
