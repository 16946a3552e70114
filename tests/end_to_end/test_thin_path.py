"""One encrypted Multi-AZ database: its point, a copy in another account, an expired point gone."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.lab.estates import IRELAND, PROD, VAULT, small
from engine.lab.process import LabProcess
from tests.end_to_end.harness import (
    PROGRAMS,
    THIN,
    World,
    announced,
    clean_environment,
    keys_of_instances,
    run_program,
    working_folder,
)

FIRST_NIGHT = datetime(2026, 11, 18, 2, 5, tzinfo=UTC)
PRINTED = (
    ("rds", "describe-db-instances"),
    ("rds", "describe-db-snapshots"),
    ("ec2", "describe-availability-zones"),
    ("rds", "describe-account-attributes"),
)
ESCAPE = "\x1b["
READS = frozenset(
    {
        "AssumeRole",
        "DescribeAccountAttributes",
        "DescribeAvailabilityZones",
        "DescribeDBClusterSnapshots",
        "DescribeDBInstanceAutomatedBackups",
        "DescribeDBInstances",
        "DescribeDBSnapshots",
        "DescribeEvents",
        "DescribeKey",
        "GetCallerIdentity",
        "ListAliases",
    }
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world in which one point has expired: `keep: {last: 2}`, and two nights have passed."""
    folder = working_folder(tmp_path_factory.mktemp("thin"), THIN)
    with LabProcess.start(small(), speed=20.0, at=FIRST_NIGHT) as lab:
        world = World(lab, folder, is_installed=True)
        world.apply("-wait").insist()
        world.move_to(FIRST_NIGHT + timedelta(days=1))
        world.apply("-wait").insist()
        world.move_to(FIRST_NIGHT + timedelta(days=2))
        yield world


def test_a_saved_plan_leaves_exactly_what_it_announced(world: World) -> None:
    before = world.seen()
    saved = world.folder / "night.plan"
    world.plan("-out", str(saved)).insist()
    assert world.plan("-detailed-exitcode").code == 2
    plan = json.loads(saved.read_bytes())
    counts = {name: plan["summary"][name] for name in ("create", "copy", "share", "unshare")}
    assert counts == {"create": 1, "copy": 1, "share": 1, "unshare": 1}
    assert plan["summary"]["delete"] == 2

    done = world.apply(str(saved), "-wait").insist()
    assert done.out == "done: 6, running: 0\n"

    expected = announced(before, plan, keys_of_instances(world))
    assert world.seen() == expected
    for account in (PROD, VAULT):
        here = {arn: one for arn, one in expected.items() if one.account == account}
        manual = {arn: one for arn, one in here.items() if one.type == "manual"}
        assert world.seen_by_cli(account, IRELAND) == manual

    copies = [one for one in world.owned().values() if one.role == "copy"]
    assert {one.account for one in copies} == {VAULT}
    assert {one.key for one in copies} == {world.key(VAULT, IRELAND, "alias/backups")}
    primaries = [one for one in world.owned().values() if one.role == "primary"]
    assert {one.key for one in primaries} == {world.key(PROD, IRELAND, "alias/orders")}
    slots = {"2026-11-19T02:00:00Z", "2026-11-20T02:00:00Z"}
    assert {one.slot for one in primaries} == {one.slot for one in copies} == slots
    assert not any(one.shared_with for one in world.seen().values())

    second = world.plan("-detailed-exitcode").insist()
    assert second.out.startswith("Nothing to do")
    assert world.planned()["steps"] == []


def test_planning_and_applying_in_one_leaves_what_it_announced(world: World) -> None:
    world.move_to(FIRST_NIGHT + timedelta(days=3))
    before = world.seen()
    plan = world.planned()
    done = world.apply("-wait", "-json").insist()
    lines = done.json_lines()
    assert [line["type"] for line in lines[:2]] == ["version", "run"]
    assert done.outcome()["counts"] == {"done": 6}
    finished = {line["id"] for line in lines if line.get("state") == "done"}
    assert finished == {step["id"] for step in plan["steps"]}
    assert world.seen() == announced(before, plan, keys_of_instances(world))
    world.plan("-detailed-exitcode").insist()


def test_what_a_run_says_on_the_way_goes_to_standard_error(world: World) -> None:
    world.move_to(FIRST_NIGHT + timedelta(days=4))
    done = world.apply("-wait").insist()
    assert done.out.startswith("Plan: 1 to create, 1 to copy, 2 to delete")
    assert done.out.splitlines()[-1] == "done: 6, running: 0"
    assert re.search(r"done +.*orders-1", done.err)
    assert not re.search(r"done +.*orders-1", done.out)
    assert ESCAPE not in done.out + done.err
    listed = world.run("runs", "-limit", "1").insist()
    assert "exit 0  done: 6" in listed.out
    run = listed.out.split()[0]
    entries = world.run("runs", run, "-json").insist().json_lines()
    assert [entries[0]["kind"], entries[-1]["kind"]] == ["run_started", "run_ended"]
    intents = [entry for entry in entries if entry["kind"] == "intent"]
    outcomes = [entry for entry in entries if entry["kind"] == "outcome"]
    assert len(intents) == len(outcomes) == 9


