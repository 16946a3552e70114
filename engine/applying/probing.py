"""AWS as what a preflight asks: who one is, and what a key is like."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from engine.applying.cloud import trouble_of
from engine.applying.ports import CloudError, Trouble
from engine.aws import kms, sts
from engine.aws.clients import Clients, UnknownAccountError
from engine.aws.errors import AwsError
from engine.aws.roles import Purpose
from engine.aws.sts import Caller
from engine.inventory.bulk import Strings
from engine.inventory.convert import key_record
from engine.inventory.records import Key, Location


class AwsProbes:
    """Asks with the credentials that the calls of a run are made with."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def role(self, at: Location, purpose: Purpose) -> str | None:
        """Return the ARN of the role worked with, None where it is the caller's credentials."""
        with _translated():
            return self._clients.role(at, purpose)

    def caller(self, at: Location, purpose: Purpose) -> Caller:
        """Return whose credentials the calls at a location are made with."""
        with _translated():
            return sts.read_caller(self._clients.sts(at, purpose))

    def key(self, at: Location, reference: str, purpose: Purpose) -> Key | None:
        """Read a key as an account sees it, None where there is none."""
        with _translated():
            wire = kms.describe_key(self._clients.kms(at, purpose), at, reference)
            return None if wire is None else key_record(wire, at, Strings())


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except AwsError as error:
        raise CloudError(trouble_of(error), error.code, error.message) from error
    except UnknownAccountError as error:
        raise CloudError(Trouble.DENIED, "UnknownAccount", error.what) from error
