"""The lab's own interface: JSON under `/_lab/`."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from moto.rds.exceptions import RDSClientError
from moto.rds.models import rds_backends

from engine.lab.callers import Callers
from engine.lab.calls import call_document
from engine.lab.clock import text_of, time_of
from engine.lab.dumping import dump
from engine.lab.errors import LabError
from engine.lab.front import CONTROL, Environ, StartResponse
from engine.lab.rds.backend import LabBackend
from engine.lab.rds.instances import fail_over_now
from engine.lab.seeding import account_rows, plant
from engine.lab.seeds import read_seed, seed_document
from engine.lab.truth import verdict_document
from engine.lab.world import World

Document = dict[str, Any]
Handler = Callable[[Any], Document]


class Control:
    """Moves the clock, seeds, and tells what was called and what was stored how."""

    def __init__(self, world: World, callers: Callers) -> None:
        self._world = world
        self._callers = callers
        self._routes: dict[tuple[str, str], Handler] = {
            ("GET", ""): self._about,
            ("GET", "/clock"): self._clock,
            ("POST", "/clock"): self._move_clock,
            ("POST", "/seed"): self._seed,
            ("GET", "/seed"): self._dump,
            ("GET", "/calls"): self._calls,
            ("DELETE", "/calls"): self._forget_calls,
            ("GET", "/truth"): self._truth,
            ("POST", "/failover"): self._fail_over,
            ("GET", "/settings"): self._settings,
            ("POST", "/settings"): self._change_settings,
            ("GET", "/accounts"): self._accounts,
            ("DELETE", "/sessions"): self._expire_sessions,
        }

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request under `/_lab`."""
        method = environ["REQUEST_METHOD"]
        path = environ["PATH_INFO"].removeprefix(CONTROL).rstrip("/")
        handler = self._routes.get((method, path))
        if handler is None:
            status = HTTPStatus.NOT_FOUND
            known = ", ".join(f"{one} {CONTROL}{where}" for one, where in self._routes)
            document = {"error": f"the lab has no {method} {CONTROL}{path}: known are {known}"}
        else:
            status, document = _handled(handler, environ["wsgi.input"].read())
        body = json.dumps(document).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response(f"{status.value} {status.phrase}", headers)
        return [body]

    def _about(self, _: Any) -> Document:
        return {"lab": "engine", "pid": os.getpid(), **self._clock(None)}

    def _clock(self, _: Any) -> Document:
        return {"now": text_of(self._world.now), "speed": self._world.clock.speed}

    def _move_clock(self, asked: Any) -> Document:
        match asked:
            case {"forward": int() | float() as seconds}:
                if seconds < 0:
                    raise LabError("the lab's clock cannot go back", "give seconds from 0")
                self._world.clock.move_to(self._world.clock.now() + timedelta(seconds=seconds))
            case {"to": str() as text}:
                self._world.clock.move_to(time_of(text))
            case {"speed": int() | float() as speed}:
                self._world.clock.speed = speed
            case _:
                raise LabError(
                    f"{asked!r} does not say how to move the clock",
                    'give {"forward": seconds}, {"to": "2026-11-21T02:00:00Z"} or {"speed": 60}',
                )
        self._world.settle()
        return self._clock(None)

    def _seed(self, asked: Any) -> Document:
        seeded = plant(read_seed(asked), self._world, self._callers)
        return {
            "accounts": seeded.accounts,
            "keys": seeded.keys,
            "instances": seeded.instances,
            "snapshots": seeded.snapshots,
        }

    def _dump(self, _: Any) -> Document:
        document: Document = seed_document(dump(self._world, self._callers))
        return document

    def _calls(self, _: Any) -> Document:
        return {"calls": [call_document(call) for call in self._world.calls]}

    def _forget_calls(self, _: Any) -> Document:
        self._world.calls.clear()
        return {"calls": []}

    def _truth(self, _: Any) -> Document:
        rules = self._world.settings.rules
        entries = self._world.ledger.history()
        return {
            "rules": str(rules),
            "snapshots": [verdict_document(entry, rules) for entry in entries],
        }

    def _fail_over(self, asked: Any) -> Document:
        match asked:
            case {
                "account": str() as account,
                "region": str() as region,
                "identifier": str() as name,
            }:
                known = account in rds_backends and region in rds_backends[account]
            case _:
                raise LabError(
                    f"{asked!r} does not name an instance", "give account, region and identifier"
                )
        backend = rds_backends[account][region] if known else None
        if not isinstance(backend, LabBackend):
            raise LabError(f"the lab has nothing in {account}/{region}", "name a seeded account")
        instance = fail_over_now(backend, name)
        zones = {"primary": instance.zones.primary, "standby": instance.zones.standby}
        return {"instance": instance.arn, **zones}

    def _settings(self, _: Any) -> Document:
        settings = self._world.settings
        return {name: getattr(settings, name) for name in settings.__dataclass_fields__}

    def _change_settings(self, asked: Any) -> Document:
        if not isinstance(asked, dict):
            raise LabError(f"{asked!r} is no mapping of settings", "give their names and values")
        self._world.settings = self._world.settings.changed_by(asked)
        return self._settings(None)

    def _accounts(self, _: Any) -> Document:
        return {"accounts": account_rows(self._callers.roles)}

    def _expire_sessions(self, _: Any) -> Document:
        return {"expired": self._callers.expire_sessions()}


def _handled(handler: Handler, body: bytes) -> tuple[HTTPStatus, Document]:
    try:
        asked = json.loads(body) if body else None
        return HTTPStatus.OK, handler(asked)
    except ValueError as error:
        return HTTPStatus.BAD_REQUEST, {"error": f"the request is not JSON: {error}"}
    except (LabError, RDSClientError) as error:
        return HTTPStatus.BAD_REQUEST, {"error": str(error)}
