"""Stage 4: which points no rule keeps any more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from engine.documents.model import Policy, Retire, Terms
from engine.identity.marks import Role
from engine.inventory.records import Instance, Location, SnapshotState
from engine.planning.copying import Demand
from engine.planning.draft import Draft
from engine.planning.matching import account_names, address_matches
from engine.planning.routes import RouteBook
from engine.planning.steps import short
from engine.planning.survey import Holding, Life, Source, World
from engine.plans.codes import KeepReason, StepReason, UnmanagedReason
from engine.plans.plan import Reason
from engine.retention.decide import decide
from engine.retention.keep import Keep

_ONLY_RULES = frozenset(
    {
        KeepReason.CHAIN_BASE,
        KeepReason.NEWEST_AT_LOCATION,
        KeepReason.MIN_POINTS,
        KeepReason.NOT_COPIED_YET,
    }
)
_NO_POINT = _ONLY_RULES - {KeepReason.CHAIN_BASE}
NOTHING_EXEMPT: frozenset[KeepReason] = frozenset()


@dataclass(frozen=True, slots=True)
class Removal:
    """An object that no rule keeps. Protections may still keep it, but for the exempt ones.

    `after` are the steps that make what displaces it; `kept_by` is what a person is told of the
    rules if it stays after all.
    """

    holding: Holding
    reason: Reason
    after: tuple[str, ...] = ()
    exempt: frozenset[KeepReason] = NOTHING_EXEMPT


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
        _keep_unknown(draft, world)
        return []
    if source.life is Life.GONE:
        return _judge_gone(draft, world)
    if source.policy is None or source.terms is None:
        text = "no policy matches its database any more"
        unmanaged = (h for h in source.holdings if h.is_point)
        removals = _unmanaged(draft, world, unmanaged, UnmanagedReason.SOURCE_UNMATCHED, text)
        for holding in source.holdings:
            if holding.marks.role is Role.BRIDGE:
                draft.keep(holding, [_because(KeepReason.UNMANAGED, text)])
        return removals
    removals = []
    by_location: dict[Location, list[Holding]] = defaultdict(list)
    for holding in source.holdings:
        if holding.state is SnapshotState.FAILED:
            removals.append(_failed(holding))
        elif holding.marks.role is Role.BRIDGE:
            removals.extend(_judge_bridge(draft, holding, demands))
        elif holding.is_point:
            by_location[holding.location].append(holding)
    for location, points in by_location.items():
        removals.extend(_judge_points(draft, world, book, location, points))
    return removals


# -- live sources --------------------------------------------------------------------------------


def _judge_points(
    draft: Draft, world: World, book: RouteBook, location: Location, points: list[Holding]
) -> list[Removal]:
    source = draft.source
    assert source.policy is not None
    assert source.terms is not None
    current = _rules(source.policy, source.terms, book, source.location, location)
    managed: list[tuple[Holding, tuple[Rules, ...]]] = []
    removals: list[Removal] = []
    for holding in points:
        rules = _rules_for(source, world, book, holding, current)
        if isinstance(rules, tuple):
            managed.append((holding, rules))
        else:
            text = _UNMANAGED_TEXTS[rules].format(
                maker=holding.marks.policy, location=location, policy=source.policy.name
            )
            removals.extend(_unmanaged(draft, world, [holding], rules, text))
    retired = {removal.holding.arn for removal in removals}
    staying = [h for h in points if h.arn not in retired]
    removals.extend(_apply_rules(draft, world, location, staying, managed))
    return removals


_UNMANAGED_TEXTS = {
    UnmanagedReason.POLICY_GONE: "policy {maker}, which made it, no longer exists",
    UnmanagedReason.TARGET_DROPPED: "policy {policy} sends nothing to {location}",
}


def _rules(
    policy: Policy, terms: Terms, book: RouteBook, home: Location, location: Location
) -> Rules | None:
    if location == home:
        return Rules(policy.name, terms.snapshots.keep, terms.timezone)
    routes, _ = book.routes(terms, home)
    route = next((r for r in routes if r.location == location), None)
    return None if route is None else Rules(policy.name, route.keep, terms.timezone)


def _rules_for(
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
    made_under = _rules(maker, terms, book, source.location, holding.location)
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
    verdicts = _Verdicts(available, expected, world.now)
    removals = []
    for holding, rules in managed:
        reasons = [r for rule in rules for r in verdicts.after(rule, holding.slot, rules[0])]
        if reasons:
            draft.keep(holding, reasons)
        elif not holding.is_available:
            draft.keep(holding, [_not_available(holding)])
        elif not any(verdicts.before(rule, holding.slot) for rule in rules):
            removals.append(Removal(holding, _no_rule_keeps(rules)))
        elif coming:
            text = f"it is displaced by {coming[0].identifier}, which is not available yet"
            draft.keep(holding, [_because(KeepReason.DISPLACING_POINT_NOT_AVAILABLE, text)])
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
        self._before: dict[Rules, dict[datetime, tuple[str, ...]]] = {}
        self._after: dict[Rules, dict[datetime, tuple[str, ...]]] = {}

    def before(self, rules: Rules, slot: datetime) -> bool:
        """Say whether the rules keep a slot while nothing new has become available."""
        if rules not in self._before:
            self._before[rules] = self._decide(rules, self._available)
        return slot in self._before[rules]

    def after(self, rules: Rules, slot: datetime, first: Rules) -> list[Reason]:
        """Return why the rules keep a slot once everything is available; empty if they do not."""
        if rules not in self._after:
            self._after[rules] = self._decide(rules, self._expected)
        texts = self._after[rules].get(slot, ())
        return [rule_reason(text, None if rules == first else rules.policy) for text in texts]

    def _decide(self, rules: Rules, times: list[datetime]) -> dict[datetime, tuple[str, ...]]:
        decision = decide(times, rules.keep, rules.timezone, now=self._now)
        return {point.time: point.reasons for point in decision.keep}


_RULE_REASONS: dict[tuple[str, str | None], Reason] = {}


def rule_reason(text: str, policy: str | None) -> Reason:
    """Return the reason behind a rule's text such as `daily-3`; one value per text."""
    known = _RULE_REASONS.get((text, policy))
    if known is None:
        code = next(c for c in _RULE_CODES if text.startswith(c.value.replace("_", "-")))
        known = Reason(code.value, text if policy is None else f"{text} of policy {policy}")
        _RULE_REASONS[text, policy] = known
    return known


