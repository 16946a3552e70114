"""A document of `kind: accounts` kept in step with an organization.

As few lines as possible change: names, settings and comments that people wrote there stay.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.documents.diagnostics import DocumentsError
from engine.documents.nodes import Entry, Table, plain
from engine.documents.parsing import parse
from engine.errors import EngineError

LONGEST_NAME = 64

_NEW_FILE = """\
# Kept in step with the organization by `engine accounts sync`.
version: 1
kind: accounts
accounts:
"""
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]+")


class AccountsFileError(EngineError):
    """A file that `engine accounts sync` cannot keep."""


@dataclass(frozen=True, slots=True)
class Synced:
    """The text that the file is to have, and the names of accounts that came and went."""

    text: str
    added: tuple[str, ...]
    removed: tuple[str, ...]


def accounts_in(text: str, file: str) -> dict[str, str]:
    """Return the ids of the accounts that the documents of a file name, by name.

    What cannot be read is passed over: `engine validate` is there to tell.
    """
    found: dict[str, str] = {}
    for root in parse(text, file).roots:
        below = root.get("accounts") if isinstance(root, Table) else None
        for name, entry in below.entries.items() if isinstance(below, Table) else ():
            account = _id_of(entry)
            if account is not None:
                found[name] = account
    return found


def sync(
    text: str | None, file: str, members: Mapping[str, str], elsewhere: Mapping[str, str]
) -> Synced:
    """Return the file with the organization's accounts, but for those that stand elsewhere.

    Args:
        text: what the file holds, None where there is none.
        file: its name.
        members: the names of the organization's active accounts by id.
        elsewhere: the ids of accounts that other documents name, by name.

    Raises:
        DocumentsError: the file is no YAML.
        AccountsFileError: it is not one document of kind accounts, one account per line or block.
    """
    table = None if text is None else _accounts(text, file)
    entries = [] if table is None else list(table.entries.values())
    wanted = {id: name for id, name in members.items() if id not in set(elsewhere.values())}
    kept = [entry for entry in entries if _id_of(entry) in wanted]
    there = {_id_of(entry) for entry in kept}
    taken = {*elsewhere, *(entry.key for entry in kept)}
    new = {}
    for id in sorted(wanted.keys() - there):
        name = _free_name(wanted[id], id, taken)
        taken.add(name)
        new[name] = id
    if text is None or not entries:
        lines = _NEW_FILE.splitlines(keepends=True) + _lines(new, 2)
        if not new:
            lines[-1] = "accounts: {}\n"
        return Synced("".join(lines), tuple(new), ())
    removed = tuple(entry.key for entry in entries if entry not in kept)
    edited = _edited(text, entries, kept, new)
    if parse(edited, file).diagnostics or set(accounts_in(edited, file).values()) != set(wanted):
        raise AccountsFileError(
            "is not written in a way that single accounts can be added to or taken from",
            where=file,
            fix='write one account per line, like `prod: {id: "111111111111"}`, without braces'
            " around all of them",
        )
    return Synced(edited, tuple(new), removed)


def _accounts(text: str, file: str) -> Table:
    parsed = parse(text, file)
    if parsed.diagnostics:
        raise DocumentsError(tuple(parsed.diagnostics))
    root = parsed.roots[0] if len(parsed.roots) == 1 else None
    data: Any = plain(root) if isinstance(root, Table) else {}
    table = root.get("accounts") if isinstance(root, Table) else None
    if data.get("kind") != "accounts" or not isinstance(table, Table):
        raise AccountsFileError(
            "is not one document of kind accounts",
            where=file,
            fix="name a file that does not exist yet; it will be made",
        )
    return table


def _id_of(entry: Entry) -> str | None:
    value = plain(entry.node)
    account = value.get("id") if isinstance(value, dict) else None
    return account if isinstance(account, str) else None


def _free_name(name: str, id: str, taken: set[str]) -> str:
    """Return a name for an account that policies can use and nobody has."""
    plain_name = _NOT_IN_NAMES.sub("-", name).strip("-._").lower()
    if not plain_name[:1].isalpha():
        plain_name = f"account-{plain_name or id}"
    short = plain_name[: LONGEST_NAME - len(id) - 1].rstrip("-.")
    return plain_name[:LONGEST_NAME] if plain_name[:LONGEST_NAME] not in taken else f"{short}-{id}"


def _lines(accounts: Mapping[str, str], indent: int) -> list[str]:
    return [f'{" " * indent}{name}: {{id: "{id}"}}\n' for name, id in accounts.items()]


def _edited(text: str, entries: list[Entry], kept: list[Entry], new: Mapping[str, str]) -> str:
    """Drop the lines of entries that are not kept; put new ones behind the last entry."""
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    indent = entries[0].column - 1
    starts = [entry.line - 1 for entry in entries]
    ends = [*starts[1:], _end_of_block(lines, starts[-1], indent)]
    gone = {
        number
        for entry, start, end in zip(entries, starts, ends, strict=True)
        if entry not in kept
        for number in range(start, _end_of_block(lines, start, indent, end))
    }
    before = [line for number, line in enumerate(lines[: ends[-1]]) if number not in gone]
    if not kept and not new:
        before = [re.sub(r"^accounts:.*", "accounts: {}", line) for line in before]
    return "".join([*before, *_lines(new, indent), *lines[ends[-1] :]])


def _end_of_block(lines: list[str], start: int, indent: int, limit: int | None = None) -> int:
    """Return the line behind the entry at `start`: where what is indented further ends."""
    number = start + 1
    end = number
    while number < (len(lines) if limit is None else limit):
        stripped = lines[number].strip()
        depth = len(lines[number]) - len(lines[number].lstrip())
        if stripped and depth <= indent:
            break
        number += 1
        if stripped:
            end = number
    return end
