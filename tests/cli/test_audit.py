"""`engine audit` over recordings: exit codes, forms, files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest

from engine.errors import ExitCode
from tests.cli.running import Ran, run

Capture = pytest.CaptureFixture[str]
REPOSITORY = Path(__file__).parents[2]
ACME = REPOSITORY / "tests" / "recordings" / "acme"
EXAMPLE = str(REPOSITORY / "docs" / "examples" / "auditing")
STRICT = """\
version: 1
kind: controls
controls:
  - {id: covered, title: all is backed up, require: {covered: true}}
  - {id: shares, require: {no_foreign_shares: true}}
"""


def audit(capfd: Capture, *words: str, paths: tuple[str, ...] = (EXAMPLE,), days: str = "0") -> Ran:
    """Run it; days are played only by the test that is about them, since that takes a second."""
    return run(capfd, "audit", *paths, "-inventory", str(ACME), "-days", days, *words)


@pytest.fixture
def strict(tmp_path: Path) -> tuple[str, str]:
    """The example repository with controls that its recording breaks, or says nothing of."""
    (tmp_path / "controls.yaml").write_text(STRICT)
    return str(REPOSITORY / "policies"), str(tmp_path / "controls.yaml")


def test_what_holds_exits_0_and_is_told(capfd: Capture) -> None:
    ran = audit(capfd)
    assert (ran.code, ran.err) == (ExitCode.OK, "")
    assert ran.out.startswith("Audit: 6 controls: 1 excepted, 5 passed; objectives: none broken")
    assert max(len(line) for line in ran.out.splitlines()) <= 80
    assert "orders-ledger: points" not in ran.out
    assert "orders-ledger: points younger than 8d in 2 accounts" in " ".join(
        audit(capfd, "-full").out.split()
    )


def test_what_is_not_known_exits_3_though_something_is_broken(
    capfd: Capture, strict: tuple[str, str]
) -> None:
    ran = audit(capfd, paths=strict)
    assert ran.code == ExitCode.PARTIAL
    assert "Broken: 1 control" in ran.out
    assert "Not judged: 1 control" in ran.out


def test_what_is_broken_exits_6(capfd: Capture, tmp_path: Path) -> None:
    control = STRICT.replace("  - {id: shares, require: {no_foreign_shares: true}}\n", "")
    (tmp_path / "controls.yaml").write_text(control)
    paths = (str(REPOSITORY / "policies"), str(tmp_path / "controls.yaml"))
    ran = audit(capfd, "-json", paths=paths)
    assert ran.code == ExitCode.OBJECTIVE_BROKEN
    (told,) = json.loads(ran.out)["controls"]
    assert told["written"]["line"] == 4
    broken = [one["source"]["identifier"] for one in told["rulings"] if one["status"] == "broken"]
    assert broken == ["orders-scratch", "tmp-import"]


def test_a_broken_objective_exits_6_in_audits_and_plans(capfd: Capture) -> None:
    later = ("-at", "2026-11-23T01:30:00Z")
    ran = audit(capfd, *later, "-format", "markdown")
    assert ran.code == ExitCode.OBJECTIVE_BROKEN
    assert "#### Objectives: 6 broken of 6" in ran.out
    words = ("plan", EXAMPLE, "-inventory", str(ACME), *later)
    plan = run(capfd, *words, "-detailed-exitcode")
    assert plan.code == ExitCode.OBJECTIVE_BROKEN
    assert "gold: RPO of 26h broken" in plan.out
    assert run(capfd, *words).code == ExitCode.OK
    document = json.loads(run(capfd, *words, "-json").out)["objectives"]
    assert (document["broken"], len(document["told"])) == (6, 6)


@pytest.mark.parametrize("name", ["text", "json", "markdown", "sarif", "junit"])
def test_each_form_is_written_to_a_file_as_it_is_printed(
    name: str, capfd: Capture, tmp_path: Path
) -> None:
    printed = audit(capfd, "-format", name)
    written = audit(capfd, "-format", name, "-out", str(tmp_path / "out"))
    assert (written.code, written.out) == (ExitCode.OK, "")
    assert (tmp_path / "out").read_text(encoding="utf-8") == printed.out


def test_sarif_and_junit_are_what_they_are_called(capfd: Capture) -> None:
    log = json.loads(audit(capfd, "-format", "sarif").out)
    assert log["version"] == "2.1.0"
    assert len(log["runs"][0]["tool"]["driver"]["rules"]) == 8
    root = ElementTree.fromstring(audit(capfd, "-format", "junit").out)
    assert (root.get("failures"), root.get("skipped")) == ("0", "1")


def test_a_location_that_was_not_read_exits_3(capfd: Capture, tmp_path: Path) -> None:
    shutil.copytree(ACME, tmp_path / "acme")
    header = json.loads((tmp_path / "acme" / "inventory.json").read_text())
    lost = ("222222222222", "eu-central-1")
    shutil.rmtree(tmp_path / "acme" / lost[0] / lost[1])
    kept = [one for one in header["scopes"] if (one["account"], one["region"]) != lost]
    header["scopes"] = kept
    (tmp_path / "acme" / "inventory.json").write_text(json.dumps(header))
    ran = run(capfd, "audit", EXAMPLE, "-inventory", str(tmp_path / "acme"), "-days", "0")
    assert ran.code == ExitCode.PARTIAL
    assert "2 unknown of 6" in ran.out
    assert "points younger than 8d in 2 accounts and 1 region" in " ".join(ran.out.split())


@pytest.mark.parametrize("flag", ["format", "shares"])
def test_a_choice_that_there_is_not_is_wrong_usage(
    flag: str, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert audit(capfd, f"-{flag}", "loud").code == ExitCode.USAGE
    monkeypatch.setenv(f"ENGINE_{flag.upper()}", "loud")
    ran = audit(capfd)
    assert ran.code == ExitCode.USAGE
    assert f"ENGINE_{flag.upper()}" in ran.err


def test_a_time_that_is_none_is_wrong_usage(capfd: Capture) -> None:
    assert audit(capfd, "-at", "tomorrow").code == ExitCode.USAGE


def test_disturbances_are_played_and_those_that_cost_too_much_exit_6(
    capfd: Capture, tmp_path: Path
) -> None:
    text = (Path(EXAMPLE) / "all.yaml").read_text()
    text = text.replace("[one_failover, missed_runs: 1h]", "[missed_runs: 2h]")
    (tmp_path / "all.yaml").write_text(text)
    ran = audit(capfd, "-format", "json", paths=(str(tmp_path),), days="4")
    assert ran.code == ExitCode.OBJECTIVE_BROKEN
    document = json.loads(ran.out)
    assert (document["days"], document["summary"]["disturbances_broken"]) == (4, 4)
    places = [one["survival"]["location"]["account"] for one in document["survivals"]]
    assert places.count("222222222222") == 4


@pytest.mark.parametrize("days", ["3", "61", "-1", "many"])
def test_days_that_cannot_be_played_are_wrong_usage(capfd: Capture, days: str) -> None:
    assert audit(capfd, days=days).code == ExitCode.USAGE
