"""Reading the answers of DescribeDBSnapshots, of which there are hundreds.

Botocore walks the model of each field of each snapshot, at 25 ms per page of 100. This reads the
same XML into the same dictionaries, but leaves every value a text: the decoders of
`engine.inventory.wire` turn texts into numbers and times by themselves, much faster.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any
from xml.etree import ElementTree

from botocore.model import Shape
from botocore.parsers import (
    QueryParser,
    ResponseParser,
    ResponseParserError,
    ResponseParserFactory,
)

_ANSWER = "DBSnapshotMessage"
_ITEMS = "DBSnapshots"
_TAGS = "TagList"
_HTTP_OK = 200
# The query protocol names the root of each answer after its operation: `CreateDBSnapshotResponse`.
_ROOT = re.compile(rb"\s*(?:<\?[^>]*\?>\s*)?<(?:\w+:)?(\w+)")


class ParserFactory(ResponseParserFactory):
    """Gives clients of the query protocol, which RDS speaks, the parser below."""

    def __init__(self, timestamp_parser: Callable[[Any], datetime]) -> None:
        super().__init__()
        self._timestamp_parser = timestamp_parser
        self.set_parser_defaults(timestamp_parser=timestamp_parser)

    def create_parser(self, protocol_name: str) -> ResponseParser:
        """Return the parser for a protocol."""
        if protocol_name == "query":
            return _Parser(timestamp_parser=self._timestamp_parser)
        return super().create_parser(protocol_name)


class _Parser(QueryParser):
    def parse(self, response: Any, shape: Shape) -> Any:
        if response["status_code"] == _HTTP_OK:
            _insist_on_an_answer(response["body"])
        if shape is None or shape.name != _ANSWER or response["status_code"] != _HTTP_OK:
            return super().parse(response, shape)
        parsed = snapshot_answer(response["body"])
        metadata = parsed.setdefault("ResponseMetadata", {})
        metadata["HTTPStatusCode"] = response["status_code"]
        metadata["HTTPHeaders"] = {k.lower(): v for k, v in response["headers"].items()}
        return parsed


def _insist_on_an_answer(body: bytes) -> None:
    """See that this is an answer at all: the tagging calls have no content that could be missing.

    Raises:
        ResponseParserError: it is something else, such as a proxy's page.
    """
    found = _ROOT.match(body)
    if found is None or not found[1].endswith(b"Response"):
        raise ResponseParserError(f"no answer of the service: {body[:60]!r}")


def snapshot_answer(body: bytes) -> dict[str, Any]:
    """Return the answer in `body` in the AWS CLI's shape, every value a text.

    Fields that are empty, and those that hold more than a text but for the tags, are left out.

    Raises:
        ResponseParserError: it is not such an answer.
    """
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        raise ResponseParserError(f"invalid XML received: {error}") from error
    # Every element stands in the service's namespace, whose name differs between stand-ins.
    space = root.tag[: root.tag.rfind("}") + 1]
    result = root.find(f"{space}DescribeDBSnapshotsResult")
    if result is None:
        raise ResponseParserError(f"no answer of DescribeDBSnapshots: {root.tag[:100]}")
    cut = len(space)
    answer: dict[str, Any] = {
        _ITEMS: [_snapshot(item, cut) for item in result.iterfind(f"{space}{_ITEMS}/*")]
    }
    if marker := result.findtext(f"{space}Marker"):
        answer["Marker"] = marker
    if request := root.findtext(f"{space}ResponseMetadata/{space}RequestId"):
        answer["ResponseMetadata"] = {"RequestId": request}
    return answer


def _snapshot(item: ElementTree.Element, cut: int) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for child in item:
        name = child.tag[cut:]
        if name == _TAGS:
            fields[name] = [{part.tag[cut:]: part.text or "" for part in tag} for tag in child]
        elif child.text and len(child) == 0:
            fields[name] = child.text
    return fields
