"""What documents alone decide beyond their schemas: each trap warns, and its way out is silent."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.documents.diagnostics import Severity
from engine.documents.regions import KNOWN_REGIONS
from tests.documents.writing import ESTATE, codes, documents, load_text, policy

COPY = "  copies: [{target: local}]\n"
DAILY = "snapshots:\n  schedule: {every: 1d}\n"
KEEP = "  retention: {keep: {daily: 7}}\n"
REGIONAL = ESTATE + (
    "  far: {account: vault, region: eu-central-1, key: alias/backups}\n"
    "  near: {by_source_region: {eu-west-1: local, eu-central-1: far}}\n"
)
DEFAULT_KEEP = "defaults: {snapshots: {retention: {keep: {daily: 7, weekly: 4}}}}\n"


def told(folder: Path, *texts: str) -> list[str]:
    return codes(load_text(folder, documents(*texts)))


def of_policy(folder: Path, more: str) -> list[str]:
    return told(folder, ESTATE, policy(more))


def schedule(text: str) -> str:
    return f"snapshots:\n  schedule: {text}\n{KEEP}{COPY}"


def test_a_plain_policy_is_fine(tmp_path: Path) -> None:
    assert of_policy(tmp_path, DAILY + KEEP + COPY) == []


# -- the estate ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("alias/backups", "alias/aws/rds"), ["9:51 W235"]),
        (("alias/backups", "arn:aws:kms:eu-west-1:111111111111:key/1"), ["9:51 W231"]),
        (("alias/backups", "arn:aws:kms:eu-west-1:222222222222:key/1"), []),
        (("{regions:", "{rekey: arn:aws:kms:eu-west-1:111111111111:key/1, regions:"), ["7:3 W237"]),
        (
            ('222222222222"', '222222222222", rekey: arn:aws:kms:eu-west-1:222222222222:key/1'),
            ["7:38 W237"],
        ),
        (
            ('111111111111"', '111111111111", rekey: arn:aws:kms:eu-west-1:111111111111:key/1'),
            [],
        ),
        (("regions: [eu-west-1]}", "regions: [eu-west-1, eu-wst-1]}"), ["4:41 W236"]),
        (("regions: [eu-west-1]}", "regions: [eu-west-1, zz-north-9]}"), ["4:41 W236"]),
        (
            (
                "name: acme",
                "name: acme\nstate: {s3: {account: vault, bucket: acme, region: eu-wst-1}}",
            ),
            ["4:52 W236"],
        ),
    ],
)
def test_the_estate(tmp_path: Path, change: tuple[str, str], expected: list[str]) -> None:
    assert change[0] in ESTATE
    assert told(tmp_path, ESTATE.replace(*change), policy()) == expected


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ('{policy: "*"}', ["10:10 W230"]),
        ('{sources: "*/*/*", locations: "*/*"}', ["10:10 W230"]),
        ('{sources: "*/*/*", policy: old}', []),
        ('{locations: "vault/*"}', []),
    ],
)
def test_an_entry_of_retire_that_fits_everything(
    tmp_path: Path, entry: str, expected: list[str]
) -> None:
    assert told(tmp_path, ESTATE + f"retire: [{entry}]\n", policy()) == expected


def test_a_target_that_is_used_through_another_is_used(tmp_path: Path) -> None:
    by_region = policy().replace("target: local", "target: near")
    assert told(tmp_path, REGIONAL, by_region) == []
    assert told(tmp_path, REGIONAL, policy()) == ["10:3 W229", "11:3 W229"]


def test_a_target_that_only_an_override_uses_is_used(tmp_path: Path) -> None:
    more = 'overrides: [{select: {identifiers: ["a"]}, snapshots: {copies: [{target: local}]}}]\n'
    assert of_policy(tmp_path, more) == []


def test_without_policies_no_target_is_unused(tmp_path: Path) -> None:
    assert told(tmp_path, ESTATE) == []


# -- what is selected ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("select", "expected"),
    [
        ('accounts: ["pr*"]', []),
        ('accounts: ["dev-*"]', ["14:21 W221"]),
        ('regions: ["eu-*"]', []),
        ('regions: ["us-*"]', ["14:20 W221"]),
        ("regions: [eu-wets-1]", ["14:20 W221"]),
    ],
)
def test_conditions_that_fit_nothing(tmp_path: Path, select: str, expected: list[str]) -> None:
    text = policy().replace('identifiers: ["*"]', select)
    assert told(tmp_path, ESTATE, text) == expected


def test_a_broken_document_makes_no_name_unknown(tmp_path: Path) -> None:
    accounts = "version: 1\nkind: accounts\naccounts: {dev: [\n"
    text = policy().replace('identifiers: ["*"]', "accounts: [dev]")
    assert told(tmp_path, ESTATE, text, accounts) == ["23:1 E100"]


# -- schedules -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{every: 3h, window: "02:00-05:00"}', ["16:33 W226", "18:21 W224"]),
        ('{every: 1d, window: "02:00-02:45"}', ["16:33 W227"]),
        ('{every: 1d, window: "23:30-00:30"}', []),
        ('{cron: "0 12 * * *", window: "02:00-05:00"}', ["16:20 W228"]),
        ('{cron: "30 23 * * *", window: "23:00-01:00"}', []),
        ('{cron: "0 12 * * *"}', []),
    ],
)
def test_windows(tmp_path: Path, text: str, expected: list[str]) -> None:
    assert of_policy(tmp_path, schedule(text)) == expected


def test_a_default_window_is_told_once_and_where_it_stands(tmp_path: Path) -> None:
    estate = ESTATE + 'defaults: {snapshots: {schedule: {every: 1d, window: "02:00-02:30"}}}\n'
    more = "snapshots:\n" + KEEP + COPY
    assert told(tmp_path, estate, policy(more), policy(more, "silver")) == ["10:54 W227"]


# -- objectives ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("every", "keep", "rpo", "expected"),
    [
        ("1d", "{daily: 7}", "26h", []),
        ("1d", "{daily: 7}", "12h", ["19:19 W222"]),
        ("1w", "{weekly: 7}", "26h", ["19:19 W222"]),
        ("1h", "{last: 3}", "26h", ["17:21 W223"]),
        ("1h", "{last: 26}", "26h", []),
        ("1h", "{hourly: all}", "26h", []),
        ("1h", "{yearly: all}", "26h", []),
        ("1h", "{within: 26h}", "26h", []),
        ("1d", "{last: 1}", "26h", ["17:21 W223"]),
    ],
)
def test_rpo(tmp_path: Path, every: str, keep: str, rpo: str, expected: list[str]) -> None:
    more = (
        f"snapshots:\n  schedule: {{every: {every}}}\n  retention: {{keep: {keep}}}\n"
        f"  copies: [{{target: local, retention: {{keep: {{last: 5}}}}}}]\n"
        f"objectives: {{rpo: {rpo}}}\n"
    )
    assert of_policy(tmp_path, more) == expected


@pytest.mark.parametrize(
    "keep", ["", "  retention: {keep: {}}\n", "  retention: {keep: {daily: 0}}\n"]
)
def test_keeping_everything_for_ever_is_told(tmp_path: Path, keep: str) -> None:
    place = "17:21" if keep else "11:1"
    assert of_policy(tmp_path, DAILY + keep + COPY) == [f"{place} W232"]


def test_a_policy_without_a_schedule_may_keep_everything(tmp_path: Path) -> None:
    assert of_policy(tmp_path, "snapshots:\n" + COPY) == []


# -- copies ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("every", "copy", "expected"),
    [
        ("1h", "target: local, retention: {keep: {daily: 35}}", ["18:46 W224"]),
        ("1h", "target: local, every: 1d, retention: {keep: {daily: 35}}", []),
        ("1d", "target: local, retention: {keep: {daily: 35}}", []),
        ("1d", "target: local, retention: {keep: {weekly: 4}}", ["18:46 W224"]),
        ("1d", "target: local, every: 1w, retention: {keep: {weekly: 4}}", []),
        ("1d", "target: local, retention: {keep: {last: 1, yearly: 3}}", ["18:46 W224"]),
        ("1d", "target: local, retention: {keep: {within: 3d, monthly: 12}}", []),
        ("1d", "target: local, retention: {keep: {daily: 1}}", ["18:46 W224"]),
        ("1d", "target: local, retention: {keep: {within_weekly: 1y}}", ["18:46 W224"]),
        ("1d", "target: local, retention: {keep: {}}", []),
        ("1h", "target: local", ["18:21 W224"]),
        ("1d", "target: local, every: 12h", ["18:35 W234"]),
    ],
)
def test_copies_that_are_dropped_at_once(
    tmp_path: Path, every: str, copy: str, expected: list[str]
) -> None:
    more = f"snapshots:\n  schedule: {{every: {every}}}\n{KEEP}  copies: [{{{copy}}}]\n"
    assert of_policy(tmp_path, more) == expected


def test_a_regional_target_that_lacks_a_region_is_told(tmp_path: Path) -> None:
    estate = ESTATE + "  near: {by_source_region: {eu-west-1: local}}\n"
    text = policy().replace("target: local", "target: near")
    assert told(tmp_path, estate, text) == ["19:21 W233"]
    narrow = text.replace('identifiers: ["*"]', "regions: [eu-west-1]")
    assert told(tmp_path, estate, narrow) == []
    elsewhere = text.replace('identifiers: ["*"]', "accounts: [prod]")
    assert told(tmp_path, estate, elsewhere) == []


def test_two_targets_that_meet_in_one_region_are_two_copies(tmp_path: Path) -> None:
    text = policy().replace("[{target: local}]", "[{target: near}, {target: far}]")
    assert told(tmp_path, REGIONAL, text) == ["20:37 E211"]
    west = text.replace('identifiers: ["*"]', "regions: [eu-west-1]")
    assert told(tmp_path, REGIONAL, west) == []


# -- overrides -------------------------------------------------------------------------------------


def test_what_an_override_makes_wrong_is_told_there(tmp_path: Path) -> None:
    more = (
        f"{DAILY}{KEEP}{COPY}objectives: {{rpo: 26h}}\noverrides:\n"
        '  - select: {identifiers: ["a"]}\n'
        "    snapshots: {schedule: {every: 1w}}\n"
    )
    assert of_policy(tmp_path, more) == ["19:19 W222"]


def test_what_an_override_leaves_wrong_is_told_once(tmp_path: Path) -> None:
    more = f"{DAILY}{COPY}overrides:\n  - select: {{identifiers: ['a']}}\n    hold: x\n"
    assert of_policy(tmp_path, more) == ["11:1 W232"]


def test_an_override_that_ends_orphans_may_not_keep_some(tmp_path: Path) -> None:
    more = (
        f"{DAILY}{KEEP}{COPY}orphans: {{keep_for: 30d}}\noverrides:\n"
        "  - {select: {identifiers: ['a']}, orphans: {keep_for: null, keep_last: 3}}\n"
    )
    assert of_policy(tmp_path, more) == ["21:73 E213"]


# -- defaults --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keep", "expected"),
    [
        ("{daily: 3}", ["17:21 W225"]),
        ("{daily: 3, weekly: 0}", []),
        ("{daily: 3, weekly: 1, monthly: 1}", []),
    ],
)
def test_a_keep_that_drops_a_default_rule(tmp_path: Path, keep: str, expected: list[str]) -> None:
    more = f"snapshots:\n  schedule: {{every: 1d}}\n  retention: {{keep: {keep}}}\n{COPY}"
    lines = [f"{int(each.split(':')[0]) + 1}:{each.split(':')[1]}" for each in expected]
    assert told(tmp_path, ESTATE + DEFAULT_KEEP, policy(more)) == lines


def test_a_keep_that_is_inherited_drops_nothing(tmp_path: Path) -> None:
    assert told(tmp_path, ESTATE + DEFAULT_KEEP, policy(DAILY + COPY)) == []


def test_warnings_never_make_documents_unusable(tmp_path: Path) -> None:
    result = load_text(tmp_path, documents(ESTATE, policy(DAILY)))
    assert {each.severity for each in result.diagnostics} == {Severity.WARNING}
    assert result.documents is not None


def test_every_region_that_boto3_knows_is_known() -> None:
    import boto3

    session = boto3.session.Session()
    known = {
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("rds", partition_name=partition)
    }
    assert known <= KNOWN_REGIONS
