"""How long a restore may take: an estimate, with all that it rests on.

AWS promises and publishes no durations of restores. What is assumed here is wide on purpose, is
printed with every estimate, and is replaced by what drills of one's own show.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from engine.plans.objectives import RestoreInput, lasting

HOUR = 3600
MIB_PER_GIB = 1024


@dataclass(frozen=True, slots=True)
class RestoreAssumptions:
    """What an estimate assumes, in seconds and MiB per second.

    `start` is how long RDS takes to make an instance of a snapshot that answers; it does so while
    blocks are still loaded (RDS User Guide, Restoring to a DB instance: lazy loading). `loading`
    is the rate at which all blocks come to be there at worst. `replay` is how long the logs of an
    hour take at most.
    """

    start: tuple[int, int] = (10 * 60, 45 * 60)
    loading: int = 60
    replay: int = HOUR // 2


def restore_inputs(
    allocated_gib: int, logs: timedelta | None, assumed: RestoreAssumptions
) -> tuple[RestoreInput, ...]:
    """Return the parts of a restore's length.

    Args:
        allocated_gib: the storage of the database, of which at most all is used.
        logs: how much time's logs are replayed after the snapshot, None where none are.
        assumed: rates and lengths that AWS does not tell.
    """
    start = RestoreInput(
        "start",
        *assumed.start,
        f"{_range(assumed.start)} until a new instance answers: assumed, AWS names no figure",
    )
    loading = RestoreInput(
        "loading",
        0,
        allocated_gib * MIB_PER_GIB // assumed.loading,
        f"{allocated_gib:,} GiB allocated: blocks load on first use, or all of them before, "
        f"at {assumed.loading} MiB/s: assumed",
    )
    if logs is None:
        return start, loading
    longest = int(logs.total_seconds() * assumed.replay / HOUR)
    replay = RestoreInput(
        "replay",
        0,
        longest,
        f"the logs of {lasting(logs)} since the nearest snapshot: up to "
        f"{lasting(assumed.replay)} for each hour, by how much was written: assumed",
    )
    return start, loading, replay


def _range(span: tuple[int, int]) -> str:
    return f"{lasting(span[0])} to {lasting(span[1])}"
