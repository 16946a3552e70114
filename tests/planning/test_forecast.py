"""Stage 6: what AWS will store, and who says so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from engine.documents.model import CopyRule, Target
from engine.identity.marks import Role
from engine.identity.names import snapshot_arn
from engine.inventory.records import Inventory, Key, Location, Snapshot, SnapshotType
from engine.planning.draft import Planned
from engine.planning.forecasting import RULES, Confidence, forecast_of
from engine.planning.survey import Source, survey
from engine.plans.codes import Verdict
from engine.plans.plan import Forecast, Plan
from engine.retention.keep import Keep
from tests.planning.builders import (
    DEFAULT_KEY,
    KEYS,
    NOW,
    PROD,
    PROD_KEY,
    REKEY,
    REMOTE,
    VAULT,
    VAULT_KEY,
    a_foreign_snapshot,
    a_policy,
    a_snapshot,
    ago,
    an_estate,
    daily,
    documents,
    failed_over,
    inventory,
    key_arn,
    marks,
    plan,
    step_of,
    terms,
)
from tests.planning.judging import EVERYTHING, ORDERS, OTHER, due

SISTER = Location(PROD.account, "eu-central-1")
SISTER_KEY = key_arn(SISTER, "backups")
OLD_KEY = key_arn(VAULT, "before")
KEPT = due(EVERYTHING, CopyRule("local", keep=EVERYTHING))


def forecast(found: Plan, action: str, location: Location | None = None) -> tuple[str, str]:
    """The verdict on the one step with this action, and its rule."""
    said = step_of(found, action, location).forecast
    assert said is not None
    return said.verdict.value, said.rule


def of_create(*snapshots: Snapshot, instance: Any = ORDERS) -> tuple[str, str]:
    return forecast(plan(KEPT, inventory([instance], snapshots)), "create_snapshot")


def of_copy(*snapshots: Snapshot, **changes: Any) -> tuple[str, str]:
    return forecast(plan(KEPT, inventory([ORDERS], snapshots, **changes)), "copy_snapshot", VAULT)


# -- rules are data ------------------------------------------------------------------------------


def test_rules_are_data_with_id_condition_verdict_source_text_and_confidence() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert callable(rule.applies)
        assert rule.verdict in Verdict
        assert rule.because
        assert rule.source.startswith(("RDS User Guide", "Aurora User Guide", "AWS Database"))
        assert rule.confidence in Confidence


def test_only_what_no_text_contradicts_is_called_certain() -> None:
    for rule in RULES:
        certain = rule.verdict in {Verdict.FULL, Verdict.INCREMENTAL}
        assert certain is (rule.confidence is Confidence.AGREED), rule.id


def test_a_forecast_says_why_and_how_large_it_can_be() -> None:
    found = plan(KEPT, inventory([ORDERS]))
    assert step_of(found, "create_snapshot").forecast == Forecast(
        Verdict.FULL,
        "first_in_chain",
        "no snapshot of this database from euw1-az2 yet",
        (0, 100),
    )
    copy = step_of(found, "copy_snapshot").forecast
    assert copy is not None
    assert copy.because == (f"no copy of this database from euw1-az2 under this key in {VAULT} yet")


# -- primaries -----------------------------------------------------------------------------------


def test_the_first_snapshot_of_a_database_is_full() -> None:
    assert of_create() == ("full", "first_in_chain")


def test_the_next_one_of_the_same_zone_is_incremental() -> None:
    assert of_create(a_snapshot(ORDERS, ago(1))) == ("incremental", "base_in_chain")


def test_after_a_failover_the_first_one_of_the_other_zone_is_full() -> None:
    before = a_snapshot(ORDERS, ago(1))
    assert of_create(before, instance=failed_over(ORDERS)) == ("full", "first_in_chain")


def test_after_a_failback_the_base_that_was_kept_is_used() -> None:
    old, since = a_snapshot(ORDERS, ago(9)), a_snapshot(ORDERS, ago(1), zone=OTHER)
    assert of_create(old, since) == ("incremental", "base_in_chain")


def test_a_restored_database_starts_anew() -> None:
    restored = replace(ORDERS, resource_id="db-RESTORED")
    assert of_create(a_snapshot(ORDERS, ago(1)), instance=restored) == ("full", "first_in_chain")


def test_an_object_that_is_not_available_is_no_predecessor() -> None:
    failed = a_snapshot(ORDERS, ago(1), status="failed")
    assert of_create(failed) == ("full", "first_in_chain")


def test_a_base_whose_zone_nobody_confirmed_makes_it_likely() -> None:
    elsewhere = {"availability_zone": "eu-west-1c"}
    unsure = a_snapshot(ORDERS, ago(1), zone_checked=False, record=elsewhere)
    assert of_create(unsure) == ("likely_incremental", "base_unchecked")


def test_a_primary_after_automated_snapshots_of_its_zone_only_is_likely_incremental() -> None:
    automated = a_foreign_snapshot(ORDERS, ago(1), type=SnapshotType.AUTOMATED)
    assert of_create(automated) == ("likely_incremental", "automated_predecessor")
    own = a_snapshot(ORDERS, ago(2))
    assert of_create(automated, own) == ("incremental", "base_in_chain")


@pytest.mark.parametrize(
    "changes", [{"availability_zone": "eu-west-1b"}, {"status": "creating"}], ids=str
)
def test_automated_snapshots_of_another_zone_or_unfinished_ones_are_none(
    changes: dict[str, str],
) -> None:
    automated = a_foreign_snapshot(ORDERS, ago(1), **changes)
    assert of_create(automated) == ("full", "first_in_chain")


def test_after_snapshots_whose_zone_nobody_recorded_nothing_is_known() -> None:
    nowhere = a_foreign_snapshot(ORDERS, ago(1), availability_zone=None)
    assert of_create(nowhere) == ("unknown", "unplaced_predecessor")


def test_after_a_point_whose_zone_could_not_be_confirmed_nothing_is_known() -> None:
    lost: dict[str, Any] = {"zone": "unknown", "zone_checked": False}
    before, its_copy = a_snapshot(ORDERS, ago(1), **lost), a_snapshot(ORDERS, ago(1), VAULT, **lost)
    assert of_create(before) == ("unknown", "uncertain_predecessor")
    today = a_snapshot(ORDERS, ago(0))
    assert of_copy(a_snapshot(ORDERS, ago(2)), before, its_copy, today) == (
        "unknown",
        "uncertain_predecessor",
    )


def test_without_a_zone_nothing_is_known() -> None:
    nowhere = replace(ORDERS, secondary_zone=None)
    assert of_create(instance=nowhere) == ("unknown", "zone_unknown")


# -- copies --------------------------------------------------------------------------------------


def history(*days: int, **changes: Any) -> list[Snapshot]:
    """Primaries and their copies, both of them increments but for the first."""
    return [*daily(ORDERS, days, **changes), *daily(ORDERS, days, VAULT, **changes)]


def test_the_first_copy_to_a_place_is_full() -> None:
    assert of_copy(*daily(ORDERS, [2, 1])) == ("full", "first_in_chain")


def test_a_copy_whose_base_is_there_is_incremental() -> None:
    assert of_copy(*history(2, 1)) == ("incremental", "base_in_chain")


def test_a_copy_under_another_key_is_full() -> None:
    before = daily(ORDERS, [2, 1], VAULT, keys=(PROD_KEY, OLD_KEY))
    assert of_copy(*daily(ORDERS, [2, 1]), *before) == ("full", "first_in_chain")


def test_a_copy_of_a_full_snapshot_is_full() -> None:
    found = plan(KEPT, inventory([ORDERS], [a_snapshot(ORDERS, ago(9), VAULT)]))
    assert forecast(found, "create_snapshot") == ("full", "first_in_chain")
    assert forecast(found, "copy_snapshot") == ("full", "origin_full")


def test_a_copy_of_something_that_nothing_precedes_is_likely_incremental() -> None:
    """Its base may have gone since it was made."""
    found = (a_snapshot(ORDERS, ago(0)), a_snapshot(ORDERS, ago(1), VAULT))
    assert of_copy(*found) == ("likely_incremental", "origin_unknown")


def test_a_copy_of_a_likely_increment_is_no_more_than_likely() -> None:
    automated = a_foreign_snapshot(ORDERS, ago(1), type=SnapshotType.AUTOMATED)
    found = of_copy(automated, a_snapshot(ORDERS, ago(9), VAULT))
    assert found == ("likely_incremental", "origin_likely")


def test_a_cross_account_copy_is_likely_where_the_account_has_another_key_in_any_region() -> None:
    elsewhere = a_snapshot(ORDERS, ago(1), REMOTE)
    assert of_copy(*history(2, 1), elsewhere) == ("likely_incremental", "other_key_in_account")
    before = a_snapshot(ORDERS, ago(3), VAULT, keys=(PROD_KEY, OLD_KEY))
    assert of_copy(*history(2, 1), before) == ("likely_incremental", "other_key_in_account")


def test_copies_of_another_database_do_not_count() -> None:
    other = a_snapshot(ORDERS, ago(3), VAULT, keys=(PROD_KEY, OLD_KEY), volume="db-REPLICA")
    assert of_copy(*history(2, 1), other) == ("incremental", "base_in_chain")


def test_a_cross_account_copy_is_likely_when_the_zone_changed_since_the_last() -> None:
    found = history(9, 8), history(1, zone=OTHER)
    assert of_copy(*found[0], *found[1]) == ("likely_incremental", "zone_changed")


def test_the_last_copy_is_the_one_made_last_as_much_as_the_one_of_the_newest_data() -> None:
    late = a_snapshot(ORDERS, ago(5), VAULT, zone=OTHER, made_at=ago(0))
    assert of_copy(*history(2, 1), late) == ("likely_incremental", "zone_changed")


def to_sister(*snapshots: Snapshot) -> tuple[str, str]:
    """A copy to another region of the same account."""
    estate = an_estate(targets={"sister": Target("sister", "prod", SISTER.region, "alias/b")})
    docs = replace(due(EVERYTHING, CopyRule("sister")), estate=estate)
    keys = {SISTER: {"keys": {SISTER_KEY: Key(SISTER_KEY, aliases=("alias/b",))}}}
    places = (PROD, VAULT, SISTER)
    found = inventory([ORDERS], snapshots, scopes=keys, locations=places)
    return forecast(plan(docs, found), "copy_snapshot", SISTER)


def at_sister(days: list[int], **changes: Any) -> list[Snapshot]:
    return daily(ORDERS, days, SISTER, **({"keys": (PROD_KEY, SISTER_KEY)} | changes))


def test_a_copy_within_an_account_is_likely_too_when_the_zone_changed_since_the_last() -> None:
    """The guide knows failovers across accounts only, but goes by the most recent copy anywhere."""
    primaries = [*daily(ORDERS, [9, 8]), *daily(ORDERS, [1], zone=OTHER)]
    copies = [*at_sister([9, 8]), *at_sister([1], zone=OTHER)]
    assert to_sister(*primaries, *copies) == ("likely_incremental", "zone_changed")


def test_within_an_account_other_keys_of_the_region_make_it_likely() -> None:
    before = at_sister([3], keys=(PROD_KEY, key_arn(SISTER, "before")))
    found = to_sister(*daily(ORDERS, [2, 1]), *before, *at_sister([2, 1]))
    assert found == ("likely_incremental", "other_key_in_account")


def test_within_an_account_other_keys_of_other_regions_do_not_matter() -> None:
    elsewhere = a_snapshot(ORDERS, ago(1), VAULT)
    found = to_sister(*daily(ORDERS, [2, 1]), elsewhere, *at_sister([2, 1]))
    assert found == ("incremental", "base_in_chain")


def test_where_the_newest_copy_is_of_another_chain_of_the_zone_it_is_likely() -> None:
    """A copy of a replica's snapshot: the same zone, another volume."""
    newest = at_sister([1], volume="db-REPLICA")
    found = to_sister(*daily(ORDERS, [3, 2]), *at_sister([3, 2]), *newest)
    assert found == ("likely_incremental", "newest_in_other_chain")


