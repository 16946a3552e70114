"""Which points go earlier or later by a change, and how far back databases can be restored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from engine.consequences.ahead import Future
from engine.consequences.outlook import Outlook
from engine.consequences.side import GOING, Side
from engine.planning.draft import at
from engine.planning.survey import Holding
from engine.plans.codes import Leaving
from engine.plans.consequences import PointChange, Reach


def reaches(before: Side, after: Side, outlooks: Iterable[Outlook]) -> Iterator[Reach]:
    """Yield each database and location of which the change moves a point's end, or the oldest."""
    for outlook in outlooks:
        changes = (_change(before, after, holding, outlook) for holding in outlook.points)
        found = _reach(before, after, outlook, tuple(c for c in changes if c is not None))
        now_moves = found.oldest_before != found.oldest_after
        if found.points or now_moves or found.later_before != found.later_after:
            yield found


def _reach(before: Side, after: Side, outlook: Outlook, changes: tuple[PointChange, ...]) -> Reach:
    was, will = outlook.policies
    return Reach(
        source=outlook.source.ref,
        location=at(outlook.location),
        policy=will or was or outlook.points[-1].marks.policy,
        oldest_before=_oldest(before, outlook.points),
        oldest_after=_oldest(after, outlook.points),
        later_before=min(outlook.future_before.slots, default=None),
        later_after=min(outlook.future_after.slots, default=None),
        points=changes,
    )


def _change(before: Side, after: Side, holding: Holding, outlook: Outlook) -> PointChange | None:
    was, was_at = _end(before, holding, outlook.future_before)
    will, will_at = _end(after, holding, outlook.future_after)
    if (was, was_at) == (will, will_at):
        return None
    return PointChange(
        arn=holding.arn,
        slot=holding.slot,
        before=was,
        after=will,
        before_at=was_at,
        after_at=will_at,
        text=_text(after, holding, will),
        acknowledge=after.acknowledge(holding.arn),
    )


def _oldest(side: Side, points: Iterable[Holding]) -> datetime | None:
    return min((h.slot for h in points if side.leaving(h.arn) not in GOING), default=None)


def _end(side: Side, holding: Holding, future: Future) -> tuple[Leaving, datetime | None]:
    leaving = side.leaving(holding.arn)
    if leaving is Leaving.STAYS and holding.slot in future.ends:
        return Leaving.LATER, future.ends[holding.slot]
    return leaving, None


def _text(side: Side, holding: Holding, leaving: Leaving) -> str:
    why = side.why(holding.arn)
    if why is None:
        return "these documents do not govern it"
    if leaving is Leaving.PROTECTED:
        return f"{why.text}, until {why.until}" if why.until else why.text
    return f"until then it is kept: {why.text}" if leaving is Leaving.LATER else why.text
