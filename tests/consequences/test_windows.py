"""How far back automated backups reach, without a change and with it."""

from __future__ import annotations

from dataclasses import replace

from engine.documents.model import AutomatedTerms
from engine.retention.keep import Keep
from tests.consequences.comparing import ORDERS, compared, gold, world
from tests.planning.builders import a_policy, documents

KEEP = Keep(daily=35)
FOURTEEN, SEVEN = AutomatedTerms(retention_days=14), AutomatedTerms(retention_days=7)
REAL = replace(ORDERS, backup_retention_days=3)


def test_a_shorter_retention_of_automated_backups_is_told() -> None:
    before, after = gold(KEEP, automated=FOURTEEN), gold(KEEP, automated=SEVEN)
    (one,) = compared(before, after, world([], REAL)).windows
    assert (one.policy, one.days_before, one.days_after) == ("gold", 14, 7)


def test_what_a_policy_says_nothing_of_stays_as_it_is() -> None:
    (one,) = compared(gold(KEEP), gold(KEEP, automated=SEVEN), world([], REAL)).windows
    assert (one.days_before, one.days_after) == (3, 7)
    left = documents(a_policy("silver"))
    (one,) = compared(gold(KEEP, automated=SEVEN), left, world([], REAL)).windows
    assert (one.policy, one.days_before, one.days_after) == ("", 7, 3)
    assert compared(gold(KEEP), gold(KEEP), world([], REAL)).windows == ()


def test_what_aws_backup_decides_is_left_alone() -> None:
    theirs = replace(REAL, aws_backup_arn="arn:aws:backup:eu-west-1:1:recovery-point:x")
    before, after = gold(KEEP, automated=FOURTEEN), gold(KEEP, automated=SEVEN)
    assert compared(before, after, world([], theirs)).windows == ()