def test_encrypting_an_unencrypted_source_is_full() -> None:
    bare = replace(ORDERS, encrypted=False, kms_key=None)
    before = [
        *daily(bare, [2, 1], keys=(None,)),
        *daily(bare, [2, 1], VAULT, keys=(None, VAULT_KEY)),
    ]
    found = plan(KEPT, inventory([bare], before))
    assert forecast(found, "create_snapshot") == ("incremental", "base_in_chain")
    assert forecast(found, "copy_snapshot") == ("full", "encrypts_unencrypted")


def test_under_a_key_that_could_not_be_resolved_nothing_is_known() -> None:
    assert of_copy(*history(2, 1), scopes={VAULT: {"keys": None}}) == ("unknown", "key_unknown")


def test_planned_objects_count_as_predecessors_of_later_ones() -> None:
    """The bridge and the copy are judged by the snapshot and the bridge that this plan makes."""
    sealed = replace(ORDERS, kms_key=DEFAULT_KEY)
    way = (DEFAULT_KEY, REKEY, VAULT_KEY)
    before = [
        *daily(sealed, [2, 1], keys=(DEFAULT_KEY,)),
        a_snapshot(sealed, ago(1), role=Role.BRIDGE),
        *daily(sealed, [2, 1], VAULT, keys=way),
    ]
    found = plan(KEPT, inventory([sealed], before))
    assert forecast(found, "create_snapshot") == ("incremental", "base_in_chain")
    assert forecast(found, "copy_snapshot", PROD) == ("incremental", "base_in_chain")
    assert forecast(found, "copy_snapshot", VAULT) == ("incremental", "base_in_chain")
    without = plan(KEPT, inventory([sealed], before[2:]))
    assert forecast(without, "copy_snapshot", PROD) == ("full", "origin_full")
    assert forecast(without, "copy_snapshot", VAULT) == ("full", "origin_full")


