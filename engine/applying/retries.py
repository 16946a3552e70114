"""Which errors are tried again, how often, and after how long."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TypeVar, assert_never

from engine.applying.ports import Clock, CloudError, Trouble

Answer = TypeVar("Answer")


class Treatment(Enum):
    """What to do about a trouble."""

    RETRY = auto()
    """Try the same call again soon."""
    POSTPONE = auto()
    """The world is not ready: come back to the step later, or in the next run."""
    LOOK = auto()
    """The answer lies in what is there now."""
    GIVE_UP = auto()
    """Somebody has to mend something."""


def treatment(trouble: Trouble) -> Treatment:
    """Return what a trouble calls for."""
    match trouble:
        case Trouble.THROTTLED | Trouble.SERVER_FAULT | Trouble.NO_REPLY:
            return Treatment.RETRY
        case Trouble.CREDENTIALS_EXPIRED | Trouble.TOO_LATE:
            return Treatment.RETRY
        case Trouble.WRONG_STATE | Trouble.COPIES_IN_FLIGHT:
            return Treatment.POSTPONE
        case Trouble.NOT_FOUND | Trouble.ALREADY_EXISTS:
            return Treatment.LOOK
        case Trouble.QUOTA | Trouble.SHARED_QUOTA | Trouble.KEY | Trouble.DENIED:
            return Treatment.GIVE_UP
        case Trouble.INVALID | Trouble.OTHER:
            return Treatment.GIVE_UP
        case _:
            assert_never(trouble)


def advice(trouble: Trouble) -> str | None:
    """Return what a person can do about a trouble, where there is something."""
    return _ADVICE.get(trouble)


def way_out(error: CloudError) -> str | None:
    """Return what a person can do about an error, going by its text where AWS has no code."""
    text = error.message.lower()
    for phrase, fix in _BY_TEXT.items():
        if phrase in text:
            return fix
    return advice(error.trouble)


# What the inventory does not tell beforehand (RDS User Guide, Copying and Sharing a DB snapshot).
_BY_TEXT = {
    "requires a target option group": "make an option group with these options in the copy's "
    "account and region, and name it as `option_group` of the copy in the policy",
    "cannot be shared": "its options or its encryption forbid sharing: copy to targets in its own "
    "account, and leave it out of `share_with`, by an override",
}
_ADVICE = {
    Trouble.QUOTA: "raise the quota of manual snapshots, or retain fewer",
    Trouble.SHARED_QUOTA: "a snapshot is shared with at most 20 accounts: unshare some",
    Trouble.KEY: "let the key's policy grant this account kms:CreateGrant, kms:Decrypt and "
    "kms:DescribeKey, and see that the key is enabled",
    Trouble.DENIED: "let the role's policy allow the call",
    Trouble.NO_REPLY: "run again: it looks first whether the call took effect",
    Trouble.SERVER_FAULT: "see that network and region work (AWS Health tells), then run again",
    Trouble.CREDENTIALS_EXPIRED: "renew the credentials",
    Trouble.THROTTLED: "run again later, or with a lower -parallelism",
}


@dataclass(frozen=True, slots=True)
class Patience:
    """The budget of one call.

    Waits grow from `first` seconds, double each time up to `longest`, and are drawn at random
    below that, so that many callers do not come back at once (AWS Builders' Library, Timeouts,
    retries and backoff with jitter).
    """

    attempts: int = 8
    first: float = 0.5
    longest: float = 20.0
    seconds: float = 300.0
    draw: Callable[[], float] = field(default=random.random)

    def wait(self, attempt: int) -> float:
        """Return how long to wait after the failed `attempt`, counted from 1."""
        return self.draw() * min(self.longest, self.first * 2.0 ** (attempt - 1))


LOCATION_DOWN = "location_down"
"""The code of a step that was not tried, since its location answers nothing."""

DEFAULT = Patience()

WITH_NEW_CREDENTIALS = 3
"""Attempts after which credentials that were fetched anew, and expired again, stay so."""


def persist(
    call: Callable[[], Answer], clock: Clock, patience: Patience, *, may_go_on: Callable[[], bool]
) -> Answer:
    """Make a call that changes nothing, again while its errors pass by themselves.

    Args:
        call: what to make.
        clock: whose time is waited.
        patience: how often and how long.
        may_go_on: asked before each repetition, since others may know that it is useless.

    Raises:
        CloudError: the last one, when it does not pass or the patience is used up.
    """
    start = clock.elapsed()
    attempt = 1
    while True:
        try:
            return call()
        except CloudError as error:
            if not may_retry(error, attempt, clock.elapsed() - start, patience):
                raise
            if not may_go_on():
                raise
        clock.sleep(patience.wait(attempt))
        attempt += 1


def may_retry(error: CloudError, attempt: int, spent: float, patience: Patience) -> bool:
    """Tell whether the call that failed for the `attempt`-th time is worth another."""
    attempts = patience.attempts
    if error.trouble is Trouble.CREDENTIALS_EXPIRED:
        attempts = min(attempts, WITH_NEW_CREDENTIALS)
    return (
        treatment(error.trouble) is Treatment.RETRY
        and attempt < attempts
        # What is too late was held up by nothing at the other end.
        and (spent < patience.seconds or error.trouble is Trouble.TOO_LATE)
    )
