"""What a run would do with a group of databases that are alike, planned for one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from engine.documents.model import AutomatedTerms, Documents, FailBack, MadeOf
from engine.inventory.records import Inventory, Location, Quota
from engine.planning.draft import Draft
from engine.planning.guards import apply_guards
from engine.planning.ordering import in_order
from engine.planning.plan import hold_findings
from engine.planning.routes import RouteBook
from engine.planning.survey import Holding, Life, Source, World
from engine.planning.withholding import Steps
from engine.plans.codes import AUTOMATED, Action, Guard, Verdict
from engine.plans.plan import Step, Waits
from engine.simulation.running import MAKES
from engine.verifying.verify import verify


@dataclass(frozen=True, slots=True)
class Outcome:
    """The steps for one database, and all that other databases may have to do with them.

    Attributes:
        steps: in the plan's order, with what guards of its own withhold.
        waiting: what its policy wants and does not get.
        makes: how many snapshots the steps make at each location.
        copies: the copies whose turn it is at once, with where they go.
        is_shared: whether limits that databases share may have a say.
        is_plain: whether all that the plan rests on is in the key that it is remembered by.
    """

    steps: tuple[Step, ...] = ()
    waiting: tuple[Waits, ...] = ()
    makes: Mapping[Location, int] = field(default_factory=dict)
    copies: tuple[tuple[str, Location], ...] = ()
    is_shared: bool = False
    is_plain: bool = False


@dataclass(slots=True)
class Common:
    """What databases share while they are planned.

    Attributes:
        documents: those that hold now.
        world: the planner's world without any database that is played.
        book: the routes of these documents.
        tight: where the planner finds less room than for one more snapshot per database.
        short: where the verifier does.
        unread: where snapshots could not be read.
        epoch: counts up whenever documents or places change.
    """

    documents: Documents
    world: World
    book: RouteBook
    tight: frozenset[Location] = frozenset()
    short: frozenset[Location] = frozenset()
    unread: frozenset[Location] = frozenset()
    epoch: int = 0


def outcome_of(
    drafts: Sequence[Draft], inventory: Inventory, common: Common, now: datetime
) -> Outcome:
    """Return the outcome of what was planned for the databases of one group."""
    world = common.world
    steps = Steps(step for draft in drafts for step in in_order(draft.steps))
    waiting = tuple(waits for draft in drafts for waits in draft.waiting)
    if not steps.all():
        return Outcome(waiting=waiting, is_plain=_are_plain(drafts))
    guards = apply_guards(steps, drafts, world, frozenset())
    inventory = _with_quotas(inventory, common.short)
    findings = verify(steps.result(), common.documents, inventory, now)
    hold_findings(steps, findings)
    done = tuple(steps.result())
    excess = any(one.guard is Guard.MAX_DELETES and one.value for one in guards)
    return Outcome(
        steps=done,
        waiting=waiting,
        makes=_makes(done),
        copies=_ready_copies(done),
        is_shared=excess or _may_be_shared(done, common),
        is_plain=_are_plain(drafts),
    )


def _with_quotas(inventory: Inventory, short: frozenset[Location]) -> Inventory:
    """Return an inventory of one database that is as short of room as the whole one."""
    scopes = {}
    for at, scope in inventory.scopes.items():
        quota = (
            None if scope.quota is None else Quota(int(at in short), 1 if at in short else 1 << 30)
        )
        scopes[at] = replace(scope, quota=quota)
    return replace(inventory, scopes=scopes)


def _makes(steps: Sequence[Step]) -> dict[Location, int]:
    found: dict[Location, int] = {}
    for step in steps:
        if step.action in MAKES and step.withheld_by is None:
            at = Location(step.location.account, step.location.region)
            found[at] = found.get(at, 0) + 1
    return found


def _ready_copies(steps: Sequence[Step]) -> tuple[tuple[str, Location], ...]:
    """Return the copies that wait for nothing that takes time."""
    done: set[str] = set()
    copies = []
    for step in steps:
        if step.withheld_by is not None or not done.issuperset(step.depends_on):
            continue
        if step.action is Action.COPY:
            at = Location(step.location.account, step.location.region)
            copies.append((step.id, at))
        elif step.action is not Action.CREATE:
            done.add(step.id)
    return tuple(copies)


def _may_be_shared(steps: Sequence[Step], common: Common) -> bool:
    """Say whether a guard that looks at all databases may look at these steps."""
    guards = common.documents.estate.guards
    budget = guards.full_copies.count is not None or guards.full_copies.gib is not None
    is_held = any(step.withheld_by is not None for step in steps)
    is_full = any(
        step.action is Action.COPY and step.forecast and step.forecast.verdict is Verdict.FULL
        for step in steps
    )
    is_other = any(step.action in AUTOMATED | {Action.FAIL_OVER} for step in steps)
    return is_other or (budget and is_full) or (bool(guards.acknowledged) and is_held)


def _are_plain(drafts: Sequence[Draft]) -> bool:
    return len(drafts) == 1 and _is_plain(drafts[0].source)


def _is_plain(source: Source) -> bool:
    """Say whether nothing but what every database has decides about it."""
    terms, policy = source.terms, source.policy
    if source.life is not Life.LIVE or terms is None or policy is None or source.replicas:
        return False
    if terms.events or terms.share_with or source.match.rivals:
        return False
    if terms.snapshots.source is not None or terms.snapshots.made_of is MadeOf.AUTOMATED:
        return False
    if terms.failover.fail_back is FailBack.IN_WINDOW or terms.automated != AutomatedTerms():
        return False
    return all(_is_usual(holding, source, policy.name) for holding in source.holdings)


def _is_usual(holding: Holding, source: Source, policy: str) -> bool:
    marks = holding.marks
    return (
        marks.policy == policy
        and marks.resource == source.ref.resource_id
        and marks.pin is None
        and marks.adopted is None
        and marks.gone_since is None
        and marks.keep_until is None
        and marks.unshared_at is None
        and not marks.shared_by_policy
    )
