"""Promise 3: a base goes only after its successor in the same chain is available."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from engine.documents.model import DEFAULT_IDLE_AFTER
from engine.identity.chains import Chain
from engine.identity.marks import VOLUME
from engine.inventory.placement import UNKNOWN_ZONE
from engine.inventory.records import Kind, kind_of
from engine.verifying.cases import Case
from engine.verifying.evidence import Evidence, Held
from engine.verifying.sources import Standing

GONE = frozenset({Standing.GONE, Standing.SUCCEEDED})


@dataclass(frozen=True, slots=True)
class Follower:
    """When the data of an object of a chain was captured, and when the object was made."""

    data: datetime | None
    made: datetime | None


class Bases:
    """Checks deletes against the chains that later snapshots and copies build on."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._members: dict[Chain, list[Held]] = {}
        self._followers: dict[Chain, list[Follower]] = {}

    def objections(self, case: Case) -> Iterator[str]:
        """Yield why the object that `case` would delete may still be a base."""
        if case.retired or case.family.standing in GONE or not case.held.is_available:
            return
        if kind_of(case.held.snapshot.arn) is Kind.CLUSTER:
            # Each is stored in full (Aurora User Guide, Copying a DB cluster snapshot).
            return
        chain = case.held.chain
        if self._is_idle(case, chain):
            return
        own = _as_follower(case.held)
        followers = [*self._standing(chain), *self._awaited(case.held, chain)]
        for what, is_newer in (
            ("data", [_not_before(one.data, own.data) for one in followers]),
            ("object", [_not_before(one.made, own.made) for one in followers]),
        ):
            if not any(is_newer):
                yield (
                    f"it may be the base of its chain ({chain.volume} in {chain.zone} at "
                    f"{chain.location}, {chain.role}): no newer {what} is sure to be there"
                )
                return

    def _standing(self, chain: Chain) -> list[Follower]:
        """Return what the chain is sure to have all the while the plan is being done.

        That is what stays, and what goes only once something planned took its place. An object
        whose zone was not confirmed may belong to another chain, so it follows nothing; in a chain
        of unknown zone none ever is confirmed, and the newest has to do.
        """
        if chain not in self._followers:
            found: list[Follower] = []
            for held in self._chain(chain):
                confirmed = held.marks.zone_checked or chain.zone == UNKNOWN_ZONE
                if not (held.is_available and confirmed):
                    continue
                own = _as_follower(held)
                if held.snapshot.arn not in self._evidence.deleting:
                    found.append(own)
                for heir in self._awaited(held, chain):
                    found.append(Follower(_earlier(own.data, heir.data), own.made))
            self._followers[chain] = found
        return self._followers[chain]

    def _awaited(self, held: Held, chain: Chain) -> Iterator[Follower]:
        """Yield what of the chain is planned and waited for before `held` goes."""
        step = self._evidence.deleting.get(held.snapshot.arn)
        planned = self._evidence.planned_by_chain.get(chain, ())
        waited_for = self._evidence.waits_for(step) if step and planned else frozenset()
        for one in planned:
            if one.step.id in waited_for:
                yield Follower(one.original, self._evidence.now)

    def _is_idle(self, case: Case, chain: Chain) -> bool:
        """Return whether nothing joined the chain for so long that nothing is expected to."""
        members = self._chain(chain)
        if chain in self._evidence.planned_by_chain or any(one.is_in_flight for one in members):
            return False
        times = [one.made_at for one in members]
        says = case.now_says or case.maker_says
        idle_after = says.terms.idle_after if says else DEFAULT_IDLE_AFTER
        return all(time is not None and time + idle_after <= self._evidence.now for time in times)

    def _chain(self, chain: Chain) -> list[Held]:
        if chain not in self._members:
            held = self._evidence.held_with(VOLUME, chain.volume)
            for one in held:
                self._members.setdefault(one.chain, []).append(one)
        return self._members[chain]


def _as_follower(held: Held) -> Follower:
    return Follower(held.snapshot.taken_at, held.made_at)


def _earlier(time: datetime | None, other: datetime | None) -> datetime | None:
    return min(time, other) if time is not None and other is not None else None


def _not_before(time: datetime | None, other: datetime | None) -> bool:
    return time is not None and other is not None and time >= other
