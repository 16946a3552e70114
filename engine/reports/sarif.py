"""An audit as a SARIF 2.1.0 log, which code scanning services read (OASIS, SARIF 2.1.0)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from engine.plans.audit import AuditFound, Written
from engine.reports.audit_findings import Finding, Outcome, findings_of
from engine.reports.neutral import neutral

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
# 3.27.9: what is not a failure has no level.
_KINDS = {Outcome.FAILED: "fail", Outcome.EXCEPTED: "fail", Outcome.OPEN: "open"}
_FINGERPRINT = "engineAudit/v1"


def audit_as_sarif(found: AuditFound) -> str:
    """Return the audit as SARIF: what is broken, what is excepted, what could not be judged.

    Excepted findings are suppressed ones; what passed is not told.
    """
    findings = [one for one in findings_of(found) if one.outcome in _KINDS]
    rules = {one.rule: one for one in findings_of(found)}
    order = {rule: index for index, rule in enumerate(rules)}
    run = {
        "tool": {
            "driver": {
                "name": "engine",
                "version": found.engine_version,
                "rules": [_rule(one) for one in rules.values()],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": found.complete,
                "endTimeUtc": found.as_of.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "toolExecutionNotifications": list(_notifications(found)),
            }
        ],
        "results": [_result(one, order) for one in findings],
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _rule(one: Finding) -> dict[str, Any]:
    return {
        "id": one.rule,
        "shortDescription": {"text": neutral(one.title)},
        "defaultConfiguration": {"level": one.level.value},
    }


def _notifications(found: AuditFound) -> Iterable[dict[str, Any]]:
    for scope in found.inventory.scopes:
        if scope.status != "ok":
            text = f"{scope.account}/{scope.region} could not be read: {scope.cause}"
            yield {"level": "error", "message": {"text": neutral(text)}}
    for one in found.expired:
        text = f"an exception of {one.control} expired on {one.expired}: {one.reason}"
        yield {"level": "warning", "message": {"text": neutral(text)}}


def _result(one: Finding, order: dict[str, int]) -> dict[str, Any]:
    kind = _KINDS[one.outcome]
    result: dict[str, Any] = {
        "ruleId": one.rule,
        "ruleIndex": order[one.rule],
        "kind": kind,
        "level": one.level.value if kind == "fail" else "none",
        "message": {"text": neutral(f"{_about(one)}: {one.text}")},
        "partialFingerprints": {_FINGERPRINT: one.key},
        "locations": [_location(one)],
    }
    if one.outcome is Outcome.EXCEPTED:
        result["suppressions"] = [
            {"kind": "external", "status": "accepted", "justification": neutral(one.text)}
        ]
    return result


def _about(one: Finding) -> str:
    return f"{one.about} in {one.place}" if one.place else one.about


def _location(one: Finding) -> dict[str, Any]:
    location: dict[str, Any] = {
        "logicalLocations": [{"fullyQualifiedName": neutral(_about(one)), "kind": "resource"}]
    }
    if one.written is not None:
        location["physicalLocation"] = _physical(one.written)
    return location


def _physical(written: Written) -> dict[str, Any]:
    return {
        "artifactLocation": {"uri": quote(written.file)},
        "region": {"startLine": written.line, "startColumn": written.column},
    }
