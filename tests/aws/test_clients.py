from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import engine
from engine.aws import kms, organizations, rds, sts
from engine.aws.clients import Clients, UnknownAccountError
from engine.aws.errors import NO_CREDENTIALS, NO_REPLY, UNREADABLE_REPLY, AwsError, Reaction
from engine.aws.roles import Purpose, role_arn
from engine.aws.sessions import session_name
from engine.inventory.records import Location
from tests.aws import scripted_aws as scripted
from tests.aws.scripted_aws import DROP, Asked, Reply, ScriptedAws

HERE = Location("111111111111", "eu-west-1")
NO_SNAPSHOTS = scripted.rds("DescribeDBSnapshots", "<DBSnapshots/>")


@dataclass(frozen=True)
class Roles:
    id: str = "111111111111"
    regions: tuple[str, ...] = ("eu-west-1",)
    role: str | None = None
    read_role: str | None = None
    external_id: str | None = None


def clients(*accounts: Roles) -> Clients:
    return Clients("acme", accounts)


@pytest.mark.parametrize(
    ("account", "reading", "changing"),
    [
        (Roles(), None, None),
        (
            Roles(role="backup-engine"),
            "arn:aws:iam::111111111111:role/backup-engine",
            "arn:aws:iam::111111111111:role/backup-engine",
        ),
        (
            Roles(role="backup-engine", read_role="backup-reader"),
            "arn:aws:iam::111111111111:role/backup-reader",
            "arn:aws:iam::111111111111:role/backup-engine",
        ),
        (Roles(read_role="r"), "arn:aws:iam::111111111111:role/r", None),
        (
            Roles(role="arn:aws:iam::111111111111:role/ops/engine"),
            "arn:aws:iam::111111111111:role/ops/engine",
            "arn:aws:iam::111111111111:role/ops/engine",
        ),
        (
            Roles(role="/ops/engine", regions=("cn-north-1",)),
            "arn:aws-cn:iam::111111111111:role/ops/engine",
            "arn:aws-cn:iam::111111111111:role/ops/engine",
        ),
    ],
)
def test_reading_takes_the_read_role_and_changing_never_does(
    account: Roles, reading: str | None, changing: str | None
) -> None:
    region = account.regions[0]
    assert role_arn(account, Purpose.READ, region) == reading
    assert role_arn(account, Purpose.CHANGE, region) == changing


@pytest.mark.parametrize(
    ("estate", "name"),
    [("acme", "engine-acme"), ("Ä b", "engine---b"), ("x" * 80, "engine-" + "x" * 57)],
)
def test_the_session_is_named_after_the_estate(estate: str, name: str) -> None:
    assert session_name(estate) == name


def test_a_role_is_assumed_once_with_its_external_id_in_the_accounts_own_region(
    aws: ScriptedAws,
) -> None:
    aws.on("AssumeRole", scripted.granted("ROLEKEY"))
    aws.on("DescribeDBSnapshots", NO_SNAPSHOTS)
    account = Roles(regions=("ap-south-2", "eu-west-1"), role="backup-engine", external_id="s3cret")
    made = clients(account)

    for region in account.regions:
        at = Location(account.id, region)
        rds.list_snapshots(made.rds(at), at)

    (assumed,) = aws.calls("AssumeRole")
    assert assumed.parameters["RoleArn"] == "arn:aws:iam::111111111111:role/backup-engine"
    assert assumed.parameters["RoleSessionName"] == "engine-acme"
    assert assumed.parameters["ExternalId"] == "s3cret"
    assert (assumed.access_key, assumed.region) == ("OWNKEY", "ap-south-2")
    listed = aws.calls("DescribeDBSnapshots")
    assert {asked.access_key for asked in listed} == {"ROLEKEY"}
    assert [asked.region for asked in listed] == ["ap-south-2", "eu-west-1"]


def only_in(region: str, answer: Reply, otherwise: Reply) -> Callable[[Asked], Reply]:
    return lambda asked: answer if asked.region == region else otherwise


DOWN = scripted.error("ServiceUnavailable", status=503)


