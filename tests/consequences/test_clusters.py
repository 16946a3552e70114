"""What a change of documents does to DB clusters is told beside what it does to instances."""

from __future__ import annotations

from engine.inventory.records import Kind
from engine.retention.keep import Keep
from tests.consequences.comparing import compared
from tests.planning.builders import documents, terms
from tests.planning.test_clusters import clusters, exists, points


def test_points_of_clusters_that_would_go_are_told_and_no_chain_is() -> None:
    before = documents(clusters(terms=terms(Keep(last=9))))
    after = documents(clusters(terms=terms(Keep(last=2))))
    found = compared(before, after, exists(snapshots=points(range(1, 7))))
    assert [one.source.identifier for one in found.reach] == ["ledger"]
    assert found.chains == ()


def test_the_first_policy_for_clusters_brings_them_under_protection() -> None:
    found = compared(documents(), documents(clusters()), exists())
    assert [one.source.identifier for one in found.protection] == ["ledger"]
    assert documents().kinds == {Kind.INSTANCE}
