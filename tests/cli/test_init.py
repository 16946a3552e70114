"""`engine init`: a starter repository that validates, and that never overwrites anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.cli.starter import FILES
from tests.cli.running import run

Capture = pytest.CaptureFixture[str]


def test_what_is_written_validates_without_a_warning(tmp_path: Path, capfd: Capture) -> None:
    ran = run(capfd, "init", str(tmp_path / "new"))
    assert ran.code == 0
    assert [line for line in ran.out.splitlines() if line.startswith("wrote ")] == [
        f"wrote {tmp_path / 'new' / name}" for name in FILES
    ]
    checked = run(capfd, "validate", "-strict", str(tmp_path / "new" / "policies"))
    assert (checked.code, checked.out) == (0, "2 policies, nothing wrong\n")


def test_every_file_explains_itself() -> None:
    for text in FILES.values():
        assert text.startswith("# ")


def test_here_is_where_it_is_written_by_default(
    tmp_path: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(capfd, "init").code == 0
    assert run(capfd, "validate").code == 0


def test_nothing_is_overwritten_and_then_nothing_is_written(tmp_path: Path, capfd: Capture) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "rest.yaml").write_text("mine")
    ran = run(capfd, "init", str(tmp_path))
    assert ran.code == 1
    assert "policies/rest.yaml is there already" in ran.err
    assert [file.name for file in (tmp_path / "policies").iterdir()] == ["rest.yaml"]
    assert (tmp_path / "policies" / "rest.yaml").read_text() == "mine"


def test_a_second_init_names_all_files(tmp_path: Path, capfd: Capture) -> None:
    run(capfd, "init", str(tmp_path))
    ran = run(capfd, "init", str(tmp_path))
    assert ran.code == 1
    assert f"{', '.join(FILES)} are there already" in ran.err


@pytest.mark.parametrize("name", ["file/under", "a\0b"])
def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, capfd: Capture, name: str) -> None:
    (tmp_path / "file").write_text("")
    ran = run(capfd, "init", str(tmp_path / name))
    assert ran.code == 1
    assert "the starter repository cannot be written" in ran.err
