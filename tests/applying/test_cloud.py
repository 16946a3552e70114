"""What the executor hears of the requests that botocore makes by itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from engine.applying.cloud import AwsCloud
from engine.applying.ports import CloudError, Trouble
from engine.applying.traffic import traffic_of
from engine.aws.clients import Clients
from engine.inventory.records import Location
from tests.applying.world import AWAY, HOME, FakeClock
from tests.aws import scripted_aws as scripted
from tests.aws.scripted_aws import DROP, ScriptedAws

NOTHING = scripted.rds("DescribeDBSnapshots", "<DBSnapshots/>")
NEXT_PAGE = scripted.rds("DescribeDBSnapshots", "<DBSnapshots/><Marker>more</Marker>")
THROTTLED = scripted.error("Throttling", "Rate exceeded")
TAGGED = scripted.rds("AddTagsToResource", "")


@dataclass(frozen=True)
class Account:
    id: str
    regions: tuple[str, ...] = ("eu-west-1",)
    role: str | None = None
    read_role: str | None = None
    external_id: str | None = None


@dataclass
class Ear:
    """Remembers what it is told."""

    allows: bool = True
    requests: list[Location] = field(default_factory=list)
    errors: list[Trouble] = field(default_factory=list)

    def now(self) -> float:
        return 0.0

    def repeated(self, at: Location) -> None:
        self.requests.append(at)

    def may_repeat(self, at: Location, error: CloudError, sent_at: float) -> bool:
        self.errors.append(error.trouble)
        return self.allows


@pytest.fixture
def cloud(aws: ScriptedAws) -> AwsCloud:
    return AwsCloud(Clients("acme", [Account(HOME.account), Account(AWAY.account)]))


def test_throttling_is_heard_of_though_the_client_gets_over_it(
    aws: ScriptedAws, cloud: AwsCloud
) -> None:
    ear = Ear()
    cloud.tell(ear)
    aws.on("DescribeDBSnapshots", THROTTLED, NOTHING)
    aws.on("AddTagsToResource", THROTTLED, TAGGED)
    assert cloud.snapshots(HOME) == ()
    cloud.tag(HOME, "arn", {"a": "b"})
    assert ear.errors == [Trouble.THROTTLED, Trouble.THROTTLED]
    assert ear.requests == [HOME, HOME]


def test_every_page_beyond_the_first_counts(aws: ScriptedAws, cloud: AwsCloud) -> None:
    ear = Ear()
    cloud.tell(ear)
    aws.on("DescribeDBSnapshots", NEXT_PAGE, NOTHING)
    cloud.snapshots(HOME)
    cloud.snapshots(HOME)
    assert ear.requests == [HOME]
    assert ear.errors == []


def test_a_client_stops_repeating_where_nobody_would_have_it(
    aws: ScriptedAws, cloud: AwsCloud
) -> None:
    ear = Ear(allows=False)
    cloud.tell(ear)
    aws.on("DescribeDBSnapshots", DROP)
    with pytest.raises(CloudError):
        cloud.snapshots(HOME)
    assert len(aws.asked) == 1
    assert ear.errors == [Trouble.NO_REPLY]


def test_hidden_throttling_slows_its_location_down_and_no_other(
    aws: ScriptedAws, cloud: AwsCloud
) -> None:
    traffic = traffic_of(FakeClock(), lambda: False)
    cloud.tell(traffic)
    aws.on("DescribeDBSnapshots", THROTTLED, NOTHING)
    cloud.snapshots(AWAY)
    assert traffic.budget.rate(AWAY) == 10.0
    assert traffic.budget.rate(HOME) == 20.0


@pytest.mark.parametrize("is_heard", [True, False])
def test_a_failover_is_sent_once_though_its_reply_was_lost(
    aws: ScriptedAws, cloud: AwsCloud, is_heard: bool
) -> None:
    ear = Ear()
    if is_heard:
        cloud.tell(ear)
    aws.on("RebootDBInstance", DROP)
    with pytest.raises(CloudError) as met:
        cloud.fail_over(HOME, "orders-1")
    assert met.value.trouble is Trouble.NO_REPLY
    assert len(aws.asked) == 1
    aws.on("AddTagsToResource", THROTTLED, TAGGED)
    cloud.tag(HOME, "arn", {"a": "b"})
    assert len(aws.asked) == 3


def test_a_change_that_comes_too_late_is_not_sent(aws: ScriptedAws, cloud: AwsCloud) -> None:
    aws.on("AddTagsToResource", TAGGED)
    aws.on("DescribeDBSnapshots", NOTHING)
    cloud.let_pass(lambda: False)
    with pytest.raises(CloudError) as met:
        cloud.tag(HOME, "arn", {"a": "b"})
    assert met.value.trouble is Trouble.TOO_LATE
    assert aws.asked == []
    assert cloud.snapshots(HOME) == ()
    cloud.let_pass(lambda: True)
    cloud.tag(HOME, "arn", {"a": "b"})
    assert len(aws.asked) == 2


@pytest.mark.parametrize("is_heard", [True, False])
def test_a_second_attempt_that_comes_too_late_leaves_open_what_came_of_the_first(
    aws: ScriptedAws, cloud: AwsCloud, is_heard: bool
) -> None:
    if is_heard:
        cloud.tell(Ear())
    aws.on("AddTagsToResource", DROP)
    answers = iter([True, False])
    cloud.let_pass(lambda: next(answers))
    with pytest.raises(CloudError) as met:
        cloud.tag(HOME, "arn", {"a": "b"})
    assert met.value.trouble is Trouble.NO_REPLY
    assert len(aws.asked) == 1


def test_the_events_of_a_location_are_read_with_its_reading_role(
    aws: ScriptedAws, cloud: AwsCloud
) -> None:
    aws.on("DescribeEvents", scripted.rds("DescribeEvents", "<Events/>"))
    assert cloud.events(HOME, datetime(2026, 11, 21, tzinfo=UTC)) == ()
