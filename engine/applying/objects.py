"""What shared state asks of a store: whole objects, written under a condition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from engine.errors import EngineError


class ConflictError(EngineError):
    """Something else stands where the write expected nothing, or another object."""


class DoubtError(EngineError):
    """The write may or may not have happened: its reply was lost, or was a server's fault."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An object, the tag that its next writer must name, and its age by the store's own clock."""

    body: bytes
    etag: str
    age: timedelta


class Objects(Protocol):
    """A store of objects. Reads see what was written before them.

    Every method raises EngineError where the store cannot be reached.
    """

    @property
    def place(self) -> str:
        """The store's name, as people know it."""

    def read(self, key: str) -> Stored | None:
        """Return an object, None where there is none."""

    def write(self, key: str, body: bytes, *, over: str | None) -> str:
        """Write an object over the one with the tag `over`, None for over nothing.

        Returns:
            The new object's tag.

        Raises:
            ConflictError: something else stands there. Nothing was written, or it was by a first
                attempt whose reply was lost.
            DoubtError: nobody knows whether it was written.
        """

    def keys(self, prefix: str) -> Sequence[str]:
        """Return the keys that begin with a prefix, in order."""

    def folders(self, prefix: str, after: str) -> Sequence[str]:
        """Return what comes between `prefix` and the next slash, beyond `after`, in order."""
