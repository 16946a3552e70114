"""No point goes that any keep rule wanted, judged by what the lab held as it went."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from engine.retention.decide import decide
from engine.retention.keep import Keep
from engine.retention.spans import Minutes, parse_span
from tests.chaos.playing import Ending, Played
from tests.chaos.records import Deed, Place, Scene, place_of
from tests.chaos.story import PolicySaid

_PROMISE = "engine:keep-until"
Dropped = set[tuple[str, Place, datetime]]


def violations(ending: Ending) -> Iterator[str]:
    """Yield the deletes that a rule forbade.

    The deletes of one run are judged as the set that its plan decided on: `weekly` and its like
    keep the oldest point, so what they keep can change while deletes are done one by one.
    """
    for run in ending.runs:
        dropped: Dropped = set()
        for deed in ending.deeds_of(run):
            if deed.by_engine and deed.scene is not None:
                yield from (f"{deed}: {one}" for one in _judged(ending, run, deed, dropped))


def _judged(ending: Ending, run: Played, deed: Deed, dropped: Dropped) -> Iterator[str]:
    scene, made = deed.scene, ending.made_before(deed)
    assert scene is not None
    victim = scene.victim
    if victim is None or victim.status == "failed" or victim.arn not in made:
        return
    if victim.status != "available":
        yield f"it was {victim.status}"
    if "engine:pin" in victim.tags:
        yield "it was pinned"
    claim = made[victim.arn]
    if claim.tags["engine:role"] == "bridge":
        return
    family = _family(claim.tags["engine:resource"], _names(run, scene), made)
    resource = family[0]
    if _is_promised(victim.tags, run.at):
        yield f"it was promised until {victim.tags[_PROMISE]}"
    there = _slots(scene, made, family)
    regular = _slots(scene, made, family, promised_at=run.at)
    judged = regular | {slot for one, at, slot in dropped if (one, at) == (resource, deed.place)}
    dropped.add((resource, deed.place, claim.slot))
    maker = next((one for one in run.policies if _made(one, claim.tags["engine:policy"])), None)
    if maker is None:
        yield "its policy is gone"
        return
    is_living = resource in scene.living
    takers = [one for one in run.policies if is_living and one.tier == ending.tiers[resource]]
    deciding = {one.name: one for one in (maker, *takers)}.values()
    if maker.is_retired and _is_unmanaged(ending, deciding, claim, deed.place):
        return
    if not is_living:
        yield from _orphaned(ending, maker, deed, claim, there)
        return
    for policy in deciding:
        yield from _kept(ending, policy, deed, claim, judged)
    yield from _last_ones(ending, there, claim.slot)


def _names(run: Played, scene: Scene) -> dict[str, set[str]]:
    """Return the ARNs of each living database: of now, and of when the run began to plan."""
    return {
        resource: {arn, run.living.get(resource, arn)} for resource, arn in scene.living.items()
    }


def _family(
    resource: str, living: Mapping[str, set[str]], made: dict[str, Deed]
) -> tuple[str, ...]:
    """Return whose points are judged together: a living database, then those it succeeded.

    It succeeds a gone one that once had its ARN; without a successor a gone one stands alone.
    """
    names: defaultdict[str, set[str]] = defaultdict(set)
    for one in made.values():
        names[one.tags["engine:resource"]].add(one.tags["engine:source"])
    heir = resource
    if resource not in living:
        heir = next((one for one, arns in living.items() if arns & names[resource]), resource)
    if heir not in living:
        return (resource,)
    gone = [one for one in names if one not in living and living[heir] & names[one]]
    return (heir, *gone)


def _is_promised(tags: Mapping[str, str], at: datetime) -> bool:
    return _PROMISE in tags and datetime.fromisoformat(tags[_PROMISE]) > at


def _slots(
    scene: Scene,
    made: dict[str, Deed],
    family: tuple[str, ...],
    promised_at: datetime | None = None,
) -> set[datetime]:
    """Return the slots of the available points of a database at the place.

    One-off points that are promised at a time are left out: rules work as if they were not there.
    """
    return {
        made[one.arn].slot
        for one in scene.there
        if one.status == "available"
        and one.arn in made
        and made[one.arn].tags["engine:role"] != "bridge"
        and made[one.arn].tags["engine:resource"] in family
        and not (promised_at is not None and _is_promised(one.tags, promised_at))
    }


def _kept(
    ending: Ending, policy: PolicySaid, deed: Deed, claim: Deed, judged: set[datetime]
) -> Iterator[str]:
    keeps = list(keeps_at(ending, policy, claim, deed.place))
    if not keeps:
        yield f"{policy.name} has nothing to say there: it is unmanaged"
    for said in keeps:
        zone = ZoneInfo(policy.timezone)
        decision = decide(sorted(judged), _keep(said), zone, None, deed.time)
        if claim.slot in {kept.time for kept in decision.keep}:
            yield f"{policy.name} keeps it ({dict(said)}), of {sorted(map(str, judged))}"


def _is_unmanaged(
    ending: Ending, deciding: Iterable[PolicySaid], claim: Deed, place: Place
) -> bool:
    return any(not list(keeps_at(ending, one, claim, place)) for one in deciding)


def keeps_at(
    ending: Ending, policy: PolicySaid, claim: Deed, place: Place
) -> Iterator[dict[str, int | str]]:
    """Yield what a policy says at a place of an object that was made so."""
    if place == place_of(claim.tags["engine:source"]):
        yield dict(policy.keep)
    for name, target in ending.story.targets.items():
        keep = policy.keep_at(name)
        if (target.account, target.region) == place and keep is not None:
            yield dict(keep)


def _keep(said: dict[str, int | str]) -> Keep:
    return Keep(
        **{
            name: parse_span(value, Minutes.REFUSED) if isinstance(value, str) else value
            for name, value in said.items()
        }  # type: ignore[arg-type] # the story writes what fits
    )


def _last_ones(ending: Ending, there: set[datetime], slot: datetime) -> Iterator[str]:
    if slot == max(there):
        yield "it was the newest point there"
    if len(there - {slot}) < ending.story.min_points:
        yield f"fewer than {ending.story.min_points} points are left there"


def _orphaned(
    ending: Ending, maker: PolicySaid, deed: Deed, claim: Deed, there: set[datetime]
) -> Iterator[str]:
    if maker.orphans is None:
        yield "nothing lets orphans go"
        return
    days, last = maker.orphans
    gone = ending.gone.get(claim.tags["engine:resource"])
    if gone is None or deed.time < gone + timedelta(days=days):
        yield f"its database went {gone}, less than {days} days ago"
    if last and claim.slot in sorted(there)[-last:]:
        yield f"it was one of the last {last} of a database that is gone"


def _made(policy: PolicySaid, name: str) -> bool:
    return name == policy.name or name in policy.formerly
