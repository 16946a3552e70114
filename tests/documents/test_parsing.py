"""YAML becomes nodes that know their places, in whatever way it is written."""

from __future__ import annotations

import time
from typing import Any

import pytest
import yaml

from engine.documents import parsing
from engine.documents.nodes import Leaf, Listing, Node, Table, find, plain, texts_at
from engine.documents.parsing import MAX_NODES, parse


def root_of(text: str) -> Node:
    parsed = parse(text, "x.yaml")
    assert parsed.is_whole, parsed.diagnostics
    return parsed.roots[0]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("null", None),
        ("~", None),
        ("", None),
        ("true", True),
        ("FALSE", False),
        ("yes", "yes"),
        ("on", "on"),
        ("12", 12),
        ("-3", -3),
        ("+3", 3),
        ("012", 12),
        ("0o17", "0o17"),
        ("1_000", "1_000"),
        ("02:30", "02:30"),
        ("2026-11-21", "2026-11-21"),
        ("1.5", 1.5),
        (".5", 0.5),
        ("2.0", 2),
        ("1e3", 1000),
        ("1e999", 1e999),
        (".inf", ".inf"),
        ("-", [None]),
        ("1d", "1d"),
        ("'12'", "12"),
        ('"true"', "true"),
        ("! 12", "12"),
        ("!!str 12", "12"),
        ("|\n  12\n", "12\n"),
        ("9" * 18, 999999999999999999),
    ],
)
def test_plain_scalars_are_read_by_the_core_schema(written: str, value: Any) -> None:
    if written == "1e999":
        leaf = find(root_of(f"a: {written}\n"), ("a",))
        assert isinstance(leaf, Leaf)
        assert leaf.value == float("inf")
        return
    assert plain(root_of(f"a: {written}\n" if value != [None] else f"a:\n  {written}\n")) == {
        "a": value
    }


def test_each_value_and_key_knows_its_line_and_column() -> None:
    root = root_of("# first\na:\n  - b: 1\n    c: [x, 'y']\n")
    assert isinstance(root, Table)
    assert (root.line, root.column) == (2, 1)
    item = find(root, ("a", 0))
    assert isinstance(item, Table)
    assert str(item.entries["c"].place) == "x.yaml:4:5"
    quoted = find(root, ("a", 0, "c", 1))
    assert isinstance(quoted, Leaf)
    assert (str(quoted.place), quoted.width) == ("x.yaml:4:12", 3)


def test_several_documents_are_several_roots_and_lines_go_on() -> None:
    parsed = parse("a: 1\n---\nb: 2\n...\n---\n- 3\n", "x.yaml")
    assert [plain(root) for root in parsed.roots] == [{"a": 1}, {"b": 2}, [3]]
    assert [root.place.line for root in parsed.roots] == [1, 3, 6]


def test_a_directive_before_the_first_document_does_no_harm() -> None:
    assert plain(root_of("%YAML 1.2\n---\na: 1\n")) == {"a": 1}


def test_an_alias_stands_for_its_anchor_with_the_place_of_the_anchor() -> None:
    root = root_of("a: &x [1, 2]\nb: *x\n")
    assert plain(root) == {"a": [1, 2], "b": [1, 2]}
    found = find(root, ("b",))
    assert found is not None
    assert found.place.line == 1


def test_anchors_end_with_their_document() -> None:
    parsed = parse("a: &x 1\n---\nb: *x\n", "x.yaml")
    assert [each.code.id for each in parsed.diagnostics] == ["E105"]


def test_sizes_count_what_aliases_stand_for() -> None:
    root = root_of("a: &x [1, 2]\nb: [*x, *x]\n")
    assert isinstance(root, Table)
    assert root.size == 11
    assert root.height == 3


def test_after_a_fault_the_next_document_is_read_with_its_own_lines() -> None:
    parsed = parse("a: [\n---\nb: 2\n---\nc: {\n---\nd: 4\n", "x.yaml")
    assert [plain(root) for root in parsed.roots] == [{"b": 2}, {"d": 4}]
    assert [str(each.place) for each in parsed.diagnostics] == ["x.yaml:2:1", "x.yaml:6:1"]
    assert [root.place.line for root in parsed.roots] == [3, 7]


def test_a_fault_in_the_first_line_of_the_last_document_ends_the_reading() -> None:
    parsed = parse("a: 1\n---\n]\n", "x.yaml")
    assert [plain(root) for root in parsed.roots] == [{"a": 1}]
    assert len(parsed.diagnostics) == 1


def test_more_values_than_any_repository_has_are_refused_soon() -> None:
    began = time.monotonic()
    parsed = parse(f"a: [{'x,' * (MAX_NODES + 10)}]", "x.yaml")
    assert [each.code.id for each in parsed.diagnostics] == ["E107"]
    assert time.monotonic() - began < 20


@pytest.mark.parametrize(
    "text",
    [
        "a: {b: [1, 'two', \"three\"], c: ~}\n---\n- x\n- y: |\n    z\n",
        "a: &x {b: 1}\nc: *x\n",
        "? a\n: b\n",
    ],
)
def test_the_pure_parser_reads_the_same(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fast = parse(text, "x.yaml")
    monkeypatch.setattr(yaml, "__with_libyaml__", False)
    assert parse(text, "x.yaml") == fast


def test_the_pure_parser_tells_of_faults_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml, "__with_libyaml__", False)
    parsed = parse("a: [1\nb: 2\n", "x.yaml")
    assert [each.code.id for each in parsed.diagnostics] == ["E100"]


def test_a_fault_without_a_place_is_told_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: str) -> Any:
        def next_event() -> Any:
            raise yaml.MarkedYAMLError

        return next_event

    monkeypatch.setattr(parsing, "_events", broken)
    (told,) = parse("a: 1\n", "x.yaml").diagnostics
    assert (str(told.place), told.summary) == ("x.yaml:1:1", "this is not YAML")


def test_texts_are_found_by_path_and_what_does_not_fit_is_passed_over() -> None:
    root = root_of("a: {b: [x, 1, {c: y}], d: z}\ne: null\n")
    assert [leaf.text for leaf in texts_at(root, "a", "b", "*")] == ["x"]
    assert [leaf.text for leaf in texts_at(root, "a", "*")] == ["z"]
    assert [leaf.text for leaf in texts_at(root, "a", "b", "*", "c")] == ["y"]
    assert not [*texts_at(root, "e", "*"), *texts_at(root, "e", "x"), *texts_at(None, "a")]


def test_finding_what_is_not_there_finds_nothing() -> None:
    root = root_of("a: [x]\n")
    assert find(root, ("b",)) is None
    assert find(root, ("a", "x")) is None
    assert find(root, ("a", 0, 0)) is None
    found = find(root, ("a",))
    assert isinstance(found, Listing)
    assert found.width == 1
