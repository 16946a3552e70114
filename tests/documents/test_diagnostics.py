"""Codes are stable, and told the same everywhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.documents.diagnostics import Code, Diagnostic, Severity, as_text, in_order
from engine.documents.model import Place
from engine.documents.suggestions import did_you_mean, nearest

PAGE = Path(__file__).parents[2] / "docs" / "diagnostics.md"
PLACE = Place("a.yaml", 3, 5)

HEAD = """\
# Diagnostics

What `engine validate` says of documents. Codes are stable: scripts may rely on them. Errors (E)
make documents unusable, warnings (W) do not. Codes from 300 on come from checks that also need the
inventory; they never make documents invalid.

| code | name | meaning |
| --- | --- | --- |
"""


def page() -> str:
    rows = [f"| {code.id} | {code.label} | {code.meaning} |\n" for code in Code]
    return HEAD + "".join(rows)


def test_the_page_in_the_docs_lists_all_codes(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--regenerate-golden"):
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page()


def test_codes_and_their_names_are_unique_and_in_order() -> None:
    ids = [code.id for code in Code]
    assert ids == sorted(set(ids), key=lambda id_: (id_[0], id_))
    assert len({code.label for code in Code}) == len(ids)
    for code in Code:
        assert re.fullmatch(r"E[12]\d\d|W2\d\d", code.id)
        assert re.fullmatch(r"[a-z]+(-[a-z0-9]+)*", code.label)
        assert code.meaning.endswith(".")


def test_the_letter_of_a_code_is_its_severity() -> None:
    assert Code.UNKNOWN_KEY.severity is Severity.ERROR
    assert Code.UNUSED_TARGET.severity is Severity.WARNING
    assert str(Code.UNKNOWN_KEY) == "E101 unknown-key"


def test_a_diagnostic_shows_its_line_and_a_caret_under_its_place() -> None:
    told = Diagnostic(
        Code.UNKNOWN_KEY, "no key `b`", PLACE, detail="why", fix="do", width=3, line="ab: bcd"
    )
    assert as_text(told) == (
        "a.yaml:3:5: error E101 unknown-key: no key `b`\n"
        "  3 | ab: bcd\n"
        "    |     ^^^\n"
        "  because: why\n"
        "  to do: do"
    )


def test_a_diagnostic_without_a_place_is_a_line() -> None:
    assert as_text(Diagnostic(Code.NO_ESTATE, "none")) == "error E201 no-estate: none"


def test_of_a_long_line_only_what_is_near_is_shown() -> None:
    line = "x" * 1000 + "HERE" + "y" * 1000
    told = as_text(Diagnostic(Code.TAB, "t", Place("a", 1, 1001), width=4, line=line))
    _, shown, caret = told.split("\n")
    assert len(shown) < 200
    at = caret.index("^")
    assert shown[at : at + 4] == "HERE"
    assert caret.count("^") == 4


def test_a_line_that_cannot_be_printed_is_shown_all_the_same() -> None:
    told = as_text(Diagnostic(Code.TAB, "t", Place("a", 1, 1), line="\ta\x07"))
    assert "\t" not in told
    assert "\x07" not in told


def test_a_caret_beyond_the_line_still_shows() -> None:
    told = as_text(Diagnostic(Code.SYNTAX, "t", Place("a", 1, 9), width=5, line="ab"))
    assert told.endswith("\n    |         ^")


def test_diagnostics_come_by_place_each_once_with_their_lines() -> None:
    first = Diagnostic(Code.TAB, "x", Place("a", 2, 1))
    found = [
        Diagnostic(Code.TAB, "later", Place("b", 1, 1)),
        Diagnostic(Code.SYNTAX, "x", Place("a", 10, 1)),
        Diagnostic(Code.TAB, "y", Place("a", 2, 1)),
        first,
        Diagnostic(Code.NO_ESTATE, "nowhere"),
    ]
    ordered = in_order(found, {"a": ["one", "two"]})
    assert [(each.place and each.place.line, each.line) for each in ordered] == [
        (None, None),
        (2, "two"),
        (10, None),
        (1, None),
    ]


@pytest.mark.parametrize(
    ("word", "known", "found"),
    [
        ("retenton", ["retention", "tags"], "retention"),
        ("RETENTION", ["retention"], "retention"),
        ("keep-for", ["keep_for"], "keep_for"),
        ("zzz", ["retention"], None),
        ("anything", [], None),
    ],
)
def test_the_nearest_word_is_meant(word: str, known: list[str], found: str | None) -> None:
    assert nearest(word, known) == found
    assert did_you_mean(word, known) == (f"did you mean `{found}`?" if found else None)
