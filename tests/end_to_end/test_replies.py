"""`engine apply` whose replies are lost or spoilt, and whose credentials end on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

import msgspec
import pytest

from engine.lab.estates import IRELAND
from tests.end_to_end.estates import DOCUMENTS, FRANKFURT, ORDERS, estate_of
from tests.end_to_end.gate import CHANGES, Gate, Reply, opened
from tests.end_to_end.harness import SECONDS, Finished, World, working_folder
from tests.forking.labs import ForkedLab

FIRST_NIGHT = datetime(2026, 11, 18, 2, 5, tzinfo=UTC)
EXPIRED = b"""\
<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code>
<Message>The security token included in the request is expired</Message></Error></ErrorResponse>
"""
THROTTLED = EXPIRED.replace(b"ExpiredToken", b"Throttling")


class Nights:
    """A world in which one night after the other is applied to."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.number = 0

    def apply(self, gate: Gate, *words: str) -> Finished:
        """Move to the next night, and apply through a gate."""
        self.number += 1
        self.world.move_to(FIRST_NIGHT + timedelta(days=self.number))
        with opened(gate) as endpoint:
            return self.world.through(endpoint).apply(*words)

    def insist_on_the_end(self) -> None:
        """Nothing is left to do, twice or on the way."""
        self.world.plan("-detailed-exitcode").insist()
        owned = self.world.owned().values()
        slot = (FIRST_NIGHT + timedelta(days=self.number)).strftime("%Y-%m-%dT02:00:00Z")
        assert sorted(one.role or "" for one in owned if one.slot == slot) == [
            "copy",
            "copy",
            "primary",
        ]
        assert not any(one.shared_with or "engine:shared" in one.tags for one in owned)


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nights]:
    folder = working_folder(tmp_path_factory.mktemp("replies"), DOCUMENTS)
    with ForkedLab.start(estate_of(ORDERS), speed=20.0, at=FIRST_NIGHT) as lab:
        yield Nights(World(lab, folder))


class OfEachKind:
    """Spoils the first reply to each kind of change."""

    def __init__(self, mishap: str) -> None:
        self.mishap = mishap
        self.spoilt: set[str] = set()

    def __call__(self, action: str, reply: Reply) -> Reply | None:
        if action not in CHANGES or action in self.spoilt:
            return reply
        self.spoilt.add(action)
        match self.mishap:
            case "lost":
                return None
            case "cut short":
                return Reply(reply.status, reply.body, is_cut_short=True)
            case "garbage":
                return Reply(reply.status, b"<html>Welcome to the proxy<br></html>")
            case _:
                return Reply(500, b"")


@pytest.mark.parametrize(
    "mishap",
    [
        "lost",
        "garbage",
        pytest.param("cut short", marks=pytest.mark.slow),
        pytest.param("server error", marks=pytest.mark.slow),
    ],
)
def test_replies_that_are_lost_or_spoilt_cost_a_run_nothing(nights: Nights, mishap: str) -> None:
    meddle = OfEachKind(mishap)
    nights.apply(Gate(nights.world.lab.endpoint, meddle=meddle), "-wait").insist()
    assert meddle.spoilt >= {"CreateDBSnapshot", "CopyDBSnapshot", "ModifyDBSnapshotAttribute"}
    nights.insist_on_the_end()


def test_throttling_that_the_client_gets_over_by_itself_is_no_trouble(nights: Nights) -> None:
    seen: set[str] = set()

    def throttle(action: str, reply: Reply) -> Reply:
        if action in seen or action not in CHANGES | {"DescribeDBSnapshots"}:
            return reply
        seen.add(action)
        return Reply(400, THROTTLED)

    nights.apply(Gate(nights.world.lab.endpoint, meddle=throttle), "-wait").insist()
    nights.insist_on_the_end()


def test_sessions_of_roles_that_expire_before_their_time_are_fetched_anew(nights: Nights) -> None:
    """All that there are end before the first change of each kind, and before readings."""
    client = nights.world.lab.client
    arrived: list[str] = []
    expired: list[tuple[str, float]] = []

    def expire(action: str) -> None:
        arrived.append(action)
        is_first = arrived.count(action) == 1
        is_late = not expired or monotonic() - expired[-1][1] >= 1.0
        if (action in CHANGES and is_first) or (action == "DescribeDBSnapshots" and is_late):
            expired.append((action, monotonic()))
            client.expire_sessions()

    done = nights.apply(Gate(nights.world.lab.endpoint, arrives=expire), "-wait", "-json").insist()
    assert {action for action, _ in expired} > {"CreateDBSnapshot", "DescribeDBSnapshots"}
    assert set(done.outcome()["counts"]) == {"done"}
    assert arrived.count("AssumeRole") > 6
    nights.insist_on_the_end()


def test_own_credentials_that_end_for_good_fail_the_steps_with_advice(nights: Nights) -> None:
    """From the first change on, nothing that needs the caller's own credentials works."""
    is_over = False

    def end(action: str, reply: Reply) -> Reply:
        nonlocal is_over
        over, is_over = is_over, is_over or action == "CreateDBSnapshot"
        return Reply(403, EXPIRED) if over else reply

    done = nights.apply(Gate(nights.world.lab.endpoint, meddle=end), "-wait").insist(3)
    assert "ExpiredToken" in done.out
    assert "renew the credentials" in done.out
    assert "next run: " in done.out
    nights.world.apply("-wait").insist()
    nights.insist_on_the_end()


@pytest.mark.slow
def test_a_region_that_goes_dark_costs_its_own_steps_and_two_minutes(tmp_path: Path) -> None:
    folder = working_folder(tmp_path / "repository", DOCUMENTS)
    databases = [
        msgspec.structs.replace(ORDERS, identifier=f"orders-{number}") for number in range(12)
    ]
    with ForkedLab.start(estate_of(*databases), speed=20.0, at=FIRST_NIGHT) as lab:
        gate = Gate(lab.endpoint)

        def go_dark(action: str) -> None:
            if action == "CreateDBSnapshot":
                gate.dark = FRANKFURT

        gate.arrives = go_dark
        world = World(lab, folder)
        began = monotonic()
        with opened(gate) as endpoint:
            done = world.through(endpoint).apply("-wait", "-json").insist(3)
        assert monotonic() - began < SECONDS
        states = Counter(
            (line["action"], line["location"]["region"], line["state"])
            for line in done.json_lines()
            if line["type"] == "step" and line["state"] in {"done", "failed"}
        )
        assert states["create_snapshot", IRELAND, "done"] == 12
        assert states["copy_snapshot", IRELAND, "done"] == 12
        assert states["copy_snapshot", FRANKFURT, "failed"] == 12
        # All of them one after the other, each later than the last.
        assert gate.lost < 150
        world.apply("-wait").insist()
        world.plan("-detailed-exitcode").insist()
