"""Writes days as the files that the engine reads: documents as they are at a time, and events."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from tests.chaos import papers
from tests.simulation_lab.days import OTHER_KEY, Days, Happening, What

EVENTS = "events.yaml"


def write_documents(folder: Path, days: Days, keys: Mapping[str, str]) -> None:
    """Put the estate and its policies where the engine looks, with targets' keys as they are."""
    papers.write(folder, days.story, days.story.policies, keys)


def write_events(folder: Path, days: Days) -> None:
    """Put what happens into an events file."""
    events = [_event(one) for one in days.happenings]
    document = {"version": 1, "kind": "events", "events": events}
    (folder / EVENTS).write_text(yaml.safe_dump(document, sort_keys=False))


def simulate_words(days: Days) -> tuple[str, ...]:
    """Return the command that tells the days beforehand."""
    takes = {
        "-create-takes": days.seconds("create_seconds"),
        "-copy-takes": days.seconds("copy_seconds"),
        "-cross-region-takes": days.seconds("cross_region_seconds"),
        "-interval": days.interval.total_seconds(),
    }
    lengths = [word for flag, seconds in takes.items() for word in (flag, f"{seconds:.0f}s")]
    events = ("-events", EVENTS) if days.happenings else ()
    at = text_of(days.start)
    return ("simulate", "-json", "-at", at, "-days", str(days.count), *events, *lengths)


def text_of(at: datetime) -> str:
    """Return a time as the command line and the documents take it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _event(one: Happening) -> dict[str, Any]:
    account, _, region = one.about.partition("/")
    lasts = f"{one.lasts // timedelta(hours=1)}h"
    told: dict[What, Any] = {
        What.FAIL_OVER: one.about,
        What.DELETE: one.about,
        What.OUTAGE: {"account": account, "region": region, "for": lasts},
        What.MISS_RUNS: {"for": lasts},
        What.ROTATE_KEY: {"target": one.about, "to": OTHER_KEY},
    }
    return {"at": text_of(one.at), one.what.value: told[one.what]}
