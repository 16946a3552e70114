"""A store of objects in memory, with a clock of its own, that tests can break."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from engine.applying.objects import ConflictError, DoubtError, Stored
from engine.applying.ports import Clock
from engine.errors import EngineError


class UnreachableError(EngineError):
    """The store does not answer."""

    def __init__(self) -> None:
        super().__init__("ServiceUnavailable on s3:PutObject", where="222222222222/eu-west-1")


@dataclass
class FakeStore:
    """Keeps what is written; its clock shows `ahead` seconds more than `clock`.

    Attributes:
        down: every call fails.
        lose: that many writes take effect and lose their reply.
        drop: that many writes are lost on their way, and nobody knows it.
        refuse: that many writes are told that the condition is being changed (409).
        before_write: called before a write is looked at, as another writer would be.
    """

    clock: Clock
    ahead: float = 0.0
    down: bool = False
    lose: int = 0
    drop: int = 0
    refuse: int = 0
    before_write: Callable[[], None] | None = None
    objects: dict[str, tuple[bytes, str, float]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    _tags: itertools.count[int] = field(default_factory=itertools.count)
    _guard: threading.RLock = field(default_factory=threading.RLock)

    place = "s3://acme-engine"

    def read(self, key: str) -> Stored | None:
        with self._guard:
            self._meet(f"read {key}")
            if key not in self.objects:
                return None
            body, tag, at = self.objects[key]
            # S3 tells whole seconds.
            return Stored(body, tag, timedelta(seconds=int(self._now()) - int(at)))

    def write(self, key: str, body: bytes, *, over: str | None) -> str:
        with self._guard:
            self._meet(f"write {key}")
            if self.before_write is not None:
                meddle, self.before_write = self.before_write, None
                meddle()
            if self._spend("refuse"):
                raise ConflictError("ConditionalRequestConflict on s3:PutObject")
            if self._spend("drop"):
                raise DoubtError("NoReply on s3:PutObject")
            if self.tag(key) != over:
                raise ConflictError("PreconditionFailed on s3:PutObject")
            tag = f'"{next(self._tags)}"'
            self.objects[key] = (body, tag, self._now())
            if self._spend("lose"):
                raise DoubtError("NoReply on s3:PutObject")
            return tag

    def keys(self, prefix: str) -> Sequence[str]:
        with self._guard:
            self._meet(f"list {prefix}")
            return sorted(key for key in self.objects if key.startswith(prefix))

    def folders(self, prefix: str, after: str) -> Sequence[str]:
        with self._guard:
            self._meet(f"list {prefix}{after}")
            rests = [key.removeprefix(prefix) for key in self.objects if key.startswith(prefix)]
            names = {rest.partition("/")[0] for rest in rests if rest > after and "/" in rest}
            return sorted(names)

    def tag(self, key: str) -> str | None:
        return self.objects[key][1] if key in self.objects else None

    def put(self, key: str, body: bytes) -> None:
        """Write as somebody does who keeps to no condition."""
        self.objects[key] = (body, f'"{next(self._tags)}"', self._now())

    def written(self, prefix: str = "") -> list[str]:
        return [call for call in self.calls if call.startswith(f"write {prefix}")]

    def _now(self) -> float:
        return self.clock.now().timestamp() + self.ahead

    def _meet(self, call: str) -> None:
        self.calls.append(call)
        if self.down:
            raise UnreachableError

    def _spend(self, name: str) -> bool:
        left: int = getattr(self, name)
        setattr(self, name, max(0, left - 1))
        return left > 0
