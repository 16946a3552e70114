"""Promise 2: a point goes only when no rule keeps it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from engine.identity.marks import Marks
from engine.inventory.records import Location
from engine.retention.decide import decide
from engine.retention.keep import Keep
from engine.verifying.cases import Case, Cases, Say
from engine.verifying.evidence import FAILED, Evidence
from engine.verifying.sources import Family, Source, Standing


@dataclass(frozen=True, slots=True)
class Slots:
    """The slots of a family's points at one location; `planned` holds the steps that make some.

    `promised` are those that one-off points were promised to stay at; rules count the others only.
    """

    available: frozenset[datetime]
    planned: Mapping[datetime, frozenset[str]]
    promised: frozenset[datetime]

    @property
    def counted(self) -> frozenset[datetime]:
        """The available slots that rules count."""
        return self.available - self.promised


def is_promised(marks: Marks, now: datetime) -> bool:
    """Return whether a tag says that an object stays at `now` whatever rules say."""
    return marks.keep_until is not None and now < marks.keep_until


class Rules:
    """Checks deletes against keep rules; what rules keep of a family is decided once."""

    def __init__(self, evidence: Evidence, cases: Cases) -> None:
        self._evidence = evidence
        self._cases = cases
        self._slots: dict[tuple[frozenset[Source], Location], Slots] = {}
        self._decided: dict[tuple[object, ...], frozenset[datetime]] = {}

    def objections(self, case: Case) -> Iterator[str]:
        """Yield what keeps the object that `case` would delete."""
        if case.marks.pin is not None:
            yield f"it is pinned: {case.marks.pin}"
        if case.held.snapshot.state is FAILED:
            # It holds no data, and stands where its slot is to be made again.
            return
        yield from self._withdrawn_from_rules(case)
        if case.retired:
            return
        if not case.held.is_point:
            if not case.says:
                yield f"the policy {case.marks.policy} that made it is gone"
        elif case.unmanaged:
            why = ", ".join(sorted(case.unmanaged))
            yield f"no policy decides about it ({why}), and nothing in `retire` names it"
        elif case.family.standing is Standing.GONE:
            yield from self._orphaned(case)
        elif case.family.instance is not None:
            for say in case.says:
                yield from self._kept(case, say)

    def _withdrawn_from_rules(self, case: Case) -> Iterator[str]:
        """Yield what keeps an object though no rule does."""
        if case.held.is_point and self._is_promised(case):
            yield f"it is a one-off point, promised to stay: {case.marks.reason}"
        if len(case.family.takers) > 1:
            names = ", ".join(policy.name for policy in case.family.takers)
            yield f"its source is matched by more than one policy: {names}"
        for say in case.says:
            if say.terms.hold is not None:
                yield f"{say.policy.name} holds it: {say.terms.hold}"

    def _is_promised(self, case: Case) -> bool:
        """Return whether the time of a one-off point runs, by its tag or by the documents."""
        now = self._evidence.now
        announced = any(
            event.at == case.marks.slot and event.at <= now < event.keep_until
            for say in case.says
            for event in say.terms.events
        )
        return announced or case.marks.slot in self._slots_at(case).promised

    def _orphaned(self, case: Case) -> Iterator[str]:
        """Yield what keeps a point of a source that is gone."""
        for say in case.says:
            orphans = say.terms.orphans
            if orphans is None:
                yield f"its source is gone, and {say.policy.name} has no `orphans`"
                continue
            now = self._evidence.now.astimezone(UTC)
            gone_since = case.marks.gone_since
            if gone_since is None:
                yield "its source is gone, but engine:gone-since does not say since when"
            elif gone_since > orphans.keep_for.before(now):
                yield f"its source is gone for less than {orphans.keep_for}"
            newest = sorted(self._slots_at(case).available, reverse=True)
            if case.marks.slot in newest[: orphans.keep_last]:
                yield f"it is one of the newest {orphans.keep_last} points of a source that is gone"

    def _kept(self, case: Case, say: Say) -> Iterator[str]:
        """Yield the rules of one policy that keep a point when its delete is done.

        Only points that are sure to be there by then count: the available ones and those the
        delete waits for. A rule that would let the point go only for others keeps it until then.
        """
        slots = self._slots_at(case)
        for keep in self._cases.keeps_at(say, case.location):
            if case.marks.slot not in self._decide(slots.counted, keep, say):
                continue
            sure = slots.counted | self._made_before(case, slots)
            if case.marks.slot in self._decide(sure, keep, say):
                yield f"{say.policy.name} keeps {keep.sentence()}, this one too"

    def _made_before(self, case: Case, slots: Slots) -> frozenset[datetime]:
        """Return the planned slots whose points are available before the step is done."""
        before = self._evidence.waits_for(case.step)
        return frozenset(slot for slot, steps in slots.planned.items() if steps & before)

    def _slots_at(self, case: Case) -> Slots:
        key = (case.family.members, case.location)
        if key not in self._slots:
            self._slots[key] = self._find_slots(case.family, case.location)
        return self._slots[key]

    def _find_slots(self, family: Family, location: Location) -> Slots:
        points = self._cases.sources.points(family, location)
        now = self._evidence.now
        planned: dict[datetime, frozenset[str]] = {}
        promised = {one.marks.slot for one in points if is_promised(one.marks, now)}
        for one in self._cases.sources.points_to_be(family, location):
            if is_promised(one.marks, now):
                continue
            made = planned.get(one.marks.slot, frozenset())
            planned[one.marks.slot] = made | {one.step.id}
        available = frozenset([one.marks.slot for one in points if one.is_available])
        return Slots(available, planned, frozenset(promised))

    def _decide(self, times: frozenset[datetime], keep: Keep, say: Say) -> frozenset[datetime]:
        """Return which of `times` stay, were these all the points that are available."""
        key = (times, keep, say.terms.timezone)
        if key not in self._decided:
            decision = decide(tuple(times), *key[1:], now=self._evidence.now)
            self._decided[key] = frozenset(kept.time for kept in decision.keep)
        return self._decided[key]
