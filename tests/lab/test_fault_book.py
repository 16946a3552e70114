"""Which fault strikes which call, on values."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.lab.calls import Asked
from engine.lab.errors import LabError
from engine.lab.fault_book import FaultBook, armed_document
from engine.lab.faults import Kind, fault_document, read_faults

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
ONE = Asked("111111111111", "backup-engine", "eu-west-1", "rds", "CreateDBSnapshot", "orders-1")


def book(*documents: dict[str, Any]) -> FaultBook:
    faults = FaultBook()
    faults.arm(read_faults(list(documents)), NOW)
    return faults


def struck(faults: FaultBook, calls: Iterable[Asked], now: datetime = NOW) -> list[Asked]:
    return [one for one in calls if faults.strike(one, now) is not None]


@pytest.mark.parametrize(
    ("name", "fitting", "other"),
    [
        ("account", "1111*", "2*"),
        ("role", "backup-*", ""),
        ("region", "eu-west-1", "eu-west-2"),
        ("service", "rds", "s3"),
        ("operation", "Create*", "CopyDBSnapshot"),
        ("resource", "orders-?", "orders"),
    ],
)
def test_each_filter_selects_calls(name: str, fitting: str, other: str) -> None:
    assert struck(book({"kind": "reset", name: fitting}), [ONE]) == [ONE]
    assert struck(book({"kind": "reset", name: other}), [ONE]) == []


def test_all_filters_must_fit() -> None:
    fault = {"kind": "reset", "account": ONE.account, "region": "eu-central-1"}
    assert struck(book(fault), [ONE]) == []


def test_a_fault_strikes_as_often_as_it_is_told() -> None:
    faults = book({"kind": "reset", "count": 2})
    assert struck(faults, [ONE] * 5) == [ONE] * 2
    assert [one.fired for one in faults] == [2]


def test_an_event_happens_once_unless_told_otherwise() -> None:
    event = {"kind": "stop", "instance": "111111111111/eu-west-1/orders-1"}
    assert len(struck(book(event), [ONE] * 3)) == 1
    assert len(struck(book({**event, "count": 2}), [ONE] * 3)) == 2


def test_a_kind_strikes_only_what_it_can_be_about() -> None:
    copy = ONE._replace(operation="CopyDBSnapshot")
    for kind, expected in (
        ("copy_fails", [copy]),
        ("snapshot_fails", [ONE]),
        ("quota_total", [ONE, copy]),
        ("quota_in_flight", [copy]),
        ("key_not_accessible", [copy]),
    ):
        describe = ONE._replace(operation="DescribeDBSnapshots")
        assert struck(book({"kind": kind}), [ONE, copy, describe]) == expected, kind


def test_the_fault_armed_first_strikes_and_the_next_when_it_is_spent() -> None:
    faults = book({"kind": "reset", "count": 1}, {"kind": "throttle"})
    kinds = []
    for _ in range(3):
        strike = faults.strike(ONE, NOW)
        assert strike is not None
        kinds.append((strike.id, strike.fault.kind, strike.number))
    assert kinds == [("f1", Kind.RESET, 0), ("f2", Kind.THROTTLE, 0), ("f2", Kind.THROTTLE, 1)]


def test_a_fault_ends_when_its_time_is_over() -> None:
    faults = book({"kind": "reset", "for": 60})
    assert struck(faults, [ONE], NOW + timedelta(seconds=59)) == [ONE]
    assert struck(faults, [ONE], NOW + timedelta(seconds=60)) == []


def calls() -> list[Asked]:
    return [ONE._replace(resource=f"orders-{number}") for number in range(400)]


def test_the_same_seed_strikes_the_same_calls_in_whatever_order_they_come() -> None:
    fault = {"kind": "reset", "probability": 0.3, "seed": 7}
    first = struck(book(fault), calls())
    assert struck(book(fault), calls()) == first
    assert struck(book(fault), reversed(calls())) == first[::-1]
    assert struck(book({**fault, "seed": 8}), calls()) != first
    assert 80 < len(first) < 160


def test_a_call_that_is_repeated_throws_again() -> None:
    fault = {"kind": "reset", "probability": 0.5, "seed": 7}
    found = len(struck(book(fault), [ONE] * 400))
    assert 150 < found < 250


def test_probabilities_of_none_and_one_leave_nothing_to_chance() -> None:
    assert struck(book({"kind": "reset", "probability": 0}), calls()) == []
    assert struck(book({"kind": "reset", "probability": 1}), calls()) == calls()


def test_faults_are_cleared_one_by_one_or_all() -> None:
    faults = book({"kind": "reset"}, {"kind": "throttle"}, {"kind": "truncate"})
    faults.disarm("f2")
    assert [one.id for one in faults] == ["f1", "f3"]
    with pytest.raises(LabError, match="armed are: f1, f3"):
        faults.disarm("f2")
    assert faults.clear() == 2
    assert struck(faults, [ONE]) == []
    [again] = faults.arm(read_faults({"kind": "reset"}), NOW)
    assert again.id == "f4"


def test_a_fault_is_written_as_it_was_read() -> None:
    document = {"kind": "invisible", "account": "1*", "seconds": 3.0, "for": 60.0, "seed": 4}
    [fault] = read_faults(document)
    written = fault_document(fault)
    assert document.items() <= written.items()
    assert read_faults(written) == [fault]
    [armed] = FaultBook().arm([fault], NOW)
    assert armed_document(armed)["until"] == "2026-03-02T12:01:00Z"
