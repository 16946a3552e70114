"""Who calls: accounts by access key, sessions of assumed roles."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import Enum, auto

# Accounts have an access key each, `AKIALAB0` and their id; this is the secret of all of them.
KEY_PREFIX = "AKIALAB0"
SECRET = "lab-secret-of-every-account"  # nothing real is behind it
UNKNOWN_ACCOUNT = "123456789012"

_CREDENTIAL = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request,\s*"
    r"SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]+)"
)
_KEY = re.compile(KEY_PREFIX + r"(\d{12})")


@dataclass(frozen=True, slots=True)
class Signed:
    """What the signature of a request says."""

    access_key: str
    date: str
    region: str
    service: str
    headers: tuple[str, ...]
    signature: str


@dataclass(frozen=True, slots=True)
class Session:
    """An assumed role; expires in real time, as STS says."""

    account: str
    role: str
    secret: str
    token: str
    expires: datetime


class Doubt(Enum):
    """Why the credentials of a request are no good."""

    MISSING = auto()
    UNKNOWN = auto()
    EXPIRED = auto()
    FORGED = auto()


@dataclass(frozen=True, slots=True)
class Role:
    """A role that may be assumed; `external_id` must be given where it is not None."""

    name: str
    external_id: str | None = None


@dataclass(slots=True)
class Callers:
    """The accounts there are, and the sessions given out.

    Attributes:
        roles: by account id, the roles there are; an account without any lets all be assumed.
            Empty as long as nothing is seeded: then every account is there.
        sessions: by access key.
    """

    roles: dict[str, tuple[Role, ...]] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)

    def account_of(self, access_key: str) -> str:
        """Return the account of an access key; unknown keys are of an account that stays empty."""
        session = self.sessions.get(access_key)
        if session is not None:
            return session.account
        own = _KEY.fullmatch(access_key)
        return own[1] if own else UNKNOWN_ACCOUNT

    def role_of(self, access_key: str) -> str:
        """Return the name of the role that an access key is of, empty for an account's own."""
        session = self.sessions.get(access_key)
        return session.role if session is not None else ""

    def secret_of(self, access_key: str) -> str | None:
        """Return the secret that an access key signs with, None where the lab does not know it."""
        session = self.sessions.get(access_key)
        if session is not None:
            return session.secret
        return SECRET if _KEY.fullmatch(access_key) else None

    def doubt(self, signed: Signed, token: str | None) -> Doubt | None:
        """Tell why the credentials of a request are no good, None where they are."""
        session = self.sessions.get(signed.access_key)
        if session is None:
            # Whoever is not known may try to assume a role, and do nothing else.
            known = self.account_of(signed.access_key) != UNKNOWN_ACCOUNT
            return None if known or signed.service == "sts" else Doubt.UNKNOWN
        if session.token != token:
            return Doubt.UNKNOWN
        return Doubt.EXPIRED if session.expires <= datetime.now(UTC) else None

    def expire_sessions(self) -> int:
        """Let all sessions be expired; return how many there were."""
        now = datetime.now(UTC)
        self.sessions = {
            key: replace(session, expires=min(session.expires, now))
            for key, session in self.sessions.items()
        }
        return len(self.sessions)

    def clear(self) -> None:
        """Forget all accounts and sessions."""
        self.roles.clear()
        self.sessions.clear()

    def may_assume(self, account: str, name: str, external_id: str | None) -> bool:
        """Tell whether a role may be assumed with an external id."""
        if not self.roles:
            return True
        roles = self.roles.get(account)
        if roles is None:
            return False
        found = next((role for role in roles if role.name == name), None)
        if found is None:
            return not roles
        return found.external_id is None or found.external_id == external_id


def signed_part(environ: Mapping[str, str]) -> Signed | None:
    """Return what the signature of a request says, None where it has none of version 4."""
    found = _CREDENTIAL.match(environ.get("HTTP_AUTHORIZATION", ""))
    if found is None:
        return None
    access_key, date, region, service, headers, signature = found.groups()
    return Signed(access_key, date, region, service, tuple(headers.split(";")), signature)


def access_key_of(account: str) -> str:
    """Return the access key of an account."""
    return f"{KEY_PREFIX}{account}"
