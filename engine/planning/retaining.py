"""Stage 4: which points of a live source no rule keeps any more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from engine.documents.model import Policy, Terms
from engine.identity.marks import Role
from engine.inventory.records import Location, SnapshotState
from engine.planning.copying import Demand
from engine.planning.draft import Draft
from engine.planning.one_off import promise_reason, promised
from engine.planning.orphans import judge_gone, keep_unknown
from engine.planning.removal import (
    FUTURE_PROTECTIONS,
    NOTHING,
    POINT_PROTECTIONS,
    Removal,
    because,
    failed_removal,
    not_available,
)
from engine.planning.routes import RouteBook
from engine.planning.steps import short
from engine.planning.survey import Holding, Life, Source, World
from engine.planning.unmanaged import leave_or_retire, policy_gone
from engine.plans.codes import KeepReason, StepReason, UnmanagedReason
from engine.plans.plan import Reason
from engine.retention.decide import decide, rule_of
from engine.retention.keep import Keep


@dataclass(frozen=True, slots=True)
class Rules:
    """The keep rules of one policy at one location."""

    policy: str
    keep: Keep
    timezone: ZoneInfo


def judge(draft: Draft, world: World, book: RouteBook, demands: Sequence[Demand]) -> list[Removal]:
    """Return what no rule keeps, and note why everything else stays."""
    source = draft.source
    if source.life is Life.UNKNOWN:
        keep_unknown(draft, world)
        return []
    if source.life is Life.GONE:
        return judge_gone(draft, world, book)
    if source.policy is None:
        return _judge_unmatched(draft, world)
    removals: list[Removal] = []
    by_location: dict[Location, list[Holding]] = defaultdict(list)
    for holding in source.holdings:
        if holding.state is SnapshotState.FAILED:
            removals.append(failed_removal(holding))
        elif holding.marks.role is Role.BRIDGE:
            removals.extend(_judge_bridge(draft, holding, demands))
        elif holding.is_point:
            by_location[holding.location].append(holding)
    for location, points in by_location.items():
        removals.extend(_judge_points(draft, world, book, location, points))
    return removals


def _judge_unmatched(draft: Draft, world: World) -> list[Removal]:
    text = "no policy matches its database any more"
    points = [h for h in draft.source.holdings if h.is_point]
    for holding in draft.source.holdings:
        if not holding.is_point:
            draft.keep(holding, [because(KeepReason.UNMANAGED, text)])
    code = UnmanagedReason.SOURCE_UNMATCHED
    return leave_or_retire(draft, world, points, code, text, FUTURE_PROTECTIONS)


def _judge_points(
    draft: Draft, world: World, book: RouteBook, location: Location, points: list[Holding]
) -> list[Removal]:
    source = draft.source
    assert source.policy is not None
    assert source.terms is not None
    current = rules_at(source.policy, source.terms, book, source.location, location)
    managed: list[tuple[Holding, tuple[Rules, ...]]] = []
    removals: list[Removal] = []
    for holding in points:
        rules = rules_for(source, world, book, holding, current)
        if isinstance(rules, tuple):
            managed.append((holding, rules))
        else:
            text = policy_gone(holding)
            if rules is UnmanagedReason.TARGET_DROPPED:
                text = f"policy {source.policy.name} sends nothing to {location}"
            # Where points go on being made, retired ones make room only for newer ones.
            exempt = FUTURE_PROTECTIONS if current is None else NOTHING
            removals.extend(leave_or_retire(draft, world, [holding], rules, text, exempt))
    retired = {removal.holding.arn for removal in removals}
    staying = [h for h in points if h.arn not in retired]
    removals.extend(_apply_rules(draft, world, location, staying, managed))
    return removals


def rules_at(
    policy: Policy, terms: Terms, book: RouteBook, home: Location, location: Location
) -> Rules | None:
    """Return what a policy keeps at a location of a source at `home`; None: it sends nothing."""
    if location == home:
        return Rules(policy.name, terms.snapshots.keep, terms.timezone)
    routes, _ = book.routes(terms, home)
    route = next((r for r in routes if r.location == location), None)
    return None if route is None else Rules(policy.name, route.keep, terms.timezone)


def rules_for(
    source: Source, world: World, book: RouteBook, holding: Holding, current: Rules | None
) -> tuple[Rules, ...] | UnmanagedReason:
    """Return the rules that decide about a point: those of now, and those it was made under."""
    maker = world.matcher.maker(holding.marks.policy)
    if maker is None:
        return UnmanagedReason.POLICY_GONE
    if current is None:
        return UnmanagedReason.TARGET_DROPPED
    if maker.name == current.policy:
        return (current,)
    assert source.instance is not None
    terms = world.matcher.terms(maker, source.instance)
    made_under = rules_at(maker, terms, book, source.location, holding.location)
    if made_under is None:
        return UnmanagedReason.TARGET_DROPPED
    return (current, made_under)


def _apply_rules(
    draft: Draft,
    world: World,
    location: Location,
    points: Sequence[Holding],
    managed: Sequence[tuple[Holding, tuple[Rules, ...]]],
) -> list[Removal]:
    planned = [
        p for p in draft.planned if p.location == location and p.marks.role is not Role.BRIDGE
    ]
    coming = [h for h in points if h.is_in_flight]
    available = {h.slot for h in points if h.is_available}
    expected = available | {h.slot for h in coming} | {p.slot for p in planned}
    stay = promised(draft.source, [*points, *planned], world.now)
    verdicts = _Verdicts(available - stay.keys(), expected - stay.keys(), world.now)
    removals = []
    for holding, rules in managed:
        if holding.slot in stay:
            draft.keep(holding, [promise_reason(holding.marks, stay[holding.slot])])
            continue
        reasons = [r for rule in rules for r in verdicts.after(rule, holding.slot, rules[0])]
        if reasons:
            draft.keep(holding, reasons)
        elif not holding.is_available:
            draft.keep(holding, [not_available(holding)])
        elif not any(verdicts.before(rule, holding.slot) for rule in rules):
            removals.append(Removal(holding, _no_rule_keeps(rules)))
        elif coming:
            text = f"it is displaced by {coming[0].identifier}, which is not available yet"
            draft.keep(holding, [because(KeepReason.DISPLACING_POINT_NOT_AVAILABLE, text)])
        else:
            after = tuple(p.step for p in planned)
            removals.append(Removal(holding, _no_rule_keeps(rules), after))
    return removals


class _Verdicts:
    """What each set of rules keeps at one location, worked out once per set.

    It is asked twice: over the points that are available, and over these plus those in flight and
    planned. `within` reaches back from the newest of them.
    """

    def __init__(self, available: set[datetime], expected: set[datetime], now: datetime) -> None:
        self._available = sorted(available, reverse=True)
        self._expected = sorted(expected, reverse=True)
        self._now = now
        self._before: dict[str, dict[datetime, tuple[str, ...]]] = {}
        self._after: dict[str, dict[datetime, tuple[str, ...]]] = {}

    def before(self, rules: Rules, slot: datetime) -> bool:
        """Say whether the rules keep a slot while nothing new has become available."""
        if self._available == self._expected:
            return bool(self.after(rules, slot, rules))
        if rules.policy not in self._before:
            self._before[rules.policy] = self._decide(rules, self._available)
        return slot in self._before[rules.policy]

    def after(self, rules: Rules, slot: datetime, first: Rules) -> list[Reason]:
        """Return why the rules keep a slot once everything is available; empty if they do not."""
        if rules.policy not in self._after:
            self._after[rules.policy] = self._decide(rules, self._expected)
        texts = self._after[rules.policy].get(slot, ())
        return [rule_reason(text, None if rules is first else rules.policy) for text in texts]

    def _decide(self, rules: Rules, times: list[datetime]) -> dict[datetime, tuple[str, ...]]:
        decision = decide(times, rules.keep, rules.timezone, now=self._now)
        return {point.time: point.reasons for point in decision.keep}


_RULE_REASONS: dict[tuple[str, str | None], Reason] = {}


def rule_reason(text: str, policy: str | None) -> Reason:
    """Return the reason behind a rule's text such as `daily-3`; one value per text."""
    known = _RULE_REASONS.get((text, policy))
    if known is None:
        code = KeepReason(rule_of(text))
        known = Reason(code.value, text if policy is None else f"{text} of policy {policy}")
        _RULE_REASONS[text, policy] = known
    return known


def _no_rule_keeps(rules: Sequence[Rules]) -> Reason:
    sentences = "; ".join(f"{rule.policy} keeps {rule.keep.sentence()}" for rule in rules)
    return Reason(StepReason.NO_RULE_KEEPS.value, f"no rule keeps it: {sentences}")


def _judge_bridge(draft: Draft, holding: Holding, demands: Sequence[Demand]) -> list[Removal]:
    if not holding.is_available:
        draft.keep(holding, [not_available(holding)])
        return []
    waiting = [d for d in demands if holding.slot in d.missing and holding.slot not in d.sent]
    if waiting:
        text = f"{waiting[0].route.target} still wants {short(holding.slot)} from it"
        draft.keep(holding, [because(KeepReason.BRIDGE_NEEDED, text)])
        return []
    text = "it is a bridge, and no target needs it any more"
    return [Removal(holding, Reason(StepReason.BRIDGE_DONE.value, text), exempt=POINT_PROTECTIONS)]
