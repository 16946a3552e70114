"""Lines laid out in columns."""

from __future__ import annotations

from engine.reports.layout import laid_out
from engine.reports.lines import Line, Mark, line, listed, name
from engine.reports.neutral import neutral


def rows(one: Line, width: int) -> list[str]:
    return ["".join(span.text for span in row) for row in laid_out(one, width, neutral)]


def test_a_line_that_fits_stays_one_row() -> None:
    assert rows(line("abc ", name("def"), level=1), 9) == ["  abc def"]


def test_words_wrap_below_the_text_of_their_line() -> None:
    assert rows(line("one two three four five six", level=1), 24) == [
        "  one two three four",
        "    five six",
    ]
    assert rows(line("one two three four five six", mark=Mark.DELETE, level=1), 24) == [
        "  - one two three four",
        "    five six",
    ]
    assert rows(line("one two three four five six"), 20) == ["one two three four", "five six"]


def test_a_comma_stays_with_its_name() -> None:
    assert rows(line(*listed(["alpha-beta-gamma", "delta"])), 20) == ["alpha-beta-gamma,", "delta"]


def test_an_identifier_that_fits_on_a_row_is_never_cut() -> None:
    identifier = "a" * 63
    assert rows(line("deletes points of ", name(identifier), level=3), 80) == [
        "      deletes points of",
        f"        {identifier}",
    ]


def test_an_id_wider_than_the_screen_is_cut_after_a_hyphen() -> None:
    identifier = "-".join(["snapshot"] * 12)
    shown = rows(line(name(identifier)), 40)
    assert "".join(shown) == identifier
    assert all(row.endswith("-") for row in shown[:-1])
    assert max(map(len, shown)) <= 40


def test_a_word_without_seams_is_cut_where_the_screen_ends() -> None:
    assert rows(line("x" * 50), 20) == ["x" * 20, "x" * 20, "x" * 10]


def test_a_cut_keeps_what_follows_in_the_same_word() -> None:
    assert rows(line("start ", name("a" * 25), ", ", name("b")), 20) == [
        "start",
        "a" * 20,
        "aaaaa, b",
    ]
    assert rows(line(name("a" * 20), ", ", name("b")), 20) == ["a" * 20, ", b"]


def test_blanks_alone_make_no_row() -> None:
    assert rows(line(" " * 50), 20) == []


def test_wide_characters_take_two_columns() -> None:
    assert rows(line("数" * 15), 20) == ["数" * 10, "数" * 5]
    assert rows(line("x" + "数" * 10), 20) == ["x" + "数" * 9, "数"]


def test_a_terminal_too_narrow_for_the_indent_still_gets_words() -> None:
    assert rows(line("one two three four five", level=4), 5) == [
        "        one two three four",
        "          five",
    ]
