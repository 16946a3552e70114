"""`engine iam-policy` as a command."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.running import run

POLICIES = str(Path(__file__).parents[2] / "policies")
SCHEDULER = "arn:aws:iam::444444444444:role/scheduler"
Golden = Callable[[str, str], None]
Capture = pytest.CaptureFixture[str]


def test_the_example_repository_needs_this(capfd: Capture, golden: Golden) -> None:
    ran = run(capfd, "iam-policy", POLICIES, "-principal", SCHEDULER)
    assert (ran.code, ran.err) == (0, "")
    golden("example.json", ran.out)


def test_the_example_repository_reads_like_this(capfd: Capture, golden: Golden) -> None:
    words = ("iam-policy", POLICIES, "-principal", SCHEDULER, "-format", "text")
    ran = run(capfd, *words)
    assert (ran.code, ran.err) == (0, "")
    golden("example.txt", ran.out)


def test_the_document_is_by_account_and_part(capfd: Capture) -> None:
    found = json.loads(run(capfd, "iam-policy", POLICIES).out)
    assert set(found["accounts"]) == {"111111111111", "222222222222", "333333333333"}
    for account in found["accounts"].values():
        assert set(account) == {"name", "role", "read_role", "trust", "keys"}
        assert account["role"]["Version"] == "2012-10-17"


@pytest.mark.parametrize("part", ["role", "read_role", "trust"])
def test_one_part_of_one_account_is_what_aws_takes(capfd: Capture, part: str) -> None:
    all_of_it = json.loads(run(capfd, "iam-policy", POLICIES).out)
    ran = run(capfd, "iam-policy", POLICIES, "-account", "vault", "-role", part)
    assert ran.code == 0
    assert json.loads(ran.out) == all_of_it["accounts"]["222222222222"][part]


def test_one_account_is_named_by_its_id_too(capfd: Capture) -> None:
    ran = run(capfd, "iam-policy", POLICIES, "-account", "333333333333")
    assert list(json.loads(ran.out)["accounts"]) == ["333333333333"]


def test_a_placeholder_is_explained_where_it_stands(capfd: Capture) -> None:
    assert "-principal" in run(capfd, "iam-policy", POLICIES).err
    words = ("iam-policy", POLICIES, "-account", "prod", "-role")
    assert "-principal" in run(capfd, *words, "trust").err
    assert run(capfd, *words, "role").err == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-role", "role"), "name it by -account"),
        (("-account", "nobody"), "name analytics, prod, vault"),
        (("-principal", "scheduler"), "arn:aws:iam::111111111111:role/scheduler"),
        (("-account", "prod", "-role", "role", "-format", "text"), "leave out -format text"),
    ],
)
def test_what_makes_no_sense_is_refused(capfd: Capture, words: tuple[str, ...], said: str) -> None:
    ran = run(capfd, "iam-policy", POLICIES, *words)
    assert (ran.code, ran.out) == (64, "")
    assert said in ran.err


def test_a_part_that_is_not_there_is_no_empty_document(capfd: Capture, tmp_path: Path) -> None:
    (tmp_path / "estate.yaml").write_text(
        'version: 1\nkind: estate\nname: acme\naccounts: {prod: {id: "111111111111",'
        " regions: [eu-west-1]}}\n"
    )
    words = ("iam-policy", str(tmp_path), "-account", "prod", "-role")
    for part in ("read_role", "trust"):
        ran = run(capfd, *words, part)
        assert (ran.code, ran.out) == (64, "")
    assert "rds:DescribeDBInstances" in run(capfd, *words, "role").out
