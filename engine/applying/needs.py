"""What steps need before anything is changed for them: roles, and keys of KMS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from engine.applying.outcome import StepResult, StepState
from engine.aws.roles import Purpose
from engine.identity.names import location_of
from engine.inventory.records import Key, KeyManager, Location
from engine.plans.codes import Action, Check
from engine.plans.parameters import names_for
from engine.plans.plan import Step

KEY_UNUSABLE = "key_unusable"
ROLE_UNUSABLE = "role_unusable"


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a step cannot be done, and what to do about it."""

    code: str
    text: str
    fix: str

    def result(self, step: Step) -> StepResult:
        """Return what becomes of a step by it."""
        return StepResult(step, StepState.FAILED, self.text, self.code, self.fix)


@dataclass(frozen=True, slots=True, order=True)
class RoleNeed:
    """A role of an account, for a purpose."""

    account: str
    purpose: Purpose


@dataclass(frozen=True, slots=True, order=True)
class KeyQuestion:
    """A key, by ARN or alias, as the role for `purpose` of an account sees it in a region."""

    at: Location
    reference: str
    purpose: Purpose


class Use(Enum):
    """What a step does with a key."""

    ENCRYPT = auto()
    """A copy is encrypted under it."""
    DECRYPT = auto()
    """What is copied is encrypted under it."""
    SHARE = auto()
    """What is shared is encrypted under it."""
    REACH = auto()
    """Another account decrypts with it. Whether it may is not certain before it tries."""


@dataclass(frozen=True, slots=True)
class KeyNeed:
    """A key that a step needs, and for what; `about` is the object that is encrypted under it."""

    use: Use
    question: KeyQuestion
    about: str


def roles_of(step: Step) -> tuple[tuple[RoleNeed, Location], ...]:
    """Return the roles that a step works with, each with a place to try it at.

    Changes are made with the role of the step's own account; preconditions are checked with the
    reading roles of all accounts that they are about.
    """
    at = at_of(step)
    read = {at, *(place for one in step.preconditions if (place := location_of(one.arn)))}
    places = {RoleNeed(at.account, Purpose.CHANGE): at}
    for place in sorted(read):
        places.setdefault(RoleNeed(place.account, Purpose.READ), place)
    return tuple(places.items())


def origin_of(step: Step) -> str | None:
    """Return the ARN of what a step copies or shares."""
    if step.action is Action.SHARE:
        return step.arn
    return _text(step, names_for(step.arn).origin) if step.action is Action.COPY else None


def keys_of(step: Step, origin: KeyQuestion | None) -> tuple[KeyNeed, ...]:
    """Return the keys that a step needs.

    Args:
        step: any step; creates need none, since RDS snapshots an encrypted instance by itself.
        origin: the key of what it copies or shares, None where that is not encrypted, or where
            nobody here can tell.
    """
    needs: list[KeyNeed] = []
    key = _text(step, "KmsKeyId") if step.action in _ENCRYPTING else None
    if key is not None:
        question = KeyQuestion(at_of(step), key, Purpose.CHANGE)
        needs.append(KeyNeed(Use.ENCRYPT, question, step.snapshot or step.source.identifier))
    if origin is None:
        return tuple(needs)
    about = (origin_of(step) or "").rpartition(":")[2]
    if step.action is Action.SHARE:
        needs.append(KeyNeed(Use.SHARE, origin, about))
    if step.action is Action.COPY:
        needs.append(KeyNeed(Use.DECRYPT, origin, about))
        if step.location.account != origin.at.account:
            needs.append(KeyNeed(Use.SHARE, origin, about))
            if is_arn(origin.reference):
                there = Location(step.location.account, origin.at.region)
                question = KeyQuestion(there, origin.reference, Purpose.CHANGE)
                needs.append(KeyNeed(Use.REACH, question, about))
    return tuple(needs)


def elsewhere(need: KeyNeed) -> Fault | None:
    """Return the fault of a key for copies that its ARN puts into another region."""
    named = need.question.reference.split(":")
    region = need.question.at.region
    if need.use is not Use.ENCRYPT or len(named) < 6 or named[3] == region:
        return None
    return Fault(
        KEY_UNUSABLE,
        f"{_who(need)} is not of {region}: RDS encrypts with keys of the copy's region only",
        "point the target at a key of its own region",
    )


def fault_of(need: KeyNeed, key: Key | None) -> Fault | None:
    """Return what makes a key useless for a step; None for `key` says that there is none."""
    if need.use is Use.REACH:
        return None
    if key is None:
        return Fault(KEY_UNUSABLE, f"{_who(need)} does not exist", _FIXES[need.use])
    if need.use is Use.SHARE:
        if key.manager is KeyManager.CUSTOMER:
            return None
        text = f"{_who(need)} is AWS's own, which no other account may use"
        return Fault(KEY_UNUSABLE, text, _FIXES[need.use])
    if key.fault is None:
        return None
    return Fault(KEY_UNUSABLE, f"{_who(need)} {key.fault}", _FIXES[need.use])


_FIXES = {
    Use.ENCRYPT: "enable the key, or name another one in the documents",
    Use.DECRYPT: "enable the key: without it nothing can read this snapshot",
    Use.SHARE: "name a customer-managed key as `rekey` of the account",
}


def _who(need: KeyNeed) -> str:
    """Return which key, where and what for."""
    question = need.question
    meant = "that the copy is to be under" if need.use is Use.ENCRYPT else f"of {need.about}"
    return f"key {question.reference} in {question.at}, {meant},"


def at_of(step: Step) -> Location:
    """Return where a step's call is made."""
    return Location(step.location.account, step.location.region)


def is_arn(reference: str) -> bool:
    """Tell a key's ARN from an alias or an id."""
    return reference.startswith("arn:") and ":key/" in reference


def instance_of(step: Step) -> str | None:
    """Return the ARN of the instance that a create step snapshots."""
    return next((one.arn for one in step.preconditions if one.check is Check.INSTANCE), None)


_ENCRYPTING = frozenset({Action.COPY, Action.REPLICATE_BACKUPS})


def _text(step: Step, name: str) -> str | None:
    parameters: Mapping[str, object] = step.parameters
    value = parameters.get(name)
    return value if isinstance(value, str) and value else None
