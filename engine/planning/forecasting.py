"""Stage 6: what AWS will store for each new object. The rules are data; the first that fits wins.

Sources: the RDS User Guide (Copying a DB snapshot; Introduction to backups) and the AWS Database
Blog post "Optimize Amazon RDS Multi-AZ backups with incremental snapshots". Where they disagree
the verdict is at most `likely_incremental`; nothing is called certain that one of them denies.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from engine.identity.marks import UNKNOWN_KEY, Role
from engine.inventory.placement import UNKNOWN_ZONE
from engine.inventory.records import Kind, SnapshotState, kind_of
from engine.planning.draft import Draft, Planned
from engine.planning.replicas import instance_with
from engine.planning.steps import Origin
from engine.planning.survey import Source
from engine.plans.codes import Verdict
from engine.plans.plan import Forecast

GUIDE = "RDS User Guide, Copying a DB snapshot"
GUIDE_BACKUPS = "RDS User Guide, Introduction to backups"
AURORA_GUIDE = "Aurora User Guide, Copying a DB cluster snapshot"
BLOG = "AWS Database Blog, Optimize Amazon RDS Multi-AZ backups with incremental snapshots"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a forecast rests on. Predecessors are available, or planned before this one.

    `same_chain` are those of its chain, `checked` says that one of them has its zone confirmed.
    `newest_same_chain` says that the newest objects at its location, by data and by when they
    were made, are of its chain; `zone_changed` that one of them is from another zone. What was
    adopted before it counts as `adopted_before` where its zone is not known; `uncertain_before`
    says that one which the engine made lost its zone and may be of its chain.
    """

    new: Planned
    origin: Origin | None
    origin_verdict: Verdict | None
    encrypts: bool
    same_chain: bool
    checked: bool
    newest_same_chain: bool
    other_keys: bool
    zone_changed: bool
    automated_in_zone: bool
    unplaced_neighbour: bool
    adopted_before: bool
    uncertain_before: bool


class Confidence(StrEnum):
    """How far the texts agree on a rule."""

    AGREED = "all texts agree"
    DISPUTED = "the texts disagree"
    INFERRED = "inferred"


@dataclass(frozen=True, slots=True)
class Rule:
    """One forecast rule: when it applies, what it says, why, and who says so."""

    id: str
    applies: Callable[[Facts], bool]
    verdict: Verdict
    because: str
    source: str
    confidence: Confidence


