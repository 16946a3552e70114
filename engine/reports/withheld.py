"""The sections about what guards hold back, and how to let it go."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from engine.plans.plan import Finding, GuardState, Plan, Step
from engine.reports.folding import fold
from engine.reports.lines import Form, Line, Section, Span, Tone, line, name
from engine.reports.step_sections import fold_lines
from engine.reports.wording import GUARDS, count


def withheld_sections(plan: Plan, *, full: bool) -> Iterator[Section]:
    """Yield what is withheld, by guard; every withheld step is in it once."""
    held = [step for step in plan.steps if step.withheld_by is not None]
    tripped = [state for state in plan.guards if state.tripped and not state.acknowledged]
    if held or tripped:
        lines = tuple(_withheld(held, tripped, full=full))
        yield Section(f"Withheld: {count(len(held), 'step')}", lines, Tone.PROBLEM, Form.STEPS)


def acknowledged_section(plan: Plan) -> Iterator[Section]:
    """Yield the guards that someone let go, so that a reader knows what was let go."""
    if accepted := [state for state in plan.guards if state.tripped and state.acknowledged]:
        title = f"Acknowledged: {count(len(accepted), 'guard')}"
        yield Section(title, tuple(_guard(state) for state in accepted))


def _withheld(held: Sequence[Step], tripped: Sequence[GuardState], *, full: bool) -> Iterator[Line]:
    groups = _by_guard(held, tripped)
    for state in tripped:
        yield _guard(state)
        yield from fold_lines(fold(groups.pop(id(state), ()), unfold=full), full=full, level=2)
        if state.acknowledge is not None:
            yield line("If that is meant, let it go with", level=2)
            yield line(name(f"engine apply -acknowledge {state.acknowledge}"), level=3)
    for steps in groups.values():
        yield line(GUARDS.get(steps[0].withheld_by or "", "by a step that is withheld"), level=1)
        yield from fold_lines(fold(steps, unfold=full), full=full, level=2)


def finding_section(findings: Sequence[Finding]) -> Iterator[Section]:
    """Yield what the verifier has against steps."""
    if not findings:
        return
    lines = [
        line(f"promise {found.promise}: {found.text}: ", name(found.step), level=1)
        for found in findings
    ]
    lines.append(line("This is a bug of the engine: report it with the plan.", level=1))
    yield Section(
        f"Verifier: {count(len(findings), 'step')} would break a promise",
        tuple(lines),
        Tone.PROBLEM,
    )


def _guard(state: GuardState) -> Line:
    return line(Span(state.guard.value, Tone.STRONG), f": {_text(state)}", level=1)


def _text(state: GuardState) -> str:
    names_a_place = "/" in state.about and state.about not in state.text
    return f"{state.about}: {state.text}" if names_a_place else state.text


def _by_guard(held: Sequence[Step], tripped: Sequence[GuardState]) -> dict[int, list[Step]]:
    """Return the steps of each guard by its `id()`; those of none under a key of their own."""
    named: dict[str, GuardState] = {}
    for state in tripped:
        for withheld in state.withholds:
            named.setdefault(withheld, state)
    by_id = {step.id: step for step in held}
    groups: dict[int, list[Step]] = defaultdict(list)
    for step in held:
        root = _root(step, by_id)
        guard = named.get(step.id) or named.get(root.id)
        groups[0 if guard is None else id(guard)].append(step)
    return groups


def _root(step: Step, held: dict[str, Step]) -> Step:
    """Follow what withholds a step to the step that the guard itself is about."""
    seen = {step.id}
    while (by := step.withheld_by) in held and by not in seen:
        assert by is not None
        step = held[by]
        seen.add(by)
    return step
