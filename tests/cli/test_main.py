"""The front door: finding commands, flags, variables, exit codes."""

from __future__ import annotations

import argparse
import itertools
import subprocess
import sys

import pytest

from engine.cli.main import COMMANDS, EPILOG, Parser, main
from engine.errors import PRECEDENCE, ExitCode, worst


def test_help_lists_every_command_and_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    for flag in ("-h", "-help", "--help"):
        assert main([flag]) == ExitCode.OK
        printed = capsys.readouterr().out
        assert all(f"\n  {name} " in printed for name in COMMANDS)
        assert all(f"{int(code)} " in EPILOG for code in ExitCode)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "-help"])
    assert ended.value.code == 0
    assert COMMANDS[command][1] in capsys.readouterr().out


def test_no_command_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == ExitCode.USAGE
    assert "engine COMMAND" in capsys.readouterr().out


def test_an_unknown_command_names_the_one_that_was_meant(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["plann"]) == ExitCode.USAGE
    assert "did you mean `plan`?" in capsys.readouterr().err
    assert main(["frobnicate"]) == ExitCode.USAGE
    assert "lists the commands" in capsys.readouterr().err


def test_an_unknown_flag_is_wrong_usage_not_changes_present() -> None:
    with pytest.raises(SystemExit) as ended:
        main(["plan", "-nonsense"])
    assert ended.value.code == ExitCode.USAGE


@pytest.mark.parametrize("flag", ["-json", "--json"])
def test_flags_take_one_dash_or_two(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version", flag]) == ExitCode.OK
    assert '"version"' in capsys.readouterr().out


def test_a_variable_stands_in_for_a_flag(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ENGINE_JSON", "1")
    assert main(["version"]) == ExitCode.OK
    assert '"version"' in capsys.readouterr().out
    monkeypatch.setenv("ENGINE_JSON", "0")
    assert main(["version"]) == ExitCode.OK
    assert "engine 0" in capsys.readouterr().out


def test_a_flag_wins_over_its_variable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ENGINE_KEEP", "daily=1")
    monkeypatch.setenv("ENGINE_TIMES", "/dev/null")
    main(["retention", "-keep", "last=3"])
    printed = capsys.readouterr()
    assert "twice" not in printed.err


def test_an_interrupt_exits_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(args: argparse.Namespace) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("engine.cli.version.run", interrupted)
    assert main(["version"]) == ExitCode.INTERRUPTED
    assert "interrupted" in capsys.readouterr().err


def test_a_reader_that_leaves_is_no_failure() -> None:
    command = f"{sys.executable} -m engine --help | true; exit ${{PIPESTATUS[0]}}"
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_of_several_codes_the_first_of_the_contract_counts() -> None:
    assert list(PRECEDENCE) == [130, 64, 1, 11, 5, 3, 4, 7, 6, 2, 0]
    assert set(PRECEDENCE) == set(ExitCode)
    for first, second in itertools.combinations(PRECEDENCE, 2):
        assert worst({second, first}) is first
    assert worst(set()) is ExitCode.OK


def test_usage_errors_of_the_parser_exit_64(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        Parser(prog="engine x").error("no")
    assert ended.value.code == ExitCode.USAGE
    assert "engine x: no" in capsys.readouterr().err


def test_help_loads_nothing_heavy() -> None:
    program = (
        "import sys; from engine.cli.main import main; main(['-help']);"
        "sys.exit(any(m in sys.modules for m in "
        "('boto3', 'botocore', 'networkx', 'jsonschema', 'rich', 'yaml', 'msgspec', 'moto')))"
    )
    ended = subprocess.run([sys.executable, "-c", program], stdout=subprocess.DEVNULL, check=False)
    assert ended.returncode == 0
