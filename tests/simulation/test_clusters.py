"""DB clusters are not simulated; what is of instances is, all the same."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from engine.simulation.beginning import made_up_inventory
from engine.simulation.simulate import simulate
from tests.simulation.playing import ESTATE, FLEET, START, policy, read


def test_policies_that_protect_clusters_are_left_out(tmp_path: Path) -> None:
    silver = policy().replace("gold", "silver") + "protects: rds-cluster\n"
    documents, scene = read(tmp_path, ESTATE, policy(), silver, FLEET)
    inventory = made_up_inventory(documents, scene.fleets, START)
    found = simulate(documents, inventory, START, 2)
    assert found.end - found.start == timedelta(days=2)
    assert {one.snapshot.partition("-2026")[0] for one in found.tell()} == {"orders-1-gold"}
