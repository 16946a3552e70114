from __future__ import annotations

from tests.aws.moto_server import moto_aws, moto_endpoint
from tests.aws.scripted_aws import aws

__all__ = ["aws", "moto_aws", "moto_endpoint"]
