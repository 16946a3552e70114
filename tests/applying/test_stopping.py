"""What a run that is to end at once still says, in processes of their own."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine.applying.stopping import LAST_WORDS_WITHIN

REPOSITORY = Path(__file__).parents[2]
PROGRAM = """\
import sys, time
from pathlib import Path
from engine.applying.stopping import StopFlag, stopping_on_signals

def say():
    Path(sys.argv[1]).write_text("free")

def hang():
    time.sleep(600)

def fail():
    raise RuntimeError("nobody hears this")

words = {"say": say, "hang": hang, "fail": fail, "none": None}[sys.argv[2]]
with stopping_on_signals(StopFlag(), lambda: print("woken", flush=True), words):
    print("ready", flush=True)
    while True:
        time.sleep(60)
"""


@contextmanager
def ending(lock: Path, words: str) -> Iterator[subprocess.Popen[str]]:
    """A process that has been asked to end in order, and does not."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(lock), words],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "woken\n"
        try:
            yield process
        finally:
            process.kill()


def ended(process: subprocess.Popen[str], within: float) -> None:
    began = time.monotonic()
    _, err = process.communicate(timeout=within + 5)
    assert process.returncode == 130
    assert err == ""
    assert time.monotonic() - began < within


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_second_signal_lets_go_of_the_lock_and_ends_at_once(
    tmp_path: Path, number: signal.Signals
) -> None:
    with ending(tmp_path / "lock", "say") as process:
        process.send_signal(number)
        ended(process, within=LAST_WORDS_WITHIN / 2)
    assert (tmp_path / "lock").read_text() == "free"


@pytest.mark.parametrize("words", ["fail", "none"])
def test_a_lock_that_cannot_be_let_go_of_or_is_not_held_delays_nothing(
    tmp_path: Path, words: str
) -> None:
    with ending(tmp_path / "lock", words) as process:
        process.send_signal(signal.SIGINT)
        ended(process, within=LAST_WORDS_WITHIN / 2)


def test_last_words_that_take_too_long_are_cut_short(tmp_path: Path) -> None:
    with ending(tmp_path / "lock", "hang") as process:
        process.send_signal(signal.SIGINT)
        ended(process, within=LAST_WORDS_WITHIN + 2)


def test_a_third_signal_does_not_wait_for_last_words(tmp_path: Path) -> None:
    with ending(tmp_path / "lock", "hang") as process:
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        ended(process, within=LAST_WORDS_WITHIN / 2)
