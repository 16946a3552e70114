"""`engine drift` over recordings: exit codes, forms, selections."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.errors import ExitCode
from tests.benchmarks.recordings import TODAY, record
from tests.cli.running import Ran, run

Capture = pytest.CaptureFixture[str]
REPOSITORY = Path(__file__).parents[2]
ACME = REPOSITORY / "tests" / "recordings" / "acme"
SNAPSHOTS = "111111111111/eu-west-1/describe-db-snapshots.json"


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording in which nothing is due and nothing drifted."""
    folder = tmp_path_factory.mktemp("settled")
    record(folder, 20, TODAY)
    return folder


@pytest.fixture
def acme(tmp_path: Path) -> Path:
    """A recording of acme to change."""
    shutil.copytree(ACME, tmp_path / "acme")
    return tmp_path / "acme"


def change(folder: Path, how: Callable[[dict[str, Any]], None]) -> str:
    """Change the newest primary of orders-1 in a recording; return its ARN."""
    path = folder / SNAPSHOTS
    listing = json.loads(path.read_text())
    found = [
        one
        for one in listing["DBSnapshots"]
        if one["DBInstanceIdentifier"] == "orders-1" and one["DBSnapshotIdentifier"][-9] == "-"
    ]
    newest = max(found, key=lambda one: str(one["SnapshotCreateTime"]))
    how(newest)
    path.write_text(json.dumps(listing))
    return str(newest["DBSnapshotArn"])


def drift(capfd: Capture, folder: Path, *words: str) -> Ran:
    policies = str(REPOSITORY / "policies")
    return run(capfd, "drift", policies, "-inventory", str(folder), *words)


def untag(snapshot: dict[str, Any]) -> None:
    snapshot["TagList"] = []


def test_an_estate_in_its_normal_life_has_not_drifted(settled: Path, capfd: Capture) -> None:
    where = (str(settled / "policies"), "-inventory", str(settled / "inventory"))
    ran = run(capfd, "drift", *where)
    assert (ran.code, ran.err) == (ExitCode.OK, "")
    assert ran.out.startswith("No drift: everything is as the engine left it.")
    ran = drift(capfd, ACME)
    assert (ran.code, ran.err) == (ExitCode.OK, "")
    assert ran.out.startswith("No drift")


def test_drift_exits_2_and_is_told(acme: Path, capfd: Capture) -> None:
    arn = change(acme, untag)
    ran = drift(capfd, acme)
    assert ran.code == ExitCode.CHANGES
    assert ran.out.startswith("Drift: 1 error")
    assert arn.rpartition(":")[2] in ran.out
    assert "all its engine: tags are gone" in ran.out
    assert max(len(line) for line in ran.out.splitlines()) <= 80


@pytest.mark.parametrize("words", [("-json",), ("-format", "json")])
def test_json_is_the_document(acme: Path, capfd: Capture, words: tuple[str, ...]) -> None:
    arn = change(acme, untag)
    ran = drift(capfd, acme, *words)
    assert ran.code == ExitCode.CHANGES
    document = json.loads(ran.out)
    assert document["summary"] == {"error": 1, "warning": 0, "info": 0}
    assert [(one["code"], one["arn"]) for one in document["drift"]] == [("untagged", arn)]
    assert document["as_of"] == "2026-11-21T01:30:00Z"
    assert document["shares"] == {"snapshots": 98, "known": 0, "refused": 0}


def test_markdown_is_for_pull_requests(acme: Path, capfd: Capture) -> None:
    change(acme, untag)
    ran = drift(capfd, acme, "-format", "markdown")
    assert ran.out.startswith("<!-- engine-drift: acme -->\n### Drift: 1 error")


def test_a_selection_leaves_out_the_rest(acme: Path, capfd: Capture) -> None:
    change(acme, untag)
    assert drift(capfd, acme, "-only", "prod/*/orders-1").code == ExitCode.CHANGES
    left = drift(capfd, acme, "-exclude", "prod/*/orders-1")
    assert left.code == ExitCode.OK
    assert "It is about a part of the estate: -exclude prod/*/orders-1." in left.out


def test_a_selection_that_leaves_nothing_is_told(capfd: Capture) -> None:
    ran = drift(capfd, ACME, "-only", "prod/*/no-such-database")
    assert ran.code == ExitCode.OK
    assert "-only prod/*/no-such-database leaves no database" in ran.err


def test_shares_that_a_recording_holds_are_judged(acme: Path, capfd: Capture) -> None:
    arn = change(acme, lambda _: None)
    answer = {
        "DBSnapshotAttributesResult": {
            "DBSnapshotIdentifier": arn.rpartition(":")[2],
            "DBSnapshotAttributes": [
                {"AttributeName": "restore", "AttributeValues": ["999999999999"]}
            ],
        }
    }
    path = acme / SNAPSHOTS.replace("db-snapshots", "db-snapshot-attributes")
    path.write_text(json.dumps({arn: answer}))
    ran = drift(capfd, acme)
    assert ran.code == ExitCode.CHANGES
    assert "it is shared with 999999999999, outside the estate" in ran.out
    assert "Shares are known of 1 of" in ran.out


def test_what_is_not_known_makes_it_exit_3_even_with_drift(acme: Path, capfd: Capture) -> None:
    change(acme, untag)
    shutil.rmtree(acme / "222222222222" / "eu-central-1")
    header = json.loads((acme / "inventory.json").read_text())
    header["scopes"] = [
        one
        for one in header["scopes"]
        if (one["account"], one["region"]) != ("222222222222", "eu-central-1")
    ]
    (acme / "inventory.json").write_text(json.dumps(header))
    ran = drift(capfd, acme)
    assert ran.code == ExitCode.PARTIAL
    assert ran.out.startswith("Drift: 1 error")
    assert "1 of 5 locations could not be read" in ran.out


def test_the_time_can_be_given(capfd: Capture) -> None:
    ran = drift(capfd, ACME, "-at", "2026-11-21T02:30:00Z", "-json")
    assert json.loads(ran.out)["as_of"] == "2026-11-21T02:30:00Z"
    assert drift(capfd, ACME, "-at", "tomorrow").code == ExitCode.USAGE


@pytest.mark.parametrize("flag", ["format", "shares"])
def test_a_choice_that_there_is_not_is_wrong_usage(
    flag: str, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert drift(capfd, ACME, f"-{flag}", "loud").code == ExitCode.USAGE
    monkeypatch.setenv(f"ENGINE_{flag.upper()}", "loud")
    ran = drift(capfd, ACME)
    assert ran.code == ExitCode.USAGE
    assert f"ENGINE_{flag.upper()}" in ran.err


def test_a_plan_shows_the_same(acme: Path, capfd: Capture) -> None:
    arn = change(acme, untag)
    words = (str(REPOSITORY / "policies"), "-inventory", str(acme))
    plan = json.loads(run(capfd, "plan", *words, "-json").out)
    alone = json.loads(drift(capfd, acme, "-json").out)
    assert plan["drift"] == alone["drift"]
    assert [one["arn"] for one in plan["drift"]] == [arn]
    assert "Drift: 1 error" in run(capfd, "plan", *words).out
