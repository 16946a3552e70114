"""The nine stages, from documents, inventory and one `now` to a plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import engine
from engine.documents.model import Documents
from engine.inventory.records import Inventory, Location
from engine.planning.automated_guards import guard_automated
from engine.planning.checks import check_world
from engine.planning.draft import Draft
from engine.planning.drift.find import find_drift
from engine.planning.failback import proposals
from engine.planning.foreign_orphans import foreign_orphans
from engine.planning.guards import apply_guards, full_copy_warnings, still_holding
from engine.planning.holds import holds
from engine.planning.matching import is_protectable
from engine.planning.objectives import judge_objectives
from engine.planning.ordering import in_order
from engine.planning.preview import next_slots
from engine.planning.retained import retained
from engine.planning.room import give_room
from engine.planning.routes import RouteBook
from engine.planning.selecting import selected
from engine.planning.source import plan_source
from engine.planning.survey import Life, World, survey
from engine.planning.withholding import Steps
from engine.plans.codes import PROTECTIONS, Action, Guard, Verdict
from engine.plans.digest import plan_digest
from engine.plans.objectives import told_of
from engine.plans.plan import (
    FORMAT_VERSION,
    Finding,
    GuardState,
    InventoryRead,
    Plan,
    PlanOptions,
    ScopeRead,
    Step,
    Summary,
    Unprotected,
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
    world, sources = survey(documents, inventory, now)
    book = RouteBook(world.estate, dict(inventory.scopes))
    drafts = [plan_source(s, world, book) for s in selected(sources, world, options)]
    steps = Steps(step for draft in drafts for step in in_order(draft.steps))
    guards = apply_guards(steps, drafts, world, options.acknowledged)
    full = give_room(steps, drafts, world)
    guards = [*still_holding(guards, steps), *full]
    accepted = options.acknowledged | world.estate.guards.acknowledged
    guards += guard_automated(steps, drafts, world, accepted)
    findings = verify(steps.result(), documents, inventory, now)
    guards += hold_findings(steps, findings)
    warnings = (
        *_nothing_selected(drafts, options),
        *check_world(world, [draft.source for draft in drafts], book),
        *(warned for draft in drafts for warned in draft.warnings),
        *full_copy_warnings(steps, drafts),
        *(one for draft in drafts for one in proposals(draft.source, world, book)),
    )
    plan = assemble(world, drafts, steps.result(), guards, findings)
    return replace(
        plan,
        summary=summary_of(plan),
        drift=find_drift(world, drafts, book, selected=bool(options.only or options.exclude)),
        warnings=warnings,
        next=tuple(next_slots(drafts, world, book)),
        foreign_orphans=tuple(foreign_orphans(world, options)),
        only=options.only,
        exclude=options.exclude,
        retained=tuple(retained(world, options)),
        holds=tuple(holds(drafts, world)),
        objectives=told_of(
            judge_objectives((draft.source for draft in drafts), world, book, plan.steps)
        ),
    )


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


def direct_plan(world: World, steps: Sequence[Step], findings: Sequence[Finding]) -> Plan:
    """Return a plan of steps that no policy asked for; what the verifier is against is withheld."""
    held = Steps(steps)
    guards = hold_findings(held, findings)
    plan = assemble(world, (), held.result(), guards, findings)
    return replace(plan, summary=summary_of(plan))


def assemble(
    world: World,
    drafts: Sequence[Draft],
    steps: Sequence[Step],
    guards: Sequence[GuardState],
    findings: Sequence[Finding],
) -> Plan:
    """Return the plan of these steps, with what the drafts note beside them."""
    read = inventory_read(world)
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
        unprotected=tuple(_unprotected(drafts)),
        unmanaged=tuple(one for draft in drafts for one in draft.unmanaged),
        conflicts=tuple(one for draft in drafts for one in draft.conflicts),
        guards=tuple(guards),
        findings=tuple(findings),
        complete=read.complete,
        errored=bool(findings),
    )


def inventory_read(world: World) -> InventoryRead:
    """Return how each location of the estate was read."""
    scopes = [_scope_read(world, location) for location in sorted(world.locations)]
    return InventoryRead(
        complete=all(world.scope(location).is_complete for location in world.locations),
        recorded=world.inventory.recorded,
        taken_at=world.inventory.taken_at,
        scopes=tuple(scopes),
    )


def _scope_read(world: World, location: Location) -> ScopeRead:
    scope = world.scope(location)
    return ScopeRead(
        scope.location.account,
        scope.location.region,
        scope.status.value,
        None if scope.instances is None else len(scope.instances),
        None if scope.snapshots is None else len(scope.snapshots),
        scope.cause,
        None if scope.snapshots is None else world.foreign_counts.get(location, 0),
    )


def _unprotected(drafts: Sequence[Draft]) -> Iterable[Unprotected]:
    for draft in drafts:
        source = draft.source
        if source.life is not Life.LIVE or source.policy is not None or source.instance is None:
            continue
        if source.instance.replica_of is not None:
            continue
        text = "no policy selects it"
        if not is_protectable(source.instance):
            text = "clusters, Aurora, DocumentDB, Neptune and RDS Custom are not supported yet"
        yield Unprotected(source.ref, source.instance.engine, text)


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
