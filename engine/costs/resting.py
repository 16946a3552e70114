"""What the bases of other zones cost, and what they save should their database return."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from engine.costs.book import Book
from engine.costs.pieces import Piece
from engine.costs.ranges import Range
from engine.costs.stock import Stock
from engine.costs.storage import increment
from engine.plans.amounts import rounded
from engine.plans.plan import IdleChain


def with_cost_of_rest(
    chains: Iterable[IdleChain], stock: Stock, book: Book, now: datetime
) -> tuple[IdleChain, ...]:
    """Return chains with what their bases cost a month, before the free allowance.

    What a return saves is what the next point of each would take up in full and not as an increment
    of its base, as of now; what the database changes until then makes it less.
    """
    return tuple(_priced(one, stock, book, now) for one in chains)


def _priced(one: IdleChain, stock: Stock, book: Book, now: datetime) -> IdleChain:
    piece = stock.known.get(one.arn)
    if piece is None:
        return one
    price = book.prices.of_storage(one.location.region).usd
    kept = piece.gib(stock.pieces.before(piece), book.rate(piece.policy))
    saved = _saved(piece, book, now) * float(one.spares)
    return replace(
        one, usd_month=rounded((kept * price).pair), saves_usd_month=rounded((saved * price).pair)
    )


def _saved(piece: Piece, book: Book, now: datetime) -> Range:
    full = piece.body.full
    return full.beyond(increment(piece.body, now - piece.taken_at, book.rate(piece.policy)))
