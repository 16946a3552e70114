"""What commands say of policies that protect DB clusters."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import ExitCode
from tests.cli.running import run
from tests.documents.writing import ESTATE, documents, policy


def test_snapshots_of_clusters_are_not_adopted(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "all.yaml").write_text(documents(ESTATE, policy("protects: rds-cluster\n")))
    done = run(capfd, "adopt", "prod/*/*", "-policy", "gold", "-policies", str(tmp_path))
    assert done.code == ExitCode.USAGE
    assert "policy gold protects DB clusters, whose snapshots cannot be adopted" in done.err
