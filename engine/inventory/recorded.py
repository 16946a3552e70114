"""Reading a recorded inventory: a folder of plain AWS CLI output."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from engine.inventory import layout
from engine.inventory.bulk import Strings, collector_paused
from engine.inventory.convert import (
    accounts_shared_with,
    automated_record,
    event_record,
    instance_record,
    key_record,
    moment,
    quota_record,
    rds_prefix,
    snapshot_record,
    zones_record,
)
from engine.inventory.recorded_clusters import read_clusters
from engine.inventory.recorded_files import Fault, RecordingError, decode, is_there, locations_in
from engine.inventory.records import (
    AutomatedBackup,
    Event,
    Instance,
    Inventory,
    Key,
    Location,
    Quota,
    Scope,
    ScopeStatus,
    Snapshot,
)
from engine.inventory.wire import (
    AutomatedBackupListing,
    EventListing,
    Header,
    InstanceListing,
    KeyListing,
    Listing,
    QuotaListing,
    SnapshotListing,
    WireAttributesAnswer,
    WireScope,
    WireSnapshot,
    ZoneListing,
)

T = TypeVar("T")

_FOREIGN_TYPES = frozenset({"shared", "public"})


def read_inventory(folder: Path) -> Inventory:
    """Read a recorded inventory.

    A location that `inventory.json` does not name, where it names any, counts as not read; where
    there is no such file every location counts as read.

    Raises:
        RecordingError: a file is no JSON or not of the shape that the AWS CLI prints, a record
            lies in the folder of another location, or there is nothing to read. All faults of
            the folder are told at once.
    """
    faults: list[Fault] = []
    locations = locations_in(folder, faults)
    header_file = folder / layout.HEADER
    header = decode(header_file, Header, faults) if is_there(header_file) else None
    _check_format(header, header_file, faults)
    announced = _announced(header, header_file, faults)
    if not locations and not announced and not faults:
        faults.append(Fault(folder, "holds no location: no ACCOUNT-ID/REGION folder"))
    strings = Strings()
    scopes: dict[Location, Scope] = {}
    notes = list(header.notes or ()) if header else []
    with collector_paused():
        for location in sorted({*locations, *announced}):
            reading = _LocationReading(folder, location, strings, faults)
            scope = reading.scope()
            notes += reading.notes
            scopes[location] = _with_status(scope, announced, location)
    if faults:
        raise RecordingError(folder, faults)
    return Inventory(
        scopes=scopes,
        recorded=True,
        taken_at=moment(header.taken_at) if header else None,
        notes=tuple(notes),
    )


def _check_format(header: Header | None, file: Path, faults: list[Fault]) -> None:
    if header is not None and header.format_version.split(".")[0] != "1":
        faults.append(
            Fault(file, f"has format_version {header.format_version}, this engine reads 1.x")
        )


def _announced(
    header: Header | None, file: Path, faults: list[Fault]
) -> Mapping[Location, WireScope]:
    found: dict[Location, WireScope] = {}
    for index, scope in enumerate((header.scopes if header else None) or ()):
        if layout.ACCOUNT_ID.fullmatch(scope.account) and layout.REGION.fullmatch(scope.region):
            found[Location(scope.account, scope.region)] = scope
        else:
            what = f"names no account id and region - at `$.scopes[{index}]`"
            faults.append(Fault(file, what))
    return found


def _with_status(
    scope: Scope, announced: Mapping[Location, WireScope], location: Location
) -> Scope:
    """Let the recording's own word on a location outweigh that its files can be read."""
    if not announced:
        return scope
    word = announced.get(location)
    if word is None:
        cause = f"{layout.HEADER} does not name it among its scopes"
        return dataclasses.replace(scope, status=ScopeStatus.NOT_READ, cause=cause)
    if word.status is ScopeStatus.OK:
        return scope
    return dataclasses.replace(scope, status=word.status, cause=word.cause)


