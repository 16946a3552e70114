"""What `engine apply` asks of AWS, and what waiting for it costs, against the lab over HTTP."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from engine.lab.estates import IRELAND, PROD, ROLES, zones_of
from engine.lab.process import LabProcess
from engine.lab.seeds import AccountSeed, KeySeed, Seed, seed_document
from tests.applying.fleet import database, fleet, tally
from tests.applying.test_over_http import DOCUMENTS, FIRST_NIGHT
from tests.benchmarks.costs import ENGINE, say

SPEED = 10.0
POLL_SECONDS = 2
COPIES = 500
# AWS copies at most 20 snapshots at once into one region of an account.
COPIES_PER_VAULT = 20
WATCHED_SECONDS = 60.0
START_SECONDS = 200.0
COPY_SECONDS = 1_000_000.0

ESTATE = """\
version: 1
kind: estate
name: bench
account_defaults: {role: backup-engine, read_role: backup-reader, regions: [eu-west-1]}
accounts:
  prod: {id: "111111111111"}
"""
VAULT = '  {name}: {{id: "{id}"}}\n'
TARGET = "  {name}: {{account: {name}, region: eu-west-1, key: alias/backups}}\n"
POLICY = """\
---
version: 1
kind: policy
name: {name}
select: {{tags: {{tier: {name}}}}}
snapshots:
  schedule: {{every: 1d, window: "02:00-05:00"}}
  retention: {{keep: {{last: 1}}}}
  copies: [{{target: {name}}}]
"""


@dataclass(frozen=True, slots=True)
class Repository:
    """A folder with policies, and the lab that they are about."""

    folder: Path
    lab: LabProcess

    def engine(self, *words: str) -> subprocess.Popen[bytes]:
        """Start the command at the lab's time, for `finish` to end."""
        now = self.lab.client.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        return subprocess.Popen(
            [str(ENGINE), *words, "-at", now],
            cwd=self.folder,
            env={**os.environ, **self.lab.environment(PROD, IRELAND)},
            stdout=self.output.open("w"),
            stderr=subprocess.STDOUT,
        )

    @property
    def output(self) -> Path:
        """What the newest command printed: a pipe that nobody reads would hold it up."""
        return self.folder / "output"

    def finish(self, process: subprocess.Popen[bytes]) -> Any:
        """Wait for a command; return what became of its steps if it was an apply."""
        code = process.wait()
        lines = self.output.read_text().splitlines()
        if code != 0:
            raise SystemExit("\n".join([f"exit {code}:", *lines[-20:]]))
        return json.loads(lines[-1])["counts"] if lines[-1].startswith("{") else None


@contextmanager
def repository(documents: str, seed: Any) -> Iterator[Repository]:
    """Write documents, and start a lab that runs fast."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        LabProcess.start(seed, speed=SPEED, at=FIRST_NIGHT) as lab,
    ):
        Path(scratch, "policies").mkdir()
        Path(scratch, "policies", "all.yaml").write_text(documents)
        yield Repository(Path(scratch), lab)


def count_calls(databases: int) -> None:
    """Print how many calls the apply of a point and a copy of each database makes."""
    with repository(DOCUMENTS, fleet(databases)) as place:
        place.finish(place.engine("plan", "-out", "plan.json"))
        place.lab.client.forget_calls()
        words = ("-wait", "-poll-interval", f"{POLL_SECONDS}s", "-json")
        counts = place.finish(place.engine("apply", "plan.json", *words))
        told = tally(place.lab.client.calls(), timedelta(seconds=POLL_SECONDS * SPEED))
    creates, copies = told.calls["CreateDBSnapshot"], told.calls["CopyDBSnapshot"]
    say(
        f"{creates} creates and {copies} copies made {told.changes} changes plus "
        f"{told.listings} listings in {told.polls} polls"
        + (f"; {told.early} LISTINGS CAME BETWEEN POLLS" if told.early else "")
        + ("" if counts == {"done": 4 * databases} else f"; ENDED {counts}")
    )
    say("  " + ", ".join(f"{name} {count}" for name, count in sorted(told.calls.items())))


def wait_for_copies() -> None:
    """Print the processor time that a minute of waiting for copies in flight takes."""
    with repository(_vault_documents(), _vaults()) as place:
        process = place.engine("apply", "-auto-approve", "-wait", "-poll-interval", "30s", "-json")
        try:
            _await_copies(place, process)
            before, began = _processor_seconds(process.pid), time.monotonic()
            place.lab.client.forget_calls()
            time.sleep(WATCHED_SECONDS)
            used = _processor_seconds(process.pid) - before
            minutes = (time.monotonic() - began) / 60
            calls = Counter(call["operation"] for call in place.lab.client.calls())
            place.lab.client.forward(COPY_SECONDS)
            counts = place.finish(process)
        finally:
            process.kill()
            process.wait()
    listings = calls["DescribeDBSnapshots"]
    say(
        f"waiting for {COPIES} copies in flight at {len(_tiers())} locations: "
        f"{used / minutes:.2f} s of processor time a minute, for {listings} listings "
        f"in {minutes:.1f} min"
    )
    if calls.total() != listings or counts != {"done": 4 * COPIES}:
        say(f"  BUT IT CALLED {dict(calls)} AND ENDED {counts}")


def run() -> None:
    """Print all of it."""
    for databases in (10, 50):
        count_calls(databases)
    wait_for_copies()


def _tiers() -> Mapping[str, str]:
    """Return the vaults' account ids by name; the databases of one are tagged with its name."""
    return {
        f"vault-{number}": f"{300_000_000_000 + number}"
        for number in range(COPIES // COPIES_PER_VAULT)
    }


def _vault_documents() -> str:
    tiers = _tiers()
    vaults = (VAULT.format(name=name, id=account) for name, account in tiers.items())
    targets = (TARGET.format(name=name) for name in tiers)
    policies = (POLICY.format(name=name) for name in tiers)
    return "".join([ESTATE, *vaults, "targets:\n", *targets, *policies])


def _vaults() -> Any:
    tiers = _tiers()
    zones = {IRELAND: zones_of(IRELAND, 1, 2, 3)}
    accounts = {"prod": PROD, **tiers}
    return seed_document(
        Seed(
            settings={
                "manual_snapshots": COPIES,
                "automated_backups": False,
                "copy_seconds": COPY_SECONDS,
            },
            accounts={
                name: AccountSeed(account, zones=zones, roles=ROLES)
                for name, account in accounts.items()
            },
            keys=(
                KeySeed("prod", IRELAND, "alias/orders", usable_by=tuple(tiers)),
                *(KeySeed(name, IRELAND, "alias/backups") for name in tiers),
            ),
            instances=tuple(
                database(COPIES_PER_VAULT * vault + number, tier)
                for vault, tier in enumerate(tiers)
                for number in range(COPIES_PER_VAULT)
            ),
        )
    )


def _await_copies(place: Repository, process: subprocess.Popen[bytes]) -> None:
    """Return when all copies are in flight."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        begun = sum(call["operation"] == "CopyDBSnapshot" for call in place.lab.client.calls())
        if begun >= COPIES:
            # What the calls leave to do is not waiting.
            time.sleep(POLL_SECONDS)
            return
        time.sleep(POLL_SECONDS)
    process.kill()
    raise SystemExit(f"not {COPIES} copies were begun:\n{place.output.read_text()[-2000:]}")


def _processor_seconds(pid: int) -> float:
    """Return what a running process took of the processor, as Linux counts it (proc(5))."""
    fields = Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()
    user, system = fields[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
