"""Ground truth: what AWS stored in full and what as a delta, and of which base.

Sources: RDS User Guide, Copying a DB snapshot (Incremental snapshot copying, and the table of
copies under several keys); AWS Database Blog, Optimize Amazon RDS Multi-AZ backups with
incremental snapshots. Where the two disagree, both answers are kept.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from engine.lab.clock import text_of
from engine.lab.settings import Rules


class Stored(StrEnum):
    """How an object was stored."""

    FULL = "full"
    INCREMENTAL = "incremental"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an object lies."""

    account: str
    region: str


@dataclass(frozen=True, slots=True)
class Volume:
    """What was physically snapshotted: an instance, by resource id, in a zone, by zone id."""

    resource_id: str
    zone: str


@dataclass(frozen=True, slots=True)
class Subject:
    """An object as the rules look at it.

    Attributes:
        arn: its ARN.
        place: where it lies.
        volume: what it holds the state of.
        keys: ARNs of the keys of its lineage, the first snapshot's first; `none` is no key.
        origin: ARN of what it is a copy of, None for a snapshot of an instance.
    """

    arn: str
    place: Place
    volume: Volume
    keys: tuple[str, ...]
    origin: str | None = None

    @property
    def encrypts(self) -> bool:
        """Whether the copy encrypts what was not encrypted."""
        return len(self.keys) > 1 and self.keys[-2] == NO_KEY != self.keys[-1]


