"""`engine show`: a saved plan, or the effective terms of a policy."""

from __future__ import annotations

import argparse
import sys

from engine.cli.inputs import add_policies_flag
from engine.errors import ExitCode, UsageError
from engine.plans.plan import Plan

FORMATS = ("text", "json", "markdown", "html", "dot", "mermaid")
_OF_POLICIES = ("text", "json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.usage = "engine show PLAN [FLAGS] | engine show policy NAME [FLAGS]"
    parser.add_argument(
        "subject",
        nargs="+",
        metavar="PLAN",
        help="a file that `engine plan -out` wrote, or - for standard input; "
        "or `policy` and the name of one",
    )
    parser.add_argument(
        "-format",
        "--format",
        choices=FORMATS,
        default="text",
        help="text (default); json; markdown as pull requests show it; html, a page for a browser; "
        "the graph of steps as dot or mermaid",
    )
    parser.add_argument(
        "-full", "--full", action="store_true", help="every step on its own, and all that stays"
    )
    add_policies_flag(parser)


def run(args: argparse.Namespace) -> int:
    """Show it."""
    if args.format not in FORMATS:
        raise UsageError(
            f"there is no format {args.format}",
            where="ENGINE_FORMAT",
            fix=f"say one of {', '.join(FORMATS)}",
        )
    subject: list[str] = args.subject
    if subject[0] == "policy" and len(subject) > 1:
        return _show_policy(subject[1:], args)
    if len(subject) > 1:
        raise UsageError(f"one plan at a time, not {len(subject)}", fix="engine show PLAN")
    _show_plan(subject[0], args.format, full=args.full)
    return int(ExitCode.OK)


def _show_policy(names: list[str], args: argparse.Namespace) -> int:
    from engine.cli import show_policy

    if len(names) > 1:
        raise UsageError(
            f"one policy at a time, not {len(names)}", fix="engine show policy NAME -policies PATH"
        )
    if args.format not in _OF_POLICIES:
        raise UsageError("policies are shown as text or json", fix="-format text or -format json")
    terms = argparse.Namespace(name=names[0], policies=args.policies, format=args.format)
    return show_policy.run(terms)


def _show_plan(path: str, form: str, *, full: bool) -> None:
    from engine.cli.files import read_plan
    from engine.cli.output import screen_of, write_document, write_text

    plan = read_plan(path)
    if form == "text":
        from engine.reports.text import plan_as_text

        write_text(plan_as_text(plan, screen_of(sys.stdout), full=full))
    else:
        write_document(_document(plan, form, full=full))


def _document(plan: Plan, form: str, *, full: bool) -> bytes:
    if form == "json":
        from engine.plans.json_form import dumps

        return dumps(plan)
    if form == "html":
        from engine.reports.html.report_page import plan_as_html

        return plan_as_html(plan, full=full).encode()
    if form == "dot":
        from engine.reports.dot import plan_as_dot

        return plan_as_dot(plan, full=full).encode()
    if form == "mermaid":
        from engine.reports.mermaid import plan_as_mermaid

        return plan_as_mermaid(plan, full=full).encode()
    from engine.reports.markdown import plan_as_markdown

    return plan_as_markdown(plan, full=full).encode()
