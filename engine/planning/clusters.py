"""What is different where the database is a DB cluster: when it is snapshotted, what AWS refuses.

Sources: the Aurora User Guide (Creating, Copying and Sharing a DB cluster snapshot) and the RDS
User Guide (Multi-AZ DB cluster deployments, Limitations).
"""

from __future__ import annotations

from collections.abc import Iterable

from engine.inventory.records import Instance, Kind, kind_of
from engine.planning.routes import RouteBook
from engine.planning.steps import Origin
from engine.planning.survey import Source, World
from engine.plans.plan import Warned

_AWS_OWNED = "sse-rds"


def is_aurora(database: Instance) -> bool:
    """Say whether a database is of Aurora; other clusters are Multi-AZ DB clusters."""
    return database.engine.startswith("aurora")


def is_multi_az_cluster(source: Source) -> bool:
    """Say whether a source is a Multi-AZ DB cluster: AWS copies and shares none of their snapshots.

    (RDS User Guide, Copying a DB snapshot, Limitations; Sharing a DB snapshot.)
    """
    database = source.instance
    return database is not None and source.kind is Kind.CLUSTER and not is_aurora(database)


def why_not_copied(source: Source) -> str | None:
    """Return why AWS copies no new point of a source as its targets want it, None where it does."""
    database = source.instance
    if database is None or source.kind is not Kind.CLUSTER:
        return None
    if not is_aurora(database):
        return "AWS copies no snapshots of Multi-AZ DB clusters"
    if database.encryption_type == _AWS_OWNED:
        return "it is encrypted under a key that AWS owns, and a copy cannot change to another one"
    if not database.encrypted:
        return "it is not encrypted, and AWS does not encrypt a cluster snapshot while it copies it"
    return None


def can_be_copied(origin: Origin) -> bool:
    """Say whether a copy of an object may be under a key of its own.

    An unencrypted cluster snapshot stays so: a key is an error (API reference,
    CopyDBClusterSnapshot, KmsKeyId).
    """
    return origin.kms_key is not None or kind_of(origin.arn) is Kind.INSTANCE


def largest_known(source: Source, database: Instance) -> int:
    """Return how many GiB a snapshot of a cluster may be.

    A cluster of Aurora does not tell, so its snapshots do (API reference, DBCluster,
    AllocatedStorage).
    """
    known = [h.allocated_gib for h in source.holdings]
    known += [s.allocated_gib for s in source.neighbours]
    return max([database.allocated_gib, *known])


def check_clusters(source: Source, world: World, book: RouteBook) -> Iterable[Warned]:
    """Yield copies and shares that a policy wants of a cluster and AWS does not make."""
    why = why_not_copied(source)
    wants_copies = source.terms is not None and source.terms.snapshots.copies
    policy = source.policy.name if source.policy else None
    if why is not None and wants_copies:
        yield Warned(
            "E361 cluster-not-copied",
            "error",
            f"{why}: its points stay where they are made",
            source.ref.address,
            policy,
            "drop its `copies` in an override, or restore it into an Aurora cluster under a"
            " customer-managed key",
        )
    if is_multi_az_cluster(source) and source.terms is not None and source.terms.share_with:
        yield Warned(
            "E362 cluster-not-shared",
            "error",
            "AWS shares no snapshots of Multi-AZ DB clusters",
            source.ref.address,
            policy,
            "drop its `share_with` in an override",
        )
