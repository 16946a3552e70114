"""The schemas are found by a checkout and by an installed wheel alike."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
SCHEMAS = sorted(path.name for path in (TOP / "schemas").glob("*.json"))


def test_in_a_checkout_the_package_links_to_the_files_at_the_top() -> None:
    for name in SCHEMAS:
        assert (TOP / "engine" / "schemas" / name).samefile(TOP / "schemas" / name)
    assert not any(path.is_symlink() for path in (TOP / "schemas").iterdir())


@pytest.mark.slow
def test_a_wheel_holds_its_data_and_the_schemas_are_found_when_installed(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", str(TOP)]
    subprocess.run([*build, "--wheel-dir", str(tmp_path)], check=True)
    (wheel,) = tmp_path.glob("engine-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        assert {f"engine/schemas/{name}" for name in SCHEMAS} <= names
        assert {"engine/lab/acme_history.json", "engine/costs/prices.json"} <= names
        assert "engine/reports/html/templates/base.html" in names
        archive.extractall(tmp_path / "site")
    found = subprocess.run(
        [sys.executable, "-m", "engine", "schema", "policy"],
        cwd=tmp_path / "site",
        check=True,
        capture_output=True,
        text=True,
    )
    assert found.stdout == (TOP / "schemas" / "policy.v1.json").read_text(encoding="utf-8")
