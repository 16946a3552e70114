"""Section 4, checks that need the inventory: they warn, and never stop a backup."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from engine.documents.model import (
    Account,
    CopyRule,
    Cron,
    Documents,
    Every,
    Schedule,
    Target,
    Window,
)
from engine.inventory.records import Instance, Key, Location, Quota, Snapshot
from engine.planning.checks import check
from engine.plans.plan import Warned
from engine.retention.keep import ALL, Keep
from tests.planning.builders import (
    DAILY,
    DEFAULT_KEY,
    KEYS,
    NOW,
    PROD,
    PROD_KEY,
    REMOTE,
    VAULT,
    VAULT_KEY,
    a_policy,
    a_snapshot,
    ago,
    an_account,
    an_estate,
    an_instance,
    daily,
    held_back,
    inventory,
    key_arn,
    plan,
    step_of,
    terms,
)
from tests.planning.judging import EVERYTHING, ORDERS, due, gold

TO_VAULT = CopyRule("local")


def found(
    docs: Documents, instance: Instance = ORDERS, *snapshots: Snapshot, **changes: Any
) -> list[Warned]:
    """What the checks say; plans say the same, and still make the point that is due."""
    world = inventory([instance], snapshots, **changes)
    warned = list(check(docs, world, NOW))
    made = plan(docs, world)
    assert [one for one in made.warnings if one in warned] == warned
    if (
        docs.policies["gold"].terms.snapshots.schedule
        == due().policies["gold"].terms.snapshots.schedule
    ):
        assert step_of(made, "create_snapshot").withheld_by is None
        assert not [step for step in held_back(made) if step.startswith(("create", "copy"))]
    return warned


def codes(warned: list[Warned]) -> list[str]:
    return [one.code.split()[0] for one in warned]


def test_all_is_well() -> None:
    assert found(due(EVERYTHING, TO_VAULT)) == []


def test_a_source_matched_by_two_policies() -> None:
    docs = due()
    rival = replace(docs.policies["gold"], name="rival")
    [warned] = found(replace(docs, policies={**docs.policies, "rival": rival}))
    assert warned == Warned(
        "E301 two-policies",
        "error",
        "policy gold and rival both select it",
        f"{PROD}/orders-1",
        "gold",
        "let one of them exclude it; until then nothing of it is deleted",
    )


def test_a_source_matched_by_none_is_not_checked() -> None:
    assert found(gold(), an_instance(tags={})) == []


def test_a_target_that_cannot_be_reached() -> None:
    [warned] = found(due(EVERYTHING, TO_VAULT), scopes={VAULT: {"keys": {}}})
    assert (warned.code, warned.severity) == ("E302 no-route", "error")
    assert warned.text == f"key alias/backups of target local does not exist in {VAULT}"


def test_more_than_twenty_accounts_shared_to() -> None:
    for count, expected in ((20, []), (21, ["E303"])):
        accounts = {f"a{n}": f"{n:012d}" for n in range(1, count + 1)}
        estate = an_estate(
            accounts={
                "prod": an_account("prod", PROD),
                **{
                    name: Account(name, number, (PROD.region,)) for name, number in accounts.items()
                },
            },
            targets={name: Target(name, name, PROD.region, VAULT_KEY) for name in accounts},
        )
        docs = replace(due(EVERYTHING, *(CopyRule(name) for name in accounts)), estate=estate)
        places = [Location(number, PROD.region) for number in accounts.values()]
        world = inventory([ORDERS], locations=[PROD, *places])
        assert codes(list(check(docs, world, NOW))) == expected


def test_copies_within_the_account_are_not_shared() -> None:
    estate = an_estate(targets={"sister": Target("sister", "prod", REMOTE.region, VAULT_KEY)})
    docs = replace(due(EVERYTHING, CopyRule("sister")), estate=estate)
    sealed = replace(ORDERS, kms_key=DEFAULT_KEY, encryption_type="sse-rds")
    world = inventory([sealed], locations=[PROD, VAULT, Location(PROD.account, REMOTE.region)])
    assert list(check(docs, world, NOW)) == []


def test_a_default_key_without_a_key_to_bridge_it() -> None:
    sealed = replace(ORDERS, kms_key=DEFAULT_KEY)
    docs = due(EVERYTHING, TO_VAULT)
    assert found(docs, sealed) == []
    accounts = {**docs.estate.accounts, "prod": an_account("prod", PROD, rekey=None)}
    [warned] = found(replace(docs, estate=replace(docs.estate, accounts=accounts)), sealed)
    assert (warned.code, warned.severity) == ("E304 default-key", "error")


def test_a_key_that_aws_owns() -> None:
    owned = replace(ORDERS, encryption_type="sse-rds")
    [warned] = found(due(EVERYTHING, TO_VAULT), owned)
    assert (warned.code, warned.severity) == ("W305 aws-owned-key", "warning")


def test_snapshots_with_tde() -> None:
    sealed = a_snapshot(ORDERS, ago(1), record={"tde": True})
    assert codes(found(due(EVERYTHING, TO_VAULT), ORDERS, sealed)) == ["E306"]
    assert codes(found(due(EVERYTHING), ORDERS, sealed)) == []


# -- windows -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("window", "overlaps"),
    [
        ("sat:04:00-sat:06:00", True),
        ("sat:05:00-sat:06:00", False),
        ("fri:23:00-sat:02:30", True),
        ("sun:02:00-sun:03:00", False),
        ("sun:03:00-sat:02:30", True),
        ("sat:02:00-sat:02:00", True),
        ("soon", False),
    ],
)
def test_a_window_that_overlaps_the_maintenance_window(window: str, overlaps: bool) -> None:
    """The newest slot is on a Saturday, from two to five."""
    instance = replace(ORDERS, maintenance_window=window)
    assert codes(found(due(), instance)) == (["W307"] if overlaps else [])


def test_a_window_in_the_night_to_monday_meets_one_that_began_on_sunday() -> None:
    docs = gold(EVERYTHING, schedule=Schedule(Every(timedelta(days=7)), Window(0, 120)))
    monday = replace(ORDERS, maintenance_window="sun:23:30-mon:00:30")
    assert codes(found(docs, monday)) == ["W307"]
    late = gold(EVERYTHING, schedule=Schedule(Every(timedelta(days=1)), Window(1380, 60)))
    over = replace(ORDERS, maintenance_window="sat:00:15-sat:00:45")
    assert codes(found(late, over)) == ["W307"]


@pytest.mark.parametrize(
    ("window", "days", "overlaps"),
    [
        ("04:00-04:30", 7, True),
        ("05:00-05:30", 7, False),
        ("23:30-02:30", 7, True),
        ("04:00-04:30", 0, False),
    ],
)
def test_a_window_that_overlaps_the_automated_backup_window(
    window: str, days: int, overlaps: bool
) -> None:
    instance = replace(ORDERS, backup_window=window, backup_retention_days=days)
    [*warned] = found(due(), instance)
    assert codes(warned) == (["W308"] if overlaps else [])
    if warned:
        assert warned[0].text == (
            f"its snapshot window overlaps its automated backup window {window} UTC"
        )


def test_without_a_window_of_its_own_a_policy_overlaps_none() -> None:
    instance = replace(ORDERS, maintenance_window="sat:00:00-sat:06:00")
    for schedule in (None, Schedule(Every(timedelta(hours=3))), Schedule(Cron("0 0 29 2 */7"))):
        assert found(gold(EVERYTHING, schedule=schedule), instance) == []


# -- keys ----------------------------------------------------------------------------------------


def test_two_keys_for_one_source_at_one_location() -> None:
    before = a_snapshot(ORDERS, ago(2), VAULT, keys=(PROD_KEY, key_arn(VAULT, "before")))
    points = [*daily(ORDERS, [2, 1]), before, a_snapshot(ORDERS, ago(1), VAULT)]
    warned = found(gold(EVERYTHING, TO_VAULT), ORDERS, *points)
    assert codes(warned) == ["W309"]
    assert "2 sequences of keys" in warned[0].text
    assert codes(found(gold(EVERYTHING, TO_VAULT), ORDERS, *points[:3])) == []


def test_a_key_that_cannot_be_used() -> None:
    disabled = {
        VAULT: {"keys": {VAULT_KEY: Key(VAULT_KEY, state="Disabled", aliases=("alias/backups",))}}
    }
    [warned] = found(due(), scopes=disabled)
    assert (warned.code, warned.severity, warned.source) == ("E311 key-unusable", "error", None)
    assert VAULT_KEY in warned.text
    signing = {VAULT_KEY: Key(VAULT_KEY, usage="SIGN_VERIFY", aliases=("alias/backups",))}
    [warned] = found(due(), scopes={VAULT: {"keys": signing}})
    assert "SIGN_VERIFY" in warned.text
    assert found(due(), scopes={VAULT: {"keys": None}}) == []
    assert found(due(), scopes={VAULT: {"keys": {}}, REMOTE: {"keys": KEYS[REMOTE]}}) == []


# -- quota ---------------------------------------------------------------------------------------


def quota(maximum: int, keep: Keep, *copies: CopyRule, **changes: Any) -> list[Warned]:
    docs = gold(keep, *copies, **changes)
    quotas = {place: Quota(0, maximum) for place in (PROD, VAULT)}
    return list(check(docs, inventory([ORDERS], quotas=quotas), NOW))


def test_schedule_and_retention_that_would_exceed_the_quota() -> None:
    assert quota(7, Keep(daily=7), schedule=DAILY) == []
    [warned] = quota(6, Keep(daily=7), schedule=DAILY)
    assert (warned.code, warned.source, warned.severity) == ("W310 quota", None, "warning")
    assert warned.text == (
        "schedules and retention will hold 7 points in prod/eu-west-1; "
        "its quota is 6 manual snapshots, full in about 6 days at the soonest"
    )


def test_a_quota_that_is_all_but_used_runs_out_within_a_day() -> None:
    quotas = {PROD: Quota(6, 6)}
    found = check(gold(Keep(daily=7), schedule=DAILY), inventory([ORDERS], quotas=quotas), NOW)
    assert [one.text.rpartition(", ")[2] for one in found] == ["full within a day"]


def test_what_is_sent_once_a_week_fills_a_quota_more_slowly() -> None:
    weekly = CopyRule("local", every=timedelta(days=7), keep=Keep(last=100))
    [warned] = quota(50, Keep(daily=7), weekly, schedule=DAILY)
    assert warned.text.endswith("full in about 340 days at the soonest")


def test_targets_have_quotas_too() -> None:
    warned = quota(20, Keep(daily=7), CopyRule("local", keep=Keep(daily=35)), schedule=DAILY)
    assert [one.text.split(";")[0] for one in warned] == [
        "schedules and retention will hold 35 points in vault/eu-west-1"
    ]


def test_of_what_is_sent_once_a_period_only_so_much_is_held() -> None:
    weekly = CopyRule("local", every=timedelta(days=7), keep=Keep(last=100))
    assert quota(60, Keep(daily=7), weekly, schedule=DAILY) == []
    [warned] = quota(50, Keep(daily=7), weekly, schedule=DAILY)
    assert "58 points" in warned.text


def test_sources_add_up_and_endless_ones_are_told() -> None:
    docs = gold(Keep(daily=7), CopyRule("local", keep=Keep()), schedule=DAILY)
    silver = a_policy("silver", terms=terms(EVERYTHING, [TO_VAULT]))
    docs = replace(docs, policies={"gold": docs.policies["gold"], "silver": silver})
    instances = [ORDERS, an_instance("users", tags={"tier": "silver"})]
    quotas = {PROD: Quota(0, 40), VAULT: Quota(0, 30)}
    warned = list(check(docs, inventory(instances, quotas=quotas), NOW))
    assert [one.text.split(";")[0] for one in warned] == [
        "schedules and retention will hold 42 points in prod/eu-west-1",
        "schedules and retention will hold 35 points and more each day in vault/eu-west-1",
    ]


def test_without_a_schedule_nothing_adds_up() -> None:
    assert quota(0, Keep(daily=7)) == []


def test_a_schedule_of_minutes_is_tried_on_a_sample() -> None:
    often = Schedule(Cron("*/15 * * * *"))
    [warned] = quota(100, Keep(last=ALL), schedule=often)
    assert "2000 points" in warned.text


def test_a_location_whose_quota_is_not_known_is_not_judged() -> None:
    assert found(gold(Keep(daily=100), schedule=DAILY)) == []
