from __future__ import annotations

from pathlib import Path

import pytest

from engine.cli.main import main
from engine.errors import ExitCode
from engine.inventory.recorded import read_inventory
from engine.inventory.records import Location, ScopeStatus
from tests.aws import scripted_aws as scripted
from tests.aws.scripted_aws import ScriptedAws
from tests.inventory.test_live import HERE, NOW, PROD, VAULT, answer_everything

ESTATE = f"""\
version: 1
kind: estate
name: acme
account_defaults: {{role: backup-engine, regions: [eu-west-1]}}
accounts:
  prod: {{id: "{PROD}"}}
  vault: {{id: "{VAULT}"}}
"""


@pytest.fixture
def documents(tmp_path: Path) -> str:
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "estate.yaml").write_text(ESTATE)
    return str(folder)


def answer_both_accounts(aws: ScriptedAws) -> None:
    answer_everything(aws)
    aws.on(
        "AssumeRole",
        lambda asked: scripted.granted("KEY" + asked.parameters["RoleArn"].split(":")[4]),
    )
    aws.on(
        "GetCallerIdentity",
        lambda asked: scripted.identity(asked.access_key.removeprefix("KEY")),
    )


def test_export_records_what_a_plan_can_later_be_made_from(
    aws: ScriptedAws, documents: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer_both_accounts(aws)
    folder = tmp_path / "inv"
    words = ["inventory", "export", str(folder), "-policies", documents]

    code = main([*words, "-at", "2026-11-21T02:10:00Z"])

    assert code == ExitCode.OK
    assert capsys.readouterr().out == f"{folder}: 2 locations, 2 instances, 2 snapshots\n"
    inventory = read_inventory(folder)
    assert inventory.taken_at == NOW
    assert [i.identifier for i in inventory.scope(HERE).instances or ()] == ["orders"]


def test_export_names_what_it_could_not_read_and_says_so_in_its_exit_code(
    aws: ScriptedAws, documents: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer_both_accounts(aws)
    aws.on(
        "AssumeRole",
        lambda asked: (
            scripted.granted(f"KEY{PROD}")
            if PROD in asked.parameters["RoleArn"]
            else scripted.error("AccessDenied", "not trusted", 403)
        ),
    )
    folder = tmp_path / "inv"

    code = main(["inventory", "export", str(folder), "-policies", documents])

    told = capsys.readouterr()
    assert code == ExitCode.PARTIAL
    cause = "AccessDenied on sts:AssumeRole: not trusted"
    assert f"engine: {VAULT}/eu-west-1 could not be read: {cause}" in told.err
    assert "2 locations, 1 of them incomplete" in told.out
    inventory = read_inventory(folder)
    assert inventory.scope(HERE).is_complete
    assert inventory.scope(Location(VAULT, "eu-west-1")).status is ScopeStatus.FAILED


def test_export_into_a_folder_with_other_things_asks_aws_nothing(
    aws: ScriptedAws, documents: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["inventory", "export", documents, "-policies", documents])

    assert code == ExitCode.ERROR
    assert "holds other things than a recording" in capsys.readouterr().err
    assert not aws.asked


def test_export_without_a_folder_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["inventory", "export"])
    assert caught.value.code == ExitCode.USAGE
    assert "DIR" in capsys.readouterr().err
