"""Roles and keys allow what the documents need, and nothing beside it."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from engine.documents.load import load_or_raise
from engine.documents.model import (
    AutomatedTerms,
    Documents,
    FailBack,
    Failover,
    Override,
    Replicating,
    Replication,
    ShareRule,
    Target,
)
from engine.permissions.estate import AccountPermissions, EstatePermissions, permissions_of
from engine.permissions.operations import GRANT, OPERATIONS, USE_OF_KEYS, User
from engine.permissions.roles import StateBucket
from engine.permissions.statements import INLINE_LIMIT, MANAGED_LIMIT, Policy
from tests.permissions.reading import PolicyDocument, actions, allows, documents, statements

PROD, VAULT = "111111111111", "222222222222"
REPOSITORY = Path(__file__).parents[2]
SNAPSHOT = f"arn:aws:rds:eu-west-1:{PROD}:snapshot:orders"
OURS = {"aws:ResourceTag/engine:estate": "acme"}


@dataclass(frozen=True)
class Bucket:
    account: str = "vault"
    bucket: str = "acme-backup-engine"
    region: str = "eu-west-1"
    prefix: str = "state"


def found(documents: Documents, state: StateBucket | None = None) -> EstatePermissions:
    return permissions_of(documents, None, state)


def of(permissions: EstatePermissions, account: str) -> AccountPermissions:
    return next(one for one in permissions.accounts if one.account.id == account)


def role(permissions: EstatePermissions, account: str) -> Policy:
    policy = of(permissions, account).role
    assert policy is not None
    return policy


def reader(permissions: EstatePermissions, account: str) -> Policy:
    policy = of(permissions, account).read_role
    assert policy is not None
    return policy


def test_only_snapshots_of_the_estate_are_deleted_shared_and_tagged(tmp_path: Path) -> None:
    policy = role(found(documents(tmp_path)), PROD).document()
    for action in ("DeleteDBSnapshot", "ModifyDBSnapshotAttribute", "RemoveTagsFromResource"):
        assert allows(policy, f"rds:{action}", SNAPSHOT, OURS)
        assert not allows(policy, f"rds:{action}", SNAPSHOT)
        other = {"aws:ResourceTag/engine:estate": "other"}
        assert not allows(policy, f"rds:{action}", SNAPSHOT, other)


def test_nothing_is_made_without_the_estates_tag(tmp_path: Path) -> None:
    permissions = found(documents(tmp_path))
    tagged = {"aws:RequestTag/engine:estate": "acme"}
    for account, action in ((PROD, "rds:CreateDBSnapshot"), (VAULT, "rds:CopyDBSnapshot")):
        policy = role(permissions, account).document()
        resource = f"arn:aws:rds:eu-west-1:{account}:snapshot:orders"
        assert allows(policy, action, resource, tagged)
        assert not allows(policy, action, resource)


@pytest.mark.parametrize(
    "more",
    [
        "  from: automated\n",
        "overrides:\n- {select: {identifiers: [a]}, snapshots: {from: automated}}\n",
    ],
    ids=["policy", "override"],
)
def test_points_copied_from_automated_snapshots_need_copies_and_keys_at_home(
    tmp_path: Path, more: str
) -> None:
    tagged = {"aws:RequestTag/engine:estate": "acme"}
    automated = f"arn:aws:rds:eu-west-1:{PROD}:snapshot:rds:orders-2026-11-20-22-00"
    key = f"arn:aws:kms:eu-west-1:{PROD}:key/orders"
    permissions = found(documents(tmp_path, more=more))
    policy = role(permissions, PROD).document()
    assert allows(policy, "rds:CopyDBSnapshot", automated, tagged)
    assert allows(policy, "rds:CopyDBSnapshot", SNAPSHOT, tagged)
    assert all(allows(policy, action, key) for action in USE_OF_KEYS)
    without = role(found(documents(tmp_path)), PROD).document()
    assert not allows(without, "rds:CopyDBSnapshot", automated, tagged)
    assert not any(allows(without, action, key) for action in USE_OF_KEYS)


def test_a_copy_may_name_its_origin_and_nobody_elses(tmp_path: Path) -> None:
    policy = role(found(documents(tmp_path)), VAULT).document()
    tagged = {"aws:RequestTag/engine:estate": "acme"}
    assert allows(policy, "rds:CopyDBSnapshot", SNAPSHOT, tagged)
    foreign = SNAPSHOT.replace(PROD, "999999999999")
    assert not allows(policy, "rds:CopyDBSnapshot", foreign, tagged)


def test_other_regions_and_accounts_are_out_of_reach(tmp_path: Path) -> None:
    policy = role(found(documents(tmp_path)), PROD).document()
    for elsewhere in (SNAPSHOT.replace("eu-west-1", "us-east-1"), SNAPSHOT.replace(PROD, VAULT)):
        assert not allows(policy, "rds:DeleteDBSnapshot", elsewhere, OURS)


def test_the_reading_role_only_describes_and_lists(tmp_path: Path) -> None:
    for one in found(documents(tmp_path)).accounts:
        assert one.read_role is not None
        allowed = actions(one.read_role.document())
        assert allowed
        verbs = {action.partition(":")[2] for action in allowed}
        assert all(verb.startswith(("Describe", "List", "Get")) for verb in verbs)


def test_without_a_reading_role_the_role_reads(tmp_path: Path) -> None:
    permissions = found(documents(tmp_path, prod="read_role: null"))
    assert of(permissions, PROD).read_role is None
    assert "rds:DescribeDBSnapshots" in actions(role(permissions, PROD).document())
    assert "rds:DescribeDBSnapshots" not in actions(role(permissions, VAULT).document())


def test_an_account_that_makes_no_copies_uses_no_keys(tmp_path: Path) -> None:
    allowed = actions(role(found(documents(tmp_path)), PROD).document())
    assert "rds:CopyDBSnapshot" not in allowed
    assert not {action for action in allowed if action.startswith("kms:")}


def test_an_account_without_copies_shares_nothing(tmp_path: Path) -> None:
    permissions = found(documents(tmp_path, copies=""))
    assert "rds:ModifyDBSnapshotAttribute" not in actions(role(permissions, PROD).document())
    assert of(permissions, PROD).keys == {}


def test_an_account_that_bridges_copies_under_its_own_key(tmp_path: Path) -> None:
    permissions = found(documents(tmp_path, prod="rekey: alias/share"))
    policy = role(permissions, PROD).document()
    key = f"arn:aws:kms:eu-west-1:{PROD}:key/k"
    assert allows(policy, "kms:Encrypt", key, {"kms:ResourceAliases": "alias/share"})
    assert "rds:CopyDBSnapshot" in actions(policy)
    sharing = of(permissions, PROD).keys[f"arn:aws:kms:eu-west-1:{PROD}:alias/share"]
    assert sharing[0].principals == (
        f"arn:aws:iam::{PROD}:role/backup-engine",
        f"arn:aws:iam::{VAULT}:role/backup-engine",
    )


def test_grants_are_for_rds_alone(tmp_path: Path) -> None:
    permissions = found(documents(tmp_path, prod="rekey: alias/share"))
    granting = [
        one
        for account in permissions.accounts
        for one in (
            *(account.role.statements if account.role else ()),
            *(each for key in account.keys.values() for each in key),
        )
        if GRANT in one.actions
    ]
    assert granting
    for one in granting:
        assert one.actions == (GRANT,)
        assert one.conditions["Bool"] == {"kms:GrantIsForAWSResource": "true"}


def test_keys_of_databases_let_the_accounts_in_that_copy(tmp_path: Path) -> None:
    keys = of(found(documents(tmp_path)), PROD).keys
    use, grant = keys[f"arn:aws:kms:eu-west-1:{PROD}:key/*"]
    assert use.principals == grant.principals == (f"arn:aws:iam::{VAULT}:role/backup-engine",)
    assert set(use.actions) == set(USE_OF_KEYS)


def test_a_key_named_by_its_arn_is_the_only_one_for_copies(tmp_path: Path) -> None:
    own = documents(tmp_path)
    arn = f"arn:aws:kms:eu-west-1:{VAULT}:key/k"
    target = Target("local", "vault", "eu-west-1", arn)
    named = replace(own, estate=replace(own.estate, targets={"local": target}))
    policy = role(found(named), VAULT).document()
    assert allows(policy, "kms:Encrypt", arn)
    assert not allows(policy, "kms:Encrypt", arn.replace("key/k", "key/other"))


def test_roles_trust_the_one_who_runs_the_engine_and_its_external_id(tmp_path: Path) -> None:
    scheduler = "arn:aws:iam::333333333333:role/scheduler"
    permissions = permissions_of(documents(tmp_path, prod="external_id: abc"), scheduler, None)
    trust = of(permissions, PROD).trust
    assert trust is not None
    (one,) = statements(trust.document())
    assert one["Principal"] == {"AWS": scheduler}
    assert one["Condition"] == {"StringEquals": {"sts:ExternalId": "abc"}}
    assert "Resource" not in one
    (assume,) = statements(permissions.caller.document())
    assert f"arn:aws:iam::{PROD}:role/backup-reader" in assume["Resource"]


def test_a_principal_that_nobody_named_cannot_be_taken_for_one(tmp_path: Path) -> None:
    assert "ACCOUNT-OF-THE-SCHEDULER" in found(documents(tmp_path)).principal


def test_an_account_without_a_role_trusts_nobody(tmp_path: Path) -> None:
    permissions = found(documents(tmp_path, prod="role: null, read_role: null"))
    assert of(permissions, PROD).trust is None
    assert not [
        arn for one in permissions.caller.statements for arn in one.resources if PROD in arn
    ]


@pytest.mark.parametrize(
    ("region", "partition"),
    [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")],
)
def test_every_arn_is_of_the_partition_of_its_region(
    tmp_path: Path, region: str, partition: str
) -> None:
    permissions = permissions_of(documents(tmp_path, region=region), None, Bucket(region=region))
    arns = [permissions.principal, *permissions.caller.statements[0].resources]
    for account in permissions.accounts:
        assert account.role is not None
        arns += [arn for one in account.role.statements for arn in one.resources]
        arns += [*account.keys]
        arns += [who for key in account.keys.values() for one in key for who in one.principals]
    assert len(arns) > 10
    assert {arn.split(":")[1] for arn in arns if arn != "*"} == {partition}


def test_the_state_is_for_the_role_of_its_account_below_its_prefix(tmp_path: Path) -> None:
    permissions = found(documents(tmp_path), Bucket())
    policy = role(permissions, VAULT).document()
    lock = "arn:aws:s3:::acme-backup-engine/state/acme/lock.json"
    assert allows(policy, "s3:PutObject", lock)
    assert not allows(policy, "s3:PutObject", lock.replace("state/", "other/"))
    bucket = "arn:aws:s3:::acme-backup-engine"
    assert allows(policy, "s3:ListBucket", bucket, {"s3:prefix": "state/acme/journal/"})
    # S3 says that an object is missing only to whom it lets list, and reading has no prefix.
    assert allows(policy, "s3:ListBucket", bucket)
    assert "s3:DeleteObject" not in actions(policy)
    assert not {one for one in actions(role(permissions, PROD).document()) if one[:3] == "s3:"}


def test_policies_that_would_not_fit_name_no_regions(tmp_path: Path) -> None:
    own = documents(tmp_path, prod="rekey: alias/share")
    regions = tuple(f"eu-west-{number}" for number in range(1, 31))
    accounts = {
        name: replace(account, regions=regions) for name, account in own.estate.accounts.items()
    }
    wide = found(replace(own, estate=replace(own.estate, accounts=accounts)))
    policy = role(wide, PROD)
    assert f"arn:aws:rds:*:{PROD}:snapshot:*" in policy.document()["Statement"][0]["Resource"]
    assert policy.size <= MANAGED_LIMIT
    assert list(of(wide, PROD).too_long()) == []


@pytest.mark.parametrize(("limit", "words"), [(MANAGED_LIMIT, "inline"), (INLINE_LIMIT, "split")])
def test_a_policy_that_is_too_long_is_told(tmp_path: Path, limit: int, words: str) -> None:
    one = of(found(documents(tmp_path)), PROD)
    assert one.role is not None
    first = one.role.statements[0]
    longer = replace(first, resources=tuple("x" * 100 for _ in range(limit // 100 + 1)))
    (text,) = replace(one, role=Policy((longer,))).too_long()
    assert words in text


def test_sids_are_unique_and_every_statement_has_its_reason(tmp_path: Path) -> None:
    permissions = found(documents(tmp_path, prod="rekey: alias/share, read_role: null"), Bucket())
    for account in permissions.accounts:
        policies = [one.statements for one in (account.role, account.read_role) if one]
        for group in (*policies, *account.keys.values()):
            sids = [one.sid for one in group]
            assert len(sids) == len(set(sids))
            assert all(sid.isalnum() for sid in sids)
            assert all(len(one.reason) > 10 for one in group)


# -- the table -----------------------------------------------------------------------------------


def called() -> set[str]:
    """Return every operation that the clients say they call."""
    names = set()
    for path in (REPOSITORY / "engine" / "aws").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "calling" and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant) and ":" in str(first.value):
                    names.add(str(first.value))
    return names


def test_the_table_lists_what_the_clients_call_and_nothing_else() -> None:
    listed = {one.name for one in OPERATIONS}
    assert called() <= listed
    services = {path.stem for path in (REPOSITORY / "engine" / "aws").glob("*.py")}
    missing = {name for name in listed - called() if name.partition(":")[0] in services}
    assert not missing


def test_policies_allow_nothing_beyond_the_table(tmp_path: Path) -> None:
    permissions = found(documents(tmp_path, prod="rekey: alias/share, read_role: null"), Bucket())
    listed = {user: {one.action for one in OPERATIONS if user in one.users} for user in User}
    behind = {GRANT, *USE_OF_KEYS}
    for account in permissions.accounts:
        may = listed[User.ROLE] | behind
        if account.read_role is None:
            may |= listed[User.READ_ROLE]
        else:
            assert actions(account.read_role.document()) <= listed[User.READ_ROLE]
        assert account.role is not None
        assert actions(account.role.document()) <= may


# -- automated backups ---------------------------------------------------------------------------

DATABASE = f"arn:aws:rds:eu-west-1:{PROD}:db:orders"
FAR_BACKUP = f"arn:aws:rds:eu-central-1:{PROD}:auto-backup:ab-1"
REPLICATION = (
    "rds:StartDBInstanceAutomatedBackupsReplication",
    "rds:StopDBInstanceAutomatedBackupsReplication",
)


def speaking_of(folder: Path, automated: AutomatedTerms) -> Documents:
    """Return the documents with a target in prod's other region, and these terms."""
    plain = documents(folder)
    prod = replace(plain.estate.accounts["prod"], regions=("eu-west-1", "eu-central-1"))
    far = Target("far", "prod", "eu-central-1", "alias/far")
    estate = replace(
        plain.estate,
        accounts={**plain.estate.accounts, "prod": prod},
        targets={**plain.estate.targets, "far": far},
    )
    gold = plain.policies["gold"]
    said = replace(gold, terms=replace(gold.terms, automated=automated))
    return replace(plain, estate=estate, policies={"gold": said})