_RULE_CODES = (
    KeepReason.LAST,
    KeepReason.HOURLY,
    KeepReason.DAILY,
    KeepReason.WEEKLY,
    KeepReason.MONTHLY,
    KeepReason.YEARLY,
    KeepReason.WITHIN_HOURLY,
    KeepReason.WITHIN_DAILY,
    KeepReason.WITHIN_WEEKLY,
    KeepReason.WITHIN_MONTHLY,
    KeepReason.WITHIN_YEARLY,
    KeepReason.WITHIN,
    KeepReason.OLDEST,
    KeepReason.FUTURE,
    KeepReason.NO_RULE,
)


def _because(code: KeepReason, text: str, until: str | None = None) -> Reason:
    return Reason(code.value, text, until)


def _not_available(holding: Holding) -> Reason:
    if holding.state is SnapshotState.UNKNOWN:
        return _because(KeepReason.UNKNOWN_STATUS, f"its status is {holding.snapshot.status}")
    return _because(KeepReason.IN_FLIGHT, f"it is {holding.snapshot.status}")


def _no_rule_keeps(rules: Sequence[Rules]) -> Reason:
    sentences = "; ".join(f"{rule.policy} keeps {rule.keep.sentence()}" for rule in rules)
    return Reason(StepReason.NO_RULE_KEEPS.value, f"no rule keeps it: {sentences}")


def _failed(holding: Holding) -> Removal:
    reason = Reason(
        StepReason.FAILED_OBJECT.value, "it failed, so it is no point; it is made again"
    )
    return Removal(holding, reason, exempt=_ONLY_RULES)


def _judge_bridge(draft: Draft, holding: Holding, demands: Sequence[Demand]) -> list[Removal]:
    if not holding.is_available:
        draft.keep(holding, [_not_available(holding)])
        return []
    waiting = [d for d in demands if holding.slot in d.missing and holding.slot not in d.sent]
    if waiting:
        text = f"{waiting[0].route.target} still wants {short(holding.slot)} from it"
        draft.keep(holding, [_because(KeepReason.BRIDGE_NEEDED, text)])
        return []
    text = "no target wants its point from it any more"
    return [Removal(holding, Reason(StepReason.BRIDGE_DONE.value, text), exempt=_NO_POINT)]


# -- what no policy decides about ----------------------------------------------------------------


def _unmanaged(
    draft: Draft,
    world: World,
    points: Iterable[Holding],
    code: UnmanagedReason,
    text: str,
) -> list[Removal]:
    removals = []
    for holding in points:
        retire = next((r for r in world.estate.retire if _retires(r, draft, world, holding)), None)
        draft.leave_unmanaged(holding, code, text)
        if retire is None:
            draft.keep(holding, [_because(KeepReason.UNMANAGED, text)])
        elif not holding.is_available:
            draft.keep(holding, [_not_available(holding)])
        else:
            why = f"the estate retires it: {retire.reason or text}"
            reason = Reason(StepReason.RETIRED.value, why)
            removals.append(Removal(holding, reason, exempt=_retired_exempt(draft, holding)))
    return removals


