"""Which chains a change begins, and which it breaks off."""

from __future__ import annotations

from dataclasses import replace

from engine.documents.model import (
    Documents,
    Fallback,
    MadeOf,
    ReplicaSource,
    Target,
)
from engine.inventory.records import Key
from engine.retention.keep import Keep
from tests.consequences.comparing import (
    BOTH,
    ORDERS,
    PROD,
    REMOTE,
    TO_VAULT,
    VAULT,
    an_estate,
    an_instance,
    compared,
    days,
    gold,
    world,
)
from tests.planning.builders import KEYS, SLOT, ago, key_arn

KEEP = Keep(daily=35)
OTHER_KEY = key_arn(VAULT, "other")
WITH_OTHER = {VAULT: {"keys": {**KEYS[VAULT], OTHER_KEY: Key(OTHER_KEY, aliases=("alias/other",))}}}


def under(alias: str) -> Documents:
    """Copies to the vault under a key."""
    target = Target("local", "vault", VAULT.region, alias)
    estate = an_estate(targets={"local": target})
    return gold(KEEP, TO_VAULT, estate=estate)


def test_a_target_under_another_key_breaks_its_chain() -> None:
    found = compared(
        under("alias/backups"),
        under("alias/other"),
        world(days(3, VAULT), scopes=WITH_OTHER),
    )
    (chain,) = found.chains
    assert chain.breaks
    assert chain.because == "copies are made under another key"
    assert (chain.location.account, chain.location.region) == (VAULT.account, VAULT.region)
    assert (chain.slot, chain.gib, chain.policy) == (SLOT, (0, 100), "gold")


def test_the_key_that_was_used_before_goes_on_with_its_chain() -> None:
    old_copies = [s for s in days(5, VAULT) if s.location == VAULT or s.tags["engine:slot"]]
    found = compared(
        under("alias/other"), under("alias/backups"), world(old_copies, scopes=WITH_OTHER)
    )
    assert found.chains == ()


def test_a_new_target_begins_a_chain_and_breaks_none() -> None:
    found = compared(gold(KEEP, TO_VAULT), gold(KEEP, *BOTH), world(days(3, VAULT)))
    (chain,) = found.chains
    assert not chain.breaks
    assert chain.because == "nothing of it is there yet"
    assert (chain.location.account, chain.location.region) == (REMOTE.account, REMOTE.region)


def test_points_of_a_replica_are_another_chain_at_home_and_at_each_target() -> None:
    replica = an_instance(
        "orders-1-r", replica_of="orders-1", replication="replicating", multi_az=False,
        secondary_zone=None,
    )  # fmt: skip
    primary = replace(ORDERS, replicas=("orders-1-r",))
    source = ReplicaSource("orders-1-r", fallback=Fallback.NONE)
    found = compared(
        gold(KEEP, TO_VAULT),
        gold(KEEP, TO_VAULT, source=source),
        world(days(3, VAULT), primary, replica),
    )
    assert {chain.because for chain in found.chains} == {"snapshots are taken of another instance"}
    assert [chain.location.account for chain in found.chains] == [PROD.account, VAULT.account]
    away = world(days(3, VAULT), ORDERS)
    assert compared(gold(KEEP), gold(KEEP, source=source), away).chains == ()


def test_copies_of_automated_snapshots_are_one_key_deeper() -> None:
    found = compared(gold(KEEP), gold(KEEP, made_of=MadeOf.AUTOMATED), world(days(3)))
    (chain,) = found.chains
    assert chain.breaks
    assert chain.because == "copies take another way there, with more or fewer keys"


def test_a_schedule_that_begins_begins_chains_with_its_first_slot() -> None:
    found = compared(gold(KEEP, schedule=None), gold(KEEP), world([]))
    (chain,) = found.chains
    assert chain.slot == SLOT
    late = compared(gold(KEEP, schedule=None), gold(KEEP), world([]), now=ago(-0.5))
    assert late.chains[0].slot == ago(-1)
