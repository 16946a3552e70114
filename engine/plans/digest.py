"""Digests: what a plan would do, and what a guard withholds, as short names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from engine.plans.codes import Guard
from engine.plans.plan import Step

_PLAN_SALT = b"engine plan 1\n"


def as_plain(value: Any) -> Any:
    """Turn what msgspec does not know, a read-only mapping, into what it does.

    Raises:
        NotImplementedError: `value` has no JSON form.
    """
    if isinstance(value, Mapping):
        return dict(value)
    raise NotImplementedError(f"{type(value).__name__} has no JSON form")


_CANONICAL = msgspec.json.Encoder(order="sorted", enc_hook=as_plain)


def plan_digest(steps: Iterable[Step]) -> str:
    """Return `sha256:<hex>` over the effects of `steps`.

    Equal effects give equal digests: the order of the steps, of what they depend on and of their
    preconditions plays no part, and neither do reasons, forecasts and times of planning.
    """
    lines = sorted(_effect(step) for step in steps)
    return f"sha256:{hashlib.sha256(_PLAN_SALT + b''.join(lines)).hexdigest()}"


def guard_digest(guard: Guard, arns: Iterable[str]) -> str:
    """Return the 16 hex digits that acknowledge `guard` withholding steps on `arns`.

    They name what is withheld and nothing else, so they still fit when the next run withholds
    the same.
    """
    words = (guard.value, *sorted(set(arns)))
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:16]


def _effect(step: Step) -> bytes:
    # An encoded line holds no raw newline, so no two different lists of steps join to one text.
    return (
        _CANONICAL.encode(
            (
                step.id,
                step.action,
                step.arn,
                step.location,
                step.parameters,
                sorted((p.check.value, p.arn, p.expected) for p in step.preconditions),
                sorted(set(step.depends_on)),
                step.withheld_by,
            )
        )
        + b"\n"
    )
