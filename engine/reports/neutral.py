"""Texts from documents and from AWS, made harmless for the reader's terminal."""

from __future__ import annotations

import unicodedata

_TYPOGRAPHY = str.maketrans({"→": "->", "–": "-", "—": "-", "…": "...", "’": "'", "×": "x"})


def neutral(text: str) -> str:
    """Return `text` with everything invisible written out.

    Control characters could drive a terminal, bidirectional marks could reorder what is read, and
    zero-width ones could make two identifiers look the same: all appear as the escapes of source
    code. Line breaks and odd spaces become plain spaces.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _shown(c) for c in text)


def neutral_ascii(text: str) -> str:
    """Return `text` as `neutral` does, for outputs that show nothing but ASCII."""
    text = neutral(text)
    if text.isascii():
        return text
    return text.translate(_TYPOGRAPHY).encode("ascii", "backslashreplace").decode("ascii")


def columns(text: str) -> int:
    """Return how many columns of a terminal `text` takes (Unicode Standard Annex 11)."""
    if text.isascii():
        return len(text)
    return sum(_columns(c) for c in text)


def _shown(character: str) -> str:
    if character in "\t\n\r" or unicodedata.category(character) == "Zs":
        return " "
    return character.encode("unicode_escape").decode("ascii")


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
