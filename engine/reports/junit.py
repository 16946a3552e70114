"""An audit as JUnit XML, as CI servers read it: a suite per rule, a case per database.

There is no standard but what Jenkins, GitLab and GitHub's actions read: `testsuites`,
`testsuite`, `testcase`, and in it `failure` or `skipped`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape, quoteattr

from engine.plans.audit import AuditFound
from engine.reports.audit_findings import Finding, Outcome, findings_of
from engine.reports.folding import grouped
from engine.reports.neutral import neutral

_SKIPPED = frozenset({Outcome.OPEN, Outcome.EXCEPTED})


def audit_as_junit(found: AuditFound) -> str:
    """Return the audit as JUnit XML. What could not be judged or is excepted is skipped."""
    findings = list(findings_of(found))
    stamp = found.as_of.strftime("%Y-%m-%dT%H:%M:%S")
    rows = ['<?xml version="1.0" encoding="UTF-8"?>']
    rows.append(_open("testsuites", {"name": f"engine audit {found.estate}", **_counts(findings)}))
    for rule, cases in grouped(findings, lambda one: one.rule).items():
        attributes = {"name": rule, "timestamp": stamp, **_counts(cases)}
        rows.append("  " + _open("testsuite", attributes))
        rows += [f"    {row}" for one in cases for row in _case(one)]
        rows.append("  </testsuite>")
    return "\n".join([*rows, "</testsuites>", ""])


def _counts(findings: Sequence[Finding]) -> dict[str, str]:
    failed = sum(one.outcome is Outcome.FAILED for one in findings)
    skipped = sum(one.outcome in _SKIPPED for one in findings)
    return {
        "tests": str(len(findings)),
        "failures": str(failed),
        "errors": "0",
        "skipped": str(skipped),
        "time": "0",
    }


def _case(one: Finding) -> Iterable[str]:
    about = f"{one.about} in {one.place}" if one.place else one.about
    attributes = {"classname": f"engine.audit.{one.rule}", "name": about, "time": "0"}
    if one.written is not None:
        attributes |= {"file": one.written.file, "line": str(one.written.line)}
    if one.outcome is Outcome.PASSED:
        yield _open("testcase", attributes, closed=True)
        return
    yield _open("testcase", attributes)
    if one.outcome is Outcome.FAILED:
        place = f"{one.written.file}:{one.written.line}" if one.written is not None else ""
        opened = _open("failure", {"message": one.text, "type": one.level.value})
        said = "\n".join(_text(text) for text in (one.title, place) if text)
        yield f"  {opened}{said}</failure>"
    else:
        said = "excepted" if one.outcome is Outcome.EXCEPTED else "not judged"
        yield "  " + _open("skipped", {"message": f"{said}: {one.text}"}, closed=True)
    yield "</testcase>"


def _open(tag: str, attributes: dict[str, str], *, closed: bool = False) -> str:
    words = "".join(f" {name}={quoteattr(neutral(text))}" for name, text in attributes.items())
    return f"<{tag}{words}{'/' if closed else ''}>"


def _text(text: str) -> str:
    return escape(neutral(text))
