"""Whatever is read, something is told: no traceback, no endless wait, a verdict that fits."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from engine.documents.diagnostics import Severity, as_text
from engine.documents.load import Loaded, load
from tests.documents.writing import ESTATE, documents, load_text, policy

SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
POLICIES = Path(__file__).parents[2] / "policies"
GOOD = documents(
    ESTATE,
    policy(
        'formerly: [old]\nsnapshots:\n  schedule: {cron: "0 2 * * *", window: "02:00-05:00"}\n'
        '  retention: {keep: {last: 3, daily: 7, yearly: all, within: 36h}}\n  tags: {a: "1"}\n'
        "  copies:\n    - {target: local, every: 1d, backfill: 0, retention: {keep: {daily: 9}}}\n"
        "objectives: {rpo: 26h, rto: 4h}\norphans: {keep_for: 30d, keep_last: 1}\n"
        'chains: {idle_after: 90d}\noverrides:\n  - {select: {tags: {a: [b]}}, hold: "x"}\n'
    ),
)


def is_consistent(result: Loaded) -> None:
    errors = [each for each in result.diagnostics if each.severity is Severity.ERROR]
    assert (result.documents is None) == bool(errors)
    for each in result.diagnostics:
        assert as_text(each)
        assert each.place is None or (each.place.line >= 1 and each.place.column >= 1)


@settings(max_examples=200, deadline=None, suppress_health_check=SLOW)
@given(data=st.binary(max_size=400))
@example(data=b"\xef\xbb\xbf")
@example(data=b"%")
@example(data=b"--- |\n \xc2\x85")
def test_random_bytes(tmp_path: Path, data: bytes) -> None:
    is_consistent(load_text(tmp_path, data))


MARKS = (
    *"ab:-[]{},?!&*#|>'\"%@` \n0.~<=",
    *("- ", ": ", "\n  ", "---\n", "kind: policy\n", "version: 1\n", "&a ", "*a "),
)
YAMLISH = st.lists(st.sampled_from(MARKS), max_size=40).map("".join)


@settings(max_examples=300, deadline=None, suppress_health_check=SLOW)
@given(text=YAMLISH)
def test_random_marks_of_yaml(tmp_path: Path, text: str) -> None:
    is_consistent(load_text(tmp_path, text))


@settings(max_examples=150, deadline=None, suppress_health_check=SLOW)
@given(seed=st.integers(0, 2**32))
def test_a_good_document_with_random_damage(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    text = bytearray(GOOD.encode())
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(text))
        cut = chance.randrange(0, 12)
        put = chance.choice(
            [b"", b"\n", b"null", b"[", b"}", b": ", b"*a", b"9", b"\t", b"-", b"0d"]
        )
        text[at : at + cut] = put
    is_consistent(load_text(tmp_path, bytes(text)))


WORDS = st.one_of(
    st.sampled_from(
        ["null", "true", "[]", "{}", "-1", "1.5", '""', "all", "1d", "0s", "*", "[a, a]"]
    ),
    st.sampled_from(["[[]]", "{a: b}", "99999999999999999999", "02:00-02:00", "9999y", "1e400"]),
    st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=8),
)


@settings(max_examples=200, deadline=None, suppress_health_check=SLOW)
@given(data=st.data())
def test_a_good_document_with_another_value_somewhere(tmp_path: Path, data: st.DataObject) -> None:
    spots = [index + 2 for index in range(len(GOOD)) if GOOD.startswith(": ", index)]
    at = data.draw(st.sampled_from(spots))
    end = min(GOOD.find(mark, at) % (len(GOOD) + 1) for mark in ",}\n")
    is_consistent(load_text(tmp_path, GOOD[:at] + data.draw(WORDS) + GOOD[end:]))


@pytest.mark.parametrize("line", range(GOOD.count("\n")))
def test_a_good_document_without_one_of_its_lines(tmp_path: Path, line: int) -> None:
    lines = GOOD.split("\n")
    is_consistent(load_text(tmp_path, "\n".join(lines[:line] + lines[line + 1 :])))


@pytest.mark.parametrize(
    "unit",
    [b"[", b"{", b"- ", b"? ", b"a: ", b"a: {", b"&a [", b"*a ", b"'", b'"', b"#", b"!a ", b"|\n",
     b"---\n", b"--- [\n", b"a:\t1\n", b"\n", b" ", b"a", b"1", b",", b"\x00", b"\xff", b"a: &a\n",
     b"kind: policy\n---\n", b"<<: 1\n"],
)  # fmt: skip
def test_a_megabyte_of_anything_is_told_of_in_seconds(tmp_path: Path, unit: bytes) -> None:
    began = time.monotonic()
    is_consistent(load_text(tmp_path, unit * (1_000_000 // len(unit))))
    assert time.monotonic() - began < 15


def test_the_good_document_is_good(tmp_path: Path) -> None:
    assert load_text(tmp_path, GOOD).diagnostics == ()


def test_the_example_repository_has_nothing_to_be_told(tmp_path: Path) -> None:
    result = load([POLICIES])
    assert result.diagnostics == ()
    assert result.documents is not None
    assert set(result.documents.policies) == {"gold", "silver", "bronze", "rest"}
    assert result.documents.policies["rest"].select.rest
    assert any(each.overrides for each in result.documents.policies.values())
    assert len(result.documents.estate.accounts) > 2
