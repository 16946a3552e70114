"""Overrides change terms by path, in order."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from engine.documents.model import (
    Condition,
    Incremental,
    Orphans,
    Override,
    Path,
    Policy,
    Select,
    SnapshotTerms,
    Terms,
)
from engine.documents.terms import changed, terms_for
from engine.retention.keep import Keep
from engine.retention.spans import Span

ANY = Select(Condition(identifiers=("*",)))
BASE = Terms(
    snapshots=SnapshotTerms(tags={"a": "1", "b": "2"}, keep=Keep(daily=7)),
    orphans=Orphans(Span(days=30)),
)


def policy(*changes: dict[Path, object]) -> Policy:
    overrides = tuple(Override(ANY, each) for each in changes)
    return Policy("gold", ANY, BASE, overrides=overrides)


def test_without_overrides_the_terms_are_the_policys() -> None:
    assert terms_for(policy({("hold",): "x"}), ()) is BASE


def test_an_override_changes_what_it_names_and_nothing_else() -> None:
    terms = terms_for(policy({("snapshots", "incremental"): Incremental.REQUIRE}), (0,))
    assert terms == replace(
        BASE, snapshots=replace(BASE.snapshots, incremental=Incremental.REQUIRE)
    )


def test_of_two_overrides_the_later_wins() -> None:
    both = policy({("hold",): "first"}, {("hold",): "second"})
    assert terms_for(both, (0, 1)).hold == "second"
    assert terms_for(both, (0,)).hold == "first"
    assert terms_for(both, (1,)).hold == "second"


def test_tags_are_added_changed_and_removed_one_by_one() -> None:
    changes: dict[Path, object] = {
        ("snapshots", "tags", "a"): None,
        ("snapshots", "tags", "b"): "3",
        ("snapshots", "tags", "c"): "4",
        ("snapshots", "tags", "d"): None,
    }
    assert terms_for(policy(changes), (0,)).snapshots.tags == {"b": "3", "c": "4"}
    assert BASE.snapshots.tags == {"a": "1", "b": "2"}


def test_all_tags_can_go_at_once() -> None:
    assert terms_for(policy({("snapshots", "tags"): {}}), (0,)).snapshots.tags == {}


@pytest.mark.parametrize(
    ("before", "path", "value", "after"),
    [
        (None, ("orphans", "keep_for"), Span(days=5), Orphans(Span(days=5))),
        (
            Orphans(Span(days=30), 3),
            ("orphans", "keep_for"),
            Span(days=5),
            Orphans(Span(days=5), 3),
        ),
        (Orphans(Span(days=30)), ("orphans", "keep_for"), None, None),
        (Orphans(Span(days=30)), ("orphans", "keep_last"), 4, Orphans(Span(days=30), 4)),
        (None, ("orphans", "keep_last"), 4, None),
    ],
)
def test_orphans_come_and_go_with_keep_for(
    before: Orphans | None, path: Path, value: object, after: Orphans | None
) -> None:
    assert changed(Terms(orphans=before), path, value).orphans == after


def test_a_path_of_one_step_replaces_the_whole() -> None:
    assert changed(BASE, ("snapshots",), SnapshotTerms()).snapshots == SnapshotTerms()
    day = timedelta(days=1)
    assert changed(BASE, ("idle_after",), day).idle_after == day


def test_a_path_that_terms_do_not_have_is_refused() -> None:
    with pytest.raises(TypeError):
        changed(BASE, ("snapshots", "nothing"), 1)
