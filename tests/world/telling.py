"""Tells a story: lets happen what happens, and lets the engine run after each turn."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from engine.documents.model import Documents, Policy, ShareRule, Target
from engine.identity.marks import PIN
from engine.plans.codes import Action
from engine.retention.keep import Keep
from tests.world.applying import apply
from tests.world.aws import KilledError
from tests.world.running import Engine
from tests.world.strategies import TIERS, Event, Story, Turn
from tests.world.things import HOME, LOCAL, REMOTE, SISTER, STRANGER, Database


def begin(story: Story) -> Engine:
    """An engine before the world at the beginning of a story."""
    return Engine(story.world(), story.documents)


def play(engine: Engine, turn: Turn) -> None:
    """Let a turn happen, and the engine run once, perhaps to an early end."""
    world = engine.world
    world.tick(timedelta(hours=turn.hours))
    happen(engine, turn)
    if turn.dies_after is not None:
        world.dies_after = world.effects + turn.dies_after
    world.refuses = frozenset(world.effects + number for number in turn.refuses)
    world.spoils = frozenset(world.effects + number for number in turn.spoils)
    try:
        apply(engine.plan(), world, turn.waiting)
    except KilledError:
        pass
    finally:
        heal(engine)


def heal(engine: Engine) -> None:
    """From now on everything can be read and every call is answered."""
    world = engine.world
    world.dies_after = None
    world.refuses = world.spoils = frozenset()
    world.unreadable = set()


def happen(engine: Engine, turn: Turn) -> None:
    """Let the event of a turn happen."""
    world = engine.world
    databases = [one for one in world.databases if one.replicates is None]
    if databases and turn.event in _TO_DATABASES:
        _happen_to(engine, databases[turn.which % len(databases)], turn)
    elif turn.event is Event.FAIL_COPIES:
        world.fail_copies()
    elif turn.event is Event.BLIND:
        world.unreadable = {(HOME, LOCAL, REMOTE)[turn.which], SISTER}
    elif turn.event in _TO_DOCUMENTS:
        engine.rewrite(_rewritten(engine.documents, turn))
    elif turn.event is Event.PIN:
        owned = [thing for thing in world.things.values() if thing.by_engine]
        if owned:
            owned[turn.which % len(owned)].tags[PIN] = "somebody wants it"


_TO_DATABASES = frozenset(
    {
        Event.FAIL_OVER,
        Event.DELETE,
        Event.RENAME,
        Event.SWAP,
        Event.CHANGE_TIER,
        Event.STEAL_TAGS,
        Event.SQUAT,
        Event.REBUILD_REPLICA,
        Event.LOSE_REPLICA,
    }
)
_TO_DOCUMENTS = frozenset(
    {
        Event.ROTATE_KEY,
        Event.DROP_COPIES,
        Event.DROP_POLICY,
        Event.EMPTY_KEEP,
        Event.DROP_SHARES,
        Event.SHARE,
        Event.DROP_EVENTS,
        Event.HOLD,
    }
)


def _happen_to(engine: Engine, database: Database, turn: Turn) -> None:
    world = engine.world
    world.serial += 1
    match turn.event:
        case Event.FAIL_OVER:
            world.fail_over(database)
        case Event.DELETE:
            world.delete_instance(database)
        case Event.RENAME:
            world.rename(database, f"{database.identifier}-{world.serial}")
        case Event.SWAP:
            world.restore_and_swap(database)
        case Event.REBUILD_REPLICA:
            world.rebuild_replica(database)
        case Event.LOSE_REPLICA:
            world.lose_replica(database)
        case Event.CHANGE_TIER:
            database.tags["tier"] = (*TIERS, "none")[turn.which]
        case Event.STEAL_TAGS:
            for thing in [one for one in world.things.values() if one.by_engine][:3]:
                name = f"{thing.identifier}-restored-{world.serial}"
                world.put_foreign(database, name, thing.tags)
        case _:
            for step in engine.plan().steps:
                if step.action is Action.CREATE and step.source.identifier == database.identifier:
                    world.put_foreign(database, step.snapshot, {})


def _rewritten(documents: Documents, turn: Turn) -> Documents:
    name = TIERS[turn.which % 2]
    policies = dict(documents.policies)
    match turn.event:
        case Event.ROTATE_KEY:
            targets = {
                name: replace(target, key="alias/backups-2")
                for name, target in documents.estate.targets.items()
                if isinstance(target, Target)
            }
            return replace(documents, estate=replace(documents.estate, targets=targets))
        case Event.DROP_POLICY:
            policies.pop(name, None)
        case Event.DROP_COPIES if name in policies:
            policies[name] = _with_snapshots(policies[name], copies=())
        case Event.EMPTY_KEEP if name in policies:
            policies[name] = _with_snapshots(policies[name], keep=Keep())
        case Event.DROP_SHARES if name in policies:
            policies[name] = _with_terms(policies[name], share_with=())
        case Event.SHARE if name in policies:
            policies[name] = _with_terms(policies[name], share_with=(ShareRule((STRANGER,)),))
        case Event.DROP_EVENTS if name in policies:
            policies[name] = _with_terms(policies[name], events=())
        case Event.HOLD if name in policies:
            policies[name] = _with_terms(policies[name], hold="a case")
    return replace(documents, policies=policies)


def _with_snapshots(policy: Policy, **changes: object) -> Policy:
    snapshots = replace(policy.terms.snapshots, **changes)  # type: ignore[arg-type]
    return _with_terms(policy, snapshots=snapshots)


def _with_terms(policy: Policy, **changes: object) -> Policy:
    terms = replace(policy.terms, **changes)  # type: ignore[arg-type]
    return replace(policy, terms=terms)