# -- the user guide's table: one region, one account, four keys ----------------------------------

K1, K2, K3, K4 = (key_arn(PROD, f"k{number}") for number in range(1, 5))
TABLE = [
    ("S1", None, K1, "full"),
    ("S2", None, K1, "incremental"),
    ("S3", None, K1, "incremental"),
    ("S4", None, K1, "incremental"),
    ("S1C", "S1", K2, "full"),
    ("S2C", "S2", K3, "full"),
    ("S3C", "S3", K3, "incremental"),
    ("S4C", "S4", K3, "incremental"),
    ("S4C2", "S4", K4, "full"),
]


def told(table: Iterable[tuple[str, str | None, str, str]], gone: str = "") -> dict[str, str]:
    """The forecasts for a table, made one after the other; `gone` is deleted once it is made."""
    source = nothing_yet()
    made: dict[str, Planned] = {}
    verdicts: dict[str, Verdict] = {}
    for name, origin, key, _ in table:
        new = to_be(name, None if origin is None else made[origin], key)
        before = [one for other, one in made.items() if other != gone]
        verdicts[new.arn] = forecast_of(source, new, list(before), verdicts).verdict
        made[name] = new
    return {name: verdicts[one.arn].value for name, one in made.items()}


def nothing_yet() -> Source:
    _, [source] = survey(KEPT, inventory([ORDERS]), NOW)
    return source


