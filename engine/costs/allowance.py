"""What backups cost beyond what is free: as much as a region's databases have allocated.

Backup storage up to all of the allocated storage of an account's databases in a region costs
nothing; automated backups use it up too (AWS Database Blog, Demystifying Amazon RDS backup storage
costs; RDS User Guide, Retaining automated backups).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from engine.costs.ranges import NOTHING, Range, exactly, total
from engine.costs.rates import ASSUMED_RATE, Rate
from engine.costs.storage import Body
from engine.inventory.records import Instance


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is free of an account and region, in GiB, and how much automated backups use of it."""

    allocated: Range
    automated: Range

    @property
    def left(self) -> Range:
        """What is left of it for manual snapshots."""
        return self.allocated.beyond(self.automated)

    def billed(self, manual: Range) -> Range:
        """Return what AWS bills of so much in manual snapshots."""
        return manual.beyond(self.left)


NO_ALLOWANCE = Allowance(NOTHING, NOTHING)


def allowance_of(instances: Iterable[Instance] | None, rate: Rate = ASSUMED_RATE) -> Allowance:
    """Return the allowance of a location with these databases; None where they were not read.

    Clusters have rules of their own and count for nothing here. What automated backups take up AWS
    does not tell: from nothing to a full backup and what changed in their retention.
    """
    if instances is None:
        return NO_ALLOWANCE
    own = [instance for instance in instances if instance.cluster is None]
    used = (_automated(instance, rate) for instance in own)
    return Allowance(exactly(sum(instance.allocated_gib for instance in own)), total(used))


def _automated(instance: Instance, rate: Rate) -> Range:
    days = instance.backup_retention_days
    if days == 0:
        return NOTHING
    size = Body(instance.allocated_gib).full.high
    return Range(0.0, size * (1 + rate.a_day.high * days))
