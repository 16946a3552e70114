"""How far back databases can be restored to any second: by the automated backups of RDS."""

from __future__ import annotations

from collections.abc import Iterator

from engine.consequences.side import Side
from engine.planning.survey import Life, Source
from engine.plans.consequences import WindowChange


def window_changes(before: Side, after: Side) -> Iterator[WindowChange]:
    """Yield the databases whose automated backups will reach less or further back.

    What a policy says nothing of stays as it is, and so does what AWS Backup decides.
    """
    for key in sorted(before.sources.keys() & after.sources.keys()):
        source = after.sources[key]
        was, will = _days(before.sources[key]), _days(source)
        if was is not None and will is not None and was != will:
            policy = source.policy.name if source.policy is not None else ""
            yield WindowChange(source.ref, policy, was, will)


def _days(source: Source) -> int | None:
    instance = source.instance
    if source.life is not Life.LIVE or instance is None or instance.aws_backup_arn is not None:
        return None
    wanted = source.terms.automated.retention_days if source.terms is not None else None
    return instance.backup_retention_days if wanted is None else wanted
