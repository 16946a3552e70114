"""What is not the engine's is as it was, and no call of the engine named it."""

from __future__ import annotations

from collections.abc import Iterator

from tests.chaos.playing import Ending
from tests.chaos.records import Deed


def violations(ending: Ending) -> Iterator[str]:
    """Yield every trace that the engine left on what is somebody else's."""
    for arn, before in ending.foreign.items():
        after = ending.seen.get(arn)
        if after != before:
            yield f"{arn} was {before} and is {after}"
    made: set[str] = set()
    for deed in ending.deeds:
        if not deed.by_engine:
            continue
        if deed.makes:
            made.add(deed.arn)
        elif deed.arn not in made:
            yield f"{deed} names what the engine never made"
    yield from _strange(ending.deeds)


def _strange(deeds: list[Deed]) -> Iterator[str]:
    known = {
        "CreateDBSnapshot",
        "CopyDBSnapshot",
        "ModifyDBSnapshotAttribute",
        "DeleteDBSnapshot",
        "AddTagsToResource",
        "RemoveTagsFromResource",
    }
    for deed in deeds:
        if deed.by_engine and deed.operation not in known:
            yield f"{deed} is no call that the engine may make"
