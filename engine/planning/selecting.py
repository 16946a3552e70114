"""Which sources a run is about: `-only` and `-exclude`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.planning.matching import account_names, address_matches
from engine.planning.survey import Source, World
from engine.plans.plan import PlanOptions


def selected(sources: Iterable[Source], world: World, options: PlanOptions) -> Iterator[Source]:
    """Yield the sources that the options leave."""
    names = account_names(world.estate)
    for source in sources:
        name = names.get(source.ref.account)
        address = source.ref.address
        left_out = options.only and not address_matches(options.only, address, name)
        if not left_out and not address_matches(options.exclude, address, name):
            yield source
