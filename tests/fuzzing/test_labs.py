"""A lab's seeds and orders may be anything: it takes them or says what is wrong, and lives on."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from functools import partial
from http import HTTPStatus
from http.client import HTTPConnection
from random import Random
from typing import Any
from urllib.parse import urlsplit

import pytest

from engine.lab.estates import small
from engine.lab.process import LabProcess
from tests.fuzzing.ends import soak_seconds, soaked
from tests.fuzzing.mutants import NUMBERS, TIMES, as_text, damaged, garbage, mutated
from tests.recordings.make_acme import acme

SECONDS = 30.0


@pytest.fixture
def lab() -> Iterator[LabProcess]:
    with LabProcess.start() as lab:
        yield lab


def ordered(lab: LabProcess, path: str, body: bytes) -> HTTPStatus:
    """Give the lab an order; it answers in JSON that it did it, or why not."""
    connection = HTTPConnection(urlsplit(lab.endpoint).netloc, timeout=SECONDS)
    try:
        connection.request("POST", f"/_lab{path}", body)
        answer = connection.getresponse()
        status, text = HTTPStatus(answer.status), answer.read()
    finally:
        connection.close()
    told = json.loads(text)
    assert (status is HTTPStatus.OK) != bool(told.get("error")), (status, told)
    assert status in {HTTPStatus.OK, HTTPStatus.BAD_REQUEST}, told
    return status


SEEDS = (small(), acme())


def seeds(lab: LabProcess, chance: Random) -> None:
    """Seed it with what is damaged."""
    document = json.loads(json.dumps(chance.choice(SEEDS)))
    if chance.random() < 0.8:
        body = as_text(mutated(document, chance), chance)
    else:
        body = damaged(json.dumps(document).encode(), chance)
    ordered(lab, "/seed", body)


def orders(lab: LabProcess, chance: Random) -> None:
    """Ask it for what it cannot do, and some of what it can."""
    values: tuple[Any, ...] = (*NUMBERS, *TIMES, None, True, [], {}, "x")
    keys = ("forward", "to", "speed", "account", "region", "identifier", "create_seconds", "rules",
            "manual_snapshots", "copies_in_flight", "automated_backups", "nonsense")  # fmt: skip
    asked = {chance.choice(keys): chance.choice(values) for _ in range(chance.randint(0, 3))}
    body = json.dumps(asked).encode() if chance.random() < 0.8 else garbage(chance)
    ordered(lab, chance.choice(("/clock", "/failover", "/settings")), body)


TRIALS = (seeds, orders)
each_trial = pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.__name__)
Trial = Callable[[LabProcess, Random], None]


@each_trial
def test_a_lab_takes_what_is_damaged_or_says_what_is_wrong(lab: LabProcess, trial: Trial) -> None:
    for number in range(25):
        trial(lab, Random(number))
    assert lab.client.about()["pid"] == lab.pid


@pytest.mark.slow
@each_trial
def test_a_lab_takes_what_is_damaged_or_says_what_is_wrong_at_length(
    lab: LabProcess, trial: Trial
) -> None:
    tried = soaked(soak_seconds(), partial(trial, lab))
    sys.stdout.write(f"{trial.__name__}: {tried} orders\n")
    assert tried > 50
    assert lab.client.about()["pid"] == lab.pid
