"""`engine accounts sync FILE`: the organization's accounts as a document."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from engine.cli.inputs import add_policies_flag, document_paths
from engine.errors import EngineError, ExitCode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("word", choices=["sync"], metavar="sync", help="what to do")
    parser.add_argument("file", metavar="FILE", help="the document of kind accounts to keep")
    add_policies_flag(parser)


def run(args: argparse.Namespace) -> int:
    """Bring FILE in step with the organization; accounts that stand elsewhere stay there."""
    from engine.documents.accounts_file import sync

    file = Path(args.file)
    text = _text(file)
    elsewhere = _accounts_elsewhere(document_paths(args), file)

    from engine.aws.clients import Clients
    from engine.aws.organizations import list_members

    members = list_members(Clients("accounts-sync", ()).organizations())
    active = {member.id: member.name for member in members if member.is_active}
    synced = sync(text, args.file, active, elsewhere)
    if synced.text != text:
        _write(file, synced.text)
    for sign, names in (("+", synced.added), ("-", synced.removed)):
        for name in names:
            sys.stdout.write(f"{sign} {name}\n")
    sys.stdout.write(
        f"{args.file}: {len(synced.added)} added, {len(synced.removed)} removed;"
        f" the organization has {len(active)} active accounts\n"
    )
    return int(ExitCode.OK)


def _accounts_elsewhere(paths: Sequence[Path], file: Path) -> dict[str, str]:
    from engine.documents.accounts_file import accounts_in
    from engine.documents.files import read

    texts = read([path for path in paths if path.exists()])
    found: dict[str, str] = {}
    for name, text in texts.by_file.items():
        if Path(name).resolve() != file.resolve():
            found |= accounts_in(text, name)
    return found


def _text(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise EngineError("cannot be read", where=str(file), why=str(error)) from error


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise EngineError("cannot be written", where=str(file), why=str(error)) from error