def _retires(retire: Retire, draft: Draft, world: World, holding: Holding) -> bool:
    names = account_names(world.estate)
    source, location = draft.source.ref, holding.location
    return (
        (retire.policy is None or address_matches([retire.policy], holding.marks.policy, None))
        and (
            retire.sources is None
            or address_matches([retire.sources], source.address, names.get(source.account))
        )
        and (
            retire.locations is None
            or address_matches([retire.locations], str(location), names.get(location.account))
        )
        and (retire.policy, retire.sources, retire.locations) != (None, None, None)
    )


def _retired_exempt(draft: Draft, holding: Holding) -> frozenset[KeepReason]:
    """Return what need not protect a retired point: its chain only if it has no future."""
    source = draft.source
    goes_on = source.policy is not None and (
        holding.location == source.location
        or any(p.location == holding.location for p in draft.planned)
    )
    return _NO_POINT if goes_on else _ONLY_RULES


def _keep_unknown(draft: Draft, world: World) -> None:
    source = draft.source
    if source.location not in world.locations:
        text = f"{source.location}, where its database is, is not in the estate"
        for holding in source.holdings:
            draft.leave_unmanaged(holding, UnmanagedReason.LOCATION_OUTSIDE_ESTATE, text)
            draft.keep(holding, [_because(KeepReason.UNMANAGED, text)])
        return
    cause = world.scope(source.location).cause or "not read completely"
    text = f"whether its database still exists is not known: {source.location}: {cause}"
    for holding in source.holdings:
        draft.keep(holding, [_because(KeepReason.INVENTORY_INCOMPLETE, text)])


# -- gone sources --------------------------------------------------------------------------------


def _judge_gone(draft: Draft, world: World) -> list[Removal]:
    removals = []
    ranks = _ranks(draft.source.holdings)
    for holding in draft.source.holdings:
        if holding.state is SnapshotState.FAILED:
            removals.append(_failed(holding))
            continue
        maker = world.matcher.maker(holding.marks.policy)
        if maker is None and holding.is_point:
            text = _UNMANAGED_TEXTS[UnmanagedReason.POLICY_GONE].format(maker=holding.marks.policy)
            removals.extend(_unmanaged(draft, world, [holding], UnmanagedReason.POLICY_GONE, text))
            continue
        why = _why_an_orphan_stays(draft, world, maker, holding, ranks)
        if why is not None:
            draft.keep(holding, [why])
            continue
        text = f"its database is gone since {short(holding.marks.gone_since or world.now)}"
        reason = Reason(StepReason.ORPHAN_EXPIRED.value, f"{text} and keep_for is over")
        removals.append(Removal(holding, reason, exempt=_ONLY_RULES))
    return removals


def _ranks(holdings: Iterable[Holding]) -> dict[str, int]:
    """Return each available point's rank at its location, the newest slot being 0."""
    ranks: dict[str, int] = {}
    slots: dict[Location, list[datetime]] = defaultdict(list)
    for holding in sorted(holdings, key=lambda h: (h.slot, h.arn), reverse=True):
        if holding.marks.role is Role.BRIDGE or not holding.is_available:
            continue
        seen = slots[holding.location]
        if not seen or seen[-1] != holding.slot:
            seen.append(holding.slot)
        ranks[holding.arn] = len(seen) - 1
    return ranks


def _why_an_orphan_stays(
    draft: Draft,
    world: World,
    maker: Policy | None,
    holding: Holding,
    ranks: dict[str, int],
) -> Reason | None:
    if not holding.is_available:
        return _not_available(holding)
    since = holding.marks.gone_since
    if maker is None or since is None:
        return _because(KeepReason.SOURCE_IS_GONE, "its database is gone; nothing goes at once")
    for terms in world.matcher.possible_terms(maker, last_seen(draft.source, holding)):
        orphans = terms.orphans
        if orphans is None:
            text = f"its database is gone and policy {maker.name} says nothing of orphans"
            return _because(KeepReason.SOURCE_IS_GONE, text)
        if since > orphans.keep_for.before(world.now):
            text = f"its database is gone since {short(since)}; keep_for is {orphans.keep_for}"
            return _because(KeepReason.SOURCE_IS_GONE, text)
        if ranks.get(holding.arn, orphans.keep_last) < orphans.keep_last:
            text = f"its database is gone; the last {orphans.keep_last} stay at each location"
            return _because(KeepReason.SOURCE_IS_GONE, text)
    return None


def last_seen(source: Source, holding: Holding) -> Instance:
    """Return a gone database as its points remember it: its tags are not known any more."""
    return Instance(
        arn=holding.marks.source,
        location=source.location,
        identifier=source.ref.identifier,
        resource_id=holding.marks.resource,
        engine=holding.snapshot.engine,
    )
