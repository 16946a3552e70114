"""The lab serves listings faster than a plain boto3 paginator reads them."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.lab.places import Places

COUNT = 3_000


def _snapshots() -> list[dict[str, Any]]:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    tags = {f"engine:{number}": f"value {number}" for number in range(10)}
    return [
        {
            "identifier": f"s-{number:05}",
            "created": (start + timedelta(minutes=number)).isoformat(),
            "tags": tags,
        }
        for number in range(COUNT)
    ]


def test_the_reader_spends_most_of_the_time_not_the_lab(places: Places) -> None:
    account = places.account({}, snapshots=_snapshots())
    assert len(account.names()) == COUNT  # rendered once
    client: Any = account.rds
    waited: list[float] = []

    def sent(**_: Any) -> None:
        waited.append(-time.perf_counter())

    def received(**_: Any) -> None:
        waited[-1] += time.perf_counter()

    client.meta.events.register("before-send.rds", sent)
    client.meta.events.register("before-parse.rds", received)
    began = time.perf_counter()
    pages = client.get_paginator("describe_db_snapshots").paginate()
    assert sum(len(page["DBSnapshots"]) for page in pages) == COUNT
    whole = time.perf_counter() - began
    assert len(waited) == COUNT / 100
    assert sum(waited) < whole / 2
