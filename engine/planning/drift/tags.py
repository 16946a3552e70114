"""Owned objects whose tags do not say what is so, or lack what the policy puts on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache

from engine.identity.marks import KEYS, ORIGIN, UNKNOWN_KEY, VOLUME, key_mark
from engine.planning.draft import Draft, at
from engine.planning.routes import RouteBook
from engine.planning.steps import MAX_TAGS
from engine.planning.survey import Holding, World
from engine.plans.codes import DriftCode, DriftSeverity
from engine.plans.plan import Drift

_mark = lru_cache(maxsize=4096)(key_mark)


def contradictions(draft: Draft, world: World, book: RouteBook) -> Iterator[Drift]:
    """Yield owned objects whose tags AWS's own record of them contradicts.

    The hash does not cover these tags, so the object stays owned; chains and forecasts go by them.
    """
    for holding in draft.source.holdings:
        if holding.is_available and holding.marks.adopted is None:
            for tag, (said, is_so) in _untrue(holding).items():
                yield _contradiction(draft, holding, tag, said, is_so)


def _untrue(holding: Holding) -> dict[str, tuple[str, str]]:
    marks, snapshot = holding.marks, holding.snapshot
    untrue: dict[str, tuple[str, str]] = {}
    if marks.volume != snapshot.resource_id and snapshot.resource_id:
        untrue[VOLUME] = marks.volume, snapshot.resource_id
    key = _mark(snapshot.kms_key, encrypted=snapshot.encrypted)
    if marks.keys[-1] != key and UNKNOWN_KEY not in (key, marks.keys[-1]):
        untrue[KEYS] = "/".join(marks.keys), "/".join((*marks.keys[:-1], key))
    # Only copies to another account or region name what they were copied from (API reference,
    # DBSnapshot, SourceDBSnapshotIdentifier).
    origin = snapshot.source_snapshot
    if marks.origin and origin and origin.startswith("arn:") and origin != marks.origin:
        untrue[ORIGIN] = marks.origin, origin
    return untrue


def _contradiction(draft: Draft, holding: Holding, tag: str, said: str, is_so: str) -> Drift:
    return Drift(
        code=DriftCode.TAGS_CONTRADICT,
        severity=DriftSeverity.WARNING,
        arn=holding.arn,
        location=at(holding.location),
        source=draft.source.ref,
        slot=holding.slot,
        text=f"{tag} does not say what AWS says of it: somebody changed the tag",
        fix=f"set {tag} back to what is expected",
        expected=f"{tag}={is_so}",
        found=f"{tag}={said}",
    )


def lost_user_tags(draft: Draft, world: World, book: RouteBook) -> Iterator[Drift]:
    """Yield owned objects without a tag of `snapshots.tags` that older ones already got.

    A tag that the policy names only since then was never put on them, so an object made earlier
    must bear it as the policy says it now.
    """
    terms, policy = draft.source.terms, draft.source.policy
    wanted = terms.snapshots.tags if terms is not None else {}
    if not wanted or policy is None:
        return
    known_since = _first_with(draft.source.holdings, wanted, policy.name)
    for holding in draft.source.holdings:
        made, tags = holding.snapshot.created_at, holding.snapshot.tags
        if made is None or holding.marks.policy != policy.name or len(tags) >= MAX_TAGS:
            continue
        lost = {
            key: wanted[key]
            for key, since in known_since.items()
            if since < made and tags.get(key) != wanted[key]
        }
        if lost:
            yield _lost(draft, holding, lost)


def _first_with(
    holdings: tuple[Holding, ...], wanted: Mapping[str, str], policy: str
) -> dict[str, datetime]:
    """Return since when objects of the policy bear each tag as it is wanted now."""
    first: dict[str, datetime] = {}
    for holding in holdings:
        made, tags = holding.snapshot.created_at, holding.snapshot.tags
        if made is None or holding.marks.policy != policy:
            continue
        for key, value in wanted.items():
            if tags.get(key) == value and made < first.get(
                key, made.max.replace(tzinfo=made.tzinfo)
            ):
                first[key] = made
    return first


def _lost(draft: Draft, holding: Holding, lost: Mapping[str, str]) -> Drift:
    tags = holding.snapshot.tags
    there = ", ".join(f"{key}={tags[key]}" for key in sorted(lost) if key in tags)
    names = ", ".join(sorted(lost))
    return Drift(
        code=DriftCode.USER_TAGS,
        severity=DriftSeverity.INFO,
        arn=holding.arn,
        location=at(holding.location),
        source=draft.source.ref,
        slot=holding.slot,
        text=f"the policy puts {names} on it, as on older ones; somebody removed or changed it",
        fix="put it back",
        expected=", ".join(f"{key}={lost[key]}" for key in sorted(lost)),
        found=there or None,
    )
