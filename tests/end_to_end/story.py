"""The story of the AWS blog: seven nights of one database, a failover and a failback."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from engine.lab.estates import IRELAND, PROD, VAULT
from engine.lab.process import LabProcess
from tests.end_to_end.estates import DATABASE
from tests.end_to_end.forecasts import Forecasts, forecasts_of
from tests.end_to_end.harness import World

FIRST_NIGHT = datetime(2026, 11, 16, 2, 5, tzinfo=UTC)
DAYS = range(1, 8)
MOVES = frozenset({3, 5})
"""The days before whose point the database fails over, and back."""

DATABASE_NAME = "orders-1"
SPEED = 60.0
MULTI_AZ = DATABASE(
    DATABASE_NAME,
    multi_az=True,
    zones=("eu-west-1a", "eu-west-1b"),
    key="alias/orders",
    retention_days=0,
    tags={"tier": "gold"},
)
FOLLOWED = msgspec.structs.replace(MULTI_AZ, retention_days=1)
"""The same with backups on: AWS makes no replica of a database without."""
REPLICA = DATABASE(
    f"{DATABASE_NAME}-backup",
    replica_of=DATABASE_NAME,
    zones=("eu-west-1c",),
    key="alias/orders",
    retention_days=0,
)
DOCUMENTS = """\
version: 1
kind: estate
name: acme
account_defaults: {{role: backup-engine, read_role: backup-reader, regions: [eu-west-1]}}
accounts:
  prod: {{id: "111111111111"}}
  vault: {{id: "222222222222"}}
targets:
  vault: {{account: vault, region: eu-west-1, key: alias/backups}}
---
version: 1
kind: policy
name: gold
select: {{tags: {{tier: gold}}}}
snapshots:
  schedule: {{every: 1d, window: "02:00-05:00"}}
  source: {source}
  retention: {{keep: {keep}}}
  copies: [{{target: vault}}]
"""

Nightly = dict[int, str]
"""What is said of one object of each day."""


@dataclass
class Story:
    """What the seven nights left behind.

    `plans` are those of the days, `truth` is the lab's by ARN, and `listings` are what the AWS CLI
    shows of the manual snapshots of each account at the end.
    """

    world: World
    plans: dict[int, dict[str, Any]] = field(default_factory=dict)
    forecasts: Forecasts = field(default_factory=dict)
    truth: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    listings: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def in_lab(cls, lab: LabProcess, folder: Path) -> Story:
        """Return the story before its first night."""
        return cls(World(lab, folder))

    def play(self) -> Story:
        """Let the nights pass; every one must do all that it planned, and leave nothing to do."""
        for day in DAYS:
            self.world.move_to(night(day) - timedelta(hours=1))
            if day in MOVES:
                self.world.lab.client.fail_over(PROD, IRELAND, DATABASE_NAME)
            self.world.move_to(night(day))
            plan = self.world.planned()
            self.forecasts |= forecasts_of(plan)
            done = self.world.apply("-wait", "-json").insist()
            assert done.outcome()["counts"] == {"done": len(plan["steps"])}
            self.plans[day] = plan
        self.world.plan("-detailed-exitcode").insist()
        self.truth = {one["arn"]: one for one in self.world.lab.client.truth()}
        listing = ("rds", "describe-db-snapshots", "--snapshot-type", "manual")
        self.listings = {
            account: self.world.aws(account, IRELAND, *listing)["DBSnapshots"]
            for account in (PROD, VAULT)
        }
        return self

    def arn(self, day: int, account: str) -> str:
        """Return the ARN of a day's point in an account."""
        (found,) = (
            step["arn"]
            for step in self.plans[day]["steps"]
            if step["forecast"] is not None and step["location"]["account"] == account
        )
        return str(found)

    def forecast(self, account: str) -> Nightly:
        """Return what each day's plan said of its point in an account."""
        return {day: self.forecasts[self.arn(day, account)] for day in DAYS}

    def stored(self, account: str, rules: str) -> Nightly:
        """Return how each day's point in an account was stored, under a set of rules."""
        return {
            day: str(self.truth[self.arn(day, account)]["under"][rules]["stored"]) for day in DAYS
        }

    def base(self, day: int, account: str) -> str | None:
        """Return the base of a day's point in an account, as the blog has it."""
        found: str | None = self.truth[self.arn(day, account)]["under"]["blog"]["base"]
        return found

    def why_kept(self, day: int, arn: str) -> set[str]:
        """Return the codes of the reasons for which a day's plan keeps an object."""
        kept = {one["arn"]: one for one in self.plans[day]["kept"]}
        return {reason["code"] for reason in kept[arn]["reasons"]} if arn in kept else set()


def night(day: int) -> datetime:
    """Return when the scheduler runs on a day of the story."""
    return FIRST_NIGHT + timedelta(days=day - 1)


def full_on(*days: int) -> Nightly:
    """Return a story in which the points of these days are full, and all others incremental."""
    return {day: "full" if day in days else "incremental" for day in DAYS}
