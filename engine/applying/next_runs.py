"""What the next run will do about a step that did not end well in this one."""

from __future__ import annotations

from engine.applying.needs import KEY_UNUSABLE, ROLE_UNUSABLE
from engine.applying.outcome import BUG, STATE_UNREACHABLE, StepState
from engine.applying.ports import Trouble
from engine.applying.preconditions import CONFLICT
from engine.applying.retries import LOCATION_DOWN
from engine.plans.codes import Action, Check

MAKES = frozenset({Action.CREATE, Action.COPY})

_SOMEBODY = "needs somebody: "
_AGAIN = "plans it again"

_FAILED: dict[str, str] = {
    Trouble.THROTTLED: f"{_AGAIN}; a lower -parallelism may help",
    Trouble.TOO_LATE: _AGAIN,
    Trouble.CREDENTIALS_EXPIRED: _SOMEBODY + "credentials that last; then it plans the step again",
    Trouble.QUOTA: _SOMEBODY + "room in the quota; until then it fails again",
    Trouble.SHARED_QUOTA: _SOMEBODY + "fewer accounts shared with; until then it fails again",
    Trouble.KEY: _SOMEBODY + "a key that the role may use; until then it fails again",
    Trouble.DENIED: _SOMEBODY + "a policy that allows the call; until then it fails again",
    Trouble.INVALID: _SOMEBODY + "AWS takes the call for wrong; until then it fails again",
    Trouble.OTHER: _SOMEBODY + "the error is not a known one; it plans the step again meanwhile",
    KEY_UNUSABLE: _SOMEBODY + "a key that can be used; until then it is not begun",
    ROLE_UNUSABLE: _SOMEBODY + "a role that can be used; until then it is not begun",
    LOCATION_DOWN: f"{_AGAIN} once the location answers",
    "location_unreadable": "looks what came of it, and goes on from there",
    BUG: _SOMEBODY + "report the bug of the engine; it plans the step again meanwhile",
    STATE_UNREACHABLE: f"{_AGAIN} once lock and journal are in reach",
    "engine_error": _SOMEBODY + "see the error; it plans the step again meanwhile",
}

_REFUSED: dict[str, str] = {
    CONFLICT: _SOMEBODY
    + "the object under that id is not the engine's and is never touched; remove it, or leave it"
    " to stand for the point",
    Check.ZONES: f"{_AGAIN} with the availability zones of then",
    Check.INSTANCE: f"{_AGAIN} if the database is still there",
    Check.UNPINNED: "keeps the object as long as it is pinned",
    Check.OWNED: "leaves the object alone as long as it is not the engine's",
    Check.ORIGIN_OF_NOTHING_IN_FLIGHT: f"{_AGAIN} once the copy is done",
    Check.NO_COPY_IN_FLIGHT_TO: f"{_AGAIN} once the copy is done",
    Trouble.WRONG_STATE: f"{_AGAIN} once its state allows it",
    Trouble.NOT_FOUND: f"{_AGAIN} if what it needs is there",
    Trouble.ALREADY_EXISTS: "looks first whether what stands there is the engine's",
}


def next_run(state: StepState, code: str | None, action: Action) -> str | None:
    """Return what the next run will do about a step, None where nothing is left to do.

    Args:
        state: where the step stands at the end of a run.
        code: the trouble, check or other code that came with it.
        action: what it was to do.
    """
    match state:
        case StepState.DONE | StepState.WAITING | StepState.CALLING:
            return None
        case StepState.RUNNING:
            return _of_running(action)
        case StepState.NEXT_RUN:
            return f"{_AGAIN} and goes on from what is there"
        case StepState.NOT_STARTED:
            return _AGAIN
        case StepState.SKIPPED:
            return f"{_AGAIN} together with what it depends on"
        case StepState.WITHHELD:
            return "withholds it again until its guard is acknowledged or has no more reason"
        case StepState.REFUSED:
            return _REFUSED.get(code or "", f"{_AGAIN} from what is there then")
        case StepState.FAILED:
            return _of_failed(code, action)


def _of_running(action: Action) -> str:
    if action is Action.DELETE:
        return "looks whether the object is gone"
    return "looks whether it is available, and goes on from there"


def _of_failed(code: str | None, action: Action) -> str:
    if action is Action.FAIL_OVER and code in (Trouble.NO_REPLY, Trouble.SERVER_FAULT):
        return "looks where it runs, and leaves it alone as long as events tell of a failover"
    if code in (Trouble.NO_REPLY, Trouble.SERVER_FAULT):
        if action in MAKES:
            return "looks first whether it was made, and makes it if not"
        return "looks first whether it took effect, and does it if not"
    if code == "object_lost":
        if action in MAKES:
            return "removes what is left of it, and makes it again"
        return _AGAIN
    return _FAILED.get(code or "", _SOMEBODY + "see the error; it plans the step again meanwhile")
