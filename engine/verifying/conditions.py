"""Which policies take an instance, read from the documents alone."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from engine.documents.model import Condition, Documents, Policy, Select, Terms
from engine.documents.terms import terms_for
from engine.inventory.records import Instance


def takers(documents: Documents, instance: Instance) -> tuple[Policy, ...]:
    """Return the policies that take `instance`, by name.

    Those with `rest` take it only if no other one does.
    """
    names = account_names(documents, instance)
    taking = [one for one in documents.policies.values() if selects(one.select, instance, names)]
    first = [policy for policy in taking if not policy.select.rest]
    return tuple(sorted(first or taking, key=lambda policy: policy.name))


def account_names(documents: Documents, instance: Instance) -> frozenset[str]:
    """Return what the estate calls the account of `instance`."""
    accounts = documents.estate.accounts.items()
    return frozenset(name for name, one in accounts if one.id == instance.location.account)


def selects(select: Select, instance: Instance, names: frozenset[str]) -> bool:
    """Return whether `select` takes an instance whose account is called `names`."""
    if instance.replica_of is not None and not select.replicas:
        return False
    return reaches(select, instance, names)


def reaches(select: Select, instance: Instance, names: frozenset[str]) -> bool:
    """Return whether the conditions hold; whether it is a replica is the policy's question."""
    if any(_holds(condition, instance, names) for condition in select.exclude):
        return False
    return _holds(select.condition, instance, names)


def terms_of(documents: Documents, policy: Policy, instance: Instance) -> Terms:
    """Return what a policy says of an instance, with the overrides that reach it."""
    names = account_names(documents, instance)
    applied = tuple(
        index
        for index, override in enumerate(policy.overrides)
        if reaches(override.select, instance, names)
    )
    return terms_for(policy, applied)


def _holds(condition: Condition, instance: Instance, names: frozenset[str]) -> bool:
    named = (
        (condition.accounts, names),
        (condition.regions, {instance.location.region}),
        (condition.engines, {instance.engine}),
        (condition.identifiers, {instance.identifier}),
    )
    return all(_any_match(globs, texts) for globs, texts in named if globs) and all(
        key in instance.tags and _any_match(globs, {instance.tags[key]})
        for key, globs in condition.tags.items()
    )


def _any_match(globs: Iterable[str], texts: Iterable[str]) -> bool:
    return any(fnmatchcase(text, glob) for text in texts for glob in globs)
