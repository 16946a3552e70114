"""The engine's tags: written on everything it makes, read back as typed marks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache

from engine.inventory.records import Location, Snapshot, SnapshotType

PREFIX = "engine:"
ESTATE = "engine:estate"
POLICY = "engine:policy"
SLOT = "engine:slot"
ROLE = "engine:role"
RESOURCE = "engine:resource"
SOURCE = "engine:source"
VOLUME = "engine:volume"
ZONE = "engine:az"
ZONE_CHECKED = "engine:az-checked"
KEYS = "engine:keys"
ORIGIN = "engine:origin"
SHARED = "engine:shared"
GONE_SINCE = "engine:gone-since"
PIN = "engine:pin"
ADOPTED = "engine:adopted"
KEEP_UNTIL = "engine:keep-until"
REASON = "engine:reason"
COPIES = "engine:copies"
SHARED_BY_POLICY = "engine:shared-by-policy"
UNSHARED = "engine:unshared"

NO_KEY = "none"
NO_COPIES = "none"
UNKNOWN_KEY = "unknown"
_GIVING = "giving:"
_LONGEST_VALUE = 256  # of a tag (API reference, Tag)
_ACCOUNT = 12  # digits of an account's id
_YEARS = range(1970, 9000)  # what schedules and calendars can count in, with room around it


class Role(StrEnum):
    """What an object is for."""

    PRIMARY = "primary"
    BRIDGE = "bridge"
    COPY = "copy"


_ROLES = {role.value: role for role in Role}


@dataclass(frozen=True, slots=True)
class Marks:
    """What the engine's tags say of one object.

    `volume` and `zone` name what was physically snapshotted, `keys` the encryption key of every
    hop so far, the object's own last, each as `key_mark` gives it. `keep_until` stands on one-off
    points: no rule ends what was promised of them before. `stays_here` says that policies do not
    copy it. `shared` are all accounts that may read it, `shared_by_policy` those of them that a
    policy lets read it; while these are `being_given`, AWS may not know of each of them yet.
    `unshared_at` is when it was last taken back from an account outside the estate.
    """

    estate: str
    policy: str
    slot: datetime
    role: Role
    resource: str
    source: str
    volume: str
    zone: str
    keys: tuple[str, ...]
    origin: str | None = None
    zone_checked: bool = False
    shared: frozenset[str] = frozenset()
    gone_since: datetime | None = None
    pin: str | None = None
    adopted: str | None = None
    keep_until: datetime | None = None
    reason: str | None = None
    stays_here: bool = False
    shared_by_policy: frozenset[str] = frozenset()
    being_given: bool = False
    unshared_at: datetime | None = None


@lru_cache(maxsize=1 << 14)
def time_text(moment: datetime) -> str:
    """Write a time as RFC 3339 in UTC with seconds."""
    return moment.astimezone(UTC).isoformat()[:19] + "Z"


def key_mark(arn: str | None, *, encrypted: bool = True) -> str:
    """Return the eight hex digits that stand for a key in `engine:keys`."""
    if not encrypted:
        return NO_KEY
    return hashlib.sha256(arn.encode()).hexdigest()[:8] if arn else UNKNOWN_KEY


def tags_of(marks: Marks) -> dict[str, str]:
    """Return the tags that say `marks`."""
    tags = {
        ESTATE: marks.estate,
        POLICY: marks.policy,
        SLOT: time_text(marks.slot),
        ROLE: marks.role.value,
        RESOURCE: marks.resource,
        SOURCE: marks.source,
        VOLUME: marks.volume,
        ZONE: marks.zone,
        KEYS: "/".join(marks.keys),
    }
    if marks.origin:
        tags[ORIGIN] = marks.origin
    if marks.zone_checked:
        tags[ZONE_CHECKED] = "true"
    if marks.shared:
        tags[SHARED] = accounts_text(marks.shared)
    if marks.gone_since:
        tags[GONE_SINCE] = time_text(marks.gone_since)
    if marks.pin is not None:
        tags[PIN] = marks.pin
    if marks.adopted:
        tags[ADOPTED] = marks.adopted
    tags |= _one_off_tags(marks)
    tags |= _share_tags(marks)
    return tags


def _share_tags(marks: Marks) -> dict[str, str]:
    tags: dict[str, str] = {}
    if marks.shared_by_policy:
        tags[SHARED_BY_POLICY] = shares_text(marks.shared_by_policy, being_given=marks.being_given)
    if marks.unshared_at:
        tags[UNSHARED] = time_text(marks.unshared_at)
    return tags


def _one_off_tags(marks: Marks) -> dict[str, str]:
    tags: dict[str, str] = {}
    if marks.keep_until:
        tags[KEEP_UNTIL] = time_text(marks.keep_until)
    if marks.reason:
        tags[REASON] = marks.reason
    if marks.stays_here:
        tags[COPIES] = NO_COPIES
    return tags


def accounts_text(accounts: Iterable[str]) -> str:
    """Return accounts as tags hold them: joined by `+`, or by nothing where that is too long.

    AWS shares a snapshot with 20 accounts; their ids fit into a tag's value without the `+` only.
    """
    ids = sorted(set(accounts))
    joined = "+".join(ids)
    return joined if len(joined) <= _LONGEST_VALUE - len(_GIVING) else "".join(ids)


def shares_text(accounts: Iterable[str], *, being_given: bool) -> str:
    """Return what `engine:shared-by-policy` holds, while the call is on its way and after it."""
    return (_GIVING if being_given else "") + accounts_text(accounts)


def _accounts(text: str) -> frozenset[str]:
    pieces = text.split("+")
    return frozenset(
        piece[start : start + _ACCOUNT]
        for piece in pieces
        for start in range(0, len(piece), _ACCOUNT)
    )


def read_marks(tags: Mapping[str, str]) -> Marks | None:
    """Read the tags back; None where one that must be there is missing or makes no sense.

    A primary has no origin; bridges and copies must name theirs.
    """
    try:
        role = _ROLES[tags[ROLE]]
        origin = tags[ORIGIN] if role is not Role.PRIMARY else tags.get(ORIGIN)
        gone_since = tags.get(GONE_SINCE)
        unshared_at = tags.get(UNSHARED)
        given = tags.get(SHARED_BY_POLICY, "")
        return Marks(
            estate=tags[ESTATE],
            policy=tags[POLICY],
            slot=_time(tags[SLOT]),
            role=role,
            resource=tags[RESOURCE],
            source=tags[SOURCE],
            volume=tags[VOLUME],
            zone=tags[ZONE],
            keys=_keys(tags[KEYS]),
            origin=origin,
            zone_checked=ZONE_CHECKED in tags,
            shared=_accounts(tags.get(SHARED, "")),
            gone_since=_time(gone_since) if gone_since else None,
            pin=tags.get(PIN),
            adopted=tags.get(ADOPTED),
            keep_until=_time(tags[KEEP_UNTIL]) if KEEP_UNTIL in tags else None,
            reason=tags.get(REASON),
            stays_here=COPIES in tags,
            shared_by_policy=_accounts(given.removeprefix(_GIVING)),
            being_given=given.startswith(_GIVING),
            unshared_at=_time(unshared_at) if unshared_at else None,
        )
    except (KeyError, ValueError):
        return None


# An estate has few slots and keys and many objects: each is read once and shared by all.
@lru_cache(maxsize=1 << 14)
def _keys(text: str) -> tuple[str, ...]:
    return tuple(text.split("/"))


@lru_cache(maxsize=1 << 14)
def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or moment.microsecond or moment.year not in _YEARS:
        raise ValueError(text)
    return moment.astimezone(UTC)


def fingerprint(
    estate: str, role: Role, location: Location, resource: str, policy: str, slot: datetime
) -> str:
    """Return the hash that ends an id: which object this is, and where it may lie."""
    words = (estate, role, location.account, location.region, resource, policy, time_text(slot))
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:8]


def adoption_proof(marks: Marks, arn: str) -> str:
    """Return what `engine:adopted` must hold on an adopted object at `arn`."""
    words = (marks.estate, marks.role, arn, marks.resource, marks.policy, time_text(marks.slot))
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:16]


def owned_marks(snapshot: Snapshot, estate: str) -> Marks | None:
    """Return the marks of a snapshot that the engine owns for `estate`, else None.

    Tags travel with restores and copies, so the tags alone prove nothing: the hash recomputed
    from them and from where the object was found must be the one its id ends in.
    """
    if snapshot.type is not SnapshotType.MANUAL or snapshot.tags.get(ESTATE) != estate:
        return None
    marks = read_marks(snapshot.tags)
    if marks is None:
        return None
    if marks.adopted is not None:
        return marks if marks.adopted == adoption_proof(marks, snapshot.arn) else None
    proof = fingerprint(
        estate, marks.role, snapshot.location, marks.resource, marks.policy, marks.slot
    )
    return marks if snapshot.identifier.endswith(f"-{proof}") else None
