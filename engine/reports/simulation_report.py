"""What a simulation showed, as a person reads it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import timedelta

from engine.plans.amounts import gib, money
from engine.plans.codes import Verdict
from engine.reports.lines import Line, Report, Section, Span, Tone, line, listed, name
from engine.reports.screen import Screen
from engine.reports.text import report_as_text
from engine.reports.wording import count, moment
from engine.simulation.timeline import Happened, Period, Simulation, Summary, Surprise, Unexpected

SHOWN = 5
MOST_DAYS, MOST_WEEKS = 14, 26
_HOUR = timedelta(hours=1)
_WORDS = {
    Verdict.FULL: "full",
    Verdict.INCREMENTAL: "incremental",
    Verdict.LIKELY_INCREMENTAL: "likely incremental",
    Verdict.UNKNOWN: "unknown",
}


def simulation_as_text(simulation: Simulation, screen: Screen, period: Period | None = None) -> str:
    """Return a simulation's summary for a terminal, with counts of days, weeks or months."""
    return report_as_text(simulation_report(simulation, period), screen)


def simulation_report(simulation: Simulation, period: Period | None = None) -> Report:
    """Return the report of a simulation; without `period` the counts fit on a page."""
    summary = simulation.summary
    period = period or _fitting(simulation)
    days = count(_days(simulation), "day")
    sections = [
        Section(f"By {period.value}", tuple(_tallies(summary, period))),
        Section("Events", tuple(_events(simulation.happened))),
        Section("Surprises", tuple(_surprises(simulation.surprises)), Tone.PROBLEM),
        Section("Age of the newest point at worst", tuple(_ages(summary))),
        Section("Manual snapshots at most", tuple(_counts(summary))),
        Section(f"Storage and cost over the {days}", tuple(_cost(simulation))),
    ]
    return Report(
        estate=simulation.estate,
        headline=tuple(_headline(simulation)),
        sections=tuple(section for section in sections if section.lines),
        footer=(_footer(simulation),),
        kind="simulate",
        whole="engine simulate -json",
    )


def _headline(simulation: Simulation) -> Iterator[Line]:
    summary = simulation.summary
    yield line(
        Span(f"In {count(_days(simulation), 'day')}: ", Tone.STRONG),
        f"{count(summary.created, 'snapshot')} made, {summary.copied:,} copied, "
        f"{summary.deleted:,} deleted.",
    )
    stored = [f"{summary.verdicts[one]:,} {word}" for one, word in _WORDS.items()]
    yield line(f"Of what is made: {', '.join(stored)}.")
    day = summary.worst_day
    if day is not None:
        tally = summary.days[day]
        yield line(
            f"The worst day is {day.isoformat()}: {tally.created:,} made, {tally.copied:,} copied, "
            f"the last of them there {tally.longest / _HOUR:.1f} h after its slot."
        )


def _days(simulation: Simulation) -> int:
    return (simulation.end - simulation.start).days


def _fitting(simulation: Simulation) -> Period:
    days = _days(simulation)
    if days <= MOST_DAYS:
        return Period.DAY
    return Period.WEEK if days <= MOST_WEEKS * 7 else Period.MONTH


def _tallies(summary: Summary, period: Period) -> Iterator[Line]:
    counts = summary.by(period)
    if counts:
        yield line(Span(f"{'':<12}{'made':>9}{'copied':>9}{'deleted':>9}", Tone.NOTE), level=1)
    for period_name, one in counts.items():
        numbers = f"{one.created:>9,}{one.copied:>9,}{one.deleted:>9,}"
        yield line(f"{period_name:<12}{numbers}", level=1)


def _events(happened: Iterable[Happened]) -> Iterator[Line]:
    alike: dict[tuple[str, str], list[str]] = defaultdict(list)
    for one in happened:
        alike[moment(one.at), one.what].append(one.about)
    for (at, what), about in alike.items():
        yield line(f"{at}  {what.replace('_', ' ')}  ", *listed(about, SHOWN), level=1)


def _surprises(surprises: Iterable[Surprise]) -> Iterator[Line]:
    alike: dict[tuple[Unexpected, str, str, str], list[Surprise]] = defaultdict(list)
    for one in surprises:
        alike[one.kind, one.code, one.location, one.text].append(one)
    for (kind, code, location, text), found in alike.items():
        where = f" at {location}" if location else ""
        what = code if kind in {Unexpected.WITHHELD, Unexpected.NO_EFFECT} else ""
        yield line(
            f"{moment(min(one.at for one in found))}  ",
            f"{text}{where}" + (f" ({what})" if what else "") + ": ",
            *listed((one.source for one in found), SHOWN),
            level=1,
        )


def _ages(summary: Summary) -> Iterator[Line]:
    worst = sorted(summary.worst_rpo.items(), key=lambda item: (-item[1], item[0]))
    for source, age in worst[:SHOWN]:
        yield line(f"{age / _HOUR:8.2f} h  ", name(source), level=1)
    if len(worst) > SHOWN:
        yield line(f"{len(worst) - SHOWN:,} others fare no worse", level=1)


def _counts(summary: Summary) -> Iterator[Line]:
    for at in sorted(summary.most):
        yield line(f"{summary.most[at]:8,}  ", name(str(at)), level=1)


def _cost(simulation: Simulation) -> Iterator[Line]:
    stored = simulation.stored
    if not stored.places:
        return
    sent = (
        f", {money(stored.usd_transfer)} of it for what is sent" if stored.usd_transfer[1] else ""
    )
    held = f"{gib(stored.gib_months)}-months held, {money(stored.usd)} billed{sent}"
    yield line(Span(held, Tone.STRONG), level=1)
    for place in stored.places:
        amounts = f"{gib(place.gib_months)}-months, {money(place.usd)}"
        yield line(name(str(place.location)), f"  {amounts}", level=1)
    for assumption in stored.assumptions:
        yield line(Span(f"assumed: {assumption}", Tone.NOTE), level=1)


def _footer(simulation: Simulation) -> Line:
    minutes = int(simulation.interval.total_seconds()) // 60
    return line(
        "Estate ",
        name(simulation.estate),
        f" from {moment(simulation.start)} to {moment(simulation.end)}, a run every "
        f"{minutes} min. Nothing was changed.",
    )
