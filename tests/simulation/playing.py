"""Simulations for tests: small estates as YAML, played for some days."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from engine.documents.load import load
from engine.documents.model import Documents
from engine.documents.scene import Event, Happening, Scene
from engine.plans.codes import Action
from engine.simulation.beginning import made_up_inventory
from engine.simulation.settings import Settings
from engine.simulation.simulate import simulate
from engine.simulation.timeline import Entry, Simulation

START = datetime(2026, 11, 16, 2, 5, tzinfo=UTC)
PROD, VAULT = "111111111111", "222222222222"
ORDERS = "prod/eu-west-1/orders-1"
ADDRESS = f"{PROD}/eu-west-1/orders-1"

ESTATE = """\
version: 1
kind: estate
name: acme
account_defaults: {role: engine, rekey: alias/backup-share, regions: [eu-west-1]}
accounts:
  prod: {id: "111111111111"}
  vault: {id: "222222222222", regions: [eu-west-1, eu-central-1]}
targets:
  local: {account: vault, region: eu-west-1, key: alias/backups}
  remote: {account: vault, region: eu-central-1, key: alias/backups}
"""
FLEET = """\
version: 1
kind: fleet
databases:
  - account: prod
    region: eu-west-1
    identifier: orders-1
    zones: [eu-west-1a, eu-west-1b]
    key: alias/orders
"""


def policy(keep: str = "{daily: 14}", copies: str = "[{target: local}]", more: str = "") -> str:
    """Return a policy for everything, with daily points."""
    return (
        "version: 1\nkind: policy\nname: gold\nselect: {identifiers: ['*']}\n"
        "snapshots:\n"
        '  schedule: {every: 1d, window: "02:00-05:00"}\n'
        f"  retention: {{keep: {keep}}}\n"
        f"  copies: {copies}\n{more}"
    )


def read(folder: Path, *texts: str) -> tuple[Documents, Scene]:
    """Return the documents and the scene of texts without errors."""
    file = folder / "all.yaml"
    file.write_text("---\n".join(texts))
    loaded = load([file])
    assert loaded.documents is not None, loaded.diagnostics
    return loaded.documents, loaded.scene


def play(
    folder: Path,
    *texts: str,
    days: int = 7,
    events: Iterable[Event] = (),
    settings: Settings | None = None,
    start: datetime = START,
    estate: str = ESTATE,
) -> Simulation:
    """Play an estate's days; without a fleet among the texts there is one database."""
    documents, scene = read(folder, estate, *texts)
    if not scene.fleets:
        documents, scene = read(folder, estate, FLEET, *texts)
    inventory = made_up_inventory(documents, scene.fleets, start)
    told = (*scene.events, *events)
    return simulate(documents, inventory, start, days, told, settings)


def event(day: float, what: Happening, source: str = ORDERS, **details: object) -> Event:
    """Return an event so many days after the start."""
    return Event(START + timedelta(days=day), what, source=source, **details)  # type: ignore[arg-type]


def made(simulation: Simulation, account: str) -> dict[int, str]:
    """Return the forecast of each day's point in an account, counting the first day as 1."""
    return {
        _day(entry): entry.forecast.verdict.value
        for entry in simulation.timeline()
        if entry.forecast is not None and entry.location.account == account
    }


def deleted(simulation: Simulation) -> list[Entry]:
    """Return what is deleted, in order."""
    return [entry for entry in simulation.timeline() if entry.action is Action.DELETE]


def _day(entry: Entry) -> int:
    assert entry.slot is not None
    return (entry.slot.date() - START.date()).days + 1
