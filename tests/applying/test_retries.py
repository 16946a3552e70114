from __future__ import annotations

import pytest

from engine.applying.cloud import trouble_of
from engine.applying.endpoints import is_loopback
from engine.applying.ports import CloudError, Trouble
from engine.applying.rates import MOST_OWED, RECOVERS_IN, SLOWEST, RateBudget
from engine.applying.retries import (
    Patience,
    Treatment,
    advice,
    may_retry,
    persist,
    treatment,
    way_out,
)
from engine.aws.errors import NO_REPLY, NOT_SENT, UNREADABLE_REPLY, AwsError
from tests.applying.world import AWAY, HOME, FakeClock

PATIENCE = Patience(attempts=5, first=1.0, longest=4.0, draw=lambda: 1.0)


def test_waits_double_up_to_the_longest_and_are_drawn_below_that() -> None:
    assert [PATIENCE.wait(attempt) for attempt in (1, 2, 3, 4)] == [1.0, 2.0, 4.0, 4.0]
    assert Patience(first=1.0, draw=lambda: 0.25).wait(2) == 0.5
    assert len({Patience().wait(5) for _ in range(20)}) > 1


def test_reading_persists_while_errors_pass_and_not_for_ever() -> None:
    clock, made = FakeClock(), []

    def throttled() -> None:
        made.append(1)
        raise CloudError(Trouble.THROTTLED, "Throttling", "")

    with pytest.raises(CloudError):
        persist(throttled, clock, PATIENCE, may_go_on=lambda: True)
    assert len(made) == 5
    assert clock.slept == [1.0, 2.0, 4.0, 4.0]


def test_the_budget_of_seconds_ends_retries_too() -> None:
    clock, made = FakeClock(), []

    def slow() -> None:
        made.append(1)
        clock.seconds += 200
        raise CloudError(Trouble.SERVER_FAULT, "500", "")

    with pytest.raises(CloudError):
        persist(slow, clock, PATIENCE, may_go_on=lambda: True)
    assert len(made) == 2


def test_what_somebody_must_mend_is_not_tried_twice() -> None:
    clock, made = FakeClock(), []

    def denied() -> None:
        made.append(1)
        raise CloudError(Trouble.DENIED, "AccessDenied", "")

    with pytest.raises(CloudError):
        persist(denied, clock, PATIENCE, may_go_on=lambda: True)
    assert len(made) == 1


def test_what_was_held_back_is_tried_again_however_long_that_took() -> None:
    late = CloudError(Trouble.TOO_LATE, "TooLate", "")
    assert may_retry(late, 1, 10 * PATIENCE.seconds, PATIENCE)
    assert not may_retry(late, PATIENCE.attempts, 0.0, PATIENCE)


def test_every_trouble_has_a_treatment() -> None:
    assert {treatment(trouble) for trouble in Trouble} == set(Treatment)


@pytest.mark.parametrize(
    ("code", "message", "operation", "trouble"),
    [
        ("Throttling", "Rate exceeded", "rds:CopyDBSnapshot", Trouble.THROTTLED),
        ("429", "", "rds:CopyDBSnapshot", Trouble.THROTTLED),
        ("InternalFailure", "", "rds:CopyDBSnapshot", Trouble.SERVER_FAULT),
        ("503", "", "rds:CreateDBSnapshot", Trouble.SERVER_FAULT),
        (NOT_SENT, "refused", "rds:CreateDBSnapshot", Trouble.SERVER_FAULT),
        (NO_REPLY, "timed out", "rds:CreateDBSnapshot", Trouble.NO_REPLY),
        (UNREADABLE_REPLY, "not well-formed", "rds:CopyDBSnapshot", Trouble.NO_REPLY),
        ("ExpiredToken", "", "rds:DeleteDBSnapshot", Trouble.CREDENTIALS_EXPIRED),
        ("DBSnapshotNotFound", "", "rds:DeleteDBSnapshot", Trouble.NOT_FOUND),
        ("DBInstanceNotFound", "", "rds:CreateDBSnapshot", Trouble.NOT_FOUND),
        ("DBSnapshotAlreadyExists", "", "rds:CreateDBSnapshot", Trouble.ALREADY_EXISTS),
        ("InvalidDBInstanceState", "", "rds:CreateDBSnapshot", Trouble.WRONG_STATE),
        ("InvalidDBSnapshotState", "", "rds:DeleteDBSnapshot", Trouble.WRONG_STATE),
        (
            "SnapshotQuotaExceeded",
            "Cannot copy more than 20 snapshots across regions",
            "rds:CopyDBSnapshot",
            Trouble.COPIES_IN_FLIGHT,
        ),
        (
            "SnapshotQuotaExceeded",
            "Cannot create more than 100 manual snapshots",
            "rds:CopyDBSnapshot",
            Trouble.QUOTA,
        ),
        ("SharedSnapshotQuotaExceeded", "", "rds:ModifyDBSnapshotAttribute", Trouble.SHARED_QUOTA),
        ("KMSKeyNotAccessibleFault", "", "rds:CopyDBSnapshot", Trouble.KEY),
        ("InvalidParameterValue", "", "rds:CopyDBSnapshot", Trouble.INVALID),
        ("AccessDenied", "", "rds:CopyDBSnapshot", Trouble.DENIED),
        ("SomethingNew", "", "rds:CopyDBSnapshot", Trouble.OTHER),
    ],
)
def test_codes_of_aws_mean_what_they_mean(
    code: str, message: str, operation: str, trouble: Trouble
) -> None:
    assert trouble_of(AwsError(code, message, operation)) is trouble


