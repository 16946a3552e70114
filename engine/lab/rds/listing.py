"""Listing snapshots: own ones, and those that others share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.lab.rds import refusals
from engine.lab.rds.arns import parse_arn
from engine.lab.rds.copying import may_read
from engine.lab.rds.models import AUTOMATED, AWS_BACKUP, MANUAL, LabSnapshot
from engine.lab.rds.paging import page_size, read_marker, take_page, write_marker
from engine.lab.rds.rendering import shared_snapshot_xml, snapshot_xml
from engine.lab.rds.sharing import EVERYBODY

if TYPE_CHECKING:
    from engine.lab.rds.backend import LabBackend

SHARED, PUBLIC = "shared", "public"
_TYPES = frozenset({AUTOMATED, MANUAL, AWS_BACKUP, SHARED, PUBLIC})
_FILTERS = frozenset(
    {"db-instance-id", "db-snapshot-id", "dbi-resource-id", "snapshot-type", "engine"}
)


@dataclass(frozen=True, slots=True)
class SnapshotQuery:
    """What DescribeDBSnapshots is asked for; `filters` are alternatives by name."""

    snapshot: str | None = None
    instance: str | None = None
    resource_id: str | None = None
    type: str | None = None
    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    include_shared: bool = False
    include_public: bool = False
    marker: str | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class _Listed:
    """A snapshot in a listing: the key of its place in it, and how it is called there."""

    key: str
    snapshot: LabSnapshot
    kind: str | None

    def xml(self) -> str:
        if self.kind is None:
            return snapshot_xml(self.snapshot)
        return shared_snapshot_xml(self.snapshot, self.kind)


def find(backend: LabBackend, query: SnapshotQuery) -> tuple[list[str], str | None]:
    """Return a page of rendered snapshots, and the next page's marker."""
    _check(query)
    size = page_size(query.most)
    if query.snapshot is not None:
        listed = [_Listed(one.arn, one, _kind(backend, one)) for one in _named(backend, query)]
    else:
        after = read_marker(query.marker) if query.marker else ""
        listed, more = take_page(_matching(backend, query, after), size)
        if more:
            return [one.xml() for one in listed], write_marker(listed[-1].key)
    return [one.xml() for one in listed], None


def _check(query: SnapshotQuery) -> None:
    if query.type is not None and query.type not in _TYPES:
        raise refusals.parameter(f"Unrecognized snapshot type: {query.type}")
    for name, values in query.filters.items():
        if name not in _FILTERS:
            raise refusals.parameter(f"Unrecognized filter name: {name}")
        if not values:
            raise refusals.combination(f"The list of values of {name} must not be empty.")


def _named(backend: LabBackend, query: SnapshotQuery) -> list[LabSnapshot]:
    named = query.snapshot or ""
    snapshot = backend.find_snapshot(named)
    found = snapshot is not None and may_read(snapshot, backend.account_id)
    if snapshot is None or not found:
        raise refusals.snapshot_not_found(named)
    own = snapshot.account_id == backend.account_id
    if snapshot.snapshot_type == AUTOMATED and query.type is None and own:
        # "If this identifier is for an automated snapshot, the SnapshotType parameter must also
        # be specified" (DescribeDBSnapshots reference).
        raise refusals.snapshot_not_found(named)
    wanted = query.type if own else None
    if wanted is not None and wanted != snapshot.snapshot_type:
        raise refusals.snapshot_not_found(named)
    return [snapshot] if _fits(snapshot, query) else []


def _kind(backend: LabBackend, snapshot: LabSnapshot) -> str | None:
    if snapshot.account_id == backend.account_id:
        return None
    given = snapshot.attributes["restore"]
    return SHARED if backend.account_id in given else PUBLIC


def _matching(backend: LabBackend, query: SnapshotQuery, after: str) -> Iterator[_Listed]:
    """Iterate over what a query asks for after a key: own snapshots, then others' by ARN.

    Own keys are identifiers, others' are ARNs behind a tilde, which no identifier begins with.
    """
    if query.type not in {SHARED, PUBLIC} and not after.startswith("~"):
        for one in backend.database_snapshots.after(after):
            if one.is_seen and query.type in {None, one.snapshot_type} and _fits(one, query):
                yield _Listed(one.db_snapshot_identifier, one, None)
    for snapshot, kind in _others(backend, query):
        key = f"~{snapshot.arn}"
        if key > after and _fits(snapshot, query):
            yield _Listed(key, snapshot, kind)


def _others(backend: LabBackend, query: SnapshotQuery) -> Iterable[tuple[LabSnapshot, str]]:
    # Neither flag applies when own types are asked for (DescribeDBSnapshots reference).
    shared = query.type == SHARED or (query.type is None and query.include_shared)
    public = query.type == PUBLIC or (query.type is None and query.include_public)
    found: dict[str, tuple[LabSnapshot, str]] = {}
    region = backend.region_name
    if public:
        found |= {one.arn: (one, PUBLIC) for one in backend.shares.given_to(EVERYBODY, region)}
    if shared:
        own = backend.shares.given_to(backend.account_id, region)
        found |= {one.arn: (one, SHARED) for one in own}
    return [found[arn] for arn in sorted(found) if found[arn][0].account_id != backend.account_id]


def _fits(snapshot: LabSnapshot, query: SnapshotQuery) -> bool:
    if query.resource_id not in {None, snapshot.dbi_resource_id}:
        return False
    if query.instance is not None and not _is_of(snapshot, query.instance):
        return False
    return all(_passes(snapshot, name, values) for name, values in query.filters.items())


def _passes(snapshot: LabSnapshot, name: str, values: Sequence[str]) -> bool:
    match name:
        case "db-instance-id":
            return any(_is_of(snapshot, value) for value in values)
        case "db-snapshot-id":
            names = {snapshot.db_snapshot_identifier, snapshot.arn}
            return bool(names & {value.lower() for value in values})
        case "dbi-resource-id":
            return snapshot.dbi_resource_id in values
        case "snapshot-type":
            return snapshot.snapshot_type in values
        case _:
            return snapshot.engine in values


def _is_of(snapshot: LabSnapshot, instance: str) -> bool:
    arn = parse_arn(instance)
    if arn is None:
        return bool(snapshot.db_instance_identifier == instance.lower())
    return (
        arn.type == "db"
        and arn.name.lower() == snapshot.db_instance_identifier
        and arn.account == snapshot.account_id
        and arn.region == snapshot.region
    )
