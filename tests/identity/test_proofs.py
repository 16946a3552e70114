"""What an id proves on its own, and what it does not."""

from __future__ import annotations

import pytest

from engine.identity.proofs import proof_of
from tests.planning.builders import ESTATE, PROD, SLOT, a_snapshot, an_instance

ORDERS = an_instance()
ID = a_snapshot(ORDERS, SLOT).identifier


def test_an_id_proves_the_point_that_it_was_made_for() -> None:
    proof = proof_of(ID, PROD, ORDERS.resource_id, ESTATE, ())
    assert proof is not None
    assert (proof.policy, proof.slot, proof.resource) == ("gold", SLOT, ORDERS.resource_id)


@pytest.mark.parametrize("stamp", ["20261321t0200z", "20260230t0200z", "20261121t2460z"])
def test_an_id_with_a_time_that_never_was_proves_nothing(stamp: str) -> None:
    assert "20261121t0200z" in ID
    odd = ID.replace("20261121t0200z", stamp)
    assert proof_of(odd, PROD, ORDERS.resource_id, ESTATE, ("gold",)) is None
