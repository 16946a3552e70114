"""Puts something else where the code under test looks up a name."""

from __future__ import annotations

from typing import Any


def put(place: object, name: str, value: object) -> None:
    """Put something else where a name of a module or class is looked up."""
    found_in(place, name)
    setattr(place, name, value)


def found_in(place: object, name: str) -> Any:
    """Return what a name of a module or class stands for; AttributeError where there is none."""
    return getattr(place, name)
