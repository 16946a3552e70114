"""Steps that the simulator plays though no plan of a simulated night holds one."""

from __future__ import annotations

from dataclasses import replace

from engine.simulation.settings import Settings
from engine.simulation.world import World
from tests.planning.builders import an_instance, failed_over


def test_a_failover_lets_primary_and_standby_change_places() -> None:
    database = an_instance()
    world = World({}, Settings(), instances={database.arn: database})
    assert world.fail_over(database.arn)
    assert world.instances[database.arn] == failed_over(database)
    world.instances[database.arn] = replace(database, secondary_zone=None)
    assert not world.fail_over(database.arn)
