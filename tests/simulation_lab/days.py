"""Days to be simulated and lived: a seeded estate, how AWS's time goes there, and what happens."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from engine.lab.estates import IRELAND, PROD
from engine.lab.seeds import InstanceSeed
from tests.chaos.story import IDS, NAMES, TARGETS, Keep, PolicySaid, Sending, Story, Target
from tests.end_to_end.estates import FRANKFURT

_HOUR = timedelta(hours=1)
# Every interval has a run each day at 02:05, which is inside all windows, in winter and summer.
# Berlin's clocks go forward after the first of these mornings and back after the second.
_STARTS = (
    datetime(2026, 3, 28, 2, 5, tzinfo=UTC),
    datetime(2026, 10, 24, 2, 5, tzinfo=UTC),
    datetime(2026, 11, 4, 2, 5, tzinfo=UTC),
    datetime(2026, 11, 29, 2, 5, tzinfo=UTC),
)
TIERS = ("gold", "silver")
KEY, OTHER_KEY = "alias/backups", "alias/app"


class What(StrEnum):
    """What happens between runs, by the word that events files have for it."""

    FAIL_OVER = "fail_over"
    DELETE = "delete"
    OUTAGE = "outage"
    MISS_RUNS = "miss_runs"
    ROTATE_KEY = "rotate_key"


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happens: to a database, a place, a target or the scheduler.

    `about` is the address of a database, `ACCOUNT/REGION` or the name of a target.
    """

    at: datetime
    what: What
    about: str = ""
    lasts: timedelta = timedelta(0)

    @property
    def ends(self) -> datetime:
        """When it is over."""
        return self.at + self.lasts


@dataclass(frozen=True, slots=True)
class Days:
    """Some days of an estate, and when the scheduler runs the engine in them."""

    story: Story
    start: datetime
    count: int
    interval: timedelta
    happenings: tuple[Happening, ...]

    @property
    def end(self) -> datetime:
        """When they are over."""
        return self.start + timedelta(days=self.count)

    def ticks(self) -> Iterator[datetime]:
        """Yield when the scheduler runs the engine, leaving out the runs that it misses."""
        missed = [one for one in self.happenings if one.what is What.MISS_RUNS]
        tick = self.start
        while tick < self.end:
            if not any(one.at <= tick < one.ends for one in missed):
                yield tick
            tick += self.interval

    def seconds(self, name: str) -> float:
        """Return how long AWS takes for something, as the lab's settings name it."""
        return float(self.story.settings[name])


def days_of(seed: int) -> Days:
    """Return the days of a seed; the same each time."""
    dice = random.Random(seed)
    start = dice.choice(_STARTS)
    count = dice.choice((3, 4, 4, 5))
    databases = tuple(_databases(dice))
    policies = tuple(_policies(dice, databases))
    story = Story(
        seed=seed,
        rules=dice.choice(("documentation", "blog")),
        is_gentle=True,
        instances=databases,
        policies=policies,
        nights=(),
        last=(),
        min_points=dice.choice((0, 1, 1)),
        settings=_settings(dice),
    )
    return Days(
        story=story,
        start=start,
        count=count,
        interval=dice.choice((3, 4, 6, 6, 8, 12)) * _HOUR,
        happenings=tuple(_happenings(dice, story, start, count)),
    )


def _settings(dice: random.Random) -> dict[str, Any]:
    return {
        "create_seconds": dice.choice((240.0, 1200.0, 7000.0)),
        "copy_seconds": dice.choice((420.0, 5400.0, 16000.0)),
        "cross_region_seconds": dice.choice((900.0, 12000.0, 30000.0)),
        "modify_seconds": 1.0,
        "manual_snapshots": dice.choice((100, 100, 100, 12)),
    }


def _databases(dice: random.Random) -> Iterator[InstanceSeed]:
    for number in range(dice.choice((1, 2, 2, 3))):
        account = dice.choice(("prod",) * 5 + ("analytics",))
        yield InstanceSeed(
            account,
            dice.choice((IRELAND, IRELAND, FRANKFURT)) if account == "prod" else IRELAND,
            f"db-{number}",
            engine=dice.choice(("postgres", "mysql", "sqlserver-se", "mariadb")),
            multi_az=dice.random() < 0.7,
            key=dice.choice(("alias/app", "alias/app", "aws/rds", None)),
            tags={"tier": dice.choice(TIERS)},
            retention_days=dice.choice((0, 1, 7)),
            backup_window=dice.choice(("22:00-22:30", "13:14-13:44")),
            maintenance_window="sun:06:00-sun:06:30",
        )


