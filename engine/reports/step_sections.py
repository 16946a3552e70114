"""The sections about steps: deletes first, then what is stored in full, then the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from engine.plans.codes import OF_INSTANCES, Action, StepReason, Verdict
from engine.plans.parameters import OF_CLUSTERS, names_for
from engine.plans.plan import At, Plan, Step
from engine.reports.folding import Fold, Share, fold
from engine.reports.lines import Form, Line, Mark, Section, Span, Tone, line, listed, name
from engine.reports.wording import VERBS, VERDICTS, count, moment, place, size, span_of

# How many names a folded line shows where nothing is lost with the rest.
NAMES = 12
# How many different reasons of AWS's a folded line shows.
REASONS = 3

# Why a point is made is told where no schedule says it.
_TOLD = frozenset({StepReason.EVENT_DUE, StepReason.ON_DEMAND})

_MARKS = {
    Action.CREATE: Mark.ADD,
    Action.COPY: Mark.ADD,
    Action.SHARE: Mark.CHANGE,
    Action.UNSHARE: Mark.CHANGE,
    Action.TAG: Mark.CHANGE,
    Action.DELETE: Mark.DELETE,
    Action.MODIFY_BACKUPS: Mark.CHANGE,
    Action.REPLICATE_BACKUPS: Mark.CHANGE,
    Action.STOP_REPLICATION: Mark.CHANGE,
    Action.FAIL_OVER: Mark.CHANGE,
}
_SAYING_WHY = frozenset({Action.DELETE, Action.TAG, *OF_INSTANCES})

Parts = Iterable[str | Span]


def step_sections(plan: Plan, *, full: bool) -> Iterator[Section]:
    """Yield the sections of what would be done; every step that is not withheld is in one."""
    done = [step for step in plan.steps if step.withheld_by is None]
    deletes = [step for step in done if step.action is Action.DELETE]
    others = [step for step in done if step.action is not Action.DELETE]
    fulls = [step for step in others if is_full(step)]
    rest = [step for step in others if not is_full(step)]
    if deletes:
        title = f"Deletes: {count(len(deletes), 'snapshot')}"
        yield _section(title, Tone.DELETE, fold(deletes, unfold=full), full=full)
    if fulls:
        gib = [step.forecast.gib for step in fulls if step.forecast]
        total = size((sum(least for least, _ in gib), sum(most for _, most in gib)))
        title = f"Stored in full by AWS: {count(len(fulls), 'snapshot')}, {total}"
        yield _section(title, Tone.FULL, fold(fulls, unfold=full), full=full)
    if rest:
        title = f"{'Other steps' if deletes or fulls else 'Steps'}: {len(rest):,}"
        yield _section(title, Tone.STRONG, fold(rest, unfold=full), full=full, aside=True)


def is_full(step: Step) -> bool:
    """Say whether AWS is expected to store the object that a step makes in full."""
    return step.forecast is not None and step.forecast.verdict is Verdict.FULL


def fold_lines(folds: Sequence[Fold], *, full: bool, level: int = 1) -> Iterator[Line]:
    """Yield the lines of folds, each policy's below its name."""
    policy: str | None = None
    for entry in folds:
        if entry.like.policy != policy:
            policy = entry.like.policy
            yield line(Span(policy or "no policy", Tone.STRONG), level=level)
        lines = _unfolded(entry.steps[0]) if full else _folded(entry)
        mark = mark_of(entry.steps[0])
        for number, parts in enumerate(lines):
            if number == 0:
                first = line(*parts, level=level + 1, mark=mark)
                yield first if full else replace(first, steps=entry.steps)
            else:
                yield line(*parts, level=level + 2, loud=mark)


def _section(
    title: str, tone: Tone, folds: Sequence[Fold], *, full: bool, aside: bool = False
) -> Section:
    return Section(title, tuple(fold_lines(folds, full=full)), tone, Form.STEPS, aside)