RULES: tuple[Rule, ...] = (
    Rule(
        "cluster_snapshot",
        lambda f: kind_of(f.new.arn) is Kind.CLUSTER,
        Verdict.FULL,
        "AWS stores every snapshot of a DB cluster in full",
        AURORA_GUIDE,
        Confidence.AGREED,
    ),
    Rule(
        "encrypts_unencrypted",
        lambda f: f.encrypts,
        Verdict.FULL,
        "it encrypts a snapshot that is not encrypted",
        GUIDE,
        Confidence.AGREED,
    ),
    Rule(
        "zone_unknown",
        lambda f: f.new.marks.zone == UNKNOWN_ZONE,
        Verdict.UNKNOWN,
        "the availability zone it is taken from is not known",
        BLOG,
        Confidence.INFERRED,
    ),
    Rule(
        "key_unknown",
        lambda f: UNKNOWN_KEY in f.new.marks.keys,
        Verdict.UNKNOWN,
        "the key it is copied under could not be resolved",
        GUIDE,
        Confidence.INFERRED,
    ),
    Rule(
        "automated_predecessor",
        lambda f: f.origin is None and not f.same_chain and f.automated_in_zone,
        Verdict.LIKELY_INCREMENTAL,
        "only snapshots that the engine did not make precede it in this zone",
        GUIDE_BACKUPS,
        Confidence.DISPUTED,
    ),
    Rule(
        "unplaced_predecessor",
        lambda f: f.origin is None and not f.same_chain and f.unplaced_neighbour,
        Verdict.UNKNOWN,
        "the zone of the snapshots that precede it is not recorded",
        BLOG,
        Confidence.INFERRED,
    ),
    Rule(
        "adopted_predecessor",
        lambda f: not f.same_chain and f.adopted_before,
        Verdict.UNKNOWN,
        "it follows adopted snapshots, of which the zone is not known",
        BLOG,
        Confidence.INFERRED,
    ),
    Rule(
        "uncertain_predecessor",
        lambda f: not f.same_chain and f.uncertain_before,
        Verdict.UNKNOWN,
        "it follows a snapshot of which the zone could not be confirmed",
        BLOG,
        Confidence.INFERRED,
    ),
    Rule(
        "first_in_chain",
        lambda f: not f.same_chain,
        Verdict.FULL,
        "{nothing_yet}",
        f"{GUIDE}; {BLOG}",
        Confidence.AGREED,
    ),
    Rule(
        "origin_full",
        lambda f: f.origin_verdict is Verdict.FULL,
        Verdict.FULL,
        "a copy of a full snapshot is full",
        f"{GUIDE}; {BLOG}",
        Confidence.AGREED,
    ),
    Rule(
        "origin_unknown",
        lambda f: f.origin_verdict is Verdict.UNKNOWN,
        Verdict.LIKELY_INCREMENTAL,
        "its chain has a base here, but how its origin is stored is not known",
        GUIDE,
        Confidence.INFERRED,
    ),
    Rule(
        "origin_likely",
        lambda f: f.origin_verdict is Verdict.LIKELY_INCREMENTAL,
        Verdict.LIKELY_INCREMENTAL,
        "its origin is only likely to be incremental",
        GUIDE,
        Confidence.DISPUTED,
    ),
    Rule(
        "base_unchecked",
        lambda f: not f.checked,
        Verdict.LIKELY_INCREMENTAL,
        "the zone of the base it builds on has not been confirmed",
        BLOG,
        Confidence.INFERRED,
    ),
    Rule(
        "other_key_in_account",
        lambda f: f.other_keys,
        Verdict.LIKELY_INCREMENTAL,
        "that account holds copies of this database under another key too",
        GUIDE,
        Confidence.DISPUTED,
    ),
    Rule(
        "zone_changed",
        lambda f: f.origin is not None and f.zone_changed,
        Verdict.LIKELY_INCREMENTAL,
        "the zone changed since the last copy; the blog counts per zone, the guide does not",
        f"{GUIDE}; {BLOG}",
        Confidence.DISPUTED,
    ),
    Rule(
        "newest_in_other_chain",
        lambda f: f.origin is not None and not f.newest_same_chain,
        Verdict.LIKELY_INCREMENTAL,
        "the newest copy there is of another chain",
        GUIDE,
        Confidence.DISPUTED,
    ),
    Rule(
        "base_in_chain",
        lambda f: True,
        Verdict.INCREMENTAL,
        "its chain has a base here: same volume, same zone, same keys",
        f"{GUIDE}; {BLOG}",
        Confidence.AGREED,
    ),
)


def plan_forecasts(draft: Draft) -> None:
    """Give every create and copy of the draft its forecast, in the order they are made."""
    verdicts: dict[str, Verdict] = {}
    before: list[Origin] = [h for h in draft.source.holdings if h.is_available]
    for new in draft.planned:
        forecast = forecast_of(draft.source, new, before, verdicts)
        verdicts[new.arn] = forecast.verdict
        draft.steps[new.step] = replace(draft.steps[new.step], forecast=forecast)
        before.append(new)


def forecast_of(
    source: Source, new: Planned, before: list[Origin], verdicts: dict[str, Verdict]
) -> Forecast:
    """Return what AWS will store for one new object, given all that exists before it."""
    facts = _facts(source, new, before, verdicts)
    rule = next(rule for rule in RULES if rule.applies(facts))
    because = rule.because.format(nothing_yet=_nothing_yet(facts))
    size = new.allocated_gib
    return Forecast(rule.verdict, rule.id, because, (0, size))


