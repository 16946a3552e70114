"""The one call of EC2 that backups need: RDS tells zones by name only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from engine.aws.errors import calling
from engine.inventory.convert import zones_record
from engine.inventory.records import Location
from engine.inventory.wire import WireZone

if TYPE_CHECKING:
    from mypy_boto3_ec2.client import EC2Client


def read_zones(client: EC2Client, at: Location) -> Mapping[str, str]:
    """Return the ids of a region's availability zones by their names in this account."""
    with calling("ec2:DescribeAvailabilityZones", at):
        answer = client.describe_availability_zones()
        return zones_record(msgspec.convert(answer["AvailabilityZones"], list[WireZone]))
