"""Events."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.lab.conftest import Refusing
from tests.lab.places import Account, Places


def _messages(account: Account, **query: Any) -> list[str]:
    return [one["Message"] for one in account.rds.describe_events(**query)["Events"]]


def test_snapshots_tell_when_they_start_and_finish(places: Places) -> None:
    account = places.account({})
    places.snapshot(account, "one")
    events = account.rds.describe_events(SourceType="db-snapshot")["Events"]
    assert [one["Message"] for one in events] == [
        "Creating manual snapshot",
        "Manual snapshot created",
    ]
    assert events[0]["SourceIdentifier"] == "one"
    assert events[0]["SourceArn"] == account.arn("one")
    assert events[1]["Date"] - events[0]["Date"] == timedelta(seconds=3)


def test_only_the_last_hour_is_told_unless_asked(places: Places) -> None:
    account = places.account({"multi_az": True, "retention_days": 0})
    places.lab.client.fail_over(account.id, "eu-west-1", "db")
    start = places.lab.client.now() - timedelta(minutes=1)
    assert len(_messages(account)) == 2
    places.pass_time(2 * 3600)
    assert _messages(account) == []
    assert len(_messages(account, Duration=3 * 60)) == 2
    assert len(_messages(account, StartTime=start)) == 2
    assert _messages(account, StartTime=start, EndTime=start + timedelta(seconds=1)) == []


def test_events_are_kept_for_fourteen_days(places: Places) -> None:
    account = places.account({"multi_az": True, "retention_days": 0})
    start = places.lab.client.now()
    places.lab.client.fail_over(account.id, "eu-west-1", "db")
    places.pass_time(13 * 86_400)
    assert len(_messages(account, StartTime=start)) == 2
    places.pass_time(2 * 86_400)
    assert _messages(account, StartTime=start) == []


def test_categories_and_sources_filter(places: Places, refused: Refusing) -> None:
    account = places.account({"multi_az": True}, {"identifier": "other"})
    places.lab.client.fail_over(account.id, "eu-west-1", "db")
    places.snapshot(account, "one")
    assert len(_messages(account, EventCategories=["failover"])) == 2
    assert _messages(account, SourceType="db-instance", SourceIdentifier="other") == []
    with refused("InvalidParameterCombination"):
        _messages(account, SourceIdentifier="db")
