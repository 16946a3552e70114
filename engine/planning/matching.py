"""Stage 1: which policy protects which database, and on what terms."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from engine.documents.model import Condition, Documents, Estate, Policy, Select, Terms
from engine.documents.terms import terms_for
from engine.inventory.records import Instance, Kind, kind_of

_OTHER_CLUSTERS = ("neptune", "docdb", "custom-")
_OTHER_SERVICES = ("aurora", *_OTHER_CLUSTERS)


def is_protectable(instance: Instance) -> bool:
    """Say whether manual snapshots of its own are the way to back this database up.

    Members of clusters take cluster snapshots, Neptune and DocumentDB only share the listing, and
    snapshots of RDS Custom cannot be copied (API reference, CreateDBSnapshot, CopyDBSnapshot).
    """
    if kind_of(instance.arn) is Kind.CLUSTER:
        return not is_of_another_service(instance)
    return instance.cluster is None and not instance.engine.startswith(_OTHER_SERVICES)


def is_of_another_service(instance: Instance) -> bool:
    """Say whether a database only shares RDS's listing, or is of RDS Custom."""
    return instance.engine.startswith(_OTHER_CLUSTERS)


@lru_cache(maxsize=4096)
def _glob(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(fnmatch.translate(pattern) for pattern in patterns))


def _fits(patterns: tuple[str, ...], text: str) -> bool:
    """Say whether a text fits one of the globs; where none are given, all texts do."""
    return _glob(patterns).match(text) is not None


@dataclass(frozen=True, slots=True)
class Match:
    """What the policies say of one database: the one that decides, and its rivals' names."""

    policy: Policy | None
    terms: Terms | None
    rivals: tuple[str, ...] = ()


class Matcher:
    """Matches databases to policies. Terms are made once per policy and set of overrides."""

    def __init__(self, documents: Documents) -> None:
        self._estate = documents.estate
        self._names = account_names(documents.estate)
        ordered = [documents.policies[name] for name in sorted(documents.policies)]
        self._policies = [policy for policy in ordered if not policy.select.rest]
        self._rests = [policy for policy in ordered if policy.select.rest]
        self._makers = makers(documents)
        self._terms: dict[tuple[str, tuple[int, ...]], Terms] = {}

    def match(self, instance: Instance) -> Match:
        """Return the policy for a live database; `rest` takes what no other policy takes."""
        if not is_protectable(instance):
            return Match(None, None)
        taken = [p for p in self._policies if self._takes(p.select, instance)]
        taken = taken or [p for p in self._rests if self._takes(p.select, instance)]
        if not taken:
            return Match(None, None)
        first = taken[0]
        return Match(first, self.terms(first, instance), tuple(p.name for p in taken[1:]))

    def maker(self, name: str) -> Policy | None:
        """Return the policy that answers for points tagged with `name`, old names included."""
        return self._makers.get(name)

    def terms(self, policy: Policy, instance: Instance) -> Terms:
        """Return the terms of a policy for one database, overrides applied."""
        applied = tuple(
            index
            for index, override in enumerate(policy.overrides)
            if self._holds(override.select.condition, instance)
            and not any(self._holds(entry, instance) for entry in override.select.exclude)
        )
        key = (policy.name, applied)
        if key not in self._terms:
            self._terms[key] = terms_for(policy, applied)
        return self._terms[key]

    def possible_terms(self, policy: Policy, last_seen: Instance) -> list[Terms]:
        """Return the terms that may have held for a gone database, whose tags nobody knows.

        Beside those that hold whatever its tags were, there is one for each override that asks
        for tags: what may go must be free to go under every one.
        """
        certain: list[int] = []
        perhaps: list[int] = []
        for index, override in enumerate(policy.overrides):
            select = override.select
            if not self._may_hold(select.condition, last_seen):
                continue
            excluding = [entry for entry in select.exclude if self._may_hold(entry, last_seen)]
            if all(entry.tags for entry in excluding):
                asks = select.condition.tags or excluding
                (perhaps if asks else certain).append(index)
        applied = [certain, *(sorted([*certain, index]) for index in perhaps)]
        return [terms_for(policy, tuple(indexes)) for indexes in applied]

    def fits(self, select: Select, instance: Instance) -> bool:
        """Say whether the conditions of a `select` hold for an instance, replica or not."""
        return self._holds(select.condition, instance) and not any(
            self._holds(entry, instance) for entry in select.exclude
        )

    def may_fit(self, select: Select, last_seen: Instance) -> bool:
        """Say whether they may have held for a gone database, whose tags nobody knows."""
        return self._may_hold(select.condition, last_seen) and not any(
            self._holds(entry, last_seen) for entry in select.exclude if not entry.tags
        )

    def _may_hold(self, condition: Condition, instance: Instance) -> bool:
        """Say whether a condition holds for some tags."""
        return self._holds(replace(condition, tags={}), instance)

    def _takes(self, select: Select, instance: Instance) -> bool:
        if instance.replica_of is not None and not select.replicas:
            return False
        return self._holds(select.condition, instance) and not any(
            self._holds(entry, instance) for entry in select.exclude
        )

    def _holds(self, condition: Condition, instance: Instance) -> bool:
        account = self._names.get(instance.location.account, instance.location.account)
        return (
            _fits(condition.accounts, account)
            and _fits(condition.regions, instance.location.region)
            and _fits(condition.engines, instance.engine)
            and _fits(condition.identifiers, instance.identifier)
            and _tags_hold(condition.tags, instance.tags)
        )


def _tags_hold(wanted: Mapping[str, tuple[str, ...]], tags: Mapping[str, str]) -> bool:
    return all(key in tags and _fits(values, tags[key]) for key, values in wanted.items())


def makers(documents: Documents) -> dict[str, Policy]:
    """Return who answers for each policy name: a live policy before one that took it over."""
    answers: dict[str, Policy] = {}
    for name in sorted(documents.policies, reverse=True):
        for old in documents.policies[name].formerly:
            answers[old] = documents.policies[name]
    return answers | dict(documents.policies)


def account_names(estate: Estate) -> dict[str, str]:
    """Return the name of each account id of the estate."""
    return {account.id: account.name for account in estate.accounts.values()}


def address_matches(globs: Iterable[str], address: str, account_name: str | None) -> bool:
    """Say whether one of the ADDRESS globs fits, with the account's id or its name."""
    patterns = tuple(globs)
    if not patterns:
        return False
    _, _, rest = address.partition("/")
    return _fits(patterns, address) or (
        account_name is not None and _fits(patterns, f"{account_name}/{rest}")
    )
