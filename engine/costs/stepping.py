"""What each step of a plan stores or frees, costs and takes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from engine.costs.book import Book
from engine.costs.durations import Work, work_of_copy
from engine.costs.history import work_key
from engine.costs.pieces import Piece, planned_piece
from engine.costs.prices import Kept
from engine.costs.ranges import NOTHING, Range
from engine.costs.stock import Stock
from engine.identity.names import location_of
from engine.plans.codes import Action
from engine.plans.plan import Step

_ORIGINS = ("SourceDBSnapshotIdentifier", "SourceDBClusterSnapshotIdentifier")


@dataclass(frozen=True, slots=True)
class Cost:
    """What a step comes to; `gib` and `usd_month` are less than nothing for what it frees.

    `way` are the regions that a copy's data comes from and goes to.
    """

    step: Step
    gib: Range
    usd_month: Range
    usd_once: Range = NOTHING
    seconds: Range | None = None
    seen: int = 0
    work: Work | None = None
    way: tuple[str, str] | None = None
    kept: Kept = Kept.SNAPSHOT


@dataclass(frozen=True, slots=True)
class Walk:
    """Steps done one after the other in a stock, which changes with them."""

    stock: Stock
    book: Book
    now: datetime

    def make(self, step: Step) -> Cost | None:
        """Do a create or copy; one that is withheld is reckoned, but adds nothing to the stock."""
        piece = planned_piece(step, self._taken_at(step), self.stock.sizes)
        if piece is None:
            return None
        gib = piece.gib(self.stock.pieces.before(piece), self.book.rate(piece.policy))
        self.stock.known[piece.arn] = piece
        if step.withheld_by is None:
            self.stock.pieces.add(piece)
        price = self.book.prices.of_storage(piece.location.region, piece.kept).usd
        work, origin = self._work(step)
        transfer = self.book.prices.of_transfer(origin, piece.location.region).usd
        learned = self.book.history.of(work_key(step, work))
        return Cost(
            step=step,
            gib=gib,
            usd_month=gib * price,
            usd_once=gib * transfer,
            seconds=self.book.paces.seconds(work, gib) if learned is None else learned.seconds,
            seen=0 if learned is None else learned.count,
            work=work,
            way=(origin, piece.location.region),
            kept=piece.kept,
        )

    def delete(self, step: Step) -> Cost | None:
        """Do a delete: what a later one of the chain needs of it stays."""
        piece = self.stock.known.get(step.arn)
        if piece is None or step.withheld_by is not None:
            return None
        pieces = self.stock.pieces
        before, after = pieces.before(piece), pieces.after(piece)
        was = self._pair(before, piece, after)
        pieces.remove(piece)
        is_now = NOTHING if after is None else after.gib(before, self.book.rate(after.policy))
        freed = was.change_to(is_now)
        price = self.book.prices.of_storage(piece.location.region, piece.kept).usd
        return Cost(step, freed, freed * price)

    def _pair(self, before: Piece | None, piece: Piece, after: Piece | None) -> Range:
        own = piece.gib(before, self.book.rate(piece.policy))
        return own if after is None else own + after.gib(piece, self.book.rate(after.policy))

    def _taken_at(self, step: Step) -> datetime:
        origin = self.stock.known.get(_origin(step))
        return self.now if origin is None else origin.taken_at

    def _work(self, step: Step) -> tuple[Work, str]:
        """Return the kind of work, and the region that its data comes from."""
        to = (step.location.account, step.location.region)
        origin = location_of(_origin(step))
        if step.action is Action.CREATE or origin is None:
            return Work.CREATE, step.location.region
        return work_of_copy((origin.account, origin.region), to), origin.region


def _origin(step: Step) -> str:
    """Return the ARN that a copy is made from; empty for a create."""
    named = (step.parameters.get(name) for name in _ORIGINS)
    return next((str(arn) for arn in named if arn is not None), "")
