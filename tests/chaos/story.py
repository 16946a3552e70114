"""Stories: a seeded estate, its policies, and nights of events, faults and kills.

A story is *gentle* where every visit ends in peace before the next begins, so that its end must be
that of an undisturbed one to the last object; else it is *rough*, and only what is made after the
disturbances must be equal.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from engine.lab.estates import IRELAND, PROD, VAULT, zones_of
from engine.lab.seeds import (
    AccountSeed,
    BucketSeed,
    InstanceSeed,
    KeySeed,
    Seed,
    SnapshotSeed,
    seed_document,
)
from tests.chaos.born import Death, Moment
from tests.end_to_end.estates import FRANKFURT

ANALYTICS = "333333333333"
NAMES = {PROD: "prod", VAULT: "vault", ANALYTICS: "analytics"}
IDS = {name: account for account, name in NAMES.items()}
BUCKET = "chaos-state"
BY_HAND = "by-hand"
ROLES: dict[str, str | None] = {"backup-engine": None, "backup-reader": None}
FIRST_NIGHT = datetime(2026, 11, 4, 2, 5, tzinfo=UTC)
PACE = {
    "create_seconds": 120.0,
    "copy_seconds": 180.0,
    "cross_region_seconds": 300.0,
    "failover_seconds": 20.0,
}
STEP = timedelta(minutes=12)
"""Between two runs of one visit: longer than the longest copy."""

Keep = Mapping[str, Any]


class Event(StrEnum):
    """What happens to a database, a key or the policies, at a visit's beginning or amid a run."""

    FAIL_OVER = "fail_over"
    STOP = "stop"
    START = "start"
    DELETE = "delete"
    RENAME = "rename"
    SHORTEN = "shorten"
    DROP_TARGET = "drop_target"
    RENAME_POLICY = "rename_policy"
    DISABLE_KEY = "disable_key"
    ENABLE_KEY = "enable_key"
    EXPIRE_SESSIONS = "expire_sessions"
    PIN = "pin"
    SWAP = "swap"
    RETIRE = "retire"
    TAKE_BY_HAND = "take_by_hand"
    STEAL_TAGS = "steal_tags"


@dataclass(frozen=True, slots=True)
class Happening:
    """An event and whom it befalls: a database, a policy or a key by its number."""

    event: Event
    which: int = 0


@dataclass(frozen=True, slots=True)
class Sending:
    """One target of a policy; `keep` is None where the policy's own retention holds."""

    target: str
    keep: Keep | None = None
    every_days: int | None = None
    backfill: int | None = None


@dataclass(frozen=True, slots=True)
class PolicySaid:
    """A policy as the story knows it, apart from the engine's reading of it."""

    name: str
    tier: str
    every: str
    window: str | None
    catch_up: str
    keep: Keep
    copies: tuple[Sending, ...] = ()
    incremental: str = "prefer"
    formerly: tuple[str, ...] = ()
    timezone: str = "UTC"
    orphans: tuple[int, int] | None = None
    """Days that the points of a gone database are kept, and how many for ever."""
    replica: str | None = None
    """A glob on the replicas that its points are snapshots of, where there is one."""
    events: tuple[tuple[datetime, int], ...] = ()
    """When one-off points are due, and for how many days each is kept."""
    is_retired: bool = False
    """Whether the estate lets go of those of its points that nothing decides about."""
    cron: str | None = None
    """When points are due, in place of `every`."""

    def keep_at(self, target: str | None) -> Keep | None:
        """Return what it keeps at a target, None for where the database lives."""
        if target is None:
            return self.keep
        for sending in self.copies:
            if sending.target == target:
                return self.keep if sending.keep is None else sending.keep
        return None


@dataclass(frozen=True, slots=True)
class Target:
    """Where copies go."""

    account: str
    region: str