def test_without_a_word_on_automated_backups_no_database_is_changed(tmp_path: Path) -> None:
    allowed = actions(role(found(speaking_of(tmp_path, AutomatedTerms())), PROD).document())
    assert not allowed & {"rds:ModifyDBInstance", *REPLICATION}


def test_settings_need_modify_on_the_databases_of_the_policy_only(tmp_path: Path) -> None:
    permissions = found(speaking_of(tmp_path, AutomatedTerms(retention_days=7)))
    policy = role(permissions, PROD).document()
    assert allows(policy, "rds:ModifyDBInstance", DATABASE)
    assert not allows(policy, "rds:ModifyDBInstance", SNAPSHOT)
    assert not allows(policy, "rds:ModifyDBInstance", DATABASE.replace(PROD, VAULT))
    assert not actions(policy) & {*REPLICATION}
    assert "rds:ModifyDBInstance" not in actions(role(permissions, VAULT).document())


def test_replication_needs_both_ends_and_the_key_there(tmp_path: Path) -> None:
    aim = AutomatedTerms(replicate_to=Replication("far"))
    permissions = found(speaking_of(tmp_path, aim))
    policy = role(permissions, PROD).document()
    for action in REPLICATION:
        assert allows(policy, action, DATABASE)
        assert allows(policy, action, FAR_BACKUP)
    there = f"arn:aws:kms:eu-central-1:{PROD}:key/k"
    assert allows(
        policy,
        GRANT,
        there,
        {"kms:GrantIsForAWSResource": "true", "kms:ResourceAliases": "alias/far"},
    )
    assert allows(policy, "kms:Decrypt", f"arn:aws:kms:eu-west-1:{PROD}:key/k")
    assert f"arn:aws:kms:eu-central-1:{PROD}:alias/far" in of(permissions, PROD).keys
    assert "rds:ModifyDBInstance" not in actions(policy)


