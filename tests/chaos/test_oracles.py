"""Judges on values: what they must not take for a violation, and what they must."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.diary import Row
from tests.chaos.nursery import Ended, order_engine
from tests.chaos.oracles import bases, journals, leftovers, twins, words
from tests.chaos.playing import Ending, Played
from tests.chaos.records import Deed, Object, Scene
from tests.chaos.story import Visit, story_of
from tests.end_to_end.harness import Seen

AT = datetime(2026, 11, 4, 2, 5, tzinfo=UTC)
PLACE, NAME = ("111111111111", "eu-west-1"), "db-0-gold-20261104t0200z-euw1az1-1f0c9a3e"
OUTCOME = '{"type": "outcome", "troubles": [%s]}'


def ending(*runs: Played, deeds: tuple[int, ...] = (), rows: tuple[Row, ...] = ()) -> Ending:
    found = Ending(story_of(1), Path())
    found.runs = list(runs)
    found.numbered = [(number, copied()) for number in deeds]
    found.journal = list(rows)
    return found


def run(number: int, code: int, deeds: tuple[int, int] = (0, 0), out: str = "") -> Played:
    return Played(number, AT, Visit(), (), deeds, Ended(code, out, ""), (number,))


def copied() -> Deed:
    arn = f"arn:aws:rds:eu-west-1:111111111111:snapshot:{NAME}"
    return Deed(AT, PLACE, "CopyDBSnapshot", arn, {}, {}, by_engine=True, status=200)


def started(number: int) -> Row:
    return Row(f"run-{number}", 1, AT, "run_started", "", {"who": {"pid": number}})


def announced(number: int) -> Row:
    detail = {
        "operation": "CopyDBSnapshot",
        "at": "111111111111/eu-west-1",
        "attempt": 1,
        "arguments": {"snapshot": NAME},
    }
    return Row(f"run-{number}", 2, AT, "intent", "copy", detail)


def test_a_call_of_a_killed_run_may_take_effect_in_the_time_of_the_next() -> None:
    rows = (started(1), announced(1), started(2))
    told = journals.violations(ending(run(1, -9), run(2, -9, (0, 1)), deeds=(0,), rows=rows))
    assert list(told) == []


def test_a_call_that_no_run_announced_is_found_out() -> None:
    rows = (started(1), started(2))
    told = list(journals.violations(ending(run(1, -9), run(2, -9, (0, 1)), deeds=(0,), rows=rows)))
    assert len(told) == 1
    assert "not announced" in told[0]


@pytest.mark.parametrize(("more", "wrong"), [({}, 1), ({"engine:pin": "by hand"}, 0)])
def test_a_bridge_that_nothing_needs_is_left_only_where_it_is_pinned(
    more: dict[str, str], wrong: int
) -> None:
    found = ending(deeds=())
    for number, tags in enumerate((more, {})):
        arn = f"arn:aws:rds:eu-west-1:111111111111:snapshot:bridge-{number}"
        slot = {"engine:slot": f"2026-11-0{number + 4}T02:00:00Z", "engine:az-checked": "true"}
        said = {"engine:role": "bridge", **slot, **tags}
        found.seen[arn] = Seen(arn, "manual", "available", "db-0", None, said, frozenset())
        found.numbered.append((number, made(arn)))
        found.truth.append(bridge(arn, number))
    assert len([one for one in leftovers.violations(found) if "bridge" in one]) == wrong


@pytest.mark.parametrize(("more", "wrong"), [({}, 1), ({"engine:pin": "by hand"}, 0)])
def test_what_failed_is_left_only_where_it_is_pinned(more: dict[str, str], wrong: int) -> None:
    found, deed = ending(deeds=(0,)), copied()
    said = {"engine:role": "primary", **more}
    found.seen[deed.arn] = Seen(deed.arn, "manual", "failed", "db-0", None, said, frozenset())
    assert len([one for one in leftovers.violations(found) if "is failed" in one]) == wrong


def test_a_run_that_is_killed_before_it_says_anything_has_said_nothing(tmp_path: Path) -> None:
    order = order_engine(tmp_path, ("--version",), {})
    assert (order.out.read_text(), order.err.read_text()) == ("", "")


@pytest.mark.parametrize(("account", "wrong"), [(PLACE[0], 1), ("222222222222", 0)])
def test_what_a_dropped_target_holds_may_differ_from_the_undisturbed_end(
    account: str, wrong: int
) -> None:
    source, place = "db-LIVING", f"arn:aws:rds:eu-west-1:{PLACE[0]}:db:db-0"
    arn = f"arn:aws:rds:eu-west-1:{account}:snapshot:{NAME}"
    tags = {"engine:role": "copy", "engine:resource": source, "engine:slot": "2026-11-04T02:00:00Z"}
    here, twin = ending(), ending()
    for one in (here, twin):
        one.story = replace(one.story, is_gentle=True)
        one.instances, one.tiers = {source: place}, {source: "none"}
    here.numbered = [(0, made(arn))]
    here.seen[arn] = Seen(arn, "manual", "available", "db-0", None, tags, frozenset())
    assert len(list(twins.violations(here, twin))) == wrong


REPLICA = "db-REPLICA"


@pytest.mark.parametrize(("living", "wrong"), [({REPLICA}, 0), ({REPLICA, "db-GONE"}, 1)])
def test_the_chain_of_a_replica_ends_with_the_database_that_it_stood_in_for(
    living: set[str], wrong: int
) -> None:
    tags = {"engine:role": "primary", "engine:resource": "db-GONE", "engine:policy": "gold"}
    making = replace(copied(), operation="CreateDBSnapshot", tags=tags)
    victim = Object(
        making.arn, "available", "manual", (REPLICA, "euw1-az1"), (), None, 0.0, 0.0, tags
    )
    scene = Scene(victim, (victim,), (), (), dict.fromkeys(living, "arn"))
    gone = replace(making, operation="DeleteDBSnapshot", tags={}, scene=scene)
    found = ending()
    found.numbered = [(0, making), (1, gone)]
    assert len([one for one in bases.violations(found) if "the base of its chain" in one]) == wrong


def made(arn: str) -> Deed:
    return replace(copied(), arn=arn)


def bridge(arn: str, number: int) -> dict[str, Any]:
    return {
        "arn": arn,
        "exists": True,
        "account": "111111111111",
        "region": "eu-west-1",
        "volume": "one",
        "keys": ["a", "b"],
        "completed_at": f"2026-11-0{number + 4}T02:10:00Z",
    }


@pytest.mark.parametrize(("trouble", "wrong"), [('{"kind": "check"}', 0), ("", 1)])
def test_trouble_explains_exit_code_6(trouble: str, wrong: int) -> None:
    told = words.violations(ending(run(1, 6, out=OUTCOME % trouble)))
    assert len(list(told)) == wrong
