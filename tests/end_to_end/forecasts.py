"""Compares what plans forecast with what the lab knows was stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

CERTAIN = frozenset({"full", "incremental"})

Forecasts = dict[str, str]
"""Verdicts by the ARN of what was made."""


def forecasts_of(plan: Mapping[str, Any]) -> Forecasts:
    """Return what a plan says of everything that it would make."""
    return {
        step["arn"]: step["forecast"]["verdict"]
        for step in plan["steps"]
        if step["forecast"] is not None and step["withheld_by"] is None
    }


def wrong(forecasts: Forecasts, truth: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return what was called certain and is otherwise under either set of rules."""
    stored = {entry["arn"]: entry["under"] for entry in truth}
    return [
        f"{arn}: forecast {verdict}, {rules}: {under['stored']} ({under['rule']})"
        for arn, verdict in forecasts.items()
        if verdict in CERTAIN
        for rules, under in stored[arn].items()
        if under["stored"] != verdict
    ]
