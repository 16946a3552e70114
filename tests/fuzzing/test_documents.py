"""Documents, lists of times and files of accounts may be anything: each gives a word or its due."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.documents.accounts_file import accounts_in, sync
from engine.errors import EngineError
from tests.fuzzing.ends import ended, soak_seconds, soaked
from tests.fuzzing.mutants import NUMBERS, TEXTS, TIMES, damaged, garbage

ROOT = Path(__file__).parents[2]
ACME = str(ROOT / "tests" / "recordings" / "acme")
SAMPLE = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
VALUES = (
    *map(str, NUMBERS[:-1]), *(repr(text) for text in TEXTS if len(text) < 100), *TIMES, "null",
    "[]", "{}", "[[]]", "all", "0s", "1s", "9998y", "99999999w", "1mo", "2y3mo4w5d6h", "*x", "5m",
    "00:00-23:59", "23:59-00:00", '"02:00-05:00"', '"0 0 29 2 *"', '"* * * * *"', "1d", "12h",
    "3w", "365d", "prefer", "require", "Pacific/Apia", "America/Godthab", "Etc/GMT+12",
)  # fmt: skip
FILES = ("accounts.yaml", "bronze.yaml", "estate.yaml", "gold.yaml", "rest.yaml", "silver.yaml")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "policies", tmp_path / "policies")
    return tmp_path


def with_other_values(text: str, chance: Random) -> str:
    """Put other values, or other texts of the file, behind some of its colons."""
    for _ in range(chance.randint(1, 3)):
        spots = [at + 2 for at in range(len(text)) if text.startswith(": ", at)]
        if not spots:
            return text
        at = chance.choice(spots)
        end = min(text.find(mark, at) % (len(text) + 1) for mark in ",}\n")
        words = [text[spot : text.find("\n", spot)] for spot in spots]
        text = text[:at] + chance.choice((*VALUES, *words)) + text[end:]
    return text


def documents(folder: Path, chance: Random) -> None:
    """Validate documents of which one is damaged, plan with them, look at a policy of them."""
    file = folder / "policies" / chance.choice(FILES)
    before = file.read_bytes()
    kind = chance.random()
    if kind < 0.7:
        data = with_other_values(before.decode(), chance).encode("utf-8", "surrogatepass")
    else:
        data = damaged(before, chance) if kind < 0.95 else garbage(chance)
    file.write_bytes(data)
    where = str(folder / "policies")
    try:
        valid = ended("validate", where, "-format", chance.choice(("text", "json", "github")))
        made = ended("plan", where, "-inventory", ACME, *chance.choice(((), ("-json",))))
        assert "bug of the engine" not in made.out
        assert (valid.code == 1) == (made.code == 1)
        ended("show", "policy", chance.choice(("gold", "silver", "rest")), "-policies", where)
    finally:
        file.write_bytes(before)


def times(folder: Path, chance: Random) -> None:
    """Try rules on a list of times of which some are none."""
    lines = [chance.choice((*TIMES, *TIMES, *TEXTS, "2026-11-21T02:00:00+23:59")) for _ in range(9)]
    data = "\n".join(lines).encode("utf-8", "surrogatepass")
    if chance.random() < 0.5:
        data = damaged(data, chance)
    zone = chance.choice(("UTC", "Pacific/Apia", "America/St_Johns"))
    rules = chance.choice(("daily=7,weekly=4", "within=9998y", "yearly=all,within_monthly=9999mo"))
    words = ("retention", "-keep", rules, "-times", "-", "-timezone", zone)
    ended(*words, *chance.choice(((), ("-json",))), stdin=data)


ACCOUNTS = (ROOT / "policies" / "accounts.yaml").read_text()
MEMBERS = {"111111111111": "prod", "444444444444": "Shop & Söhne", "555555555555": "\u202e\x00 "}


def accounts(folder: Path, chance: Random) -> None:
    """Keep a file of accounts that is damaged in step with an organization."""
    text = with_other_values(ACCOUNTS, chance)
    if chance.random() < 0.5:
        text = damaged(text.encode("utf-8", "replace"), chance).decode("utf-8", "replace")
    accounts_in(text, "accounts.yaml")
    members = {id: name for id, name in MEMBERS.items() if chance.random() < 0.7}
    try:
        synced = sync(text, "accounts.yaml", members, {"there": "111111111111"})
    except EngineError:
        return
    assert set(accounts_in(synced.text, "accounts.yaml").values()) == set(members) - {
        "111111111111"
    }


TRIALS = (documents, times, accounts)
each_trial = pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.__name__)
Trial = Callable[[Path, Random], None]


@each_trial
@SAMPLE
@given(number=st.integers(0, 2**32))
def test_what_is_damaged_is_told_of(folder: Path, trial: Trial, number: int) -> None:
    trial(folder, Random(number))


@pytest.mark.slow
@each_trial
def test_what_is_damaged_is_told_of_at_length(folder: Path, trial: Trial) -> None:
    tried = soaked(soak_seconds(), partial(trial, folder))
    sys.stdout.write(f"{trial.__name__}: {tried} trials\n")
    assert tried > 50
