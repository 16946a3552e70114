"""What is read from paths, and what is refused before it is read."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from engine.documents.files import MAX_BYTES, read
from engine.documents.load import load
from tests.documents.writing import ESTATE, codes, documents, load_text, policy


def test_a_folder_gives_its_yaml_files_in_order_without_hidden_ones(tmp_path: Path) -> None:
    for name in ("b.yaml", "a.yml", "c.txt", ".hidden.yaml", ".git/x.yaml", "sub/d.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    found = [Path(file).relative_to(tmp_path).as_posix() for file in read([tmp_path]).by_file]
    assert found == ["a.yml", "b.yaml", "sub/d.yaml"]


def test_a_file_given_twice_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("x: 1\n")
    (tmp_path / "b.yaml").symlink_to(tmp_path / "a.yaml")
    texts = read([tmp_path, tmp_path / "a.yaml", tmp_path / "sub" / ".." / "a.yaml"])
    assert len(texts.by_file) == 1


def test_a_file_that_is_named_is_read_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "rules").write_text(documents(ESTATE, policy()))
    assert load([tmp_path / "rules"]).documents is not None


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    text = documents(ESTATE, policy("hold: 17\n")).replace("\n", "\r\n")
    assert codes(load_text(tmp_path, b"\xef\xbb\xbf" + text.encode())) == ["15:7 E121"]


def test_old_line_ends_count_as_lines(tmp_path: Path) -> None:
    text = documents(ESTATE, policy("hold: 17\n")).replace("\n", "\r")
    assert codes(load_text(tmp_path, text)) == ["15:7 E121"]


def test_a_missing_path_is_told(tmp_path: Path) -> None:
    (told,) = load([tmp_path / "nothing"]).diagnostics
    assert (told.code.id, told.summary) == (
        "E108",
        "cannot be read: no such file or directory",
    )


def test_a_folder_without_yaml_is_told(tmp_path: Path) -> None:
    (tmp_path / "readme.md").write_text("hello")
    assert codes(load([tmp_path])) == ["1:1 E109"]


def test_no_path_at_all_is_told() -> None:
    assert codes(load([])) == ["1:1 E109"]


def test_a_broken_link_is_told_with_all_other_errors(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").symlink_to(tmp_path / "gone")
    (tmp_path / "b.yaml").write_text("kind: polcy\n")
    assert [each.code.id for each in load([tmp_path]).diagnostics] == ["E108", "E112"]


def test_a_file_nobody_may_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.yaml").write_text("x: 1\n")

    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr("builtins.open", refused)
        (told,) = read([tmp_path]).diagnostics
    assert told.code.id == "E108"
    assert told.fix == "make it readable"


def test_a_folder_nobody_may_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: str) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(os, "scandir", refused)
        (told,) = read([tmp_path]).diagnostics
    assert told.code.id == "E108"


def test_a_name_that_cannot_be_one_is_told() -> None:
    (told,) = load([Path("a\0b")]).diagnostics
    assert told.code.id == "E108"


def test_a_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    assert [each.code.id for each in load([tmp_path]).diagnostics] == ["E108"]


def test_a_hundred_megabytes_are_refused_before_they_are_read(tmp_path: Path) -> None:
    with (tmp_path / "big.yaml").open("wb") as stream:
        stream.truncate(100 * 1024 * 1024)
    began = time.monotonic()
    assert [each.code.id for each in load([tmp_path]).diagnostics] == ["E107"]
    assert time.monotonic() - began < 1


def test_a_file_that_grows_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.yaml").write_bytes(b"#" * (MAX_BYTES + 1))
    small = os.stat_result((0o100644, 1, 1, 1, 0, 0, 10, 0, 0, 0))
    with monkeypatch.context() as patched:
        patched.setattr(os, "stat", lambda *_, **__: small)
        texts = read([tmp_path / "a.yaml"])
    assert [each.code.id for each in texts.diagnostics] == ["E107"]


def test_the_largest_file_allowed_is_checked_in_seconds(tmp_path: Path) -> None:
    line = b"- {name: some, value: [1, 2, 3]}\n"
    (tmp_path / "a.yaml").write_bytes(line * (MAX_BYTES // len(line)))
    began = time.monotonic()
    assert load([tmp_path]).documents is None
    assert time.monotonic() - began < 30
