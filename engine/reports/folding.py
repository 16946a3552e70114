"""Alike steps as one entry: what a person judges together stands together."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from engine.plans.codes import Action, Verdict
from engine.plans.plan import At, Step
from engine.reports.wording import STEP_REASONS

# The order in which one policy's folds are read: as the steps happen.
_ORDER = (
    Action.CREATE,
    Action.SHARE,
    Action.COPY,
    Action.UNSHARE,
    Action.TAG,
    Action.DELETE,
)


@dataclass(frozen=True, slots=True)
class Likeness:
    """What steps have in common that stand on one line.

    `home` is where the databases are, `origin` where a copy is made from. `partner` is the account
    that a share or unshare is about, else empty; `step` is empty unless folding is off, when every
    step is like itself only.
    """

    policy: str
    action: Action
    location: At
    home: At
    origin: At | None
    partner: str
    reason: str
    verdict: Verdict | None
    rule: str
    step: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """The sources of a fold that have as many steps each, over the same slots."""

    each: int
    slots: tuple[datetime, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fold:
    """Alike steps, in the order of the plan."""

    like: Likeness
    steps: tuple[Step, ...]

    @property
    def sources(self) -> int:
        """How many databases it is about."""
        return len({step.source.identifier for step in self.steps})

    @property
    def why(self) -> str:
        """The reason: its own words where all steps say the same, else those of its code."""
        return common(step.reason.text for step in self.steps) or STEP_REASONS.get(
            self.like.reason, self.like.reason
        )

    @property
    def forecast_reasons(self) -> tuple[str, ...]:
        """Why AWS will store what the forecast says, the most frequent reason first."""
        texts = Counter(step.forecast.because for step in self.steps if step.forecast)
        return tuple(text for text, _ in texts.most_common())

    @property
    def gib(self) -> tuple[int, int]:
        """The least and the most that AWS will store for all of them."""
        known = [step.forecast.gib for step in self.steps if step.forecast]
        return sum(least for least, _ in known), sum(most for _, most in known)

    @property
    def shares(self) -> tuple[Share, ...]:
        """The sources, those with as many steps over the same slots together."""
        slots: dict[str, list[datetime]] = defaultdict(list)
        number: Counter[str] = Counter()
        for step in self.steps:
            number[step.source.identifier] += 1
            if step.slot is not None:
                slots[step.source.identifier].append(step.slot)
        alike: dict[tuple[int, tuple[datetime, ...]], list[str]] = defaultdict(list)
        for source, each in number.items():
            times = slots[source]
            alike[each, (min(times), max(times)) if times else ()].append(source)
        return tuple(
            Share(each, times, tuple(sorted(sources)))
            for (each, times), sources in sorted(alike.items(), key=lambda item: item[0][1])
        )


def fold(steps: Iterable[Step], *, unfold: bool = False) -> tuple[Fold, ...]:
    """Return the folds of `steps`, by policy, in the order in which they happen."""
    # Tuples of texts are found in a dictionary much faster than nested values.
    groups: dict[tuple[str | None, ...], list[Step]] = defaultdict(list)
    for step in steps:
        groups[_key(step, unfold)].append(step)
    folds = (Fold(_likeness(alike[0], unfold), tuple(alike)) for alike in groups.values())
    return tuple(sorted(folds, key=_reading_order))


def common(texts: Iterable[str]) -> str | None:
    """Return the one text that all are, else None."""
    distinct = set(texts)
    return distinct.pop() if len(distinct) == 1 else None


def partner_of(step: Step) -> str:
    """Return the account that a share or unshare is about, else an empty text."""
    if step.action is Action.SHARE:
        return _accounts(step.parameters.get("ValuesToAdd"))
    if step.action is Action.UNSHARE:
        return _accounts(step.parameters.get("ValuesToRemove"))
    return ""


def _origin_of(step: Step) -> At | None:
    if step.action is not Action.COPY:
        return None
    arn = str(step.parameters.get("SourceDBSnapshotIdentifier", "")).split(":", 6)
    return At(arn[4], arn[3]) if len(arn) == 7 else None


def _accounts(value: object) -> str:
    return ", ".join(str(account) for account in value) if isinstance(value, list | tuple) else ""


def _key(step: Step, unfold: bool) -> tuple[str | None, ...]:
    if unfold:
        return (step.id,)
    location, source, forecast = step.location, step.source, step.forecast
    origin = _origin_of(step)
    return (
        step.policy,
        step.action,
        location.account,
        location.region,
        source.account,
        source.region,
        origin.account if origin else None,
        origin.region if origin else None,
        partner_of(step),
        step.reason.code,
        forecast.verdict if forecast else None,
        forecast.rule if forecast else None,
    )


def _likeness(step: Step, unfold: bool) -> Likeness:
    return Likeness(
        policy=step.policy,
        action=step.action,
        location=step.location,
        home=At(step.source.account, step.source.region),
        origin=_origin_of(step),
        partner=partner_of(step),
        reason=step.reason.code,
        verdict=step.forecast.verdict if step.forecast else None,
        rule=step.forecast.rule if step.forecast else "",
        step=step.id if unfold else "",
    )


def _reading_order(fold: Fold) -> tuple[str, int, At, At, str, str, str, str]:
    like = fold.like
    return (
        like.policy,
        _ORDER.index(like.action),
        like.location,
        like.home,
        like.partner,
        like.reason,
        like.rule,
        like.step,
    )
