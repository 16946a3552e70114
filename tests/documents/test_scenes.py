"""Documents of `kind: fleet` and `kind: events`: read, checked, and no part of the policies."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.documents.scene import EMPTY, Happening
from tests.documents.writing import ESTATE, documents, load_text, loaded, policy

FLEET = """\
version: 1
kind: fleet
databases:
  - {account: prod, region: eu-west-1, identifier: "a-{n}", count: 12, gib: 7}
  - account: vault
    region: eu-west-1
    identifier: b
    zones: [eu-west-1a, eu-west-1b]
    key: alias/b
    automated_backups: {retention_days: 3, window: "23:45-00:15"}
quotas: [{account: prod, region: eu-west-1, manual_snapshots: 7}]
"""
EVENTS = """\
version: 1
kind: events
events:
  - {at: 2026-12-02T00:00+01:00, delete: "prod/*/a-1"}
  - {at: 2026-12-01T00:00Z, outage: {account: vault, for: 1d12h}}
  - {at: 2026-12-03T00:00Z, rotate_key: {target: local, to: alias/new}}
  - {at: 2026-12-04T00:00Z, grow: {source: prod/eu-west-1/b, gib: 9}}
"""


def test_a_fleet_describes_alike_databases_together(tmp_path: Path) -> None:
    scene = load_text(tmp_path, documents(ESTATE, policy(), FLEET)).scene
    (fleet,) = scene.fleets
    many, one = fleet.databases
    assert many.names()[0] == "a-01"
    assert many.names()[-1] == "a-12"
    assert (many.gib, many.zones, many.key) == (7, (), None)
    assert one.names() == ["b"]
    assert (one.zones, one.key, one.backup_days) == (("eu-west-1a", "eu-west-1b"), "alias/b", 3)
    assert str(one.backup_window) == "23:45-00:15"
    assert fleet.quotas[0].manual_snapshots == 7


def test_events_are_in_the_order_of_their_times(tmp_path: Path) -> None:
    events = load_text(tmp_path, documents(ESTATE, policy(), EVENTS)).scene.events
    assert [one.what for one in events] == [
        Happening.OUTAGE,
        Happening.DELETE,
        Happening.ROTATE_KEY,
        Happening.GROW,
    ]
    outage, delete, rotation, growth = events
    assert outage.ends - outage.at == timedelta(hours=36)
    assert delete.at == datetime(2026, 12, 1, 23, tzinfo=UTC)
    assert (rotation.target, rotation.key) == ("local", "alias/new")
    assert (growth.source, growth.gib) == ("prod/eu-west-1/b", 9)
    assert [one.about for one in events] == [
        "vault",
        "prod/*/a-1",
        "local",
        "prod/eu-west-1/b",
    ]


def test_what_is_simulated_does_not_change_the_policies_digest(tmp_path: Path) -> None:
    without = loaded(tmp_path, ESTATE, policy())
    assert loaded(tmp_path, ESTATE, policy(), FLEET, EVENTS).digest == without.digest


@pytest.mark.parametrize(
    ("wrong", "right", "code", "fix"),
    [
        ("account: vault, for", "account: valt, for", "E205", "did you mean `vault`?"),
        ("prod/*/a-1", "prd/*/a-1", "E205", "did you mean `prod`?"),
        ("source: prod/", "source: prd/", "E205", "did you mean `prod`?"),
        ("target: local", "target: lokal", "E206", "did you mean `local`?"),
        (
            "{account: prod, region: eu-west-1, id",
            "{account: x, region: eu-west-1, id",
            "E205",
            "p",
        ),
        ('"a-{n}"', "a", "E114", "write a-{n}"),
        ('"a-{n}", count: 12', f'"{"a" * 58}-{{n}}", count: 99999', "E114", "shorten it"),
        ("identifier: b", 'identifier: "a-{n}"', "E114", "give"),
        ("delete:", "dilete:", "E101", "did you mean `delete`?"),
        (", to: alias/new", "", "E111", "`to`"),
    ],
)
def test_what_leads_nowhere_is_told_with_a_way_out(
    tmp_path: Path, wrong: str, right: str, code: str, fix: str
) -> None:
    text = documents(ESTATE, policy(), FLEET, EVENTS)
    assert wrong in text
    text = text.replace(wrong, right)
    if right.startswith("identifier"):
        text = text.replace("account: vault\n    region", "account: prod\n    region")
    result = load_text(tmp_path, text)
    assert result.documents is None
    assert result.scene == EMPTY
    told = [one for one in result.diagnostics if one.code.value[0] == code]
    assert told, result.diagnostics
    assert fix in f"{told[0].summary} {told[0].fix}"


def test_an_event_is_one_thing_at_a_time(tmp_path: Path) -> None:
    both = EVENTS.replace('delete: "prod/*/a-1"', 'delete: "prod/*/a-1", fail_over: "prod/*/a-1"')
    (one,) = load_text(tmp_path, documents(ESTATE, policy(), both)).diagnostics
    assert "one thing that happens" in one.summary
