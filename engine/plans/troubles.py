"""What is wrong about a plan, short enough for the end of a run, and the exit codes it gives."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum

from engine.errors import ExitCode
from engine.plans.codes import ObjectiveStatus, Waiting
from engine.plans.objectives import Objective, lasting
from engine.plans.plan import Plan

_READ = "ok"
_ERROR = "error"


class TroubleKind(StrEnum):
    """What kind of trouble it is; the worst first."""

    VERIFIER = "verifier"
    """The engine's own bug: steps that would break a promise."""
    UNREAD = "not_read"
    """A location that could not be read."""
    GUARD = "guard"
    """A guard that withholds steps."""
    CONFLICT = "conflict"
    """An object under an id of the engine's that it does not own."""
    CHECK = "check"
    """A check of the documents against the inventory found an error."""
    NO_ROUTE = "no_route"
    """A copy that a policy wants and that no route leads to, mostly for want of a key."""
    OBJECTIVE = "objective"
    """An objective of a policy that is broken."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One trouble, and all that it is about: locations, addresses, ARNs or step ids."""

    kind: TroubleKind
    text: str
    about: tuple[str, ...]

    @property
    def where(self) -> str:
        """What it is about, in a line's length."""
        more = len(self.about) - 1
        return f"{self.about[0]} and {more} more" if more else self.about[0]


_CODES = {
    TroubleKind.VERIFIER: ExitCode.ERROR,
    TroubleKind.UNREAD: ExitCode.PARTIAL,
    TroubleKind.GUARD: ExitCode.WITHHELD,
    TroubleKind.CONFLICT: ExitCode.OBJECTIVE_BROKEN,
    TroubleKind.CHECK: ExitCode.OBJECTIVE_BROKEN,
    TroubleKind.NO_ROUTE: ExitCode.OBJECTIVE_BROKEN,
    TroubleKind.OBJECTIVE: ExitCode.OBJECTIVE_BROKEN,
}


def troubles_of(plan: Plan, done: Collection[str] = ()) -> tuple[Trouble, ...]:
    """Return the troubles of a plan, the worst first and alike ones as one.

    The steps `done`, by id, have mended the objectives that they were to mend.
    """
    found: dict[tuple[TroubleKind, str], dict[str, None]] = {}
    for kind, text, about in (*_all(plan), *_objectives(plan, done)):
        found.setdefault((kind, text), {})[about] = None
    kinds = list(TroubleKind)
    ordered = sorted(found, key=lambda key: kinds.index(key[0]))
    return tuple(Trouble(*key, tuple(found[key])) for key in ordered)


def codes_of(troubles: tuple[Trouble, ...]) -> set[ExitCode]:
    """Return the exit codes that troubles give, whatever becomes of the steps."""
    return {_CODES[one.kind] for one in troubles}


def _all(plan: Plan) -> Iterator[tuple[TroubleKind, str, str]]:
    for finding in plan.findings:
        yield TroubleKind.VERIFIER, f"promise {finding.promise}: {finding.text}", finding.step
    for scope in plan.inventory.scopes:
        if scope.status != _READ:
            where = f"{scope.account}/{scope.region}"
            yield TroubleKind.UNREAD, scope.cause or scope.status, where
    for guard in plan.guards:
        if guard.withholds and not guard.acknowledged:
            yield TroubleKind.GUARD, f"{guard.guard}: {guard.text}", guard.about
    for conflict in plan.conflicts:
        yield TroubleKind.CONFLICT, conflict.text, conflict.arn
    errors = [warned for warned in plan.warnings if warned.severity == _ERROR]
    for error in errors:
        about = error.source or error.policy or plan.estate
        yield TroubleKind.CHECK, f"{error.code}: {error.text}", about
    told = {error.text for error in errors}
    for waits in plan.waiting:
        if waits.code == Waiting.NO_ROUTE and waits.text not in told:
            yield TroubleKind.NO_ROUTE, waits.text, waits.source.address


def _objectives(plan: Plan, done: Collection[str]) -> Iterator[tuple[TroubleKind, str, str]]:
    for one in plan.objectives.told:
        for name, limit in _broken(one, done):
            place = f"{one.location.account}/{one.location.region}"
            text = f"the {name.upper()} of policy {one.policy}, {lasting(limit)}, is broken"
            yield TroubleKind.OBJECTIVE, f"{text} in {place}", one.source.address


def _broken(one: Objective, done: Collection[str]) -> Iterator[tuple[str, int]]:
    for name, judged in one.judgements:
        mended = name == "rpo" and one.mended_by in done
        if judged.status is ObjectiveStatus.BROKEN and not mended:
            yield name, judged.limit
