"""What each rule comes to for one database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import assert_never

from engine.auditing.reaching import Rhythm, always_reaches
from engine.auditing.subjects import Grounds, is_possible, unread_places
from engine.documents.control_model import (
    Covered,
    CustomerKeys,
    MinRetention,
    NewestPoint,
    NoForeignShares,
    NoGap,
    PointsIn,
    Rule,
    Where,
)
from engine.documents.model import Terms
from engine.identity.names import key_location
from engine.inventory.records import KeyManager, Location, SnapshotState
from engine.planning.drift.shares import PUBLIC
from engine.planning.matching import account_names
from engine.planning.restorable import Restorable, restorable_at
from engine.planning.steps import short
from engine.planning.survey import Holding, Source
from engine.plans.codes import ControlStatus
from engine.plans.objectives import lasting

PASSED, NOT_JUDGED = ControlStatus.PASSED, ControlStatus.NOT_JUDGED
BROKEN = ControlStatus.BROKEN
# How many snapshots, locations or keys a text names.
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether a rule holds for a database, and why."""

    status: ControlStatus
    text: str


def rule_on(rule: Rule, source: Source, grounds: Grounds) -> Answer:
    """Return what a rule comes to for one database."""
    match rule:
        case Covered():
            return _covered(source)
        case MinRetention():
            return _min_retention(rule, source, grounds)
        case PointsIn():
            return _points_in(rule, source, grounds)
        case CustomerKeys():
            return _customer_keys(source, grounds)
        case NoForeignShares():
            return _no_foreign_shares(source, grounds)
        case NewestPoint():
            return _newest_point(rule, source, grounds)
        case NoGap():
            return _no_gap(rule, source, grounds)
        case _:
            assert_never(rule)


# -- what policies say ---------------------------------------------------------------------------


def _covered(source: Source) -> Answer:
    instance, terms = source.instance, source.terms
    if instance is not None and not is_possible(instance):
        return Answer(BROKEN, "the engine cannot back it up: it is none of RDS's plain instances")
    if source.policy is None or terms is None:
        return Answer(BROKEN, "no policy selects it")
    name = source.policy.name
    if terms.snapshots.schedule is None and not terms.automated.retention_days:
        return Answer(BROKEN, f"policy {name} selects it and makes no points of it")
    return Answer(PASSED, f"policy {name} backs it up")


def _min_retention(rule: MinRetention, source: Source, grounds: Grounds) -> Answer:
    asked = lasting(rule.at_least)
    days = source.instance.backup_retention_days if source.instance is not None else 0
    if timedelta(days=days) >= rule.at_least:
        return Answer(PASSED, f"automated backups are kept {days} days")
    terms = source.terms
    if source.policy is None or terms is None:
        return Answer(BROKEN, f"no policy keeps anything of it for {asked}")
    for location in _reaching(rule.at_least, terms, source, grounds):
        return Answer(PASSED, f"policy {source.policy.name} keeps {asked} back in {location}")
    return Answer(BROKEN, f"policy {source.policy.name} keeps less than {asked}, wherever it is")


def _reaching(far: timedelta, terms: Terms, source: Source, grounds: Grounds) -> Iterator[Location]:
    """Yield where a policy's rules always keep something that old."""
    schedule = terms.snapshots.schedule
    if schedule is None:
        return
    routes, _ = grounds.book.routes(terms, source.location)
    home = (source.location, terms.snapshots.keep, None)
    places = (home, *((route.location, route.keep, route.rule.every) for route in routes))
    for location, keep, every in places:
        rhythm = Rhythm(schedule, terms.timezone, every)
        if always_reaches(rhythm, keep, far, grounds.world.now):
            yield location


# -- what is there -------------------------------------------------------------------------------


def _points_in(rule: PointsIn, source: Source, grounds: Grounds) -> Answer:
    since = None if rule.younger_than is None else grounds.world.now - rule.younger_than
    found = [
        here.location
        for here in _everywhere(source, grounds)
        if any(since is None or holding.taken_at > since for holding in here.points)
    ]
    accounts, regions = {one.account for one in found}, {one.region for one in found}
    age = "" if rule.younger_than is None else f" younger than {lasting(rule.younger_than)}"
    said = (
        f"points{age} in {_some(len(accounts), 'account')} and {_some(len(regions), 'region')}"
        f"{_named(found)}"
    )
    if len(accounts) >= rule.accounts and len(regions) >= rule.regions:
        return Answer(PASSED, said)
    wanted = f"{_some(rule.accounts, 'account')} and {_some(rule.regions, 'region')}"
    unread = unread_places(grounds)
    if unread:
        return Answer(NOT_JUDGED, f"{said}, not read{_named(unread)}; {wanted} are required")
    return Answer(BROKEN, f"{said}; {wanted} are required")


def _newest_point(rule: NewestPoint, source: Source, grounds: Grounds) -> Answer:
    asked = lasting(rule.younger_than)
    since = grounds.world.now - rule.younger_than
    places = _places(rule.where, source, grounds)
    known = [(restorable_at(source, place, grounds.world), place) for place in places]
    good = [place for here, place in known if here.newest is not None and here.newest.at > since]
    late = [here for here, place in known if place not in good]
    if good and (rule.where is not Where.EVERYWHERE or not late):
        return Answer(PASSED, f"something younger than {asked} can be restored{_named(good)}")
    said = "; ".join(_age(here, grounds.world.now) for here in late[:_NAMED])
    unread = [one.location for one in late if not grounds.world.scope(one.location).is_complete]
    if rule.where is Where.ANYWHERE:
        unread = unread_places(grounds)
    elif len(unread) < len(late):
        unread = []
    if unread:
        return Answer(NOT_JUDGED, f"{said}; not read{_named(unread)}")
    return Answer(BROKEN, f"{said}; younger than {asked} is required")


