"""Documents of kind `controls`: what they become, and what is wrong with them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from engine.documents.control_model import (
    Control,
    ControlSeverity,
    Covered,
    CustomerKeys,
    Exemption,
    MinRetention,
    NewestPoint,
    NoForeignShares,
    NoGap,
    PointsIn,
    Rule,
    Where,
)
from engine.documents.digest import digest_of_controls
from engine.documents.load import Loaded, load
from engine.documents.model import Condition, Documents, Select
from engine.documents.objective_model import Disturbance, Disturbed

ESTATE = """\
version: 1
kind: estate
name: acme
accounts:
  prod: {id: "111111111111", regions: [eu-west-1]}
---
version: 1
kind: policy
name: gold
select: {identifiers: ["*"]}
snapshots: {retention: {keep: {daily: 7}}}
"""
HEAD = "version: 1\nkind: controls\ncontrols:\n"


def loaded(folder: Path, text: str) -> Loaded:
    (folder / "estate.yaml").write_text(ESTATE)
    (folder / "controls.yaml").write_text(HEAD + text)
    return load([folder])


def controls(folder: Path, text: str) -> tuple[Control, ...]:
    found = loaded(folder, text)
    assert found.documents is not None, found.diagnostics
    return found.documents.controls


def told(folder: Path, text: str) -> list[str]:
    return [f"{d.code.id} {d.place and d.place.line}" for d in loaded(folder, text).diagnostics]


@pytest.mark.parametrize(
    ("require", "rule"),
    [
        ("covered: true", Covered()),
        ("min_retention: 5w", MinRetention(timedelta(days=35))),
        ("points_in: {accounts: 2}", PointsIn(2)),
        (
            "points_in: {regions: 2, younger_than: 8d}",
            PointsIn(1, 2, timedelta(days=8)),
        ),
        ("customer_managed_keys: true", CustomerKeys()),
        ("no_foreign_shares: true", NoForeignShares()),
        ("newest_point: {younger_than: 26h}", NewestPoint(timedelta(hours=26))),
        (
            "newest_point: {younger_than: 45m, at: everywhere}",
            NewestPoint(timedelta(minutes=45), Where.EVERYWHERE),
        ),
        (
            "no_gap: {longer_than: 26h, within: 14d}",
            NoGap(timedelta(hours=26), timedelta(days=14)),
        ),
    ],
)
def test_each_rule_becomes_its_value(tmp_path: Path, require: str, rule: Rule) -> None:
    (control,) = controls(tmp_path, f"  - {{id: BK-1, require: {{{require}}}}}\n")
    assert control == Control("BK-1", rule, place=control.place)
    assert control.place is not None
    assert (control.place.line, Path(control.place.file).name) == (4, "controls.yaml")


def test_everything_that_a_control_says_is_read(tmp_path: Path) -> None:
    text = """\
  - id: BK-2
    title: Points lie in two accounts
    severity: note
    select: {tags: {tier: gold}, exclude: [{identifiers: [a-*]}]}
    require: {points_in: {accounts: 2}}
    exceptions:
      - {select: {identifiers: [legacy]}, reason: moves soon, expires: 2027-03-31}
