"""Random plans, well formed but as odd as the types allow."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import strategies as st

from engine.plans.consequences import (
    Consequences,
    CostChange,
    NewChain,
    PointChange,
    PolicyEdit,
    Protected,
    Reach,
    TermEdit,
    WindowChange,
)
from engine.plans.costs import Costs, Fit, Night, PlaceCost, PolicyCost, StepCost
from engine.plans.digest import plan_digest
from engine.plans.objectives import (
    Gap,
    Judgement,
    Newest,
    Objective,
    Objectives,
    RestoreInput,
    RestoreWindow,
)
from engine.plans.plan import (
    FORMAT_VERSION,
    Afterwards,
    At,
    Conflict,
    CopyTree,
    Drift,
    Finding,
    Forecast,
    ForeignOrphan,
    GuardState,
    Held,
    Hop,
    IdleChain,
    InventoryRead,
    Kept,
    NextSlot,
    Plan,
    Reason,
    Retained,
    ScopeRead,
    SourceRef,
    Step,
    Summary,
    Unmanaged,
    Unprotected,
    Waits,
    Warned,
)

numbers = st.integers(0, 2**53)
words = st.text(max_size=12)
maybe_words = st.none() | words
names = st.lists(words, max_size=3).map(tuple)
times = st.datetimes(
    datetime(1970, 1, 1),  # noqa: DTZ001  # hypothesis adds the zone
    datetime(2100, 1, 1),  # noqa: DTZ001  # hypothesis adds the zone
    timezones=st.just(UTC),
).map(lambda time: time.replace(microsecond=0))
places = st.builds(At, words, words)
sources = st.builds(SourceRef, words, words, words, words)
reasons = st.builds(Reason, words, words, maybe_words)
forecasts = st.builds(Forecast, gib=st.tuples(numbers, numbers))
values: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | numbers | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
single_steps = st.builds(
    Step,
    source=sources,
    slot=st.none() | times,
    location=places,
    parameters=st.dictionaries(words, values, max_size=3),
    reason=reasons,
    forecast=st.none() | forecasts,
    depends_on=st.just(()),
    withheld_by=maybe_words,
)


@st.composite
def step_lists(draw: st.DrawFn) -> tuple[Step, ...]:
    """Steps with ids of their own that depend on earlier ones."""
    steps = draw(st.lists(single_steps, max_size=5, unique_by=lambda step: step.id))
    ids = [step.id for step in steps]
    return tuple(
        replace(step, depends_on=tuple(draw(st.sets(st.sampled_from(ids[:number]), max_size=2))))
        if number
        else step
        for number, step in enumerate(steps)
    )


def some(items: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(items, max_size=3).map(tuple)


inventories = st.builds(
    InventoryRead,
    taken_at=st.none() | times,
    scopes=some(st.builds(ScopeRead, instances=st.none() | numbers, snapshots=st.none() | numbers)),
)
amounts = st.floats(-1e9, 1e9).map(lambda amount: round(amount, 2))
pairs = st.tuples(amounts, amounts)
costs = st.builds(
    Costs,
    usd_month=pairs,
    change_usd_month=pairs,
    usd_once=pairs,
    steps=some(
        st.builds(*(StepCost, words, pairs, pairs, pairs), seconds=st.none() | pairs, seen=numbers)
    ),
    policies=some(st.builds(PolicyCost, words, words, words, numbers, pairs, pairs, pairs)),
    places=some(st.builds(PlaceCost, words, words, pairs, pairs, pairs, pairs, pairs)),
    assumptions=names,
    nights=some(st.builds(Night, words, numbers, pairs, numbers, st.sampled_from(Fit))),
)
guards = st.builds(
    GuardState, limit=st.none() | numbers, value=numbers, acknowledge=maybe_words, withholds=names
)
judgements = st.none() | st.builds(
    Judgement, limit=numbers, low=st.none() | numbers, high=st.none() | numbers
)
objectives = st.builds(
    Objective,
    source=sources,
    location=places,
    rpo=judgements,
    rto=judgements,
    newest=st.none() | st.builds(Newest, at=times),
    points=numbers,
    worst_gap=st.none() | st.builds(Gap, times, times),
    window=st.none() | st.builds(RestoreWindow, st.none() | times, st.none() | times, numbers),
    inputs=some(st.builds(RestoreInput, low=numbers, high=numbers)),
    mended_by=maybe_words,
)
point_changes = st.builds(
    PointChange,
    slot=times,
    before_at=st.none() | times,
    after_at=st.none() | times,
    acknowledge=maybe_words,
)
compared = st.builds(
    Consequences,
    commit=maybe_words,
    policies_digest=maybe_words,
    horizon=st.none() | times,
    problems=names,
    edits=some(st.builds(PolicyEdit, terms=some(st.builds(TermEdit)))),
    reach=some(
        st.builds(
            Reach,
            source=sources,
            location=places,
            oldest_before=st.none() | times,
            oldest_after=st.none() | times,
            later_before=st.none() | times,
            later_after=st.none() | times,
            points=some(point_changes),
        )
    ),
    chains=some(
        st.builds(
            NewChain,
            source=sources,
            location=places,
            slot=st.none() | times,
            gib=st.tuples(numbers, numbers),
        )
    ),
    protection=some(st.builds(Protected, source=sources, location=places)),
    costs=some(st.builds(CostChange, words, places, pairs, pairs)),
    windows=some(st.builds(WindowChange, sources, words, numbers, numbers)),
)
plans = st.builds(
    Plan,
    format_version=st.just(FORMAT_VERSION),
    as_of=times,
    expires_at=times,
    inventory=inventories,
    summary=st.builds(Summary),
    steps=step_lists(),
    kept=some(st.builds(Kept, location=places, slot=times, reasons=some(reasons))),
    waiting=some(st.builds(Waits, source=sources, location=places, slot=st.none() | times)),
    unprotected=some(st.builds(Unprotected, source=sources)),
    unmanaged=some(st.builds(Unmanaged, location=places, slot=times)),
    conflicts=some(st.builds(Conflict, location=places, source=sources, slot=times)),
    drift=some(
        st.builds(Drift, location=places, source=st.none() | sources, slot=st.none() | times)
    ),
    warnings=some(st.builds(Warned, source=maybe_words, policy=maybe_words, fix=maybe_words)),
    next=some(st.builds(NextSlot, slot=times, creates=numbers, copies=numbers, full=numbers)),
    guards=some(guards),
    findings=some(st.builds(Finding, promise=numbers)),
    only=names,
    exclude=names,
    retained=some(st.builds(Retained, location=places, source=sources, until=st.none() | times)),
    afterwards=some(
        st.builds(Afterwards, location=places, source=sources, slot=times, reasons=some(reasons))
    ),
    foreign_orphans=some(
        st.builds(
            ForeignOrphan,
            location=places,
            source=sources,
            taken_at=st.none() | times,
            gib=numbers,
            usd_month=st.none() | pairs,
        )
    ),
    holds=some(st.builds(Held, source=sources, snapshots=numbers)),
    objectives=st.builds(Objectives, judged=numbers, told=some(objectives)),
    costs=st.none() | costs,
    consequences=st.none() | compared,
    copy_trees=some(
        st.builds(
            CopyTree,
            policy=words,
            home=places,
            hops=some(st.builds(Hop, words, words)),
            sources=numbers,
            gib=numbers,
            usd_per_gib=st.floats(0, 9),
            star_usd_per_gib=st.floats(0, 9),
        )
    ),
    idle_chains=some(
        st.builds(
            IdleChain,
            location=places,
            source=sources,
            role=st.sampled_from(["primary", "copy", "bridge"]),
            snapshots=numbers.map(lambda number: number + 1),
            gib=numbers,
            until=times,
            spares=numbers,
            usd_month=st.none() | pairs,
            saves_usd_month=st.none() | pairs,
        )
    ),
).map(lambda plan: replace(plan, digest=plan_digest(plan.steps)))
