"""Checks of what a policy says of automated backups."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from datetime import timedelta

from engine.documents.diagnostics import Code, Diagnostic
from engine.documents.model import Estate, Every, Policy, Replication, Target
from engine.documents.view import View
from engine.documents.windows import meets_daily

DAY = timedelta(days=1)
_AUTOMATED = "automated_backups"


def check_automated(view: View, policy: Policy, estate: Estate) -> Iterator[Diagnostic]:
    """Yield what is wrong with a view's automated backups, inventory aside."""
    automated = view.terms.automated
    if isinstance(automated.replicate_to, Replication):
        if automated.retention_days == 0:
            summary = "automated backups are turned off, so there is nothing to replicate"
            fix = "write `replicate_to: none`, or at least `retention_days: 1`"
            path = (_AUTOMATED, "replicate_to")
            yield view.tell(Code.NOTHING_TO_REPLICATE, summary, fix, *path)
        yield from _account(view, policy, estate, automated.replicate_to)
    schedule = view.terms.snapshots.schedule
    if automated.window is None or schedule is None or schedule.window is None:
        return
    if isinstance(schedule.cadence, Every) and schedule.cadence.period < DAY:
        # Such a window only sets when the day's first slot is.
        return
    if meets_daily(automated.window, schedule.window, view.terms.timezone):
        local = f"{schedule.window} {view.terms.timezone.key}"
        summary = f"the window {automated.window} UTC overlaps the snapshot window {local}"
        fix = "keep an hour between the two, in summer and in winter"
        yield view.tell(Code.BACKUP_WINDOW_MEETS_SNAPSHOTS, summary, fix, _AUTOMATED, "window")


def _account(
    view: View, policy: Policy, estate: Estate, replication: Replication
) -> Iterator[Diagnostic]:
    """Warn of a target that no database of the policy can be replicated to."""
    found = estate.targets.get(replication.target)
    if found is None:
        return
    names = [replication.target] if isinstance(found, Target) else found.by_source_region.values()
    targets = [target for name in names if isinstance(target := estate.targets.get(name), Target)]
    taken = policy.select.condition.accounts
    for target in targets:
        if not taken or any(fnmatch.fnmatchcase(target.account, glob) for glob in taken):
            return
    summary = f"`{replication.target}` is in no account that this policy takes databases of"
    fix = "RDS replicates automated backups within an account: name a target of that account"
    path = (_AUTOMATED, "replicate_to", "target")
    yield view.tell(Code.REPLICATION_LEAVES_ACCOUNT, summary, fix, *path)
