"""Plans say "cluster" where a step is about one."""

from __future__ import annotations

from engine.reports.screen import Screen
from engine.reports.text import plan_as_text
from engine.retention.keep import Keep
from tests.planning.builders import documents, plan, terms
from tests.planning.test_clusters import clusters, exists, points

FOUND = plan(documents(clusters(terms=terms(Keep(last=1)))), exists(snapshots=points([3, 2, 1])))


def test_what_is_folded_counts_snapshots_of_clusters() -> None:
    told = plan_as_text(FOUND, Screen(width=200))
    assert "create 1 cluster snapshot in 111111111111/eu-west-1" in told
    assert "delete 3 snapshots of 1 cluster in 111111111111/eu-west-1" in told


def test_what_is_unfolded_names_the_cluster() -> None:
    told = plan_as_text(FOUND, Screen(width=200), full=True)
    assert "create cluster ledger, slot 2026-11-21 02:00Z" in told
