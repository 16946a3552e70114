"""Audits as people and programs read them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest

from engine.reports.audit_findings import Outcome, findings_of
from engine.reports.junit import audit_as_junit
from engine.reports.markdown import audit_as_markdown
from engine.reports.sarif import audit_as_sarif
from engine.reports.screen import Screen
from engine.reports.text import audit_as_text
from tests.plans.audit_samples import AUDIT_SAMPLES, bad, good, hostile

Golden = Callable[[str, str], None]

# What consumers of SARIF 2.1.0 insist on, from the standard's text (3.13, 3.14, 3.20, 3.27).
TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"minLength": 1}}}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
ESSENTIALS: dict[str, Any] = {
    "type": "object",
    "required": ["version", "runs", "$schema"],
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {
            "minItems": 1,
            "items": {
                "required": ["tool", "results"],
                "properties": {
                    "tool": {
                        "properties": {
                            "driver": {
                                "required": ["name", "rules"],
                                "properties": {
                                    "rules": {
                                        "uniqueItems": True,
                                        "items": {
                                            "required": ["id"],
                                            "properties": {"shortDescription": TEXT},
                                        },
                                    }
                                },
                            }
                        }
                    },
                    "invocations": {"items": {"required": ["executionSuccessful"]}},
                    "results": {
                        "items": {
                            "required": ["message", "ruleId", "locations"],
                            "properties": {
                                "message": TEXT,
                                "level": LEVEL,
                                "kind": {"enum": ["fail", "open"]},
                                "locations": {
                                    "minItems": 1,
                                    "items": {
                                        "properties": {
                                            "physicalLocation": {
                                                "required": ["artifactLocation", "region"],
                                                "properties": {
                                                    "artifactLocation": {
                                                        "properties": {
                                                            "uri": {"pattern": "^[!-~]+$"}
                                                        }
                                                    },
                                                    "region": {
                                                        "properties": {"startLine": {"minimum": 1}}
                                                    },
                                                },
                                            }
                                        }
                                    },
                                },
                                "suppressions": {
                                    "items": {
                                        "required": ["kind"],
                                        "properties": {"kind": {"enum": ["external"]}},
                                    }
                                },
                            },
                        }
                    },
                },
            },
        },
    },
}


@pytest.mark.parametrize("sample", AUDIT_SAMPLES)
def test_text_is_as_reviewed(sample: str, golden: Golden) -> None:
    golden(f"audit_{sample}.txt", audit_as_text(AUDIT_SAMPLES[sample](), Screen()))


def test_unfolded_text_is_as_reviewed(golden: Golden) -> None:
    golden("audit_bad.full.txt", audit_as_text(bad(), Screen(), full=True))


@pytest.mark.parametrize("sample", AUDIT_SAMPLES)
def test_markdown_is_as_reviewed(sample: str, golden: Golden) -> None:
    golden(f"audit_{sample}.md", audit_as_markdown(AUDIT_SAMPLES[sample]()))


@pytest.mark.parametrize("sample", AUDIT_SAMPLES)
@pytest.mark.parametrize("width", [40, 80])
def test_no_line_is_wider_than_the_screen(sample: str, width: int) -> None:
    text = audit_as_text(AUDIT_SAMPLES[sample](), Screen(width=width), full=True)
    assert max(len(line) for line in text.splitlines()) <= width


def test_every_check_is_a_finding_once() -> None:
    found = list(findings_of(bad()))
    assert len({(one.rule, one.about, one.place) for one in found}) == len(found)
    outcomes = [one.outcome for one in found]
    assert {outcome: outcomes.count(outcome) for outcome in Outcome} == {
        Outcome.PASSED: 3,
        Outcome.FAILED: 23,
        Outcome.OPEN: 4,
        Outcome.EXCEPTED: 1,
    }


# -- SARIF -----------------------------------------------------------------------------------------


def sarif(sample: str) -> dict[str, Any]:
    log: dict[str, Any] = json.loads(audit_as_sarif(AUDIT_SAMPLES[sample]()))
    jsonschema.Draft202012Validator(ESSENTIALS).validate(log)
    run: dict[str, Any] = log["runs"][0]
    return run


@pytest.mark.parametrize("sample", AUDIT_SAMPLES)
def test_sarif_has_what_its_readers_insist_on(sample: str) -> None:
    run = sarif(sample)
    ids = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    for result in run["results"]:
        assert ids[result["ruleIndex"]] == result["ruleId"]
        assert (result["level"] == "none") == (result["kind"] != "fail")


def test_sarif_tells_what_failed_where_and_how_badly() -> None:
    run = sarif("bad")
    first = next(one for one in run["results"] if one["ruleId"] == "BK-2")
    assert (first["kind"], first["level"]) == ("fail", "warning")
    assert first["message"]["text"].startswith("111111111111/eu-west-1/orders-1: points in 1")
    physical = first["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"]["uri"] == "policies/gold%20tier.yaml"
    assert physical["region"] == {"startLine": 3, "startColumn": 1}
    objective = next(one for one in run["results"] if one["ruleId"] == "objective-rpo")
    assert "in 222222222222/eu-west-1" in objective["message"]["text"]


def test_what_passed_is_not_told_what_is_excepted_is_suppressed() -> None:
    assert sarif("good")["results"] == []
    excepted = [one for one in sarif("bad")["results"] if "suppressions" in one]
    assert len(excepted) == 1
    assert "moves in spring" in excepted[0]["suppressions"][0]["justification"]


def test_what_could_not_be_judged_is_open_and_the_run_no_success() -> None:
    run = sarif("bad")
    opened = [one["ruleId"] for one in run["results"] if one["kind"] == "open"]
    assert opened == ["BK-1", "BK-3", "objective-rto", "objective-survive"]
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    told = [one["message"]["text"] for one in invocation["toolExecutionNotifications"]]
    assert told[0] == "222222222222/eu-central-1 could not be read: AccessDenied"
    assert "expired on 2026-10-31" in told[1]
    assert sarif("good")["invocations"][0]["executionSuccessful"] is True


def test_fingerprints_stay_the_same_and_tell_findings_apart() -> None:
    first, second = sarif("bad")["results"], sarif("bad")["results"]
    prints = [one["partialFingerprints"]["engineAudit/v1"] for one in first]
    assert prints == [one["partialFingerprints"]["engineAudit/v1"] for one in second]
    assert len(set(prints)) == len(prints)


# -- JUnit -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("sample", AUDIT_SAMPLES)
def test_junit_counts_what_it_holds(sample: str) -> None:
    root = ElementTree.fromstring(audit_as_junit(AUDIT_SAMPLES[sample]()))
    assert root.tag == "testsuites"
    for suites in ([root], root.findall("testsuite")):
        for suite in suites:
            cases = list(suite.iter("testcase"))
            assert suite.get("tests") == str(len(cases))
            assert suite.get("failures") == str(len(list(suite.iter("failure"))))
            assert suite.get("skipped") == str(len(list(suite.iter("skipped"))))
            assert suite.get("errors") == "0"
    assert sum(int(suite.get("tests", "")) for suite in root.findall("testsuite")) == len(
        list(root.iter("testcase"))
    )


def test_junit_fails_what_is_broken_and_skips_what_is_not_judged() -> None:
    root = ElementTree.fromstring(audit_as_junit(bad()))
    suites = {suite.get("name"): suite for suite in root.findall("testsuite")}
    objectives = ["objective-rpo", "objective-rto", "objective-survive"]
    assert list(suites) == ["BK-1", "BK-2", "BK-3", "BK-4", *objectives]
    case = suites["BK-2"].find("testcase")
    assert case is not None
    assert case.get("classname") == "engine.audit.BK-2"
    assert (case.get("file"), case.get("line")) == ("policies/gold tier.yaml", "3")
    failure = case.find("failure")
    assert failure is not None
    assert failure.get("type") == "warning"
    assert failure.text == "Points lie in two accounts\npolicies/gold tier.yaml:3"
    told = [one.get("message", "") for one in root.iter("skipped")]
    assert told[0].startswith("not judged: which databases")
    assert [text for text in told if text.startswith("excepted: ")]
    assert suites["BK-4"].get("failures") == "0"


def test_texts_from_elsewhere_stay_texts() -> None:
    found = hostile()
    assert ElementTree.fromstring(audit_as_junit(found)).tag == "testsuites"
    for text in (audit_as_sarif(found), audit_as_junit(found), audit_as_text(found, Screen())):
        assert "\x1b" not in text
    assert "<script>" not in audit_as_junit(found)
    assert len(list(findings_of(good()))) == 4


def test_what_disturbances_would_cost_is_told_with_what_was_assumed() -> None:
    text = audit_as_text(bad(), Screen(width=200))
    assert "Disturbances: 10 of 11 would break the RPO" in text
    assert "gold: missed_runs: 2h would break the RPO, 10 places" in text
    assert "wiki in 222222222222/eu-west-1, 222222222222 out: at worst" in text
    assert "and 2 more (-full shows them)" in text
    assert "runs every 30m" in text
    calm = audit_as_text(good(), Screen(width=200))
    assert "Disturbances: 0 of 1 would break the RPO" in calm
    assert "is survived" not in calm
    assert "is survived" in audit_as_text(good(), Screen(width=200), full=True)
