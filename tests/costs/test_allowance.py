"""As much as a region's databases have allocated is free, less what automated backups use."""

from __future__ import annotations

from engine.costs.allowance import NO_ALLOWANCE, Allowance, allowance_of
from engine.costs.ranges import NOTHING, Range, exactly
from engine.costs.rates import Rate
from engine.inventory.records import Instance, Location

AT = Location("111111111111", "eu-west-1")


def instance(gib: int, days: int = 0, cluster: str | None = None) -> Instance:
    return Instance(
        *("arn", AT, "orders", "db-1", "postgres"),
        allocated_gib=gib,
        backup_retention_days=days,
        cluster=cluster,
    )


def test_without_automated_backups_all_of_the_allocated_storage_is_free() -> None:
    allowance = allowance_of([instance(100), instance(50)])
    assert allowance.left == exactly(150)
    assert allowance.billed(Range(20, 180)) == Range(0, 30)
    assert allowance.billed(Range(200, 250)) == Range(50, 100)


def test_automated_backups_may_use_up_the_allowance_or_leave_it_be() -> None:
    allowance = allowance_of([instance(100, days=7)], Rate(Range(0.25, 0.5)))
    assert allowance == Allowance(exactly(100), Range(0, 450))
    assert allowance.left == Range(0, 100)
    assert allowance.billed(Range(120, 200)) == Range(20, 200)


def test_the_databases_of_clusters_have_rules_of_their_own() -> None:
    assert allowance_of([instance(100, cluster="aurora-1")]).left == NOTHING


def test_nothing_is_free_where_the_databases_were_not_read() -> None:
    assert allowance_of(None) is NO_ALLOWANCE
    assert NO_ALLOWANCE.billed(Range(1, 2)) == Range(1, 2)
