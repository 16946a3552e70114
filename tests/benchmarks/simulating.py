"""What a year of a large estate costs to simulate, as a whole process."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.benchmarks.costs import ENGINE, cost_of, show

DOCUMENTS = """
version: 1
kind: estate
name: bench
accounts:
  prod: {{id: "111111111111", regions: [eu-west-1]}}
  vault: {{id: "222222222222", regions: [eu-west-1, eu-central-1]}}
targets:
  local: {{account: vault, region: eu-west-1, key: alias/backups}}
  remote: {{account: vault, region: eu-central-1, key: alias/backups}}
---
version: 1
kind: policy
name: gold
select: {{identifiers: ["*"]}}
snapshots:
  schedule: {{every: 1d, window: "02:00-05:00"}}
  retention: {{keep: {{daily: 7, weekly: 5, monthly: 12}}}}
  copies:
    - {{target: local, retention: {{keep: {{daily: 35}}}}}}
    - {{target: remote}}
---
version: 1
kind: fleet
databases:
  - account: prod
    region: eu-west-1
    identifier: orders-{{n}}
    count: {count}
    zones: [eu-west-1a, eu-west-1b]
    key: alias/orders
quotas:
  - {{account: prod, region: eu-west-1, manual_snapshots: 1000000}}
  - {{account: vault, region: eu-west-1, manual_snapshots: 1000000}}
  - {{account: vault, region: eu-central-1, manual_snapshots: 1000000}}
"""


def run() -> None:
    """Time a year of daily points with two copies each, all due at once.

    AWS makes 20 copies at once at a location, so that each day's take until noon.
    """
    for count in (10, 1_000):
        with tempfile.TemporaryDirectory() as scratch:
            Path(scratch, "all.yaml").write_text(DOCUMENTS.format(count=count))
            words = (ENGINE, "simulate", scratch, "-days", "365", "-interval", "15m")
            what = f"simulate a year of {count:,} databases"
            show(what, cost_of(*words, "-at", "2026-01-01T00:00:00Z"))
            show(f"{what}, -json", cost_of(*words, "-at", "2026-01-01T00:00:00Z", "-json"))