def test_failing_back_needs_reboots_of_the_databases_of_the_policy_only(tmp_path: Path) -> None:
    plain = documents(tmp_path)
    gold = plain.policies["gold"]
    said = replace(gold, terms=replace(gold.terms, failover=Failover(fail_back=FailBack.IN_WINDOW)))
    override = Override(gold.select, {("failover", "fail_back"): FailBack.IN_WINDOW})
    for policy in (said, replace(gold, overrides=(override,))):
        permissions = found(replace(plain, policies={"gold": policy}))
        allowed = role(permissions, PROD).document()
        assert allows(allowed, "rds:RebootDBInstance", DATABASE)
        assert not allows(allowed, "rds:RebootDBInstance", DATABASE.replace(PROD, VAULT))
        assert "rds:RebootDBInstance" not in actions(role(permissions, VAULT).document())
    assert "rds:RebootDBInstance" not in actions(role(found(plain), PROD).document())


def test_a_replication_that_is_to_stop_needs_no_key(tmp_path: Path) -> None:
    stop = AutomatedTerms(replicate_to=Replicating.NONE)
    policy = role(found(speaking_of(tmp_path, stop)), PROD).document()
    assert allows(policy, REPLICATION[1], FAR_BACKUP)
    assert not allows(policy, "kms:Decrypt", f"arn:aws:kms:eu-central-1:{PROD}:key/k")


