"""`engine show PLAN`, as a process would run it."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.cli.main import main
from engine.errors import ExitCode
from engine.plans.json_form import dumps
from engine.reports.dot import plan_as_dot
from engine.reports.html.report_page import plan_as_html
from engine.reports.markdown import plan_as_markdown
from engine.reports.mermaid import plan_as_mermaid
from engine.reports.screen import Screen
from engine.reports.text import plan_as_text
from tests.plans.samples import hostile, small

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def saved(tmp_path: Path) -> str:
    path = tmp_path / "plan.json"
    path.write_bytes(dumps(small()))
    return str(path)


def test_a_plan_is_shown_as_text(saved: str, capsys: Capture) -> None:
    assert main(["show", saved]) == ExitCode.OK
    assert capsys.readouterr().out == plan_as_text(small(), Screen())


@pytest.mark.parametrize("flag", ["-full", "--full"])
def test_full_unfolds(saved: str, flag: str, capsys: Capture) -> None:
    assert main(["show", saved, flag]) == ExitCode.OK
    assert capsys.readouterr().out == plan_as_text(small(), Screen(), full=True)


def test_json_is_the_document_itself(saved: str, capsys: Capture) -> None:
    assert main(["show", "-format=json", saved]) == ExitCode.OK
    assert capsys.readouterr().out == Path(saved).read_text(encoding="utf-8")


def test_markdown_is_what_a_pull_request_shows(saved: str, capsys: Capture) -> None:
    assert main(["show", saved, "--format", "markdown"]) == ExitCode.OK
    assert capsys.readouterr().out == plan_as_markdown(small())


@pytest.mark.parametrize(
    ("form", "report"),
    [("html", plan_as_html), ("dot", plan_as_dot), ("mermaid", plan_as_mermaid)],
)
@pytest.mark.parametrize("full", [False, True])
def test_pages_and_graphs_are_written_as_they_are(
    saved: str, form: str, report: Callable[..., str], full: bool, capsys: Capture
) -> None:
    assert main(["show", saved, "-format", form, *(["-full"] if full else [])]) == ExitCode.OK
    assert capsys.readouterr().out == report(small(), full=full)


def test_a_plan_is_read_from_standard_input(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(dumps(hostile()))))
    assert main(["show", "-"]) == ExitCode.OK
    assert capsys.readouterr().out == plan_as_text(hostile(), Screen())


def test_a_format_comes_from_the_environment(
    saved: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENGINE_FORMAT", "json")
    assert main(["show", saved]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["estate"] == "acme"
    monkeypatch.setenv("ENGINE_FORMAT", "poem")
    assert main(["show", saved]) == ExitCode.USAGE
    assert "ENGINE_FORMAT: there is no format poem" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["show", "one.json", "two.json"],
        ["show", "policy", "gold", "silver"],
        ["show", "policy", "gold", "-format", "markdown"],
        ["show", "policy", "gold", "-format", "html"],
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(words: list[str], capsys: Capture) -> None:
    assert main(words) == ExitCode.USAGE
    seen = capsys.readouterr()
    assert seen.out == ""
    assert "to do: " in seen.err


def test_a_file_that_is_no_plan_is_an_error_with_a_way_out(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "estate.yaml"
    path.write_text("version: 1\nkind: estate\n", encoding="utf-8")
    assert main(["show", str(path)]) == ExitCode.ERROR
    assert capsys.readouterr().err == (
        f"engine: {path}:1:1: this is not a plan: it is not JSON\n"
        "  because: JSON is malformed: invalid character\n"
        "  to do: make the plan anew with `engine plan -out FILE`\n"
    )


def test_an_edited_plan_is_stale(saved: str, capsys: Capture) -> None:
    path = Path(saved)
    path.write_bytes(path.read_bytes().replace(b"KmsKeyId", b"KmsKeyID"))
    assert main(["show", saved]) == ExitCode.STALE
    assert "not those it was made with" in capsys.readouterr().err


@pytest.mark.parametrize("path", ["missing.json", ".", "a\x00b"])
def test_a_path_that_cannot_be_read_is_an_error(
    path: str, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["show", path]) == ExitCode.ERROR
    assert "the plan cannot be read" in capsys.readouterr().err


def test_a_file_named_policy_can_still_be_shown(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("policy").write_bytes(dumps(small()))
    assert main(["show", "policy"]) == ExitCode.OK
    assert capsys.readouterr().out.startswith("Plan: 4 to create")
