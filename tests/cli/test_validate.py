"""`engine validate`: formats, exit codes, inventory."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.cli.findings import Findings, to_github, to_json, to_sarif, to_text
from engine.documents.diagnostics import Code, Diagnostic
from engine.documents.model import Place
from engine.plans.plan import Warned
from tests.cli.running import run
from tests.documents.writing import COPIES, ESTATE, documents, policy

Capture = pytest.CaptureFixture[str]
BAD = documents(ESTATE, policy(f"{COPIES}retenton: 7\n"))
WARNS = documents(ESTATE, policy(""))
GOOD = documents(ESTATE, policy())

FINDINGS = Findings(
    diagnostics=(
        Diagnostic(
            Code.UNKNOWN_KEY,
            "there is no key `a,b`",
            Place("policies/x.yaml", 3, 5),
            detail="100 % wrong",
            fix="did you mean `b`?",
            width=3,
            line="    a,b: 1",
        ),
        Diagnostic(
            Code.UNUSED_TARGET, "no policy copies to `near`", Place("x.yaml", 9, 3), width=4
        ),
        Diagnostic(Code.NO_ESTATE, "no document is the estate"),
    ),
    warned=(
        Warned(
            "E301 two-policies", "error", "both select it", "prod/eu-west-1/a", "gold", "choose"
        ),
        Warned("W310 quota", "warning", "too many"),
        Warned("W399 other", "warning", "of a policy", None, "gold"),
    ),
    policies=2,
)


@pytest.mark.parametrize(
    ("render", "name"),
    [(to_text, "txt"), (to_json, "json"), (to_github, "github"), (to_sarif, "sarif")],
)
def test_each_format(
    render: Callable[[Findings], str], name: str, golden: Callable[[str, str], None]
) -> None:
    golden(f"findings.{name}", render(FINDINGS))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policies").mkdir()
    return tmp_path / "policies"


@pytest.mark.parametrize(
    ("text", "flags", "code", "last"),
    [
        (GOOD, (), 0, "1 policy, nothing wrong"),
        (GOOD, ("-strict",), 0, "1 policy, nothing wrong"),
        (WARNS, (), 0, "0 errors, 1 warning"),
        (WARNS, ("-strict",), 1, "0 errors, 1 warning"),
        (BAD, (), 1, "1 error, 0 warnings"),
    ],
)
def test_exit_code_and_count(
    folder: Path, capfd: Capture, text: str, flags: tuple[str, ...], code: int, last: str
) -> None:
    (folder / "a.yaml").write_text(text)
    ran = run(capfd, "validate", *flags)
    assert (ran.code, ran.err) == (code, "")
    assert ran.out.splitlines()[-1] == last


def test_what_is_wrong_is_shown_with_its_line_and_a_way_out(folder: Path, capfd: Capture) -> None:
    (folder / "a.yaml").write_text(BAD)
    assert run(capfd, "validate").out.startswith(
        "policies/a.yaml:19:1: error E101 unknown-key: there is no key `retenton`\n"
        "  19 | retenton: 7\n"
        "     | ^^^^^^^^\n"
    )


def test_paths_are_arguments_or_follow_a_flag(folder: Path, capfd: Capture) -> None:
    (folder / "good.yaml").write_text(GOOD)
    (folder / "more.yaml").write_text(policy(name="more"))
    for words in (
        ("policies/good.yaml", "policies/more.yaml"),
        ("-policies", "policies/good.yaml", "policies/more.yaml"),
        ("--policies", "policies"),
    ):
        assert run(capfd, "validate", *words).out == "2 policies, nothing wrong\n"


def test_json_says_where_and_what(folder: Path, capfd: Capture) -> None:
    (folder / "a.yaml").write_text(BAD)
    told = json.loads(run(capfd, "validate", "-format", "json").out)
    assert (told["valid"], told["errors"]) == (False, 1)
    (one,) = told["diagnostics"]
    assert (one["code"], one["file"], one["line"], one["column"], one["snippet"]) == (
        "E101",
        "policies/a.yaml",
        19,
        1,
        "retenton: 7",
    )


def test_a_missing_folder_is_an_error_like_any_other(capfd: Capture, tmp_path: Path) -> None:
    ran = run(capfd, "validate", str(tmp_path / "nothing"))
    assert ran.code == 1
    assert "E108 unreadable" in ran.out


def test_an_unknown_format_is_wrong_usage(
    folder: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.yaml").write_text(GOOD)
    assert run(capfd, "validate", "-format", "xml").code == 64
    monkeypatch.setenv("ENGINE_FORMAT", "xml")
    ran = run(capfd, "validate")
    assert ran.code == 64
    assert "ENGINE_FORMAT" in ran.err


def test_the_inventory_warns_but_never_makes_documents_invalid(
    folder: Path, capfd: Capture, tmp_path: Path
) -> None:
    twice = policy(name="silver")
    (folder / "a.yaml").write_text(documents(GOOD, twice))
    inventory = tmp_path / "inventory" / "111111111111" / "eu-west-1"
    inventory.mkdir(parents=True)
    instance = {
        "DBInstanceIdentifier": "orders",
        "DbiResourceId": "db-ORDERS",
        "DBInstanceArn": "arn:aws:rds:eu-west-1:111111111111:db:orders",
        "DBInstanceStatus": "available",
        "Engine": "postgres",
        "StorageEncrypted": False,
        "AllocatedStorage": 20,
        "BackupRetentionPeriod": 0,
    }
    (inventory / "describe-db-instances.json").write_text(json.dumps({"DBInstances": [instance]}))
    words = ("validate", "-inventory", str(tmp_path / "inventory"), "-at", "2026-11-21T02:10:00Z")
    ran = run(capfd, *words)
    assert ran.code == 0
    assert "E301 two-policies" in ran.out
    told = json.loads(run(capfd, *words, "-format", "json").out)
    assert told["valid"]
    assert {one["policy"] for one in told["inventory"]} >= {"gold"}


def test_with_errors_the_inventory_is_not_looked_at(folder: Path, capfd: Capture) -> None:
    (folder / "a.yaml").write_text(BAD)
    assert run(capfd, "validate", "-inventory", "nothing").code == 1


def test_a_policy_takes_a_fifth_of_a_second_and_a_thousand_take_a_second_and_a_half(
    folder: Path,
) -> None:
    (folder / "a.yaml").write_text(GOOD)
    assert cheapest(3) < 0.2 * PATIENCE
    for number in range(1000):
        (folder / f"{number}.yaml").write_text(
            policy(COPIES.replace("daily: 7", f"daily: {7 + number % 90}"), f"policy-{number}")
        )
    assert cheapest(2) < 1.6 * PATIENCE


# Processor time on a machine that does other things too.
PATIENCE = 2


def cheapest(tries: int) -> float:
    """Return the least processor time that `engine validate` took, its start included."""
    times = []
    for _ in range(tries):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [sys.executable, "-m", "engine", "validate"],
            check=False,
            capture_output=True,
            text=True,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.endswith("nothing wrong\n")
    return min(times)
