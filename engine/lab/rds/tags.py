"""Tags of instances and snapshots, by ARN.

Rules: RDS User Guide, Tagging Amazon RDS resources.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from engine.lab.rds import clusters, refusals
from engine.lab.rds.arns import Arn, parse_arn
from engine.lab.rds.models import LabInstance, LabSnapshot

if TYPE_CHECKING:
    from engine.lab.rds.backend import LabBackend

Tags = list[dict[str, str]]
Taggable = LabInstance | LabSnapshot | clusters.LabClusterSnapshot

MOST_TAGS = 50
_RESERVED = ("aws:", "rds:")
_TEXT = re.compile(r"[\w\s.:/=+\-@]*")


def check_tags(tags: Iterable[dict[str, str]] | None) -> Tags:
    """Return tags that a caller gives, in plain form.

    Raises:
        RDSClientError: InvalidParameterValue: too many, too long, reserved, or odd characters.
    """
    plain = [{"Key": tag["Key"], "Value": tag.get("Value") or ""} for tag in tags or ()]
    for tag in plain:
        key, value = tag["Key"], tag["Value"]
        if key.lower().startswith(_RESERVED):
            raise refusals.parameter("Tag keys cannot start with the reserved prefix")
        if not 1 <= len(key) <= 128 or len(value) > 256:
            raise refusals.parameter(
                f"The tag {key} is too long: a key has 128 characters at most, a value 256."
            )
        if not (_TEXT.fullmatch(key) and _TEXT.fullmatch(value)):
            raise refusals.parameter(f"The tag {key} contains characters that are not allowed.")
    names = [tag["Key"] for tag in plain]
    if len(set(names)) < len(names):
        raise refusals.parameter("Duplicate tag keys are not allowed.")
    _check_count(len(names))
    return plain


def _check_count(count: int) -> None:
    if count > MOST_TAGS:
        raise refusals.parameter(f"A resource has {MOST_TAGS} tags at most.")


def taggable(backend: LabBackend, named: str) -> Taggable | None:
    """Return the instance or snapshot that an ARN names, None for what moto looks after.

    Raises:
        RDSClientError: it is of another account or region, or is not there.
    """
    arn = parse_arn(named)
    if arn is None:
        raise refusals.parameter(f"Invalid resource name: {named}")
    if (arn.account, arn.region) != (backend.account_id, backend.region_name):
        raise refusals.parameter(
            "The specified resource name does not match an RDS resource in this region."
        )
    return _resource(backend, arn)


def _resource(backend: LabBackend, arn: Arn) -> Taggable | None:
    if arn.type == "db":
        return backend.instance(arn.name)
    if arn.type == "snapshot":
        return backend.snapshot(arn.name)
    if arn.type == "cluster-snapshot":
        return clusters.own(backend, arn.name)
    return None


def add(resource: Taggable, tags: Iterable[dict[str, str]]) -> None:
    """Set tags."""
    plain = check_tags(tags)
    _check_count(len({tag["Key"] for tag in [*resource.tags, *plain]}))
    resource.add_tags(plain)
