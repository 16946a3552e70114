from __future__ import annotations

import dataclasses
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import EngineError
from engine.inventory import layout
from engine.inventory.recorded import read_inventory
from engine.inventory.recorded_files import RecordingError
from engine.inventory.recording import NotARecordingError, write_inventory
from engine.inventory.records import Inventory, Location, Scope, ScopeStatus
from tests.inventory.cli_output import instance, listing, record, snapshot
from tests.inventory.worlds import inventories

HERE = Location("111111111111", "eu-west-1")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(inventories())
def test_what_was_written_is_what_is_read(inventory: Inventory) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_inventory(inventory, Path(folder) / "inv")
        assert read_inventory(Path(folder) / "inv") == inventory


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
top_keys = st.sampled_from(
    ["DBSnapshots", "DBInstances", "Keys", "Events", "AccountQuotas", "AvailabilityZones", "scopes"]
)
rubbish = st.binary(max_size=40) | st.dictionaries(top_keys, json_values).map(
    lambda value: json.dumps(value).encode()
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(layout.FILES)), rubbish), st.none() | rubbish)
def test_rubbish_is_told_apart_never_a_traceback(
    files: dict[str, bytes], header: bytes | None
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = record(Path(folder), listing(instances=[instance()], snapshots=[snapshot()]))
        for name, content in files.items():
            (layout.location_folder(root, HERE) / name).write_bytes(content)
        if header is not None:
            (root / layout.HEADER).write_bytes(header)
        assert what_comes_of(root) in {"an inventory", "faults"}


def what_comes_of(root: Path) -> str:
    try:
        found = HERE in read_inventory(root).scopes
    except RecordingError as error:
        return "faults" if error.faults else "no reason"
    return "an inventory" if found else "nothing"


def inventory_of(*scopes: Scope) -> Inventory:
    return Inventory({scope.location: scope for scope in scopes}, recorded=True)


def test_a_new_recording_replaces_the_old_one_whole(tmp_path: Path) -> None:
    elsewhere = Location("222222222222", "eu-central-1")
    folder = tmp_path / "inv"
    write_inventory(inventory_of(Scope(HERE, instances=(), snapshots=())), folder)

    later = inventory_of(Scope(elsewhere, instances=(), snapshots=()))
    write_inventory(later, folder)

    assert read_inventory(folder) == later
    assert [entry.name for entry in tmp_path.iterdir()] == ["inv"]


@pytest.mark.parametrize("stranger", ["README.md", ".git", "policies"])
def test_a_folder_that_holds_other_things_is_not_replaced(tmp_path: Path, stranger: str) -> None:
    (tmp_path / stranger).mkdir()

    with pytest.raises(NotARecordingError, match="other things") as caught:
        write_inventory(inventory_of(Scope(HERE)), tmp_path)

    assert stranger in str(caught.value)
    assert [entry.name for entry in tmp_path.iterdir()] == [stranger]


def test_a_file_in_the_place_of_the_folder_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "inv").write_text("mine")
    with pytest.raises(NotARecordingError, match="is no folder"):
        write_inventory(inventory_of(Scope(HERE)), tmp_path / "inv")
    assert (tmp_path / "inv").read_text() == "mine"


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EngineError, match="cannot be written"):
        write_inventory(inventory_of(Scope(HERE)), tmp_path / "file" / "inv")


def test_a_location_that_failed_is_recorded_with_its_cause_and_what_was_read(
    tmp_path: Path,
) -> None:
    scope = Scope(HERE, ScopeStatus.FAILED, "AccessDenied on rds:DescribeDBSnapshots", ())
    write_inventory(inventory_of(scope), tmp_path / "inv")

    header = json.loads((tmp_path / "inv" / "inventory.json").read_text())
    assert header["scopes"] == [
        {
            "account": HERE.account,
            "region": HERE.region,
            "status": "failed",
            "cause": "AccessDenied on rds:DescribeDBSnapshots",
            "instances": 0,
        }
    ]
    assert read_inventory(tmp_path / "inv").scope(HERE) == scope


def test_the_files_are_shaped_as_the_aws_cli_prints_them(tmp_path: Path) -> None:
    original = record(
        tmp_path / "cli", listing(instances=[instance()], snapshots=[snapshot(Iops=3000)])
    )
    written = tmp_path / "engine"
    write_inventory(read_inventory(original), written)

    folder = layout.location_folder(written, HERE)
    (ours,) = json.loads((folder / "describe-db-snapshots.json").read_text())["DBSnapshots"]
    theirs = snapshot()
    told = {name: theirs[name] for name in ours}
    assert told | {"SnapshotCreateTime": 0, "OriginalSnapshotCreateTime": 0} == ours | {
        "SnapshotCreateTime": 0,
        "OriginalSnapshotCreateTime": 0,
    }
    again = dataclasses.replace(read_inventory(written), taken_at=None)
    assert again.scopes == read_inventory(original).scopes
