from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from engine.cli.main import main
from engine.documents.accounts_file import AccountsFileError, accounts_in, sync
from engine.documents.diagnostics import DocumentsError
from engine.errors import ExitCode
from tests.aws.scripted_aws import Reply, ScriptedAws

ONE, TWO, THREE = "1" * 12, "2" * 12, "3" * 12
MINE = f"""\
# Mine.
version: 1
kind: accounts
accounts:
  shop:  # do not rename
    id: "{ONE}"
    regions: [eu-west-1]

  # Closing soon.
  old: {{id: "{TWO}"}}
"""


def test_without_a_file_one_is_made_with_a_name_for_each_account() -> None:
    made = sync(None, "f", {TWO: "Data Lake (EU)", ONE: "prod"}, {})
    assert yaml.safe_load(made.text) == {
        "version": 1,
        "kind": "accounts",
        "accounts": {"prod": {"id": ONE}, "data-lake-eu": {"id": TWO}},
    }
    assert made.added == ("prod", "data-lake-eu")


def test_what_people_wrote_stays_and_new_accounts_come_behind() -> None:
    synced = sync(MINE, "f", {ONE: "anything", TWO: "old", THREE: "New"}, {})
    assert synced.text == MINE + f'  new: {{id: "{THREE}"}}\n'
    assert (synced.added, synced.removed) == (("new",), ())


def test_an_account_that_left_goes_with_its_lines_only() -> None:
    synced = sync(MINE, "f", {ONE: "shop"}, {})
    assert synced.text == MINE.replace(f'  old: {{id: "{TWO}"}}\n', "")
    assert synced.removed == ("old",)


def test_a_block_that_left_goes_whole() -> None:
    synced = sync(MINE, "f", {TWO: "old"}, {})
    assert "shop" not in synced.text
    assert "eu-west-1" not in synced.text
    assert "# Closing soon." in synced.text
    assert accounts_in(synced.text, "f") == {"old": TWO}


def test_when_all_accounts_left_the_document_stays_valid() -> None:
    assert yaml.safe_load(sync(MINE, "f", {}, {}).text)["accounts"] == {}


def test_an_account_that_stands_elsewhere_is_not_named_twice() -> None:
    synced = sync(None, "f", {ONE: "prod", TWO: "prod"}, {"prod": ONE})
    assert accounts_in(synced.text, "f") == {f"prod-{TWO}": TWO}


@given(st.dictionaries(st.from_regex(r"[0-9]{12}", fullmatch=True), st.text(max_size=80)))
def test_a_second_sync_changes_nothing(members: dict[str, str]) -> None:
    first = sync(None, "f", members, {})
    again = sync(first.text, "f", members, {})
    assert again.text == first.text
    assert sorted(accounts_in(first.text, "f").values()) == sorted(members)
    assert all(len(name) <= 64 for name in first.added)


@given(
    st.sets(st.sampled_from([ONE, TWO, THREE, "4" * 12])),
    st.sets(st.sampled_from([ONE, TWO, THREE, "4" * 12])),
)
def test_after_a_sync_the_file_names_exactly_the_members(one: set[str], two: set[str]) -> None:
    text = sync(MINE, "f", dict.fromkeys(one, "n"), {}).text
    text = sync(text, "f", dict.fromkeys(two, "n"), {}).text
    assert set(accounts_in(text, "f").values()) == two
    assert isinstance(yaml.safe_load(text)["accounts"], dict)


@pytest.mark.parametrize(
    "text",
    [
        "version: 1\nkind: estate\nname: acme\naccounts: {}\n",
        MINE + "---\n" + MINE,
        "[]",
        "",
        f'version: 1\nkind: accounts\naccounts: {{a: {{id: "{ONE}"}}, b: {{id: "{TWO}"}}}}\n',
        f'{{version: 1, kind: accounts, accounts: {{a: {{id: "{ONE}"}}}}}}\n',
        f'version: 1\nkind: accounts\naccounts: {{a: {{id: "{ONE}"}}}}\n',
    ],
)
def test_a_file_that_cannot_be_kept_is_left_alone(text: str) -> None:
    with pytest.raises(AccountsFileError):
        sync(text, "f", {THREE: "new"}, {})


def test_a_file_that_is_no_yaml_is_told_with_its_place() -> None:
    with pytest.raises(DocumentsError, match="E100"):
        sync("accounts: [", "f", {}, {})


def test_the_command_writes_the_file_and_says_what_came_and_went(
    aws: ScriptedAws, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    accounts = [
        {"Id": ONE, "Name": "prod", "Status": "ACTIVE"},
        {"Id": TWO, "Name": "closed", "Status": "SUSPENDED"},
        {"Id": THREE, "Name": "vault", "Status": "ACTIVE"},
    ]
    answer = json.dumps({"Accounts": accounts})
    aws.on("ListAccounts", Reply(answer, type="application/x-amz-json-1.1"))
    estate = f'version: 1\nkind: estate\nname: acme\naccounts:\n  prod: {{id: "{ONE}"}}\n'
    (tmp_path / "estate.yaml").write_text(estate)
    file = tmp_path / "accounts.yaml"
    words = ["accounts", "sync", str(file), "-policies", str(tmp_path)]

    assert main(words) == ExitCode.OK

    assert accounts_in(file.read_text(), "f") == {"vault": THREE}
    assert capsys.readouterr().out == (
        f"+ vault\n{file}: 1 added, 0 removed; the organization has 2 active accounts\n"
    )
    assert main(words) == ExitCode.OK
    assert "0 added, 0 removed" in capsys.readouterr().out


def test_an_organization_that_may_not_be_listed_leaves_the_file_alone(
    aws: ScriptedAws, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "accounts.yaml"
    file.write_text(MINE)
    denied = json.dumps({"__type": "AccessDeniedException", "message": "no"})
    aws.on("ListAccounts", Reply(denied, 400, "application/x-amz-json-1.1"))

    assert main(["accounts", "sync", str(file), "-policies", str(tmp_path)]) == ExitCode.ERROR

    assert "AccessDeniedException on organizations:ListAccounts" in capsys.readouterr().err
    assert file.read_text() == MINE
