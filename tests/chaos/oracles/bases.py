"""No base is lost while it is needed: by the ground truth, under both rule sets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.chaos.oracles.chains import Entry
from tests.chaos.oracles.keeping import keeps_at
from tests.chaos.playing import Ending
from tests.chaos.records import Deed, Object, Scene

_LOST = frozenset({"most_recent_copy_deleted", "base_deleted_meanwhile"})
_FIRST = frozenset({"first_in_chain", "first_of_volume", "first_copy_here"})


def violations(ending: Ending) -> Iterator[str]:
    """Yield deletes that took a base, and fulls that a delete of the engine was the cause of."""
    made = ending.made
    for deed in ending.deletes:
        assert deed.scene is not None
        if not _is_retired(ending, deed):
            yield from _at_a_delete(deed, deed.scene, made)
    yield from _fulls(ending)


def _is_retired(ending: Ending, deed: Deed) -> bool:
    """Tell whether the estate let go of what a policy made: of it there is no next one."""
    claim = ending.made.get(deed.arn)
    return claim is not None and any(
        one.is_retired
        and claim.tags["engine:policy"] in (one.name, *one.formerly)
        and not list(keeps_at(ending, one, claim, deed.place))
        for run in ending.runs
        if deed in ending.deeds_of(run)
        for one in run.policies
    )


def _at_a_delete(deed: Deed, scene: Scene, made: Mapping[str, Deed]) -> Iterator[str]:
    victim = scene.victim
    if victim is None or victim.status == "failed":
        return
    if scene.readers:
        yield f"{deed}: {scene.readers} is being copied from it"
    if scene.base_of:
        yield f"{deed}: {scene.base_of} is being stored as a delta of it"
    if victim.tags.get("engine:az") == "unknown":
        # AWS never told the engine the zone: nobody could know the chain.
        return
    if not {victim.volume[0], _database(victim, made)} <= scene.living.keys():
        # There is no next one; a replica may outlive the database that it stood in for.
        return
    others = [
        one
        for one in scene.there
        if one.chain == victim.chain
        and one.arn != victim.arn
        and one.arn in made
        and one.status == "available"
    ]
    if not _succeeded(victim, others):
        yield f"{deed}: the base of its chain went, with {[one.arn for one in others]} left"


def _database(victim: Object, made: Mapping[str, Deed]) -> str:
    claim = made.get(victim.arn)
    return victim.volume[0] if claim is None else claim.tags["engine:resource"]


def _succeeded(victim: Object, others: list[Object]) -> bool:
    return any(one.original >= victim.original for one in others) and any(
        one.made >= victim.made for one in others
    )


def _fulls(ending: Ending) -> Iterator[str]:
    """Yield objects that are full under a rule set because of what the engine deleted before."""
    excused = {
        deed.arn
        for deed in ending.deletes
        if deed.scene is not None
        and deed.scene.victim is not None
        and (deed.scene.victim.tags.get("engine:az") == "unknown" or _is_retired(ending, deed))
    }
    made = ending.made
    for entry in ending.truth:
        if entry["arn"] not in made:
            continue
        for rules, verdict in entry["under"].items():
            lost = _lost(entry, verdict["rule"], ending.truth)
            if lost is not None and _by_engine(lost) and lost["arn"] not in excused:
                yield (
                    f"{entry['arn']} is full under {rules} ({verdict['rule']}): the engine deleted "
                    f"{lost['arn']} at {lost['deleted_at']}"
                )


def _lost(entry: Entry, rule: str, truth: list[dict[str, Any]]) -> Entry | None:
    """Return what an object would have been stored as a delta of, were it still there."""
    if rule not in _LOST | _FIRST:
        return None
    begun = entry["order"]["begun"]
    before = [
        one
        for one in truth
        if one["completed"]
        and one["order"]["completed"] < begun
        and (one["account"], one["region"]) == (entry["account"], entry["region"])
        and (one["origin"] is None) == (entry["origin"] is None)
        and one["volume"]["resource_id"] == entry["volume"]["resource_id"]
    ]
    if rule in _FIRST:
        same = (entry["volume"], entry["keys"])
        before = [one for one in before if (one["volume"], one["keys"]) == same]
    newest = max(before, key=lambda one: int(one["order"]["completed"]), default=None)
    # What a story is seeded with as gone was never there for the engine to delete.
    return newest if newest is not None and newest["deleted_by"] is not None else None


def _by_engine(entry: Entry) -> bool:
    return str(entry["deleted_by"]).endswith("/backup-engine")
