"""`engine iam-policy`: the least that roles and keys must allow for these documents."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from engine.cli.inputs import add_policies, read_documents
from engine.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from engine.permissions.estate import AccountPermissions, EstatePermissions
    from engine.permissions.statements import Policy, Statement

FORMAT_VERSION = "1.0"
PARTS = ("role", "read_role", "trust", "keys")
_PRINCIPAL = re.compile(r"arn:aws(-cn|-us-gov)?:iam::\d{12}:(root|(role|user)/[\w+=,.@/-]+)")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_policies(parser)
    parser.add_argument(
        "-format", "--format", choices=["json", "text"], default="json", help="default: json"
    )
    parser.add_argument(
        "-account", "--account", metavar="NAME", help="only this account, by name or id"
    )
    parser.add_argument(
        "-role",
        "--role",
        choices=PARTS,
        help="only this document of one account, as `aws iam put-role-policy` takes it",
    )
    parser.add_argument(
        "-principal",
        "--principal",
        metavar="ARN",
        help="who runs the engine: a role, a user or an account's root",
    )


def run(args: argparse.Namespace) -> int:
    """Print what the accounts must allow."""
    from engine.permissions.estate import permissions_of

    _insist_on_sense(args)
    documents = read_documents(args)
    found = permissions_of(documents, args.principal, documents.estate.state)
    accounts = _chosen(found, args.account)
    for one in accounts:
        for text in one.too_long():
            sys.stderr.write(f"engine: warning: {text}\n")
    if args.principal is None and args.role in {None, "trust"}:
        sys.stderr.write(
            f"engine: {found.principal} stands for whoever runs the engine: name it by -principal\n"
        )
    if args.role is not None:
        _write_json(_part(accounts, args.role))
    elif args.format == "json":
        _write_json(_all_words(found, accounts))
    else:
        sys.stdout.write("".join(f"{line}\n" for line in _lines(found, accounts)))
    return int(ExitCode.OK)


def _insist_on_sense(args: argparse.Namespace) -> None:
    if args.principal is not None and not _PRINCIPAL.fullmatch(args.principal):
        raise UsageError(
            f"-principal {args.principal}: not the ARN of a role, a user or an account",
            fix="write it like arn:aws:iam::111111111111:role/scheduler",
        )
    if args.role is not None and args.format == "text":
        raise UsageError("-role prints a document for AWS", fix="leave out -format text")


def _chosen(found: EstatePermissions, named: str | None) -> tuple[AccountPermissions, ...]:
    if named is None:
        return found.accounts
    chosen = tuple(one for one in found.accounts if named in {one.account.name, one.account.id})
    if not chosen:
        names = ", ".join(sorted(one.account.name for one in found.accounts))
        raise UsageError(f"-account {named}: the estate has no such account", fix=f"name {names}")
    return chosen


# -- JSON ----------------------------------------------------------------------------------------


def _all_words(
    found: EstatePermissions, accounts: tuple[AccountPermissions, ...]
) -> dict[str, Any]:
    return {
        "format_version": FORMAT_VERSION,
        "estate": found.estate,
        "principal": found.principal,
        "accounts": {
            one.account.id: {"name": one.account.name} | {part: _words(one, part) for part in PARTS}
            for one in accounts
        },
        "caller": found.caller.document(),
    }


def _part(accounts: tuple[AccountPermissions, ...], part: str) -> Any:
    if len(accounts) != 1:
        raise UsageError("-role is about one account", fix="name it by -account")
    words = _words(accounts[0], part)
    if words is None:
        name = accounts[0].account.name
        raise UsageError(
            f"account {name} has no {part}",
            why="the documents name no such role for it, or nothing that it would have to allow",
            fix="ask for another part; `-format text` shows all there are",
        )
    return words


def _words(one: AccountPermissions, part: str) -> Any:
    match part:
        case "role":
            return None if one.role is None else one.role.document()
        case "read_role":
            return None if one.read_role is None else one.read_role.document()
        case "trust":
            return None if one.trust is None else one.trust.document()
        case _:
            return {key: [each.document() for each in found] for key, found in one.keys.items()}


def _write_json(words: Any) -> None:
    sys.stdout.write(json.dumps(words, indent=2) + "\n")


# -- text ----------------------------------------------------------------------------------------


def _lines(found: EstatePermissions, accounts: tuple[AccountPermissions, ...]) -> Iterator[str]:
    yield f"estate {found.estate}"
    yield from _policy_lines(f"whoever runs the engine, {found.principal}", found.caller)
    for one in accounts:
        account = one.account
        title = f"account {account.name} ({account.id})"
        yield from ("", title, "=" * len(title))
        if one.role is not None:
            yield from _policy_lines(f"role {account.role or '(own credentials)'}", one.role)
        if one.read_role is not None:
            yield from _policy_lines(f"read_role {account.read_role}", one.read_role)
        if one.trust is not None:
            yield from _policy_lines("trust policy of its roles", one.trust)
        for key, statements in one.keys.items():
            yield from _section_lines(f"policy of {key}, beside what it says now", statements)


def _policy_lines(heading: str, policy: Policy) -> Iterator[str]:
    yield from _section_lines(heading, policy.statements)


def _section_lines(heading: str, statements: tuple[Statement, ...]) -> Iterator[str]:
    yield from ("", heading, "-" * len(heading))
    for one in statements:
        yield f"{one.sid}: {one.reason}"
        for word, values in (
            ("who", one.principals),
            ("may", one.actions),
            ("on", one.resources),
            ("if", tuple(_tests(one))),
        ):
            lead = f"  {word:<4}"
            for value in values:
                yield f"{lead}{value}"
                lead = " " * len(lead)


def _tests(one: Statement) -> Iterator[str]:
    for operator, tests in one.conditions.items():
        for name, wanted in tests.items():
            values = wanted if isinstance(wanted, str) else ", ".join(wanted)
            yield f"{name} {operator} {values}"
