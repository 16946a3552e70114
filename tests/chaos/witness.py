"""The lab's witness: what the engine changed, and what stood around it when it deleted.

It sits between the lab's front door and moto, in the lab's process, so that it sees every call
that takes effect, whether its reply arrives or not. `GET /_chaos/deeds` tells them,
`/_chaos/count` how many.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any, cast
from urllib.parse import parse_qsl

from moto.rds.models import rds_backends

from engine.lab.asking import Environ
from engine.lab.clock import text_of
from engine.lab.front import Application, collect
from engine.lab.rds.models import LabInstance, LabSnapshot
from engine.lab.replies import StartResponse
from engine.lab.world import World

DEEDS, COUNT = "/_chaos/deeds", "/_chaos/count"
TICK = timedelta(seconds=100)
SERVES = "engine/"
"""What the engine's user agent has and nobody else's."""
CHANGING = frozenset(
    {
        "CreateDBSnapshot",
        "CopyDBSnapshot",
        "ModifyDBSnapshotAttribute",
        "DeleteDBSnapshot",
        "AddTagsToResource",
        "RemoveTagsFromResource",
    }
)
ALSO_CHANGING = ("Create", "Delete", "Modify", "Start", "Stop", "Reboot", "Restore", "Copy", "Add")

Deed = dict[str, Any]


class Witness:
    """moto's application, watched.

    The lab's clock stands, but for this: whenever the engine lists snapshots, a `tick` passes. So a
    run that waits sees time go by, and how fast the machine is plays no part.
    """

    def __init__(self, world: World, moto: Application, tick: timedelta = TICK) -> None:
        self._world = world
        self._moto = moto
        self._tick = tick
        self._deeds: list[Deed] = []
        self._of = world.number

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Pass a call on; note it where it changes something of RDS."""
        body = environ["wsgi.input"].read()
        environ["wsgi.input"].seek(0)
        said = dict(parse_qsl(body.decode(errors="replace"))) if b"Action=" in body else {}
        operation = said.get("Action", "")
        by_engine = SERVES in environ.get("HTTP_USER_AGENT", "")
        if by_engine and operation == "DescribeDBSnapshots":
            self._world.clock.move_to(self._world.clock.now() + self._tick)
        if operation not in CHANGING and not (by_engine and operation.startswith(ALSO_CHANGING)):
            return self._moto(environ, start_response)
        deed: Deed = {
            "time": text_of(self._world.now),
            "account": environ.get("HTTP_X_MOTO_ACCOUNT_ID"),
            "region": _region(environ),
            "operation": operation,
            "said": said,
            "by_engine": by_engine,
        }
        if operation == "DeleteDBSnapshot":
            deed["scene"] = self._scene(deed["account"], deed["region"], said)
        answer = collect(self._moto, environ)
        deed["status"] = answer.status
        self.deeds.append(deed)
        start_response(f"{answer.status} Status", list(answer.headers))
        return [answer.body]

    @property
    def deeds(self) -> list[Deed]:
        """What was done in the world of now."""
        if self._of != self._world.number:
            self._of, self._deeds = self._world.number, []
        return self._deeds

    def _scene(self, account: str, region: str, said: dict[str, str]) -> dict[str, Any]:
        """Tell what is there as something is about to be deleted, and what hangs on it."""
        everything = list(_snapshots())
        victim = next(
            (
                one
                for one in everything
                if (one.account_id, one.region) == (account, region)
                and one.db_snapshot_identifier == said["DBSnapshotIdentifier"].lower()
            ),
            None,
        )
        arn = victim.arn if victim else None
        hanging = [
            entry.subject.arn
            for entry in self._world.ledger.history()
            if entry.exists
            and entry.completed is None
            and arn in {verdict.base for verdict in entry.verdicts.values()}
        ]
        return {
            "victim": told(victim) if victim else None,
            "there": [told(one) for one in everything if _place(one) == (account, region)],
            "readers": [one.arn for one in everything if one.in_progress and _origin(one) == arn],
            "base_of": hanging,
            "living": {
                one.dbi_resource_id: one.arn for one in _instances() if one.status != "deleting"
            },
        }


def told(one: LabSnapshot) -> dict[str, Any]:
    """Tell of a snapshot what the lab knows for sure."""
    return {
        "arn": one.arn,
        "status": one.status,
        "type": one.snapshot_type,
        "volume": [one.volume.resource_id, one.volume.zone],
        "keys": list(one.keys),
        "origin": _origin(one),
        "original": one.original.timestamp(),
        "made": one.created.timestamp(),
        "tags": {tag["Key"]: tag["Value"] for tag in one.tags},
    }


def _place(one: LabSnapshot) -> tuple[str, str]:
    return one.account_id, one.region


def _origin(one: LabSnapshot) -> str | None:
    return one.origin.arn if one.origin else None


def _snapshots() -> Iterator[LabSnapshot]:
    for account in rds_backends:
        for backend in list(rds_backends[account].values()):
            yield from cast(Iterable[LabSnapshot], backend.database_snapshots.values())


def _instances() -> Iterator[LabInstance]:
    for account in rds_backends:
        for backend in list(rds_backends[account].values()):
            yield from cast(Iterable[LabInstance], backend.databases.values())


def _region(environ: Environ) -> str:
    return str(environ.get("HTTP_AUTHORIZATION", "////").split("/")[2])


def telling(witness: Witness, front: Application) -> Application:
    """Return the front door with the witness's own before it."""

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO")
        if path not in {DEEDS, COUNT}:
            return front(environ, start_response)
        said = witness.deeds if path == DEEDS else len(witness.deeds)
        body = json.dumps(said).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response("200 OK", headers)
        return [body]

    return application
