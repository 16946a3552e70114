"""What is kept, piece by piece and chain by chain, as far as it costs something."""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime

from engine.costs.book import Book
from engine.costs.prices import Kept
from engine.costs.ranges import Range
from engine.costs.rates import Rate
from engine.costs.storage import Body, either, increment
from engine.identity.chains import Chain, chain_of, tagged_chain
from engine.identity.marks import ESTATE, POLICY, SLOT, Marks, owned_marks, read_marks
from engine.inventory.records import (
    Kind,
    Location,
    Snapshot,
    SnapshotState,
    SnapshotType,
    kind_of,
)
from engine.plans.codes import Action, Verdict
from engine.plans.plan import Step

GIB = 1 << 30
_MAKES = frozenset({Action.CREATE, Action.COPY})


@dataclass(frozen=True, slots=True)
class Piece:
    """One snapshot of the engine's, there or planned.

    `verdict` is what was foreseen of a planned one; of those that are there the oldest of a chain
    counts in full and the others as increments.
    """

    arn: str
    policy: str
    chain: Chain
    taken_at: datetime
    body: Body
    verdict: Verdict | None = None

    @property
    def location(self) -> Location:
        """Where it lies."""
        return self.chain.location

    @property
    def kept(self) -> Kept:
        """What kind of snapshot it is, which decides its price."""
        return kept_of(self.arn)

    def gib(self, before: Piece | None, rate: Rate) -> Range:
        """Return what it takes up; `before` is the piece of its chain before it.

        Snapshots of clusters are always full (Aurora User Guide, Copying a DB cluster snapshot).
        """
        if before is None or self.verdict is Verdict.FULL or self.kept is Kept.CLUSTER_SNAPSHOT:
            return self.body.full
        since = self.taken_at - before.taken_at
        is_sure = self.verdict in {None, Verdict.INCREMENTAL} and self.chain.is_known
        return (increment if is_sure else either)(self.body, since, rate)


def kept_of(arn: str) -> Kept:
    """Return what kind of snapshot an ARN is of."""
    return Kept.CLUSTER_SNAPSHOT if kind_of(arn) is Kind.CLUSTER else Kept.SNAPSHOT


@dataclass(slots=True)
class Pieces:
    """The pieces by chain, oldest first."""

    chains: dict[Chain, list[Piece]] = field(default_factory=lambda: defaultdict(list))

    def add(self, piece: Piece) -> None:
        """Put a piece into its chain."""
        insort(self.chains[piece.chain], piece, key=_age)

    def remove(self, piece: Piece) -> None:
        """Take a piece out of its chain."""
        self.chains[piece.chain].remove(piece)

    def before(self, piece: Piece) -> Piece | None:
        """Return the piece of the same chain that is there and older, the newest of them."""
        return max(
            (one for one in self.chains[piece.chain] if _age(one) < _age(piece)),
            key=_age,
            default=None,
        )

    def after(self, piece: Piece) -> Piece | None:
        """Return the piece of the same chain that is there and newer, the oldest of them."""
        return min(
            (one for one in self.chains[piece.chain] if _age(one) > _age(piece)),
            key=_age,
            default=None,
        )

    def sized(self, book: Book) -> Iterator[tuple[Piece, Range]]:
        """Yield every piece and what it takes up."""
        for chain in self.chains.values():
            before: Piece | None = None
            for piece in chain:
                yield piece, piece.gib(before, book.rate(piece.policy))
                before = piece


def _age(piece: Piece) -> tuple[datetime, str]:
    return piece.taken_at, piece.arn


class Sizes:
    """What snapshots say they are in full, by what was snapshotted: the newest that says it."""

    def __init__(self, snapshots: Iterable[Snapshot]) -> None:
        self._newest: dict[str, tuple[datetime, float]] = {}
        for one in snapshots:
            taken, gib = one.taken_at, _full_gib(one)
            if gib is None or taken is None:
                continue
            if taken >= self._newest.get(one.resource_id, (taken, gib))[0]:
                self._newest[one.resource_id] = (taken, gib)

    def body(self, resource_id: str, allocated_gib: int, full_gib: float | None = None) -> Body:
        """Return what is known of something that was or will be snapshotted."""
        if full_gib is None and resource_id in self._newest:
            full_gib = self._newest[resource_id][1]
        return Body(allocated_gib, full_gib)

    def body_of(self, snapshot: Snapshot) -> Body:
        """Return what is known of what a snapshot was taken of."""
        return self.body(snapshot.resource_id, snapshot.allocated_gib, _full_gib(snapshot))


def _full_gib(snapshot: Snapshot) -> float | None:
    told = snapshot.full_bytes
    return told / GIB if told is not None and told > 0 else None


def piece_of(snapshot: Snapshot, estate: str, sizes: Sizes, told: AbstractSet[str]) -> Piece | None:
    """Return the piece of a snapshot of the engine's; None of others, and of what failed.

    `told` are the ARNs that a plan calls the engine's: of these nothing has to be proved again.
    """
    tags = snapshot.tags
    if tags.get(ESTATE) != estate or snapshot.state is SnapshotState.FAILED:
        return None
    if snapshot.arn not in told and owned_marks(snapshot, estate) is None:
        return None
    return Piece(
        arn=snapshot.arn,
        policy=tags[POLICY],
        chain=tagged_chain(tags, snapshot.location),
        taken_at=snapshot.taken_at or datetime.fromisoformat(tags[SLOT]),
        body=sizes.body_of(snapshot),
    )


def planned_piece(step: Step, taken_at: datetime, sizes: Sizes) -> Piece | None:
    """Return the piece that a step makes; None where it makes none."""
    marks = _made(step)
    if marks is None or step.forecast is None:
        return None
    location = Location(step.location.account, step.location.region)
    return Piece(
        arn=step.arn,
        policy=step.policy,
        chain=chain_of(marks, location),
        taken_at=taken_at,
        body=sizes.body(marks.volume, step.forecast.gib[1]),
        verdict=step.forecast.verdict,
    )


def _made(step: Step) -> Marks | None:
    return read_marks(step.parameters["Tags"]) if step.action in _MAKES else None


def is_others(snapshot: Snapshot) -> bool:
    """Say whether a snapshot that is not the engine's uses up the free allowance as ours do.

    Those of clusters do not: what is free of them has rules of its own.
    """
    if kind_of(snapshot.arn) is Kind.CLUSTER:
        return False
    return snapshot.type is SnapshotType.MANUAL and snapshot.state is not SnapshotState.FAILED
