"""What standard output can show."""

from __future__ import annotations

import io
import os
import pty
import sys
from collections.abc import Iterator
from fcntl import ioctl
from struct import pack
from termios import TIOCSWINSZ

import pytest

from engine.cli.output import screen_of, write_document, write_text
from engine.reports.screen import Screen


@pytest.fixture
def terminal() -> Iterator[io.TextIOWrapper]:
    """A terminal 97 columns wide."""
    ours, theirs = pty.openpty()
    ioctl(theirs, TIOCSWINSZ, pack("HHHH", 24, 97, 0, 0))
    with os.fdopen(theirs, "w", encoding="utf-8") as stream:
        yield stream
    os.close(ours)


def test_a_terminal_gets_its_width_and_colours(terminal: io.TextIOWrapper) -> None:
    assert screen_of(terminal, {"TERM": "xterm"}) == Screen(width=97, colour=True, unicode=True)


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colours_can_be_declined(terminal: io.TextIOWrapper, environ: dict[str, str]) -> None:
    assert not screen_of(terminal, environ).colour


def test_an_empty_no_color_declines_nothing(terminal: io.TextIOWrapper) -> None:
    assert screen_of(terminal, {"NO_COLOR": ""}).colour


def test_a_terminal_that_does_not_know_its_width_is_80_wide(terminal: io.TextIOWrapper) -> None:
    ioctl(terminal, TIOCSWINSZ, pack("HHHH", 0, 0, 0, 0))
    assert screen_of(terminal, {}).width == 80


def test_a_terminal_in_name_only_is_80_wide() -> None:
    class Pretender(io.StringIO):
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

    assert screen_of(Pretender(), {}) == Screen(width=80, colour=True, unicode=True)


@pytest.mark.parametrize(
    ("encoding", "unicode"),
    [("utf-8", True), ("UTF8", True), ("gb18030", True), ("ascii", False), ("latin-1", False)],
)
def test_anything_else_gets_80_columns_and_what_its_encoding_holds(
    encoding: str, unicode: bool
) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    assert screen_of(stream, {"COLUMNS": "200"}) == Screen(80, colour=False, unicode=unicode)


def test_an_encoding_that_python_does_not_know_gets_ascii() -> None:
    class Odd(io.StringIO):
        encoding = "klingon"

    assert not screen_of(Odd(), {}).unicode


def test_texts_and_documents_are_written_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    write_text("one\n")
    write_document("zwölf\n".encode())
    write_text("three\n")
    assert raw.getvalue() == "one\nzwölf\nthree\n".encode()
