"""How far back schedules and rules reach at all times."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from engine.auditing.reaching import Rhythm, always_reaches
from engine.documents.model import Cron, Every, Schedule
from engine.retention.keep import Keep
from engine.retention.spans import parse_span
from tests.planning.builders import DAY, NOW

HOUR = timedelta(hours=1)
UTC = ZoneInfo("UTC")
DAILY = Rhythm(Schedule(Every(DAY)), UTC)
HOURLY = Rhythm(Schedule(Every(HOUR)), UTC)


@pytest.mark.parametrize(
    ("rhythm", "keep", "days", "reaches"),
    [
        (DAILY, Keep(daily=7), 7, True),
        (DAILY, Keep(daily=7), 8, False),
        (HOURLY, Keep(last=48), 2, True),
        (HOURLY, Keep(last=48), 3, False),
        (HOURLY, Keep(hourly=24, daily=90), 90, True),
        (HOURLY, Keep(last=4000), 90, False),
        (HOURLY, Keep(within=parse_span("1y")), 90, True),
        (Rhythm(HOURLY.schedule, UTC, DAY), Keep(last=90), 90, True),
        (Rhythm(HOURLY.schedule, UTC, 7 * DAY), Keep(last=5), 35, True),
        (Rhythm(Schedule(Cron("0 3 * * 1")), UTC), Keep(weekly=5), 35, True),
        (Rhythm(Schedule(Cron("0 3 * * 1")), UTC), Keep(weekly=4), 35, False),
        (Rhythm(Schedule(Cron("0 0 29 2 *")), UTC), Keep(last=2), 35, False),
        (DAILY, Keep(monthly=14), 365, True),
        (DAILY, Keep(monthly=13), 365, False),
    ],
)
def test_rules_reach(rhythm: Rhythm, keep: Keep, days: int, reaches: bool) -> None:
    assert always_reaches(rhythm, keep, days * DAY, NOW) is reaches
