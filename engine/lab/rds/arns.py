"""ARNs of RDS: `arn:aws:rds:REGION:ACCOUNT:TYPE:NAME`, where a name may contain colons."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Arn:
    """An RDS ARN, taken apart."""

    region: str
    account: str
    type: str
    name: str


def parse_arn(text: str) -> Arn | None:
    """Take an ARN apart, None where `text` is none of RDS."""
    parts = text.split(":", 6)
    if len(parts) != 7 or parts[0] != "arn" or parts[2] != "rds":
        return None
    return Arn(parts[3], parts[4], parts[5], parts[6])
