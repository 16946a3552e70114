"""Talks to a running lab's own interface under `/_lab/`."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from engine.lab.callers import SECRET, access_key_of
from engine.lab.clock import text_of, time_of
from engine.lab.errors import LabError

_SECONDS = 300


class LabClient:
    """One lab, by its endpoint, such as `http://127.0.0.1:5000`.

    Every call raises LabError: nothing answers there, or the lab refuses.
    """

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint

    def about(self) -> dict[str, Any]:
        """Return the lab's `pid`, `now` and `speed`."""
        return self._ask("GET", "")

    def now(self) -> datetime:
        """Return the lab's time, UTC, in whole seconds."""
        return time_of(self._ask("GET", "/clock")["now"])

    def forward(self, seconds: float) -> datetime:
        """Move the lab's clock by lab seconds; return its time then."""
        return time_of(self._ask("POST", "/clock", {"forward": seconds})["now"])

    def move_to(self, when: datetime) -> datetime:
        """Move the lab's clock to a later time."""
        return time_of(self._ask("POST", "/clock", {"to": text_of(when)})["now"])

    def run_at(self, speed: float) -> datetime:
        """Let the lab's clock run at `speed` times real time."""
        return time_of(self._ask("POST", "/clock", {"speed": speed})["now"])

    def seed(self, document: Any) -> dict[str, int]:
        """Put a seed document in; return how many accounts, keys, instances and snapshots."""
        return self._ask("POST", "/seed", document)

    def dump(self) -> dict[str, Any]:
        """Return everything there is as a seed document, dated at the lab's time."""
        return self._ask("GET", "/seed")

    def calls(self) -> list[dict[str, Any]]:
        """Return the recorded calls, oldest first.

        Each has `time`, `account`, `role`, `region`, `service`, `operation`, `resource`, `outcome`
        (`ok`, an error code, or the kind of fault that left no usable answer), `status` (0 where
        nothing was sent), `applied` and the `fault` that struck it.
        """
        found: list[dict[str, Any]] = self._ask("GET", "/calls")["calls"]
        return found

    def forget_calls(self) -> None:
        """Forget the recorded calls."""
        self._ask("DELETE", "/calls")

    def truth(self) -> list[dict[str, Any]]:
        """Return every snapshot ever begun, with how it was `stored`, of which `base`, and why.

        Also when it was begun, completed, failed and deleted, and by whom.
        """
        found: list[dict[str, Any]] = self._ask("GET", "/truth")["snapshots"]
        return found

    def fail_over(self, account: str, region: str, identifier: str) -> dict[str, Any]:
        """Let an instance's standby take over at once; return the zones after it."""
        place = {"account": account, "region": region, "identifier": identifier}
        return self._ask("POST", "/failover", place)

    def let(
        self, do: str, account: str, region: str, identifier: str, name: str | None = None
    ) -> dict[str, Any]:
        """Let an instance `fail_over`, `stop`, `start`, or somebody `delete` or `rename` it.

        `name` is its new identifier in a rename. Return its ARN, `status` and zones.
        """
        what = {"do": do, "account": account, "region": region, "identifier": identifier}
        return self._ask("POST", "/instances", {**what, "name": name})

    def add_fault(self, kind: str, **fields: Any) -> str:
        """Let calls go wrong; return the fault's id.

        `fields` are those of `engine.lab.faults.Fault`; `lasts` is `for`, which Python reserves.
        """
        if "lasts" in fields:
            fields["for"] = fields.pop("lasts")
        return str(self._ask("POST", "/faults", {"kind": kind, **fields})["id"])

    def add_faults(self, documents: Sequence[Mapping[str, Any]]) -> list[str]:
        """Arm faults that are written as the lab's JSON; return their ids."""
        return [one["id"] for one in self._ask("POST", "/faults", list(documents))["faults"]]

    def faults(self) -> list[dict[str, Any]]:
        """Return the armed faults, each with its `id` and how often it has `fired`."""
        found: list[dict[str, Any]] = self._ask("GET", "/faults")["faults"]
        return found

    def clear_faults(self, fault_id: str | None = None) -> int:
        """Disarm a fault, or all; return how many."""
        path = "/faults" if fault_id is None else f"/faults/{fault_id}"
        return int(self._ask("DELETE", path)["cleared"])

    def reset(self, at: datetime | None = None, seed: Any = None) -> datetime:
        """Replace the world by an empty one, or by a seed's; return its time.

        What is in it, sessions, settings, faults and records are gone. The time may be earlier
        than it was; without `at` it is the seed's, else it stays. The clock's speed stays.
        """
        asked = {"at": None if at is None else text_of(at), "seed": seed}
        return time_of(self._ask("POST", "/reset", asked)["now"])

    def settings(self) -> dict[str, Any]:
        """Return the lab's settings."""
        return self._ask("GET", "/settings")

    def change_settings(self, **changes: Any) -> dict[str, Any]:
        """Change settings; return them all."""
        return self._ask("POST", "/settings", changes)

    def accounts(self) -> list[dict[str, Any]]:
        """Return what each used account and region holds, as counts."""
        found: list[dict[str, Any]] = self._ask("GET", "/accounts")["accounts"]
        return found

    def expire_sessions(self) -> int:
        """Let the credentials of all assumed roles be expired now; return how many there were."""
        return int(self._ask("DELETE", "/sessions")["expired"])

    def _ask(self, method: str, path: str, document: Any = None) -> dict[str, Any]:
        where = urlsplit(self.endpoint)
        connection = http.client.HTTPConnection(where.netloc, timeout=_SECONDS)
        try:
            body = None if document is None else json.dumps(document)
            connection.request(method, f"/_lab{path}", body)
            answer = connection.getresponse()
            status, text = answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise LabError(
                f"no lab answers at {self.endpoint} ({error})", "start one with `engine lab up`"
            ) from None
        finally:
            connection.close()
        return _read(self.endpoint, status, text)


def _read(endpoint: str, status: int, text: bytes) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise LabError(f"{endpoint} is no lab", "give the endpoint that `engine lab up` printed")
    if status != http.client.OK:
        raise LabError(str(document.get("error", status)), "see `engine lab -help`")
    return document


def environment(endpoint: str, account: str, region: str) -> dict[str, str]:
    """Return the variables that point AWS tools to a lab, as an account's own caller."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": access_key_of(account),
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
    }
