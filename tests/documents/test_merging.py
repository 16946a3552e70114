"""Defaults under a policy: what wins, and who is said to have set it."""

from __future__ import annotations

from typing import Any

import pytest

from engine.documents.merging import merged
from engine.documents.nodes import Node, Table, find, plain
from engine.documents.parsing import parse
from engine.documents.shapes import shape_of


def table(yaml: str, file: str) -> Table:
    root: Node = parse(yaml or "{}", file).roots[0]
    assert isinstance(root, Table)
    return root


def merge(defaults: str, policy: str) -> Table:
    return merged(table(defaults, "estate"), table(policy, "policy"), shape_of("policy"))


SCHEDULE = 'snapshots: {schedule: {every: 1d, window: "02:00-05:00"}}'
KEEP = "snapshots: {retention: {keep: {daily: 7, weekly: 4}}}"

CASES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "a default holds where nothing is said": ("hold: x", "", {"hold": "x"}),
    "a policy wins over a default": ("hold: x", "hold: y", {"hold": "y"}),
    "maps merge by key": (
        "objectives: {rpo: 1d, rto: 1h}",
        "objectives: {rpo: 2d}",
        {"objectives": {"rpo": "2d", "rto": "1h"}},
    ),
    "maps within maps merge by key": (
        "snapshots: {tags: {a: x, b: y}, incremental: prefer}",
        "snapshots: {tags: {b: z}}",
        {"snapshots": {"tags": {"a": "x", "b": "z"}, "incremental": "prefer"}},
    ),
    "a schedule replaces whole": (
        SCHEDULE,
        "snapshots: {schedule: {every: 3h}}",
        {"snapshots": {"schedule": {"every": "3h"}}},
    ),
    "a keep replaces whole": (
        KEEP,
        "snapshots: {retention: {keep: {daily: 3}}}",
        {"snapshots": {"retention": {"keep": {"daily": 3}}}},
    ),
    "a select replaces whole": (
        "select: {rest: true, replicas: true}",
        "select: {engines: [mysql]}",
        {"select": {"engines": ["mysql"]}},
    ),
    "a list replaces whole": (
        "snapshots: {copies: [{target: a}, {target: b}]}",
        "snapshots: {copies: [{target: c}]}",
        {"snapshots": {"copies": [{"target": "c"}]}},
    ),
    "null removes a value": (
        "objectives: {rpo: 1d}",
        "objectives: {rpo: null}",
        {"objectives": {}},
    ),
    "null removes a map": (KEEP + "\nhold: x", "snapshots: null", {"hold": "x"}),
    "null removes a list": (
        "snapshots: {copies: [{target: a}]}",
        "snapshots: {copies: null}",
        {"snapshots": {}},
    ),
    "null over nothing is nothing": ("", "objectives: {rpo: null}", {"objectives": {}}),
    "null in the defaults is nothing": ("hold: null", "", {}),
    "a map stands over a removed one": (
        "objectives: null",
        "objectives: {rpo: 1d}",
        {"objectives": {"rpo": "1d"}},
    ),
}


@pytest.mark.parametrize(("defaults", "policy", "result"), CASES.values(), ids=CASES.keys())
def test_merging(defaults: str, policy: str, result: dict[str, Any]) -> None:
    assert plain(merge(defaults, policy)) == result


def test_each_value_keeps_the_place_that_set_it() -> None:
    body = merge(
        "timezone: UTC\nsnapshots:\n  tags: {a: x}\n  incremental: prefer\n",
        "hold: y\nsnapshots:\n  incremental: ignore\n",
    )
    places = {
        ("timezone",): "estate:1:11",
        ("snapshots", "tags", "a"): "estate:3:13",
        ("snapshots", "incremental"): "policy:3:16",
        ("hold",): "policy:1:7",
    }
    for path, place in places.items():
        node = find(body, path)
        assert node is not None
        assert str(node.place) == place


def test_merging_changes_neither_side() -> None:
    below, above = table(KEEP, "estate"), table("snapshots: {tags: {a: x}}", "policy")
    merged(below, above, shape_of("policy"))
    assert plain(below) == {"snapshots": {"retention": {"keep": {"daily": 7, "weekly": 4}}}}
    assert plain(above) == {"snapshots": {"tags": {"a": "x"}}}
