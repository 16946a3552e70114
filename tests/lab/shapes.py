"""Checks answers against the shapes of botocore's service model, element by element."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

from botocore.model import ListShape, OperationModel, Shape, StructureShape

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_SCALARS = {
    "integer": re.compile(r"-?\d+"),
    "long": re.compile(r"-?\d+"),
    "boolean": re.compile("true|false"),
    "timestamp": _TIME,
    "string": re.compile(r".*", re.DOTALL),
}


def strange_in(body: bytes, operation: OperationModel) -> list[str]:
    """Return what in an answer the operation's output shape does not know, by its path."""
    root = ET.fromstring(body)
    shape = operation.output_shape
    result = next((one for one in root if _name(one).endswith("Result")), None)
    if shape is None or result is None:
        return []
    return list(_strange(result, shape, operation.name))


def _strange(element: ET.Element, shape: Shape, path: str) -> Iterator[str]:
    if isinstance(shape, StructureShape):
        yield from _strange_members(element, shape, path)
    elif isinstance(shape, ListShape):
        item = shape.member.serialization.get("name", "member")
        for child in element:
            if _name(child) == item:
                yield from _strange(child, shape.member, f"{path}[]")
            else:
                yield f"{path}: <{_name(child)}> instead of <{item}>"
    else:
        pattern: Any = _SCALARS[shape.type_name]
        if len(element) or not pattern.fullmatch(element.text or ""):
            yield f"{path}: {element.text!r} is no {shape.type_name}"


def _strange_members(element: ET.Element, shape: StructureShape, path: str) -> Iterator[str]:
    members = {
        member.serialization.get("name", name): member for name, member in shape.members.items()
    }
    for child in element:
        member = members.get(_name(child))
        if member is None:
            yield f"{path}: unknown <{_name(child)}>"
        else:
            yield from _strange(child, member, f"{path}.{_name(child)}")


def _name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]
