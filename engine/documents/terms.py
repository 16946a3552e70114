"""The terms of a policy once the overrides that apply are laid over it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from engine.documents.model import Path, Policy, Terms


def terms_for(policy: Policy, applied: tuple[int, ...]) -> Terms:
    """Return the policy's terms with the overrides of these indexes laid over them, in order."""
    terms = policy.terms
    for index in applied:
        for path, value in policy.overrides[index].changes.items():
            terms = _changed(terms, path, value)
    return terms


def _changed(value: Any, path: Path, new: Any) -> Any:
    if not path:
        return new
    head, *rest = path
    if isinstance(value, Mapping):
        merged = {key: old for key, old in value.items() if key != head}
        if new is not None:
            merged[head] = new
        return MappingProxyType(merged)
    return replace(value, **{head: _changed(getattr(value, head), tuple(rest), new)})
