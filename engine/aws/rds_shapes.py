"""What calls of RDS on instances and on clusters share: tags go out, and answers come in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

if TYPE_CHECKING:
    from mypy_boto3_rds.type_defs import TagTypeDef

Wire = TypeVar("Wire")

PAGE = 100


def tags_of(tags: Mapping[str, str]) -> list[TagTypeDef]:
    """Return tags as calls take them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def decoded(items: Any, shape: type[Wire]) -> list[Wire]:
    """Type a part of an answer; texts become numbers and times where the shape says so."""
    found: list[Wire] = msgspec.convert(items, list[shape], strict=False)  # type: ignore[valid-type]
    return found