def mark_of(step: Step) -> Mark:
    """Return the sign before a step."""
    return Mark.FULL if is_full(step) else _MARKS[step.action]


def _verb(action: Action) -> Span:
    return Span(VERBS[action], Tone.DELETE if action is Action.DELETE else Tone.STRONG)


def _folded(entry: Fold) -> Iterator[Parts]:
    like = entry.like
    deletes = like.action is Action.DELETE
    yield what(entry)
    if like.action in _SAYING_WHY or like.reason in _TOLD:
        yield [entry.why]
    if like.verdict is Verdict.FULL:
        yield [f"{size(entry.gib)}: {_reasons(entry.forecast_reasons)}"]
    elif like.verdict in {Verdict.UNKNOWN, Verdict.LIKELY_INCREMENTAL}:
        yield [_reasons(entry.forecast_reasons)]
    for share in entry.shares(by_home=deletes):
        away = deletes and share.home != like.location
        origin: Parts = ["from ", name(place(share.home)), ", "] if away else []
        yield [*origin, _times(share), *listed(_named(share), None if deletes else NAMES)]


def what(entry: Fold) -> Parts:
    """Return what a fold's steps do, how many there are and where, as one sentence."""
    like = entry.like
    parts: list[str | Span] = [_verb(like.action), f" {_how_many(entry)}"]
    if like.action is Action.COPY and entry.origins not in {(), entry.locations}:
        parts += [": ", _places(entry.origins), " → ", _places(entry.locations)]
    else:
        parts += [" in ", _places(entry.locations)]
    if like.partner:
        parts += [" with " if like.action is Action.SHARE else " from ", name(like.partner)]
    if like.verdict is not None and like.verdict is not Verdict.FULL:
        parts.append(f", {VERDICTS[like.verdict]}")
    return parts


def _places(locations: Sequence[At]) -> str | Span:
    if len(locations) == 1:
        return name(place(locations[0]))
    return count(len(locations), "location")


def _how_many(entry: Fold) -> str:
    number = len(entry.steps)
    if entry.like.action in OF_INSTANCES:
        return count(number, "database")
    # All that a policy takes is of one kind.
    is_cluster = names_for(entry.steps[0].arn) is OF_CLUSTERS
    of = "cluster" if is_cluster else "database"
    if entry.sources < number:
        return f"{count(number, 'snapshot')} of {count(entry.sources, of)}"
    if is_cluster or entry.like.action is Action.DELETE:
        return count(number, "cluster snapshot" if is_cluster else "snapshot")
    return f"{number:,}"


def _named(share: Share) -> list[str]:
    """Return the names of the sources; several in different locations may have the same."""
    return [
        source if times == 1 else f"{source} (×{times})"
        for source, times in Counter(share.sources).items()
    ]


def _times(share: Share) -> str:
    each = f"{share.each} each, " if share.each > 1 and len(share.sources) > 1 else ""
    return f"{each}{span_of(share.slots)}: " if share.slots else each


def _reasons(texts: Sequence[str]) -> str:
    shown = "; ".join(texts[:REASONS])
    if len(texts) > REASONS:
        return f"{shown}; and {count(len(texts) - REASONS, 'other reason')} (-full shows them)"
    return shown


def _unfolded(step: Step) -> Iterator[Parts]:
    slot = f", slot {moment(step.slot)}" if step.slot else ""
    of = " cluster " if names_for(step.arn) is OF_CLUSTERS else " "
    yield [_verb(step.action), of, name(step.source.identifier), slot]
    if step.snapshot:
        yield [name(step.snapshot)]
    yield ["in ", name(place(step.location)), "; ", step.reason.text]
    if step.forecast is not None:
        verdict = VERDICTS[step.forecast.verdict]
        yield [f"{verdict}, {size(step.forecast.gib)}: {step.forecast.because}"]
    if step.depends_on:
        yield ["after ", *listed(step.depends_on)]
    if step.withheld_by is not None:
        yield ["withheld by ", name(step.withheld_by)]
