from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.lab.process import LabProcess
from tests.lab.places import Places

Refusing = Callable[..., AbstractContextManager[None]]


@pytest.fixture(scope="session")
def lab() -> Iterator[LabProcess]:
    """One lab whose clock moves only when a test moves it."""
    with LabProcess.start(speed=0, at=datetime(2026, 3, 2, 12, tzinfo=UTC)) as running:
        yield running


@pytest.fixture
def places(lab: LabProcess) -> Iterator[Places]:
    before = lab.client.settings()
    yield Places(lab)
    lab.client.change_settings(**before)


@pytest.fixture
def refused() -> Refusing:
    """Expect a call to be refused with a code, and words of the message."""
    from botocore.exceptions import ClientError

    @contextmanager
    def expect(code: str, *words: str, status: int | None = None) -> Iterator[None]:
        with pytest.raises(ClientError) as raised:
            yield
        answer: Any = raised.value.response
        assert answer["Error"]["Code"] == code, answer
        for word in words:
            assert word in answer["Error"]["Message"]
        if status is not None:
            assert answer["ResponseMetadata"]["HTTPStatusCode"] == status

    return expect
