"""Seeds that ship with the lab."""

from __future__ import annotations

from typing import Any

from engine.lab.seeds import AccountSeed, InstanceSeed, KeySeed, Seed, seed_document

PROD, VAULT = "111111111111", "222222222222"
IRELAND = "eu-west-1"
ROLES: dict[str, str | None] = {"backup-engine": None, "backup-reader": None}


def small() -> Any:
    """Return the seed of the smallest estate that has everything a backup goes through.

    `prod` (111111111111) has one encrypted Multi-AZ PostgreSQL instance, `orders-1`, tagged
    `tier=gold`, under `alias/orders`, which `vault` (222222222222) may use; `vault` has
    `alias/backups`. Both are in eu-west-1 and name its zones differently.
    """
    seed = Seed(
        accounts={
            "prod": AccountSeed(PROD, zones={IRELAND: zones_of(IRELAND, 3, 1, 2)}, roles=ROLES),
            "vault": AccountSeed(VAULT, zones={IRELAND: zones_of(IRELAND, 1, 2, 3)}, roles=ROLES),
        },
        keys=(
            KeySeed("prod", IRELAND, "alias/orders", usable_by=("vault",)),
            KeySeed("vault", IRELAND, "alias/backups"),
        ),
        instances=(
            InstanceSeed(
                "prod",
                IRELAND,
                "orders-1",
                engine="postgres",
                multi_az=True,
                zones=("eu-west-1a", "eu-west-1b"),
                key="alias/orders",
                tags={"tier": "gold"},
                backup_window="00:00-00:45",
                maintenance_window="sun:06:00-sun:06:30",
            ),
        ),
    )
    return seed_document(seed)


def zones_of(region: str, *numbers: int) -> dict[str, str]:
    """Return the ids of a region's zones a, b, c… by their names, given the ids' numbers."""
    area, direction, number = region.split("-")
    short = area + direction[0] + number
    return {
        f"{region}{letter}": f"{short}-az{number}"
        for letter, number in zip("abc", map(str, numbers), strict=True)
    }
