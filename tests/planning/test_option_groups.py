"""Copies that AWS makes only into an option group: named by the policy, or told to be missing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from engine.documents.model import CopyRule, Target
from engine.inventory.records import Key, Location
from engine.plans.plan import Plan
from tests.planning.builders import (
    PROD,
    SLOT,
    VAULT,
    a_policy,
    a_snapshot,
    an_estate,
    an_instance,
    documents,
    inventory,
    plan,
    step_of,
    terms,
)

ORDERS = an_instance()
SISTER = Location(PROD.account, "eu-central-1")
SEALED = a_snapshot(ORDERS, SLOT, record={"tde": True})


def planned(*rules: CopyRule, tier: str = "gold", tde: bool = True) -> Plan:
    """The plan for a database, which encrypts itself unless told otherwise."""
    estate = an_estate()
    targets = {**estate.targets, "sister": Target("sister", "prod", SISTER.region, "alias/backups")}
    keys: dict[Location, dict[str, Any]] = {
        SISTER: {"keys": {"k": Key("k", aliases=("alias/backups",))}}
    }
    docs = documents(a_policy(terms=terms(copies=rules)), estate=replace(estate, targets=targets))
    found = inventory(
        [replace(ORDERS, tags={"tier": tier})],
        [replace(SEALED, tde=tde)],
        locations=(PROD, VAULT, SISTER),
        scopes=keys,
    )
    return plan(docs, found)


def missing(found: Plan) -> list[str]:
    """What the check of option groups says."""
    return [one.text for one in found.warnings if one.code == "E333 option-group"]


def test_a_copy_goes_into_the_option_group_that_the_policy_names() -> None:
    placed = planned(CopyRule("sister", option_group="sealed"))
    assert step_of(placed, "copy_snapshot").parameters["OptionGroupName"] == "sealed"
    assert missing(placed) == []


def test_an_option_group_that_is_missing_is_told_where_aws_asks_for_one() -> None:
    bare = planned(CopyRule("sister"))
    said = "it uses TDE, and the copy to sister names no option group"
    assert missing(bare) == [said]
    assert "OptionGroupName" not in step_of(bare, "copy_snapshot").parameters
    (warned,) = [one for one in bare.warnings if one.text == said]
    assert warned.severity == "error"
    assert warned.fix == f"name one of {SISTER} with TDE as `option_group` of the copy"


def test_no_option_group_helps_into_other_accounts_so_none_is_asked_for_there() -> None:
    found = planned(CopyRule("local"), CopyRule("remote"))
    assert missing(found) == []
    assert "E306 tde" in {one.code for one in found.warnings}


def test_a_database_that_does_not_encrypt_itself_needs_no_option_group() -> None:
    assert missing(planned(CopyRule("sister"), tde=False)) == []


def test_nothing_is_told_of_copies_that_no_policy_wants_any_more() -> None:
    assert missing(planned(CopyRule("sister"), tier="none")) == []