def test_an_account_whose_points_a_policy_shares_may_share_them(tmp_path: Path) -> None:
    given = documents(tmp_path)
    (policy,) = given.policies.values()
    for origin, account in (("source", PROD), ("local", VAULT)):
        rules = (ShareRule(("444455556666",), origin=origin),)
        terms = replace(policy.terms, share_with=rules)
        sharing = replace(given, policies={policy.name: replace(policy, terms=terms)})
        snapshot = f"arn:aws:rds:eu-west-1:{account}:snapshot:orders"
        allowed = role(found(sharing), account).document()
        assert allows(allowed, "rds:ModifyDBSnapshotAttribute", snapshot, OURS)
        assert not allows(allowed, "rds:ModifyDBSnapshotAttribute", snapshot)
    vault = role(found(given), VAULT).document()
    assert "rds:ModifyDBSnapshotAttribute" not in actions(vault)


# -- targets that are served by one another ------------------------------------------------------

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
LAB = "333333333333"


@pytest.mark.parametrize("place", ["policy", "override"])
def test_a_hub_shares_what_it_hands_on_and_its_key_lets_in_whom_it_serves(
    place: str, tmp_path: Path
) -> None:
    text = (EXAMPLES / "topology" / "topology.yaml").read_text()
    if place == "override":
        text = text.replace("  topology: cheapest\n", "")
        text += "overrides:\n- {select: {identifiers: [a]}, snapshots: {topology: cheapest}}\n"
    (tmp_path / "all.yaml").write_text(text)
    permissions = found(load_or_raise([tmp_path]))
    served, hub = LAB, VAULT
    there = f"arn:aws:rds:eu-central-1:{hub}:snapshot:orders"
    assert allows(role(permissions, hub).document(), "rds:ModifyDBSnapshotAttribute", there, OURS)
    other = role(permissions, served).document()
    assert not statements_named(other, "ShareOwnSnapshots")
    tagged = {"aws:RequestTag/engine:estate": "acme"}
    assert allows(other, "rds:CopyDBSnapshot", there, tagged)
    assert all(allows(other, one, f"arn:aws:kms:eu-central-1:{hub}:key/a") for one in USE_OF_KEYS)
    keys = of(permissions, hub).keys
    named = keys[f"arn:aws:kms:eu-central-1:{hub}:alias/backups"]
    assert {who for one in named for who in one.principals} == {
        f"arn:aws:iam::{account}:role/backup-engine" for account in (hub, served)
    }
    assert f"arn:aws:kms:eu-central-1:{hub}:key/*" not in keys


def statements_named(policy: PolicyDocument, sid: str) -> list[str]:
    return [sid for one in statements(policy) if one["Sid"] == sid]
