"""Texts from elsewhere are harmless once shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.reports.neutral import columns, neutral, neutral_ascii


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("orders-1 — ü 数据", "orders-1 — ü 数据"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("\x9b31mred", r"\x9b31mred"),
        ("a\nb\tc\r", "a b c "),
        ("a\u00a0b\u2009c", "a b c"),
        ("\u202egpj.exe", r"\u202egpj.exe"),
        ("or\u200bders", r"or\u200bders"),
        ("\U000e0041", r"\U000e0041"),
        ("\ud800", r"\ud800"),
    ],
)
def test_the_invisible_is_written_out(text: str, shown: str) -> None:
    assert neutral(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a – b → c…", "a - b -> c..."),
        ("ü", r"\xfc"),
        ("数", r"\u6570"),
        ("plain", "plain"),
        ("\x07", r"\x07"),
    ],
)
def test_ascii_outputs_get_ascii(text: str, shown: str) -> None:
    assert neutral_ascii(text) == shown


@given(st.text(st.characters()))
def test_whatever_comes_in_what_goes_out_is_printable(text: str) -> None:
    assert neutral(text).isprintable()
    assert neutral_ascii(text).isascii()
    assert neutral_ascii(text).isprintable()


def test_columns_count_what_a_terminal_shows() -> None:
    assert columns("abc") == 3
    assert columns("数据") == 4
    assert columns("e\u0301") == 1
