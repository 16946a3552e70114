"""Plays a story in a lab, with its disturbances or without, and keeps what a judge needs."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from engine.applying import s3_lock
from engine.lab.estates import IRELAND, PROD
from tests.chaos import papers
from tests.chaos.diary import Row, rows_of_bucket, rows_of_file
from tests.chaos.events import Hand
from tests.chaos.nursery import Ended, Lab, Run, order_engine
from tests.chaos.records import Deed, read_deeds
from tests.chaos.story import BUCKET, STEP, Happening, Night, PolicySaid, Story, Trouble, Visit
from tests.end_to_end.harness import PROGRAMS, SECONDS, Seen, Sight, clean_environment

MOST_RUNS = 10
"""In how many runs of peace everything must be done."""
QUIET = frozenset({0})
WITHHELD = 4
BETWEEN_SIGNALS = 0.05
LEASE_SECONDS = s3_lock.DEFAULT.lease + s3_lock.DEFAULT.grace
"""How long the program as it is installed, which is in no hurry, may wait for a dead run's lock."""
STATE_AWAY = Trouble({"kind": "server_error", "service": "s3", "role": "backup-*", "count": 100000})


@dataclass(frozen=True, slots=True)
class Played:
    """A run that was: when, under which policies, which deeds were done in it, how it ended."""

    number: int
    at: datetime
    visit: Visit
    policies: tuple[PolicySaid, ...]
    deeds: tuple[int, int]
    ended: Ended
    processes: tuple[int, ...] = ()
    thawed: int | None = None
    """How many deeds there were when it was thawed."""
    living: Mapping[str, str] = field(default_factory=dict)
    """The databases as it began: ARNs by resource id."""


@dataclass(slots=True)
class Ending:
    """Everything that a story left behind."""

    story: Story
    folder: Path
    runs: list[Played] = field(default_factory=list)
    policies: tuple[PolicySaid, ...] = ()
    truth: list[dict[str, Any]] = field(default_factory=list)
    seen: Sight = field(default_factory=dict)
    foreign: dict[str, Seen] = field(default_factory=dict)
    """What was not the engine's, as it was before the engine ran or when somebody made it."""
    instances: dict[str, str] = field(default_factory=dict)
    """The living databases at the end: ARNs by resource id."""
    gone: dict[str, datetime] = field(default_factory=dict)
    heirs: dict[str, str] = field(default_factory=dict)
    """What to call databases that were restored: their ids depend on names of the moment."""
    tiers: dict[str, str] = field(default_factory=dict)
    """The tiers that databases are or were tagged with, by resource id."""
    restless: list[str] = field(default_factory=list)
    """Where peace did not end with nothing left to do."""
    faults: int = 0
    kills: int = 0
    numbered: list[tuple[int, Deed]] = field(default_factory=list)
    journal: list[Row] = field(default_factory=list)

    @property
    def deeds(self) -> list[Deed]:
        """Everything that was done, in order."""
        return [deed for _, deed in self.numbered]

    @property
    def deletes(self) -> list[Deed]:
        """What the engine deleted."""
        return [one for one in self.deeds if one.by_engine and one.scene is not None]

    @property
    def made(self) -> dict[str, Deed]:
        """What the engine made, by ARN."""
        return {one.arn: one for one in self.deeds if one.by_engine and one.makes}

    def made_before(self, deed: Deed) -> dict[str, Deed]:
        """What the engine had made by the time of a deed."""
        found: dict[str, Deed] = {}
        for one in self.deeds:
            if one is deed:
                break
            if one.by_engine and one.makes:
                found[one.arn] = one
        return found

    def deeds_of(self, run: Played) -> list[Deed]:
        """What was done while a run went on."""
        first, end = run.deeds
        return [deed for number, deed in self.numbered if first <= number < end]

    def late_deeds_of(self, run: Played) -> list[Deed]:
        """What was done after a run was thawed, while it still went on."""
        if run.thawed is None:
            return []
        end = run.deeds[1]
        return [deed for number, deed in self.numbered if run.thawed <= number < end]


