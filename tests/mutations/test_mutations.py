"""The tool that breaks the code says the truth about who notices."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.mutations import __main__ as command
from tests.mutations.mutant import Mutant
from tests.mutations.running import COPIED, ROOT, Fate, Trial, copy_of, try_all
from tests.mutations.table import MUTANTS

BY_NAME = {one.name: one for one in MUTANTS}
QUICK = ("owned-by-hash", "pinned", "check-unpinned")
PINNED = BY_NAME["pinned"]


def test_every_mutant_fits_the_code_and_names_tests_that_there_are() -> None:
    assert {one.name: why for one in MUTANTS if (why := one.mismatch(ROOT))} == {}
    assert [t for one in MUTANTS for t in one.tests if not (ROOT / t).exists()] == []
    assert [one.name for one in MUTANTS if one.applied(one.old) == one.old] == []


def test_mutants_have_names_of_their_own_and_there_are_many() -> None:
    assert len(BY_NAME) == len(MUTANTS) >= 60


@pytest.fixture(scope="module")
def trials() -> dict[str, Trial]:
    """Some quick mutants, and one that is none, one without a place and one that does not run."""
    harmless = replace(
        PINNED, name="harmless", old="it is pinned: {pin}", new="it is pinned: {pin}"
    )
    lost = replace(PINNED, name="lost", old="no such text")
    broken = replace(PINNED, name="broken", old="from __future__ import annotations", new="x ~ y")
    chosen = [*(BY_NAME[name] for name in QUICK), harmless, lost, broken]
    return {trial.mutant.name: trial for trial in try_all(chosen)}


@pytest.mark.parametrize("name", QUICK)
def test_a_broken_protection_is_noticed_by_the_tests_of_it(
    trials: dict[str, Trial], name: str
) -> None:
    trial = trials[name]
    assert trial.fate is Fate.KILLED
    assert trial.said.partition("::")[0].startswith(trial.mutant.tests)
    assert trial.line.startswith(f"{name} ")


@pytest.mark.parametrize(
    ("name", "fate", "says"),
    [
        ("harmless", Fate.SURVIVED, "a pin keeps a point"),
        ("lost", Fate.MISMATCH, "its text stands 0 times in engine/planning/protecting.py"),
        ("broken", Fate.BROKEN, "SyntaxError"),
    ],
)
def test_what_proves_nothing_is_told_apart(
    trials: dict[str, Trial], name: str, fate: Fate, says: str
) -> None:
    assert trials[name].fate is fate
    assert says in trials[name].line


def test_nothing_of_the_working_tree_is_changed(trials: dict[str, Trial]) -> None:
    assert [trial.mutant.mismatch(ROOT) for trial in trials.values()].count(None) == 5


def test_a_copy_that_would_run_other_code_is_refused(tmp_path: Path) -> None:
    for name in COPIED:
        if name == "engine" or (ROOT / name).is_dir():
            (tmp_path / name).mkdir()
        else:
            shutil.copy(ROOT / name, tmp_path / name)
    with pytest.raises(RuntimeError, match="would run the code of"), copy_of(tmp_path):
        raise AssertionError("the copy was given out")


@pytest.mark.parametrize(("fate", "code"), [(fate, int(fate is not Fate.KILLED)) for fate in Fate])
def test_the_command_fails_unless_every_mutant_is_killed(
    fate: Fate, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def tried(mutants: list[Mutant]) -> list[Trial]:
        return [Trial(one, fate if one is PINNED else Fate.KILLED, "x") for one in mutants]

    monkeypatch.setattr(command, "try_all", tried)
    assert command.main(["pinned", "held*"]) == code
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("pinned ")
    assert said[-1].startswith("3 mutants in 0 s: ")
    assert f"{2 + (fate is Fate.KILLED)} killed" in said[-1]


def test_names_that_fit_no_mutant_are_no_success() -> None:
    assert command.main(["no-such-*"]) == 1