def test_flags_take_one_dash_or_two_or_a_variable(world: World) -> None:
    at = world.now()
    expected = world.run("plan", "-json", "-at", at).insist().out
    assert world.run("plan", "--json", f"--at={at}").insist().out == expected
    assert world.run("plan", "-json", f"-at={at}").insist().out == expected
    assert world.run("plan", ENGINE_JSON="1", ENGINE_AT=at).insist().out == expected
    elsewhere = world.folder / "elsewhere"
    elsewhere.symlink_to("policies")
    found = world.run("validate", ENGINE_POLICIES="elsewhere", ENGINE_FORMAT="json").insist()
    json.loads(found.out)
    missing = world.run("validate", ENGINE_POLICIES="nowhere")
    assert missing.code == 1
    assert "nowhere" in missing.out + missing.err
    # What is given on the command line beats its variable.
    world.run("validate", "-policies", "elsewhere", ENGINE_POLICIES="nowhere").insist()
    beaten = world.run("plan", "-json", "-at", at, ENGINE_AT="2026-01-01T00:00:00Z").insist()
    assert beaten.out == expected


def test_the_same_inputs_give_the_same_bytes(world: World) -> None:
    recording = world.folder / "recording"
    world.run("inventory", "export", str(recording), "-at", world.now()).insist()
    first = world.run("plan", "-inventory", str(recording), "-json").insist()
    offline = run_program(
        "engine",
        ("plan", "-inventory", str(recording), "-json"),
        world.folder,
        clean_environment(world.folder) | {"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"},
    ).insist()
    assert first.out == offline.out


def test_plain_output_of_the_aws_cli_plans_as_reading_aws_does(world: World) -> None:
    recording = world.folder / "printed"
    for account in (PROD, VAULT):
        here = recording / account / IRELAND
        here.mkdir(parents=True)
        for service, word in PRINTED:
            said = world.aws(account, IRELAND, service, word)
            (here / f"{word}.json").write_text(json.dumps(said))
        # The one file that no single command prints.
        (here / "describe-keys.json").write_text(json.dumps({"Keys": keys_in(world, account)}))
    at = world.now()
    printed = json.loads(world.run("plan", "-inventory", "printed", "-json", "-at", at).out)
    live = json.loads(world.run("plan", "-json", "-at", at).insist().out)
    assert printed["inventory"]["recorded"]
    assert {name for name in live if live[name] != printed[name]} == {"inventory", "seal"}
    assert live["kept"]


def keys_in(world: World, account: str) -> list[dict[str, Any]]:
    kms = world.kms(account, IRELAND)
    names = [one for one in kms.list_aliases()["Aliases"] if "TargetKeyId" in one]
    return [
        {
            "KeyId": key["KeyId"],
            "Arn": key["KeyArn"],
            "KeyState": "Enabled",
            "KeyManager": kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyManager"],
            "Aliases": [one["AliasName"] for one in names if one["TargetKeyId"] == key["KeyId"]],
        }
        for key in kms.list_keys()["Keys"]
    ]


def test_exit_codes_are_those_that_help_lists(world: World) -> None:
    assert world.run().code == 64
    assert world.run("-help").code == world.run("--help").code == 0
    assert world.run("plam").code == 64
    assert world.run("plan", "-no-such-flag").code == 64
    assert world.run("plan", "-at", "yesterday").code == 64
    assert world.run("plan", "nowhere").code == 1
    assert world.apply("-wait", "-max-duration", "soon").code == 64


def test_without_somebody_to_say_yes_nothing_is_done(world: World) -> None:
    world.move_to(FIRST_NIGHT + timedelta(days=5))
    world.lab.client.forget_calls()
    unanswered = world.run("apply", "-at", world.now())
    assert unanswered.code == 1
    assert "Plan: 1 to create" in unanswered.out
    assert {call["operation"] for call in world.lab.client.calls()} <= READS


def test_a_plan_of_other_documents_or_of_yesterday_is_stale(world: World) -> None:
    saved = world.folder / "stale.plan"
    world.plan("-out", str(saved)).insist()
    estate = world.folder / "policies" / "thin.yaml"
    before = estate.read_text()
    estate.write_text(before.replace("last: 2", "last: 3"))
    try:
        refused = world.apply(str(saved))
    finally:
        estate.write_text(before)
    assert refused.code == 5
    assert "documents have changed" in refused.err
    world.lab.client.forward(25 * 3600)
    assert world.apply(str(saved)).code == 5


def test_a_location_that_cannot_be_read_gives_three_and_nothing_is_deleted(world: World) -> None:
    folder = world.folder / "closed"
    working_folder(folder, THIN)
    estate = folder / "policies" / "thin.yaml"
    closed = 'vault: {id: "222222222222", read_role: nobody}'
    estate.write_text(estate.read_text().replace('vault: {id: "222222222222"}', closed))
    there = World(world.lab, folder, is_installed=True)
    there.move_to(FIRST_NIGHT + timedelta(days=8))
    found = there.plan("-json")
    assert found.code == 3
    plan = json.loads(found.out)
    assert not plan["inventory"]["complete"]
    actions = {step["action"] for step in plan["steps"]}
    assert "create_snapshot" in actions
    assert "copy_snapshot" not in actions


@pytest.mark.parametrize("coloured", [True, False])
def test_a_terminal_gets_colours_unless_told_otherwise(world: World, coloured: bool) -> None:
    world.move_to(FIRST_NIGHT + timedelta(days=9))
    ours, theirs = pty.openpty()
    variables = world.environment | {"TERM": "xterm-256color"}
    variables |= {} if coloured else {"NO_COLOR": "1"}
    with subprocess.Popen(
        [str(PROGRAMS / "engine"), "plan", "-at", world.now()],
        cwd=world.folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.PIPE,
    ) as process:
        os.close(theirs)
        said = b""
        while part := _read(ours):
            said += part
        os.close(ours)
        assert process.wait(60) == 0
    assert said.startswith(b"\x1b[1mPlan") or b"Plan: " in said
    assert (ESCAPE.encode() in said) is coloured


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:
        # Linux says so once nobody holds the other end.
        return b""