@pytest.mark.parametrize("refusal", [DOWN, DROP, scripted.error("OptInRequired", status=403)])
def test_a_region_that_is_down_locks_nobody_out_of_the_others(
    aws: ScriptedAws, refusal: Reply
) -> None:
    aws.on("AssumeRole", only_in("eu-west-1", scripted.granted("ROLEKEY"), refusal))
    aws.on("DescribeDBSnapshots", NO_SNAPSHOTS)
    made = clients(Roles(regions=("ap-south-2", "eu-west-1"), role="backup-engine"))
    assert rds.list_snapshots(made.rds(HERE), HERE) == ()
    assert aws.calls("DescribeDBSnapshots")[0].access_key == "ROLEKEY"


def test_a_role_that_is_refused_in_one_region_is_not_asked_for_in_others(aws: ScriptedAws) -> None:
    aws.on("AssumeRole", scripted.error("AccessDenied", "not trusted", 403))
    made = clients(Roles(regions=("ap-south-2", "eu-west-1"), role="backup-engine"))
    with pytest.raises(AwsError, match="AccessDenied"):
        rds.list_snapshots(made.rds(HERE), HERE)
    assert {asked.region for asked in aws.calls("AssumeRole")} == {"ap-south-2"}


def test_an_account_that_only_holds_targets_needs_no_regions(aws: ScriptedAws) -> None:
    aws.on("AssumeRole", scripted.granted("ROLEKEY"))
    aws.on("DescribeDBSnapshots", NO_SNAPSHOTS)

    rds.list_snapshots(clients(Roles(regions=(), role="r")).rds(HERE), HERE)

    assert aws.calls("AssumeRole")[0].region == HERE.region


def test_without_a_role_the_callers_own_credentials_are_used(aws: ScriptedAws) -> None:
    aws.on("DescribeDBSnapshots", NO_SNAPSHOTS)

    rds.list_snapshots(clients(Roles()).rds(HERE), HERE)

    assert [asked.access_key for asked in aws.asked] == ["OWNKEY"]


def test_accounts_do_not_get_each_others_credentials(aws: ScriptedAws) -> None:
    aws.on(
        "AssumeRole",
        lambda asked: scripted.granted("KEY" + asked.parameters["RoleArn"].split(":")[4]),
    )
    aws.on("DescribeDBSnapshots", NO_SNAPSHOTS)
    ids = [f"{number:012d}" for number in range(1, 9)]
    made = clients(*(Roles(account, role="r") for account in ids))
    places = [Location(account, "eu-west-1") for account in ids] * 4

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda at: rds.list_snapshots(made.rds(at), at), places))

    used = sorted(asked.access_key for asked in aws.calls("DescribeDBSnapshots"))
    assert used == sorted(f"KEY{account}" for account in ids * 4)
    assert len(aws.calls("AssumeRole")) == len(ids)


def test_a_session_is_renewed_before_it_ends(aws: ScriptedAws) -> None:
    aws.on(
        "AssumeRole",
        scripted.granted("FIRST", lasts=timedelta(minutes=5)),
        scripted.granted("SECOND"),
    )
    aws.on("DescribeDBSnapshots", NO_SNAPSHOTS)
    client = clients(Roles(role="r")).rds(HERE)

    for _ in range(3):
        rds.list_snapshots(client, HERE)

    used = [asked.access_key for asked in aws.calls("DescribeDBSnapshots")]
    assert used == ["FIRST", "SECOND", "SECOND"]


def expiring(*over: str) -> scripted.Script:
    """Answer that a session is expired while it is one of `over`."""
    expired = scripted.error("ExpiredToken", "The security token is expired", 403)
    return lambda asked: expired if asked.access_key in over else NO_SNAPSHOTS


def test_a_session_that_ends_before_its_time_is_renewed_once_for_all(aws: ScriptedAws) -> None:
    aws.on("AssumeRole", scripted.granted("FIRST"), scripted.granted("SECOND"))
    aws.on("DescribeDBSnapshots", expiring())
    client = clients(Roles(role="r")).rds(HERE)
    rds.list_snapshots(client, HERE)
    aws.on("DescribeDBSnapshots", expiring("FIRST"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda at: rds.list_snapshots(client, at), [HERE] * 16))

    assert len(aws.calls("AssumeRole")) == 2
    assert aws.asked[-1].access_key == "SECOND"


def test_sessions_that_are_all_expired_are_an_error_in_the_end(aws: ScriptedAws) -> None:
    aws.on("AssumeRole", scripted.granted("FIRST"))
    aws.on("DescribeDBSnapshots", expiring("FIRST"))

    with pytest.raises(AwsError) as caught:
        rds.list_snapshots(clients(Roles(role="r")).rds(HERE), HERE)

    assert caught.value.reaction is Reaction.REFRESH_CREDENTIALS
    assert len(aws.calls("AssumeRole")) == len(aws.calls("DescribeDBSnapshots")) == 3