def _facts(
    source: Source, new: Planned, before: list[Origin], verdicts: dict[str, Verdict]
) -> Facts:
    chain = new.chain
    same = [o for o in before if o.chain == chain]
    origin = next((o for o in before if o.arn == new.marks.origin), None)
    last = _last_ones(new, before)
    # How AWS stored an automated snapshot that a primary is copied from, nothing tells.
    seeded = new.marks.role is Role.PRIMARY and len(new.marks.keys) > 1
    automated, unplaced = (False, False) if seeded else _neighbours(source, new)
    return Facts(
        new=new,
        origin=origin,
        origin_verdict=Verdict.UNKNOWN if seeded else _origin_verdict(origin, before, verdicts),
        encrypts=origin is not None and origin.kms_key is None and new.kms_key is not None,
        same_chain=bool(same),
        checked=any(isinstance(o, Planned) or o.marks.zone_checked for o in same),
        newest_same_chain=all(o.chain == chain for o in last),
        other_keys=origin is not None and _other_keys(origin, new, before),
        zone_changed=any(o.marks.zone != new.marks.zone for o in last),
        automated_in_zone=automated,
        unplaced_neighbour=unplaced,
        adopted_before=any(o.marks.adopted is not None and _may_precede(o, new) for o in before),
        uncertain_before=any(
            o.marks.keys == new.marks.keys and _may_precede(o, new) for o in before
        ),
    )


def _may_precede(origin: Origin, new: Planned) -> bool:
    """Say whether an object may be a base of a new one though nobody knows its zone."""
    return (
        origin.marks.zone == UNKNOWN_ZONE
        and origin.marks.volume == new.marks.volume
        and origin.location == new.location
        and origin.marks.role is new.marks.role
    )


def _last_ones(new: Planned, before: list[Origin]) -> list[Origin]:
    """Return the newest of its kind at its location, by data and by when it was made."""
    here = [o for o in before if o.location == new.location and o.marks.role is new.marks.role]
    if not here:
        return []
    return [max(here, key=lambda o: (o.taken_at, o.arn)), max(here, key=_made)]


def _made(origin: Origin) -> tuple[bool, datetime, str]:
    """Order what exists by when it was made; what is planned is later than all of it."""
    if isinstance(origin, Planned):
        return (True, origin.taken_at, origin.arn)
    return (False, origin.made_at, origin.arn)


def _other_keys(origin: Origin, new: Planned, before: list[Origin]) -> bool:
    """Say whether copies under other keys are where the guide wants all to be under one.

    That is the whole account for a copy that crosses accounts, and the region for one that
    crosses regions; within one place each key has increments of its own.
    """
    crosses = origin.location.account != new.location.account
    return origin.location != new.location and any(
        o.marks.role is Role.COPY
        and o.marks.keys != new.marks.keys
        and o.marks.volume == new.marks.volume
        and (o.location == new.location or (crosses and _are_in_one_account(o, new)))
        for o in before
    )


def _are_in_one_account(one: Origin, other: Origin) -> bool:
    return one.location.account == other.location.account


def _origin_verdict(
    origin: Origin | None, before: list[Origin], verdicts: dict[str, Verdict]
) -> Verdict | None:
    """Return how the origin is stored: as planned, or as far as what precedes it tells.

    An origin that nothing of its chain precedes may have been made full, or its base may have
    gone since: that is not known.
    """
    if origin is None:
        return None
    if origin.arn in verdicts:
        return verdicts[origin.arn]
    earlier = [o for o in before if o.chain == origin.chain and o.taken_at < origin.taken_at]
    return Verdict.INCREMENTAL if earlier else Verdict.UNKNOWN


def _neighbours(source: Source, new: Planned) -> tuple[bool, bool]:
    """Say whether snapshots that are not the engine's precede a primary in its zone.

    Their record names the instance's zone, not the volume's; as long as the instance has not
    moved, the same instance zone means the same volume (API reference, DBSnapshot).
    """
    body = instance_with(new.marks.volume, source)
    if new.marks.role is not Role.PRIMARY or body is None:
        return False, False
    zone = body.availability_zone
    available = [
        s
        for s in source.neighbours
        if s.state is SnapshotState.AVAILABLE and s.resource_id == body.resource_id
    ]
    placed = any(s.availability_zone == zone for s in available if s.availability_zone)
    return placed, any(s.availability_zone is None for s in available)


def _nothing_yet(facts: Facts) -> str:
    marks = facts.new.marks
    if marks.role is Role.PRIMARY:
        return f"no snapshot of this database from {marks.zone} yet"
    return f"no copy of this database from {marks.zone} under this key in {facts.new.location} yet"
