"""Tags that say what is not so, and tags of the policy that somebody took away."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from engine.documents.model import CopyRule, Documents
from engine.identity.marks import UNKNOWN_KEY
from engine.inventory.records import Snapshot
from engine.plans.codes import DriftCode, DriftSeverity
from tests.planning.builders import (
    PROD,
    REKEY,
    VAULT,
    VAULT_KEY,
    a_policy,
    a_snapshot,
    ago,
    documents,
    terms,
)
from tests.planning.drift.estate import (
    COPIES,
    HOME,
    KEEP,
    ORDERS,
    copied,
    drifted,
    instead,
    primary,
    the_drift,
)


def tagged(snapshot: Snapshot, tags: dict[str, str]) -> list[Snapshot]:
    """Everything, one snapshot with other tags."""
    return instead(snapshot, tags={**snapshot.tags, **tags})


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        ("engine:volume", "db-OTHER"),
        ("engine:keys", "00000000/11111111"),
        ("engine:origin", primary(5).arn),
    ],
)
def test_a_tag_that_aws_contradicts_was_changed(tag: str, value: str) -> None:
    copy = copied(4)
    found = tagged(copy, {tag: value})
    found = [
        replace(one, source_snapshot=primary(4).arn) if one.arn == copy.arn else one
        for one in found
    ]
    drift = the_drift(drifted(found), DriftCode.TAGS_CONTRADICT)
    assert (drift.arn, drift.severity) == (copy.arn, DriftSeverity.WARNING)
    assert drift.found == f"{tag}={value}"
    assert drift.expected is not None
    assert drift.expected.startswith(f"{tag}=")
    assert drift.expected != drift.found


def test_a_key_that_was_not_known_contradicts_nothing() -> None:
    first = copied(4).tags["engine:keys"].split("/")[0]
    assert drifted(tagged(copied(4), {"engine:keys": f"{first}/{UNKNOWN_KEY}"})) == []


def test_a_chain_under_keys_of_several_hops_is_compared_by_its_last() -> None:
    copy = a_snapshot(ORDERS, ago(0), VAULT, keys=("aws/rds", REKEY, VAULT_KEY))
    assert drifted([*HOME, copy]) == []


def test_what_is_on_its_way_is_not_held_to_its_tags() -> None:
    copy = copied(0, status="copying", record={"kms_key": None, "encrypted": False})
    assert drifted([*HOME, *COPIES[1:], copy]) == []


# -- tags of the policy --------------------------------------------------------------------------

COSTS = documents(a_policy(terms=terms(KEEP, [CopyRule("local")], tags={"cost-centre": "42"})))


def billed(snapshots: list[Snapshot], value: str = "42") -> list[Snapshot]:
    return [replace(one, tags={**one.tags, "cost-centre": value}) for one in snapshots]


def history(changed: Snapshot, docs: Documents = COSTS) -> list[tuple[DriftCode, str]]:
    everything = {one.arn: one for one in billed([*HOME, *COPIES])}
    everything[changed.arn] = changed
    return [(one.code, one.arn) for one in drifted(everything.values(), docs)]


def test_a_tag_of_the_policy_that_was_removed_is_told() -> None:
    assert history(primary(4)) == [(DriftCode.USER_TAGS, primary(4).arn)]


def test_a_tag_of_the_policy_that_was_changed_is_told_with_both_values() -> None:
    snapshots = [*billed([*HOME[5:], *COPIES]), *billed([HOME[4]], "7"), *billed(list(HOME[:4]))]
    found = the_drift(drifted(snapshots, COSTS), DriftCode.USER_TAGS)
    assert found.severity is DriftSeverity.INFO
    assert (found.expected, found.found) == ("cost-centre=42", "cost-centre=7")


def test_a_tag_that_the_policy_names_only_now_is_missed_on_nothing_older() -> None:
    assert drifted([*HOME, *COPIES], COSTS) == []
    newest = [*billed(list(HOME[:1])), *HOME[1:], *billed(list(COPIES[:1])), *COPIES[1:]]
    assert drifted(newest, COSTS) == []


def test_a_late_copy_with_a_new_tag_says_nothing_of_its_origin() -> None:
    late = copied(4, made_at=ago(0) + timedelta(hours=1))
    assert drifted([*HOME, *COPIES[:4], *COPIES[5:], *billed([late])], COSTS) == []


def test_a_snapshot_that_had_no_room_for_tags_lost_none() -> None:
    full = {f"tag-{number}": "x" for number in range(50)}
    crowded = primary(4)
    room = 50 - len(crowded.tags)
    some = dict(list(full.items())[:room])
    assert history(replace(crowded, tags={**crowded.tags, **some})) == []
    fewer = dict(list(some.items())[:-1])
    assert history(replace(crowded, tags={**crowded.tags, **fewer})) != []


def test_what_another_policy_made_never_had_its_tags() -> None:
    other = a_snapshot(ORDERS, ago(4), PROD, policy="silver")
    docs = documents(*COSTS.policies.values(), a_policy("silver", terms=terms(KEEP)))
    found = billed([*(one for one in HOME if one.arn != primary(4).arn), *COPIES])
    assert drifted([*found, other], docs) == []
