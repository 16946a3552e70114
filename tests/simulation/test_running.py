"""Steps that the simulator plays though no plan of a simulated night holds one."""

from __future__ import annotations

from dataclasses import replace

from engine.simulation.settings import Settings
from engine.simulation.watching import Watch
from engine.simulation.world import World
from tests.planning.builders import NOW, an_instance, daily, failed_over


def test_a_failover_lets_primary_and_standby_change_places() -> None:
    database = an_instance()
    world = World({}, Settings(), instances={database.arn: database})
    assert world.fail_over(database.arn)
    assert world.instances[database.arn] == failed_over(database)
    world.instances[database.arn] = replace(database, secondary_zone=None)
    assert not world.fail_over(database.arn)


def test_at_first_the_newest_point_says_how_old_points_are() -> None:
    database = an_instance()
    points = {one.arn: one for one in daily(database, [9, 1, 5])}
    world = World({}, Settings(), instances={database.arn: database}, snapshots=points)
    watch = Watch()
    watch.begin(world, NOW)
    exposure = watch.exposures[database.resource_id]
    newest = max(one.taken_at for one in points.values() if one.taken_at)
    assert exposure.newest == newest
    watch.look(database.resource_id, NOW)
    assert exposure.worst == NOW - newest
