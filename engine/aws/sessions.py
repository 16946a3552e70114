"""Credentials per account and role, and one model of AWS's services for all clients."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import botocore.session
from botocore.config import Config
from botocore.credentials import Credentials, DeferredRefreshableCredentials
from botocore.utils import parse_timestamp

from engine.aws.errors import BAD_CALL, AwsError, Reaction, calling, classify
from engine.aws.roles import AccountRoles, Purpose, role_arn
from engine.aws.snapshot_answers import ParserFactory

if TYPE_CHECKING:
    from mypy_boto3_sts.client import STSClient
    from mypy_boto3_sts.type_defs import AssumeRoleRequestTypeDef

_NOT_IN_SESSION_NAMES = re.compile(r"[^\w+=,.@-]", re.ASCII)
_LONGEST_SESSION_NAME = 64
_RENEWALS = 2
"""How often a request whose session is over is sent again with a new one."""


def session_name(estate: str) -> str:
    """Return the name by which CloudTrail knows the engine's sessions."""
    return _NOT_IN_SESSION_NAMES.sub("-", f"engine-{estate}")[:_LONGEST_SESSION_NAME]


class _Session(botocore.session.Session):
    """A session whose clients can each have their own credentials.

    Botocore binds refreshing credentials to a session, and a session of its own makes each client
    cost a tenth of a second and several MiB, since it loads the models of the services anew.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lent: Credentials | None = None

    def get_credentials(self) -> Any:
        """Return the credentials for the client being made."""
        return self.lent if self.lent is not None else super().get_credentials()


class Sessions:
    """Makes clients of any account from one botocore session. Safe to use from many threads."""

    def __init__(self, estate: str) -> None:
        self._session_name = session_name(estate)
        self._lock = threading.RLock()
        self._session = _Session()
        self._session.register_component("response_parser_factory", ParserFactory(_timestamp))
        # A role's session must work in regions that are enabled by choice: only those from
        # regional endpoints do (IAM User Guide, Managing STS in a Region).
        self._session.set_config_variable("sts_regional_endpoints", "regional")
        self._assumed: dict[str, _RoleCredentials] = {}

    def is_chosen(self, setting: str) -> bool:
        """Tell whether the environment or the shared configuration names a setting of botocore.

        Raises:
            AwsError: the configuration cannot be read, or lacks the profile that is asked for.
        """
        with calling("the AWS configuration"):
            return f"AWS_{setting.upper()}" in os.environ or (
                setting in self._session.get_scoped_config()
            )

    def client(
        self, service: str, region: str, account: AccountRoles, purpose: Purpose, config: Config
    ) -> Any:
        """Make a client of `service` that works in `account` with the role for `purpose`.

        Raises:
            AwsError: region, endpoint or configuration make no sense.
        """
        homes = tuple(account.regions) or (region,)
        credentials = self._credentials(account, purpose, homes, config)
        return self._make(service, region, config, credentials)

    def own_client(self, service: str, region: str | None, config: Config) -> Any:
        """Make a client that works with the caller's own credentials.

        Raises:
            AwsError: region, endpoint or configuration make no sense.
        """
        return self._make(service, region, config, None)

    def _make(
        self, service: str, region: str | None, config: Config, lent: Credentials | None
    ) -> Any:
        with self._lock:
            self._session.lent = lent
            try:
                with calling(f"making a client of {service}"):
                    client: Any = self._session.create_client(
                        service, region_name=region, config=config
                    )
                # Botocore would notice a port that is no number only in the midst of a call.
                urlsplit(client.meta.endpoint_url).port  # noqa: B018 # raises
                if isinstance(lent, _RoleCredentials):
                    client.meta.events.register_first("needs-retry", lent.renew)
            except ValueError as error:
                raise AwsError(BAD_CALL, str(error), f"making a client of {service}") from error
            finally:
                self._session.lent = None
            return client

    def _credentials(
        self, account: AccountRoles, purpose: Purpose, homes: Sequence[str], config: Config
    ) -> Credentials | None:
        arn = role_arn(account, purpose, homes[0])
        if arn is None:
            return None
        with self._lock:
            if arn not in self._assumed:
                doors = [partial(self.own_client, "sts", home, config) for home in homes]
                fetch = _RoleFetcher(doors, arn, self._session_name, account.external_id)
                self._assumed[arn] = _RoleCredentials(fetch)
            return self._assumed[arn]


class _RoleCredentials(DeferredRefreshableCredentials):
    """Credentials of a role, fetched anew in time, or when AWS finds them expired before that.

    A session may end before its time: when it is revoked, or by a clock that is wrong.
    """

    _frozen_credentials: object

    def __init__(self, fetch: Callable[[], Any]) -> None:
        super().__init__(fetch, "assume-role")
        self._over: object = None
        self._signed_with = threading.local()

    def get_frozen_credentials(self) -> Any:
        """Return what to sign a request with."""
        frozen = super().get_frozen_credentials()
        self._signed_with.latest = frozen
        return frozen

    def refresh_needed(self, refresh_in: int | None = None) -> bool:
        """Tell whether it is time to fetch anew; botocore asks before each use."""
        if self._over is not None and self._over is self._frozen_credentials:
            return True
        return bool(super().refresh_needed(refresh_in))

    def renew(
        self, response: tuple[Any, Mapping[str, Any]] | None, attempts: int, **_more: Any
    ) -> int | None:
        """Have a request that AWS found expired sent again at once, with a new session.

        Botocore asks this after each request, in the thread that signed it. Others may have seen
        the same session expire and fetched a new one, which then serves this request too.
        """
        code = response[1].get("Error", {}).get("Code", "") if response is not None else ""
        is_over = classify(code) is Reaction.REFRESH_CREDENTIALS
        if not is_over or attempts > _RENEWALS:
            return None
        self._over = self._signed_with.latest
        return 0


class _RoleFetcher:
    """Assumes one role, at first use and again before the session ends.

    Any of the `doors` will do: one region that is down locks nobody out of the others.
    """

    def __init__(
        self, doors: Sequence[Callable[[], STSClient]], arn: str, name: str, external_id: str | None
    ) -> None:
        self._doors = doors
        self._parameters: AssumeRoleRequestTypeDef = {"RoleArn": arn, "RoleSessionName": name}
        if external_id is not None:
            self._parameters["ExternalId"] = external_id

    def __call__(self) -> dict[str, str]:
        *others, last = self._doors
        for door in others:
            try:
                return self._assume(door())
            except AwsError as error:
                if not error.may_be_the_region:
                    raise
        return self._assume(last())

    def _assume(self, sts: STSClient) -> dict[str, str]:
        with calling("sts:AssumeRole"):
            granted = sts.assume_role(**self._parameters)["Credentials"]
        return {
            "access_key": granted["AccessKeyId"],
            "secret_key": granted["SecretAccessKey"],
            "token": granted["SessionToken"],
            "expiry_time": granted["Expiration"].isoformat(),
        }


def _timestamp(value: Any) -> datetime:
    """Parse a timestamp, eight times as fast as botocore where it is ISO 8601."""
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return parse_timestamp(value)
        if moment.tzinfo is not None:
            return moment
    return parse_timestamp(value)
