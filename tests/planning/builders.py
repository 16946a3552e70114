"""Tiny estates, databases and histories for tests of the planner, as values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import astuple, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from engine.documents.model import (
    Account,
    Condition,
    CopyRule,
    Documents,
    Estate,
    Every,
    Policy,
    RegionalTarget,
    Schedule,
    Select,
    SnapshotTerms,
    Target,
    Terms,
    Window,
)
from engine.identity.marks import Marks, Role, fingerprint, key_mark, tags_of
from engine.identity.names import longest_id, snapshot_arn, snapshot_id
from engine.inventory.records import (
    Instance,
    Inventory,
    Key,
    KeyManager,
    Location,
    Quota,
    Scope,
    Snapshot,
    SnapshotType,
)
from engine.planning.plan import make_plan
from engine.plans.plan import GuardState, Plan, PlanOptions, Reason, Step
from engine.retention.keep import Keep

NOW = datetime(2026, 11, 21, 2, 10, tzinfo=UTC)
SLOT = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
DAY = timedelta(days=1)
ESTATE = "acme"
PROD = Location("111111111111", "eu-west-1")
VAULT = Location("222222222222", "eu-west-1")
REMOTE = Location("222222222222", "eu-central-1")
ZONES = {"eu-west-1a": "euw1-az1", "eu-west-1b": "euw1-az2", "eu-west-1c": "euw1-az3"}


def key_arn(location: Location, name: str) -> str:
    return f"arn:aws:kms:{location.region}:{location.account}:key/{name}"


PROD_KEY = key_arn(PROD, "orders")
DEFAULT_KEY = key_arn(PROD, "aws-rds")
REKEY = key_arn(PROD, "backup-share")
VAULT_KEY = key_arn(VAULT, "backups")
REMOTE_KEY = key_arn(REMOTE, "backups")

KEYS = {
    PROD: {
        PROD_KEY: Key(PROD_KEY, aliases=("alias/orders",)),
        DEFAULT_KEY: Key(DEFAULT_KEY, KeyManager.AWS, aliases=("alias/aws/rds",)),
        REKEY: Key(REKEY, aliases=("alias/backup-share",)),
    },
    VAULT: {VAULT_KEY: Key(VAULT_KEY, aliases=("alias/backups",))},
    REMOTE: {REMOTE_KEY: Key(REMOTE_KEY, aliases=("alias/backups",))},
}


def an_instance(identifier: str = "orders-1", **changes: Any) -> Instance:
    """A Multi-AZ PostgreSQL database in prod: primary in a, standby in b."""
    instance = Instance(
        arn=f"arn:aws:rds:{PROD.region}:{PROD.account}:db:{identifier}",
        location=PROD,
        identifier=identifier,
        resource_id=f"db-{identifier.upper()}",
        engine="postgres",
        multi_az=True,
        availability_zone="eu-west-1a",
        secondary_zone="eu-west-1b",
        encrypted=True,
        kms_key=PROD_KEY,
        allocated_gib=100,
        tags={"tier": "gold"},
    )
    return replace(instance, **changes)


def a_cluster(identifier: str = "ledger", **changes: Any) -> Instance:
    """An Aurora cluster in prod, under a key of its own account."""
    cluster = Instance(
        arn=f"arn:aws:rds:{PROD.region}:{PROD.account}:cluster:{identifier}",
        location=PROD,
        identifier=identifier,
        resource_id=f"cluster-{identifier.upper()}",
        engine="aurora-postgresql",
        encrypted=True,
        kms_key=PROD_KEY,
        allocated_gib=1,
        tags={"tier": "gold"},
    )
    return replace(cluster, **changes)


def failed_over(instance: Instance) -> Instance:
    return replace(
        instance,
        availability_zone=instance.secondary_zone,
        secondary_zone=instance.availability_zone,
    )


def an_account(name: str, location: Location, **changes: Any) -> Account:
    account = Account(name, location.account, (location.region,), rekey="alias/backup-share")
    return replace(account, **changes)


def an_estate(**changes: Any) -> Estate:
    """Prod and vault, with targets `local` and `remote` in vault."""
    estate = Estate(
        ESTATE,
        accounts={"prod": an_account("prod", PROD), "vault": an_account("vault", VAULT)},
        targets={
            "local": Target("local", "vault", VAULT.region, "alias/backups"),
            "remote": Target("remote", "vault", REMOTE.region, "alias/backups"),
            "near": RegionalTarget("near", {PROD.region: "local"}),
        },
    )
    return replace(estate, **changes)


DAILY = Schedule(Every(DAY), Window(120, 300))


def terms(keep: Keep | None = None, copies: Iterable[CopyRule] = (), **changes: Any) -> Terms:
    """Daily at two, UTC; keeps the last three unless told otherwise."""
    snapshots = SnapshotTerms(
        schedule=changes.pop("schedule", DAILY),
        keep=Keep(last=3) if keep is None else keep,
        copies=tuple(copies),
        **{k: changes.pop(k) for k in ("tags", "incremental", "source", "made_of") if k in changes},
    )
    return Terms(timezone=changes.pop("timezone", ZoneInfo("UTC")), snapshots=snapshots, **changes)


def a_policy(name: str = "gold", **changes: Any) -> Policy:
    """A policy that takes everything tagged tier=<its name>."""
    select = changes.pop("select", Select(Condition(tags={"tier": (name,)})))
    return Policy(name, select, **({"terms": terms()} | changes))


def documents(*policies: Policy, estate: Estate | None = None) -> Documents:
    return Documents(
        estate or an_estate(), {policy.name: policy for policy in policies}, "sha256:test"
    )


def marks(
    instance: Instance,
    slot: datetime,
    *,
    role: Role = Role.PRIMARY,
    policy: str = "gold",
    zone: str = "euw1-az2",
    keys: tuple[str | None, ...] = (PROD_KEY,),
    **changes: Any,
) -> Marks:
    origin = None
    if role is not Role.PRIMARY:
        origin = snapshot_arn(
            instance.arn, PROD, _name(instance, slot, Role.PRIMARY, policy, zone, PROD)
        )
    made = Marks(
        estate=ESTATE,
        policy=policy,
        slot=slot,
        role=role,
        resource=instance.resource_id,
        source=instance.arn,
        volume=instance.resource_id,
        zone=zone,
        keys=tuple(key_mark(key, encrypted=key is not None) for key in keys),
        origin=origin,
        zone_checked=True,
    )
    return replace(made, **changes)


def _name(
    instance: Instance, slot: datetime, role: Role, policy: str, zone: str, location: Location
) -> str:
    proof = fingerprint(ESTATE, role, location, instance.resource_id, policy, slot)
    most = longest_id(instance.arn)
    return snapshot_id(instance.identifier, policy, slot, zone, proof, most)


def a_snapshot(
    instance: Instance,
    slot: datetime,
    location: Location = PROD,
    *,
    status: str = "available",
    made_at: datetime | None = None,
    taken_at: datetime | None = None,
    record: Mapping[str, Any] | None = None,
    **mark_changes: Any,
) -> Snapshot:
    """An owned snapshot of `instance`; a primary unless role says otherwise."""
    if location != PROD:
        own_key = VAULT_KEY if location == VAULT else REMOTE_KEY
        mark_changes.setdefault("role", Role.COPY)
        mark_changes.setdefault("keys", (PROD_KEY, own_key))
    if mark_changes.get("role") is Role.BRIDGE:
        mark_changes.setdefault("keys", (DEFAULT_KEY, REKEY))
    found = marks(instance, slot, **mark_changes)
    identifier = _name(instance, slot, found.role, found.policy, found.zone, location)
    kms_key = mark_changes.get("keys", (PROD_KEY,))[-1]
    snapshot = Snapshot(
        arn=snapshot_arn(instance.arn, location, identifier),
        location=location,
        identifier=identifier,
        instance=instance.identifier,
        resource_id=instance.resource_id,
        type=SnapshotType.MANUAL,
        status=status,
        engine=instance.engine,
        created_at=(made_at or slot + timedelta(minutes=10)) if status != "creating" else None,
        original_created_at=taken_at or slot + timedelta(minutes=10),
        availability_zone=instance.availability_zone,
        encrypted=kms_key is not None,
        kms_key=kms_key,
        allocated_gib=instance.allocated_gib,
        tags=tags_of(found),
    )
    return replace(snapshot, **(record or {}))


def a_foreign_snapshot(instance: Instance, taken_at: datetime, **changes: Any) -> Snapshot:
    """A snapshot that somebody else made by hand."""
    snapshot = Snapshot(
        arn=snapshot_arn(instance.arn, instance.location, "by-hand"),
        location=instance.location,
        identifier="by-hand",
        instance=instance.identifier,
        resource_id=instance.resource_id,
        type=SnapshotType.MANUAL,
        status="available",
        created_at=taken_at,
        original_created_at=taken_at,
        availability_zone=instance.availability_zone,
        encrypted=instance.encrypted,
        kms_key=instance.kms_key,
        allocated_gib=instance.allocated_gib,
    )
    return replace(snapshot, **changes)


def inventory(
    instances: Iterable[Instance] = (),
    snapshots: Iterable[Snapshot] = (),
    *,
    quotas: Mapping[Location, Quota] | None = None,
    scopes: Mapping[Location, Mapping[str, Any]] | None = None,
    locations: Iterable[Location] = (PROD, VAULT, REMOTE),
) -> Inventory:
    """What is there; `scopes` changes single locations (status, cause, keys, …)."""
    instances, snapshots = list(instances), list(snapshots)
    read = {}
    for location in locations:
        scope = Scope(
            location,
            instances=tuple(i for i in instances if i.location == location),
            snapshots=tuple(s for s in snapshots if s.location == location),
            keys=KEYS.get(location, {}),
            quota=(quotas or {}).get(location),
            zones=ZONES if location.region == "eu-west-1" else {},
        )
        read[location] = replace(scope, **(scopes or {}).get(location, {}))
    return Inventory(read, recorded=True)


def plan(docs: Documents, found: Inventory, now: datetime = NOW, **options: Any) -> Plan:
    """The plan, to which the verifier has no objection and which says of each object one thing."""
    made = make_plan(docs, found, now, PlanOptions(**options))
    assert not made.findings, made.findings
    told = Counter([one.arn for one in made.kept] + sorted(deleted(made)))
    assert set(told.values()) <= {1}, told.most_common(3)
    return made


def ids(found: Iterable[Step]) -> list[str]:
    """What the steps do, as `action identifier-front location`."""
    return [f"{step.action.value} {step.location.account}/{step.location.region}" for step in found]


def step_of(found: Plan, action: str, location: Location | None = None) -> Step:
    """The one step with this action (at this location)."""
    only = steps(found, action, location)
    assert len(only) == 1, [step.id for step in found.steps]
    return only[0]


def ago(days: float, slot: datetime = SLOT) -> datetime:
    """The slot so many days before the one that is due now."""
    return slot - timedelta(days=days)


def daily(
    instance: Instance, days: Iterable[int], location: Location = PROD, **changes: Any
) -> list[Snapshot]:
    """One snapshot for each slot so many `days` ago."""
    return [a_snapshot(instance, ago(day), location, **changes) for day in days]


def steps(found: Plan, action: str, location: Location | None = None) -> list[Step]:
    """The steps with this action (at this location)."""
    return [
        step
        for step in found.steps
        if step.action.value == action
        and (
            location is None
            or (step.location.account, step.location.region) == (location.account, location.region)
        )
    ]


def deleted(found: Plan) -> set[str]:
    """The ARNs that the plan deletes."""
    return {step.arn for step in steps(found, "delete_snapshot")}


def kept(found: Plan, snapshot: Snapshot) -> list[str]:
    """The codes of what keeps a snapshot; empty where the plan does not keep it."""
    return [reason.code for one in found.kept if one.arn == snapshot.arn for reason in one.reasons]


def waits(found: Plan, location: Location | None = None) -> list[str]:
    """The codes of what waits (at a location)."""
    return [
        one.code
        for one in found.waiting
        if location is None or (one.location.account, one.location.region) == astuple(location)
    ]


def origin_of(step: Step) -> str:
    """The ARN that a copy step reads."""
    return str(step.parameters["SourceDBSnapshotIdentifier"])


def held_back(found: Plan) -> dict[str, str]:
    """The ids of the steps that are withheld, and by what."""
    return {step.id: step.withheld_by for step in found.steps if step.withheld_by is not None}


def reasons(found: Plan, snapshot: Snapshot) -> dict[str, Reason]:
    """What keeps a snapshot, by code."""
    return {
        reason.code: reason
        for one in found.kept
        if one.arn == snapshot.arn
        for reason in one.reasons
    }


def guard(found: Plan, name: str) -> GuardState:
    """The one state of a guard that tripped."""
    states = [state for state in found.guards if state.guard == name and state.tripped]
    assert len(states) == 1, found.guards
    return states[0]


def delete_of(found: Plan, snapshot: Snapshot) -> Step:
    """The step that deletes a snapshot."""
    return next(step for step in steps(found, "delete_snapshot") if step.arn == snapshot.arn)


def witnesses(step: Step) -> list[tuple[str, str]]:
    """What a delete asks for in place of its victim, as (check, ARN)."""
    return [(one.check.value, one.arn) for one in step.preconditions if one.arn != step.arn]
