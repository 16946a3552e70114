"""All that the plan of a usual database rests on, as one value."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime, timedelta

from engine.documents.model import Terms
from engine.planning.creating import due_slot, near_backup_window
from engine.planning.guards import FRESH
from engine.planning.protecting import LONGEST_COPY
from engine.planning.survey import Source
from engine.simulation.groups import Group, condition, made_at
from engine.simulation.outcomes import Common


def rests_on(group: Group, source: Source, common: Common, idle: Iterable[timedelta]) -> object:
    """Return what decides what is planned for a group that goes by the names of its kind.

    Objects stand in the order in which they were made: beside that order, planning asks of when
    they were made only whether it was lately. It asks of the clock only what stands here.
    """
    now, tight = common.world.now, common.tight
    instance = source.instance
    assert instance is not None
    return (
        common.epoch,
        tight,
        _due(source, source.terms, now),
        near_backup_window(instance, now),
        condition(instance),
        group.numbers,
        frozenset(one.number for one in group.others),
        len(group.order) - bisect_right(group.order, now - FRESH, key=made_at),
        bisect_right(group.order, now - LONGEST_COPY, key=made_at) if tight else None,
        frozenset(
            (chain, length)
            for chain, latest in group.chains.items()
            for length in idle
            if latest + length < now
        ),
        _behind(source, source.terms, now),
    )


def _due(source: Source, terms: Terms | None, now: datetime) -> object:
    """Return the slot that is due, and where no point covers it what its window says."""
    slot = None if terms is None else due_slot(terms, now)
    if slot is None:
        return None
    for holding in reversed(source.holdings):
        if holding.slot == slot.at or (holding.is_point and holding.taken_at >= slot.at):
            return slot.at
    return (slot.at, slot.is_fresh(now), slot.is_open(now), slot.is_late(now))


def _behind(source: Source, terms: Terms | None, now: datetime) -> object:
    """Return where the newest point is older than the objective says."""
    rpo = None if terms is None else terms.objectives.rpo
    if rpo is None:
        return None
    newest: dict[object, datetime] = {}
    for holding in source.holdings:
        if holding.is_point and holding.is_available:
            known = newest.get(holding.location, holding.slot)
            newest[holding.location] = max(holding.slot, known)
    return frozenset(at for at, slot in newest.items() if now - slot > rpo)
