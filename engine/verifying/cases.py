"""One delete and all that bears on it: the object, its source, and who may let it go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from engine.documents.model import Documents, Policy, Retire, Terms
from engine.documents.terms import terms_for
from engine.identity.marks import PREFIX, Marks, Role
from engine.inventory.records import Instance, Location
from engine.plans.codes import UnmanagedReason
from engine.plans.plan import Step
from engine.retention.keep import Keep
from engine.verifying.conditions import account_names, reaches
from engine.verifying.evidence import Evidence, Held
from engine.verifying.sources import (
    Family,
    Source,
    Sources,
    Standing,
    source_of,
    target_location,
)


@dataclass(frozen=True, slots=True)
class Say:
    """What one policy says of one source: its terms, and the keep rules at each location."""

    policy: Policy
    terms: Terms
    home: Location
    targets: frozenset[Location]

    def manages(self, role: Role, location: Location) -> bool:
        """Whether the policy has objects of this role at a location."""
        return location in self.targets if role is Role.COPY else location == self.home


@dataclass(frozen=True, slots=True)
class Case:
    """The delete of an owned object.

    `now_says` and `maker_says` are the policy that matches the source now and the one that made
    the object, as far as there are any. `unmanaged` says why no policy decides about it.
    """

    step: Step
    held: Held
    source: Source
    family: Family
    now_says: Say | None
    maker_says: Say | None
    unmanaged: frozenset[UnmanagedReason]
    retired: bool

    @property
    def marks(self) -> Marks:
        """The object's marks."""
        return self.held.marks

    @property
    def location(self) -> Location:
        """Where the object lies."""
        return self.held.location

    @property
    def says(self) -> tuple[Say, ...]:
        """The policies that have a say, the same one once."""
        both = (self.now_says, self.maker_says)
        return tuple({say.policy.name: say for say in both if say is not None}.values())


class Cases:
    """Works out cases; what policies say of a source is worked out once."""

    def __init__(self, evidence: Evidence) -> None:
        self.sources = Sources(evidence)
        self._evidence = evidence
        self._documents = evidence.documents
        self._says: dict[tuple[str, str], Say] = {}
        self._makers = dict(_makers(evidence.documents))

    def case(self, step: Step) -> Case | None:
        """Return the case of a delete; None where no owned object with a source is deleted."""
        held = self._evidence.owned(self._evidence.existing[step.arn])
        source = source_of(held.marks) if held else None
        if held is None or source is None:
            return None
        family = self.sources.family(source)
        maker = self._makers.get(held.marks.policy)
        subject = family.instance or _likeness(source, held)
        now_says = self._says_of(family.taker, family, subject)
        maker_says = self._says_of(maker, family, subject)
        unmanaged = frozenset(self._unmanaged(held, family, now_says, maker_says))
        return Case(
            step=step,
            held=held,
            source=source,
            family=family,
            now_says=now_says,
            maker_says=maker_says,
            unmanaged=unmanaged,
            retired=any(
                self._retires(retire, held, source, unmanaged)
                for retire in self._documents.estate.retire
            ),
        )

    def terms_now(self, marks: Marks) -> Terms | None:
        """Return the terms of the policy that matches an object's source now, if one does."""
        source = source_of(marks)
        family = self.sources.family(source) if source else None
        if family is None or family.instance is None:
            return None
        says = self._says_of(family.taker, family, family.instance)
        return says.terms if says else None

    def _says_of(self, policy: Policy | None, family: Family, subject: Instance) -> Say | None:
        """Return what a policy says; of an instance that lives the same each time."""
        if policy is None or family.instance is None:
            return self._say(policy, subject) if policy else None
        key = (policy.name, family.instance.arn)
        if key not in self._says:
            self._says[key] = self._say(policy, subject)
        return self._says[key]

    def _say(self, policy: Policy, subject: Instance) -> Say:
        names = account_names(self._documents, subject)
        applied = tuple(
            index
            for index, override in enumerate(policy.overrides)
            if reaches(override.select, subject, names)
        )
        terms = terms_for(policy, applied)
        targets = [
            target_location(self._documents, copy.target, subject.location)
            for copy in terms.snapshots.copies
        ]
        found = frozenset([target for target in targets if target is not None])
        return Say(policy, terms, subject.location, found)

    def keeps_at(self, say: Say, location: Location) -> tuple[Keep, ...]:
        """Return the keep rules that hold at a location for primaries and for copies."""
        snapshots = say.terms.snapshots
        own = (snapshots.keep,) if location == say.home else ()
        sent = tuple(
            snapshots.keep if copy.keep is None else copy.keep
            for copy in snapshots.copies
            if target_location(self._documents, copy.target, say.home) == location
        )
        return own + sent

    def _unmanaged(
        self, held: Held, family: Family, now_says: Say | None, maker_says: Say | None
    ) -> Iterator[UnmanagedReason]:
        """Yield why no policy decides about `held`; nothing if one does."""
        if maker_says is None:
            yield UnmanagedReason.POLICY_GONE
        if family.instance is not None and now_says is None:
            yield UnmanagedReason.SOURCE_UNMATCHED
        says = [say for say in (now_says, maker_says) if say is not None]
        if not all(say.manages(held.marks.role, held.location) for say in says):
            yield UnmanagedReason.TARGET_DROPPED
        if family.standing is Standing.OUTSIDE:
            yield UnmanagedReason.LOCATION_OUTSIDE_ESTATE

    def _retires(
        self, retire: Retire, held: Held, source: Source, unmanaged: frozenset[UnmanagedReason]
    ) -> bool:
        """Return whether `retire` lets an unmanaged object go; all its conditions must hold.

        Its `reason` is a text for people and no condition.
        """
        name = held.marks.source.rsplit(":", 1)[-1]
        homes = {f"{place}/{name}" for place in self._addresses(source.home)}
        said = (
            (retire.policy, {held.marks.policy}),
            (retire.sources, homes),
            (retire.locations, self._addresses(held.location)),
        )
        given = [(glob, texts) for glob, texts in said if glob is not None]
        return bool(given) and bool(unmanaged) and all(_matches(*one) for one in given)

    def _addresses(self, location: Location) -> frozenset[str]:
        accounts = self._documents.estate.accounts.values()
        names = {one.name for one in accounts if one.id == location.account}
        return frozenset(f"{name}/{location.region}" for name in names | {location.account})


def _matches(glob: str, texts: frozenset[str] | set[str]) -> bool:
    return any(fnmatchcase(text, glob) for text in texts)


def _makers(documents: Documents) -> Iterator[tuple[str, Policy]]:
    """Yield the policy that stands for each name; a living name goes before a former one."""
    for policy in documents.policies.values():
        for name in policy.formerly:
            yield name, policy
    yield from documents.policies.items()


def _likeness(source: Source, held: Held) -> Instance:
    """Return what is still known of an instance that is not there to be looked at."""
    tags = held.snapshot.tags.items()
    return Instance(
        arn=held.marks.source,
        location=source.home,
        identifier=held.marks.source.rsplit(":", 1)[-1],
        resource_id=source.resource,
        engine=held.snapshot.engine,
        tags={key: value for key, value in tags if not key.startswith(PREFIX)},
    )
