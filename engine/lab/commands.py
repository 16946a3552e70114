"""What `engine lab` does, as functions: the running lab is the one of the working directory.

`.engine/lab.json` names it: `{"pid": …, "endpoint": …, "account": …, "region": …}`.
"""

from __future__ import annotations

import json
import os
import signal
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from engine.lab.client import LabClient, environment
from engine.lab.clock import text_of
from engine.lab.errors import LabError

STATE = Path(".engine") / "lab.json"
LOG = Path(".engine") / "lab.log"

_STOP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class RunningLab:
    """A lab as its state file names it; account and region are what `up` prints exports for."""

    pid: int
    endpoint: str
    account: str
    region: str

    def exports(self) -> str:
        """Return shell lines that point AWS tools to it."""
        variables = environment(self.endpoint, self.account, self.region)
        return "".join(f"export {name}={value}\n" for name, value in variables.items())

    @property
    def client(self) -> LabClient:
        """What talks to it."""
        return LabClient(self.endpoint)


@dataclass(frozen=True, slots=True)
class Start:
    """How to start a lab; see `engine.lab.process.LabProcess.start`."""

    seed: Any = None
    speed: float = 1.0
    at: datetime | None = None
    rules: str = "documentation"
    port: int = 0
    account: str = "111111111111"
    region: str = "eu-west-1"


def up(start: Start, directory: Path = Path()) -> RunningLab:
    """Start a lab that outlives this process; print its `exports()` for the shell.

    Raises:
        LabError: one runs already, or it does not start.
    """
    if running(directory) is not None:
        raise LabError("a lab runs already", "use it, or stop it with `engine lab down`")
    from engine.lab.process import ServerOrder, launch

    order = ServerOrder(start.seed, start.speed, start.at, start.rules, start.port)
    state, log = directory / STATE, directory / LOG
    state.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as errors:
        process, endpoint = launch(order, errors, detached=True)
    lab = RunningLab(process.pid, endpoint, start.account, start.region)
    state.write_text(json.dumps(asdict(lab)) + "\n", encoding="utf-8")
    return lab


def down(directory: Path = Path()) -> bool:
    """Stop the lab of a directory; tell whether one ran.

    Raises:
        LabError: it does not stop.
    """
    lab = running(directory)
    (directory / STATE).unlink(missing_ok=True)
    if lab is None:
        return False
    os.kill(lab.pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while _answers(lab):
        if time.monotonic() > deadline:
            raise LabError(f"the lab (process {lab.pid}) does not stop", f"kill -9 {lab.pid}")
        time.sleep(0.05)
    return True


def running(directory: Path = Path()) -> RunningLab | None:
    """Return the lab that runs for a directory, None where none answers."""
    path = directory / STATE
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        lab = RunningLab(**document)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError):
        raise LabError(f"{path} does not name a lab", "remove it") from None
    return lab if _answers(lab) else None


def attached(directory: Path = Path()) -> LabClient:
    """Return a client of the lab of a directory, else of the one at AWS_ENDPOINT_URL.

    Raises:
        LabError: there is neither.
    """
    lab = running(directory)
    if lab is not None:
        return lab.client
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if endpoint:
        client = LabClient(endpoint)
        client.about()
        return client
    raise LabError("no lab runs here", "start one with `engine lab up`")


def named_seed(name: str, at: datetime | None = None) -> Any:
    """Return a seed document: of an estate that ships with the lab, or of a JSON file.

    Args:
        name: `small`, `acme`, or a path.
        at: the lab's time; `acme` has its own where none is given, and none before that.

    Raises:
        LabError: it is neither, or not there at that time.
    """
    from engine.lab.acme import acme
    from engine.lab.estates import small

    if name == "small":
        return small()
    if name == "acme":
        return acme(at)
    path = Path(name)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise LabError(
            f"the seed {name!r} cannot be read ({error})",
            "name a JSON file, or one of small, acme",
        ) from None


def seed(name: str, directory: Path = Path()) -> dict[str, int]:
    """Seed the running lab by name; return how much was put in."""
    client = attached(directory)
    return client.seed(named_seed(name, client.now()))


def clock(
    directory: Path = Path(), *, forward: float | None = None, to: datetime | None = None
) -> str:
    """Return the lab's time as RFC 3339, after moving it if so asked."""
    client = attached(directory)
    if forward is not None:
        return text_of(client.forward(forward))
    if to is not None:
        return text_of(client.move_to(to))
    return text_of(client.now())


def calls(directory: Path = Path(), *, forget: bool = False) -> list[dict[str, Any]]:
    """Return the recorded calls, and forget them if so asked."""
    client = attached(directory)
    found = client.calls()
    if forget:
        client.forget_calls()
    return found


def truth(directory: Path = Path()) -> list[dict[str, Any]]:
    """Return what was stored how."""
    return attached(directory).truth()


def _answers(lab: RunningLab) -> bool:
    try:
        return bool(lab.client.about().get("pid") == lab.pid)
    except LabError:
        return False
