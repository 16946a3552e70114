"""What of the engine's is there before a simulation begins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from engine.identity.marks import Marks, Role, owned_marks
from engine.identity.names import location_of
from engine.inventory.records import Inventory, Snapshot


@dataclass(frozen=True, slots=True)
class Standing:
    """An object of the engine's that was there before the first run.

    `source` is the ADDRESS of the protected database, `chain` names zone and keys. A bridge is no
    point. `taken_at` is when its data was captured, as well as that is known.
    """

    source: str
    location: str
    snapshot: str
    slot: datetime
    zone: str
    keys: str
    is_point: bool
    taken_at: datetime


def standing(inventory: Inventory, estate: str) -> Iterator[Standing]:
    """Yield what is there before the first run, in the order of the inventory."""
    addresses = {
        (instance.location, instance.resource_id): f"{instance.location}/{instance.identifier}"
        for scope in inventory.scopes.values()
        for instance in scope.instances or ()
    }
    for scope in inventory.scopes.values():
        for snapshot in scope.snapshots or ():
            marks = owned_marks(snapshot, estate)
            home = None if marks is None else location_of(marks.source)
            if marks is None or home is None:
                continue
            former = f"{home}/{marks.source.rpartition(':')[2]}"
            yield _standing(snapshot, marks, addresses.get((home, marks.resource), former))


def _standing(snapshot: Snapshot, marks: Marks, source: str) -> Standing:
    return Standing(
        source=source,
        location=str(snapshot.location),
        snapshot=snapshot.identifier,
        slot=marks.slot,
        zone=marks.zone,
        keys="/".join(marks.keys),
        is_point=marks.role is not Role.BRIDGE,
        taken_at=snapshot.taken_at or marks.slot,
    )
