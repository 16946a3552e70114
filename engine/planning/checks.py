"""Checks that need the inventory. They warn; they never make a document invalid."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from engine.documents.model import Documents, Schedule, Target, Terms
from engine.identity.marks import Role
from engine.inventory.records import Instance, Inventory, Kind, Location, Quota, kind_of
from engine.planning.automated_checks import check_automated
from engine.planning.clusters import check_clusters, is_aurora
from engine.planning.matching import account_names
from engine.planning.replicas import body_of
from engine.planning.room import KINDS, QUOTA_CODES
from engine.planning.routes import RouteBook, is_default_key, resolve_key
from engine.planning.share_checks import check_option_groups, check_shares
from engine.planning.slots import due_between, latest_due, period_start
from engine.planning.survey import Source, World, kinds_of, survey
from engine.planning.weekly_windows import minute_of_week, overlaps, weekly_spans
from engine.plans.amounts import figures
from engine.plans.plan import Warned
from engine.retention.decide import decide
from engine.retention.keep import Keep

MAX_SHARED_ACCOUNTS = 20
_DAY = timedelta(days=1)
_HORIZON = timedelta(days=400)
_MOST_SLOTS = 2000


def check(documents: Documents, inventory: Inventory, now: datetime) -> tuple[Warned, ...]:
    """Return what the inventory shows to be wrong with the documents."""
    return tuple(
        warned
        for kind in kinds_of(documents, inventory)
        for warned in _check_kind(*survey(documents, inventory, now, kind))
    )


def _check_kind(world: World, sources: Sequence[Source]) -> Iterable[Warned]:
    yield from check_world(world, sources, RouteBook(world.estate, dict(world.inventory.scopes)))


def check_world(world: World, sources: Sequence[Source], book: RouteBook) -> Iterable[Warned]:
    """Return what is wrong with the documents in this world, source by source."""
    for source in sources:
        for one in _CHECKS:
            yield from one(source, world, book)
    yield from _quota(world, sources, book)
    if world.kind is Kind.INSTANCE:
        yield from _target_keys(world)


def _warn(code: str, severity: str, source: Source, text: str, fix: str | None = None) -> Warned:
    policy = source.policy.name if source.policy else None
    return Warned(code, severity, text, source.ref.address, policy, fix)


def _two_policies(source: Source, world: World, book: RouteBook) -> Iterable[Warned]:
    if source.match.rivals and source.policy is not None:
        others = ", ".join(source.match.rivals)
        yield _warn(
            "E301 two-policies",
            "error",
            source,
            f"policy {source.policy.name} and {others} both select it",
            "let one of them exclude it; until then nothing of it is deleted",
        )


def _no_route(source: Source, world: World, book: RouteBook) -> Iterable[Warned]:
    if source.terms is None:
        return
    routes, misses = book.routes(source.terms, source.location)
    for miss in misses:
        yield _warn("E302 no-route", "error", source, miss.text)
    accounts = {route.location.account for route in routes} - {source.location.account}
    if len(accounts) > MAX_SHARED_ACCOUNTS:
        text = f"its copies go to {len(accounts)} accounts; AWS shares a snapshot with at most 20"
        yield _warn("E303 too-many-accounts", "error", source, text, "use fewer target accounts")
    if accounts and source.instance is not None:
        yield from _cannot_share(source, source.instance, world, book)


def _cannot_share(
    source: Source, instance: Instance, world: World, book: RouteBook
) -> Iterable[Warned]:
    key = (world.scope(source.location).keys or {}).get(instance.kms_key or "")
    if is_default_key(key) and book.rekey(source.location) is None:
        yield _warn(
            "E304 default-key",
            "error",
            source,
            "it is encrypted under AWS's default key, which no other account may use",
            "name a customer-managed key as `rekey` of its account",
        )
    if instance.encryption_type == "sse-rds":
        text = "it is encrypted under a key that AWS owns; such snapshots may not be shareable"
        yield _warn("W305 aws-owned-key", "warning", source, text)
    if any(h.snapshot.tde for h in source.holdings):
        text = "it uses TDE; snapshots with TDE cannot be shared with other accounts"
        yield _warn("E306 tde", "error", source, text, "copy to targets in its own account only")


def _windows(source: Source, world: World, book: RouteBook) -> Iterable[Warned]:
    """Warn where points are due while AWS itself is busy with the database."""
    terms = source.terms
    schedule = terms.snapshots.schedule if terms else None
    if source.instance is None or terms is None or schedule is None:
        return
    instance = body_of(source, world).instance or source.instance
    slot = latest_due(schedule, terms.timezone, world.now)
    if slot is None:
        return
    end = slot.window_end or slot.at + timedelta(minutes=30)
    start_minute = minute_of_week(slot.at)
    length = int((end - slot.at).total_seconds()) // 60
    own = (start_minute, start_minute + length)
    daily = schedule.window is not None and slot.window_end is not None
    for code, name, text in (
        ("W307 maintenance-window", "maintenance window", instance.maintenance_window),
        ("W308 backup-window", "automated backup window", instance.backup_window),
    ):
        if name.startswith("automated") and not _backs_up_in_a_window(instance):
            continue
        if daily and text and overlaps(own, weekly_spans(text)):
            yield _warn(
                code,
                "warning",
                source,
                f"its snapshot window overlaps its {name} {text} UTC",
                "move one of the two windows",
            )


def _backs_up_in_a_window(instance: Instance) -> bool:
    """Say whether AWS is busy with backups at a time of day: with Aurora it always is."""
    is_cluster = kind_of(instance.arn) is Kind.CLUSTER
    return instance.backup_retention_days != 0 and not (is_cluster and is_aurora(instance))


def _mixed_keys(source: Source, world: World, book: RouteBook) -> Iterable[Warned]:
    if source.terms is None or source.kind is Kind.CLUSTER:
        return
    keys: dict[Location, set[tuple[str, ...]]] = defaultdict(set)
    for holding in source.holdings:
        if holding.marks.role is Role.COPY and holding.is_point:
            keys[holding.location].add(holding.marks.keys)
    for location in sorted(keys):
        if len(keys[location]) > 1:
            text = (
                f"its copies in {location} are under {len(keys[location])} sequences of keys; "
                "AWS may store the next one in full"
            )
            yield _warn("W309 mixed-keys", "warning", source, text, "keep to one key per target")


_CHECKS: tuple[Callable[[Source, World, RouteBook], Iterable[Warned]], ...] = (
    _two_policies,
    _no_route,
    _windows,
    _mixed_keys,
    check_automated,
    check_shares,
    check_option_groups,
    check_clusters,
)


# -- what sources share --------------------------------------------------------------------------


def _quota(world: World, sources: Sequence[Source], book: RouteBook) -> Iterable[Warned]:
    wanted: Counter[Location] = Counter()
    a_day: dict[Location, float] = defaultdict(float)
    endless: set[Location] = set()
    steady = _SteadyCounts(world.now)
    for source in sources:
        if source.terms is None:
            continue
        routes, _ = book.routes(source.terms, source.location)
        home = (source.location, source.terms.snapshots.keep, None)
        for location, keep, every in (home, *((r.location, r.keep, r.rule.every) for r in routes)):
            count = steady.count(source.terms, keep, every)
            a_day[location] += steady.a_day(source.terms, every)
            if count is None:
                endless.add(location)
            else:
                wanted[location] += count
    names = account_names(world.estate)
    for location in sorted(wanted):
        quota = world.scope(location).quota
        if quota is not None and wanted[location] > quota.maximum:
            more = " and more each day" if location in endless else ""
            yield Warned(
                "W310 quota",
                "warning",
                f"schedules and retention will hold {wanted[location]} points{more} in "
                f"{names.get(location.account, location.account)}/{location.region}; "
                f"its quota is {quota.maximum} manual {KINDS[world.kind]}snapshots, "
                f"{_full_in(quota, a_day[location])}",
                fix=f"raise the quota ({QUOTA_CODES[world.kind]}) or keep fewer points",
            )


def _full_in(quota: Quota, a_day: float) -> str:
    """Say when a quota runs out: retention removes some of what is made, so no sooner than so."""
    days = figures(quota.room / a_day)
    return f"full in about {days:.0f} days at the soonest" if days >= 1.5 else "full within a day"


class _SteadyCounts:
    """How many points a schedule and a retention come to hold, tried on past slots."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._counts: dict[tuple[object, ...], int | None] = {}
        self._slots: dict[tuple[Schedule, str], tuple[datetime, ...]] = {}

    def count(self, terms: Terms, keep: Keep, every: timedelta | None) -> int | None:
        """Return the number of points held in the long run, None where it only grows.

        With `every`, only the first point of each such period is held.
        """
        key = (terms.snapshots.schedule, terms.timezone.key, keep, every)
        if key not in self._counts:
            self._counts[key] = self._try_out(terms, keep, every)
        return self._counts[key]

    def _try_out(self, terms: Terms, keep: Keep, every: timedelta | None) -> int | None:
        if terms.snapshots.schedule is None:
            return 0
        if keep.is_empty:
            return None
        return len(decide(self._sent(terms, every), keep, terms.timezone).keep)

    def a_day(self, terms: Terms, every: timedelta | None) -> float:
        """Return how many points a day come to be held, on average over past slots."""
        slots = self._sent(terms, every)
        return len(slots) / max(1.0, (max(slots) - min(slots)) / _DAY) if slots else 0.0

    def _sent(self, terms: Terms, every: timedelta | None) -> list[datetime]:
        """Return the past slots of which a point is held, if only for a while."""
        schedule = terms.snapshots.schedule
        if schedule is None:
            return []
        slots = list(self._slots_of(schedule, terms.timezone))
        if every is None:
            return slots
        periods = {period_start(every, terms.timezone, s): s for s in reversed(slots)}
        return list(periods.values())

    def _slots_of(self, schedule: Schedule, timezone: ZoneInfo) -> tuple[datetime, ...]:
        """Return the past slots of a schedule; its locations and their rules share them."""
        known = (schedule, timezone.key)
        if known not in self._slots:
            past = due_between(schedule, timezone, self._now - _HORIZON, self._now)
            self._slots[known] = tuple(islice(past, _MOST_SLOTS))
        return self._slots[known]


def _target_keys(world: World) -> Iterable[Warned]:
    """Warn of keys that exist but cannot be used (KMS API reference, KeyState)."""
    targets = [t for t in world.estate.targets.values() if isinstance(t, Target)]
    for target in sorted(targets, key=lambda t: t.name):
        location = Location(world.estate.accounts[target.account].id, target.region)
        scope = world.scope(location)
        choice = resolve_key(target.key, scope)
        key = (scope.keys or {}).get(choice.arn or "") if choice else None
        if key is not None and key.fault is not None:
            yield Warned(
                "E311 key-unusable",
                "error",
                f"key {key.arn}, which copies to target {target.name} need, {key.fault}",
                fix="enable it, or point the target at another key",
            )
