from __future__ import annotations

import pytest

from engine.plans.codes import KeepReason
from engine.retention.decide import rule_of
from engine.retention.keep import ALL, Keep, Rule
from engine.retention.spans import Span


@pytest.mark.parametrize(
    ("keep", "sentence"),
    [
        (Keep(), "every point, as no rule is set"),
        (Keep(last=1), "the last point"),
        (Keep(last=ALL), "every point"),
        (Keep(last=3, daily=7), "the last 3 points and 7 daily"),
        (
            Keep(last=3, daily=7, weekly=4, monthly=12, yearly=ALL, within=Span(hours=36)),
            "the last 3 points, 7 daily, 4 weekly, 12 monthly, all yearly and "
            "every point within 36h of the newest",
        ),
        (
            Keep(
                hourly=1,
                within_hourly=Span(days=1),
                within_daily=Span(days=7),
                within_weekly=Span(months=1),
                within_monthly=Span(years=1),
                within_yearly=Span(years=1, days=2),
            ),
            "1 hourly, one an hour within 1d of the newest, one a day within 7d of the newest, "
            "one a week within 1mo of the newest, one a month within 1y of the newest and "
            "one a year within 1y2d of the newest",
        ),
    ],
)
def test_rules_read_as_a_sentence(keep: Keep, sentence: str) -> None:
    assert keep.sentence() == sentence


@pytest.mark.parametrize("keep", [Keep(), Keep(last=0, yearly=0), Keep(within=Span())])
def test_neither_zero_nor_a_reach_of_no_length_is_a_rule(keep: Keep) -> None:
    assert keep.is_empty


@pytest.mark.parametrize("keep", [Keep(last=1), Keep(yearly=ALL), Keep(within_yearly=Span(1))])
def test_one_rule_is_enough_not_to_be_empty(keep: Keep) -> None:
    assert not keep.is_empty


def test_a_negative_count_is_refused() -> None:
    with pytest.raises(ValueError, match="weekly cannot be -1; write all"):
        Keep(weekly=-1)


@pytest.mark.parametrize(
    ("reason", "rule"),
    [
        ("last-1", Rule.LAST),
        ("daily-12", Rule.DAILY),
        ("oldest-daily", Rule.OLDEST),
        ("oldest-within-daily-36h", Rule.OLDEST),
        ("within-36h", Rule.WITHIN),
        ("within-daily-1y2mo", Rule.WITHIN_DAILY),
        ("within-yearly-3d", Rule.WITHIN_YEARLY),
        ("future", Rule.FUTURE),
        ("no-rule", Rule.NO_RULE),
    ],
)
def test_a_reason_tells_its_rule(reason: str, rule: Rule) -> None:
    assert rule_of(reason) is rule


def test_what_is_no_reason_tells_no_rule() -> None:
    with pytest.raises(ValueError, match="fortnightly"):
        rule_of("fortnightly-1")


@pytest.mark.parametrize("rule", Rule)
def test_plans_call_each_rule_by_the_same_name(rule: Rule) -> None:
    assert KeepReason(rule.value) == rule.value
