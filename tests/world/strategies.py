"""Random estates, policies, databases and events."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from hypothesis import strategies as st

from engine.documents.model import (
    Account,
    Condition,
    CopyRule,
    Documents,
    Estate,
    Every,
    Fallback,
    FullCopies,
    Guards,
    Incremental,
    MaxDeletes,
    OneOff,
    Orphans,
    Policy,
    ReplicaSource,
    Retire,
    Schedule,
    Select,
    ShareRule,
    SnapshotTerms,
    Target,
    Terms,
    Topology,
    Window,
)
from engine.retention.keep import ALL, Keep
from engine.retention.spans import Span
from tests.world.applying import Waiting
from tests.world.aws import World
from tests.world.things import (
    CENTRAL,
    HOME,
    NO_KEY,
    OTHER,
    PROD,
    STRANGER,
    VAULT,
    WEST,
    Database,
    key_arn,
    zone_names,
)

START = datetime(2026, 11, 2, 4, 0, tzinfo=UTC)
TIERS = ("gold", "silver")
NO_LIMIT = Guards(max_deletes=MaxDeletes(count=1_000_000, percent=100), min_points=1)


class Event(StrEnum):
    """What may happen between two runs."""

    NOTHING = "nothing"
    WAIT = "wait"
    FAIL_OVER = "fail_over"
    DELETE = "delete"
    RENAME = "rename"
    SWAP = "swap"
    CHANGE_TIER = "change_tier"
    FAIL_COPIES = "fail_copies"
    STEAL_TAGS = "steal_tags"
    SQUAT = "squat"
    BLIND = "blind"
    ROTATE_KEY = "rotate_key"
    DROP_COPIES = "drop_copies"
    DROP_POLICY = "drop_policy"
    EMPTY_KEEP = "empty_keep"
    PIN = "pin"
    DROP_SHARES = "drop_shares"
    SHARE = "share"
    DROP_EVENTS = "drop_events"
    HOLD = "hold"
    REBUILD_REPLICA = "rebuild_replica"
    LOSE_REPLICA = "lose_replica"


@dataclass(frozen=True, slots=True)
class Turn:
    """One run of the engine: what happens before it, to which database, and how it ends."""

    hours: int
    event: Event
    which: int
    waiting: Waiting
    dies_after: int | None = None
    refuses: frozenset[int] = frozenset()
    spoils: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Story:
    """A random estate, what is in it at first, and what happens.

    The first `replicated` databases have a read replica.
    """

    documents: Documents
    databases: tuple[Database, ...]
    turns: tuple[Turn, ...]
    takes: timedelta
    replicated: int = 0

    def world(self) -> World:
        """A fresh world at the beginning of the story."""
        own = [replace(database, tags=dict(database.tags)) for database in self.databases]
        world = World(START, takes=self.takes, databases=own)
        for database in own[: self.replicated]:
            world.rebuild_replica(database)
        return world


KEEPS = st.builds(
    Keep,
    last=st.sampled_from([None, None, 1, 2, 4]),
    hourly=st.sampled_from([None, None, None, 2]),
    daily=st.sampled_from([None, None, 1, 3, 5]),
    weekly=st.sampled_from([None, None, 1, 2]),
    monthly=st.sampled_from([None, None, None, ALL]),
    within=st.sampled_from([None, None, None, Span(hours=20), Span(days=3)]),
    within_daily=st.sampled_from([None, None, None, Span(days=4)]),
)


SCHEDULES = st.builds(
    Schedule,
    cadence=st.sampled_from([6, 12, 24, 24, 48]).map(lambda hours: Every(timedelta(hours=hours))),
    window=st.sampled_from([None, Window(120, 300), Window(1380, 60)]),
)
COPIES = st.lists(
    st.builds(
        CopyRule,
        target=st.sampled_from(["local", "remote", "sister"]),
        every=st.sampled_from([None, None, timedelta(days=2)]),
        backfill=st.sampled_from([0, 0, 1, "all"]),
        keep=st.none() | KEEPS,
    ),
    max_size=3,
    unique_by=lambda rule: rule.target,
).map(tuple)


SHARES = st.lists(
    st.builds(
        ShareRule,
        accounts=st.lists(
            st.sampled_from(["vault", "prod", STRANGER, OTHER]), min_size=1, max_size=2, unique=True
        ).map(tuple),
        newest=st.integers(1, 2),
        origin=st.sampled_from(["source", "source", "local", "remote", "sister"]),
    ),
    max_size=2,
).map(tuple)
ANNOUNCED = st.lists(
    st.builds(
        OneOff,
        # Slots are at full hours too, so that a point may be due for both reasons.
        at=st.integers(-6, 96).map(lambda hours: START + timedelta(hours=hours)),
        reason=st.just("release"),
        keep_for=st.sampled_from([timedelta(hours=12), timedelta(days=2), timedelta(days=30)]),
    ),
    max_size=2,
    unique_by=lambda one: one.at,
).map(tuple)
REPLICA_SOURCES = st.sampled_from(
    [
        None,
        None,
        ReplicaSource("*-replica"),
        ReplicaSource("*-replica", fallback=Fallback.NONE),
    ]
)


def policies(name: str, select: Select) -> st.SearchStrategy[Policy]:
    """A policy of this name that takes what `select` says."""
    snapshots = st.builds(
        SnapshotTerms,
        schedule=SCHEDULES,
        keep=KEEPS,
        incremental=st.sampled_from(Incremental),
        copies=COPIES,
        source=REPLICA_SOURCES,
        topology=st.sampled_from([Topology.STAR, Topology.STAR, Topology.CHEAPEST]),
    )
    orphans = st.none() | st.builds(
        Orphans,
        keep_for=st.sampled_from([Span(hours=12), Span(days=3)]),
        keep_last=st.integers(0, 2),
    )
    terms = st.builds(
        Terms,
        snapshots=snapshots,
        orphans=orphans,
        idle_after=st.sampled_from([timedelta(days=4), timedelta(days=90)]),
        events=ANNOUNCED,
        share_with=SHARES,
    )
    return terms.map(lambda said: Policy(name, select, said))


GUARDS = st.builds(
    Guards,
    max_deletes=st.just(MaxDeletes(count=1_000_000, percent=100)),
    min_points=st.integers(0, 2),
    full_copies=st.just(FullCopies()),
)


RETIRE = st.sampled_from([(), (), (Retire(policy="gold"),), (Retire(policy="*"),)])


@st.composite
def documents(draw: st.DrawFn, guards: st.SearchStrategy[Guards] = GUARDS) -> Documents:
    """An estate of two accounts and regions, three targets and two or three policies."""
    regions = (WEST, CENTRAL)
    estate = Estate(
        name="acme",
        accounts={
            "prod": Account("prod", PROD, regions, rekey="alias/backup-share"),
            "vault": Account("vault", VAULT, regions),
        },
        targets={
            "local": Target("local", "vault", WEST, "alias/backups"),
            "remote": Target("remote", "vault", CENTRAL, "alias/backups"),
            "sister": Target("sister", "prod", CENTRAL, "alias/backups"),
        },
        guards=draw(guards),
        retire=draw(RETIRE),
    )
    found: dict[str, Policy] = {}
    for tier in TIERS:
        select = Select(Condition(tags={"tier": (tier,)}))
        found[tier] = draw(policies(tier, select))
    if draw(st.booleans()):
        found["rest"] = draw(policies("rest", Select(rest=True)))
    return Documents(estate, found, digest="sha256:random")


@st.composite
def databases(draw: st.DrawFn, number: int) -> Database:
    """A database in the home account; no target lies there."""
    location = HOME
    names = draw(st.permutations(sorted(zone_names(location))))
    alias = draw(st.sampled_from(["app", "app", "aws/rds", None]))
    return Database(
        location=location,
        identifier=f"orders-{number}",
        resource=f"db-{number}",
        engine=draw(st.sampled_from(["postgres", "mysql", "sqlserver-se"])),
        zones=tuple(names[: draw(st.integers(1, 2))]),
        key=key_arn(location, alias) if alias else NO_KEY,
        tags={"tier": draw(st.sampled_from(TIERS))},
        born=START - timedelta(days=30),
    )


def turns(*events: Event) -> st.SearchStrategy[Turn]:
    """Runs that end well; what happens between them is one of `events`."""
    return st.builds(
        Turn,
        hours=st.integers(0, 40),
        event=st.sampled_from([Event.NOTHING, *events]),
        which=st.integers(0, 2),
        waiting=st.sampled_from(Waiting),
    )


def troubled(*events: Event) -> st.SearchStrategy[Turn]:
    """Runs that die, meet refusals and see what they make fail."""
    return st.builds(
        Turn,
        hours=st.integers(0, 40),
        event=st.sampled_from([Event.NOTHING, *events]),
        which=st.integers(0, 2),
        waiting=st.sampled_from(Waiting),
        dies_after=st.none() | st.integers(0, 12),
        refuses=st.frozensets(st.integers(1, 12), max_size=2),
        spoils=st.frozensets(st.integers(1, 12), max_size=1),
    )


DOCUMENTS = documents()


@st.composite
def stories(
    draw: st.DrawFn,
    happening: st.SearchStrategy[Turn],
    said: st.SearchStrategy[Documents] = DOCUMENTS,
    length: int = 8,
) -> Story:
    """A whole story."""
    found = tuple(draw(databases(number)) for number in range(draw(st.integers(1, 3))))
    happens = draw(st.lists(happening, min_size=1, max_size=length))
    takes = draw(st.sampled_from([timedelta(0), timedelta(minutes=25)]))
    replicated = draw(st.integers(0, 2))
    return Story(draw(said), found, tuple(happens), takes, replicated)
