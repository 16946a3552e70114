"""What a change says differently, policy by policy, with defaults merged under each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.plans.codes import EditKind
from engine.plans.consequences import PolicyEdit, TermEdit

Said = Mapping[str, Mapping[str, str]]
"""What each policy says: texts of values by the path they are written at."""


def edits(before: Said, after: Said) -> Iterator[PolicyEdit]:
    """Yield the policies that do not say what they said, by name."""
    for name in sorted(before.keys() | after.keys()):
        if name not in before:
            yield PolicyEdit(name, EditKind.ADDED)
        elif name not in after:
            yield PolicyEdit(name, EditKind.REMOVED)
        elif before[name] != after[name]:
            terms = _terms(before[name], after[name])
            yield PolicyEdit(name, EditKind.CHANGED, tuple(terms))


def _terms(was: Mapping[str, str], will: Mapping[str, str]) -> Iterator[TermEdit]:
    for term in sorted(was.keys() | will.keys()):
        if was.get(term) != will.get(term):
            yield TermEdit(term, was.get(term), will.get(term))
