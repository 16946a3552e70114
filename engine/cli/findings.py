"""What `engine validate` found, in each of its formats."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import engine
from engine.documents.diagnostics import Code, Diagnostic, Severity, as_text

if TYPE_CHECKING:
    # Only the inventory warns by it; loading plans would take longer than checking a policy.
    from engine.plans.plan import Warned

FORMAT_VERSION = "1.0"
_SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


@dataclass(frozen=True, slots=True)
class Findings:
    """What is wrong with documents, and what the inventory says of them.

    The latter never makes documents invalid.
    """

    diagnostics: Sequence[Diagnostic]
    warned: Sequence[Warned]
    policies: int

    @property
    def errors(self) -> int:
        """How many errors the documents have."""
        return sum(each.severity is Severity.ERROR for each in self.diagnostics)

    @property
    def warnings(self) -> int:
        """How many warnings there are; whatever the inventory shows is one."""
        return len(self.diagnostics) - self.errors + len(self.warned)


def to_text(findings: Findings) -> str:
    """Return the findings for people, with a count in the last line."""
    parts = [as_text(diagnostic) for diagnostic in findings.diagnostics]
    parts += [_warned_text(warned) for warned in findings.warned]
    return "\n\n".join([*parts, _count(findings)]) + "\n"


def _warned_text(warned: Warned) -> str:
    where = warned.source or (f"policy {warned.policy}" if warned.policy else "inventory")
    fix = f"\n  to do: {warned.fix}" if warned.fix else ""
    return f"{where}: {warned.severity} {warned.code}: {warned.text}{fix}"


def _count(findings: Findings) -> str:
    if not findings.errors and not findings.warnings:
        return f"{_plural(findings.policies, 'policy', 'policies')}, nothing wrong"
    errors = _plural(findings.errors, "error", "errors")
    return f"{errors}, {_plural(findings.warnings, 'warning', 'warnings')}"


def _plural(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def to_json(findings: Findings) -> str:
    """Return the findings as one JSON object."""
    return _dump(
        {
            "format_version": FORMAT_VERSION,
            "valid": not findings.errors,
            "errors": findings.errors,
            "warnings": findings.warnings,
            "policies": findings.policies,
            "diagnostics": [_as_object(diagnostic) for diagnostic in findings.diagnostics],
            "inventory": [
                {
                    "code": warned.code,
                    "severity": warned.severity,
                    "text": warned.text,
                    "source": warned.source,
                    "policy": warned.policy,
                    "fix": warned.fix,
                }
                for warned in findings.warned
            ],
        }
    )


def _as_object(diagnostic: Diagnostic) -> dict[str, Any]:
    place = diagnostic.place
    return {
        "code": diagnostic.code.id,
        "name": diagnostic.code.label,
        "severity": diagnostic.severity,
        "summary": diagnostic.summary,
        "detail": diagnostic.detail,
        "fix": diagnostic.fix,
        "file": place.file if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "width": diagnostic.width,
        "snippet": diagnostic.line,
    }


def to_github(findings: Findings) -> str:
    """Return workflow commands, which GitHub shows beside the lines of a pull request.

    Their form: GitHub Docs, "Workflow commands for GitHub Actions".
    """
    return "\n".join([*_annotations(findings), _count(findings)]) + "\n"


def _annotations(findings: Findings) -> Iterator[str]:
    for diagnostic in findings.diagnostics:
        place = diagnostic.place
        parts = [diagnostic.summary, diagnostic.detail, diagnostic.fix]
        text = "\n".join(part for part in parts if part)
        where = {"title": str(diagnostic.code)}
        if place:
            end = place.column + diagnostic.width
            where |= {"file": place.file, "line": str(place.line), "col": str(place.column)}
            where |= {"endColumn": str(end)}
        yield _annotation(diagnostic.severity, where, text)
    for warned in findings.warned:
        text = f"{warned.source}: {warned.text}" if warned.source else warned.text
        yield _annotation(Severity.WARNING, {"title": warned.code}, text)


def _annotation(severity: Severity, where: dict[str, str], text: str) -> str:
    properties = ",".join(f"{name}={_escaped(value, ':,')}" for name, value in where.items())
    return f"::{severity} {properties}::{_escaped(text)}"


def _escaped(text: str, more: str = "") -> str:
    for character in f"%\r\n{more}":
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def to_sarif(findings: Findings) -> str:
    """Return a SARIF 2.1.0 log, which code scanning services read."""
    codes = sorted({each.code for each in findings.diagnostics}, key=lambda code: code.id)
    results = [_sarif_result(diagnostic) for diagnostic in findings.diagnostics]
    results += [
        {"ruleId": warned.code, "level": "warning", "message": {"text": _warned_text(warned)}}
        for warned in findings.warned
    ]
    driver = {
        "name": "engine",
        "version": engine.__version__,
        "rules": [_sarif_rule(code) for code in codes],
    }
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return _dump({"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]})


def _sarif_rule(code: Code) -> dict[str, Any]:
    return {"id": code.id, "name": code.label, "shortDescription": {"text": code.meaning}}


def _sarif_result(diagnostic: Diagnostic) -> dict[str, Any]:
    parts = [diagnostic.summary, diagnostic.detail, diagnostic.fix]
    result: dict[str, Any] = {
        "ruleId": diagnostic.code.id,
        "level": diagnostic.severity,
        "message": {"text": "\n".join(part for part in parts if part)},
    }
    place = diagnostic.place
    if place:
        region = {
            "startLine": place.line,
            "startColumn": place.column,
            "endColumn": place.column + diagnostic.width,
        }
        where = {"artifactLocation": {"uri": place.file}, "region": region}
        result["locations"] = [{"physicalLocation": where}]
    return result


def _dump(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


FORMATS: dict[str, Callable[[Findings], str]] = {
    "text": to_text,
    "json": to_json,
    "github": to_github,
    "sarif": to_sarif,
}