def to_be(name: str, origin: Planned | None, key: str) -> Planned:
    slot = ago(10 - int(name[1]))
    keys = (key,) if origin is None else (K1, key)
    role = Role.PRIMARY if origin is None else Role.COPY
    found = replace(
        marks(ORDERS, slot, role=role, keys=keys), origin=None if origin is None else origin.arn
    )
    arn = snapshot_arn(ORDERS.arn, PROD, name.lower())
    return Planned(f"copy:{name}", arn, name.lower(), PROD, found, slot, key, 100)


def test_the_table_of_the_user_guide() -> None:
    assert told(TABLE) == {name: verdict for name, _, _, verdict in TABLE}


@pytest.mark.parametrize(("gone", "full"), [("S1", "S2"), ("S2C", "S3C")])
def test_it_is_incremental_only_if_the_previous_one_still_exists(gone: str, full: str) -> None:
    found = told([row for row in TABLE if row[0] not in {"S1C"}], gone)
    assert found[full] == "full"


def test_keys_have_names_in_the_table_only() -> None:
    assert not {K1, K2, K3, K4} & set(KEYS[PROD])


# -- the blog's week: Multi-AZ, failover on day 3, back on day 5 ---------------------------------


def found_by(instance: Any, have: list[Snapshot]) -> Inventory:
    return inventory([instance], have)


