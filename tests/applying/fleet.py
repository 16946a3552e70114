"""An estate with as many databases as wanted, and the calls that applying to it takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from engine.lab.estates import IRELAND, PROD, ROLES, VAULT, zones_of
from engine.lab.seeds import AccountSeed, InstanceSeed, KeySeed, Seed, seed_document

CHANGES = frozenset(
    {
        "CreateDBSnapshot",
        "CopyDBSnapshot",
        "ModifyDBSnapshotAttribute",
        "AddTagsToResource",
        "RemoveTagsFromResource",
    }
)
# Create, confirm the zone, write the share down, share, copy, unshare, strike it out.
CHANGES_PER_DATABASE = 7


def fleet(databases: int) -> Any:
    """Return the seed of an estate with so many encrypted databases."""
    zones = zones_of(IRELAND, 1, 2, 3)
    return seed_document(
        Seed(
            settings={"manual_snapshots": max(100, databases)},
            accounts={
                "prod": AccountSeed(PROD, zones={IRELAND: zones}, roles=ROLES),
                "vault": AccountSeed(VAULT, zones={IRELAND: zones}, roles=ROLES),
            },
            keys=(
                KeySeed("prod", IRELAND, "alias/orders", usable_by=("vault",)),
                KeySeed("vault", IRELAND, "alias/backups"),
            ),
            instances=tuple(database(number) for number in range(databases)),
        )
    )


def database(number: int, tier: str = "gold") -> InstanceSeed:
    """Return the seed of one of them."""
    return InstanceSeed(
        "prod",
        IRELAND,
        f"orders-{number}",
        engine="postgres",
        multi_az=True,
        zones=("eu-west-1a", "eu-west-1b"),
        key="alias/orders",
        tags={"tier": tier},
        backup_window="00:00-00:45",
        maintenance_window="sun:06:00-sun:06:30",
    )


@dataclass(frozen=True, slots=True)
class Tally:
    """What a lab was asked for by one apply.

    Attributes:
        calls: how many of each operation.
        listings: how many listings of snapshots or instances.
        polls: how many times at which there were listings, however many locations had theirs.
        early: listings that followed another one of the same kind and location before the poll
            interval was over.
    """

    calls: Counter[str]
    listings: int
    polls: int
    early: int

    @property
    def changes(self) -> int:
        """How many calls changed something."""
        return sum(count for name, count in self.calls.items() if name in CHANGES)

    @property
    def others(self) -> int:
        """How many calls neither changed nor listed anything: roles assumed, keys read."""
        return self.calls.total() - self.changes - self.listings


def tally(calls: Iterable[Mapping[str, Any]], interval: timedelta) -> Tally:
    """Count a lab's recorded calls; `interval` is between polls, in the lab's time."""
    counted: Counter[str] = Counter()
    newest: dict[tuple[str, str, str], datetime] = {}
    listings = polls = early = 0
    poll_began: datetime | None = None
    # The lab tells whole seconds.
    shortest = interval - timedelta(seconds=1)
    for call in calls:
        counted[call["operation"]] += 1
        if not call["operation"].startswith("DescribeDB"):
            continue
        kind = (call["account"], call["region"], call["operation"])
        at = datetime.fromisoformat(call["time"])
        listings += 1
        if poll_began is None or at - poll_began >= shortest / 2:
            polls += 1
            poll_began = at
        early += kind in newest and at - newest[kind] < shortest
        newest[kind] = at
    return Tally(counted, listings, polls, early)