def _policies(dice: random.Random, databases: Sequence[InstanceSeed]) -> Iterator[PolicySaid]:
    zone = dice.choice(("UTC", "Europe/Berlin", "Europe/Berlin"))
    for tier in sorted({one.tags["tier"] for one in databases}):
        every = dice.choice(("1d", "1d", "1d", "2d", "12h", "6h"))
        homes = {Target(IDS[one.account], one.region) for one in databases}
        elsewhere = [name for name, target in TARGETS.items() if target not in homes]
        names = dice.sample(elsewhere, min(len(elsewhere), dice.choice((0, 1, 1, 2))))
        has_window = every in {"1d", "2d"} and dice.random() < 0.7
        yield PolicySaid(
            name=tier,
            tier=tier,
            every=every,
            window=dice.choice(("02:00-06:00", "21:00-04:30")) if has_window else None,
            catch_up=dice.choice(("latest", "latest", "latest", "in_window", "none")),
            keep=_keep(dice),
            copies=tuple(_sending(dice, name, every) for name in names),
            incremental=dice.choice(("prefer", "prefer", "ignore")),
            timezone=zone,
            orphans=dice.choice((None, (1, 1), (1, 0))),
            cron=dice.choice(("30 2,14 * * *", "15 */8 * * *")) if dice.random() < 0.2 else None,
        )


def _sending(dice: random.Random, name: str, every: str) -> Sending:
    return Sending(
        name,
        keep=_keep(dice) if dice.random() < 0.6 else None,
        every_days=2 if every == "1d" and dice.random() < 0.2 else None,
        backfill=dice.choice((None, None, 2)),
    )


def _keep(dice: random.Random) -> Keep:
    rules: tuple[tuple[str, tuple[Any, ...]], ...] = (
        ("last", (1, 1, 2, 3)),
        ("daily", (1, 2)),
        ("hourly", (2,)),
        ("within", ("12h", "36h")),
    )
    chosen = dice.sample(rules, dice.choice((1, 1, 2)))
    return {name: dice.choice(values) for name, values in chosen}


def _happenings(
    dice: random.Random, story: Story, start: datetime, count: int
) -> Iterator[Happening]:
    def some_time() -> datetime:
        # No run and no backup window begins at such a minute.
        return start + dice.randrange(1, count * 24) * _HOUR + timedelta(minutes=17)

    names = [f"{one.account}/{one.region}/{one.identifier}" for one in story.instances]
    standby = [name for name, one in zip(names, story.instances, strict=True) if one.multi_az]
    found = []
    for _ in range(dice.choice((0, 1, 1, 2, 3))) if standby else ():
        found.append(Happening(some_time(), What.FAIL_OVER, dice.choice(standby)))
    if len(names) > 1 and dice.random() < 0.3:
        found.append(Happening(some_time(), What.DELETE, names[-1]))
    if dice.random() < 0.3:
        found.append(Happening(some_time(), What.MISS_RUNS, lasts=dice.choice((9, 26)) * _HOUR))
    # The engine works from prod: where that is silent, no role anywhere can be assumed.
    away = [place for place in story.places if place[0] != PROD]
    if away and dice.random() < 0.3:
        account, region = dice.choice(away)
        place, lasts = f"{NAMES[account]}/{region}", dice.choice((5, 25)) * _HOUR
        found.append(Happening(some_time(), What.OUTAGE, place, lasts))
    if story.targets and dice.random() < 0.2:
        found.append(Happening(some_time(), What.ROTATE_KEY, dice.choice(sorted(story.targets))))
    yield from _possible(sorted(found, key=lambda one: one.at))


def _possible(found: Sequence[Happening]) -> Iterator[Happening]:
    """Yield what can happen: nothing befalls a database that is gone."""
    gone = set()
    for one in found:
        if one.about not in gone:
            yield one
        if one.what is What.DELETE:
            gone.add(one.about)
