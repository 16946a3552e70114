"""Faults: what can go wrong with a call, and with which calls."""

from __future__ import annotations

from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Annotated, Any

import msgspec

from engine.lab.calls import Asked
from engine.lab.errors import LabError


class Kind(StrEnum):
    """What goes wrong."""

    THROTTLE = "throttle"
    SERVER_ERROR = "server_error"
    RESET = "reset"
    TRUNCATE = "truncate"
    GARBAGE = "garbage"
    DELAY = "delay"
    LOST_REPLY = "lost_reply"
    ACCESS_DENIED = "access_denied"
    EXPIRED_CREDENTIALS = "expired_credentials"
    KEY_NOT_ACCESSIBLE = "key_not_accessible"
    QUOTA_TOTAL = "quota_total"
    QUOTA_IN_FLIGHT = "quota_in_flight"
    REGION_DOWN = "region_down"
    COPY_FAILS = "copy_fails"
    SNAPSHOT_FAILS = "snapshot_fails"
    INVISIBLE = "invisible"
    FAIL_OVER = "fail_over"
    STOP = "stop"
    START = "start"
    DELETE = "delete"
    RENAME = "rename"


class When(StrEnum):
    """When an event happens that a call triggers."""

    BEFORE = "before"
    AFTER = "after"


class Body(StrEnum):
    """What a garbage answer consists of: a proxy's page, or bytes that are no text at all."""

    HTML = "html"
    NOISE = "noise"


EVENTS = frozenset({Kind.FAIL_OVER, Kind.STOP, Kind.START, Kind.DELETE, Kind.RENAME})

# What botocore and RDS users meet; facts differ on which one RDS sends today.
THROTTLE_CODES = ("Throttling", "ThrottlingException", "RequestLimitExceeded")
_CODES = (*THROTTLE_CODES, "SlowDown")

_CREATE, _COPY = "CreateDBSnapshot", "CopyDBSnapshot"
_COPIES = frozenset({_COPY, "CopyDBClusterSnapshot"})

# What a kind can be about; every call where it is not named.
_OPERATIONS: dict[Kind, frozenset[str]] = {
    Kind.KEY_NOT_ACCESSIBLE: _COPIES | {"StartDBInstanceAutomatedBackupsReplication"},
    Kind.QUOTA_TOTAL: _COPIES | {_CREATE, "CreateDBClusterSnapshot"},
    Kind.QUOTA_IN_FLIGHT: _COPIES,
    Kind.COPY_FAILS: frozenset({_COPY}),
    Kind.SNAPSHOT_FAILS: frozenset({_CREATE}),
    Kind.INVISIBLE: frozenset({_CREATE, _COPY}),
}

_FILTERS = ("account", "region", "service", "operation", "resource", "role")
_EVERY = ("kind", *_FILTERS, "count", "probability", "seed", "for")
_OWN: dict[Kind, tuple[str, ...]] = {
    Kind.THROTTLE: ("code",),
    Kind.SERVER_ERROR: ("status", "after"),
    Kind.RESET: ("after",),
    Kind.GARBAGE: ("status", "body", "after"),
    Kind.DELAY: ("seconds", "after"),
    Kind.REGION_DOWN: ("status",),
    Kind.INVISIBLE: ("seconds",),
    **dict.fromkeys(EVENTS, ("instance", "when")),
    Kind.RENAME: ("instance", "when", "name"),
}
_NEEDED: dict[Kind, tuple[str, ...]] = {
    Kind.DELAY: ("seconds",),
    Kind.INVISIBLE: ("seconds",),
    Kind.REGION_DOWN: ("region",),
    **dict.fromkeys(EVENTS, ("instance",)),
    Kind.RENAME: ("instance", "name"),
}
_STATUSES: dict[Kind, tuple[int, ...]] = {
    Kind.SERVER_ERROR: (500, 503),
    Kind.GARBAGE: (200, 502),
    Kind.REGION_DOWN: (503,),
}

_Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e9)]


