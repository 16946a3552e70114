from __future__ import annotations

import pytest

from engine.inventory.placement import UNKNOWN_ZONE, volume_zone
from engine.inventory.records import Instance, Location, Scope

HERE = Location("111111111111", "eu-west-1")
ZONES = {"eu-west-1a": "euw1-az3", "eu-west-1b": "euw1-az1"}


def instance(engine: str, *, multi_az: bool, secondary: str | None = "eu-west-1b") -> Instance:
    return Instance(
        arn="arn:aws:rds:eu-west-1:111111111111:db:orders",
        location=HERE,
        identifier="orders",
        resource_id="db-1",
        engine=engine,
        multi_az=multi_az,
        availability_zone="eu-west-1a",
        secondary_zone=secondary if multi_az else None,
    )


@pytest.mark.parametrize("engine", ["postgres", "mysql", "mariadb", "oracle-ee", "db2-se"])
def test_a_multi_az_instance_is_snapshotted_on_its_standby(engine: str) -> None:
    assert volume_zone(instance(engine, multi_az=True), Scope(HERE, zones=ZONES)) == "euw1-az1"


@pytest.mark.parametrize("engine", ["sqlserver-se", "sqlserver-ee"])
def test_sql_server_is_snapshotted_on_its_primary(engine: str) -> None:
    assert volume_zone(instance(engine, multi_az=True), Scope(HERE, zones=ZONES)) == "euw1-az3"


def test_a_single_az_instance_is_snapshotted_where_it_is() -> None:
    place = volume_zone(instance("postgres", multi_az=False), Scope(HERE, zones=ZONES))
    assert place == "euw1-az3"


def test_a_standby_that_is_not_told_leaves_the_zone_unknown() -> None:
    unclear = instance("postgres", multi_az=True, secondary=None)
    assert volume_zone(unclear, Scope(HERE, zones=ZONES)) == UNKNOWN_ZONE


def test_without_ids_the_name_of_the_zone_stands_for_it() -> None:
    assert volume_zone(instance("postgres", multi_az=False), Scope(HERE)) == "eu-west-1a"
