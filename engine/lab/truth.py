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
from typing import Any, NamedTuple

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


class Moment(NamedTuple):
    """When something came into the books: by the lab's time, and before and after what."""

    when: datetime
    order: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """How an object was stored, of which base, and by which rule.

    Attributes:
        stored: how.
        base: the base's ARN.
        rule: which rule says so.
        base_order: when the base was completed, which tells it from a later one of its ARN.
    """

    stored: Stored
    base: str | None
    rule: str
    base_order: int | None = None


@dataclass(slots=True)
class Entry:
    """An object in the books.

    Attributes:
        subject: what it is.
        verdicts: how it was stored, under each rule set.
        begun: when AWS began to store it.
        completed: when it was stored, None where it never was.
        failed: when it failed, None where it did not.
        deleted: when it was deleted, None while it is there.
        deleted_by: who deleted it, ACCOUNT or ACCOUNT/ROLE; None where AWS itself did.
    """

    subject: Subject
    verdicts: Mapping[Rules, Verdict]
    begun: Moment
    completed: Moment | None = None
    failed: Moment | None = None
    deleted: Moment | None = None
    deleted_by: str | None = None

    @property
    def exists(self) -> bool:
        """Whether it is there and did not fail."""
        return self.failed is None and self.deleted is None


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
        self._noted = 0

    def _moment(self, at: datetime | None = None) -> Moment:
        self._noted += 1
        return Moment(at or self._now(), self._noted)

    def begin(self, subject: Subject, at: datetime | None = None) -> None:
        """Note that AWS starts to store an object, and what it is stored relative to now.

        `at` is when, where that was in the past.
        """
        entry = Entry(subject, self._judge(subject), begun=self._moment(at))
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
        entry.completed = self._moment(at)
        subject = entry.subject
        if subject.origin is None:
            self._primaries[subject.volume].entries.append(entry)
            return
        self._copies[(subject.place, subject.volume, subject.keys)].entries.append(entry)
        self._last_copy[(subject.place, subject.volume.resource_id)] = entry
        self._lineages[self._holder(subject)][subject.keys] += 1

    def fail(self, arn: str) -> None:
        """Note that an object will never be completed; it stays until it is removed."""
        self._entries[arn].failed = self._moment()

    def remove(self, arn: str, by: str | None = None) -> None:
        """Note that an object is gone, and by whom."""
        entry = self._entries.pop(arn, None)
        if entry is None:
            return
        entry.deleted, entry.deleted_by = self._moment(), by
        if entry.completed and entry.subject.origin is not None:
            counts = self._lineages[self._holder(entry.subject)]
            counts[entry.subject.keys] -= 1
            if not counts[entry.subject.keys]:
                del counts[entry.subject.keys]

    def history(self) -> Iterator[Entry]:
        """Iterate over all objects ever begun, the first begun first."""
        return iter(self._history)

    def _lost(self, verdict: Verdict) -> bool:
        if verdict.base is None:
            return False
        base = self._entries.get(verdict.base)
        return base is None or _order(base.completed) != verdict.base_order

    def _judge(self, subject: Subject) -> dict[Rules, Verdict]:
        if ":cluster-snapshot:" in subject.arn:
            # Aurora User Guide, Copying a DB cluster snapshot.
            return dict.fromkeys(Rules, Verdict(Stored.FULL, None, "cluster_snapshot"))
        if subject.origin is None:
            verdict = self._judge_primary(subject)
            return dict.fromkeys(Rules, verdict)
        return {rules: self._judge_copy(subject, rules) for rules in Rules}

    def _judge_primary(self, subject: Subject) -> Verdict:
        base = self._primaries[subject.volume].newest()
        if base is None:
            return Verdict(Stored.FULL, None, "first_of_volume")
        return _incremental(base, "newest_of_volume")

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
        return _incremental(base, "newest_in_chain")

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
        return _incremental(last, "most_recent_copy")

    @staticmethod
    def _holder(subject: Subject) -> tuple[str, str]:
        return subject.place.account, subject.volume.resource_id


def _incremental(base: Entry, rule: str) -> Verdict:
    return Verdict(Stored.INCREMENTAL, base.subject.arn, rule, _order(base.completed))


def _order(moment: Moment | None) -> int | None:
    return None if moment is None else moment.order


def verdict_document(entry: Entry, rules: Rules) -> dict[str, Any]:
    """Write an object of the books as JSON.

    `order` tells what came before what, also where both have one time.
    """
    subject, verdict = entry.subject, entry.verdicts[rules]
    moments = {
        "begun": entry.begun,
        "completed": entry.completed,
        "failed": entry.failed,
        "deleted": entry.deleted,
    }
    return {
        "arn": subject.arn,
        "account": subject.place.account,
        "region": subject.place.region,
        "completed": entry.completed is not None,
        "exists": entry.exists,
        **{f"{name}_at": one and text_of(one.when) for name, one in moments.items()},
        "order": {name: _order(one) for name, one in moments.items()},
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
