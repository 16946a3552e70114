"""moto's server on loopback, for tests that need AWS's protocols but not its behaviour."""

from __future__ import annotations

import logging
import urllib.request
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.aws.scripted_aws import set_environment


@pytest.fixture(scope="session")
def moto_endpoint() -> Iterator[str]:
    """One server for all tests of the session."""
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def moto_aws(moto_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Point every client of this test at an empty moto."""
    set_environment(monkeypatch, moto_endpoint)
    reset = urllib.request.Request(f"{moto_endpoint}/moto-api/reset", method="POST")
    urllib.request.urlopen(reset).close()
    return moto_endpoint


def boto_client(service: Any, account: str, region: str) -> Any:
    """Return plain boto3's client in an account, independent of the engine."""
    role = f"arn:aws:iam::{account}:role/tester"
    sts = boto3.client("sts", region_name=region)
    granted = sts.assume_role(RoleArn=role, RoleSessionName="tester")["Credentials"]
    session = boto3.Session(
        granted["AccessKeyId"], granted["SecretAccessKey"], granted["SessionToken"], region
    )
    return session.client(service)
