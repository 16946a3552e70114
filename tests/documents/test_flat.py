"""What a policy says, as a flat list."""

from __future__ import annotations

from pathlib import Path

from engine.documents.flat import flat
from engine.documents.load import load

ESTATE = """\
version: 1
kind: estate
name: acme
accounts: {prod: {id: "111111111111", regions: [eu-west-1, eu-central-1]}}
targets: {far: {account: prod, region: eu-central-1, key: alias/backups}}
defaults: {timezone: Europe/Berlin, snapshots: {tags: {made-by: engine}}}
"""
POLICY = """\
version: 1
kind: policy
name: gold
select: {identifiers: ["a-*", "b-*"], replicas: true}
snapshots:
  schedule: {every: 1d}
  retention: {keep: {daily: 35, yearly: all}}
  copies: [{target: far, retention: {keep: {daily: 7}}}]
  tags: {empty: ""}
overrides:
  - {select: {identifiers: ["a-1"]}, hold: "case 7"}
"""


def test_each_value_stands_at_its_path_with_defaults_under_it(tmp_path: Path) -> None:
    (tmp_path / "estate.yaml").write_text(ESTATE)
    (tmp_path / "gold.yaml").write_text(POLICY)
    loaded = load([tmp_path])
    assert loaded.documents is not None
    assert flat(loaded.policy_sources["gold"]) == {
        "timezone": "Europe/Berlin",
        "select.identifiers": "[a-*, b-*]",
        "select.replicas": "true",
        "snapshots.schedule.every": "1d",
        "snapshots.retention.keep.daily": "35",
        "snapshots.retention.keep.yearly": "all",
        "snapshots.copies[0].target": "far",
        "snapshots.copies[0].retention.keep.daily": "7",
        "snapshots.tags.made-by": "engine",
        "snapshots.tags.empty": '""',
        "overrides[0].select.identifiers": "[a-1]",
        "overrides[0].hold": "case 7",
    }


def test_a_policy_without_overrides_says_nothing_of_them(tmp_path: Path) -> None:
    (tmp_path / "estate.yaml").write_text(ESTATE)
    (tmp_path / "gold.yaml").write_text(POLICY.partition("overrides")[0])
    assert not any("override" in key for key in flat(load([tmp_path]).policy_sources["gold"]))