def test_own_credentials_that_expire_are_nobodys_to_renew(aws: ScriptedAws) -> None:
    aws.on("DescribeDBSnapshots", expiring("OWNKEY"))

    with pytest.raises(AwsError) as caught:
        rds.list_snapshots(clients(Roles()).rds(HERE), HERE)

    assert caught.value.fix == "renew the credentials"
    assert len(aws.asked) == 1


def test_a_role_that_may_not_be_assumed_is_told_as_such(aws: ScriptedAws) -> None:
    denied = "User: arn:aws:iam::9:user/ci is not authorized to perform: sts:AssumeRole"
    aws.on("AssumeRole", scripted.error("AccessDenied", denied, 403))

    with pytest.raises(AwsError) as caught:
        rds.list_snapshots(clients(Roles(role="r")).rds(HERE), HERE)

    assert caught.value.cause == f"AccessDenied on sts:AssumeRole: {denied}"
    assert not aws.calls("DescribeDBSnapshots")


def test_without_any_credentials_the_error_says_how_to_set_them(
    aws: ScriptedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    with pytest.raises(AwsError) as caught:
        rds.list_snapshots(clients(Roles()).rds(HERE), HERE)

    assert caught.value.code == NO_CREDENTIALS
    assert "AWS_ACCESS_KEY_ID" in str(caught.value)
    assert not aws.asked


def test_a_profile_that_does_not_exist_is_told_not_thrown(
    aws: ScriptedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")

    with pytest.raises(AwsError, match=NO_CREDENTIALS):
        rds.list_snapshots(clients(Roles()).rds(HERE), HERE)

    assert not aws.asked


def test_a_profile_of_the_shared_configuration_is_honoured(
    aws: ScriptedAws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shared = tmp_path / "credentials"
    shared.write_text("[ops]\naws_access_key_id = OPSKEY\naws_secret_access_key = s\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(shared))
    monkeypatch.setenv("AWS_PROFILE", "ops")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    aws.on("DescribeDBSnapshots", NO_SNAPSHOTS)

    rds.list_snapshots(clients(Roles()).rds(HERE), HERE)

    assert aws.asked[0].access_key == "OPSKEY"


def test_every_call_says_that_it_is_the_engines(aws: ScriptedAws) -> None:
    aws.on("DescribeDBSnapshots", NO_SNAPSHOTS)
    rds.list_snapshots(clients(Roles()).rds(HERE), HERE)
    assert f"engine/{engine.__version__}" in aws.asked[0].headers["user-agent"].split()


def test_an_account_outside_the_estate_is_refused() -> None:
    with pytest.raises(UnknownAccountError, match="account 999999999999 is not in the estate"):
        clients(Roles()).rds(Location("999999999999", "eu-west-1"))


def test_a_client_is_made_once_per_place_service_and_purpose() -> None:
    made = clients(Roles(role="change", read_role="read"))

    assert made.rds(HERE) is made.rds(HERE)
    others = [
        made.rds(HERE, Purpose.CHANGE),
        made.rds(Location(HERE.account, "eu-central-1")),
        made.kms(HERE),
        made.s3(HERE),
    ]
    assert all(other is not made.rds(HERE) for other in others)


def test_a_further_client_costs_milliseconds() -> None:
    made = clients(Roles(role="r"))
    made.rds(HERE)
    regions = [f"eu-west-{number}" for number in range(2, 22)]

    start = time.process_time()
    for region in regions:
        made.rds(Location(HERE.account, region))
    each = (time.process_time() - start) / len(regions)

    # A session of its own would cost 160 ms.
    assert each < 0.05


def test_throttling_is_retried(aws: ScriptedAws) -> None:
    aws.on("DescribeDBSnapshots", scripted.error("Throttling", "Rate exceeded"), NO_SNAPSHOTS)
    assert rds.list_snapshots(clients(Roles()).rds(HERE), HERE) == ()
    assert len(aws.asked) == 2


def test_throttling_that_does_not_end_is_an_error(aws: ScriptedAws) -> None:
    aws.on("DescribeDBSnapshots", scripted.error("Throttling", "Rate exceeded"))

    with pytest.raises(AwsError, match="Throttling on rds:DescribeDBSnapshots") as caught:
        rds.list_snapshots(clients(Roles()).rds(HERE), HERE)

    assert caught.value.reaction is Reaction.RETRY_SOON
    assert len(aws.asked) == 2


def test_a_dropped_connection_leaves_the_outcome_unknown(aws: ScriptedAws) -> None:
    aws.on("DeleteDBSnapshot", DROP)

    with pytest.raises(AwsError) as caught:
        rds.delete_snapshot(clients(Roles()).rds(HERE, Purpose.CHANGE), HERE, "a")

    assert (caught.value.code, caught.value.reaction) == (NO_REPLY, Reaction.OUTCOME_UNKNOWN)


@pytest.mark.parametrize("status", [200, 500])
def test_a_page_of_a_proxy_leaves_the_outcome_unknown(aws: ScriptedAws, status: int) -> None:
    page = "<!doctype html><html><title>Gateway</title>" + "x" * 5000
    aws.on("DeleteDBSnapshot", Reply(page, status, "text/html"))

    with pytest.raises(AwsError) as caught:
        rds.delete_snapshot(clients(Roles()).rds(HERE, Purpose.CHANGE), HERE, "a")

    assert caught.value.reaction is Reaction.OUTCOME_UNKNOWN
    assert len(str(caught.value)) < 600


def test_a_page_that_is_well_formed_xml_is_no_answer_either(aws: ScriptedAws) -> None:
    page = Reply("<html><body><h1>Welcome</h1></body></html>", 200, "text/html")
    for action in ("CopyDBSnapshot", "DescribeDBInstances", "AddTagsToResource"):
        aws.on(action, page)
    client = clients(Roles()).rds(HERE, Purpose.CHANGE)

    with pytest.raises(AwsError) as caught:
        rds.copy_snapshot(client, HERE, "a", origin="b", key=None, tags={})
    assert caught.value.reaction is Reaction.OUTCOME_UNKNOWN
    with pytest.raises(AwsError) as caught:
        rds.add_tags(client, HERE, "arn:aws:rds:eu-west-1:111111111111:snapshot:a", {"k": "v"})
    assert caught.value.reaction is Reaction.OUTCOME_UNKNOWN
    with pytest.raises(AwsError) as caught:
        rds.list_instances(client, HERE)
    assert caught.value.code == UNREADABLE_REPLY


def test_an_answer_of_kms_that_is_no_json_is_told(aws: ScriptedAws) -> None:
    aws.on("ListAliases", Reply("<html><body>Welcome</body></html>", 200, "text/html"))

    with pytest.raises(AwsError) as caught:
        kms.list_aliases(clients(Roles()).kms(HERE), HERE)

    assert caught.value.code == UNREADABLE_REPLY


def test_an_endpoint_that_nobody_listens_on_is_told_with_what_to_check(
    aws: ScriptedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

    with pytest.raises(AwsError) as caught:
        rds.list_snapshots(clients(Roles()).rds(HERE), HERE)

    assert "AWS_ENDPOINT_URL" in str(caught.value)
    assert caught.value.reaction is Reaction.RETRY_SOON


@pytest.mark.parametrize("url", ["nonsense", "http://", "ftp://127.0.0.1:x"])
def test_an_endpoint_that_is_no_url_is_told(
    aws: ScriptedAws, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    with pytest.raises(AwsError):
        rds.list_snapshots(clients(Roles()).rds(HERE), HERE)


def test_a_certificate_that_cannot_be_checked_is_told(
    aws: ScriptedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint.replace("http:", "https:"))
    with pytest.raises(AwsError):
        rds.list_snapshots(clients(Roles()).rds(HERE), HERE)


def test_the_caller_is_read(aws: ScriptedAws) -> None:
    aws.on("GetCallerIdentity", scripted.identity(HERE.account))
    caller = sts.read_caller(clients(Roles()).sts(HERE))
    assert caller == sts.Caller(HERE.account, f"arn:aws:sts::{HERE.account}:assumed-role/r/s")


def test_changes_send_what_they_are_told(aws: ScriptedAws) -> None:
    snapshot = "<DBSnapshot><DBSnapshotIdentifier>new</DBSnapshotIdentifier></DBSnapshot>"
    aws.on("CreateDBSnapshot", scripted.rds("CreateDBSnapshot", snapshot))
    aws.on("CopyDBSnapshot", scripted.rds("CopyDBSnapshot", snapshot))
    aws.on("ModifyDBSnapshotAttribute", scripted.rds("ModifyDBSnapshotAttribute", ""))
    aws.on("DeleteDBSnapshot", scripted.rds("DeleteDBSnapshot", snapshot))
    aws.on("AddTagsToResource", scripted.rds("AddTagsToResource", ""))
    aws.on("RemoveTagsFromResource", scripted.rds("RemoveTagsFromResource", ""))
    client = clients(Roles()).rds(HERE, Purpose.CHANGE)
    arn = "arn:aws:rds:eu-west-1:111111111111:snapshot:new"

    rds.create_snapshot(client, HERE, "new", instance="orders", tags={"a": "1"})
    rds.copy_snapshot(client, HERE, "copy", origin=arn, key="alias/k", tags={}, option_group="og")
    rds.copy_snapshot(client, HERE, "copy", origin=arn, key=None, tags={"a": "1"})
    rds.share_snapshot(client, HERE, "new", ["222222222222"])
    rds.unshare_snapshot(client, HERE, "new", ["222222222222"])
    rds.add_tags(client, HERE, arn, {"a": "1"})
    rds.remove_tags(client, HERE, arn, ["a"])
    rds.delete_snapshot(client, HERE, "new")

    sent = [
        {k: v for k, v in asked.parameters.items() if k not in {"Version"}} for asked in aws.asked
    ]
    tag = {"Tags.Tag.1.Key": "a", "Tags.Tag.1.Value": "1"}
    share = {"DBSnapshotIdentifier": "new", "AttributeName": "restore"}
    copy = {"SourceDBSnapshotIdentifier": arn, "TargetDBSnapshotIdentifier": "copy"}
    assert sent == [
        {"DBSnapshotIdentifier": "new", "DBInstanceIdentifier": "orders"} | tag,
        copy | {"KmsKeyId": "alias/k", "OptionGroupName": "og", "Tags": ""},
        copy | tag,
        share | {"ValuesToAdd.AttributeValue.1": "222222222222"},
        share | {"ValuesToRemove.AttributeValue.1": "222222222222"},
        {"ResourceName": arn} | tag,
        {"ResourceName": arn, "TagKeys.member.1": "a"},
        {"DBSnapshotIdentifier": "new"},
    ]


@pytest.mark.parametrize(
    "date",
    [
        "2026-11-20T13:00:00.000Z",
        "2026-11-20T13:00:00",
        "2026-11-20T14:00:00+01:00",
        "Fri, 20 Nov 2026 13:00:00 GMT",
        "1795179600",
    ],
)
def test_events_are_asked_for_since_a_time(aws: ScriptedAws, date: str) -> None:
    event = (
        "<Event><SourceIdentifier>orders</SourceIdentifier><Message>Multi-AZ instance failover"
        " completed.</Message><EventCategories><EventCategory>failover</EventCategory>"
        f"</EventCategories><Date>{date}</Date></Event>"
    )
    aws.on("DescribeEvents", scripted.rds("DescribeEvents", f"<Events>{event}</Events>"))

    since = datetime(2026, 11, 7, 2, tzinfo=UTC)
    (read,) = rds.list_events(clients(Roles()).rds(HERE), HERE, since)

    assert aws.asked[0].parameters["StartTime"] == "2026-11-07T02:00:00Z"
    assert (read.at, read.categories) == (datetime(2026, 11, 20, 13, tzinfo=UTC), ("failover",))


def test_one_snapshot_is_found_by_its_id_or_not_at_all(aws: ScriptedAws) -> None:
    found = "<DBSnapshot><DBSnapshotIdentifier>a</DBSnapshotIdentifier></DBSnapshot>"
    aws.on(
        "DescribeDBSnapshots",
        scripted.rds("DescribeDBSnapshots", f"<DBSnapshots>{found}</DBSnapshots>"),
        scripted.error("DBSnapshotNotFound", "a not found", 404),
        scripted.error("AccessDenied", "no", 403),
    )
    client = clients(Roles()).rds(HERE)

    read = rds.find_snapshot(client, HERE, "a")

    assert read is not None
    assert read.identifier == "a"
    assert aws.asked[0].parameters["DBSnapshotIdentifier"] == "a"
    assert rds.find_snapshot(client, HERE, "a") is None
    with pytest.raises(AwsError, match="AccessDenied"):
        rds.find_snapshot(client, HERE, "a")


def test_an_automated_snapshot_is_asked_for_by_its_type_too(aws: ScriptedAws) -> None:
    found = "<DBSnapshot><DBSnapshotIdentifier>rds:a</DBSnapshotIdentifier></DBSnapshot>"
    answer = scripted.rds("DescribeDBSnapshots", f"<DBSnapshots>{found}</DBSnapshots>")
    aws.on("DescribeDBSnapshots", answer, answer)
    client = clients(Roles()).rds(HERE)

    rds.find_snapshot(client, HERE, "rds:a")
    rds.find_snapshot(client, HERE, "a")

    assert aws.asked[0].parameters["SnapshotType"] == "automated"
    assert "SnapshotType" not in aws.asked[1].parameters


def test_what_others_share_is_listed_when_asked_for(aws: ScriptedAws) -> None:
    arn = "arn:aws:rds:eu-west-1:999999999999:snapshot:theirs"
    theirs = (
        f"<DBSnapshot><DBSnapshotIdentifier>theirs</DBSnapshotIdentifier>"
        f"<DBSnapshotArn>{arn}</DBSnapshotArn><SnapshotType>shared</SnapshotType></DBSnapshot>"
    )
    aws.on(
        "DescribeDBSnapshots",
        scripted.rds("DescribeDBSnapshots", f"<DBSnapshots>{theirs}</DBSnapshots>"),
    )

    (shared,) = rds.list_shared_snapshots(clients(Roles()).rds(HERE), HERE)

    assert (shared.arn, shared.location) == (arn, HERE)
    assert aws.asked[0].parameters["SnapshotType"] == "shared"
    assert aws.asked[0].parameters["IncludeShared"] == "true"


def test_the_accounts_a_snapshot_is_shared_with_are_read(aws: ScriptedAws) -> None:
    attribute = (
        "<DBSnapshotAttribute><AttributeName>restore</AttributeName><AttributeValues>"
        "<AttributeValue>222222222222</AttributeValue></AttributeValues></DBSnapshotAttribute>"
    )
    aws.on(
        "DescribeDBSnapshotAttributes",
        scripted.rds(
            "DescribeDBSnapshotAttributes",
            "<DBSnapshotAttributesResult><DBSnapshotIdentifier>a</DBSnapshotIdentifier>"
            f"<DBSnapshotAttributes>{attribute}</DBSnapshotAttributes>"
            "</DBSnapshotAttributesResult>",
        ),
    )
    client = clients(Roles()).rds(HERE)
    assert rds.accounts_that_may_restore(client, HERE, "a") == {"222222222222"}


def test_the_members_of_the_organization_are_listed_by_id(aws: ScriptedAws) -> None:
    def page(asked: Asked) -> Reply:
        more = '"NextToken": "2", ' if '"NextToken"' not in str(asked.parameters) else ""
        status = "ACTIVE" if more else "SUSPENDED"
        number = "2" * 12 if more else "1" * 12
        text = f'{{{more}"Accounts": [{{"Id": "{number}", "Name": "n", "Status": "{status}"}}]}}'
        return Reply(text, 200, "application/x-amz-json-1.1")

    aws.on("ListAccounts", page)

    assert organizations.list_members(clients().organizations()) == (
        organizations.Member("111111111111", "n", is_active=False),
        organizations.Member("222222222222", "n", is_active=True),
    )


def test_the_environment_decides_how_often_calls_are_tried(
    aws: ScriptedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    aws.on("DescribeDBSnapshots", scripted.error("Throttling", "Rate exceeded"))
    with pytest.raises(AwsError):
        rds.list_snapshots(clients(Roles()).rds(HERE), HERE)
    assert len(aws.asked) == 1


def test_reading_is_tried_more_often_than_changing(
    aws: ScriptedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_MAX_ATTEMPTS")
    made = clients(Roles())
    configs: dict[Purpose, Any] = {each: made.rds(HERE, each).meta.config for each in Purpose}
    retries = {purpose: config.retries for purpose, config in configs.items()}
    assert retries[Purpose.READ] == {"mode": "standard", "total_max_attempts": 8}
    assert retries[Purpose.CHANGE] == {"mode": "standard", "total_max_attempts": 2}
