"""A small estate to break promises in: one database, its points at home and in a vault.

Points are daily, numbered from 1 (the oldest) to 4; point 5 is due. At home the newest two stay,
in the vault the newest three.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from engine.documents.model import (
    Account,
    Condition,
    CopyRule,
    Documents,
    Estate,
    Orphans,
    Policy,
    RegionalTarget,
    Retire,
    Select,
    SnapshotTerms,
    Target,
    Terms,
)
from engine.identity.marks import Marks, Role, fingerprint, tags_of
from engine.identity.names import snapshot_arn
from engine.inventory.records import (
    Instance,
    Inventory,
    Location,
    Scope,
    ScopeStatus,
    Snapshot,
    SnapshotType,
)
from engine.plans.codes import EFFECTS, Action
from engine.plans.plan import At, Finding, Reason, SourceRef, Step
from engine.retention.keep import Keep
from engine.retention.spans import Span
from engine.verifying.verify import verify

HOME = Location("111111111111", "eu-west-1")
AWAY = Location("111111111111", "eu-central-1")
VAULT = Location("222222222222", "eu-west-1")
FAR = Location("222222222222", "eu-central-1")
OUTSIDE = Location("999999999999", "eu-west-1")
ORDERS = "arn:aws:rds:eu-west-1:111111111111:db:orders"
KEY = "aaaaaaaa"
VAULT_KEY = "bbbbbbbb"
NOTHING: Mapping[str, Any] = MappingProxyType({})
NOW = datetime(2026, 11, 21, 2, 10, tzinfo=UTC)


def day(number: float) -> datetime:
    """Slot `number`; 5 is due now."""
    return datetime(2026, 11, 21, 2, tzinfo=UTC) - timedelta(days=5 - number)


ESTATE = Estate(
    name="acme",
    accounts={
        "prod": Account("prod", HOME.account, (HOME.region, AWAY.region)),
        "vault": Account("vault", VAULT.account, (VAULT.region,)),
    },
    targets={
        "local": Target("local", "vault", VAULT.region, "alias/backups"),
        "remote": Target("remote", "vault", FAR.region, "alias/backups"),
        "near": RegionalTarget("near", {HOME.region: "local", AWAY.region: "nowhere"}),
    },
)
GOLD = Policy(
    name="gold",
    select=Select(Condition(identifiers=("orders*",))),
    terms=Terms(
        snapshots=SnapshotTerms(
            keep=Keep(last=2), copies=(CopyRule(target="local", keep=Keep(last=3)),)
        ),
        orphans=Orphans(keep_for=Span(days=30), keep_last=1),
    ),
)
DATABASE = Instance(
    arn=ORDERS,
    location=HOME,
    identifier="orders",
    resource_id="db-ORDERS",
    engine="postgres",
    tags={"tier": "gold"},
)


def snapshots_of(policy: Policy, **changes: Any) -> Policy:
    """The policy with other terms for snapshots."""
    snapshots = replace(policy.terms.snapshots, **changes)
    return replace(policy, terms=replace(policy.terms, snapshots=snapshots))


def terms_of(policy: Policy, **changes: Any) -> Policy:
    """The policy with other terms."""
    return replace(policy, terms=replace(policy.terms, **changes))


def marks(slot: datetime, role: Role = Role.PRIMARY, **changes: Any) -> Marks:
    """What the engine's tags say of an object of the database."""
    plain = Marks(
        estate="acme",
        policy="gold",
        slot=slot,
        role=role,
        resource="db-ORDERS",
        source=ORDERS,
        volume="db-ORDERS",
        zone="euw1-az1",
        keys=(KEY, VAULT_KEY) if role is Role.COPY else (KEY,),
        zone_checked=True,
    )
    return replace(plain, **changes)


def found(marked: Marks, location: Location, **changes: Any) -> Snapshot:
    """An owned snapshot with these marks, as AWS would list it at a location."""
    identifier, arn = named(marked, location)
    plain = Snapshot(
        arn=arn,
        location=location,
        identifier=identifier,
        instance="orders",
        resource_id="db-ORDERS",
        type=SnapshotType.MANUAL,
        status="available",
        engine="postgres",
        created_at=marked.slot,
        original_created_at=marked.slot,
        tags=tags_of(marked),
    )
    return replace(plain, **changes)


