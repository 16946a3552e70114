"""Points besides the schedule: announced, asked for, several a day, as the AWS CLI sees them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.lab.estates import IRELAND, PROD, VAULT, small
from engine.lab.process import LabProcess
from tests.end_to_end.harness import REPOSITORY, Seen, World, working_folder
from tests.forking.labs import ForkedLab

EXAMPLES = REPOSITORY / "docs" / "examples"
NIGHT = datetime(2026, 12, 1, 2, 10, tzinfo=UTC)
EVENT = datetime(2026, 12, 1, 20, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def lab() -> Iterator[LabProcess]:
    with ForkedLab.start(small(), speed=20.0, at=NIGHT) as lab:
        yield lab


@pytest.fixture
def world(lab: LabProcess, tmp_path: Any, request: pytest.FixtureRequest) -> World:
    """A fresh lab at the first night, with the example that the test names."""
    lab.client.reset(NIGHT, small())
    return World(lab, working_folder(tmp_path, EXAMPLES / request.param))


def one_off(world: World, account: str) -> list[Seen]:
    """The one-off points in an account, as the AWS CLI shows them."""
    found = world.seen_by_cli(account, IRELAND, ()).values()
    return [one for one in found if "engine:keep-until" in one.tags]


def slots(world: World, account: str) -> list[str]:
    found = world.seen_by_cli(account, IRELAND, ()).values()
    return sorted(one.slot for one in found if one.slot is not None)


@pytest.mark.parametrize("world", ["one-off-points"], indirect=True)
def test_an_announced_point_is_made_copied_and_outlives_the_rules(world: World) -> None:
    world.apply("-wait").insist()
    world.move_to(EVENT + timedelta(minutes=5))
    world.apply("-wait").insist()
    for account in (PROD, VAULT):
        (point,) = one_off(world, account)
        assert point.slot == "2026-12-01T20:00:00Z"
        assert point.tags["engine:reason"] == "upgrade to 17"
        assert point.tags["engine:keep-until"] == "2026-12-31T20:00:00Z"
    for night in range(1, 4):
        world.move_to(NIGHT + night * DAY)
        world.apply("-wait").insist()
    nights = ["2026-12-03T02:00:00Z", "2026-12-04T02:00:00Z"]
    assert slots(world, PROD) == slots(world, VAULT) == ["2026-12-01T20:00:00Z", *nights]
    # The entry goes, the promise stays; it ends with its time.
    policy = world.folder / "policies" / "one-off.yaml"
    policy.write_text(policy.read_text().partition("events:")[0])
    world.apply("-wait").insist()
    assert len(one_off(world, PROD)) == len(one_off(world, VAULT)) == 1
    world.move_to(NIGHT + 31 * DAY)
    world.apply("-wait").insist()
    assert one_off(world, PROD) == one_off(world, VAULT) == []


@pytest.mark.parametrize("world", ["one-off-points"], indirect=True)
def test_a_point_that_is_asked_for_is_there_when_the_command_ends(world: World) -> None:
    world.apply("-wait").insist()
    ask = ("snapshot", "prod/*/orders-1", "-reason", "before index rebuild", "-keep-for", "7d")
    every = ("-at", world.now(), "-poll-interval", "1s")
    refused = world.run(*ask, *every).insist(1)
    assert "before index rebuild" in refused.out
    assert one_off(world, PROD) == []
    world.run(*ask, *every, "-auto-approve").insist()
    (point,) = one_off(world, PROD)
    assert point.status == "available"
    assert point.tags["engine:reason"] == "before index rebuild"
    assert one_off(world, VAULT) == []
    world.apply("-wait").insist()
    assert [one.slot for one in one_off(world, VAULT)] == [point.slot]
    world.plan("-detailed-exitcode").insist()


@pytest.mark.parametrize("world", ["one-off-points"], indirect=True)
def test_a_point_without_copies_stays_where_it_is(world: World) -> None:
    world.apply("-wait").insist()
    ask = ("snapshot", "prod/*/orders-1", "-reason", "try", "-keep-for", "1d", "-no-copies")
    every = ("-at", world.now(), "-poll-interval", "1s", "-auto-approve")
    world.run(*ask, *every).insist()
    world.apply("-wait").insist()
    assert len(one_off(world, PROD)) == 1
    assert one_off(world, VAULT) == []


@pytest.mark.parametrize("world", ["one-off-points"], indirect=True)
@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("prod/*/nope", "-reason", "x", "-keep-for", "7d"), 1, "no database fits"),
        (("*", "-reason", "a (b)", "-keep-for", "7d"), 64, "cannot stand in the value of a tag"),
        (("*", "-reason", "x", "-keep-for", "2m"), 64, "write mo"),
        (("*", "-reason", "x", "-keep-for", "0d"), 64, "not between"),
        (("*", "-reason", "x"), 64, "keep-for"),
    ],
)
def test_a_request_that_cannot_be_met_is_refused(
    world: World, words: tuple[str, ...], code: int, told: str
) -> None:
    done = world.run("snapshot", *words, "-auto-approve", "-at", world.now()).insist(code)
    assert told in done.err
    assert world.owned() == {}


@pytest.mark.parametrize("world", ["every-two-hours"], indirect=True)
def test_points_of_every_two_hours_thin_out_to_days(world: World) -> None:
    midnight = NIGHT.replace(hour=0, minute=0)
    for hours in (2, 4, 22, 24, 28, 46, 48, 50):
        world.move_to(midnight + timedelta(hours=hours, minutes=5))
        world.apply("-wait").insist()
    # `daily` has counts left, and keeps the oldest too.
    assert slots(world, PROD) == [
        "2026-12-01T02:00:00Z",
        "2026-12-01T22:00:00Z",
        "2026-12-02T04:00:00Z",
        "2026-12-02T22:00:00Z",
        "2026-12-03T00:00:00Z",
        "2026-12-03T02:00:00Z",
    ]
    firsts = ["2026-12-01T02:00:00Z", "2026-12-02T00:00:00Z", "2026-12-03T00:00:00Z"]
    assert slots(world, VAULT) == firsts
