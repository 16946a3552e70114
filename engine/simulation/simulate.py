"""The entry: documents, an inventory, events and a number of days to what will come of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from engine.documents.model import Documents
from engine.documents.scene import Event
from engine.inventory.records import Inventory, Kind
from engine.simulation import by_need, whole
from engine.simulation.settings import Method, Pace, Settings
from engine.simulation.timeline import Simulation


def simulate(
    documents: Documents,
    inventory: Inventory,
    start: datetime,
    days: int,
    events: Iterable[Event] = (),
    settings: Settings | None = None,
) -> Simulation:
    """Play what a scheduler that runs the engine would bring about, starting from an inventory.

    The planner, the verifier and the forecasts are those of `engine plan`; AWS is made up: what is
    begun takes its time, what AWS limits is limited. Nothing outside is read or changed. Only DB
    instances are played: policies that protect DB clusters are left out.

    Args:
        documents: the estate and its policies. Events may rotate keys of theirs on the way.
        inventory: what exists at `start`, read live, recorded, or from `made_up_inventory`.
        start: the time of the first run, with a timezone; ticks are counted from it.
        days: how many days are played.
        events: what happens besides; what is not within these days does not.
        settings: how often runs come, how long they go on, how long AWS takes.
    """
    end = start + timedelta(days=days)
    settings = settings or Settings()
    # A run that follows its plan to the end is one for all databases: nothing is to be parted.
    is_whole = settings.method is Method.WHOLE or settings.pace is Pace.FOLLOW
    method = whole.play if is_whole else by_need.play
    played = documents.of(Kind.INSTANCE)
    return method(played, inventory, start, end, tuple(events), settings)
