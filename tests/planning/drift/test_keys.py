"""Keys that something needs and that cannot be used."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from engine.inventory.records import Inventory, Key, KeyManager, Location, Snapshot
from engine.plans.codes import DriftCode, DriftSeverity
from engine.plans.plan import Drift
from tests.planning.builders import (
    DEFAULT_KEY,
    KEYS,
    PROD,
    PROD_KEY,
    REKEY,
    VAULT,
    VAULT_KEY,
    inventory,
    key_arn,
    plan,
)
from tests.planning.drift.estate import COPIES, DOCUMENTS, HOME, ORDERS, the_drift


def drifted(
    keys: dict[Location, dict[str, Key]],
    snapshots: Iterable[Snapshot] = (*HOME, *COPIES),
    **instance: Any,
) -> list[Drift]:
    return list(plan(DOCUMENTS, live(keys, snapshots, **instance)).drift)


def live(
    keys: dict[Location, dict[str, Key]],
    snapshots: Iterable[Snapshot] = (*HOME, *COPIES),
    **instance: Any,
) -> Inventory:
    """What a live reading finds when these places have these keys instead of their own."""
    scopes = {at: {"keys": found} for at, found in keys.items()}
    found = inventory([replace(ORDERS, **instance)], snapshots, scopes=scopes)
    return replace(found, recorded=False)


def changed(at: Location, arn: str, **changes: Any) -> dict[Location, dict[str, Key]]:
    return {at: KEYS[at] | {arn: replace(KEYS[at][arn], **changes)}}


def test_keys_that_can_be_used_are_no_drift() -> None:
    assert drifted({}) == []


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("Disabled", DriftCode.KEY_DISABLED),
        ("PendingDeletion", DriftCode.KEY_PENDING_DELETION),
        ("Unavailable", DriftCode.KEY_UNUSABLE),
    ],
)
@pytest.mark.parametrize(
    ("at", "arn", "use"),
    [
        (VAULT, VAULT_KEY, "target local needs it; 10 snapshots cannot be restored without it"),
        (PROD, PROD_KEY, "it encrypts 1 database; 10 snapshots cannot be restored without it"),
    ],
    ids=["target", "source"],
)
def test_a_key_in_another_state_is_an_error_once(
    at: Location, arn: str, use: str, state: str, code: DriftCode
) -> None:
    found = the_drift(drifted(changed(at, arn, state=state)), code)
    assert (found.arn, found.severity) == (arn, DriftSeverity.ERROR)
    assert found.source is None
    assert found.text.endswith(use)
    assert state in found.text


def test_a_disabled_key_of_old_points_only_is_a_warning() -> None:
    old = key_arn(PROD, "old")
    snapshots = [replace(one, kms_key=old) for one in HOME[5:]]
    snapshots = [replace(one, tags={**one.tags, "engine:keys": "unknown"}) for one in snapshots]
    keys = {PROD: KEYS[PROD] | {old: Key(old, state="Disabled")}}
    found = the_drift(drifted(keys, [*HOME[:5], *snapshots, *COPIES]), DriftCode.KEY_DISABLED)
    assert found.severity is DriftSeverity.WARNING
    assert "5 snapshots cannot be restored" in found.text


def test_points_whose_key_is_gone_are_an_error() -> None:
    keys = {PROD: {arn: key for arn, key in KEYS[PROD].items() if arn != PROD_KEY}}
    found = the_drift(drifted(keys), DriftCode.KEY_MISSING)
    assert found.severity is DriftSeverity.ERROR
    assert found.text.startswith("the key does not exist: it encrypts 1 database")


def test_a_key_that_may_not_be_described_is_not_missing() -> None:
    keys = {PROD: {arn: key for arn, key in KEYS[PROD].items() if arn != PROD_KEY}}
    found = live(keys)
    hidden = replace(found.scopes[PROD], hidden_keys=frozenset({PROD_KEY}))
    world = replace(found, scopes={**found.scopes, PROD: hidden})
    assert plan(DOCUMENTS, world).drift == ()


def test_a_recording_need_not_hold_every_key() -> None:
    keys = {PROD: {arn: key for arn, key in KEYS[PROD].items() if arn != PROD_KEY}}
    assert plan(DOCUMENTS, replace(live(keys), recorded=True)).drift == ()


def test_an_alias_that_names_no_key_is_missing_even_in_a_recording() -> None:
    keys = {VAULT: {VAULT_KEY: Key(VAULT_KEY)}}
    found = the_drift(
        plan(DOCUMENTS, replace(live(keys), recorded=True)).drift, DriftCode.KEY_MISSING
    )
    assert found.arn == "alias/backups"
    assert "target local needs it" in found.text


def test_where_keys_could_not_be_read_nothing_is_known_of_them() -> None:
    found = live({})
    blind = {at: replace(scope, keys=None) for at, scope in found.scopes.items()}
    assert plan(DOCUMENTS, replace(found, scopes=blind)).drift == ()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"state": "Disabled"}, DriftCode.KEY_DISABLED),
        ({"manager": KeyManager.AWS}, DriftCode.KEY_AWS_MANAGED),
    ],
)
def test_the_key_of_bridges_counts_where_bridges_are_needed(
    changes: dict[str, Any], code: DriftCode
) -> None:
    keys = changed(PROD, REKEY, **changes)
    assert drifted(keys) == []
    found = the_drift(drifted(keys, (), kms_key=DEFAULT_KEY), code)
    assert found.arn == REKEY
    assert "copies to other accounts go through it" in found.text


def test_a_key_that_nothing_needs_is_nobodys_business() -> None:
    spare = key_arn(VAULT, "spare")
    assert drifted({VAULT: KEYS[VAULT] | {spare: Key(spare, state="Disabled")}}) == []
