"""The lock of a team: a lease in one object, which each writer replaces only as it last saw it.

Two clocks decide, and neither is another machine's. Whether a lease has run out is told by the
store's own clock: the age of the object. Whether a holder may still make a call is told by its
own, counted from the moment before it sent the renewal. A call passes only so long after that
moment that it has ended, with all its retries, before the lease has.
"""

from __future__ import annotations

import json
import math
import os
import socket
import threading
from dataclasses import asdict, dataclass, replace
from datetime import UTC, timedelta

import msgspec

from engine.applying.lock import Lease, LockLostError, Standing, freed
from engine.applying.moment import Moment
from engine.applying.objects import ConflictError, DoubtError, Objects, Stored
from engine.applying.ports import Clock
from engine.errors import EngineError, LockedError

ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Terms:
    """How long things last, in seconds.

    Attributes:
        lease: the age at which a lease that was not renewed is over.
        grace: added to it by whoever takes over: the store tells whole seconds, and its
            machines' clocks differ.
        renewal: how often a holder renews.
        passes: how long after a renewal calls pass. What is left of the lease is longer than the
            longest call: two attempts of 70 s and the wait between them.
        again: how long after a renewal that failed the next one is tried.
        look: how often whoever waits looks whether the lock is free.
    """

    lease: float = 240.0
    grace: float = 10.0
    renewal: float = 30.0
    passes: float = 90.0
    again: float = 5.0
    look: float = 2.0


DEFAULT = Terms()


_LONG_AGO = Moment(-math.inf, -math.inf)


class S3Lock:
    """Holds the lease and renews it from a thread; see `acquire`."""

    def __init__(
        self, slot: Slot, lease: Lease, tag: str, sent: Moment, clock: Clock, terms: Terms
    ) -> None:
        self._slot = slot
        self._lease = lease
        self._tag = tag
        self._sent = sent
        self._clock = clock
        self._terms = terms
        self._lost: LockLostError | None = None
        self._trouble: EngineError | None = None
        self._try_again_at = 0.0
        self._guard = threading.Lock()
        self._done = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="lease", daemon=True)
        self._keeper.start()

    @property
    def fence(self) -> int:
        """The number of this holder."""
        return self._lease.fence

    def verify(self) -> None:
        """Return if a call that begins now will have ended before the lease can be over.

        Asks the store only where the last renewal is too long ago. A lease that ran out because
        the store could not be reached is taken up again if nobody else took it.

        Raises:
            LockLostError: somebody did.
            EngineError: the store cannot be reached, and the lease may be over.
        """
        if self._lost is None and self._is_fresh():
            return
        with self._guard:
            if self._lost is not None:
                raise self._lost
            if not self._is_fresh():
                self._renew()

    def release(self) -> None:
        """Free the lock, if it is still this run's; the fence stays behind.

        Raises:
            EngineError: the store cannot be reached; the lease runs out by itself.
        """
        self._done.set()
        self._keeper.join()
        with self._guard:
            if self._lost is None:
                # From here on another run may have it, whatever comes of the write.
                self._lost = LockLostError("the lock has been let go", where=self._slot.place)
                self._replace(freed(self._lease))

    def _is_fresh(self) -> bool:
        return self._sent.seconds_to(Moment.of(self._clock)) <= self._terms.passes

    def _keep(self) -> None:
        pause = self._terms.renewal
        while not self._done.wait(pause):
            try:
                with self._guard:
                    self._renew()
                pause = self._terms.renewal
            except LockLostError:
                return
            except EngineError:
                # `verify` meets the same trouble once it matters, and tells of it.
                pause = self._terms.again

    def _renew(self) -> None:
        """Renew the lease, unless that failed a moment ago; the guard is held."""
        if self._lost is not None:
            raise self._lost
        if self._trouble is not None and self._clock.elapsed() < self._try_again_at:
            raise self._trouble
        sent = Moment.of(self._clock)
        try:
            self._replace(_prolonged(self._lease, self._clock, self._terms))
        except LockLostError as error:
            self._lost = error
            raise
        except EngineError as error:
            self._trouble = error
            self._try_again_at = self._clock.elapsed() + self._terms.again
            raise
        self._trouble = None
        self._sent = sent

    def _replace(self, lease: Lease) -> None:
        """Put a lease in the place of ours.

        A tag that does not fit any more may be our own doing: a renewal whose reply was lost. So
        what stands there decides.
        """
        for _ in range(ATTEMPTS):
            try:
                self._tag = self._slot.write(lease, over=self._tag)
            except (ConflictError, DoubtError):
                found = self._slot.read()
                if found is not None and found.lease == lease:
                    self._tag = found.tag
                    break
                if found is None or not self._is_ours(found.lease):
                    raise self._taken_over(found) from None
                self._tag = found.tag
            else:
                break
        else:
            raise _restless(self._slot)
        self._lease = lease

    def _is_ours(self, found: Lease) -> bool:
        return (found.fence, found.run) == (self._lease.fence, self._lease.run)

    def _taken_over(self, found: Found | None) -> LockLostError:
        holder = found.lease.who if found is not None and found.lease.run else None
        return LockLostError(
            "the lock was taken over while this run was not renewing it",
            where=self._slot.place,
            why=f"held by {holder}" if holder else "it was freed or removed",
            fix="run `engine apply` again",
        )


