"""`engine simulate`: what the runs of days to come would make, copy and delete."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime, timedelta
from pathlib import Path

from engine.cli.inputs import add_at, add_policies, document_paths, parse_seconds, the_time
from engine.documents.load import Loaded
from engine.documents.model import Documents
from engine.errors import ExitCode, UsageError
from engine.inventory.records import Inventory, Kind
from engine.simulation.settings import Pace, Settings
from engine.simulation.timeline import Simulation

LONGEST = 3660
PERIODS = ("day", "week", "month")
_DURATIONS = (
    ("interval", "30m", "how often the scheduler runs the engine"),
    ("create-takes", "5m", "how long AWS makes a snapshot"),
    ("copy-takes", "10m", "how long AWS copies one inside a region"),
    ("cross-region-takes", "20m", "how long AWS copies one to another region"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_policies(parser)
    parser.add_argument(
        "-days", "--days", default="30", metavar="N", help="how many days to play (default: 30)"
    )
    parser.add_argument(
        "-events", "--events", metavar="FILE", help="what happens meanwhile: `kind: events`"
    )
    parser.add_argument(
        "-fleet", "--fleet", metavar="FILE", help="made-up databases to begin with: `kind: fleet`"
    )
    parser.add_argument(
        "-inventory", "--inventory", metavar="DIR", help="begin with a recording, no credentials"
    )
    add_at(parser)
    for name, standard, text in _DURATIONS:
        parser.add_argument(
            f"-{name}",
            f"--{name}",
            default=standard,
            metavar="D",
            help=f"{text} (default: {standard})",
        )
    parser.add_argument(
        "-wait",
        "--wait",
        action="store_true",
        help="let each run follow its plan to the end, as `engine apply -wait` does",
    )
    parser.add_argument("-by", "--by", choices=PERIODS, help="count by day, week or month")
    parser.add_argument("-json", "--json", action="store_true", help="print it as JSON")
    parser.add_argument("-html", "--html", metavar="FILE", help="write it as a page for a browser")


def run(args: argparse.Namespace) -> int:
    """Play and tell."""
    from engine.inventory.bulk import collector_paused

    days, settings = _days(args.days), _settings(args)
    if args.by not in {None, *PERIODS}:
        raise UsageError(f"ENGINE_BY {args.by}: no period", fix=f"say one of {', '.join(PERIODS)}")
    loaded = _loaded(args)
    assert loaded.documents is not None
    _tell_of_clusters(loaded.documents)
    inventory, start = _beginning(args, loaded)
    from engine.simulation.simulate import simulate

    with collector_paused():
        simulation = simulate(
            loaded.documents, inventory, start, days, loaded.scene.events, settings
        )
        if args.html:
            _write_page(args.html, simulation, inventory)
        if args.json:
            from engine.simulation.json_form import dump

            for piece in dump(simulation):
                sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
        else:
            from engine.cli.output import screen_of, write_text
            from engine.reports.simulation_report import simulation_as_text
            from engine.simulation.timeline import Period

            period = Period(args.by) if args.by else None
            write_text(simulation_as_text(simulation, screen_of(sys.stdout), period))
    return int(ExitCode.OK)


def _tell_of_clusters(documents: Documents) -> None:
    for name in sorted(documents.of(Kind.CLUSTER).policies):
        sys.stderr.write(f"engine: policy {name} protects DB clusters, which are not simulated\n")


def _write_page(path: str, simulation: Simulation, inventory: Inventory) -> None:
    from engine.cli.files import write_whole
    from engine.reports.html.simulation_page import simulation_as_html
    from engine.simulation.before import standing

    before = tuple(standing(inventory, simulation.estate))
    write_whole(path, simulation_as_html(simulation, before).encode())


def _days(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= LONGEST:
        raise UsageError(
            f"-days {text}: not a number of days from 1 to {LONGEST}", fix="write it like 365"
        )
    return int(text)


def _settings(args: argparse.Namespace) -> Settings:
    lengths = {
        name: parse_seconds(f"-{name}", getattr(args, name.replace("-", "_")))
        for name, _, _ in _DURATIONS
    }
    if lengths["interval"] < 60:
        raise UsageError(
            f"-interval {args.interval}: less than a minute", fix="write it like 15m or 1h"
        )
    return Settings(
        interval=timedelta(seconds=lengths["interval"]),
        pace=Pace.FOLLOW if args.wait else Pace.LEAVE,
        create=timedelta(seconds=lengths["create-takes"]),
        copy=timedelta(seconds=lengths["copy-takes"]),
        cross_region=timedelta(seconds=lengths["cross-region-takes"]),
    )


def _loaded(args: argparse.Namespace) -> Loaded:
    from engine.documents.diagnostics import DocumentsError
    from engine.documents.load import load

    named = [Path(file) for file in (args.events, args.fleet) if file]
    loaded = load([*document_paths(args), *named])
    if loaded.documents is None:
        raise DocumentsError(loaded.diagnostics)
    return loaded


def _beginning(args: argparse.Namespace, loaded: Loaded) -> tuple[Inventory, datetime]:
    """Return what the simulation begins with, and when: a fleet, a recording, or what there is."""
    documents = loaded.documents
    assert documents is not None
    if args.inventory:
        from engine.inventory.recorded import read_inventory

        inventory = read_inventory(Path(args.inventory))
        return inventory, the_time(args, inventory)
    start = the_time(args)
    if loaded.scene.fleets:
        from engine.simulation.beginning import made_up_inventory

        return made_up_inventory(documents, loaded.scene.fleets, start), start
    from engine.inventory.live import clients_of, read_live

    return read_live(documents.estate, clients_of(documents.estate), start), start
