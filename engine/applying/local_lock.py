"""The lock of one repository on one machine: a lease in a file, renewed while a run lives."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from engine.applying.lock import Lease, LockLostError, Standing, freed
from engine.applying.ports import Clock
from engine.errors import EngineError, LockedError

LEASE = timedelta(seconds=60)
LOOK_AGAIN = 0.5


class LocalLock:
    """Holds the lease in a file and renews it from a thread; see `acquire`."""

    def __init__(self, path: Path, lease: Lease, clock: Clock) -> None:
        self._path = path
        self._lease = lease
        self._clock = clock
        self._done = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="lease", daemon=True)
        self._keeper.start()

    @property
    def fence(self) -> int:
        """The number of this holder."""
        return self._lease.fence

    def verify(self) -> None:
        """Return if the file still names this run.

        Raises:
            LockLostError: it names another one.
            EngineError: the file cannot be read.
        """
        found = read_lease(self._path)
        if found is None or not self._is_ours(found):
            raise LockLostError(
                "the lock was taken over while this run was not renewing it",
                where=str(self._path),
                why=f"held by {found.who}" if found and found.run else None,
                fix="run `engine apply` again",
            )
        if datetime.fromisoformat(found.expires_at) <= self._clock.now():
            self._renew()

    def release(self) -> None:
        """Free the lock, if it is still this run's; the fence stays behind."""
        self._done.set()
        self._keeper.join()
        with _exclusive(self._path):
            found = _load(self._path)
            if found is not None and self._is_ours(found):
                _store(self._path, freed(found))

    def _is_ours(self, found: Lease) -> bool:
        return found.fence == self._lease.fence and found.run == self._lease.run

    def _keep(self) -> None:
        while not self._done.wait(LEASE.total_seconds() / 3):
            try:
                self._renew()
            except EngineError:
                # `verify` meets the same trouble before the next call and tells of it.
                continue

    def _renew(self) -> None:
        with _exclusive(self._path):
            found = _load(self._path)
            if found is not None and self._is_ours(found):
                _store(self._path, _prolonged(found, self._clock.now()))


def lock_path(root: Path, estate: str) -> Path:
    """Return where the lock of an estate stands."""
    return root / ".engine" / "state" / f"lock-{estate}.json"


def acquire(path: Path, run: str, clock: Clock, *, who: str, timeout: float) -> LocalLock:
    """Take the lock, waiting up to `timeout` seconds for its holder.

    A lease that ran out, or whose process is gone, is taken over.

    Raises:
        LockedError: somebody else holds it.
        EngineError: the file cannot be read or written.
    """
    give_up_at = clock.elapsed() + timeout
    while True:
        with _exclusive(path):
            found = _load(path)
            if found is None or not is_live(found, clock.now()):
                lease = Lease(
                    fence=found.fence + 1 if found else 1,
                    run=run,
                    host=_machine(),
                    process=_process(os.getpid()) or f"{os.getpid()}@",
                    who=who,
                    expires_at="",
                )
                lease = _prolonged(lease, clock.now())
                _store(path, lease)
                return LocalLock(path, lease, clock)
        if clock.elapsed() >= give_up_at:
            raise LockedError(
                "another run holds the lock",
                where=str(path),
                why=f"{found.who} holds it (run {found.run}) until {found.expires_at} or longer",
                fix="wait for it with -lock-timeout, or end that run",
            )
        clock.sleep(min(LOOK_AGAIN, give_up_at - clock.elapsed()))


def is_live(lease: Lease, now: datetime) -> bool:
    """Tell whether somebody holds the lock: in time, and alive as far as can be seen."""
    if lease.run is None or datetime.fromisoformat(lease.expires_at) <= now:
        return False
    if lease.host != _machine():
        return True
    return _process(int(lease.process.partition("@")[0])) == lease.process


def standing(path: Path, now: datetime) -> Standing | None:
    """Return how a lock stands, None where there never was one; raises EngineError."""
    lease = read_lease(path)
    return None if lease is None else Standing(lease, is_live(lease, now))


def read_lease(path: Path) -> Lease | None:
    """Return the lease in a lock file, None where there is none; raises EngineError."""
    with _exclusive(path):
        return _load(path)


def free(path: Path, seen: Standing) -> None:
    """Take the lock from the run that was seen to hold it.

    If that run still lives, it stops before its next call.

    Raises:
        EngineError: the file cannot be read or written.
    """
    with _exclusive(path):
        found = _load(path)
        if found is not None and (found.fence, found.run) == (seen.lease.fence, seen.lease.run):
            _store(path, freed(found))


def _prolonged(lease: Lease, now: datetime) -> Lease:
    expires = (now.astimezone(UTC) + LEASE).isoformat(timespec="seconds")
    return replace(lease, expires_at=expires)


def _machine() -> str:
    """Name the space that process ids count in: containers of one host may share its name."""
    try:
        return f"{socket.gethostname()} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return socket.gethostname()


def _process(pid: int) -> str | None:
    """Return a name of a process that no later one has, None where there is no such process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return f"{pid}@"
    # The 22nd field is the start in clock ticks since boot, 20th after the name (proc(5)); a
    # zombie (Z) has ended.
    return None if words[0] == "Z" else f"{pid}@{words[19]}"


@contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    """Let one process at a time read and change the file.

    The lock is on a file beside it, which is never replaced.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.with_suffix(".guard").open("a") as guard:
            fcntl.flock(guard, fcntl.LOCK_EX)
            yield
    except OSError as error:
        raise EngineError(
            "the lock file cannot be used",
            where=str(path),
            why=str(error),
            fix="see that the folder can be written",
        ) from error


def _load(path: Path) -> Lease | None:
    try:
        words = json.loads(path.read_text(encoding="utf-8"))
        return Lease(**words)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise EngineError(
            "the lock file makes no sense",
            where=str(path),
            why=str(error),
            fix="see that no run is under way, then remove the file",
        ) from error


def _store(path: Path, lease: Lease) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(asdict(lease), sort_keys=True) + "\n", encoding="utf-8")
    fresh.replace(path)