class Player:
    """Plays one story once."""

    def __init__(
        self,
        story: Story,
        folder: Path,
        lab: Lab,
        *,
        disturbed: bool,
        log: Callable[[str], None],
        sabotage: str | None = None,
    ) -> None:
        self._sabotage = sabotage
        self._story = story
        self._disturbed = disturbed
        self._log = log
        self._policies = story.policies
        self._ending = Ending(story, folder)
        self._folder = folder
        self._lab = lab
        self._hand = Hand(lab, story.places, story.home, log)

    def play(self) -> Ending:
        """Play to the end."""
        story, ending = self._story, self._ending
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lab.begin(story.nights[0].at, story.lab_seed())
        ending.foreign = self._hand.foreign()
        self._hand.note_tiers()
        for night in story.nights:
            self._night(night)
        self._hand.make_peace()
        self._peace()
        ending.policies = self._policies
        ending.journal = self._journal()
        ending.numbered = read_deeds(self._lab.deeds())
        ending.truth = self._lab.client.truth()
        ending.seen = self._hand.seen()
        ending.instances = self._hand.instances()
        self._hand.note_tiers()
        ending.tiers = self._hand.tiers
        ending.gone, ending.heirs = self._hand.gone, self._hand.heirs
        ending.foreign |= self._hand.made
        return ending

    def _journal(self) -> list[Row]:
        if not self._story.is_shared:
            return list(rows_of_file(self._folder / ".engine" / "state" / "journal.sqlite"))
        s3 = self._lab.boto("s3", *self._story.home_of_state)
        return list(rows_of_bucket(s3, BUCKET, "state/"))

    def _night(self, night: Night) -> None:
        self._move_to(night.at)
        for happening in night.happenings:
            self._happen(happening)
        papers.write(self._folder, self._story, self._policies)
        if self._disturbed:
            for number, visit in enumerate(night.visits):
                self._move_to(night.at + number * STEP)
                self._visit(visit)
        if self._story.is_gentle or not self._disturbed:
            # What is still in flight is no step of a plan: a run would not wait for it.
            self._lab.client.forward(STEP.total_seconds())
            self._settle(night.at, _is_all_done)

    def _happen(self, happening: Happening) -> None:
        changed = self._hand.edited(happening, self._policies)
        if changed is None:
            self._hand.happen(happening)
        elif changed != self._policies:
            self._log(f"policies: {happening.event}")
            self._policies = changed

    def _move_to(self, at: datetime) -> None:
        if at > self._lab.client.now():
            self._lab.client.move_to(at)
            self._log(f"--- {at:%Y-%m-%d %H:%M}")

    # -- runs -------------------------------------------------------------------------------------

    def _visit(self, visit: Visit) -> Played:
        troubles = (*visit.troubles, STATE_AWAY) if visit.state_away else visit.troubles
        if troubles:
            self._hand.trouble(troubles)
        timers = [
            threading.Timer(seconds, self._hand.happen, [happening])
            for seconds, happening in visit.meanwhile
        ]
        if visit.moves_clock:
            timers.append(threading.Timer(0.15, self._lab.client.forward, [1200.0]))
        for timer in timers:
            timer.start()
        played = self._run(visit)
        for timer in timers:
            timer.join()
        if troubles:
            self._ending.faults += self._hand.end_troubles()
        self._ending.kills += played.ended.was_killed
        return played

    def _run(self, visit: Visit) -> Played:
        began = time.monotonic()
        number, first, at = len(self._ending.runs), self._lab.count_deeds(), self._lab.client.now()
        living = self._hand.instances()
        words = ["apply", "-auto-approve", "-json", "-at", _text(at)]
        words += ["-lock-timeout", "30m"] if self._story.is_shared else ["-local-lock"]
        words.append("-wait" if visit.waits and not visit.installed else "-no-wait")
        if visit.installed and self._sabotage is None:
            ended, processes = self._installed(words)
            thawed = None
        else:
            ended, processes, thawed = self._fork(words, number, visit)
        deeds = (first, self._lab.count_deeds())
        played = Played(number, at, visit, self._policies, deeds, ended, processes, thawed, living)
        self._ending.runs.append(played)
        self._log(
            f"run {number} at {at:%d %H:%M} {visit}: exit {ended.code}, deeds {deeds[0]}-{deeds[1]}"
            f" in {time.monotonic() - began:.1f} s"
        )
        return played

    def _fork(
        self, words: list[str], number: int, visit: Visit
    ) -> tuple[Ended, tuple[int, ...], int | None]:
        variables = self._variables()
        order = order_engine(
            self._folder, tuple(words), variables, number, visit.death, self._sabotage
        )
        run = Run(order)
        processes = [run.pid]
        second = thawed = None
        if visit.twice:
            second = Run(order_engine(self._folder, tuple(words), variables, number + 10_000))
            processes.append(second.pid)
        is_alive = visit.kill_after is not None and not run.ends_within(visit.kill_after)
        if visit.is_frozen and run.stops():
            other = Run(order_engine(self._folder, tuple(words), variables, number + 20_000))
            processes.append(other.pid)
            other.end()
            thawed = self._lab.count_deeds()
            run.signal(signal.SIGCONT)
        elif is_alive:
            for sent in visit.signals or (signal.SIGKILL,):
                run.signal(sent)
                run.ends_within(BETWEEN_SIGNALS)
        ended = run.end()
        if second is not None:
            second.end()
        return ended, tuple(processes), thawed

    def _installed(self, words: list[str]) -> tuple[Ended, tuple[int, ...]]:
        with subprocess.Popen(
            [str(PROGRAMS / "engine"), *words],
            cwd=self._folder,
            env=dict(self._variables()),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as program:
            out, err = program.communicate(timeout=SECONDS + LEASE_SECONDS)
        return Ended(program.returncode, out.decode(), err.decode()), (program.pid,)

    def _variables(self) -> Mapping[str, str]:
        return clean_environment(self._folder) | self._lab.environment(PROD, IRELAND)

    # -- peace ------------------------------------------------------------------------------------

    def _peace(self) -> None:
        """Let all be done in the last nights; in the end nothing may be left to do.

        What is withheld for `incremental: require` is done now: somebody gives in.
        """
        self._policies = tuple(replace(one, incremental="prefer") for one in self._policies)
        papers.write(self._folder, self._story, self._policies)
        *nights, last = self._story.last
        for at in nights:
            self._move_to(at)
            self._settle(at, _is_all_done)
        self._move_to(last)
        self._settle(last, _did_nothing)

    def _settle(self, since: datetime, is_enough: Callable[[Ended], bool]) -> None:
        """Let the engine run in peace until a run shows that it is enough."""
        told: list[str] = []
        is_strict = any(one.incremental == "require" for one in self._policies)
        quiet = QUIET | ({WITHHELD} if is_strict else set())
        for _ in range(MOST_RUNS):
            ended = self._run(Visit(waits=True)).ended
            if ended.code in quiet and is_enough(ended):
                return
            told.append(f"exit {ended.code}: {ended.out[-1500:]} {ended.err[-500:]}")
            self._lab.client.forward(STEP.total_seconds())
        self._ending.restless.append(
            f"{since}: not done after {MOST_RUNS} runs in peace; the last: {told[-1]}"
        )


def _states(ended: Ended) -> dict[str, str]:
    """Return what became of each step of a run."""
    lines = [json.loads(line) for line in ended.out.splitlines() if line.startswith("{")]
    return {line["id"]: line["state"] for line in lines if line.get("type") == "step"}


def _did_nothing(ended: Ended) -> bool:
    return not _states(ended)


def _is_all_done(ended: Ended) -> bool:
    return set(_states(ended).values()) <= {"done", "withheld"}


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
