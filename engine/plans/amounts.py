"""Amounts as people read them: no more precise than what they were reckoned from.

Each is a pair of the least and the most it can be. Two figures are shown of every bound; where the
least is nothing, what is told is the most.
"""

from __future__ import annotations

from collections.abc import Callable
from math import floor, log10

Pair = tuple[float, float]
_NOTHING = "nothing"
_SHORTEST = 60.0
_CENT = 0.01


def figures(amount: float, count: int = 2) -> float:
    """Return an amount with so many figures that mean something."""
    if amount == 0:
        return 0.0
    return round(amount, count - 1 - floor(log10(abs(amount))))


def rounded(pair: Pair) -> Pair:
    """Return a pair of which each bound has two figures."""
    return figures(pair[0]), figures(pair[1])


def money(usd: Pair) -> str:
    """Return USD, as in `$12 to $340` or `up to $0.40`."""
    return _between(usd, _dollars)


def added(usd: Pair) -> str:
    """Return what is added to costs, as in `adds $1 to $4`, `saves up to $3`, `adds nothing`."""
    low, high = usd
    if low >= 0:
        return f"adds {money(usd)}"
    if high <= 0:
        return f"saves {money((-high, -low))}"
    return f"saves up to {_dollars(-low)} or adds up to {_dollars(high)}"


def signed(usd: Pair) -> str:
    """Return what is added to costs in few characters, as in `+$1.00 to +$4.00`, `up to -$3.00`."""
    low, high = usd
    if low >= 0:
        return _between(usd, lambda amount: f"+{_dollars(amount)}")
    if high <= 0:
        return _between((-high, -low), lambda amount: f"-{_dollars(amount)}")
    return f"-{_dollars(-low)} to +{_dollars(high)}"


def gib(amount: Pair) -> str:
    """Return GiB, as in `3 to 40 GiB`."""
    return _between(amount, _plain, unit=" GiB")


def lasting(seconds: Pair) -> str:
    """Return a length of time, as in `10 min to 5 h`; what is below a minute is a minute."""
    low, high = (max(_SHORTEST, bound) for bound in seconds)
    return _between((low, high), _time)


def _between(pair: Pair, show: Callable[[float], str], unit: str = "") -> str:
    if pair[1] == 0:
        return _NOTHING
    low, high = (show(bound) for bound in pair)
    if pair[0] == 0:
        return f"up to {high}{unit}"
    return f"{high}{unit}" if low == high else f"{low} to {high}{unit}"


def _dollars(usd: float) -> str:
    shown = figures(max(_CENT, usd))
    return f"${shown:,.0f}" if shown >= 10 else f"${shown:,.2f}"


def _plain(amount: float) -> str:
    shown = figures(amount)
    return f"{shown:,.0f}" if shown >= 10 or shown == int(shown) else f"{shown:,}"


def _time(seconds: float) -> str:
    minutes = figures(seconds / 60)
    if minutes < 90:
        return f"{minutes:,.0f} min"
    hours = figures(seconds / 3600)
    if hours < 72:
        return f"{hours:,.0f} h" if hours >= 10 or hours == int(hours) else f"{hours:,} h"
    return f"{figures(seconds / 86400):,.0f} days"
