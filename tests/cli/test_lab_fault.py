"""`engine lab fault` against a running lab."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.lab.estates import PROD, small
from engine.lab.process import LabProcess
from tests.cli.running import run

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def lab() -> Iterator[LabProcess]:
    with LabProcess.start(small(), speed=0) as running:
        yield running


@pytest.fixture(autouse=True)
def attached(lab: LabProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWS_ENDPOINT_URL", lab.endpoint)
    lab.client.clear_faults()


def test_a_fault_is_armed_with_all_that_is_said_of_it(lab: LabProcess, capfd: Capture) -> None:
    words = "lab fault add throttle -account 1* --region eu-west-1 -service=rds"
    words += " -operation Create* -count 3 -probability 0.5 -seed 7 -for 10m -code Throttling"
    done = run(capfd, *words.split())
    assert (done.code, done.out) == (0, f"{lab.client.faults()[0]['id']}\n")
    [fault] = lab.client.faults()
    expected = {
        "kind": "throttle",
        "account": "1*",
        "region": "eu-west-1",
        "service": "rds",
        "operation": "Create*",
        "count": 3,
        "probability": 0.5,
        "seed": 7,
        "for": 600.0,
        "code": "Throttling",
        "fired": 0,
    }
    assert expected.items() <= fault.items()


def test_an_event_is_armed_with_its_instance(lab: LabProcess, capfd: Capture) -> None:
    address = f"{PROD}/eu-west-1/orders-1"
    words = f"lab fault add rename -instance {address} -name orders-2 -when after"
    assert run(capfd, *words.split()).code == 0
    [fault] = lab.client.faults()
    assert (fault["instance"], fault["name"], fault["when"]) == (address, "orders-2", "after")


def test_faults_are_listed_and_cleared(lab: LabProcess, capfd: Capture) -> None:
    ids = []
    for kind in ("reset -after", "server_error -status 503", "lost_reply"):
        ids.append(run(capfd, "lab", "fault", "add", *kind.split()).out.strip())
    listed = json.loads(run(capfd, "lab", "fault", "list").out)
    assert [one["id"] for one in listed] == ids
    assert listed[0]["after"] is True
    assert run(capfd, "lab", "fault", "clear", ids[0]).err == "cleared 1\n"
    assert run(capfd, "lab", "fault", "clear").err == "cleared 2\n"
    assert json.loads(run(capfd, "lab", "fault", "list").out) == []


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("add flood", 64, "throttle"),
        ("add delay", 1, "`seconds`"),
        ("add throttle -code Slowly", 1, "RequestLimitExceeded"),
        ("add throttle -for 1month", 64, "-for 1month"),
        ("clear f99", 1, "f99"),
        ("", 64, "add|list|clear"),
    ],
)
def test_what_is_wrong_is_told(capfd: Capture, words: str, code: int, said: str) -> None:
    done = run(capfd, "lab", "fault", *words.split())
    assert done.code == code
    assert said in done.err


def test_each_word_explains_itself_with_one_dash_or_two(capfd: Capture) -> None:
    for flag in ("-h", "-help", "--help"):
        done = run(capfd, "lab", "fault", "add", flag)
        assert done.code == 0
        assert "lost_reply" in done.out
