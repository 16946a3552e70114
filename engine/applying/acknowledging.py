"""Steps of a saved plan set free by the digest of the guard that withholds them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from engine.plans.plan import Plan, Step


def acknowledge(plan: Plan, digests: Iterable[str]) -> tuple[Plan, frozenset[str]]:
    """Free what the guards named by `digests` withhold, unless another guard does too.

    With a freed step go the steps that were held back only because of it: those behind it, and
    those before it that only served it.

    Returns:
        the plan with fewer steps withheld, and the digests that no guard of it has.
    """
    named = frozenset(digests)
    accepted = [guard for guard in plan.guards if guard.acknowledge in named]
    unknown = named - {guard.acknowledge for guard in accepted if guard.acknowledge}
    others = (guard for guard in plan.guards if guard.tripped and guard not in accepted)
    still_held = {name for guard in others if not guard.acknowledged for name in guard.withholds}
    freed = {name for guard in accepted for name in guard.withholds} - still_held
    kinds = {guard.guard.value for guard in accepted}
    freed = _with_company(plan.steps, freed, kinds, still_held)
    steps = tuple(
        replace(step, withheld_by=None) if step.id in freed else step for step in plan.steps
    )
    guards = tuple(
        replace(guard, acknowledged=True) if guard in accepted else guard for guard in plan.guards
    )
    return replace(plan, steps=steps, guards=guards), unknown


def _with_company(
    steps: Iterable[Step], freed: set[str], kinds: set[str], still_held: set[str]
) -> set[str]:
    held = {step.id: step for step in steps if step.withheld_by and step.id not in still_held}
    known = set(freed)
    grown = True
    while grown:
        needed = {before for name in known if name in held for before in held[name].depends_on}
        company = {
            name
            for name, step in held.items()
            if step.withheld_by in known or (name in needed and step.withheld_by in kinds)
        }
        grown = not company <= known
        known |= company
    return known & held.keys()
