"""Breaks the engine, one promise at a time, to see that the judges notice.

Each is applied in the forked child alone. The verifier would catch what planning does wrong, so
those that are about planning put it to sleep.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import engine.planning.plan as planning
from engine.applying import performing, preconditions
from engine.applying.calls import Call, Tag, Unshare
from engine.applying.journal import Journal
from engine.applying.ports import Cloud
from engine.identity.marks import ESTATE, Marks, read_marks
from engine.inventory.records import Location, Snapshot, SnapshotType
from engine.planning import protecting, retaining, survey
from engine.verifying import evidence
from tests.forking.patching import found_in, put


def _sleep() -> None:
    """Let the verifier find nothing."""
    put(planning, "verify", lambda *_: ())


def _without(*names: str) -> Callable[[], None]:
    def sabotage() -> None:
        _sleep()
        protecting._PROTECTIONS = tuple(
            one for one in protecting._PROTECTIONS if one.__name__ not in names
        )

    return sabotage


def _keep_less() -> None:
    """Let every rule keep the newest point only."""
    _sleep()
    decide = found_in(retaining, "decide")

    def lax(*given: Any, **more: Any) -> Any:
        found = decide(*given, **more)
        return replace(found, keep=found.keep[:1])

    put(retaining, "decide", lax)


def _trust_tags() -> None:
    """Take whatever carries the tags for the engine's own."""

    def owned(snapshot: Snapshot, estate: str) -> Marks | None:
        is_ours = snapshot.type is SnapshotType.MANUAL and snapshot.tags.get(ESTATE) == estate
        return read_marks(snapshot.tags) if is_ours else None

    for module in (survey, evidence, preconditions):
        put(module, "owned_marks", owned)


def _skip(kind: type[Call]) -> Callable[[], None]:
    """Say that calls of a kind were made, and make none."""

    def sabotage() -> None:
        send = found_in(performing, "send")

        def lazy(call: Call, cloud: Cloud, at: Location) -> None:
            if not isinstance(call, kind):
                send(call, cloud, at)

        put(performing, "send", lazy)

    return sabotage


def _silence() -> None:
    """Announce nothing."""
    put(Journal, "intent", lambda *_: None)


SABOTAGES: Mapping[str, Callable[[], None]] = {
    "forget_bases": _without("_chain_base"),
    "forget_flights": _without("_in_flight", "_chain_base"),
    "keep_less": _keep_less,
    "trust_tags": _trust_tags,
    "never_unshare": _skip(Unshare),
    "never_tag": _skip(Tag),
    "announce_nothing": _silence,
}
