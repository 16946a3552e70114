"""Writes a story's policies as the YAML documents that the engine reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from tests.chaos.story import BUCKET, NAMES, PolicySaid, Sending, Story

ESTATE = "chaos"
NO_KEYS: Mapping[str, str] = MappingProxyType({})


def write(
    folder: Path,
    story: Story,
    policies: Iterable[PolicySaid],
    keys: Mapping[str, str] = NO_KEYS,
) -> None:
    """Put a story's documents, with its policies as they are now, where the engine looks.

    `keys` are those of targets that have another key than the rest.
    """
    place = folder / "policies"
    place.mkdir(exist_ok=True)
    policies = tuple(policies)
    documents = [_estate(story, policies, keys), *map(_policy, policies)]
    (place / "all.yaml").write_text(yaml.safe_dump_all(documents, sort_keys=False))


def _estate(
    story: Story, policies: Iterable[PolicySaid], keys: Mapping[str, str]
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "version": 1,
        "kind": "estate",
        "name": ESTATE,
        "account_defaults": {
            "role": "backup-engine",
            "read_role": "backup-reader",
            "rekey": "alias/backup-share",
        },
        "accounts": {
            NAMES[account]: {
                "id": account,
                "regions": [region for owner, region in story.places if owner == account],
            }
            for account in sorted({account for account, _ in story.places})
        },
        "targets": {
            name: {
                "account": NAMES[target.account],
                "region": target.region,
                "key": keys.get(name, "alias/backups"),
            }
            for name, target in story.targets.items()
        },
        "guards": {
            "max_deletes": {"count": 100000, "percent": 100},
            "min_points": story.min_points,
        },
    }
    if story.is_shared:
        account, region = story.home_of_state
        place = {"account": NAMES[account], "bucket": BUCKET, "region": region, "prefix": "state"}
        found["state"] = {"s3": place}
    retired = [name for one in policies if one.is_retired for name in (one.name, *one.formerly)]
    if retired:
        found["retire"] = [{"policy": name, "reason": "no longer wanted"} for name in retired]
    return found


def _policy(said: PolicySaid) -> dict[str, Any]:
    due = {"cron": said.cron} if said.cron else {"every": said.every}
    schedule = {**due, "catch_up": said.catch_up}
    if said.window:
        schedule["window"] = said.window
    found: dict[str, Any] = {
        "version": 1,
        "kind": "policy",
        "name": said.name,
        "formerly": list(said.formerly),
        "select": {"tags": {"tier": said.tier}},
        "timezone": said.timezone,
        "snapshots": {
            "schedule": schedule,
            "retention": {"keep": dict(said.keep)},
            "incremental": said.incremental,
            "copies": [_copy(one) for one in said.copies],
        },
    }
    if said.replica is not None:
        found["snapshots"]["source"] = {"replica": said.replica, "fallback": "instance"}
    if said.events:
        found["events"] = [
            {"at": at.isoformat(), "reason": "an upgrade", "keep_for": f"{days}d"}
            for at, days in said.events
        ]
    if said.orphans is not None:
        days, last = said.orphans
        found["orphans"] = {"keep_for": f"{days}d", "keep_last": last}
    return found


def _copy(one: Sending) -> dict[str, Any]:
    found: dict[str, Any] = {"target": one.target}
    if one.keep is not None:
        found["retention"] = {"keep": dict(one.keep)}
    if one.every_days is not None:
        found["every"] = f"{one.every_days}d"
    if one.backfill is not None:
        found["backfill"] = one.backfill
    return found
