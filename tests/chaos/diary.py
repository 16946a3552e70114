"""Reads the engine's journal apart from the engine: the local file, or the objects in S3."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """An entry of the journal."""

    run: str
    seq: int
    at: datetime
    kind: str
    step: str
    detail: dict[str, Any]


def rows_of_file(path: Path) -> Iterator[Row]:
    """Yield the entries of a local journal; none where there is no file."""
    if not path.exists():
        return
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as base:
        rows = base.execute(
            "SELECT run, seq, at, kind, step, detail FROM entries ORDER BY seq"
        ).fetchall()
    for run, seq, at, kind, step, text in rows:
        yield Row(run, seq, datetime.fromisoformat(at), kind, step, json.loads(text))


def rows_of_bucket(s3: Any, bucket: str, prefix: str) -> Iterator[Row]:
    """Yield the entries of a journal in S3, of one run after the other."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    for key in sorted(one["Key"] for page in pages for one in page.get("Contents", ())):
        if "/journal/" not in key:
            continue
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        for said in map(json.loads, body.splitlines()):
            at = datetime.fromisoformat(said.pop("at"))
            yield Row(**said, at=at)
