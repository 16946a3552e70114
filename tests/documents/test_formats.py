"""The named formats of texts take what they should; what they refuse is in the bad inputs."""

from __future__ import annotations

import pytest

from engine.documents.checking import check
from engine.documents.formats import FORMATS
from engine.documents.parsing import parse
from engine.documents.shapes import Shape


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("span", "1y2mo3d4h"),
        ("span", "0d"),
        ("elapsed", "45m"),
        ("days", "90d"),
        ("period", "15m"),
        ("period", "24h"),
        ("period", "2w"),
        ("window", "23:00-01:00"),
        ("timezone", "America/Argentina/Buenos_Aires"),
        ("timezone", "UTC"),
        ("cron", "0 2 29 2 *"),
        ("cron", "*/15 8-18 * JAN-JUN MON#1"),
        ("glob", "*"),
        ("glob", "a[bc]-[!d]*[]]"),
        ("amount", "0.095"),
        ("amount", "0-0.1"),
        ("percentage", "2%"),
        ("percentage", "0.5-100%"),
        ("bucket", "acme-backup-engine"),
        ("bucket", "a.b-c.9"),
        ("bucket", "1" * 63),
    ],
)
def test_what_is_meant_is_taken(name: str, text: str) -> None:
    assert FORMATS[name](text) is None


@pytest.mark.parametrize(
    ("name", "text", "fix"),
    [
        ("span", "30 D", "write 30d"),
        ("span", "30", "add a unit, like 30d for days"),
        ("span", "1.5d", "write 36h, 30d, 18mo or a sum"),
        ("days", "1y", "write days, like 360d"),
        ("period", "23h", "write 12h, or use `cron`"),
        ("period", "50m", "write 60m, or use `cron`"),
        ("period", "25h", "write 1d, or use `cron`"),
        ("timezone", "Buenos Aires", "did you mean `America/Buenos_Aires`?"),
        ("timezone", "a\0b", "write an IANA name, like Europe/Berlin"),
        ("timezone", "/etc/passwd", "write an IANA name, like Europe/Berlin"),
        ("window", "24:30-01:00", "write HH:MM-HH:MM, like 02:00-05:00"),
        ("bucket", "Acme", "write acme"),
        ("bucket", "acme-", "write lower-case letters, digits, hyphens, and dots between them"),
        ("glob", "[!]", "close it, or write `[[]` for a bracket"),
    ],
)
def test_what_was_probably_meant_is_named(name: str, text: str, fix: str) -> None:
    problem = FORMATS[name](text)
    assert problem is not None
    assert problem.fix == fix


def test_a_long_text_is_not_repeated_whole() -> None:
    problem = FORMATS["timezone"]("x" * 500)
    assert problem is not None
    assert len(problem.summary) < 120


def test_a_list_of_anything_takes_anything() -> None:
    assert check(parse("[1, a, {}]", "x").roots[0], Shape(types=frozenset({"array"}))) == []
