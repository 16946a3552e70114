"""The ground truth of what is done through the API: physical zones, queues, rule sets."""

from __future__ import annotations

import pytest

from tests.lab.places import Account, Places


def _zone_id(account: Account, name: str) -> str:
    zones = account.ec2.describe_availability_zones()["AvailabilityZones"]
    return next(one["ZoneId"] for one in zones if one["ZoneName"] == name)


@pytest.mark.parametrize(
    ("engine", "multi_az", "zone"),
    [
        ("postgres", True, "eu-west-1b"),
        ("mysql", True, "eu-west-1b"),
        ("oracle-ee", True, "eu-west-1b"),
        ("sqlserver-se", True, "eu-west-1a"),
        ("postgres", False, "eu-west-1a"),
    ],
)
def test_multi_az_snapshots_are_taken_from_the_standby_but_for_sql_server(
    places: Places, engine: str, multi_az: bool, zone: str
) -> None:
    account = places.account({"engine": engine, "multi_az": multi_az})
    arn = places.snapshot(account, "one")
    assert places.stored(arn)["volume"]["zone"] == _zone_id(account, zone)


def test_a_failover_starts_a_full_one_and_failing_back_continues(places: Places) -> None:
    account = places.account({"multi_az": True, "retention_days": 0})
    stored = []
    for day in range(1, 6):
        if day in {3, 5}:
            places.lab.client.fail_over(account.id, "eu-west-1", "db")
        found = places.stored(places.snapshot(account, f"day-{day}"))
        stored.append((found["stored"], (found["base"] or "").rpartition(":")[2]))
    assert stored == [
        ("full", ""),
        ("incremental", "day-1"),
        ("full", ""),
        ("incremental", "day-3"),
        ("incremental", "day-2"),
    ]


def test_the_rule_set_is_switchable_and_both_are_told(places: Places) -> None:
    account = places.account({"retention_days": 0})
    for number in (1, 2, 3):
        places.snapshot(account, f"s{number}")
        account.rds.copy_db_snapshot(
            SourceDBSnapshotIdentifier=f"s{number}", TargetDBSnapshotIdentifier=f"c{number}"
        )
        places.pass_time()
        if number == 2:
            account.rds.delete_db_snapshot(DBSnapshotIdentifier="c2")
    arn = account.arn("c3")
    assert places.stored(arn)["stored"] == "full"
    places.lab.client.change_settings(rules="blog")
    found = places.stored(arn)
    assert (found["stored"], found["base"]) == ("incremental", account.arn("c1"))
    assert found["under"]["documentation"]["rule"] == "most_recent_copy_deleted"


def test_what_is_gone_stays_in_the_books(places: Places) -> None:
    account = places.account({})
    arn = places.snapshot(account, "one")
    account.rds.delete_db_snapshot(DBSnapshotIdentifier="one")
    found = places.stored(arn)
    assert (found["completed"], found["exists"]) == (True, False)


def test_automated_snapshots_are_bases_too(places: Places) -> None:
    account = places.account({"backup_window": "03:00-03:30"})
    places.pass_time(86_400)
    arn = places.snapshot(account, "one")
    [automated] = account.names(SnapshotType="automated")
    assert places.stored(arn)["base"] == account.arn(automated)
