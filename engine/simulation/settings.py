"""How a simulated scheduler runs the engine, and how long AWS takes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto


class Pace(Enum):
    """How long each run goes on, as `-no-wait` and `-wait` of `engine apply` have it."""

    LEAVE = auto()
    """Until only objects in flight remain; the next run goes on from there."""
    FOLLOW = auto()
    """To the end of its plan; no other run starts before."""


class Method(Enum):
    """How the runs are worked out. All give the same timeline."""

    WHOLE = auto()
    """Everything is planned at every tick: slow, and simple enough to be believed."""
    BY_NEED = auto()
    """What is alike is planned once, and only when something can have changed."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a simulation goes by besides documents, inventory and events.

    AWS tells no durations beforehand; these are what an estate should put its own experience
    into. It copies at most 20 snapshots at once into one region of an account (RDS User Guide,
    Copying a DB snapshot, Limitations).

    Attributes:
        interval: how often the scheduler runs the engine.
        pace: how long a run goes on.
        create: how long a snapshot is `creating`.
        copy: how long a copy inside a region is `copying`.
        cross_region: how long a copy from another region is.
        copies_in_flight: how many copies AWS makes at once at a location.
        method: how the runs are worked out.
    """

    interval: timedelta = timedelta(minutes=30)
    pace: Pace = Pace.LEAVE
    create: timedelta = timedelta(minutes=5)
    copy: timedelta = timedelta(minutes=10)
    cross_region: timedelta = timedelta(minutes=20)
    copies_in_flight: int = 20
    method: Method = Method.BY_NEED
