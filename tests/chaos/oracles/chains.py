"""Chains by the ground truth: what AWS could store as a delta of what."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

Entry = Mapping[str, Any]


def chain(entry: Entry) -> tuple[object, ...]:
    """Return what an object shares with the others of its chain."""
    volume = entry["volume"]
    return (
        entry["account"],
        entry["region"],
        (volume["resource_id"], volume["zone"]),
        tuple(entry["keys"]),
    )


def captured(entry: Entry, everything: Mapping[str, Entry]) -> int:
    """Return the place in time of the snapshot that an object goes back to."""
    while entry["origin"] in everything:
        entry = everything[entry["origin"]]
    return int(entry["order"]["begun"])


def bases(truth: Iterable[Entry], arns: Collection[str]) -> Iterator[str]:
    """Yield which of some objects are the newest of their chain, by one age or the other."""
    everything = {one["arn"]: one for one in truth}
    chains: dict[tuple[object, ...], list[Entry]] = {}
    for one in everything.values():
        if one["exists"] and one["arn"] in arns:
            chains.setdefault(chain(one), []).append(one)
    for members in chains.values():
        yield max(members, key=lambda one: captured(one, everything))["arn"]
        yield max(members, key=lambda one: int(one["order"]["begun"]))["arn"]