TARGETS = {
    "near": Target(VAULT, IRELAND),
    "far": Target(VAULT, FRANKFURT),
    "sister": Target(PROD, FRANKFURT),
    "third": Target(ANALYTICS, IRELAND),
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """A fault that the lab is told to inject while a run goes on, as `/_lab/faults` takes it."""

    order: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Visit:
    """One run of the scheduler, and what goes wrong in it.

    `kill_after` is in real seconds, `meanwhile` happens so many real seconds into the run. `waits`
    is `-wait`; `installed` is the program as it is installed, not a fork.
    """

    death: Death | None = None
    kill_after: float | None = None
    troubles: tuple[Trouble, ...] = ()
    meanwhile: tuple[tuple[float, Happening], ...] = ()
    moves_clock: bool = False
    twice: bool = False
    waits: bool = False
    installed: bool = False
    signals: tuple[int, ...] = ()
    """What it is sent after `kill_after`, instead of SIGKILL."""
    is_frozen: bool = False
    """Whether what it dies of stops it only, until another run has taken over and ended."""
    state_away: bool = False
    """Whether its state cannot be reached from beginning to end."""

    @property
    def is_disturbed(self) -> bool:
        """Whether anything goes wrong."""
        return self != self.in_peace

    @property
    def in_peace(self) -> Visit:
        """The same run with nothing going wrong."""
        return Visit(waits=self.waits)


@dataclass(frozen=True, slots=True)
class Night:
    """A time, what happens just before it, and the runs from then on."""

    at: datetime
    happenings: tuple[Happening, ...]
    visits: tuple[Visit, ...]


@dataclass(frozen=True, slots=True)
class Story:
    """A world to be."""

    seed: int
    rules: str
    is_gentle: bool
    instances: tuple[InstanceSeed, ...]
    policies: tuple[PolicySaid, ...]
    nights: tuple[Night, ...]
    last: tuple[datetime, ...]
    """The nights in peace at the end."""
    min_points: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    is_shared: bool = False
    """Whether lock and journal are in S3."""

    @property
    def places(self) -> tuple[tuple[str, str], ...]:
        """Account ids and regions of everything: where databases live and where copies go."""
        homes = {(IDS[one.account], one.region) for one in self.instances}
        return tuple(sorted(homes | {(one.account, one.region) for one in self.targets.values()}))

    @property
    def home(self) -> tuple[str, str]:
        """The account and region of the first database."""
        return IDS[self.instances[0].account], self.instances[0].region

    @property
    def home_of_state(self) -> tuple[str, str]:
        """The account and region of the bucket."""
        return self.places[0]

    @property
    def targets(self) -> dict[str, Target]:
        """The targets that policies name."""
        named = {copy.target for policy in self.policies for copy in policy.copies}
        return {name: target for name, target in TARGETS.items() if name in named}

    def lab_seed(self) -> dict[str, Any]:
        """Return what the lab starts from."""
        document: dict[str, Any] = seed_document(_seed(self))
        return document


def story_of(seed: int) -> Story:
    """Return the story of a seed; the same each time."""
    dice = random.Random(seed)
    is_gentle = dice.random() < 0.5
    instances = tuple(_instances(dice))
    policies = tuple(_policies(dice, is_gentle, instances))
    nights = tuple(_nights(dice, is_gentle, instances))
    peace = nights[-1].at + timedelta(days=2)
    return Story(
        seed=seed,
        rules=dice.choice(("documentation", "blog")),
        is_gentle=is_gentle,
        instances=instances,
        policies=policies,
        nights=nights,
        last=tuple(peace + timedelta(days=n) for n in range(2)),
        min_points=dice.choice((0, 1, 2)),
        settings={**PACE, "zone_lag_seconds": dice.choice((0.0, 0.0, 60.0))},
    )


# -- the estate ------------------------------------------------------------------------------------

TIERS = ("gold", "silver", "bronze")


def _instances(dice: random.Random) -> Iterator[InstanceSeed]:
    for number in range(dice.choice((1, 2, 2, 3))):
        account = dice.choice(("prod",) * 6 + ("analytics",))
        region = dice.choice((IRELAND,) * 4 + (FRANKFURT,)) if account == "prod" else IRELAND
        is_multi = dice.random() < 0.6
        yield InstanceSeed(
            account,
            region,
            f"db-{number}",
            engine=dice.choice(("postgres", "mysql", "sqlserver-se", "mariadb")),
            multi_az=is_multi,
            key=dice.choice(("alias/app", "alias/app", "aws/rds", None)),
            tags={"tier": dice.choice(TIERS[:2])},
            backup_window=dice.choice(("22:00-22:30", "13:14-13:44")),
            maintenance_window="sun:06:00-sun:06:30",
        )


def _policies(
    dice: random.Random, is_gentle: bool, instances: Sequence[InstanceSeed]
) -> Iterator[PolicySaid]:
    for tier in TIERS[: dice.choice((2, 2, 3))]:
        every = dice.choice(("1d", "1d", "1d", "2d", "12h", "6h"))
        homes = {Target(IDS[one.account], one.region) for one in instances if _tier(one) == tier}
        # A target where the database itself lives is refused by every plan.
        elsewhere = [name for name, target in TARGETS.items() if target not in homes]
        names = dice.sample(elsewhere, min(len(elsewhere), dice.choice((0, 1, 1, 1, 2, 2))))
        yield PolicySaid(
            name=tier,
            tier=tier,
            every=every,
            window="02:00-06:00" if every in {"1d", "2d"} and dice.random() < 0.7 else None,
            catch_up="latest" if is_gentle else dice.choice(("latest", "latest", "in_window")),
            keep=_keep(dice),
            copies=tuple(
                Sending(
                    name,
                    keep=_keep(dice) if dice.random() < 0.6 else None,
                    every_days=2 if every == "1d" and dice.random() < 0.2 else None,
                    backfill=dice.choice((None, None, 2)),
                )
                for name in names
            ),
            incremental=dice.choice(("prefer", "ignore")),
            timezone=dice.choice(("UTC", "UTC", "Europe/London")),
            orphans=dice.choice((None, (1, 1), (2, 0))),
        )


def _tier(one: InstanceSeed) -> str:
    return one.tags["tier"]


def _keep(dice: random.Random) -> Keep:
    rules = (
        ("last", (1, 2, 3)),
        ("daily", (1, 2, 4)),
        ("weekly", (1, 2)),
        ("hourly", (2,)),
        ("within", ("36h", "3d")),
    )
    chosen = dice.sample(rules, dice.choice((1, 1, 2)))
    return {name: dice.choice(values) for name, values in chosen}


def _seed(story: Story) -> Seed:
    numbers = {PROD: (3, 1, 2), VAULT: (1, 2, 3), ANALYTICS: (2, 3, 1)}
    accounts = {
        NAMES[account]: AccountSeed(
            account,
            zones={region: zones_of(region, *numbers[account]) for region in (IRELAND, FRANKFURT)},
            roles=ROLES,
        )
        for account in NAMES
    }
    others = {name: tuple(one for one in IDS if one != name) for name in IDS}
    keys = [
        KeySeed(NAMES[account], region, alias, usable_by=others[NAMES[account]])
        for account, region in story.places
        for alias in ("alias/app", "alias/backup-share", "alias/backups")
    ]
    return Seed(
        settings={**story.settings, "rules": story.rules},
        accounts=accounts,
        keys=tuple(keys),
        buckets=(BucketSeed(*story.home_of_state, BUCKET),) if story.is_shared else (),
        instances=story.instances,
        snapshots=tuple(_foreign(story.instances)),
    )


def _foreign(instances: Sequence[InstanceSeed]) -> Iterator[SnapshotSeed]:
    """Yield what is somebody else's: by hand, AWS Backup's, and one with the engine's tags."""
    one = instances[0]
    stolen = {
        "engine:estate": "chaos", "engine:policy": "gold", "engine:slot": "2026-10-03T02:00:00Z",
        "engine:role": "primary", "engine:resource": "db-OLD", "engine:volume": "db-OLD",
        "engine:source": f"arn:aws:rds:{one.region}:{IDS[one.account]}:db:{one.identifier}",
        "engine:az": "euw1-az1", "engine:keys": "none", "engine:az-checked": "true",
    }  # fmt: skip
    make = SnapshotSeed
    place, day = (one.account, one.region), datetime(2026, 10, 1, tzinfo=UTC)
    yield make(*place, BY_HAND, day, instance=one.identifier, tags={"owner": "mara"})
    yield make(*place, "awsbackup:job-1", day, instance=one.identifier, type="awsbackup")
    name = f"{one.identifier}-gold-20261003t0200z-euw1az1-0badcafe"
    yield make(*place, name, day, instance=one.identifier, tags=stolen)


# -- what happens ----------------------------------------------------------------------------------

BETWEEN = (
    Event.FAIL_OVER,
    Event.FAIL_OVER,
    Event.STOP,
    Event.DELETE,
    Event.RENAME,
    Event.SHORTEN,
    Event.DROP_TARGET,
    Event.RENAME_POLICY,
    Event.TAKE_BY_HAND,
    Event.STEAL_TAGS,
)
AMID = (Event.FAIL_OVER, Event.EXPIRE_SESSIONS, Event.STOP, Event.DISABLE_KEY, Event.RENAME)


def _nights(
    dice: random.Random, is_gentle: bool, instances: Sequence[InstanceSeed]
) -> Iterator[Night]:
    at = FIRST_NIGHT
    for _ in range(dice.randint(2, 5)):
        happenings = []
        if at > FIRST_NIGHT and dice.random() < 0.6:
            happenings.append(Happening(dice.choice(BETWEEN), dice.randrange(len(instances))))
        visits = tuple(
            _visit(dice, is_gentle, instances) for _ in range(dice.choice((1, 1, 2, 2, 3)))
        )
        yield Night(at, tuple(happenings), visits)
        at += timedelta(days=dice.choice((1, 1, 1, 2)))
        if dice.random() < 0.15:
            at += timedelta(days=5)


def _visit(dice: random.Random, is_gentle: bool, instances: Sequence[InstanceSeed]) -> Visit:
    death, kill_after = None, None
    luck = dice.random()
    if luck < 0.45:
        is_line = dice.random() < 0.6
        most = 30 if is_line else 8
        moments = (Moment.BEFORE_LINE, Moment.AFTER_LINE) if is_line else tuple(Moment)[2:]
        death = Death(dice.choice(moments), dice.randint(1, most))
    elif luck < 0.6:
        kill_after = dice.uniform(0.05, 0.6)
    meanwhile: list[tuple[float, Happening]] = []
    if not is_gentle and dice.random() < 0.3:
        meanwhile.append((dice.uniform(0.0, 0.3), Happening(dice.choice(AMID), dice.randrange(3))))
    troubles: tuple[Trouble, ...] = ()
    if dice.random() < 0.6:
        troubles = tuple(_trouble(dice) for _ in range(dice.randint(1, 3)))
    if not is_gentle and dice.random() < 0.4:
        troubles = (*troubles, _turn_of_events(dice, dice.choice(instances)))
    return Visit(
        death=death,
        troubles=troubles,
        kill_after=kill_after,
        meanwhile=tuple(meanwhile),
        moves_clock=not is_gentle and dice.random() < 0.15,
        twice=dice.random() < 0.08,
        waits=dice.random() < 0.5,
        installed=dice.random() < 0.02,
    )


def _trouble(dice: random.Random) -> Trouble:
    # The hand of the story signs with the accounts' own credentials, and is to be spared.
    order: dict[str, Any] = {"seed": dice.randrange(1 << 30), "role": "backup-*"}
    kind, own = dice.choice(_KINDS)
    order |= {"kind": kind, **own}
    if kind == "region_down":
        order["region"] = dice.choice((IRELAND, FRANKFURT))
        order["for"] = dice.choice((60, 600))
    if dice.random() < 0.4:
        order["account"] = dice.choice(sorted(NAMES))
    if kind in _ANY_CALL:
        order["operation"] = dice.choice(_OPERATIONS)
        order["service"] = "rds"
    order["probability"] = dice.choice((0.2, 0.5, 1.0))
    order["count"] = dice.choice((1, 2, 5, 30))
    return Trouble(order)


def _turn_of_events(dice: random.Random, one: InstanceSeed) -> Trouble:
    """Return what happens to a database right at a call of the engine."""
    return Trouble(
        {
            "kind": dice.choice(("fail_over", "fail_over", "stop") if one.multi_az else ("stop",)),
            "role": "backup-*",
            "operation": dice.choice(_OPERATIONS[2:]),
            "instance": f"{IDS[one.account]}/{one.region}/{one.identifier}",
            "when": dice.choice(("before", "after")),
            "probability": dice.choice((0.3, 1.0)),
            "seed": dice.randrange(1 << 30),
        }
    )


_ANY_CALL = frozenset(
    {"throttle", "server_error", "reset", "truncate", "garbage", "lost_reply", "access_denied"}
    | {"expired_credentials", "delay"}
)
_KINDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("throttle", {}),
    ("server_error", {}),
    ("server_error", {"after": True}),
    ("reset", {}),
    ("reset", {"after": True}),
    ("truncate", {}),
    ("garbage", {}),
    ("garbage", {"after": True}),
    ("lost_reply", {}),
    ("lost_reply", {}),
    ("delay", {"seconds": 0.2}),
    ("access_denied", {}),
    ("expired_credentials", {}),
    ("key_not_accessible", {}),
    ("quota_total", {}),
    ("quota_in_flight", {}),
    ("region_down", {}),
    ("copy_fails", {}),
    ("copy_fails", {}),
    ("snapshot_fails", {}),
    ("snapshot_fails", {}),
    ("invisible", {"seconds": 100}),
)
_OPERATIONS = (
    "*",
    "Describe*",
    "DescribeDBSnapshots",
    "DescribeDBInstances",
    "[CDMAR][!e]*",
    "CreateDBSnapshot",
    "CopyDBSnapshot",
    "DeleteDBSnapshot",
    "ModifyDBSnapshotAttribute",
    "AddTagsToResource",
    "RemoveTagsFromResource",
)