"""
    (control,) = controls(tmp_path, text)
    assert control.severity is ControlSeverity.NOTE
    assert control.title == "Points lie in two accounts"
    assert control.select == Select(
        Condition(tags={"tier": ("gold",)}), (Condition(identifiers=("a-*",)),)
    )
    legacy = Select(Condition(identifiers=("legacy",)))
    (exemption,) = control.exemptions
    assert exemption.place is not None
    assert exemption == Exemption(legacy, "moves soon", date(2027, 3, 31), exemption.place)
    assert exemption.place.line == 10


def test_an_exception_holds_up_to_the_end_of_its_last_day() -> None:
    exemption = Exemption(Select(), "x", date(2027, 3, 31))
    assert not exemption.is_over(datetime(2027, 3, 31, 23, 59, tzinfo=UTC))
    assert exemption.is_over(datetime(2027, 4, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("  - {id: a, require: {covered: true}}\n" * 2, "E261 5"),
        ("  - {id: a, require: {covered: true, min_retention: 1d}}\n", "E114 4"),
        ("  - {id: a, require: {}}\n", "E111 4"),
        ("  - {id: a, require: {covered: false}}\n", "E114 4"),
        ("  - {id: a, require: {min_retention: 30}}\n", "E116 4"),
        ("  - {id: a, require: {points_in: {}}}\n", "E114 4"),
        ("  - {id: a, require: {newest_pont: {younger_than: 1h}}}\n", "E101 4"),
        ("  - {id: a b, require: {covered: true}}\n", "E114 4"),
        ("  - {id: a, severity: high, require: {covered: true}}\n", "E114 4"),
        ("  - {id: a, select: {}, require: {covered: true}}\n", "E111 4"),
        ("  - {id: a, select: {accounts: [prd]}, require: {covered: true}}\n", "E205 4"),
        ("  - {id: a, select: {regions: [us-*]}, require: {covered: true}}\n", "W221 4"),
        (
            "  - id: a\n    require: {covered: true}\n    exceptions:\n"
            "      - {select: {accounts: [prd]}, reason: x, expires: 2027-03-31}\n",
            "E205 7",
        ),
        (
            "  - id: a\n    require: {covered: true}\n    exceptions:\n"
            "      - {select: {identifiers: [x]}, reason: x, expires: 2027-02-29}\n",
            "E125 7",
        ),
        (
            "  - id: a\n    require: {covered: true}\n    exceptions:\n"
            "      - {select: {identifiers: [x]}, reason: x, expires: 0001-01-01}\n",
            "E115 7",
        ),
        (
            "  - id: a\n    require: {covered: true}\n    exceptions:\n"
            "      - {select: {identifiers: [x]}, expires: 2027-02-28}\n",
            "E111 7",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_in_its_place(tmp_path: Path, text: str, code: str) -> None:
    assert code in told(tmp_path, text)


def test_controls_need_an_estate(tmp_path: Path) -> None:
    (tmp_path / "controls.yaml").write_text(HEAD + "  - {id: a, require: {covered: true}}\n")
    found = load([tmp_path])
    assert [each.code.id for each in found.diagnostics] == ["E201"]


def test_a_new_rule_makes_no_saved_plan_stale(tmp_path: Path) -> None:
    one = loaded(tmp_path, "  - {id: a, require: {covered: true}}\n").documents
    two = loaded(tmp_path, "  - {id: b, require: {covered: true}}\n").documents
    assert one is not None
    assert two is not None
    assert one.digest == two.digest
    assert one.controls_digest != two.controls_digest


def test_order_and_place_of_controls_do_not_count_for_their_digest() -> None:
    first, second = Control("a", Covered()), Control("b", CustomerKeys())
    exemption = Exemption(Select(), "x", date(2027, 3, 31))
    assert digest_of_controls([first, second]) == digest_of_controls([second, first])
    assert digest_of_controls([]) == ""
    told_of = {
        digest_of_controls([first]),
        digest_of_controls([replace(first, exemptions=(exemption,))]),
        digest_of_controls([replace(first, exemptions=(replace(exemption, reason="y"),))]),
    }
    assert len(told_of) == 3


@pytest.mark.parametrize(
    ("survive", "disturbances"),
    [
        (
            "[one_failover, account_outage: 6h, missed_runs: 2h]",
            (
                Disturbance(Disturbed.ONE_FAILOVER),
                Disturbance(Disturbed.ACCOUNT_OUTAGE, timedelta(hours=6)),
                Disturbance(Disturbed.MISSED_RUNS, timedelta(hours=2)),
            ),
        ),
        ("null", ()),
    ],
)
def test_what_objectives_are_to_survive_is_read_and_no_part_of_the_digest(
    tmp_path: Path, survive: str, disturbances: tuple[Disturbance, ...]
) -> None:
    def documents(text: str) -> Documents:
        said = f"  - {{select: {{engines: [x]}}, objectives: {{rpo: 1h, survive: {text}}}}}\n"
        policy = f"objectives: {{rpo: 26h, survive: {text}}}\noverrides:\n{said}"
        (tmp_path / "estate.yaml").write_text(ESTATE + policy)
        found = load([tmp_path]).documents
        assert found is not None
        return found

    said, silent = documents(survive), documents("[]")
    assert said.policies["gold"].terms.objectives.survive == disturbances
    assert said.digest == silent.digest


@pytest.mark.parametrize(
    ("survive", "code"),
    [
        ("[two_failovers]", "E114"),
        ("[{account_outage: 6h, missed_runs: 2h}]", "E114"),
        ("[{}]", "E111"),
        ("[{missed_runs: 1mo}]", "E116"),
        ("[{missed_runs: null}]", "E110"),
        ("[{region_outage: 1h}]", "E101"),
        ("one_failover", "E110"),
    ],
)
def test_a_disturbance_that_there_is_not_is_refused(
    tmp_path: Path, survive: str, code: str
) -> None:
    (tmp_path / "estate.yaml").write_text(ESTATE + f"objectives: {{survive: {survive}}}\n")
    assert code in {each.code.id for each in load([tmp_path]).diagnostics}
