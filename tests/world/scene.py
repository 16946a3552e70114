"""One database under one policy, for tests of the model itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from engine.documents.model import (
    Account,
    Condition,
    CopyRule,
    Documents,
    Estate,
    Every,
    Orphans,
    Policy,
    Schedule,
    Select,
    SnapshotTerms,
    Target,
    Terms,
)
from engine.retention.keep import Keep
from engine.retention.spans import Span
from tests.world.aws import World
from tests.world.running import Engine
from tests.world.strategies import START
from tests.world.things import (
    HOME,
    LOCAL,
    PROD,
    SISTER,
    VAULT,
    Database,
    Thing,
    key_arn,
)

DAY = timedelta(days=1)
GOLD = Policy(
    "gold",
    Select(Condition(tags={"tier": ("gold",)})),
    Terms(
        snapshots=SnapshotTerms(
            schedule=Schedule(Every(DAY)),
            keep=Keep(last=2),
            copies=(CopyRule("local", keep=Keep(last=3)),),
        ),
        orphans=Orphans(Span(days=3)),
    ),
)
ESTATE = Estate(
    "acme",
    {
        "prod": Account("prod", PROD, (HOME.region, SISTER.region), rekey="alias/backup-share"),
        "vault": Account("vault", VAULT, (LOCAL.region,)),
    },
    {"local": Target("local", "vault", LOCAL.region, "alias/backups")},
)


def database(**changes: object) -> Database:
    plain = Database(
        location=HOME,
        identifier="orders",
        resource="db-ORDERS",
        engine="postgres",
        zones=("eu-west-1a", "eu-west-1b"),
        key=key_arn(HOME, "app"),
        tags={"tier": "gold"},
        born=START,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def engine(days: int = 1, **changes: object) -> Engine:
    """The engine before a world with one database and so many days of points."""
    made = Engine(World(START, databases=[database(**changes)]), Documents(ESTATE, {"gold": GOLD}))
    for _ in range(days):
        made.settle()
        made.world.tick(DAY)
    return made


def points(made: Engine, at: str = "") -> list[Thing]:
    """What the engine made at a location, oldest first."""
    found = [one for one in made.world.things.values() if str(one.location) == at or not at]
    return sorted(found, key=lambda one: one.original)


def home(made: Engine) -> list[Thing]:
    return points(made, str(HOME))
