"""What a fault does to the call that it strikes."""

from __future__ import annotations

from collections.abc import Callable

from engine.lab.calls import Asked
from engine.lab.errors import LabError
from engine.lab.fault_answers import refusal
from engine.lab.fault_book import Strike
from engine.lab.faults import EVENTS, Kind, When
from engine.lab.replies import RESET, SILENCE, Ending, Reply
from engine.lab.wire import Answer, error_code
from engine.lab.world import Circumstances, World

Ask = Callable[[Circumstances], Answer]

_REFUSING = frozenset(
    {
        Kind.THROTTLE,
        Kind.SERVER_ERROR,
        Kind.RESET,
        Kind.GARBAGE,
        Kind.ACCESS_DENIED,
        Kind.EXPIRED_CREDENTIALS,
        Kind.KEY_NOT_ACCESSIBLE,
        Kind.QUOTA_TOTAL,
        Kind.QUOTA_IN_FLIGHT,
        Kind.REGION_DOWN,
    }
)
_FAILING = frozenset({Kind.COPY_FAILS, Kind.SNAPSHOT_FAILS})


def delay_of(strike: Strike | None) -> tuple[float, float]:
    """Return for how many real seconds a call waits before it is applied, and after."""
    if strike is None or strike.fault.kind is not Kind.DELAY:
        return 0.0, 0.0
    seconds = strike.fault.seconds or 0.0
    return (0.0, seconds) if strike.fault.after else (seconds, 0.0)


class Struck:
    """A call that a fault strikes.

    Attributes:
        applied: whether it did what it asked.
    """

    def __init__(self, strike: Strike, asked: Asked, world: World) -> None:
        self._strike = strike
        self._fault = strike.fault
        self._asked = asked
        self._world = world
        self.applied = False

    def reply(self, ask: Ask) -> Reply:
        """Let the call be answered as the fault has it; `ask` applies it."""
        fault = self._fault
        if fault.kind in _REFUSING and not fault.after:
            return self._instead()
        self._let_happen(When.BEFORE)
        answer = ask(self._circumstances())
        self.applied = answer.status < 400
        self._let_happen(When.AFTER)
        if fault.kind in _REFUSING:
            return self._instead()
        if fault.kind is Kind.LOST_REPLY:
            return SILENCE
        if fault.kind is Kind.TRUNCATE:
            return Reply(answer, Ending.TRUNCATED)
        return Reply(answer)

    def outcome(self, reply: Reply) -> str:
        """Return how the call ended, as the records tell it."""
        usable = reply.ending is Ending.WHOLE and self._fault.kind is not Kind.GARBAGE
        if reply.answer is None or not usable:
            return str(self._fault.kind)
        return error_code(reply.answer) or "ok"

    def _instead(self) -> Reply:
        answer = refusal(self._strike, self._asked, self._world.settings)
        return RESET if answer is None else Reply(answer)

    def _circumstances(self) -> Circumstances:
        kind = self._fault.kind
        unseen = (self._fault.seconds or 0.0) if kind is Kind.INVISIBLE else 0.0
        return Circumstances(self._asked.caller, kind in _FAILING, unseen)

    def _let_happen(self, when: When) -> None:
        if self._fault.kind not in EVENTS or self._fault.when is not when:
            return
        from moto.rds.exceptions import RDSClientError

        from engine.lab.rds.happenings import Happening, happen

        try:
            happen(Happening(self._fault.kind), self._fault.address, self._fault.name)
        except (LabError, RDSClientError) as error:
            # The call itself goes on; whoever armed the fault can see that nothing happened.
            self._world.faults.miss(self._strike, str(error))
