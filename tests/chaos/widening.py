"""What stories hold besides: other dice than the story's own, so that older seeds tell the same."""

from __future__ import annotations

import random
import signal
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from engine.lab.seeds import InstanceSeed
from tests.chaos.born import Death, Moment
from tests.chaos.story import Event, Happening, Night, PolicySaid, Story, Visit

SIGNALS: tuple[tuple[int, ...], ...] = (
    (signal.SIGTERM,),
    (signal.SIGINT,),
    (signal.SIGINT, signal.SIGINT),
    (signal.SIGTERM, signal.SIGTERM),
)
BETWEEN = (Event.PIN, Event.SWAP, Event.SWAP, Event.RETIRE)
REPLICABLE = frozenset({"postgres", "mysql", "mariadb"})


def widened(story: Story) -> Story:
    """Return a story with more in it; the same each time."""
    dice = random.Random(f"{story.seed} wide")
    is_shared = dice.random() < 0.3
    policies = story.policies
    nights = tuple(_night(dice, one, is_shared) for one in story.nights)
    if not story.is_gentle:
        policies = tuple(_policy(dice, one, nights) for one in policies)
        nights = _eventful(dice, nights)
    if story.instances[0].engine in REPLICABLE and dice.random() < 0.25:
        story, policies = _with_replica(story, policies)
    return replace(story, is_shared=is_shared, policies=policies, nights=nights)


def _with_replica(
    story: Story, policies: tuple[PolicySaid, ...]
) -> tuple[Story, tuple[PolicySaid, ...]]:
    """Give the first database a replica that its points are snapshots of."""
    one = story.instances[0]
    replica = InstanceSeed(
        one.account,
        one.region,
        f"{one.identifier}-backup",
        engine=one.engine,
        key=one.key,
        retention_days=0,
        replica_of=one.identifier,
    )
    policies = tuple(
        replace(said, replica="*-backup") if said.tier == one.tags["tier"] else said
        for said in policies
    )
    return replace(story, instances=(*story.instances, replica)), policies


def _policy(dice: random.Random, said: PolicySaid, nights: Sequence[Night]) -> PolicySaid:
    # Without a window a slot of midnight is fresh no more when the runs come.
    if said.window is not None and dice.random() < 0.3:
        said = replace(said, catch_up="none")
    if said.copies and dice.random() < 0.2:
        said = replace(said, incremental="require")
    if dice.random() < 0.2:
        # Between the slot of the night and its first run.
        at = dice.choice(nights).at - timedelta(minutes=2)
        said = replace(said, events=((at, dice.choice((1, 3))),))
    return said


def _night(dice: random.Random, night: Night, is_shared: bool) -> Night:
    return replace(night, visits=tuple(_visit(dice, one, is_shared) for one in night.visits))


def _visit(dice: random.Random, visit: Visit, is_shared: bool) -> Visit:
    luck = dice.random()
    if visit.death is None and not visit.installed and luck < 0.3:
        visit = replace(visit, kill_after=dice.uniform(0.1, 1.0), signals=dice.choice(SIGNALS))
    elif is_shared and 0.3 <= luck < 0.42:
        # Of a run that leaves no journal nobody could tell what was still under way at its death.
        visit = replace(visit, state_away=True, death=None, kill_after=None, twice=False)
    elif is_shared and 0.42 <= luck < 0.6 and not visit.installed:
        stop = Death(dice.choice(tuple(Moment)), dice.randint(1, 12), signal.SIGSTOP)
        visit = replace(visit, death=stop, twice=False, kill_after=None, is_frozen=True)
    return visit


def _eventful(dice: random.Random, nights: Sequence[Night]) -> tuple[Night, ...]:
    """Let something more happen before one night after the first."""
    which = dice.randrange(len(nights))
    if which == 0:
        return tuple(nights)
    more = [Happening(dice.choice(BETWEEN), dice.randrange(100))]
    if more[0].event is Event.RETIRE:
        # There is nothing to let go of while all targets are served.
        more.insert(0, replace(more[0], event=Event.DROP_TARGET))
    night = nights[which]
    night = replace(night, happenings=(*night.happenings, *more))
    return (*nights[:which], night, *nights[which + 1 :])
