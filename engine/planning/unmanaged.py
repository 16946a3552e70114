"""Points that no policy decides about: kept, reported, removed only through `retire:`."""

from __future__ import annotations

from collections.abc import Iterable

from engine.documents.model import Retire
from engine.inventory.records import Location
from engine.planning.draft import Draft
from engine.planning.matching import account_names, address_matches
from engine.planning.removal import Removal, because, not_available
from engine.planning.survey import Holding, World
from engine.plans.codes import KeepReason, StepReason, UnmanagedReason
from engine.plans.plan import Reason


def leave_or_retire(
    draft: Draft,
    world: World,
    points: Iterable[Holding],
    code: UnmanagedReason,
    text: str,
    exempt: frozenset[KeepReason],
) -> list[Removal]:
    """Report unmanaged objects; return the removals of those that the estate retires.

    `exempt` is what need not protect them.
    """
    removals = []
    for holding in points:
        retire = _retire(draft, world, holding.location, holding.marks.policy)
        draft.leave_unmanaged(holding, code, text)
        if retire is None:
            draft.keep(holding, [because(KeepReason.UNMANAGED, text)])
        elif not holding.is_available:
            draft.keep(holding, [not_available(holding)])
        else:
            why = f"the estate retires it: {retire.reason or text}"
            reason = Reason(StepReason.RETIRED.value, why)
            removals.append(Removal(holding, reason, exempt=exempt))
    return removals


def may_be_retired(draft: Draft, world: World, location: Location, policy: str | None) -> bool:
    """Say whether the estate retires points of a policy there, as soon as none decides of them."""
    return policy is not None and _retire(draft, world, location, policy) is not None


def _retire(draft: Draft, world: World, location: Location, policy: str) -> Retire | None:
    retiring = world.estate.retire
    return next((r for r in retiring if _retires(r, draft, world, location, policy)), None)


def _retires(retire: Retire, draft: Draft, world: World, location: Location, policy: str) -> bool:
    names = account_names(world.estate)
    source = draft.source.ref
    return (
        (retire.policy is None or address_matches([retire.policy], policy, None))
        and (
            retire.sources is None
            or address_matches([retire.sources], source.address, names.get(source.account))
        )
        and (
            retire.locations is None
            or address_matches([retire.locations], str(location), names.get(location.account))
        )
        and (retire.policy, retire.sources, retire.locations) != (None, None, None)
    )


def policy_gone(holding: Holding) -> str:
    """Return the text for a point whose policy was removed."""
    return f"policy {holding.marks.policy}, which made it, no longer exists"
