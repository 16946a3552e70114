"""A policy's terms for one database: the overrides that fit it, applied in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from engine.documents.model import AutomatedTerms, Orphans, Path, Policy, SnapshotTerms, Terms

TAGS: Path = ("snapshots", "tags")
_Value = TypeVar("_Value", Terms, SnapshotTerms, AutomatedTerms)


def terms_for(policy: Policy, applied: tuple[int, ...]) -> Terms:
    """Return the policy's terms with the overrides of those indexes applied, in that order."""
    terms = policy.terms
    for index in applied:
        for path, value in policy.overrides[index].changes.items():
            terms = changed(terms, path, value)
    return terms


def changed(terms: Terms, path: Path, value: Any) -> Terms:
    """Return terms in which what stands at `path` is `value`.

    A tag's value None removes the tag. `keep_for` of orphans brings their terms into being, and
    None ends them; `keep_last` alone changes nothing where there are none, which keeps everything.

    Raises:
        TypeError: when terms have no such path.
    """
    if path[0] == "orphans" and len(path) == 2:
        return replace(terms, orphans=_orphans(terms.orphans, path[1], value))
    if path[:2] == TAGS and len(path) == 3:
        tags = _tags(terms.snapshots.tags, path[2], value)
        return replace(terms, snapshots=replace(terms.snapshots, tags=tags))
    return _replaced(terms, path, value)


def _replaced(terms: _Value, path: Path, value: Any) -> _Value:
    name, *rest = path
    if rest:
        value = replace(getattr(terms, name), **{rest[0]: value})
    return replace(terms, **{name: value})


def _orphans(orphans: Orphans | None, name: str, value: Any) -> Orphans | None:
    if name == "keep_for":
        if value is None:
            return None
        return replace(orphans, keep_for=value) if orphans else Orphans(keep_for=value)
    return None if orphans is None else replace(orphans, keep_last=value)


def _tags(tags: Mapping[str, str], key: str, value: str | None) -> dict[str, str]:
    others = {name: text for name, text in tags.items() if name != key}
    return others if value is None else others | {key: value}