def a_week(keep: Keep, *, forgetful: bool = False) -> dict[str, list[str]]:
    """The forecasts of seven days; what was made is there the next day, what was deleted is not.

    The forgetful engine has no protections: what only they keep is gone the next day.
    """
    docs = documents(a_policy(terms=terms(keep, [CopyRule("local", keep=keep)])))
    instance, have = ORDERS, list[Snapshot]()
    told: dict[str, list[str]] = {"create_snapshot": [], "copy_snapshot": []}
    for day in range(1, 8):
        if day in {3, 5}:
            instance = failed_over(instance)
        now = NOW + timedelta(days=day)
        made = plan(docs, found_by(instance, have), now)
        assert not made.findings
        for action, verdicts in told.items():
            verdicts.append(forecast(made, action)[0])
        have = after(made, instance, have, now)
        settled = plan(docs, found_by(instance, have), now)
        assert not settled.has_changes
        if forgetful:
            have = [s for s in have if not only_protected(settled, s)]
    return told


def after(made: Plan, instance: Any, have: list[Snapshot], now: datetime) -> list[Snapshot]:
    """What is there once every step is done."""
    found = {snapshot.arn: snapshot for snapshot in have}
    for step in made.steps:
        at = Location(step.location.account, step.location.region)
        if step.action.value == "delete_snapshot":
            del found[step.arn]
        elif step.action.value in {"create_snapshot", "copy_snapshot"}:
            assert step.slot is not None
            copied = found.get(step.parameters.get("SourceDBSnapshotIdentifier", ""))
            zone = step.parameters["Tags"]["engine:az"]
            like = a_snapshot(instance, step.slot, at, zone=zone, made_at=now)
            taken = now if copied is None else copied.original_created_at
            assert like.arn == step.arn
            found[step.arn] = replace(like, original_created_at=taken)
    return list(found.values())


def only_protected(found: Plan, snapshot: Snapshot) -> bool:
    codes = {r.code for one in found.kept if one.arn == snapshot.arn for r in one.reasons}
    return codes == {"chain_base"}


def as_in_the_blog(verdicts: list[str]) -> list[str]:
    return ["full" if verdict == "full" else "incremental" for verdict in verdicts]


WEEK = ["full", "incremental", "full", "incremental", "incremental", "incremental", "incremental"]


@pytest.mark.parametrize("keep", [Keep(daily=35), Keep(last=2), Keep(last=1)], ids=str)
def test_the_week_of_the_blog(keep: Keep) -> None:
    """With short retention it is protection alone that keeps the base of the other zone."""
    told = a_week(keep)
    assert as_in_the_blog(told["create_snapshot"]) == WEEK
    assert as_in_the_blog(told["copy_snapshot"]) == WEEK


def test_in_that_week_only_the_copy_after_the_failback_is_disputed() -> None:
    told = a_week(Keep(last=2))
    assert told["create_snapshot"] == WEEK
    disputed = [day for day, verdict in enumerate(told["copy_snapshot"], 1) if "likely" in verdict]
    assert disputed == [5]


def test_without_protection_the_failback_costs_another_full() -> None:
    told = a_week(Keep(last=1), forgetful=True)
    assert told["create_snapshot"][4] == told["copy_snapshot"][4] == "full"
