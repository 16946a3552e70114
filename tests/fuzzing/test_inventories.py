"""A recorded inventory may be anything: a plan comes of it, or a word on what is wrong with it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.inventory.records import Location
from tests.fuzzing.ends import Ended, ended, soak_seconds, soaked
from tests.fuzzing.mutants import as_text, damaged, garbage, marked_anew, mutated

ROOT = Path(__file__).parents[2]
ACME = ROOT / "tests" / "recordings" / "acme"
POLICIES = str(ROOT / "policies")
SAMPLE = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ACME, tmp_path / "acme"))


def planned(recording: Path) -> Ended:
    found = ended("plan", POLICIES, "-inventory", str(recording), "-json")
    assert "bug of the engine" not in found.out
    return found


def with_others(recording: Path, chance: Random, change: Callable[[Path, Random], bytes]) -> None:
    """Plan from a recording of which one to three files are others, and put these back."""
    files = sorted(recording.rglob("*.json"))
    before = {file: file.read_bytes() for file in chance.sample(files, chance.randint(1, 3))}
    try:
        for file in before:
            file.write_bytes(change(file, chance))
        planned(recording)
    finally:
        for file, text in before.items():
            file.write_bytes(text)


def of_bytes(file: Path, chance: Random) -> bytes:
    return damaged(file.read_bytes(), chance) if chance.random() < 0.8 else garbage(chance)


def of_values(file: Path, chance: Random) -> bytes:
    return as_text(mutated(json.loads(file.read_bytes()), chance), chance)


def of_marks(file: Path, chance: Random) -> bytes:
    document = json.loads(file.read_bytes())
    if file.name == "describe-db-snapshots.json":
        at = Location(file.parent.parent.name, file.parent.name)
        marked_anew(document["DBSnapshots"], at, chance)
        return json.dumps(document).encode()
    return as_text(mutated(document, chance), chance)


CHANGES = (of_bytes, of_values, of_marks)
each_change = pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)


@each_change
@SAMPLE
@given(number=st.integers(0, 2**32))
def test_a_recording_that_is_damaged_gives_a_plan_or_a_word_on_it(
    recording: Path, change: Callable[[Path, Random], bytes], number: int
) -> None:
    with_others(recording, Random(number), change)


@pytest.mark.slow
@each_change
def test_a_recording_that_is_damaged_gives_a_plan_or_a_word_on_it_at_length(
    recording: Path, change: Callable[[Path, Random], bytes]
) -> None:
    tried = soaked(soak_seconds(), partial(with_others, recording, change=change))
    sys.stdout.write(f"{change.__name__}: {tried} recordings\n")
    assert tried > 100


def test_the_recording_is_good(recording: Path) -> None:
    assert planned(recording).code == 0


# -- what is no file -------------------------------------------------------------------------------


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_link_to_itself(path: Path) -> None:
    path.symlink_to(path.name)


def a_link_to_nothing(path: Path) -> None:
    path.symlink_to("nowhere")


def a_folder(path: Path) -> None:
    path.mkdir()


def a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def a_huge_file(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(3_000_000_000)


NO_FILES = (a_pipe, a_link_to_itself, a_link_to_nothing, a_folder, a_device, a_huge_file)


@pytest.mark.parametrize("make", NO_FILES, ids=lambda make: make.__name__)
@pytest.mark.parametrize(
    "name", ["inventory.json", "111111111111/eu-west-1/describe-db-snapshots.json"]
)
def test_what_stands_in_the_place_of_a_file_is_told_of(
    recording: Path, name: str, make: Callable[[Path], None]
) -> None:
    file = recording / name
    file.unlink()
    make(file)
    told = planned(recording)
    assert told.code == 1
    assert str(file) in told.err
    assert "to do:" in told.err


@pytest.mark.parametrize("make", [a_pipe, a_link_to_itself, a_link_to_nothing, a_device])
@pytest.mark.parametrize("name", [".", "111111111111", "111111111111/eu-west-1"])
def test_what_stands_in_the_place_of_a_folder_is_told_of(
    recording: Path, name: str, make: Callable[[Path], None]
) -> None:
    folder = recording / name
    shutil.rmtree(folder)
    make(folder)
    told = planned(recording)
    assert told.code in {1, 3}
    assert told.err or "111111111111/eu-west-1" in told.out


def test_folders_that_lead_back_to_themselves_are_left_alone(recording: Path) -> None:
    (recording / "111111111111" / "eu-west-3").symlink_to("..")
    assert planned(recording).code in {0, 1}
