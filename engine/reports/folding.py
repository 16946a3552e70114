"""Alike steps as one entry: what a person judges together stands together."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from engine.plans.codes import Action, Verdict
from engine.plans.parameters import origin_in
from engine.plans.plan import At, Forecast, Step
from engine.reports.wording import STEP_REASONS

# The order in which one policy's folds are read: as the steps happen.
_ORDER = (
    Action.CREATE,
    Action.SHARE,
    Action.COPY,
    Action.UNSHARE,
    Action.TAG,
    Action.DELETE,
    Action.MODIFY_BACKUPS,
    Action.STOP_REPLICATION,
    Action.REPLICATE_BACKUPS,
    Action.FAIL_OVER,
)

# Where a copy goes to and what a delete is about decide whether a person agrees.
_LOCATED = frozenset(
    {Action.COPY, Action.DELETE, Action.STOP_REPLICATION, Action.REPLICATE_BACKUPS}
)
_ANYWHERE = At("", "")

ItemT = TypeVar("ItemT")
KeyT = TypeVar("KeyT", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Likeness:
    """What steps have in common that stand on one line.

    `location` is where copies go to and where deletes are; other steps fold over all locations.
    `partner` is the account that a share or unshare is about, else empty. Objects that AWS stores
    as plain increments need no `rule` that says so. `step` is empty unless folding is off, when
    every step is like itself only.
    """

    policy: str
    action: Action
    location: At | None
    partner: str
    reason: str
    verdict: Verdict | None
    rule: str
    step: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """The sources of a fold in one location that have as many steps each, over the same slots."""

    home: At
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
        return len({(*_home(step), step.source.identifier) for step in self.steps})

    @property
    def locations(self) -> tuple[At, ...]:
        """Where its objects lie or will lie."""
        return tuple(sorted({step.location for step in self.steps}))

    @property
    def origins(self) -> tuple[At, ...]:
        """Where copies are made from."""
        found = {_origin_of(step) for step in self.steps}
        return tuple(sorted(origin for origin in found if origin is not None))

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

    def shares(self, *, by_home: bool) -> tuple[Share, ...]:
        """Return the sources, those with as many steps over the same slots together.

        Args:
            by_home: whether databases of different locations stand apart.
        """
        slots: dict[tuple[str, str, str], list[datetime | None]] = defaultdict(list)
        for step in self.steps:
            slots[(*_home(step), step.source.identifier)].append(step.slot)
        alike: dict[tuple[At, int, tuple[datetime, ...]], list[str]] = defaultdict(list)
        for (account, region, source), found in slots.items():
            times = [slot for slot in found if slot is not None]
            ends = (min(times), max(times)) if times else ()
            home = At(account, region) if by_home else _ANYWHERE
            alike[home, len(found), ends].append(source)
        return tuple(
            Share(home, each, ends, tuple(sorted(sources)))
            for (home, each, ends), sources in sorted(
                alike.items(), key=lambda item: (item[0][0], item[0][2], item[0][1])
            )
        )


def fold(steps: Iterable[Step], *, unfold: bool = False) -> tuple[Fold, ...]:
    """Return the folds of `steps`, by policy, in the order in which they happen."""
    # Tuples of texts are found in a dictionary much faster than nested values.
    groups: dict[tuple[str | None, ...], list[Step]] = defaultdict(list)
    for step in steps:
        groups[_key(step, unfold)].append(step)
    folds = (Fold(_likeness(alike[0], unfold), tuple(alike)) for alike in groups.values())
    return tuple(sorted(folds, key=_reading_order))


def grouped(items: Iterable[ItemT], key: Callable[[ItemT], KeyT]) -> dict[KeyT, list[ItemT]]:
    """Return the items by what they have in common, in the order in which they come."""
    groups: dict[KeyT, list[ItemT]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return groups


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
    arn = str(origin_in(step.arn, step.parameters) or "").split(":", 6)
    return At(arn[4], arn[3]) if len(arn) == 7 else None


def _accounts(value: object) -> str:
    return ", ".join(str(account) for account in value) if isinstance(value, list | tuple) else ""


def _key(step: Step, unfold: bool) -> tuple[str | None, ...]:
    if unfold:
        return (step.id,)
    located = step.action in _LOCATED
    forecast = step.forecast
    return (
        step.policy,
        step.action,
        step.location.account if located else None,
        step.location.region if located else None,
        partner_of(step),
        step.reason.code,
        forecast.verdict if forecast else None,
        _rule(forecast),
    )


def _rule(forecast: Forecast | None) -> str:
    if forecast is None or forecast.verdict is Verdict.INCREMENTAL:
        return ""
    return forecast.rule


def _likeness(step: Step, unfold: bool) -> Likeness:
    return Likeness(
        policy=step.policy,
        action=step.action,
        location=step.location if step.action in _LOCATED else None,
        partner=partner_of(step),
        reason=step.reason.code,
        verdict=step.forecast.verdict if step.forecast else None,
        rule=_rule(step.forecast),
        step=step.id if unfold else "",
    )


def _home(step: Step) -> tuple[str, str]:
    return step.source.account, step.source.region


def _reading_order(fold: Fold) -> tuple[str, int, At, str, str, str, str]:
    like = fold.like
    return (
        like.policy,
        _ORDER.index(like.action),
        like.location or _ANYWHERE,
        like.partner,
        like.reason,
        like.rule,
        like.step,
    )
