"""Watches every effect on the model of AWS and objects where a promise would be broken.

It goes by the model's own records of what is a backup of what, never by tags, and shares nothing
with planning or verifying but the keep rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from engine.documents.model import DEFAULT_IDLE_AFTER, Documents, Policy, Target, Topology
from engine.identity.marks import GONE_SINCE, KEEP_UNTIL, POLICY, ROLE, SLOT, SOURCE, ZONE, Role
from engine.inventory.records import Location
from engine.plans.codes import UnmanagedReason
from engine.retention.decide import decide
from engine.retention.keep import Keep
from tests.world.aws import World
from tests.world.things import Database, Thing

Source = tuple[Location, str]


class BrokenError(AssertionError):
    """A promise was broken."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What the engine said of an object when it made it; tags may be tampered with later."""

    policy: str
    slot: datetime
    role: Role
    name: str
    keep_until: datetime | None = None


@dataclass
class Promises:
    """Stands beside a world and checks promises 1 to 5 at each effect.

    `unread` are the locations that the plan being applied could not read.
    """

    world: World
    documents: Documents
    unread: frozenset[Location] = frozenset()
    claims: dict[str, Claim] = field(default_factory=dict)
    dropped: list[tuple[str, Location, datetime]] = field(default_factory=list)

    def planned(self) -> None:
        """A plan was made: from now on its deletes are judged as the set that it decided on.

        `within_daily` and its like keep the oldest point in reach, so what they keep can change
        while a plan's deletes are being done one by one.
        """
        self.unread = frozenset(self.world.unreadable)
        self.dropped = []

    def __post_init__(self) -> None:
        self.world.on_make = self.made
        self.world.on_delete = self.deleted
        self.world.on_change = self.changed
        self.world.on_share = self.shared
        self.world.on_unshare = self.unshared

    # -- effects --------------------------------------------------------------------------------

    def made(self, thing: Thing) -> None:
        """A snapshot or copy is about to be made."""
        tags = thing.tags
        slot = datetime.fromisoformat(tags[SLOT])
        until = datetime.fromisoformat(tags[KEEP_UNTIL]) if KEEP_UNTIL in tags else None
        claim = Claim(tags[POLICY], slot, Role(tags[ROLE]), tags[SOURCE], until)
        _demand(5, claim.slot <= self.world.clock, f"{thing.arn} is for a slot in the future")
        if thing.origin is not None:
            of_origin = self.claims.get(thing.origin)
            same = of_origin is not None and of_origin.slot == claim.slot
            _demand(5, same, f"{thing.arn} claims another slot than its origin")
        twins = [
            other.arn
            for other in self.owned(thing.protects, thing.location)
            if (self.claims[other.arn].slot, self.claims[other.arn].role) == (slot, claim.role)
        ]
        _demand(5, not twins, f"{thing.arn} is there already: {twins}")
        self.claims[thing.arn] = claim

    def changed(self, thing: Thing) -> None:
        """A snapshot is about to be shared, unshared or tagged."""
        _demand(1, thing.by_engine, f"{thing.arn} is not the engine's and would be changed")

    def shared(self, thing: Thing, account: str) -> None:
        """A snapshot is about to be shared: for a copy to that account, or as a policy says."""
        database = self.world.living(thing.protects) or self.heir(thing.protects)
        policies = self.takers(database) if database else []
        routes = {who for policy in policies for who in self.copiers(policy, thing)}
        said = {who for policy in policies for who in self.readers(policy, thing)}
        _demand(1, account in routes | said, f"{thing.arn} would be shared with {account}")

    def copiers(self, policy: Policy, thing: Thing) -> set[str]:
        """The accounts that may copy a snapshot on a policy's behalf."""
        snapshots, (home, _) = policy.terms.snapshots, thing.protects
        targets = {self.target(one.target) for one in snapshots.copies}
        accounts = {at.account for at in targets}
        if thing.location == home:
            return accounts
        hands_on = snapshots.topology is Topology.CHEAPEST and thing.location in targets
        return accounts - {home.account} if hands_on else set()

    def readers(self, policy: Policy, thing: Thing) -> Iterator[str]:
        """The accounts that a policy lets read the newest points where a snapshot lies."""
        accounts = self.documents.estate.accounts
        targets = {one.target for one in policy.terms.snapshots.copies}
        for rule in policy.terms.share_with:
            at_home = rule.origin == "source" and thing.location == thing.protects[0]
            at_target = rule.origin in targets and self.target(rule.origin) == thing.location
            if at_home or at_target:
                names = (accounts[one].id if one in accounts else one for one in rule.accounts)
                yield from (name for name in names if name != thing.location.account)

    def unshared(self, thing: Thing, account: str) -> None:
        """A snapshot is about to be taken away from an account."""
        readers = self.world.readers(thing.arn)
        reading = [one.arn for one in readers if one.location.account == account]
        _demand(5, not reading, f"{thing.arn} would be unshared while {reading} is copied from it")

    def deleted(self, thing: Thing) -> None:
        """A snapshot is about to be deleted."""
        _demand(1, thing.by_engine, f"{thing.arn} is not the engine's and would be deleted")
        claim = self.claims[thing.arn]
        home, _ = thing.protects
        _demand(4, thing.location not in self.unread, f"{thing.location} was not read")
        readers = [one.arn for one in self.world.readers(thing.arn)]
        _demand(4, not readers, f"{thing.arn} would go while {readers} is copied from it")
        self._check_strangers(thing)
        if thing.status == "failed":
            return
        retired = self._is_retired(thing, claim)
        if not retired:
            _demand(4, home not in self.unread, f"{home}, where its source lives, was not read")
        if claim.role is not Role.BRIDGE:
            until = self.promised(thing)
            _demand(2, until is None, f"{thing.arn} is promised until {until}")
            if not retired:
                self._check_rules(thing, claim)
        if not retired:
            self._check_base(thing)

    def _check_strangers(self, thing: Thing) -> None:
        """Nobody sees what an account outside the estate copies, so it gets time to end."""
        own = {account.id for account in self.documents.estate.accounts.values()}
        strangers = thing.shared - own
        _demand(4, not strangers, f"{thing.arn} would go while {strangers} may read it")
        for (arn, account), at in self.world.unshared_at.items():
            is_long_ago = self.world.clock - at >= timedelta(days=2)
            over = arn != thing.arn or account in own or is_long_ago
            _demand(4, over, f"{thing.arn} would go, but {account} could read it until {at}")

    # -- promise 2 ------------------------------------------------------------------------------

    def _check_rules(self, thing: Thing, claim: Claim) -> None:
        database = self.heir(thing.protects)
        maker = self.maker(claim.policy)
        _demand(2, maker is not None, f"{thing.arn}: the policy {claim.policy} is gone")
        assert maker is not None
        if database is None:
            self._check_orphan(thing, claim, maker)
            return
        takers = self.takers(database)
        _demand(2, len(takers) == 1, f"{thing.arn}: taken by {[one.name for one in takers]}")
        family = self.family(database)
        points = [one for source in family for one in self.points(source, thing.location)]
        slots = {self.claims[one.arn].slot for one in points if one.is_available}
        promised = {self.claims[one.arn].slot for one in points if self.promised(one)}
        judged = (slots - promised) | {
            slot
            for heir, at, slot in self.dropped
            if (heir, at) == (database.resource, thing.location)
        }
        for policy in {one.name: one for one in (*takers, maker)}.values():
            _demand(2, policy.terms.hold is None, f"{thing.arn} is held")
            keeps = list(self.keeps(policy, database.location, thing.location))
            _demand(2, bool(keeps), f"{thing.arn}: {policy.name} has nothing at {thing.location}")
            for keep in keeps:
                kept = self.kept(judged, keep, policy)
                _demand(2, claim.slot not in kept, f"{policy.name} ({keep}) keeps {thing.arn}")
        self.dropped.append((database.resource, thing.location, claim.slot))
        left = {
            self.claims[one.arn].slot for one in points if one.is_available and one is not thing
        }
        newest = bool(left) and max(left) == max(slots)
        _demand(2, newest, f"{thing.arn} is the newest point at {thing.location}")
        least = self.documents.estate.guards.min_points
        _demand(2, len(left) >= least, f"{thing.arn} is one of the last {least} points")

    def is_let_go(self, thing: Thing) -> bool:
        """Whether no rule of a living source keeps a point, so that only a protection may."""
        claim, database = self.claims[thing.arn], self.heir(thing.protects)
        maker = self.maker(claim.policy)
        if database is None or self.promised(thing):
            return False
        if self._is_retired(thing, claim):
            return True
        deciding = {one.name: one for one in (*self.takers(database), maker) if one is not None}
        keeps = [
            (policy, list(self.keeps(policy, database.location, thing.location)))
            for policy in deciding.values()
        ]
        if maker is None or not all(said for _, said in keeps):
            return False
        family = self.family(database)
        there = [one for source in family for one in self.points(source, thing.location)]
        judged = [one for one in there if one.is_available and not self.promised(one)]
        slots = {self.claims[one.arn].slot for one in judged}
        kept = [self.kept(slots, keep, policy) for policy, said in keeps for keep in said]
        return not any(claim.slot in those for those in kept)

    def promised(self, thing: Thing) -> datetime | None:
        """Until when a point stays whatever rules say; None where rules decide."""
        claim, now = self.claims[thing.arn], self.world.clock
        found = [] if claim.keep_until is None else [claim.keep_until]
        database = self.heir(thing.protects)
        for policy in self.takers(database) if database else ():
            events = policy.terms.events
            found += [one.keep_until for one in events if one.at == claim.slot]
        return next((until for until in found if until > now), None)

    def kept(self, slots: set[datetime], keep: Keep, policy: Policy) -> set[datetime]:
        """What a policy's rules keep of these slots, now."""
        decision = decide(sorted(slots), keep, policy.terms.timezone, None, self.world.clock)
        return {kept.time for kept in decision.keep}

    def _check_orphan(self, thing: Thing, claim: Claim, maker: Policy) -> None:
        orphans = maker.terms.orphans
        _demand(2, orphans is not None, f"{thing.arn} is an orphan that nothing lets go")
        assert orphans is not None
        _demand(2, maker.terms.hold is None, f"{thing.arn} is held")
        gone = self.world.deleted_at[thing.protects]
        over = gone <= orphans.keep_for.before(self.world.clock)
        _demand(2, over, f"{thing.arn}: its source went {gone}, too short a time ago")
        marked = datetime.fromisoformat(thing.tags[GONE_SINCE])
        _demand(2, marked >= gone, f"{thing.arn}: gone since {marked}, but it went {gone}")
        points = self.points(thing.protects, thing.location)
        slots = sorted({self.claims[one.arn].slot for one in points if one.is_available})
        last = slots[-orphans.keep_last :] if orphans.keep_last else []
        _demand(2, claim.slot not in last, f"{thing.arn} is the last point of a gone source")

    def keeps(self, policy: Policy, home: Location, at: Location) -> Iterator[Keep]:
        """The keep rules of a policy at a location."""
        snapshots = policy.terms.snapshots
        if at == home:
            yield snapshots.keep
        for copy in snapshots.copies:
            if self.target(copy.target) == at:
                yield snapshots.keep if copy.keep is None else copy.keep

    # -- promise 3 ------------------------------------------------------------------------------

    def _check_base(self, thing: Thing) -> None:
        if self.world.living(thing.protects) is None:
            return
        if thing.tags[ZONE] == "unknown":
            return
        chain = [one for one in self.world.at(thing.location) if _is_same_chain(one, thing)]
        idle_after = self._idle_after(thing)
        idle = all(
            one.made + idle_after <= self.world.clock and not one.is_in_flight for one in chain
        )
        later = [one for one in chain if one.is_available and one is not thing]
        has_base = any(one.original >= thing.original for one in later) and any(
            one.made >= thing.made for one in later
        )
        _demand(3, idle or has_base, f"{thing.arn} is the base of its chain")

    def _idle_after(self, thing: Thing) -> timedelta:
        database = self.heir(thing.protects)
        takers = self.takers(database) if database else []
        policy = takers[0] if takers else self.maker(self.claims[thing.arn].policy)
        return policy.terms.idle_after if policy else DEFAULT_IDLE_AFTER

    # -- who is who -----------------------------------------------------------------------------

    def owned(self, source: Source, location: Location | None = None) -> list[Thing]:
        """What the engine made of a source, at a location or anywhere, but for failures."""
        return [
            one
            for one in self.world.things.values()
            if one.by_engine
            and one.protects == source
            and location in (None, one.location)
            and one.status != "failed"
        ]

    def points(self, source: Source, location: Location) -> list[Thing]:
        """What of that is no bridge."""
        owned = self.owned(source, location)
        return [one for one in owned if self.claims[one.arn].role is not Role.BRIDGE]

    def heir(self, source: Source) -> Database | None:
        """The living database that a source is, or that took its latest name that lives."""
        living = self.world.living(source)
        if living is not None:
            return living
        claims = sorted(
            (self.claims[one.arn] for one in self.owned(source)), key=lambda claim: claim.slot
        )
        named = [self.world.database(claim.name) for claim in claims]
        return next((one for one in reversed(named) if one is not None), None)

    def family(self, database: Database) -> set[Source]:
        """The sources that are judged together with a living one."""
        sources = {one.protects for one in self.world.things.values() if one.by_engine}
        own = (database.location, database.resource)
        return {one for one in sources if self.heir(one) is database} | {own}

    def maker(self, name: str) -> Policy | None:
        """The policy of a name, or the one that took its points over."""
        policies = self.documents.policies
        heirs = (policy for policy in policies.values() if name in policy.formerly)
        return policies.get(name) or next(heirs, None)

    def takers(self, database: Database) -> list[Policy]:
        """The policies that take a database, by name."""
        names = sorted(self.documents.policies)
        found = [self.documents.policies[name] for name in names]
        found = [policy for policy in found if _takes(policy, database)]
        return [policy for policy in found if not policy.select.rest] or found

    def target(self, name: str) -> Location:
        """Where the copies for a target go."""
        target = self.documents.estate.targets[name]
        assert isinstance(target, Target), "random estates have plain targets"
        return Location(self.documents.estate.accounts[target.account].id, target.region)

    def _is_retired(self, thing: Thing, claim: Claim) -> bool:
        if not any(self._unmanaged(thing, claim)):
            return False
        globs = [retire.policy for retire in self.documents.estate.retire]
        return any(glob is not None and fnmatchcase(claim.policy, glob) for glob in globs)

    def _unmanaged(self, thing: Thing, claim: Claim) -> Iterator[UnmanagedReason]:
        maker = self.maker(claim.policy)
        database = self.heir(thing.protects)
        takers = self.takers(database) if database else []
        if maker is None:
            yield UnmanagedReason.POLICY_GONE
        if database is not None and not takers:
            yield UnmanagedReason.SOURCE_UNMATCHED
        home, _ = thing.protects
        for policy in (maker, *takers):
            if policy is not None and not list(self.keeps(policy, home, thing.location)):
                yield UnmanagedReason.TARGET_DROPPED


def _takes(policy: Policy, database: Database) -> bool:
    """Whether a policy takes a database; random policies select by tier and by name only."""
    if database.replicates is not None:
        return False
    condition = policy.select.condition
    tiers = condition.tags.get("tier", ("*",))
    globs = condition.identifiers or ("*",)
    return any(fnmatchcase(database.tags["tier"], tier) for tier in tiers) and any(
        fnmatchcase(database.identifier, glob) for glob in globs
    )


def _is_same_chain(one: Thing, other: Thing) -> bool:
    """Whether AWS could store one as a delta of the other: one disk, one way, the same keys."""
    same_place = one.location == other.location
    return same_place and one.by_engine and (one.media, one.line) == (other.media, other.line)


def _demand(promise: int, holds: bool, otherwise: str) -> None:
    if not holds:
        raise BrokenError(f"promise {promise}: {otherwise}")
