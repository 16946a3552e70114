"""Judges on values: what they must not take for a violation, and what they must."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.diary import Row
from tests.chaos.nursery import Ended, order_engine
from tests.chaos.oracles import bases, journals, keeping, leftovers, twins, words
from tests.chaos.playing import Ending, Played
from tests.chaos.records import Deed, Object, Scene
from tests.chaos.story import Trouble, Visit, story_of
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


@pytest.mark.parametrize(
    ("more", "wrong"),
    [({}, 1), ({"engine:pin": "by hand"}, 0), ({"engine:resource": "db-GONE"}, 0)],
)
def test_a_bridge_that_nothing_needs_is_left_only_where_it_is_pinned_or_its_database_gone(
    more: dict[str, str], wrong: int
) -> None:
    found = ending(deeds=())
    found.instances = {"db-LIVING": "arn:aws:rds:eu-west-1:111111111111:db:db-0"}
    for number, tags in enumerate((more, {})):
        arn = f"arn:aws:rds:eu-west-1:111111111111:snapshot:bridge-{number}"
        slot = {"engine:slot": f"2026-11-0{number + 4}T02:00:00Z", "engine:az-checked": "true"}
        said = {"engine:role": "bridge", "engine:resource": "db-LIVING", **slot, **tags}
        found.seen[arn] = Seen(arn, "manual", "available", "db-0", None, said, frozenset())
        found.numbered.append((number, made(arn)))
        found.truth.append(bridge(arn, number))
    assert len([one for one in leftovers.violations(found) if "bridge" in one]) == wrong


@pytest.mark.parametrize(
    ("troubles", "zone", "wrong"),
    [((Trouble({}),), "euw1-az2", 0), ((Trouble({}),), "euw1-az1", 1), ((), "euw1-az2", 1)],
)
def test_a_point_is_there_twice_only_where_a_run_in_trouble_made_it_of_another_zone(
    troubles: tuple[Trouble, ...], zone: str, wrong: int
) -> None:
    first = {"engine:role": "primary", "engine:resource": "db-GONE", "engine:az": "euw1-az1"}
    first |= {"engine:slot": "2026-11-04T02:00:00Z"}
    blind = replace(run(2, 0, (1, 2)), visit=Visit(troubles=troubles))
    found = ending(run(1, 0, (0, 1)), blind)
    for number, tags in enumerate((first, first | {"engine:az": zone})):
        arn = f"arn:aws:rds:eu-west-1:111111111111:snapshot:point-{number}"
        making = replace(made(arn), operation="CreateDBSnapshot", tags=tags)
        found.numbered.append((number, making))
        found.seen[arn] = Seen(arn, "manual", "available", "db-0", None, tags, frozenset())
    assert len([one for one in leftovers.violations(found) if "2 times" in one]) == wrong


@pytest.mark.parametrize(("more", "wrong"), [({}, 1), ({"engine:pin": "by hand"}, 0)])
def test_what_failed_is_left_only_where_it_is_pinned(more: dict[str, str], wrong: int) -> None:
    found, deed = ending(deeds=(0,)), copied()
    said = {"engine:role": "primary", **more}
    found.seen[deed.arn] = Seen(deed.arn, "manual", "failed", "db-0", None, said, frozenset())
    assert len([one for one in leftovers.violations(found) if "is failed" in one]) == wrong


def test_a_run_that_is_killed_before_it_says_anything_has_said_nothing(tmp_path: Path) -> None:
    order = order_engine(tmp_path, ("--version",), {})
    assert (order.out.read_text(), order.err.read_text()) == ("", "")


SOURCE = "db-LIVING"
HOME = f"arn:aws:rds:eu-west-1:{PLACE[0]}:db:db-0"
THEIRS = {"engine:role": "copy", "engine:resource": SOURCE, "engine:slot": "2026-11-04T02:00:00Z"}


@pytest.mark.parametrize(
    ("account", "has_slot", "is_base", "wrong"),
    [
        (PLACE[0], True, False, 1),
        (PLACE[0], True, True, 0),
        (PLACE[0], False, False, 0),
        ("222222222222", True, False, 0),
    ],
)
def test_only_what_the_undisturbed_story_made_too_is_too_much_and_only_where_points_are_managed(
    account: str, has_slot: bool, is_base: bool, wrong: int
) -> None:
    arn = f"arn:aws:rds:eu-west-1:{account}:snapshot:{NAME}"
    here, twin = ending(), ending()
    for one in (here, twin):
        one.story = replace(one.story, is_gentle=True)
        one.instances = {SOURCE: HOME}
        one.tiers = {SOURCE: "none"}
    here.numbered = [(0, replace(made(arn), tags=THEIRS))]
    here.seen[arn] = Seen(arn, "manual", "available", "db-0", None, THEIRS, frozenset())
    here.truth = [bridge(arn, 0)]
    if not is_base:
        here.numbered.append((1, replace(made(f"{arn}-newer"), tags=THEIRS)))
        here.truth.append(bridge(f"{arn}-newer", 1))
    if has_slot:
        twin.numbered = here.numbered
    assert len(list(twins.violations(here, twin))) == wrong


@pytest.mark.parametrize(("living", "wrong"), [({}, 0), ({SOURCE: HOME}, 1)])
def test_the_points_of_a_database_are_compared_only_where_it_lives_in_both_stories_or_in_none(
    living: dict[str, str], wrong: int
) -> None:
    """In one of them it was replaced, in the other somebody had stopped it before."""
    arn = f"arn:aws:rds:eu-west-1:{PLACE[0]}:snapshot:{NAME}"
    here, twin = ending(), ending()
    here.instances, twin.instances = living, {SOURCE: HOME}
    here.tiers = twin.tiers = {SOURCE: "none"}
    twin.numbered = [(0, replace(made(arn), tags=THEIRS))]
    twin.seen[arn] = Seen(arn, "manual", "available", "db-0", None, THEIRS, frozenset())
    assert len(list(twins.violations(here, twin))) == wrong


@pytest.mark.parametrize(("lacking", "wrong"), [("03", 0), ("04", 2)])
def test_of_a_gone_database_an_older_point_may_have_been_a_base_of_the_last_run(
    lacking: str, wrong: int
) -> None:
    here, twin = ending(), ending()
    for number, day in enumerate(("03", "04")):
        arn = f"arn:aws:rds:eu-west-1:222222222222:snapshot:db-0-gold-{day}"
        tags = THEIRS | {"engine:slot": f"2026-11-{day}T02:00:00Z"}
        for one in (here, twin):
            one.story = replace(one.story, is_gentle=True)
            one.numbered.append((number, replace(made(arn), tags=tags)))
            if one is here or day != lacking:
                one.seen[arn] = Seen(arn, "manual", "available", "db-0", None, tags, frozenset())
    found = list(twins.violations(here, twin))
    assert len(found) == wrong


def test_runs_whose_processes_have_the_same_number_are_not_held_against_each_others_entries() -> (
    None
):
    rows = (started(1), announced(1), replace(started(1), run="run-1b"))
    ends = replace(started(1), run="run-1b", kind="run_ended", detail={"exit_code": 0})
    first, second = run(1, 3), replace(run(2, 0, (0, 1)), processes=(1,))
    told = list(journals.violations(ending(first, second, deeds=(0,), rows=(*rows, ends))))
    assert told == []


@pytest.mark.parametrize(("thawed", "wrong"), [(0, 0), (1, 1), (None, 1)])
def test_a_share_is_left_only_by_a_call_that_a_freeze_caught(
    thawed: int | None, wrong: int
) -> None:
    deed = copied()
    shared = replace(deed, operation="ModifyDBSnapshotAttribute", tags={})
    found = ending(replace(run(1, 11, (0, 2)), thawed=thawed))
    found.numbered = [(0, shared if thawed == 0 else deed), (1, deed)]
    tags = {"engine:role": "primary"}
    found.seen[deed.arn] = Seen(
        deed.arn, "manual", "available", "db-0", None, tags, frozenset({"222222222222"})
    )
    assert len([one for one in leftovers.violations(found) if "left shared" in one]) == wrong


@pytest.mark.parametrize(("is_retired", "wrong"), [(True, 0), (False, 1)])
def test_the_last_point_of_a_gone_database_goes_where_its_policy_is_retired(
    is_retired: bool, wrong: int
) -> None:
    policy = replace(
        story_of(1).policies[0], name="gold", orphans=(1, 1), copies=(), is_retired=is_retired
    )
    tags = {
        "engine:role": "copy",
        "engine:resource": "db-GONE",
        "engine:policy": "gold",
        "engine:slot": "2026-11-04T02:00:00Z",
        "engine:source": "arn:aws:rds:eu-central-1:333333333333:db:db-0",
    }
    making = replace(copied(), tags=tags)
    victim = Object(making.arn, "available", "manual", ("db-GONE", "z"), (), None, 0.0, 0.0, tags)
    scene = Scene(victim, (victim,), (), (), {})
    gone = replace(making, operation="DeleteDBSnapshot", tags={}, scene=scene)
    found = ending(replace(run(1, 0, (0, 2)), policies=(policy,)))
    found.numbered, found.gone = [(0, making), (1, gone)], {"db-GONE": AT - timedelta(days=2)}
    told = [one for one in keeping.violations(found) if "one of the last" in one]
    assert len(told) == wrong


@pytest.mark.parametrize(("called", "wrong"), [("db-0", 0), ("db-0-new", 1)])
def test_who_succeeded_a_gone_database_is_told_by_the_names_of_when_the_run_began(
    called: str, wrong: int
) -> None:
    """The heir is renamed while the run that planned with its name goes on."""
    arn = "arn:aws:rds:eu-central-1:333333333333:db:"
    policy = replace(story_of(1).policies[0], name="gold", keep={"last": 1}, orphans=None)
    tags = {
        "engine:role": "primary",
        "engine:resource": "db-GONE",
        "engine:policy": "gold",
        "engine:slot": "2026-11-03T02:00:00Z",
        "engine:source": f"{arn}db-0",
    }
    making = replace(copied(), tags=tags, place=("333333333333", "eu-central-1"))
    newer = replace(
        making,
        arn=f"{making.arn}-newer",
        tags=tags | {"engine:resource": "db-HEIR", "engine:slot": "2026-11-04T02:00:00Z"},
    )
    victim, stays = (
        Object(one.arn, "available", "manual", ("db-HEIR", "z"), (), None, 0.0, 0.0, one.tags)
        for one in (making, newer)
    )
    scene = Scene(victim, (victim, stays), (), (), {"db-HEIR": f"{arn}db-0-new"})
    gone = replace(making, operation="DeleteDBSnapshot", tags={}, scene=scene)
    living = {"db-HEIR": f"{arn}{called}"}
    found = ending(replace(run(1, 0, (0, 3)), policies=(policy,), living=living))
    found.story = replace(found.story, min_points=1)
    found.numbered, found.tiers = [(0, making), (1, newer), (2, gone)], {"db-HEIR": policy.tier}
    assert len(list(keeping.violations(found))) == wrong


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
        "volume": {"resource_id": "one", "zone": "euw1-az1"},
        "keys": ["a", "b"],
        "completed_at": f"2026-11-0{number + 4}T02:10:00Z",
        "origin": None,
        "order": {"begun": number},
    }


@pytest.mark.parametrize(("trouble", "wrong"), [('{"kind": "check"}', 0), ("", 1)])
def test_trouble_explains_exit_code_6(trouble: str, wrong: int) -> None:
    told = words.violations(ending(run(1, 6, out=OUTCOME % trouble)))
    assert len(list(told)) == wrong
