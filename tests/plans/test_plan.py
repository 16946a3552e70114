"""What a plan says of itself."""

from __future__ import annotations

from dataclasses import replace

from tests.plans.samples import empty, plan, source, thin_path


def test_a_plan_whose_steps_are_all_withheld_has_no_changes() -> None:
    steps = thin_path().steps
    assert thin_path().has_changes
    assert not plan(*(replace(step, withheld_by="max_deletes") for step in steps)).has_changes
    assert not empty().has_changes


def test_an_address_is_account_region_and_identifier() -> None:
    assert source("orders-1").address == "111111111111/eu-west-1/orders-1"
