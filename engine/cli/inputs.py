"""What most commands start from: documents, the time of the run, what exists."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from engine.documents.model import Documents
from engine.errors import UsageError
from engine.inventory.records import Inventory

DEFAULT_POLICIES = "policies"
LONGEST_TAG_TEXT = 200


def add_policies(parser: argparse.ArgumentParser) -> None:
    """Declare where documents are read from: arguments, or -policies."""
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files and folders of documents")
    add_policies_flag(parser)


def add_policies_flag(parser: argparse.ArgumentParser) -> None:
    """Declare -policies, for commands whose arguments are something else."""
    parser.add_argument(
        "-policies",
        "--policies",
        nargs="+",
        metavar="PATH",
        help=f"files and folders of documents (default: {DEFAULT_POLICIES}/)",
    )


def document_paths(args: argparse.Namespace) -> Sequence[Path]:
    """Return where to read documents from: arguments win over -policies and its variable."""
    words = getattr(args, "paths", None) or args.policies or [DEFAULT_POLICIES]
    return [Path(word) for word in words]


def read_documents(args: argparse.Namespace) -> Documents:
    """Read and check the documents; an error in them ends the command."""
    from engine.documents.load import load_or_raise

    return load_or_raise(document_paths(args))


def check_choice(flag: str, variable: str, value: str, known: tuple[str, ...]) -> None:
    """Check a value that may come from a variable, which argparse does not hold to its choices.

    Raises:
        UsageError: it is none of those that are known.
    """
    if value not in known:
        raise UsageError(
            f"{flag} cannot be {value}", where=variable, fix=f"say one of {', '.join(known)}"
        )


def add_at(parser: argparse.ArgumentParser) -> None:
    """Declare -at."""
    parser.add_argument(
        "-at", "--at", metavar="TIME", help="plan as if it were this time (RFC 3339)"
    )


def parse_time(text: str, flag: str = "-at") -> datetime:
    """Return the time that a flag names, in UTC.

    Raises:
        UsageError: it is no RFC 3339 time with an offset.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = datetime.min  # noqa: DTZ901 - only its missing offset is looked at
    if moment.tzinfo is None:
        raise UsageError(
            f"{flag} {text}: not a time with an offset",
            fix="write it like 2026-11-21T02:10:00Z",
        )
    return moment.astimezone(UTC).replace(microsecond=0)


def parse_seconds(flag: str, text: str) -> float:
    """Return the seconds of a duration that a flag names.

    Raises:
        UsageError: it is none, or one without a fixed length.
    """
    from engine.retention.spans import Minutes, SpanError, parse_span

    try:
        return parse_span(text, Minutes.ALLOWED).as_timedelta().total_seconds()
    except (SpanError, ValueError) as error:
        raise UsageError(f"{flag} {text}: {error}", fix="write it like 1d or 90m") from error


def tag_text(flag: str, text: str) -> str:
    """Return a text that is to stand in a tag of AWS's.

    Raises:
        UsageError: AWS would refuse it.
    """
    from engine.documents.formats import tag_value_problem

    problem = tag_value_problem(text)
    if problem is not None:
        raise UsageError(f"{flag} {problem.summary}", fix=problem.fix)
    if not 0 < len(text) <= LONGEST_TAG_TEXT:
        raise UsageError(f"{flag}: {len(text)} characters, not 1 to {LONGEST_TAG_TEXT}")
    return text


def the_time(args: argparse.Namespace, inventory: Inventory | None = None) -> datetime:
    """Return the one `now` of the run: -at, else when the recording was taken, else the clock."""
    if args.at:
        return parse_time(args.at)
    if inventory is not None and inventory.recorded and inventory.taken_at is not None:
        return inventory.taken_at.astimezone(UTC).replace(microsecond=0)
    return datetime.now(UTC).replace(microsecond=0)
