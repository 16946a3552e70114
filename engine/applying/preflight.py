"""Before the first change: can roles and keys do what the plan's steps need of them?

Only what is certain counts. What cannot be asked is a problem of the run, and the steps are tried
all the same: making backups comes first.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

from engine.applying import needs
from engine.applying.ledger import Problems
from engine.applying.listings import Listings
from engine.applying.needs import Fault, KeyNeed, KeyQuestion, RoleNeed
from engine.applying.outcome import BUG, Problem, StepResult
from engine.applying.ports import Clock, CloudError, Probes, Trouble
from engine.applying.retries import Patience, persist
from engine.applying.serving import settled
from engine.aws.roles import Purpose
from engine.identity.names import location_of
from engine.inventory.records import Key, Location, kind_of
from engine.plans.codes import Action
from engine.plans.plan import Plan, Step

MOST_THREADS = 16
INCOMPLETE = "preflight_incomplete"
HOW_TO_ALLOW = "`engine iam-policy` prints what roles and keys must allow"
# The clients retry by themselves.
ASKING = Patience(attempts=2, seconds=30.0)

Question = TypeVar("Question")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class _Told(Generic[Answer]):
    """An answer; what could not be asked has none."""

    answer: Answer


@dataclass(frozen=True, slots=True)
class Preflight:
    """Asks, and says which steps of a plan cannot be done.

    Every question is asked once: who one is, per account and role; what a key is like, per key
    and account that has to use it. `listings` are those that the steps will look at anyway.
    """

    probes: Probes
    listings: Listings
    clock: Clock
    problems: Problems

    def results(self, plan: Plan) -> tuple[StepResult, ...]:
        """Return what is settled before the first change: steps that fail, and what served them."""
        steps = [step for step in plan.steps if step.withheld_by is None]
        faults = self._by_role(steps)
        able = [step for step in steps if step.id not in faults]
        faults |= self._by_key(able, plan.steps)
        failed = [faults[step.id].result(step) for step in steps if step.id in faults]
        return settled(failed, plan.steps)

    # -- roles -------------------------------------------------------------------------------

    def _by_role(self, steps: Sequence[Step]) -> dict[str, Fault]:
        places: dict[RoleNeed, Location] = {}
        for step in steps:
            for need, at in needs.roles_of(step):
                places.setdefault(need, at)
        told = self._ask(places, lambda need: self._role_fault(need, places[need]))
        faults = {need: one.answer for need, one in told.items() if one.answer is not None}
        return {
            step.id: found[0]
            for step in steps
            if (found := [faults[need] for need, _ in needs.roles_of(step) if need in faults])
        }

    def _role_fault(self, need: RoleNeed, at: Location) -> Fault | None:
        """Return why a role cannot be worked with.

        Raises:
            CloudError: nobody can tell now.
        """
        try:
            caller = self._persist(lambda: self.probes.caller(at, need.purpose))
        except CloudError as error:
            if error.trouble is not Trouble.DENIED:
                raise
            return Fault(
                needs.ROLE_UNUSABLE,
                f"{self._role(need, at)} cannot be used: {error}",
                "let its trust policy name whoever runs the engine, with the external id if one is"
                " set; `engine iam-policy` prints both",
            )
        if caller.account == need.account:
            return None
        return Fault(
            needs.ROLE_UNUSABLE,
            f"{self._role(need, at)} cannot be used: {caller.arn} is of account {caller.account}",
            "name a `role` of this account in the documents",
        )

    def _role(self, need: RoleNeed, at: Location) -> str:
        verb = "reads" if need.purpose is Purpose.READ else "changes"
        try:
            role = self.probes.role(at, need.purpose)
        except CloudError as error:
            role = f"({error})"
        name = f"role {role}" if role else "the engine's own identity"
        return f"{name}, which {verb} account {need.account},"

    # -- keys --------------------------------------------------------------------------------

    def _by_key(self, steps: Sequence[Step], all_steps: Sequence[Step]) -> dict[str, Fault]:
        origins = self._origins(steps, all_steps)
        wanted = {
            step.id: needs.keys_of(step, origins.get(needs.origin_of(step) or "")) for step in steps
        }
        faults: dict[str, Fault] = {}
        for name, found in wanted.items():
            for need in found:
                fault = needs.elsewhere(need)
                if fault is not None:
                    faults.setdefault(name, fault)
        asked = [need for name, found in wanted.items() if name not in faults for need in found]
        told = self._ask({need.question: need.question.at for need in asked}, self._key)
        for name, found in wanted.items():
            for need in found:
                fault = _fault(need, told)
                if fault is not None:
                    faults.setdefault(name, fault)
        return faults

    def _key(self, question: KeyQuestion) -> Key | None:
        return self._persist(
            lambda: self.probes.key(question.at, question.reference, question.purpose)
        )

    def _origins(
        self, steps: Sequence[Step], all_steps: Sequence[Step]
    ) -> dict[str, KeyQuestion | None]:
        """Return the keys of what steps copy and share, by the ARN of the object."""
        makers = {step.arn: step for step in all_steps if step.action in _MAKES}
        places: dict[str, Location] = {}
        for step in steps:
            arn = needs.origin_of(step)
            at = location_of(arn) if arn else None
            if arn and at:
                places[arn] = at
        told = self._ask(places, lambda arn: self._origin(arn, places[arn], makers.get(arn)))
        return {arn: one.answer for arn, one in told.items()}

    def _origin(self, arn: str, at: Location, maker: Step | None) -> KeyQuestion | None:
        """Return which key an object is, or will be, encrypted under."""
        if maker is not None and maker.action is Action.COPY:
            made_under = needs.keys_of(maker, None)
            return made_under[0].question if made_under else None
        if maker is not None:
            arn = needs.instance_of(maker) or ""
            instance = self.listings.instances(at, kind=kind_of(arn)).get(arn)
            key = instance.kms_key if instance else None
        else:
            found = self.listings.snapshots(at, kind=kind_of(arn)).records.get(arn)
            key = found.kms_key if found else None
        # Keys of other accounts are their owners' to describe.
        own = key is not None and f":{at.region}:{at.account}:" in key
        return KeyQuestion(at, key, Purpose.READ) if key is not None and own else None

    # -- asking ------------------------------------------------------------------------------

    def _ask(
        self, places: Mapping[Question, Location], ask: Callable[[Question], Answer]
    ) -> dict[Question, _Told[Answer]]:
        """Ask all questions at once; note what gets no answer."""
        told: dict[Question, _Told[Answer]] = {}
        if not places:
            return told
        with ThreadPoolExecutor(min(MOST_THREADS, len(places))) as pool:
            asked = {question: pool.submit(ask, question) for question in places}
        for question, future in asked.items():
            error = future.exception()
            if error is None:
                told[question] = _Told(future.result())
            else:
                self._note(question, places[question], error)
        return told

    def _note(self, question: object, at: Location, error: BaseException) -> None:
        if isinstance(error, CloudError):
            text = f"{_words(question)} could not be checked, so it is tried: {error}"
            if error.trouble is Trouble.DENIED:
                text += f"; {HOW_TO_ALLOW}"
            self.problems.add(Problem(INCOMPLETE, str(at), text))
        else:
            story = "".join(traceback.format_exception(error)).rstrip()
            self.problems.add(Problem(BUG, str(at), f"a bug of the engine:\n{story}"))

    def _persist(self, call: Callable[[], Answer]) -> Answer:
        return persist(call, self.clock, ASKING, may_go_on=lambda: True)


_MAKES = frozenset({Action.CREATE, Action.COPY})


def _fault(need: KeyNeed, told: Mapping[KeyQuestion, _Told[Key | None]]) -> Fault | None:
    one = told.get(need.question)
    return None if one is None else needs.fault_of(need, one.answer)


def _words(question: object) -> str:
    match question:
        case RoleNeed(account, purpose):
            return f"the role that {'reads' if purpose is Purpose.READ else 'changes'} {account}"
        case KeyQuestion(at, reference, _):
            return f"whether {at.account} may use key {reference}"
        case _:
            return f"the key of {question}"
