"""Clients of the services, one per account, region, service and purpose."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

from botocore.config import Config

import engine
from engine.aws.roles import AccountRoles, Purpose, role_arn
from engine.aws.s3 import send_at_once
from engine.aws.sessions import Sessions
from engine.errors import EngineError
from engine.inventory.records import Location

if TYPE_CHECKING:
    from mypy_boto3_ec2.client import EC2Client
    from mypy_boto3_kms.client import KMSClient
    from mypy_boto3_organizations.client import OrganizationsClient
    from mypy_boto3_rds.client import RDSClient
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_sts.client import STSClient

Service = Literal["ec2", "kms", "organizations", "rds", "s3", "sts"]

CONNECT_SECONDS = 10
REPLY_SECONDS = 60
CONNECTIONS = 32
# Objects of state are small, and whoever waits for one holds up a call.
STATE_CONNECT_SECONDS = 5
STATE_REPLY_SECONDS = 15
# Organizations is one service for all regions of its partition, reached here.
ORGANIZATIONS_REGION = "us-east-1"

# Botocore's standard mode backs off with jitter, up to 20 s. (Its adaptive mode does not fit: it
# starts from the few calls a short run has made, and crawls on after a single throttling.)
# Applying retries by itself, since it has to look before it repeats a change whose reply was lost.
RETRY_MODE: Literal["standard"] = "standard"
_ATTEMPTS = {Purpose.READ: 8, Purpose.CHANGE: 2}
_STATE_ATTEMPTS = 3


class UnknownAccountError(EngineError):
    """A call into an account that the estate does not name."""


class Clients:
    """Makes each client once. Safe to use from many threads, as botocore's clients are.

    Raises:
        AwsError: the shared configuration of AWS makes no sense. The methods raise it where a
            region or the endpoint does not, and UnknownAccountError.
    """

    def __init__(self, estate: str, accounts: Iterable[AccountRoles]) -> None:
        self._accounts = {account.id: account for account in accounts}
        self._sessions = Sessions(estate)
        self._lock = threading.Lock()
        self._made: dict[tuple[Location, Service, Purpose], Any] = {}
        self._configs = {purpose: self._config(_ATTEMPTS[purpose]) for purpose in Purpose}

    def rds(self, location: Location, purpose: Purpose = Purpose.READ) -> RDSClient:
        """Return the client of RDS. Its listings of snapshots are for `engine.aws.rds` only."""
        client: RDSClient = self._client(location, "rds", purpose)
        return client

    def kms(self, location: Location, purpose: Purpose = Purpose.READ) -> KMSClient:
        """Return the client of KMS."""
        client: KMSClient = self._client(location, "kms", purpose)
        return client

    def ec2(self, location: Location, purpose: Purpose = Purpose.READ) -> EC2Client:
        """Return the client of EC2."""
        client: EC2Client = self._client(location, "ec2", purpose)
        return client

    def s3(self, location: Location, purpose: Purpose = Purpose.READ) -> S3Client:
        """Return the client of S3, for small objects: it gives up sooner than others."""
        client: S3Client = self._client(location, "s3", purpose)
        return client

    def sts(self, location: Location, purpose: Purpose = Purpose.READ) -> STSClient:
        """Return the client of STS."""
        client: STSClient = self._client(location, "sts", purpose)
        return client

    def role(self, location: Location, purpose: Purpose) -> str | None:
        """Return the ARN of the role worked with, None where it is the caller's credentials."""
        return role_arn(self._account(location.account), purpose, location.region)

    def organizations(self) -> OrganizationsClient:
        """Return a client of Organizations that works with the caller's own credentials."""
        config = self._configs[Purpose.READ]
        client: OrganizationsClient = self._sessions.own_client(
            "organizations", ORGANIZATIONS_REGION, config
        )
        return client

    def _client(self, location: Location, service: Service, purpose: Purpose) -> Any:
        wanted = (location, service, purpose)
        with self._lock:
            if wanted not in self._made:
                account = self._account(location.account)
                config = self._state_config() if service == "s3" else self._configs[purpose]
                made = self._sessions.client(service, location.region, account, purpose, config)
                if service == "s3":
                    send_at_once(made)
                self._made[wanted] = made
            return self._made[wanted]

    def _account(self, account: str) -> AccountRoles:
        try:
            return self._accounts[account]
        except KeyError:
            raise UnknownAccountError(
                f"account {account} is not in the estate",
                fix="name it under `accounts` of the estate",
            ) from None

    def _state_config(self) -> Config:
        """Return the settings of clients of S3.

        An endpoint of one's own has no host name for each bucket.
        """
        own = any(self._sessions.is_chosen(f"endpoint_url{end}") for end in ("", "_s3"))
        special = Config(
            connect_timeout=STATE_CONNECT_SECONDS,
            read_timeout=STATE_REPLY_SECONDS,
            s3={"addressing_style": "path" if own else "auto"},
        )
        return self._config(_STATE_ATTEMPTS).merge(special)

    def _config(self, attempts: int) -> Config:
        """Return the settings of clients; what the environment says of retries goes first."""
        retries: dict[str, Any] = {}
        if not self._sessions.is_chosen("retry_mode"):
            retries["mode"] = RETRY_MODE
        if not self._sessions.is_chosen("max_attempts"):
            retries["total_max_attempts"] = attempts
        return Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=REPLY_SECONDS,
            max_pool_connections=CONNECTIONS,
            user_agent_extra=f"engine/{engine.__version__}",
            retries=retries,  # type: ignore[arg-type] # a part of the documented keys
        )
