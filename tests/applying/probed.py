"""The cloud in memory, with roles and keys that can be asked about."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from engine.applying.outcome import RunOutcome, StepResult
from engine.applying.ports import CloudError, Trouble
from engine.applying.preflight import Preflight
from engine.aws.roles import Purpose
from engine.aws.sts import Caller
from engine.identity.marks import Role, fingerprint
from engine.identity.names import derived_id, snapshot_arn
from engine.inventory.records import Key, KeyManager, Location
from engine.plans.plan import Plan, Step
from tests.applying.stage import Stage
from tests.applying.world import ESTATE, HOME, FakeCloud, Point, copy_of, copy_step

ORDERS = "arn:aws:kms:eu-west-1:111111111111:key/orders"
SHARING = "arn:aws:kms:eu-west-1:111111111111:key/sharing"
VAULTED = "arn:aws:kms:eu-west-1:222222222222:key/k"
AWAYED = "arn:aws:kms:eu-central-1:222222222222:key/a"


@dataclass
class ProbedCloud(FakeCloud):
    """Everything may be used unless a test says otherwise; every question is counted.

    Attributes:
        keys: by ARN or alias, what all who ask see.
        denied: roles that nobody may take.
        unreachable: accounts whose questions meet throttling, however often they are asked.
        strangers: accounts whose credentials belong to another one.
        shut: pairs of account and key that the account may not even look at.
    """

    keys: dict[str, Key | None] = field(default_factory=dict)
    denied: set[tuple[str, Purpose]] = field(default_factory=set)
    unreachable: set[str] = field(default_factory=set)
    strangers: dict[str, str] = field(default_factory=dict)
    shut: set[tuple[str, str]] = field(default_factory=set)
    asked: list[tuple[str, str]] = field(default_factory=list)
    guard: threading.Lock = field(default_factory=threading.Lock)

    def role(self, at: Location, purpose: Purpose) -> str | None:
        return f"arn:aws:iam::{at.account}:role/{purpose.value}"

    def caller(self, at: Location, purpose: Purpose) -> Caller:
        self._ask("caller", f"{at.account}/{purpose.value}", at)
        if (at.account, purpose) in self.denied:
            raise CloudError(Trouble.DENIED, "AccessDenied", "not authorized: sts:AssumeRole")
        account = self.strangers.get(at.account, at.account)
        return Caller(account, f"arn:aws:sts::{account}:assumed-role/{purpose.value}/engine")

    def key(self, at: Location, reference: str, purpose: Purpose) -> Key | None:
        self._ask("key", f"{at} {reference}", at)
        if (at.account, reference) in self.shut:
            raise CloudError(Trouble.DENIED, "AccessDeniedException", "kms:DescribeKey")
        return self.keys.get(reference, Key(reference))

    def _ask(self, question: str, about: str, at: Location) -> None:
        with self.guard:
            self.asked.append((question, about))
        if at.account in self.unreachable:
            raise CloudError(Trouble.THROTTLED, "ThrottlingException", "Rate exceeded")


class ProbedStage(Stage):
    """A stage whose runs begin with a preflight."""

    def __init__(self) -> None:
        super().__init__()
        self.probes = ProbedCloud(self.clock)
        self.cloud = self.probes

    def preflight(self, plan: Plan) -> tuple[StepResult, ...]:
        """Return what is settled before a run of the plan."""
        from engine.applying.listings import Listings

        listings = Listings(self.cloud, self.clock, self.traffic)
        return Preflight(self.probes, listings, self.clock, self.problems).results(plan)

    def fly(self, plan: Plan) -> RunOutcome:
        """Run a plan after its preflight."""
        return self.run(plan, already=self.preflight(plan))


def bridge_of(origin: Point) -> Point:
    """Return the re-encrypted copy, beside its origin, that a route needs."""
    marks = replace(
        origin.marks, role=Role.BRIDGE, keys=(*origin.marks.keys, "cccccccc"), origin=origin.arn
    )
    proof = fingerprint(ESTATE, Role.BRIDGE, HOME, marks.resource, marks.policy, marks.slot)
    name = derived_id(origin.identifier, proof)
    return Point(snapshot_arn(origin.arn, HOME, name), name, HOME, marks)


def under(step: Step, key: str) -> Step:
    """Return a copy step with another key."""
    return replace(step, parameters={**step.parameters, "KmsKeyId": key})


def copy_to(origin: Point, at: Location, key: str, *depends_on: Step) -> tuple[Point, Step]:
    """Return a copy of an object and the step that makes it."""
    point = copy_of(origin, at)
    return point, under(copy_step(point, *depends_on), key)


def own_key(arn: str) -> Key:
    """Return a key that AWS manages."""
    return Key(arn, manager=KeyManager.AWS)


def told(results: Sequence[StepResult]) -> dict[str, str]:
    """Return the states of results by the first word of their steps and where they are."""
    return {
        f"{one.step.id.partition(':')[0]} {one.step.location.region}": one.state.value
        for one in results
    }
