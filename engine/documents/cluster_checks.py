"""Checks of a policy that protects DB clusters: what only DB instances have is an error."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator

from engine.documents.diagnostics import Code, Diagnostic
from engine.documents.model import (
    AutomatedTerms,
    Failover,
    Incremental,
    MadeOf,
    Policy,
)
from engine.documents.view import View

# Whose clusters are Aurora's; all other engines' are Multi-AZ DB clusters.
AURORA = ("aurora-mysql", "aurora-postgresql", "aurora")

_Path = tuple[str | int, ...]


def check_cluster_policy(view: View, policy: Policy) -> Iterator[Diagnostic]:
    """Yield what a view says that makes no sense for DB clusters."""
    for summary, fix, path in _said_in_vain(view):
        yield view.tell(Code.NOT_FOR_CLUSTERS, summary, fix, *path)
    if not _takes_aurora(policy):
        yield from _never_copied(view)


def _said_in_vain(view: View) -> Iterator[tuple[str, str, _Path]]:
    terms = view.terms
    snapshots = terms.snapshots
    if terms.automated != AutomatedTerms():
        yield (
            "the engine sets automated backups of DB instances only",
            "write `automated_backups: null` here, and set those of clusters where they are made",
            ("automated_backups",),
        )
    if terms.failover != Failover():
        yield (
            "the volume of a cluster is in all zones, so a failover costs no full snapshot",
            "write `failover: null` here",
            ("failover",),
        )
    if snapshots.source is not None:
        yield (
            "a snapshot of a cluster is of its volume, whichever of its instances serves it",
            "write `source: instance` here",
            ("snapshots", "source"),
        )
    if snapshots.made_of is MadeOf.AUTOMATED:
        yield (
            "points of clusters are made as new snapshots only",
            "write `from: database` here",
            ("snapshots", "from"),
        )
    if snapshots.incremental is Incremental.REQUIRE:
        yield (
            "AWS stores every snapshot of a cluster in full, so all copies would be withheld",
            "write `incremental: ignore` here",
            ("snapshots", "incremental"),
        )
    for index, copy in enumerate(snapshots.copies):
        if copy.option_group is not None:
            yield (
                "copies of cluster snapshots are put into no option group",
                "leave it out",
                ("snapshots", "copies", index, "option_group"),
            )


def _takes_aurora(policy: Policy) -> bool:
    globs = policy.select.condition.engines
    return not globs or any(fnmatch.fnmatchcase(one, glob) for one in AURORA for glob in globs)


def _never_copied(view: View) -> Iterator[Diagnostic]:
    """Yield that AWS neither copies nor shares snapshots of Multi-AZ DB clusters.

    (RDS User Guide, Copying a DB snapshot, Limitations; Sharing a DB snapshot.)
    """
    fix = (
        "leave it out: restore such a snapshot to a DB instance to copy it, or take Aurora's"
        " `engines` into the policy"
    )
    said = (
        (view.terms.snapshots.copies, "copies", ("snapshots", "copies")),
        (view.terms.share_with, "shares", ("share_with",)),
    )
    for value, verb, path in said:
        if value:
            summary = f"the policy takes Multi-AZ DB clusters only, and AWS {verb} none of these"
            yield view.tell(Code.NEVER_COPIED, summary, fix, *path)