@dataclass(frozen=True, slots=True)
class Found:
    """The lease that stands in a slot, its tag, and its age in seconds."""

    lease: Lease
    tag: str
    age: float

    def is_live(self, terms: Terms) -> bool:
        """Tell whether its holder may still make calls."""
        return self.lease.run is not None and self.age < terms.lease + terms.grace


@dataclass(frozen=True, slots=True)
class Slot:
    """The one object that the lease stands in."""

    objects: Objects
    key: str

    @property
    def place(self) -> str:
        """Its URL."""
        return f"{self.objects.place}/{self.key}"

    def read(self) -> Found | None:
        """Return what stands there, None where nothing does; raises EngineError."""
        stored = self.objects.read(self.key)
        if stored is None:
            return None
        return Found(self._lease_of(stored), stored.etag, stored.age.total_seconds())

    def write(self, lease: Lease, *, over: str | None) -> str:
        """Write a lease as `Objects.write` does."""
        text = json.dumps(asdict(lease), sort_keys=True) + "\n"
        return self.objects.write(self.key, text.encode(), over=over)

    def _lease_of(self, stored: Stored) -> Lease:
        try:
            return msgspec.json.decode(stored.body, type=Lease)
        except msgspec.DecodeError as error:
            raise EngineError(
                "the lock makes no sense",
                where=self.place,
                why=str(error),
                fix="see that no run is under way, then remove the object",
            ) from error


def acquire(
    slot: Slot, run: str, clock: Clock, *, who: str, timeout: float, terms: Terms = DEFAULT
) -> S3Lock:
    """Take the lock, waiting up to `timeout` seconds for its holder.

    Raises:
        LockedError: somebody else holds it.
        EngineError: the store cannot be reached, or what stands there makes no sense.
    """
    give_up_at = clock.elapsed() + timeout
    conflicts = 0
    while True:
        sent = Moment.of(clock)
        found = slot.read()
        if found is not None and found.lease.run == run:
            # Ours, by a write that was in doubt: when it took effect is not known.
            return S3Lock(slot, found.lease, found.tag, _LONG_AGO, clock, terms)
        if found is None or not found.is_live(terms):
            lease = _prolonged(_lease(run, who, found), clock, terms)
            try:
                tag = slot.write(lease, over=found.tag if found else None)
            except (ConflictError, DoubtError) as error:
                conflicts += 1
                if conflicts == ATTEMPTS:
                    raise _restless(slot) from error
                continue
            return S3Lock(slot, lease, tag, sent, clock, terms)
        if clock.elapsed() >= give_up_at:
            raise _held(slot, found, terms)
        clock.sleep(min(terms.look, give_up_at - clock.elapsed()))


def standing(slot: Slot, terms: Terms = DEFAULT) -> Standing | None:
    """Return how the lock stands, None where there never was one; raises EngineError."""
    found = slot.read()
    return None if found is None else Standing(found.lease, found.is_live(terms), found.tag)


def free(slot: Slot, seen: Standing) -> None:
    """Take the lock from the run that was seen to hold it.

    If that run still lives, it stops at its next renewal.

    Raises:
        EngineError: the lock has changed since, or the store cannot be reached.
    """
    try:
        slot.write(freed(seen.lease), over=seen.tag)
    except ConflictError as error:
        raise EngineError(
            "the lock has changed while it was being released",
            where=slot.place,
            fix="look again with `engine lock status`",
        ) from error


def _lease(run: str, who: str, found: Found | None) -> Lease:
    fence = found.lease.fence + 1 if found else 1
    return Lease(fence, run, socket.gethostname(), str(os.getpid()), who, "")


def _prolonged(lease: Lease, clock: Clock, terms: Terms) -> Lease:
    expires = clock.now().astimezone(UTC) + timedelta(seconds=terms.lease)
    text = expires.isoformat(timespec="seconds")
    return replace(lease, expires_at=text, renewals=lease.renewals + 1)


def _held(slot: Slot, found: Found, terms: Terms) -> LockedError:
    lease = found.lease
    return LockedError(
        "another run holds the lock",
        where=slot.place,
        why=f"{lease.who} holds it (run {lease.run}), renewed {found.age:.0f} s ago; it is free "
        f"{terms.lease + terms.grace:.0f} s after its last renewal at the latest",
        fix="wait for it with -lock-timeout, or end that run",
    )


def _restless(slot: Slot) -> EngineError:
    return EngineError(
        "the lock changes all the time",
        where=slot.place,
        why=f"{ATTEMPTS} conditional writes in a row met another object than was just read",
        fix="see that the store keeps conditional writes, and run again",
    )
