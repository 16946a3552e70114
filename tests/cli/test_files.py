"""Files are written whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from engine.cli.files import read_plan, write_whole
from engine.errors import EngineError
from engine.plans.json_form import dumps
from tests.plans.samples import small, thin_path


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    write_whole(str(path), dumps(small()))
    write_whole(str(path), dumps(thin_path()))
    assert read_plan(str(path)) == thin_path()
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_gets_what_the_umask_leaves_and_an_old_one_keeps_its_own(tmp_path: Path) -> None:
    fresh, known = tmp_path / "fresh", tmp_path / "known"
    known.write_bytes(b"")
    known.chmod(0o640)
    before = os.umask(0o027)
    try:
        write_whole(str(fresh), b"x")
        write_whole(str(known), b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE(fresh.stat().st_mode) == 0o640
    assert stat.S_IMODE(known.stat().st_mode) == 0o640


def test_a_write_that_fails_leaves_the_old_file_and_no_draft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(b"old")

    def full_disk(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full_disk)
    with pytest.raises(EngineError, match="cannot be written") as caught:
        write_whole(str(path), b"new")
    assert caught.value.why == "No space left on device"
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("path", ["no/such/folder/plan.json", ".", "a\x00b", ""])
def test_a_path_that_cannot_be_written_is_an_error(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EngineError, match="the file cannot be written") as caught:
        write_whole(path, b"x")
    assert caught.value.where == path
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_regular_file_is_written_through(tmp_path: Path) -> None:
    write_whole(os.devnull, b"x")
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)
