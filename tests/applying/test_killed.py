"""The means of killing a run at a line of its journal."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from engine.applying.journal import Journal, Kind
from tests.applying.killed import deadly


@pytest.fixture
def struck() -> Iterator[list[int]]:
    found: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: found.append(number))
    yield found
    signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_is_killed_at_its_line_though_others_are_written_meanwhile(
    when: str, struck: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    both_write = threading.Barrier(2, timeout=20)
    written: list[Any] = []

    def write(*said: Any) -> None:
        both_write.wait()
        written.append(said)

    monkeypatch.setattr(Journal, "_append", write)
    deadly(when, 1, signal.SIGUSR1)
    lines = [
        threading.Thread(target=Journal._append, args=(None, Kind.INTENT, "step", {}))
        for _ in range(2)
    ]
    for line in lines:
        line.start()
    for line in lines:
        line.join()
    assert len(written) == 2
    assert struck == [signal.SIGUSR1]
