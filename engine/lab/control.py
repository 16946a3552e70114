"""The lab's own interface: JSON under `/_lab/`."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

import msgspec
from moto.rds.exceptions import RDSClientError

from engine.lab.asking import Environ
from engine.lab.callers import Callers
from engine.lab.calls import call_document
from engine.lab.clock import later, text_of, time_of
from engine.lab.dumping import dump
from engine.lab.errors import LabError
from engine.lab.fault_book import armed_document
from engine.lab.faults import Address, read_faults
from engine.lab.front import CONTROL
from engine.lab.grafts import forget_everything
from engine.lab.rds.happenings import Happening, happen
from engine.lab.replies import StartResponse
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
            ("POST", "/instances"): self._let_happen,
            ("POST", "/faults"): self._arm,
            ("GET", "/faults"): self._faults,
            ("DELETE", "/faults"): self._disarm_all,
            ("POST", "/reset"): self._reset,
            ("GET", "/settings"): self._settings,
            ("POST", "/settings"): self._change_settings,
            ("GET", "/accounts"): self._accounts,
            ("DELETE", "/sessions"): self._expire_sessions,
        }

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request under `/_lab`."""
        method = environ["REQUEST_METHOD"]
        path = environ["PATH_INFO"].removeprefix(CONTROL).rstrip("/")
        handler = self._routes.get((method, path)) or self._by_id(method, path)
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

    def _by_id(self, method: str, path: str) -> Handler | None:
        room, _, fault_id = path.rpartition("/")
        if (method, room) != ("DELETE", "/faults"):
            return None
        return lambda _: self._disarm(fault_id)

    def _about(self, _: Any) -> Document:
        return {"lab": "engine", "pid": os.getpid(), **self._clock(None)}

    def _clock(self, _: Any) -> Document:
        return {"now": text_of(self._world.now), "speed": self._world.clock.speed}

    def _move_clock(self, asked: Any) -> Document:
        match asked:
            case {"forward": int() | float() as seconds}:
                if seconds < 0:
                    raise LabError("the lab's clock cannot go back", "give seconds from 0")
                self._world.clock.move_to(later(self._world.clock.now(), seconds))
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
        return self._let(Happening.FAIL_OVER, asked)

    def _let_happen(self, asked: Any) -> Document:
        do = asked.get("do") if isinstance(asked, dict) else None
        if do not in list(Happening):
            raise LabError(
                f"{asked!r} does not say what to do", "do one of " + ", ".join(Happening)
            )
        return self._let(Happening(do), asked)

    def _let(self, what: Happening, asked: Any) -> Document:
        match asked:
            case {
                "account": str() as account,
                "region": str() as region,
                "identifier": str() as identifier,
            }:
                address = Address(account, region, identifier)
            case _:
                raise LabError(
                    f"{asked!r} does not name an instance", "give account, region and identifier"
                )
        instance = happen(what, address, asked.get("name"))
        zones = {"primary": instance.zones.primary, "standby": instance.zones.standby}
        return {"instance": instance.arn, "status": instance.status, **zones}

    def _arm(self, asked: Any) -> Document:
        armed = self._world.faults.arm(read_faults(asked), self._world.now)
        documents = [armed_document(one) for one in armed]
        return {"faults": documents} if isinstance(asked, list) else documents[0]

    def _faults(self, _: Any) -> Document:
        return {"faults": [armed_document(one) for one in self._world.faults]}

    def _disarm_all(self, _: Any) -> Document:
        return {"cleared": self._world.faults.clear()}

    def _disarm(self, fault_id: str) -> Document:
        self._world.faults.disarm(fault_id)
        return {"cleared": 1}

    def _reset(self, asked: Any) -> Document:
        given = {} if asked is None else asked
        if not isinstance(given, dict) or given.keys() - {"at", "seed"}:
            raise LabError(
                f"{asked!r} does not say what to begin anew with", "give at, seed or none"
            )
        seed = read_seed(given["seed"]) if given.get("seed") is not None else None
        at = seed.at if seed is not None else None
        if given.get("at") is not None:
            at = time_of(given["at"])
        clock = self._world.clock
        # Time stands still until all is there, as it does when a lab starts.
        speed, clock.speed = clock.speed, 0
        try:
            forget_everything()
            self._callers.clear()
            self._world.begin_anew(at)
            if seed is not None:
                plant(seed, self._world, self._callers)
        finally:
            clock.speed = speed
        return self._clock(None)

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
        asked = msgspec.json.decode(body) if body else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return HTTPStatus.BAD_REQUEST, {"error": f"the request is not JSON: {error}"}
    try:
        return HTTPStatus.OK, handler(asked)
    except (LabError, RDSClientError) as error:
        return HTTPStatus.BAD_REQUEST, {"error": str(error)}
