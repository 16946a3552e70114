"""Real processes before huge or endless inputs: a word on it in time, within a gigabyte."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.plans.json_form import dumps
from tests.end_to_end.harness import PROGRAMS, clean_environment
from tests.plans.samples import small

GIGABYTE = 1_000_000_000
HUGE = 100_000_000
SECONDS = 60.0
ROOT = Path(__file__).parents[2]
SNAPSHOTS = Path("acme/111111111111/eu-west-1/describe-db-snapshots.json")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder that is emptied at once: its files are large."""
    yield tmp_path
    for file in tmp_path.rglob("*"):
        if file.is_file():
            file.unlink()


def ended(folder: Path, *words: str) -> tuple[int, str]:
    """Run a command that may not have more than a gigabyte of addresses; return code and word."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (GIGABYTE, GIGABYTE))

    done = subprocess.run(
        [str(PROGRAMS / "engine"), *words],
        cwd=folder,
        env=clean_environment(folder),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=SECONDS,
        check=False,
        preexec_fn=limit,
    )
    said = done.stderr.decode()
    assert "Traceback" not in said
    return done.returncode, said


def of_noise(size: int) -> bytes:
    return b"\x93\x11ab\n" * (size // 5)


def of_brackets(size: int) -> bytes:
    return b"[" * size


def of_maps(size: int) -> bytes:
    return b'{"a":' * (size // 5)


def of_text(size: int) -> bytes:
    return b'"' + b"x" * size


def of_white_space(size: int) -> bytes:
    return b" " * size


KINDS = (
    of_brackets,
    *(
        pytest.param(kind, marks=pytest.mark.slow)
        for kind in (of_noise, of_maps, of_text, of_white_space)
    ),
)
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


@each_kind
def test_a_huge_plan_of_nothing_is_refused(folder: Path, kind: Callable[[int], bytes]) -> None:
    (folder / "plan.bin").write_bytes(kind(HUGE))
    code, said = ended(folder, "show", "plan.bin")
    assert code == 1
    assert "plan.bin" in said


@each_kind
def test_a_huge_recording_of_nothing_is_refused(folder: Path, kind: Callable[[int], bytes]) -> None:
    (folder / SNAPSHOTS).parent.mkdir(parents=True)
    (folder / SNAPSHOTS).write_bytes(kind(HUGE))
    code, said = ended(folder, "plan", str(ROOT / "policies"), "-inventory", "acme")
    assert code == 1
    assert SNAPSHOTS.name in said


@each_kind
def test_a_huge_document_of_nothing_is_refused(folder: Path, kind: Callable[[int], bytes]) -> None:
    (folder / "policies").mkdir()
    (folder / "policies" / "huge.yaml").write_bytes(kind(HUGE))
    (folder / "policies" / "large.yaml").write_bytes(kind(4_000_000))
    assert ended(folder, "validate")[0] == 1


def test_an_endless_plan_is_refused(folder: Path) -> None:
    code, said = ended(folder, "show", "/dev/zero")
    assert code == 1
    assert "the plan is larger than 128 MiB" in said


@pytest.mark.slow
def test_a_huge_plan_that_is_whole_is_shown(folder: Path) -> None:
    plan = small()
    one = len(dumps(replace(plan, kept=plan.kept * 2))) - len(dumps(plan))
    data = dumps(replace(plan, kept=plan.kept * (HUGE // one)))
    (folder / "plan.bin").write_bytes(data)
    assert len(data) > HUGE * 0.9
    assert ended(folder, "show", "plan.bin") == (0, "")
    (folder / "plan.bin").write_bytes(data[:-100])
    assert ended(folder, "show", "plan.bin")[0] == 1


@pytest.mark.slow
def test_a_huge_recording_of_snapshots_is_planned_from(folder: Path) -> None:
    (folder / SNAPSHOTS).parent.mkdir(parents=True)
    one = json.loads((ROOT / "tests" / "recordings" / SNAPSHOTS).read_text())["DBSnapshots"][0]
    name = one["DBSnapshotIdentifier"]
    text = json.dumps(one)
    with (folder / SNAPSHOTS).open("w") as file:
        file.write('{"DBSnapshots": [')
        for number in range(HUGE // len(text)):
            file.write(text.replace(name, f"n{number}-{name}") + ",")
        file.write(text + "]}")
    code, said = ended(folder, "plan", str(ROOT / "policies"), "-inventory", "acme")
    assert (code, said) == (3, "")


def test_a_bomb_of_aliases_is_refused(folder: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    (folder / "policies").mkdir()
    (folder / "policies" / "bomb.yaml").write_text("\n".join(lines))
    assert ended(folder, "validate", "policies")[0] == 1


def test_a_plan_whose_values_need_more_room_than_its_text_is_refused(folder: Path) -> None:
    text = dumps(small()).replace(b'"only": [', b'"only": [' + b'"ab",' * (HUGE // 5) + b'"ab"')
    (folder / "plan.bin").write_bytes(text)
    code, said = ended(folder, "show", "plan.bin")
    assert code == 1
    assert "the plan holds more than 5,000,000 values" in said


def test_this_test_would_notice(folder: Path) -> None:
    hungry = [sys.executable, "-c", "x = bytearray(2_000_000_000)"]

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (GIGABYTE, GIGABYTE))

    done = subprocess.run(hungry, preexec_fn=limit, capture_output=True, check=False)
    assert b"MemoryError" in done.stderr
