"""Who may read what in a settled world: whom the documents name, and nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from engine.documents.model import HOME, Policy, ShareRule
from engine.identity.marks import SHARED, SHARED_BY_POLICY
from engine.inventory.records import Location
from tests.world.promises import BrokenError, Promises
from tests.world.running import Engine
from tests.world.things import Database, Thing


def check_readers(engine: Engine) -> None:
    """Object unless exactly those may read a snapshot whom a policy shares it with, as tagged.

    Where two policies take a database, what is shared stays as it is.
    """
    wanted: dict[str, set[str]] = {}
    undecided: set[str] = set()
    for database in engine.world.databases:
        takers = engine.promises.takers(database)
        if len(takers) > 1:
            family = engine.promises.family(database)
            undecided |= {one.arn for source in family for one in engine.promises.owned(source)}
        elif takers:
            for arn, account in _named(engine.promises, database, takers[0]):
                wanted.setdefault(arn, set()).add(account)
    withheld = {step.arn for step in engine.plan().steps if step.withheld_by is not None}
    for thing in engine.world.things.values():
        if thing.by_engine and thing.arn not in undecided | withheld:
            _check(thing, wanted.get(thing.arn, set()))


def _check(thing: Thing, wanted: set[str]) -> None:
    if thing.shared - wanted:
        raise BrokenError(f"promise 5: {thing.arn} is still shared with {thing.shared - wanted}")
    if wanted - thing.shared:
        raise BrokenError(f"promise 5: {thing.arn} is not shared with {wanted - thing.shared}")
    told = "+".join(sorted(wanted)) or None
    for tag in (SHARED, SHARED_BY_POLICY):
        if thing.tags.get(tag) != told:
            raise BrokenError(f"promise 5: {thing.arn} says {tag} {thing.tags.get(tag)}: {told}")


def _named(promises: Promises, database: Database, policy: Policy) -> Iterator[tuple[str, str]]:
    """The snapshots that a policy shares, each with an account that is to read it."""
    for rule in policy.terms.share_with:
        place = _place(promises, database, policy, rule)
        if place is None:
            continue
        by_slot: dict[datetime, Thing] = {}
        for source in promises.family(database):
            for one in promises.points(source, place):
                if _counts(promises, one):
                    slot = promises.claims[one.arn].slot
                    by_slot[slot] = min(one, by_slot.get(slot, one), key=lambda thing: thing.arn)
        newest = sorted(by_slot, reverse=True)[: rule.newest]
        for slot in newest:
            yield from ((by_slot[slot].arn, who) for who in _ids(promises, rule, place))


def _place(
    promises: Promises, database: Database, policy: Policy, rule: ShareRule
) -> Location | None:
    if rule.origin == HOME:
        return database.location
    copies = {one.target for one in policy.terms.snapshots.copies}
    return promises.target(rule.origin) if rule.origin in copies else None


def _ids(promises: Promises, rule: ShareRule, place: Location) -> set[str]:
    accounts = promises.documents.estate.accounts
    return {accounts[one].id if one in accounts else one for one in rule.accounts} - {place.account}


def _counts(promises: Promises, thing: Thing) -> bool:
    """Whether a point is one of those that are shared: AWS shares it, and it is to stay."""
    can_be_shared = thing.is_available and "aws-rds" not in thing.key
    return can_be_shared and not promises.is_let_go(thing)
