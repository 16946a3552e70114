"""In the end nothing is there twice, half, shared, failed or for a route that is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from tests.chaos.oracles.chains import captured, chain
from tests.chaos.playing import Ending
from tests.chaos.records import place_of
from tests.end_to_end.harness import Seen

_PERIODS = {"6h": 6, "12h": 12, "1d": 24, "2d": 48}


def violations(ending: Ending) -> Iterator[str]:
    """Yield what should not be there any more, and what should."""
    made = ending.made
    ours = {arn: one for arn, one in ending.seen.items() if arn in made}
    late = set(_shared_late(ending))
    for arn, one in ours.items():
        # A pin keeps what failed, too: somebody may want to look at it.
        if one.status != "available" and not (one.status == "failed" and "engine:pin" in one.tags):
            yield f"{arn} is {one.status}"
        if (one.shared_with and arn not in late) or "engine:shared" in one.tags:
            yield f"{arn} is left shared: {sorted(one.shared_with)}"
    blind = set(_made_again(ending))
    copies = Counter(_point(one) for arn, one in ours.items() if arn not in blind)
    yield from (f"{point} is there {n} times" for point, n in copies.items() if n > 1)
    yield from _idle_bridges(ending, ours)
    yield from _missing(ending, ours)


def _shared_late(ending: Ending) -> Iterator[str]:
    """Yield what a run shared that had been frozen between its last look at its lock and its call.

    Another run may have taken the share back by then, and nothing is left to tell of it but AWS.
    """
    for run in ending.runs:
        for deed in ending.late_deeds_of(run):
            if deed.operation == "ModifyDBSnapshotAttribute":
                yield deed.arn


def _made_again(ending: Ending) -> Iterator[str]:
    """Yield points made by runs in trouble while the same point lay there of another zone.

    A run that cannot list what is there makes the point of the slot. If the database moved since
    another run made it, its id has another zone, and AWS does not refuse it.
    """
    zones: dict[tuple[object, ...], set[str]] = {}
    for run in ending.runs:
        for deed in ending.deeds_of(run):
            if not deed.by_engine or deed.operation != "CreateDBSnapshot":
                continue
            tags = deed.tags
            point = tags["engine:resource"], deed.place, tags["engine:slot"]
            there = zones.setdefault(point, set())
            if run.visit.troubles and there - {tags["engine:az"]}:
                yield deed.arn
            there.add(tags["engine:az"])


def _point(one: Seen) -> tuple[object, ...]:
    tags = one.tags
    return tags.get("engine:resource"), place_of(one.arn), one.role, one.slot


def _idle_bridges(ending: Ending, ours: dict[str, Seen]) -> Iterator[str]:
    """Yield bridges that are no base: a newer one of their chain is there in both senses."""
    entries = [one for one in ending.truth if one["exists"] and one["arn"] in ours]
    everything = {one["arn"]: one for one in ending.truth}
    for entry in entries:
        one = ours[entry["arn"]]
        if one.role != "bridge" or one.tags.get("engine:az") == "unknown":
            continue
        if "engine:pin" in one.tags or one.tags["engine:resource"] not in ending.instances:
            # Of a gone database nothing goes but what lets orphans go.
            continue
        others = [
            other
            for other in entries
            if other is not entry
            and ours[other["arn"]].role == "bridge"
            and ours[other["arn"]].tags.get("engine:az-checked")
            and chain(other) == chain(entry)
        ]
        newer = [other for other in others if other["completed_at"] > entry["completed_at"]]
        taken = captured(entry, everything)
        later = [other for other in others if captured(other, everything) > taken]
        if newer and later:
            yield f"{one.arn} is a bridge that nothing needs: {newer[0]['arn']} is newer"


def _missing(ending: Ending, ours: dict[str, Seen]) -> Iterator[str]:
    """Yield living databases without a point of the last night where they live."""
    for resource, arn in ending.instances.items():
        for policy in ending.policies:
            if policy.tier != ending.tiers.get(resource):
                continue
            oldest = ending.story.last[-1] - timedelta(hours=_PERIODS[policy.every] + 2)
            slots = [
                one.slot
                for one in ours.values()
                if one.tags.get("engine:resource") == resource
                and place_of(one.arn) == place_of(arn)
                and one.role == "primary"
            ]
            if not any(slot and slot >= f"{oldest:%Y-%m-%dT%H:%M:%SZ}" for slot in slots):
                yield f"{arn} has no point since {oldest}: {sorted(map(str, slots))}"