def _age(here: Restorable, now: datetime) -> str:
    if here.newest is None:
        return f"nothing can be restored in {here.location}"
    age = lasting(max(timedelta(0), now - here.newest.at))
    return f"the newest in {here.location} is of {short(here.newest.at)}, {age} ago"


def _no_gap(rule: NoGap, source: Source, grounds: Grounds) -> Answer:
    now, home = grounds.world.now, source.location
    start = now - rule.within
    born = source.instance.created_at if source.instance is not None else None
    times = [holding.taken_at for holding in restorable_at(source, home, grounds.world).points]
    first = max((one for one in times if one <= start), default=start)
    if born is not None and born > start:
        first = born
    moments = [first, *(one for one in times if one > first), now]
    longest = max(pairwise(moments), key=lambda pair: pair[1] - pair[0])
    said = f"the longest gap in {lasting(rule.within)} is {lasting(longest[1] - longest[0])}"
    said += f", from {short(longest[0])} to {short(longest[1])}"
    if longest[1] - longest[0] <= rule.longer_than:
        return Answer(PASSED, said)
    if not grounds.world.scope(home).is_complete:
        return Answer(NOT_JUDGED, f"{home} was not read completely")
    return Answer(BROKEN, f"{said}; {lasting(rule.longer_than)} is allowed")


def _places(where: Where, source: Source, grounds: Grounds) -> list[Location]:
    if where is Where.SOURCE:
        return [source.location]
    if where is Where.ANYWHERE:
        return [here.location for here in _everywhere(source, grounds)]
    routes, _ = grounds.book.routes(source.terms, source.location) if source.terms else ([], [])
    return [source.location, *(route.location for route in routes)]


def _everywhere(source: Source, grounds: Grounds) -> Iterator[Restorable]:
    """Yield what can be restored at home and wherever points or replicated backups may be."""
    regions = source.instance.replication_regions if source.instance is not None else ()
    there = {holding.location for holding in source.holdings}
    there |= {Location(source.location.account, region) for region in regions}
    for location in (source.location, *sorted(there - {source.location})):
        yield restorable_at(source, location, grounds.world)


# -- who can read it -----------------------------------------------------------------------------


def _customer_keys(source: Source, grounds: Grounds) -> Answer:
    held = [h for h in source.holdings if h.state is not SnapshotState.FAILED]
    faults = [fault for holding in held if (fault := _key_fault(holding, grounds)) is not None]
    for status in (BROKEN, NOT_JUDGED):
        texts = [fault.text for fault in faults if fault.status is status]
        if texts:
            return Answer(status, f"{_of(texts, held)} {_first(list(dict.fromkeys(texts)))}")
    return _unless_unread(f"{_some(len(held), 'snapshot')} under customer-managed keys", grounds)


def _key_fault(holding: Holding, grounds: Grounds) -> Answer | None:
    if not holding.snapshot.encrypted:
        return Answer(BROKEN, "not encrypted")
    if holding.kms_key is None:
        return Answer(BROKEN, "under a key that AWS owns")
    places = (holding.location, key_location(holding.kms_key) or holding.location)
    known = [(grounds.world.scope(place).keys or {}).get(holding.kms_key) for place in places]
    key = next((key for key in known if key is not None), None)
    if key is None:
        return Answer(NOT_JUDGED, f"under {holding.kms_key}, which is not known")
    if key.manager is KeyManager.AWS:
        return Answer(BROKEN, f"under {key.arn}, which AWS manages")
    return None


def _no_foreign_shares(source: Source, grounds: Grounds) -> Answer:
    held = [h for h in source.holdings if h.is_available]
    inside = {*account_names(grounds.world.estate), source.location.account}
    wrong = [text for holding in held for text in _readers(holding, inside, grounds)]
    if wrong:
        return Answer(BROKEN, f"{_of(wrong, held)}: {_first(wrong)}")
    unknown = [holding for holding in held if holding.snapshot.shared_with is None]
    if unknown:
        text = f"with whom {_of(unknown, held)} are shared is not known"
        return Answer(NOT_JUDGED, text)
    return _unless_unread(f"{_some(len(held), 'snapshot')}, shared with nobody outside", grounds)


def _readers(holding: Holding, inside: set[str], grounds: Grounds) -> Iterator[str]:
    asked = holding.snapshot.shared_with or frozenset()
    readers = asked | grounds.world.shared_with.get(holding.arn, frozenset())
    if PUBLIC in readers:
        yield f"{holding.identifier} is public"
    elif readers - inside:
        yield f"{holding.identifier} is shared with {', '.join(sorted(readers - inside))}"


def _unless_unread(text: str, grounds: Grounds) -> Answer:
    unread = unread_places(grounds)
    if unread:
        return Answer(NOT_JUDGED, f"{text}; not read{_named(unread)}")
    return Answer(PASSED, text)


# -- words ---------------------------------------------------------------------------------------


def _some(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _of(part: Sequence[object], whole: Sequence[object]) -> str:
    return f"{len(part)} of {_some(len(whole), 'snapshot')}"


def _first(texts: list[str]) -> str:
    more = len(texts) - _NAMED
    return "; ".join(texts[:_NAMED]) + (f"; and {more} more" if more > 0 else "")


def _named(places: Iterable[Location]) -> str:
    names = [str(place) for place in places]
    more = len(names) - _NAMED
    shown = ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
    return f" ({shown})" if names else ""
