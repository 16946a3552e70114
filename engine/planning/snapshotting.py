"""Points made at once, before a risky change: through a plan like everything else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from engine.documents.model import Documents
from engine.inventory.records import Inventory
from engine.planning.creating import due_slot, make_primary, state_text
from engine.planning.draft import Draft
from engine.planning.forecasting import plan_forecasts
from engine.planning.guards import apply_guards
from engine.planning.one_off import Promise
from engine.planning.parts import Part, part_of
from engine.planning.plan import assemble, hold_findings, summary_of
from engine.planning.replicas import allows_snapshots
from engine.planning.room import give_room
from engine.planning.selecting import selected
from engine.planning.steps import short
from engine.planning.survey import Source, World, kinds_of, survey
from engine.planning.withholding import Steps
from engine.plans.codes import StepReason, Waiting
from engine.plans.plan import Plan, PlanOptions, Reason, Warned
from engine.verifying.verify import verify

NO_POINT = "W423 no-point"


@dataclass(frozen=True, slots=True)
class Request:
    """Which databases get a point now, why, and for how long it stays whatever rules say."""

    address: str
    reason: str
    keep_for: timedelta
    stays_here: bool = False


def plan_snapshots(
    documents: Documents, inventory: Inventory, now: datetime, request: Request
) -> Plan:
    """Return the plan that makes one point of each database that fits, and nothing else.

    Its slot is now, to the minute; later runs copy it as the policy says.
    """
    options = PlanOptions(only=(request.address,))
    parts = [
        _part(*survey(documents, inventory, now, kind), request)
        for kind in kinds_of(documents, inventory)
    ]
    drafts = [draft for part in parts for draft in part.drafts]
    chosen = [draft.source for draft in drafts]
    steps = Steps(step for draft in drafts for step in draft.steps.values())
    guards = apply_guards(steps, drafts, parts[0].world, frozenset())
    guards += [state for part in parts for state in give_room(steps, part.drafts, part.world)]
    findings = verify(steps.result(), documents, inventory, now)
    guards += hold_findings(steps, findings)
    plan = assemble(parts, steps.result(), guards, findings)
    return replace(
        plan,
        summary=summary_of(plan),
        warnings=tuple(_warnings(chosen, drafts, request)),
        unprotected=(),
        only=options.only,
    )


def _part(world: World, sources: Iterable[Source], request: Request) -> Part:
    options = PlanOptions(only=(request.address,))
    chosen = [source for source in selected(sources, world, options) if source.instance]
    return part_of(world, [_draft(source, world, request) for source in chosen])


def _draft(source: Source, world: World, request: Request) -> Draft:
    draft = Draft(source)
    slot = _slot(source, world.now)
    if source.policy is None or source.instance is None:
        return draft
    if not allows_snapshots(source.instance):
        draft.wait(Waiting.SOURCE_STATE, state_text(source.instance), source.location, slot)
        return draft
    promise = Promise(slot + request.keep_for, request.reason, request.stays_here)
    why = f"{request.reason}: kept until {short(promise.keep_until)} whatever rules say"
    reason = Reason(StepReason.ON_DEMAND.value, why)
    make_primary(draft, source.instance, slot, world, reason, promise)
    plan_forecasts(draft)
    return draft


def _slot(source: Source, now: datetime) -> datetime:
    """Return this minute, or the last one before it that is no other point's."""
    taken = {h.slot for h in source.holdings}
    if source.terms is not None:
        due = due_slot(source.terms, now)
        taken |= {event.at for event in source.terms.events} | ({due.at} if due else set())
    slot = now.replace(second=0, microsecond=0)
    while slot in taken:
        slot -= timedelta(minutes=1)
    return slot


def _warnings(
    chosen: Sequence[Source], drafts: Iterable[Draft], request: Request
) -> Iterator[Warned]:
    if not chosen:
        yield Warned(
            NO_POINT,
            "warning",
            f"no database fits {request.address}",
            fix="addresses are ACCOUNT/REGION/IDENTIFIER, with the account's name or id",
        )
    for source in chosen:
        if source.policy is None:
            yield Warned(
                NO_POINT,
                "warning",
                "no policy selects it, so nothing would decide about its point",
                source=source.ref.address,
                fix="let a policy select it; one without a schedule will do",
            )
    for draft in drafts:
        yield from draft.warnings
