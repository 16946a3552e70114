"""`engine`: finds the command's module, parses its arguments, turns errors into exit codes."""

from __future__ import annotations

import argparse
import difflib
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn, Protocol

from engine.errors import EngineError, ExitCode, UsageError

COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("engine.cli.init", "write a commented starter repository"),
    "validate": ("engine.cli.validate", "check documents, all errors at once"),
    "plan": ("engine.cli.plan", "show what apply would do, and why"),
    "simulate": ("engine.cli.simulate", "play the days to come on a virtual clock"),
    "drift": ("engine.cli.drift", "show what is not as the engine left it; read-only"),
    "audit": ("engine.cli.audit", "judge objectives and controls; read-only"),
    "show": ("engine.cli.show", "show a saved plan, or the effective terms of a policy"),
    "apply": ("engine.cli.apply", "do what a plan says"),
    "adopt": ("engine.cli.adopt", "bring snapshots of other tools under a policy"),
    "snapshot": ("engine.cli.snapshot", "make a point now, before a risky change"),
    "pin": ("engine.cli.pin", "keep snapshots whatever rules say"),
    "unpin": ("engine.cli.unpin", "let rules decide again about what was pinned"),
    "runs": ("engine.cli.runs", "show what runs did"),
    "lock": ("engine.cli.lock", "show who holds the lock, or release it"),
    "retention": ("engine.cli.retention", "try keep rules on a list of times"),
    "inventory": ("engine.cli.inventory", "record what exists, for plans without credentials"),
    "accounts": ("engine.cli.accounts", "keep a document of the organization's accounts"),
    "schema": ("engine.cli.schema", "print the JSON Schema of a kind of document"),
    "iam-policy": ("engine.cli.iam_policy", "print what roles and keys must allow"),
    "lab": ("engine.cli.lab", "run the AWS stand-in on loopback"),
    "version": ("engine.cli.version", "print the version"),
}

EPILOG = """\
exit codes (of several the first in this order):
  130 interrupted     64 wrong usage      1 error           11 lock held
    5 stale plan       3 a step failed or a location could not be read
    4 withheld by a guard                 7 stopped by -max-duration
    6 an objective or control is broken   2 changes present  0 done
  plan gives 2, 4 and 6 only with -detailed-exitcode; drift gives 2, audit 3 and 6.

Flags take one dash or two; each has a variable: -policies is ENGINE_POLICIES.
`engine COMMAND -help` explains a command.
"""


class Command(Protocol):
    """What a command's module offers."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command's arguments."""

    def run(self, args: argparse.Namespace) -> int:
        """Do it; return the exit code."""


class Parser(argparse.ArgumentParser):
    """An argument parser whose wrong-usage exit does not collide with "changes present".

    Its help takes one dash or two, and so does that of the words behind it.
    """

    def __init__(self, *, add_help: bool = True, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, add_help=False, **settings)
        if add_help:
            self.add_argument("-h", "-help", "--help", action="help", help="show this text")

    def error(self, message: str) -> NoReturn:
        """Print the usage and the fault; exit 64."""
        self.print_usage(sys.stderr)
        self.exit(int(ExitCode.USAGE), f"{self.prog}: {message}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the process's exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        return _run(words)
    except EngineError as error:
        sys.stderr.write(f"engine: {error}\n")
        return int(error.exit_code)
    except BrokenPipeError:
        # The reader of our output left (`engine plan | head`): nothing is wrong with the run.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(ExitCode.OK)
    except KeyboardInterrupt:
        sys.stderr.write("engine: interrupted\n")
        return int(ExitCode.INTERRUPTED)


def _run(words: list[str]) -> int:
    name = words[0] if words else "-help"
    if name.startswith("-") or name not in COMMANDS:
        return _front_door(words)
    module, summary = COMMANDS[name]
    command: Command = importlib.import_module(module)
    parser = Parser(
        prog=f"engine {name}",
        description=summary,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_arguments(parser)
    return int(command.run(_parse(parser, words[1:])))


def _front_door(words: list[str]) -> int:
    if words and words[0] in {"-version", "--version"}:
        return _run(["version", *words[1:]])
    listing = "\n".join(f"  {name:<11} {summary}" for name, (_, summary) in COMMANDS.items())
    parser = Parser(
        prog="engine",
        usage="engine COMMAND [ARGUMENTS]",
        description=f"Terraform for database backups.\n\ncommands:\n{listing}",
        epilog=EPILOG,
        add_help=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    if not words:
        parser.print_help()
        return int(ExitCode.USAGE)
    if words[0] in {"-h", "-help", "--help"}:
        parser.print_help()
        return int(ExitCode.OK)
    near = difflib.get_close_matches(words[0], COMMANDS, n=1)
    fix = f"did you mean `{near[0]}`?" if near else "`engine -help` lists the commands"
    raise UsageError(f"there is no command `{words[0]}`", fix=fix)


def _parse(parser: argparse.ArgumentParser, words: Sequence[str]) -> argparse.Namespace:
    """Parse the words; ENGINE_* stands in for each flag that they do not give."""
    lists: dict[str, list[str]] = {}
    for action in parser._actions:
        flag = next((o for o in action.option_strings if o.startswith("--")), None)
        if flag is None or isinstance(action, argparse._HelpAction):
            continue
        value = os.environ.get("ENGINE_" + flag.lstrip("-").upper().replace("-", "_"))
        if value is None:
            continue
        if action.nargs == 0:
            if value.lower() in {"1", "true", "yes"}:
                action.default = action.const
        elif action.nargs in {"*", "+"} or isinstance(action, argparse._AppendAction):
            lists[action.dest] = value.split()
        else:
            action.default = value
    args = parser.parse_args(words)
    for name, values in lists.items():
        if not getattr(args, name):
            setattr(args, name, values)
    return args


if __name__ == "__main__":
    sys.exit(main())
