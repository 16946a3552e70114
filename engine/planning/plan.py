"""The nine stages, from documents, inventory and one `now` to a plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import engine
from engine.documents.model import Documents
from engine.inventory.records import Inventory
from engine.planning.automated_guards import guard_automated
from engine.planning.draft import Draft
from engine.planning.drift.find import in_reading_order
from engine.planning.failback import proposals
from engine.planning.failing_back import guard_failbacks
from engine.planning.foreign_orphans import foreign_orphans
from engine.planning.guards import apply_guards, full_copy_warnings, still_holding
from engine.planning.holds import holds
from engine.planning.idle_chains import idle_chains
from engine.planning.ordering import in_order
from engine.planning.parts import (
    Part,
    clusters_not_read,
    inventory_read,
    part_of,
    parts_of,
    unprotected,
)
from engine.planning.preview import next_slots
from engine.planning.retained import retained
from engine.planning.room import give_room
from engine.planning.survey import World
from engine.planning.trees import copy_trees
from engine.planning.withholding import Steps
from engine.plans.codes import PROTECTIONS, Action, Guard, Verdict
from engine.plans.digest import plan_digest
from engine.plans.objectives import told_of
from engine.plans.plan import (
    FORMAT_VERSION,
    Finding,
    GuardState,
    Plan,
    PlanOptions,
    Step,
    Summary,
    Warned,
)
from engine.verifying.verify import verify

VALID_FOR = timedelta(hours=24)
NOTHING_SELECTED = "W403 nothing-selected"


def make_plan(
    documents: Documents,
    inventory: Inventory,
    now: datetime,
    options: PlanOptions | None = None,
) -> Plan:
    """Compute what apply would do.

    Args:
        documents: the estate and its policies.
        inventory: what exists, as far as it could be read.
        now: the one time of the run, with a timezone.
        options: selection and acknowledgements from the command line.
    """
    options = options or PlanOptions()
    parts = parts_of(documents, inventory, now, options)
    world, drafts = parts[0].world, [draft for part in parts for draft in part.drafts]
    steps = Steps(step for draft in drafts for step in in_order(draft.steps))
    accepted = options.acknowledged | world.estate.guards.acknowledged
    guards = _guards(steps, parts, options, accepted)
    findings = verify(steps.result(), documents, inventory, now)
    guards += hold_findings(steps, findings)
    warnings = (
        *_nothing_selected(drafts, options),
        *(warned for part in parts for warned in part.checks()),
        *(warned for draft in drafts for warned in draft.warnings),
        *full_copy_warnings(steps, drafts),
        *(one for d in drafts for one in proposals(d.source, world, parts[0].book, accepted)),
        *clusters_not_read(parts),
    )
    plan = assemble(parts, steps.result(), guards, findings)
    some = bool(options.only or options.exclude)
    return replace(
        plan,
        summary=summary_of(plan),
        drift=in_reading_order(one for part in parts for one in part.drift(selected=some)),
        warnings=warnings,
        next=tuple(one for part in parts for one in next_slots(part.drafts, part.world, part.book)),
        foreign_orphans=tuple(
            one for part in parts for one in foreign_orphans(part.world, options)
        ),
        only=options.only,
        exclude=options.exclude,
        retained=tuple(retained(world, options)),
        holds=tuple(holds(drafts, world)),
        objectives=told_of(one for part in parts for one in part.objectives(plan.steps)),
        copy_trees=tuple(one for part in parts for one in copy_trees(part.drafts, part.book)),
        idle_chains=tuple(idle_chains(parts[0].drafts, world, parts[0].book)),
    )


def _guards(
    steps: Steps, parts: Sequence[Part], options: PlanOptions, accepted: frozenset[str]
) -> list[GuardState]:
    """Withhold what is to be withheld; each kind of databases has room of its own."""
    world, drafts = parts[0].world, [draft for part in parts for draft in part.drafts]
    guards = apply_guards(steps, drafts, world, options.acknowledged)
    full = [state for part in parts for state in give_room(steps, part.drafts, part.world)]
    guards = [*still_holding(guards, steps), *full]
    guards += guard_automated(steps, parts[0].drafts, world, accepted)
    return [*guards, *guard_failbacks(steps, parts[0].drafts, world, parts[0].book, accepted)]


def _nothing_selected(drafts: Sequence[Draft], options: PlanOptions) -> Iterable[Warned]:
    if drafts or not (options.only or options.exclude):
        return
    words = [f"-only {glob}" for glob in options.only]
    words += [f"-exclude {glob}" for glob in options.exclude]
    yield Warned(
        NOTHING_SELECTED,
        "warning",
        f"{' '.join(words)} leaves no database: nothing is planned",
        fix="addresses are ACCOUNT/REGION/IDENTIFIER, with the account's name or id",
    )


def hold_findings(steps: Steps, findings: Sequence[Finding]) -> list[GuardState]:
    """Withhold what the verifier objects to; returns the guard that says so, if any."""
    if not findings:
        return []
    names = sorted({finding.step for finding in findings})
    steps.withhold(names, Guard.VERIFIER)
    text = "the verifier found steps that would break a promise: a bug of the engine, report it"
    state = GuardState(
        Guard.VERIFIER,
        "the plan",
        tripped=True,
        limit=0,
        value=len(names),
        text=text,
        withholds=tuple(names),
    )
    return [state]


def direct_plan(
    worlds: Sequence[World], steps: Sequence[Step], findings: Sequence[Finding]
) -> Plan:
    """Return a plan of steps that no policy asked for; what the verifier is against is withheld."""
    held = Steps(steps)
    guards = hold_findings(held, findings)
    parts = [part_of(world, ()) for world in worlds]
    plan = assemble(parts, held.result(), guards, findings)
    return replace(plan, summary=summary_of(plan))


def assemble(
    parts: Sequence[Part],
    steps: Sequence[Step],
    guards: Sequence[GuardState],
    findings: Sequence[Finding],
) -> Plan:
    """Return the plan of these steps, with what the drafts of all kinds note beside them."""
    world, drafts = parts[0].world, [draft for part in parts for draft in part.drafts]
    read = inventory_read([part.world for part in parts])
    return Plan(
        format_version=FORMAT_VERSION,
        engine_version=engine.__version__,
        estate=world.estate.name,
        as_of=world.now,
        expires_at=world.now + VALID_FOR,
        policies_digest=world.documents.digest,
        digest=plan_digest(steps),
        inventory=read,
        summary=Summary(),
        steps=tuple(steps),
        kept=tuple(kept for draft in drafts for kept in draft.kept),
        waiting=tuple(waits for draft in drafts for waits in draft.waiting),
        unprotected=tuple(one for part in parts for one in unprotected(part, parts)),
        unmanaged=tuple(one for draft in drafts for one in draft.unmanaged),
        conflicts=tuple(one for draft in drafts for one in draft.conflicts),
        guards=tuple(guards),
        findings=tuple(findings),
        complete=read.complete,
        errored=bool(findings),
    )


_COUNTED = {
    Action.CREATE: "create",
    Action.COPY: "copy",
    Action.SHARE: "share",
    Action.UNSHARE: "unshare",
    Action.DELETE: "delete",
    Action.TAG: "tag",
    Action.MODIFY_BACKUPS: "update",
    Action.REPLICATE_BACKUPS: "update",
    Action.STOP_REPLICATION: "update",
    Action.FAIL_OVER: "update",
}


def summary_of(plan: Plan) -> Summary:
    """Return a plan in numbers."""
    done = [step for step in plan.steps if step.withheld_by is None]
    actions = Counter(_COUNTED[step.action] for step in done)
    verdicts = Counter(step.forecast.verdict for step in done if step.forecast is not None)
    protected = sum(
        1 for kept in plan.kept if any(reason.code in PROTECTIONS for reason in kept.reasons)
    )
    return Summary(
        create=actions["create"],
        copy=actions["copy"],
        share=actions["share"],
        unshare=actions["unshare"],
        update=actions["update"],
        delete=actions["delete"],
        tag=actions["tag"],
        withheld=len(plan.steps) - len(done),
        full=verdicts[Verdict.FULL],
        incremental=verdicts[Verdict.INCREMENTAL],
        likely_incremental=verdicts[Verdict.LIKELY_INCREMENTAL],
        unknown=verdicts[Verdict.UNKNOWN],
        protected=protected,
    )