class Address(msgspec.Struct, frozen=True):
    """An instance by where it lies."""

    account: str
    region: str
    identifier: str


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that goes wrong with calls that fit.

    Attributes:
        kind: what goes wrong.
        account: glob on the id of the account that calls, as are the next ones on what they name.
        resource: glob on what the call is about, as `GET /_lab/calls` tells it.
        role: glob on the name of the role that calls; empty for an account's own credentials.
        count: how often it strikes at most; events once unless said, others without end.
        probability: of striking a call that fits.
        seed: of the dice; the same calls under the same seed are struck alike, in any order.
        lasts: lab seconds from its arming, in JSON `for`; None is until it is cleared.
        code: of a throttled call; None takes them in turn.
        status: HTTP status, of those that the kind knows.
        seconds: of a delay, real ones; of what is invisible, lab ones.
        after: whether the call is applied before it goes wrong.
        body: of a garbage answer; None takes both in turn.
        instance: what an event happens to, ACCOUNT/REGION/IDENTIFIER.
        name: its identifier after a rename.
        when: whether an event happens before or after the call.
    """

    kind: Kind
    account: str = "*"
    region: str = "*"
    service: str = "*"
    operation: str = "*"
    resource: str = "*"
    role: str = "*"
    count: Annotated[int, msgspec.Meta(ge=1)] | None = None
    probability: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0
    seed: int = 0
    lasts: _Seconds | None = msgspec.field(default=None, name="for")
    code: str | None = None
    status: int | None = None
    seconds: _Seconds | None = None
    after: bool = False
    body: Body | None = None
    instance: str | None = None
    name: str | None = None
    when: When = When.BEFORE

    def fits(self, asked: Asked) -> bool:
        """Tell whether a call is one of those that it is about."""
        about = _OPERATIONS.get(self.kind)
        if about is not None and asked.operation not in about:
            return False
        return all(
            fnmatchcase(value, pattern)
            for value, pattern in (
                (asked.account, self.account),
                (asked.region, self.region),
                (asked.service, self.service),
                (asked.operation, self.operation),
                (asked.resource, self.resource),
                (asked.role, self.role),
            )
        )

    @property
    def limit(self) -> int | None:
        """How often it strikes at most, None where there is no end."""
        return 1 if self.count is None and self.kind in EVENTS else self.count

    @property
    def address(self) -> Address:
        """What an event happens to."""
        return parse_address(self.instance or "")


def read_faults(document: Any) -> list[Fault]:
    """Read one fault, or a list of them.

    Raises:
        LabError: one is not valid; the text says which field, and what is allowed.
    """
    return [_read(one) for one in (document if isinstance(document, list) else [document])]


def _read(document: Any) -> Fault:
    if not isinstance(document, dict):
        raise LabError(f"{document!r} is no fault", 'give a mapping like {"kind": "throttle"}')
    named = document.get("kind")
    if named not in list(Kind):
        raise LabError(f"there is no fault of kind {named!r}", "give one of " + ", ".join(Kind))
    kind = Kind(named)
    _check_fields(kind, document)
    try:
        fault = msgspec.convert(document, Fault)
    except msgspec.ValidationError as error:
        raise LabError(f"the fault {kind} is not valid: {error}", "correct it") from None
    _check_values(fault)
    return fault


def _check_fields(kind: Kind, document: dict[str, Any]) -> None:
    known = (*_EVERY, *_OWN.get(kind, ()))
    for name in document:
        if name not in known:
            raise LabError(f"the fault {kind} has no {name!r}", "known are " + ", ".join(known))
    for name in _NEEDED.get(kind, ()):
        if document.get(name) is None:
            raise LabError(f"the fault {kind} lacks {name!r}", f"give `{name}`")


def _check_values(fault: Fault) -> None:
    kind, statuses = fault.kind, _STATUSES.get(fault.kind, ())
    if fault.status is not None and fault.status not in statuses:
        allowed = " or ".join(map(str, statuses))
        raise LabError(f"the fault {kind} has no status {fault.status}", f"give {allowed}")
    if fault.code is not None and fault.code not in _CODES:
        raise LabError(
            f"the fault {kind} has no code {fault.code!r}", "give one of " + ", ".join(_CODES)
        )
    about = _OPERATIONS.get(kind)
    if about is not None and not any(fnmatchcase(one, fault.operation) for one in about):
        raise LabError(
            f"the fault {kind} cannot strike {fault.operation}",
            "leave `operation` out, or give " + " or ".join(sorted(about)),
        )
    if fault.instance is not None:
        parse_address(fault.instance)


def parse_address(text: str) -> Address:
    """Read ACCOUNT/REGION/IDENTIFIER.

    Raises:
        LabError: it is none.
    """
    parts = text.split("/")
    if len(parts) != 3 or not all(parts):
        raise LabError(
            f"{text!r} does not name an instance", "write it like 111111111111/eu-west-1/orders-1"
        )
    return Address(*parts)


def fault_document(fault: Fault) -> dict[str, Any]:
    """Write a fault as JSON: what it is about and its own fields, without what was left out."""
    document: dict[str, Any] = msgspec.to_builtins(fault)
    names = (*_EVERY, *_OWN.get(fault.kind, ()))
    return {name: document[name] for name in names if document[name] is not None}
