from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.applying.stage import Stage
from tests.applying.world import database
from tests.aws.scripted_aws import aws

__all__ = ["aws", "stage"]


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A world with one database and no snapshots."""
    stage = Stage()
    one = database()
    stage.cloud.databases[one.arn] = one
    yield stage
    stage.folder.cleanup()