class _LocationReading:
    """Reads the files of one location, one after another, so that one file's JSON is in memory.

    Attributes:
        doubts: why what the files list is not all there is at the location.
        notes: what a person should know of the files.
    """

    def __init__(
        self, root: Path, location: Location, strings: Strings, faults: list[Fault]
    ) -> None:
        self.folder = layout.location_folder(root, location)
        self.location = location
        self.strings = strings
        self.faults = faults
        self.doubts: list[str] = []
        self.notes: list[str] = []

    def scope(self) -> Scope:
        """Read everything there is of this location."""
        self._note_strange_files()
        instances = self._instances()
        snapshots, foreign = self._snapshots()
        shared = self._shared_snapshots()
        scope = Scope(
            location=self.location,
            instances=instances,
            snapshots=snapshots,
            keys=self._keys(),
            quota=self._quota(),
            zones=self._zones(),
            events=self._events(),
            shared=foreign if shared is None else shared,
            automated=self._automated(),
            clusters=read_clusters(self.location, self.strings, self._decode, self._check_arn),
        )
        if not self.doubts:
            return scope
        return dataclasses.replace(scope, status=ScopeStatus.FAILED, cause="; ".join(self.doubts))

    def _note_strange_files(self) -> None:
        if not self.folder.is_dir():
            return
        for file in sorted(self.folder.glob("*.json")):
            if file.name not in layout.FILES:
                self.notes.append(f"{file}: not read, the engine knows no file of this name")

    def _decode(self, name: str, shape: type[T], doubts: list[str] | None = None) -> T | None:
        file = self.folder / name
        if not is_there(file):
            return None
        answer = decode(file, shape, self.faults)
        if isinstance(answer, Listing) and answer.is_cut_short:
            (self.doubts if doubts is None else doubts).append(f"{name} holds only its first pages")
        return answer

    def _instances(self) -> tuple[Instance, ...] | None:
        answer = self._decode(layout.INSTANCES, InstanceListing)
        if answer is None:
            return None
        for index, wire in enumerate(answer.items):
            path = f"$.DBInstances[{index}].DBInstanceArn"
            self._check_arn(layout.INSTANCES, path, wire.arn, f"db:{wire.identifier}")
            if not wire.resource_id:
                self.doubts.append(f"DB instance {wire.identifier} has no DbiResourceId")
        return tuple(
            instance_record(wire, self.location, self.strings)
            for wire in answer.items
            if wire.resource_id
        )

    def _snapshots(self) -> tuple[tuple[Snapshot, ...] | None, tuple[Snapshot, ...] | None]:
        """Return the location's own snapshots and those that others share with it."""
        shares = self._shares()
        answer = self._decode(layout.SNAPSHOTS, SnapshotListing)
        if answer is None:
            return None, None
        own: list[Snapshot] = []
        foreign: list[Snapshot] = []
        prefix = rds_prefix(self.location)
        for index, wire in enumerate(answer.items):
            is_ours = wire.arn is None or wire.arn.startswith(prefix)
            if is_ours or wire.type not in _FOREIGN_TYPES:
                path = f"$.DBSnapshots[{index}].DBSnapshotArn"
                self._check_arn(layout.SNAPSHOTS, path, wire.arn, f"snapshot:{wire.identifier}")
            into = own if is_ours else foreign
            into.append(snapshot_record(wire, self.location, self.strings, shares))
        return tuple(own), tuple(foreign) or None

    def _shared_snapshots(self) -> tuple[Snapshot, ...] | None:
        answer = self._decode(layout.SHARED_SNAPSHOTS, SnapshotListing)
        return None if answer is None else self._records(answer.items)

    def _records(self, wires: list[WireSnapshot]) -> tuple[Snapshot, ...]:
        return tuple(snapshot_record(wire, self.location, self.strings) for wire in wires)

    def _shares(self) -> Mapping[str, frozenset[str]] | None:
        answers = self._decode(layout.SNAPSHOT_ATTRIBUTES, dict[str, WireAttributesAnswer])
        if answers is None:
            return None
        return {
            arn: accounts_shared_with(
                (answer.result.attributes if answer.result else answer.attributes) or ()
            )
            for arn, answer in answers.items()
        }

    def _keys(self) -> Mapping[str, Key] | None:
        answer = self._decode(layout.KEYS, KeyListing)
        if answer is None:
            return None
        keys = (key_record(wire, self.location, self.strings) for wire in answer.items)
        return {key.arn: key for key in keys}

    def _quota(self) -> Quota | None:
        answer = self._decode(layout.QUOTAS, QuotaListing)
        return None if answer is None else quota_record(answer.items)

    def _zones(self) -> Mapping[str, str] | None:
        answer = self._decode(layout.ZONES, ZoneListing)
        return None if answer is None else zones_record(answer.items)

    def _events(self) -> tuple[Event, ...] | None:
        answer = self._decode(layout.EVENTS, EventListing)
        if answer is None:
            return None
        events = (event_record(wire) for wire in answer.items)
        return tuple(event for event in events if event is not None)

    def _automated(self) -> tuple[AutomatedBackup, ...] | None:
        answer = self._decode(layout.AUTOMATED_BACKUPS, AutomatedBackupListing)
        if answer is None:
            return None
        for index, wire in enumerate(answer.items):
            if wire.arn is not None and not wire.arn.startswith(rds_prefix(self.location)):
                path = f"$.DBInstanceAutomatedBackups[{index}].DBInstanceAutomatedBackupsArn"
                text = f"{wire.arn} does not belong to {self.location} - at `{path}`"
                self._fault(layout.AUTOMATED_BACKUPS, text)
        found = (automated_record(wire, self.location, self.strings) for wire in answer.items)
        return tuple(backup for backup in found if backup is not None)

    def _check_arn(self, name: str, path: str, arn: str | None, resource: str) -> None:
        prefix = rds_prefix(self.location)
        if arn is not None and not arn.startswith(prefix):
            self._fault(name, f"{arn} does not belong to {self.location} - at `{path}`")
        elif arn is not None and arn != prefix + resource:
            self._fault(name, f"{arn} is not the ARN of {resource} - at `{path}`")

    def _fault(self, name: str, what: str) -> None:
        self.faults.append(Fault(self.folder / name, what))
