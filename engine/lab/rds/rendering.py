"""Snapshots as the API writes them, each rendered once while nothing about it changes.

A page of a hundred is then a join; moto's serializer walks every shape of every record anew.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

from botocore import xform_name
from botocore.model import StructureShape
from moto.core.utils import get_service_model

from engine.lab.rds.models import LabSnapshot

NAMESPACE = "http://rds.amazonaws.com/doc/2014-10-31/"

_SCALARS = frozenset({"string", "integer", "long", "boolean", "timestamp"})


@cache
def _scalars() -> tuple[tuple[str, str], ...]:
    shape = get_service_model("rds").shape_for("DBSnapshot")
    if not isinstance(shape, StructureShape):
        raise TypeError("the service model's DBSnapshot is no structure")
    return tuple(
        (name, xform_name(name))
        for name, member in shape.members.items()
        if member.type_name in _SCALARS
    )


def snapshot_xml(snapshot: LabSnapshot) -> str:
    """Render a snapshot for its owner."""
    if snapshot.xml is not None:
        return snapshot.xml
    xml = _element(snapshot, {}, snapshot.tags)
    if not snapshot.in_progress:
        snapshot.xml = xml
    return xml


def shared_snapshot_xml(snapshot: LabSnapshot, kind: str) -> str:
    """Render a snapshot for those it is shared with.

    They see its ARN as its identifier and none of its tags.
    """
    return _element(snapshot, {"DBSnapshotIdentifier": snapshot.arn, "SnapshotType": kind}, [])


def _element(snapshot: LabSnapshot, instead: dict[str, str], tags: Iterable[dict[str, str]]) -> str:
    parts = ["<DBSnapshot>"]
    for name, attribute in _scalars():
        value = instead[name] if name in instead else getattr(snapshot, attribute, None)
        if value is not None and value != "":
            parts.append(f"<{name}>{_text(value)}</{name}>")
    parts.append("<TagList>")
    parts.extend(
        f"<Tag><Key>{escape(tag['Key'])}</Key><Value>{escape(tag['Value'])}</Value></Tag>"
        for tag in tags
    )
    parts.append("</TagList></DBSnapshot>")
    return "".join(parts)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return (
            value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.")
            + f"{value.microsecond // 1000:03}Z"
        )
    return escape(str(value))


def snapshots_answer(elements: Iterable[str], marker: str | None) -> str:
    """Render the answer of DescribeDBSnapshots."""
    more = f"<Marker>{escape(marker)}</Marker>" if marker else ""
    return (
        "<?xml version='1.0' encoding='utf-8'?>\n"
        f'<DescribeDBSnapshotsResponse xmlns="{NAMESPACE}"><DescribeDBSnapshotsResult>'
        f"<DBSnapshots>{''.join(elements)}</DBSnapshots>{more}</DescribeDBSnapshotsResult>"
        f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata>"
        "</DescribeDBSnapshotsResponse>"
    )