def named(marked: Marks, location: Location) -> tuple[str, str]:
    """The id and the ARN that the engine gives to an object with these marks."""
    proof = fingerprint(
        marked.estate, marked.role, location, marked.resource, marked.policy, marked.slot
    )
    identifier = f"orders-{marked.policy}-{marked.slot:%Y%m%dt%H%Mz}-{marked.role}-{proof}"
    return identifier, snapshot_arn(ORDERS, location, identifier)


def primary(number: float, **changes: Any) -> Snapshot:
    """The primary of a point."""
    return found(marks(day(number), **changes), HOME)


def copy(number: float, **changes: Any) -> Snapshot:
    """The copy of a point in the vault."""
    changes = {"origin": named(marks(day(number)), HOME)[1], **changes}
    return found(marks(day(number), Role.COPY, **changes), VAULT)


def step(
    action: Action,
    snapshot: Snapshot,
    after: Sequence[Step] = (),
    parameters: Mapping[str, Any] = NOTHING,
) -> Step:
    """A step about a snapshot, done after others."""
    return Step(
        id=f"{action}:{snapshot.location}/{snapshot.identifier}",
        action=action,
        actions=(EFFECTS[action],),
        policy="gold",
        arn=snapshot.arn,
        source=SourceRef(HOME.account, HOME.region, "orders", "db-ORDERS"),
        slot=None,
        location=At(snapshot.location.account, snapshot.location.region),
        snapshot=snapshot.identifier,
        parameters=parameters,
        reason=Reason("test", "for the test"),
        depends_on=tuple(other.id for other in after),
    )


def delete(snapshot: Snapshot, *after: Step) -> Step:
    """Deletes a snapshot."""
    return step(Action.DELETE, snapshot, after)


def create(number: float, **changes: Any) -> Step:
    """Makes the primary of a point."""
    made = primary(number, **{"zone_checked": False, **changes})
    parameters = {
        "DBInstanceIdentifier": "orders",
        "DBSnapshotIdentifier": made.identifier,
        "Tags": made.tags,
    }
    return step(Action.CREATE, made, parameters=parameters)


def copying(origin: Snapshot | Step, made: Snapshot, *after: Step) -> Step:
    """Makes `made` from `origin`, which hands its zone on."""
    tags = {name: text for name, text in made.tags.items() if not name.startswith("engine:az")}
    parameters = {
        "SourceDBSnapshotIdentifier": origin.arn,
        "TargetDBSnapshotIdentifier": made.identifier,
        "Tags": tags,
        "TagsFromOrigin": ["engine:az", "engine:az-checked"],
    }
    return step(Action.COPY, made, after, parameters)


@dataclass
class Scene:
    """What exists and what the documents say; tests change it, then ask what is found."""

    snapshots: list[Snapshot] = field(
        default_factory=lambda: [
            *(primary(number) for number in (1, 2, 3, 4)),
            *(copy(number) for number in (1, 2, 3, 4)),
        ]
    )
    instances: list[Instance] = field(default_factory=lambda: [DATABASE])
    policies: list[Policy] = field(default_factory=lambda: [GOLD])
    estate: Estate = ESTATE
    unread: set[Location] = field(default_factory=set)

    def retire(self, *retire: Retire) -> None:
        """Let the estate retire what these name."""
        self.estate = replace(self.estate, retire=retire)

    def change(self, snapshot: Snapshot, **changes: Any) -> Snapshot:
        """Change the record of a snapshot."""
        changed = replace(snapshot, **changes)
        self.snapshots = [changed if one == snapshot else one for one in self.snapshots]
        return changed

    def inventory(self) -> Inventory:
        """What reading this scene gives."""
        return Inventory(
            {location: self._scope(location) for location in (HOME, AWAY, VAULT, FAR)},
            recorded=False,
        )

    def verify(self, inventory: Inventory, *steps: Step) -> tuple[Finding, ...]:
        """What the verifier says of a plan of these steps and an inventory."""
        policies: Mapping[str, Policy] = {policy.name: policy for policy in self.policies}
        return verify(steps, Documents(self.estate, policies), inventory, NOW)

    def broken(self, *steps: Step) -> list[int]:
        """The promises that a plan of these steps would break."""
        return sorted({finding.promise for finding in self.verify(self.inventory(), *steps)})

    def _scope(self, location: Location) -> Scope:
        if location in self.unread:
            return Scope(location, ScopeStatus.FAILED, "no answer")
        return Scope(
            location,
            instances=tuple(one for one in self.instances if one.location == location),
            snapshots=tuple(one for one in self.snapshots if one.location == location),
        )
