from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from typing import Any
from xml.sax.saxutils import escape

import botocore.session
import msgspec
import pytest
from botocore.parsers import ResponseParserError, create_parser
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.aws.snapshot_answers import snapshot_answer
from engine.inventory.convert import moment
from engine.inventory.wire import WireSnapshot
from tests.aws.scripted_aws import RDS_SPACE

MODEL = botocore.session.Session().get_service_model("rds")
SHAPE: Any = MODEL.operation_model("DescribeDBSnapshots").output_shape

# Characters that XML can carry.
texts = st.text(
    st.characters(
        codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"
    ),
    max_size=8,
)
counts = st.integers(0, 10**6).map(str)
moments = st.datetimes(timezones=st.just(UTC)).map(lambda at: at.isoformat().replace("+00:00", "Z"))
FIELDS: dict[str, Any] = {
    "DBInstanceIdentifier": texts,
    "DbiResourceId": texts,
    "SnapshotType": texts,
    "Status": texts,
    "Engine": texts,
    "SnapshotCreateTime": moments,
    "OriginalSnapshotCreateTime": moments,
    "AvailabilityZone": texts,
    "Encrypted": st.sampled_from(["true", "false"]),
    "KmsKeyId": texts,
    "AllocatedStorage": counts,
    "PercentProgress": counts,
    "SourceDBSnapshotIdentifier": texts,
    "OptionGroupName": texts,
    "TdeCredentialArn": texts,
    "DBSnapshotArn": texts,
    "Port": counts,
    "Iops": counts,
    "VpcId": texts,
    "IAMDatabaseAuthenticationEnabled": st.sampled_from(["true", "false"]),
    "Novel": texts,
}


@st.composite
def snapshots(draw: Callable[..., Any]) -> str:
    names = draw(st.lists(st.sampled_from(sorted(FIELDS)), unique=True))
    fields = "".join(f"<{name}>{escape(draw(FIELDS[name]))}</{name}>" for name in names)
    tags = "".join(
        f"<Tag><Key>{escape(key)}</Key><Value>{escape(value)}</Value></Tag>"
        for key, value in draw(st.lists(st.tuples(texts, texts), max_size=3))
    )
    more = draw(st.sampled_from(["", "<ProcessorFeatures/>", f"<TagList>{tags}</TagList>"]))
    name = draw(st.from_regex(r"[a-z]{1,5}", fullmatch=True))
    identifier = f"<DBSnapshotIdentifier>{name}</DBSnapshotIdentifier>"
    return f"<DBSnapshot>{identifier}{fields}{more}</DBSnapshot>"


@st.composite
def pages(draw: Callable[..., Any]) -> bytes:
    marker = draw(st.sampled_from(["", "<Marker/>", "<Marker>next page</Marker>"]))
    items = "\n  ".join(draw(st.lists(snapshots(), max_size=3)))
    space = draw(st.sampled_from([f' xmlns="{RDS_SPACE}"', ""]))
    return (
        f"<DescribeDBSnapshotsResponse{space}><DescribeDBSnapshotsResult>{marker}"
        f"<DBSnapshots>\n  {items}\n</DBSnapshots></DescribeDBSnapshotsResult>"
        "<ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata>"
        "</DescribeDBSnapshotsResponse>"
    ).encode()


def told(wire: WireSnapshot) -> dict[str, Any]:
    """What matters of a snapshot: an empty text is as good as none."""
    fields = {name: getattr(wire, name) or None for name in wire.__struct_fields__}
    fields["created_at"] = moment(wire.created_at)
    fields["original_created_at"] = moment(wire.original_created_at)
    fields["tags"] = [(tag.key, tag.value or "") for tag in wire.tags or ()]
    return fields


@settings(max_examples=300, deadline=None)
@given(pages())
def test_an_answer_is_read_as_botocore_reads_it(body: bytes) -> None:
    response = {"body": body, "headers": {}, "status_code": 200}
    theirs = create_parser("query").parse(response, SHAPE)
    ours = snapshot_answer(body)

    def decoded(items: Any) -> list[dict[str, Any]]:
        return [told(wire) for wire in msgspec.convert(items, list[WireSnapshot], strict=False)]

    assert decoded(ours["DBSnapshots"]) == decoded(theirs["DBSnapshots"])
    assert ours.get("Marker", "") == theirs.get("Marker", "")
    assert ours["ResponseMetadata"]["RequestId"] == theirs["ResponseMetadata"]["RequestId"]


@pytest.mark.parametrize(
    "body", [b"", b"<", b"<html></html>", b"<!doctype html><html><body>502</body></html>"]
)
def test_what_is_no_such_answer_is_refused(body: bytes) -> None:
    with pytest.raises(ResponseParserError):
        snapshot_answer(body)


def test_xml_that_swells_while_it_is_read_is_refused() -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY x0 "xxxxxxxxxx">' + b"".join(
        b'<!ENTITY x%d "%s">' % (n, b"&x%d;" % (n - 1) * 10) for n in range(1, 10)
    )
    body = bomb + b"]><a><DescribeDBSnapshotsResult>&x9;</DescribeDBSnapshotsResult></a>"
    with pytest.raises(ResponseParserError):
        snapshot_answer(body)
