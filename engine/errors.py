"""What goes wrong, told so that a person can act on it."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of every command; of several the first of `PRECEDENCE` wins."""

    OK = 0
    ERROR = 1
    CHANGES = 2
    PARTIAL = 3
    WITHHELD = 4
    STALE = 5
    OBJECTIVE_BROKEN = 6
    TIME_UP = 7
    LOCKED = 11
    USAGE = 64
    INTERRUPTED = 130


PRECEDENCE: tuple[ExitCode, ...] = (
    ExitCode.INTERRUPTED,
    ExitCode.USAGE,
    ExitCode.ERROR,
    ExitCode.LOCKED,
    ExitCode.STALE,
    ExitCode.PARTIAL,
    ExitCode.WITHHELD,
    ExitCode.TIME_UP,
    ExitCode.OBJECTIVE_BROKEN,
    ExitCode.CHANGES,
    ExitCode.OK,
)


def worst(codes: set[ExitCode]) -> ExitCode:
    """Return the code that a command exits with when it met all of `codes`."""
    return next((code for code in PRECEDENCE if code in codes), ExitCode.OK)


class EngineError(Exception):
    """A failure that is the user's to mend, or to know of.

    Attributes:
        what: what went wrong, one line.
        where: the place: a file with line and column, an account and region, an ARN.
        why: the cause, where it is not plain from `what`.
        fix: what to do about it.
        exit_code: what the command exits with.
    """

    exit_code = ExitCode.ERROR

    def __init__(
        self, what: str, *, where: str | None = None, why: str | None = None, fix: str | None = None
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.why = why
        self.fix = fix

    def __str__(self) -> str:
        lines = [f"{self.where}: {self.what}" if self.where else self.what]
        if self.why:
            lines.append(f"  because: {self.why}")
        if self.fix:
            lines.append(f"  to do: {self.fix}")
        return "\n".join(lines)


class UsageError(EngineError):
    """The command line cannot be meant as it stands."""

    exit_code = ExitCode.USAGE


class StaleError(EngineError):
    """A saved plan no longer fits the documents or the world."""

    exit_code = ExitCode.STALE


class LockedError(EngineError):
    """Another run holds the lock."""

    exit_code = ExitCode.LOCKED
