"""Policies that protect DB clusters: read, and what makes no sense for these is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.documents.model import Documents
from engine.inventory.records import Kind
from tests.documents.writing import COPIES, ESTATE, codes, documents, load_text, policy

CLUSTERS = "protects: rds-cluster\n"
MULTI_AZ = policy(CLUSTERS + COPIES).replace('{identifiers: ["*"]}', "{engines: [mysql, postgres]}")


def read(folder: Path, *texts: str) -> Documents:
    result = load_text(folder, documents(*texts))
    assert result.documents is not None, codes(result)
    return result.documents


def told(folder: Path, *texts: str) -> list[tuple[str, str]]:
    result = load_text(folder, documents(*texts))
    return [
        (d.line[d.place.column - 1 :], d.fix or "")
        for d in result.diagnostics
        if d.code.id in {"E271", "E272"} and d.place and d.line
    ]


def test_a_policy_protects_instances_unless_it_says_clusters(tmp_path: Path) -> None:
    found = read(tmp_path, ESTATE, policy(), policy(CLUSTERS, "silver"))
    kinds = {name: one.protects for name, one in found.policies.items()}
    assert kinds == {"gold": Kind.INSTANCE, "silver": Kind.CLUSTER}


def test_each_kind_has_its_own_policies(tmp_path: Path) -> None:
    found = read(tmp_path, ESTATE, policy(), policy(CLUSTERS, "silver"))
    assert found.kinds == frozenset(Kind)
    assert list(found.of(Kind.INSTANCE).policies) == ["gold"]
    assert list(found.of(Kind.CLUSTER).policies) == ["silver"]
    assert found.of(Kind.CLUSTER).digest == found.digest


def test_documents_without_clusters_stay_as_they_are(tmp_path: Path) -> None:
    found = read(tmp_path, ESTATE, policy())
    assert found.of(Kind.INSTANCE) is found
    assert found.of(Kind.CLUSTER).policies == {}


def test_the_defaults_may_say_clusters_and_a_policy_take_it_back(tmp_path: Path) -> None:
    estate = ESTATE + "defaults: {protects: rds-cluster}\n"
    found = read(tmp_path, estate, policy(), policy("protects: rds-instance\n", "silver"))
    kinds = {name: one.protects for name, one in found.policies.items()}
    assert kinds == {"gold": Kind.CLUSTER, "silver": Kind.INSTANCE}


def test_an_override_cannot_turn_instances_into_clusters(tmp_path: Path) -> None:
    more = 'overrides: [{select: {identifiers: ["x"]}, protects: rds-cluster}]\n'
    found = codes(load_text(tmp_path, documents(ESTATE, policy(more))))
    assert [one.rpartition(" ")[2] for one in found] == ["E101"]


@pytest.mark.parametrize(
    ("more", "where", "way_out"),
    [
        ("automated_backups: {retention_days: 7}\n", "{retention_days", "automated_backups: null"),
        ("failover: {preferred_az: eu-west-1a}\n", "{preferred_az", "failover: null"),
        ('snapshots: {source: {replica: "*"}}\n', "{replica", "source: instance"),
        ("snapshots: {from: automated}\n", "automated", "from: database"),
        ("snapshots: {incremental: require}\n", "require", "incremental: ignore"),
        (
            "snapshots: {copies: [{target: local, option_group: og}]}\n",
            "og",
            "leave it out",
        ),
    ],
)
def test_what_only_instances_have_is_an_error_with_a_way_out(
    tmp_path: Path, more: str, where: str, way_out: str
) -> None:
    ((at, fix),) = told(tmp_path, ESTATE, policy(CLUSTERS + more))
    assert at.startswith(where)
    assert way_out in fix
    assert told(tmp_path, ESTATE, policy(more)) == []


def test_null_takes_back_what_the_defaults_say_for_instances(tmp_path: Path) -> None:
    estate = (
        ESTATE
        + "defaults: {automated_backups: {retention_days: 7}, snapshots: {incremental: require}}\n"
    )
    assert len(told(tmp_path, estate, policy(CLUSTERS))) == 2
    mended = "automated_backups: null\nsnapshots: {incremental: ignore}\n"
    assert told(tmp_path, estate, policy(CLUSTERS + mended)) == []


def test_copies_and_shares_of_multi_az_clusters_only_are_errors(tmp_path: Path) -> None:
    shares = "share_with: {accounts: [vault]}\n"
    assert len(told(tmp_path, ESTATE, MULTI_AZ + shares)) == 2
    assert told(tmp_path, ESTATE, policy(CLUSTERS + COPIES + shares)) == []
    aurora = MULTI_AZ.replace("mysql,", '"aurora-*",')
    assert told(tmp_path, ESTATE, aurora + shares) == []