def test_calls_to_one_location_keep_their_distance_and_others_do_not_wait() -> None:
    clock = FakeClock()
    budget = RateBudget(clock, per_second=2.0)
    for _ in range(3):
        budget.take(HOME)
    assert clock.seconds == pytest.approx(1.0, abs=0.05)
    before = clock.seconds
    budget.take(AWAY)
    assert clock.seconds == before


def test_throttling_halves_the_rate_of_its_location_and_time_brings_it_back() -> None:
    clock = FakeClock()
    budget = RateBudget(clock, per_second=8.0)
    budget.throttled(HOME, budget.take(HOME))
    budget.throttled(HOME, budget.take(HOME))
    assert budget.rate(HOME) == pytest.approx(2.0, abs=0.1)
    assert budget.rate(AWAY) == 8.0
    before = budget.rate(HOME)
    clock.seconds += RECOVERS_IN / 4
    assert budget.rate(HOME) == pytest.approx(before + 2.0)
    clock.seconds += RECOVERS_IN
    assert budget.rate(HOME) == 8.0
    for _ in range(50):
        budget.throttled(HOME, clock.seconds)
    assert budget.rate(HOME) == SLOWEST


def test_calls_that_were_throttled_together_halve_the_rate_once() -> None:
    clock = FakeClock()
    budget = RateBudget(clock, per_second=8.0)
    sent = [budget.take(HOME) for _ in range(10)]
    clock.seconds += 0.5
    for moment in sent:
        budget.throttled(HOME, moment)
    assert budget.rate(HOME) == 4.0


def test_requests_that_a_client_makes_by_itself_cost_their_turn() -> None:
    clock = FakeClock()
    budget = RateBudget(clock, per_second=2.0)
    for _ in range(10):
        budget.spend(HOME)
    assert clock.seconds == 0.0
    assert not budget.is_free(HOME)
    assert budget.is_free(AWAY)
    assert budget.take(HOME) == clock.seconds == 5.0


def test_a_listing_of_many_pages_holds_its_location_up_for_seconds_only() -> None:
    clock = FakeClock()
    budget = RateBudget(clock, per_second=2.0)
    for _ in range(200):
        budget.spend(HOME)
    assert budget.take(HOME) == MOST_OWED


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:5000", True),
        ("http://[::1]:5000/", True),
        ("http://localhost:4566", True),
        ("https://rds.eu-west-1.amazonaws.com", False),
        ("http://127.0.0.1.example.com", False),
        ("http://10.0.0.1", False),
        ("", False),
    ],
)
def test_only_addresses_of_this_machine_are_loopback(url: str, here: bool) -> None:
    assert is_loopback(url) is here


def test_where_aws_has_no_code_its_text_tells_the_way_out() -> None:
    wanted = CloudError(
        Trouble.INVALID,
        "InvalidParameterValue",
        "The snapshot requires a target option group with the following options: [Timezone]",
    )
    assert "`option_group` of the copy" in str(way_out(wanted))
    refused = CloudError(Trouble.INVALID, "InvalidParameterValue", "x cannot be shared because")
    assert "leave it out of `share_with`" in str(way_out(refused))
    assert way_out(CloudError(Trouble.INVALID, "InvalidParameterValue", "no")) is None
    full = CloudError(Trouble.QUOTA, "SnapshotQuotaExceeded", "Cannot create more than 100")
    assert way_out(full) == advice(Trouble.QUOTA)
