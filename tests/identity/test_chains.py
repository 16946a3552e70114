"""Chains: objects that AWS stores as deltas of one another."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.identity.chains import chain_of, tagged_chain
from engine.identity.marks import UNKNOWN_KEY, Marks, Role, tags_of
from engine.inventory.placement import UNKNOWN_ZONE
from tests.planning.builders import PROD, SLOT, VAULT, ago, an_instance, marks

FOUND = marks(an_instance(), SLOT)


@pytest.mark.parametrize(
    "other",
    [
        replace(FOUND, volume="db-REPLICA"),
        replace(FOUND, zone="euw1-az1"),
        replace(FOUND, role=Role.BRIDGE),
        replace(FOUND, keys=("00000000",)),
        replace(FOUND, keys=(*FOUND.keys, "00000000")),
        replace(FOUND, keys=("00000000", *FOUND.keys)),
    ],
)
def test_a_chain_is_of_one_volume_zone_role_and_sequence_of_keys(other: Marks) -> None:
    assert chain_of(other, PROD) != chain_of(FOUND, PROD)


def test_a_chain_lies_at_one_location() -> None:
    assert chain_of(FOUND, PROD) != chain_of(FOUND, VAULT)


@pytest.mark.parametrize(
    "other",
    [
        replace(FOUND, slot=ago(1)),
        replace(FOUND, policy="silver"),
        replace(FOUND, zone_checked=False),
        replace(FOUND, resource="db-SUCCESSOR"),
        replace(FOUND, source="arn:aws:rds:eu-west-1:111111111111:db:renamed"),
    ],
)
def test_a_chain_goes_on_over_slots_policies_and_names(other: Marks) -> None:
    assert chain_of(other, PROD) == chain_of(FOUND, PROD)


def test_a_chain_is_known_where_zone_and_keys_are() -> None:
    assert chain_of(FOUND, PROD).is_known
    assert not chain_of(replace(FOUND, zone=UNKNOWN_ZONE), PROD).is_known
    assert not chain_of(replace(FOUND, keys=(*FOUND.keys, UNKNOWN_KEY)), PROD).is_known


def test_the_chain_of_an_owned_object_is_read_from_its_tags_alone() -> None:
    found = marks(an_instance(), SLOT)
    assert tagged_chain(tags_of(found), PROD) == chain_of(found, PROD)
    with pytest.raises(KeyError):
        tagged_chain({}, PROD)
