"""Every bad document is told of at its line and column, and none escapes as a traceback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.documents.diagnostics import Severity, as_text
from tests.documents.bad_inputs import ALL, Bad
from tests.documents.writing import codes, load_text


@pytest.mark.parametrize("bad", ALL, ids=lambda bad: bad.name)
def test_bad_documents_are_told_of_at_their_place(bad: Bad, tmp_path: Path) -> None:
    result = load_text(tmp_path, bad.text)
    assert codes(result) == list(bad.told)
    assert result.documents is None


@pytest.mark.parametrize("bad", ALL, ids=lambda bad: bad.name)
def test_every_error_names_a_way_out_or_speaks_for_itself(bad: Bad, tmp_path: Path) -> None:
    plain = {"E100", "E105", "E124"}
    for each in load_text(tmp_path, bad.text).diagnostics:
        assert each.fix or each.code.id in plain
        assert each.summary
        assert "\n" not in each.summary


def test_the_wording_of_all_diagnostics_was_reviewed(
    tmp_path: Path, golden: Callable[[str, str], None]
) -> None:
    parts = []
    for bad in ALL:
        found = load_text(tmp_path, bad.text).diagnostics[:4]
        told = "\n".join(as_text(each) for each in found).replace(f"{tmp_path}/", "")
        parts.append(f"===== {bad.name}\n{told}\n")
    golden("bad-inputs.txt", "\n".join(parts))


def test_names_of_bad_inputs_differ() -> None:
    assert len({bad.name for bad in ALL}) == len(ALL)


def test_every_bad_input_has_an_error(tmp_path: Path) -> None:
    for bad in ALL:
        found = load_text(tmp_path, bad.text).diagnostics
        assert any(each.severity is Severity.ERROR for each in found)


@pytest.mark.parametrize(
    "text",
    ["a: " + "[" * 100_000, "".join(" " * n + "a:\n" for n in range(2000))],
    ids=["lists", "maps"],
)
def test_depth_beyond_the_limit_of_the_parser_is_told_of_as_any_other(
    text: str, tmp_path: Path
) -> None:
    (code,) = codes(load_text(tmp_path, text))
    assert code.endswith("E106")
