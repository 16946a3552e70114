"""Who may change an estate: one run at a time holds its lock, on a lease that it renews."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from engine.errors import LockedError


@dataclass(frozen=True, slots=True)
class Lease:
    """Who holds the lock until when. `fence` grows with each holder and is never used twice.

    `process` is the holder's process id and start; a free lock has no `run`. `expires_at` is by
    the holder's clock. `renewals` counts, so that no two leases that were ever written are alike.
    """

    fence: int
    run: str | None
    host: str
    process: str
    who: str
    expires_at: str
    renewals: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """How the lock stands: its lease, and whether its holder is to be believed alive.

    `tag` tells this lease from every other one that stood or will stand there.
    """

    lease: Lease
    is_live: bool
    tag: str = ""


class LockLostError(LockedError):
    """Somebody took the lock over: this run's lease had run out."""


class Lock(Protocol):
    """What a run holds while it changes things."""

    @property
    def fence(self) -> int:
        """The number of this holder."""

    def verify(self) -> None:
        """Return if this run may go on changing things; raises LockLostError, EngineError."""

    def release(self) -> None:
        """Let the next run in; raises EngineError."""


def freed(lease: Lease) -> Lease:
    """Return what a holder leaves behind: the fence, for the next one to count on from."""
    return Lease(lease.fence, None, "", "", "", lease.expires_at)