NO_KEY = "none"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How an object was stored, of which base (ARN), and by which rule."""

    stored: Stored
    base: str | None
    rule: str


@dataclass(slots=True)
class Entry:
    """An object in the books.

    Attributes:
        subject: what it is.
        verdicts: how it was stored, under each rule set.
        begun: when AWS began to store it.
        number: counts completions, 0 before.
        exists: whether it is there and did not fail.
        completed_at: when it was stored, None where it never was.
        failed_at: when it failed, None where it did not.
        deleted_at: when it was deleted, None while it is there.
        deleted_by: who deleted it, ACCOUNT or ACCOUNT/ROLE; None where AWS itself did.
    """

    subject: Subject
    verdicts: Mapping[Rules, Verdict]
    begun: datetime
    number: int = 0
    exists: bool = True
    completed_at: datetime | None = None
    failed_at: datetime | None = None
    deleted_at: datetime | None = None
    deleted_by: str | None = None


_Chain = tuple[Place, Volume, tuple[str, ...]]


@dataclass(slots=True)
class _Shelf:
    """Completed objects of one chain, newest last; objects that are gone are dropped when met."""

    entries: list[Entry] = field(default_factory=list)

    def newest(self) -> Entry | None:
        while self.entries and not self.entries[-1].exists:
            self.entries.pop()
        return self.entries[-1] if self.entries else None


class Ledger:
    """The books of what was stored how; `now` tells the time of what is noted."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._entries: dict[str, Entry] = {}
        self._history: list[Entry] = []
        self._primaries: defaultdict[Volume, _Shelf] = defaultdict(_Shelf)
        self._copies: defaultdict[_Chain, _Shelf] = defaultdict(_Shelf)
        self._last_copy: dict[tuple[Place, str], Entry] = {}
        self._lineages: defaultdict[tuple[str, str], Counter[tuple[str, ...]]] = defaultdict(
            Counter
        )
        self._completed = 0

    def begin(self, subject: Subject, at: datetime | None = None) -> None:
        """Note that AWS starts to store an object, and what it is stored relative to now.

        `at` is when, where that was in the past.
        """
        entry = Entry(subject, self._judge(subject), begun=at or self._now())
        self._entries[subject.arn] = entry
        self._history.append(entry)

    def complete(self, arn: str, at: datetime | None = None) -> None:
        """Note that an object is stored; a base that went meanwhile makes it a full one.

        `at` is when, where that was in the past.
        """
        entry = self._entries[arn]
        if any(self._lost(verdict) for verdict in entry.verdicts.values()):
            entry.verdicts = {
                rules: Verdict(Stored.FULL, None, "base_deleted_meanwhile")
                if self._lost(verdict)
                else verdict
                for rules, verdict in entry.verdicts.items()
            }
        self._completed += 1
        entry.number, entry.completed_at = self._completed, at or self._now()
        subject = entry.subject
        if subject.origin is None:
            self._primaries[subject.volume].entries.append(entry)
            return
        self._copies[(subject.place, subject.volume, subject.keys)].entries.append(entry)
        self._last_copy[(subject.place, subject.volume.resource_id)] = entry
        self._lineages[self._holder(subject)][subject.keys] += 1

    def fail(self, arn: str) -> None:
        """Note that an object will never be completed; it stays until it is removed."""
        entry = self._entries[arn]
        entry.exists, entry.failed_at = False, self._now()

    def remove(self, arn: str, by: str | None = None) -> None:
        """Note that an object is gone, and by whom."""
        entry = self._entries.pop(arn, None)
        if entry is None:
            return
        entry.exists = False
        entry.deleted_at, entry.deleted_by = self._now(), by
        if entry.number and entry.subject.origin is not None:
            counts = self._lineages[self._holder(entry.subject)]
            counts[entry.subject.keys] -= 1
            if not counts[entry.subject.keys]:
                del counts[entry.subject.keys]

    def history(self) -> Iterator[Entry]:
        """Iterate over all objects ever begun, the first begun first."""
        return iter(self._history)

    def _lost(self, verdict: Verdict) -> bool:
        return verdict.base is not None and verdict.base not in self._entries

    def _judge(self, subject: Subject) -> dict[Rules, Verdict]:
        if subject.origin is None:
            verdict = self._judge_primary(subject)
            return dict.fromkeys(Rules, verdict)
        return {rules: self._judge_copy(subject, rules) for rules in Rules}

    def _judge_primary(self, subject: Subject) -> Verdict:
        base = self._primaries[subject.volume].newest()
        if base is None:
            return Verdict(Stored.FULL, None, "first_of_volume")
        return Verdict(Stored.INCREMENTAL, base.subject.arn, "newest_of_volume")

    def _judge_copy(self, subject: Subject, rules: Rules) -> Verdict:
        origin = self._entries.get(subject.origin or "")
        if origin is None or origin.verdicts[rules].stored is Stored.FULL:
            return Verdict(Stored.FULL, None, "copy_of_full")
        if subject.encrypts:
            return Verdict(Stored.FULL, None, "encrypts_unencrypted")
        if rules is Rules.BLOG:
            return self._judge_by_blog(subject)
        return self._judge_by_documentation(subject, origin.subject)

    def _judge_by_blog(self, subject: Subject) -> Verdict:
        base = self._copies[(subject.place, subject.volume, subject.keys)].newest()
        if base is None:
            return Verdict(Stored.FULL, None, "first_in_chain")
        return Verdict(Stored.INCREMENTAL, base.subject.arn, "newest_in_chain")

    def _judge_by_documentation(self, subject: Subject, origin: Subject) -> Verdict:
        last = self._last_copy.get((subject.place, subject.volume.resource_id))
        if last is None:
            return Verdict(Stored.FULL, None, "first_copy_here")
        if not last.exists:
            return Verdict(Stored.FULL, None, "most_recent_copy_deleted")
        if last.subject.keys != subject.keys:
            return Verdict(Stored.FULL, None, "most_recent_copy_under_other_key")
        if last.subject.volume != subject.volume:
            return Verdict(Stored.FULL, None, "failed_over_since_most_recent_copy")
        crosses = origin.place.account != subject.place.account
        if crosses and len(self._lineages[self._holder(subject)]) > 1:
            return Verdict(Stored.FULL, None, "account_holds_copies_under_other_keys")
        return Verdict(Stored.INCREMENTAL, last.subject.arn, "most_recent_copy")

    @staticmethod
    def _holder(subject: Subject) -> tuple[str, str]:
        return subject.place.account, subject.volume.resource_id


def verdict_document(entry: Entry, rules: Rules) -> dict[str, Any]:
    """Write an object of the books as JSON."""
    subject, verdict = entry.subject, entry.verdicts[rules]
    return {
        "arn": subject.arn,
        "account": subject.place.account,
        "region": subject.place.region,
        "completed": entry.number > 0,
        "exists": entry.exists,
        "begun_at": text_of(entry.begun),
        "completed_at": _told(entry.completed_at),
        "failed_at": _told(entry.failed_at),
        "deleted_at": _told(entry.deleted_at),
        "deleted_by": entry.deleted_by,
        "stored": str(verdict.stored),
        "base": verdict.base,
        "rule": verdict.rule,
        "volume": {"resource_id": subject.volume.resource_id, "zone": subject.volume.zone},
        "keys": list(subject.keys),
        "origin": subject.origin,
        "under": {
            str(name): {"stored": str(each.stored), "base": each.base, "rule": each.rule}
            for name, each in entry.verdicts.items()
        },
    }


def _told(when: datetime | None) -> str | None:
    return None if when is None else text_of(when)
