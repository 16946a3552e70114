"""Pages of 20 to 100, linked by opaque markers, as all Describe calls of RDS have them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Sequence
from typing import TypeVar

from engine.lab.rds import refusals

Item = TypeVar("Item")

LEAST, MOST = 20, 100


def page_size(asked: int | None) -> int:
    """Return how many records a page has.

    Raises:
        RDSClientError: it is outside of 20 to 100.
    """
    if asked is None:
        return MOST
    if not LEAST <= asked <= MOST:
        raise refusals.parameter(
            f"Invalid value {asked} for MaxRecords. Must be between {LEAST} and {MOST}"
        )
    return asked


def take_page(items: Iterable[Item], size: int) -> tuple[list[Item], bool]:
    """Take the first `size` items, and tell whether there are more."""
    page: list[Item] = []
    for item in items:
        if len(page) == size:
            return page, True
        page.append(item)
    return page, False


def numbered_page(
    items: Sequence[Item], marker: str | None, asked: int | None
) -> tuple[list[Item], str | None]:
    """Return the page at a marker that counts, and the next one's marker."""
    start = _number(marker)
    size = page_size(asked)
    page = list(items[start : start + size])
    following = start + size
    return page, write_marker(str(following)) if following < len(items) else None


def write_marker(text: str) -> str:
    """Make a marker of where the next page starts."""
    return base64.urlsafe_b64encode(text.encode()).decode()


def read_marker(marker: str) -> str:
    """Return where a page starts.

    Raises:
        RDSClientError: the marker is none of ours.
    """
    try:
        return base64.b64decode(marker.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise refusals.parameter(f"Invalid marker: {marker}") from None


def _number(marker: str | None) -> int:
    if marker is None:
        return 0
    text = read_marker(marker)
    if not text.isdecimal():
        raise refusals.parameter(f"Invalid marker: {marker}")
    return int(text)
