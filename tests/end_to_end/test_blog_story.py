"""Daily points and re-encrypted copies of a Multi-AZ database through a failover and a failback.

The story, and what is full in it, are those of the AWS Database Blog, Optimize Amazon RDS Multi-AZ
backups with incremental snapshots.
"""

from __future__ import annotations

import pytest

from engine.lab.estates import IRELAND, PROD, VAULT
from engine.lab.seeds import InstanceSeed
from tests.end_to_end.estates import estate_of
from tests.end_to_end.forecasts import wrong
from tests.end_to_end.harness import working_folder
from tests.end_to_end.story import (
    DATABASE_NAME,
    DAYS,
    DOCUMENTS,
    FIRST_NIGHT,
    FOLLOWED,
    MULTI_AZ,
    REPLICA,
    SPEED,
    Story,
    full_on,
)
from tests.forking.labs import ForkedLab

KEEP_ALL, NAIVE = "{daily: 14}", "{last: 2}"


def told(folder: pytest.TempPathFactory, keep: str, source: str, *databases: InstanceSeed) -> Story:
    """Play the story with a retention, from a source."""
    documents = DOCUMENTS.format(source=source, keep=keep)
    work = working_folder(folder.mktemp("story"), documents)
    with ForkedLab.start(estate_of(*databases), speed=SPEED, at=FIRST_NIGHT) as lab:
        lab.client.change_settings(automated_backups=False)
        return Story.in_lab(lab, work).play()


@pytest.fixture(scope="module")
def roomy(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """The story with a retention that keeps every point."""
    return told(tmp_path_factory, KEEP_ALL, "instance", MULTI_AZ)


@pytest.fixture(scope="module")
def naive(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """The story with a retention that knows nothing of zones."""
    return told(tmp_path_factory, NAIVE, "instance", MULTI_AZ)


@pytest.fixture(scope="module")
def of_replica(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """The story with the naive retention, but from a replica that stays in its zone."""
    source = '{replica: "*-backup", availability_zone: eu-west-1c, fallback: none}'
    return told(tmp_path_factory, NAIVE, source, FOLLOWED, REPLICA)


@pytest.fixture(params=["roomy", "naive"])
def story(request: pytest.FixtureRequest) -> Story:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Story)
    return found


@pytest.mark.parametrize("account", [PROD, VAULT])
def test_the_first_point_and_the_one_after_the_failover_are_full(
    story: Story, account: str
) -> None:
    assert story.stored(account, "blog") == full_on(1, 3)


def test_the_guide_calls_one_more_copy_full(story: Story) -> None:
    assert story.stored(PROD, "documentation") == full_on(1, 3)
    assert story.stored(VAULT, "documentation") == full_on(1, 3, 5)


def test_plans_foretell_what_is_full_and_what_the_texts_dispute(story: Story) -> None:
    assert story.forecast(PROD) == full_on(1, 3)
    assert story.forecast(VAULT) == full_on(1, 3) | {5: "likely_incremental"}
    assert wrong(story.forecasts, story.truth.values()) == []


@pytest.mark.parametrize("account", [PROD, VAULT])
def test_the_failback_builds_on_the_last_point_before_the_failover(
    story: Story, account: str
) -> None:
    bases = {day: story.base(day, account) for day in DAYS}
    arns = {day: story.arn(day, account) for day in DAYS}
    before = {2: 1, 4: 3, 5: 2, 6: 5, 7: 6}
    assert bases == {1: None, 3: None} | {day: arns[last] for day, last in before.items()}


@pytest.mark.parametrize("account", [PROD, VAULT])
def test_protection_alone_keeps_the_base_that_a_naive_retention_drops(
    naive: Story, account: str
) -> None:
    base = naive.arn(2, account)
    assert naive.why_kept(4, base) == {"chain_base"}
    went = {day: deleted(naive, day) for day in DAYS}
    assert naive.arn(1, account) in went[3]
    assert [day for day in DAYS if base in went[day]] == [5]


@pytest.mark.parametrize("account", [PROD, VAULT])
def test_the_other_zones_base_outlives_the_failback(naive: Story, account: str) -> None:
    last_there = naive.arn(4, account)
    assert naive.why_kept(7, last_there) == {"chain_base"}
    left = {arn for arn, entry in naive.truth.items() if entry["exists"]}
    here = {arn for arn in left if f":{account}:" in arn}
    assert here == {last_there, naive.arn(6, account), naive.arn(7, account)}


def test_the_aws_cli_shows_the_zones_and_the_keys_of_every_point(roomy: Story) -> None:
    for account in (PROD, VAULT):
        shown = roomy.listings[account]
        by_arn = {one["DBSnapshotArn"]: one for one in shown}
        assert set(by_arn) == {roomy.arn(day, account) for day in DAYS}
        keys = {one["KmsKeyId"].split(":")[4] for one in shown}
        assert keys == {account}
        zones = [tag(by_arn[roomy.arn(day, account)], "engine:az") for day in DAYS]
        there, other = zones[0], zones[2]
        assert there != other
        assert zones == [there, there, other, other, there, there, there]


@pytest.mark.parametrize("account", [PROD, VAULT])
def test_with_a_replica_as_the_source_no_failover_costs_anything(
    of_replica: Story, account: str
) -> None:
    assert of_replica.stored(account, "blog") == full_on(1)
    assert of_replica.stored(account, "documentation") == full_on(1)
    assert of_replica.forecast(account) == full_on(1)


@pytest.mark.parametrize("account", [PROD, VAULT])
def test_points_of_a_replica_are_its_databases_as_the_aws_cli_shows(
    of_replica: Story, account: str
) -> None:
    shown = of_replica.listings[account]
    arns = {of_replica.arn(day, account) for day in (6, 7)}
    assert {one["DBSnapshotArn"] for one in shown} == arns
    assert {one["DBInstanceIdentifier"] for one in shown} == {REPLICA.identifier}
    (volume,) = {tag(one, "engine:volume") for one in shown}
    assert {one["DbiResourceId"] for one in shown} == {volume}
    assert volume not in {tag(one, "engine:resource") for one in shown}
    protected = f"arn:aws:rds:{IRELAND}:{PROD}:db:{DATABASE_NAME}"
    assert {tag(one, "engine:source") for one in shown} == {protected}


def tag(shown: dict[str, list[dict[str, str]]], key: str) -> str:
    (value,) = (one["Value"] for one in shown["TagList"] if one["Key"] == key)
    return value


def deleted(story: Story, day: int) -> set[str]:
    steps = story.plans[day]["steps"]
    return {step["arn"] for step in steps if step["action"] == "delete_snapshot"}
