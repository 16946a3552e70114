"""Holds: why nothing of a database may be deleted, whichever policy says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from engine.documents.model import Policy, Terms
from engine.planning.draft import Draft
from engine.planning.orphans import last_seen
from engine.planning.survey import Holding, Source, World
from engine.plans.plan import Held


def hold_on(source: Source, holding: Holding, world: World) -> tuple[str, str] | None:
    """Return the policy that holds an object, and why: the one that matches now or its maker."""
    for policy, terms in _says(source, holding, world):
        if terms.hold is not None:
            return policy.name, terms.hold
    return None


def _says(source: Source, holding: Holding, world: World) -> Iterator[tuple[Policy, Terms]]:
    if source.policy is not None and source.terms is not None:
        yield source.policy, source.terms
    maker = world.matcher.maker(holding.marks.policy)
    if maker is not None and source.instance is not None:
        yield maker, world.matcher.terms(maker, source.instance)
    elif maker is not None:
        for terms in world.matcher.possible_terms(maker, last_seen(source, holding)):
            yield maker, terms


def holds(drafts: Iterable[Draft], world: World) -> Iterator[Held]:
    """Yield the databases on hold, whether or not anything of them would go without it."""
    for draft in drafts:
        source = draft.source
        found: Counter[tuple[str, str]] = Counter()
        if source.policy is not None and source.terms is not None and source.terms.hold:
            found[source.policy.name, source.terms.hold] = 0
        found.update(
            hold
            for holding in source.holdings
            if (hold := hold_on(source, holding, world)) is not None
        )
        for policy, reason in sorted(found):
            yield Held(source.ref, policy, reason, found[policy, reason])
