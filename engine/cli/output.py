"""Results on standard output: what it can show, and writing to it."""

from __future__ import annotations

import codecs
import os
import sys
from collections.abc import Mapping
from typing import TextIO

from engine.reports.screen import PLAIN_WIDTH, Screen


def screen_of(stream: TextIO, environ: Mapping[str, str] = os.environ) -> Screen:
    """Return what `stream` can show.

    A terminal gets its own width, and colours unless NO_COLOR is set (no-color.org) or TERM says
    `dumb`; anything else gets 80 columns without colour.
    """
    terminal = stream.isatty()
    return Screen(
        width=_width(stream) if terminal else PLAIN_WIDTH,
        colour=terminal and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb",
        unicode=_shows_unicode(stream),
    )


def write_text(text: str) -> None:
    """Write a result to standard output.

    Raises:
        BrokenPipeError: its reader has left.
    """
    sys.stdout.write(text)
    sys.stdout.flush()


def write_document(data: bytes) -> None:
    """Write a document, which is UTF-8 whatever the terminal speaks, to standard output.

    Raises:
        BrokenPipeError: its reader has left.
    """
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _width(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns or PLAIN_WIDTH
    except OSError:
        return PLAIN_WIDTH


def _shows_unicode(stream: TextIO) -> bool:
    try:
        name = codecs.lookup(stream.encoding or "ascii").name
    except LookupError:
        return False
    return name.startswith("utf-") or name == "gb18030"
