"""The lab's own interface: clock, seeds, failovers; and its process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.lab.client import LabClient
from engine.lab.errors import LabError
from engine.lab.process import LabProcess
from tests.lab.places import IRELAND, Account, Places


def test_the_clock_is_told_moved_and_never_turned_back(places: Places) -> None:
    client = places.lab.client
    before = client.now()
    assert client.forward(90) == before + timedelta(seconds=90)
    assert client.move_to(before + timedelta(hours=1)) == before + timedelta(hours=1)
    with pytest.raises(LabError, match="cannot go back"):
        client.move_to(before)
    with pytest.raises(LabError, match="cannot go back"):
        client.forward(-1)


def test_what_is_not_understood_is_told_so(places: Places) -> None:
    def ask(path: str, body: bytes | None = None) -> str:
        request = urllib.request.Request(f"{places.lab.endpoint}/_lab{path}", data=body)
        with pytest.raises(urllib.error.HTTPError) as raised:
            urllib.request.urlopen(request)
        return str(json.loads(raised.value.read())["error"])

    assert "GET /_lab/clock" in ask("/nothing")
    assert "not JSON" in ask("/clock", b"{")
    assert "does not say how" in ask("/clock", b'{"by": 3}')
    assert "knows no time" in ask("/clock", b'{"to": "9999-12-31T00:00:00Z"}')
    assert "knows no time" in ask("/clock", b'{"forward": 1e300}')
    assert "cannot run at speed" in ask("/clock", b'{"speed": 1e300}')
    assert "not JSON" in ask("/clock", b'{"speed": NaN}')
    assert "not JSON" in ask("/clock", b"[" * 100_000)
    assert "no setting" in ask("/settings", b'{"colour": 3}')
    assert "not a number from 0" in ask("/settings", b'{"create_seconds": 1e300}')
    assert "does not name an instance" in ask("/failover", b"{}")


def test_a_failover_of_what_cannot_is_refused(places: Places) -> None:
    account = places.account({})
    with pytest.raises(LabError, match="no standby"):
        places.lab.client.fail_over(account.id, IRELAND, "db")
    with pytest.raises(LabError, match="DBInstanceNotFound"):
        places.lab.client.fail_over(account.id, IRELAND, "none")
    with pytest.raises(LabError, match="name a seeded account"):
        places.lab.client.fail_over("000000000000", "nowhere", "db")


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ([], "expected"),
        ({"colour": 1}, "colour"),
        ({"accounts": {"a": {"id": 1}}}, r"accounts"),
        ({"keys": [{"account": "x", "region": IRELAND, "alias": "alias/a"}]}, "account 'x'"),
        ({"instances": [{"account": "a", "region": IRELAND}]}, "identifier"),
        (
            {
                "instances": [
                    {"account": "a", "region": IRELAND, "identifier": "i", "key": "alias/k"}
                ]
            },
            "alias/k",
        ),
        (
            {"instances": [{"account": "a", "region": "mars-1", "identifier": "i"}]},
            "mars-1",
        ),
        (
            {
                "snapshots": [
                    {
                        "account": "a",
                        "region": IRELAND,
                        "identifier": "s",
                        "created": "2026-01-01T00:00:00Z",
                        "instance": "gone",
                    }
                ]
            },
            "gone",
        ),
        ({"keys": [{"account": "a", "region": "mars-1", "alias": "alias/a"}]}, "mars-1"),
        ({"accounts": {"a": {"id": "299999999999", "zones": {"mars-1": {}}}}}, "mars-1"),
        (
            {"instances": [{"account": "a", "region": IRELAND, "identifier": "i/../j"}]},
            r"identifier|pattern",
        ),
        ({"at": "2020-01-01T00:00:00Z"}, "cannot go back"),
        ({"at": "9999-12-31T23:59:59Z"}, "knows no time like 9999"),
    ],
)
def test_a_seed_that_is_wrong_says_where(places: Places, document: Any, words: str) -> None:
    if isinstance(document, dict) and "accounts" not in document:
        document = {"accounts": {"a": {"id": "299999999999"}}, **document}
    with pytest.raises(LabError, match=r"(?i)" + words):
        places.lab.client.seed(document)


def test_seeded_snapshots_are_what_they_are_said_to_be(places: Places) -> None:
    account = places.account(
        {"handle": "old", "deleted": True, "multi_az": True},
        {"handle": "new"},
        snapshots=[
            {
                "identifier": "orphan",
                "instance": "old",
                "created": "2026-01-01T00:00:00Z",
                "zones": ["eu-west-1c", "eu-west-1a"],
                "tags": {"a": "b"},
            },
            {"identifier": "own", "instance": "new", "created": "2026-01-02T00:00:00Z"},
            {
                "identifier": "broken",
                "instance": "new",
                "created": "2026-01-03T00:00:00Z",
                "status": "failed",
            },
        ],
    )
    found = {
        one["DBSnapshotIdentifier"]: one
        for one in account.rds.describe_db_snapshots()["DBSnapshots"]
    }
    [instance] = account.rds.describe_db_instances()["DBInstances"]
    assert found["own"]["DbiResourceId"] == instance["DbiResourceId"]
    assert found["orphan"]["DbiResourceId"] != instance["DbiResourceId"]
    assert found["orphan"]["AvailabilityZone"] == "eu-west-1c"
    assert found["orphan"]["SnapshotCreateTime"] == datetime(2026, 1, 1, tzinfo=UTC)
    assert found["broken"]["Status"] == "failed"
    zones = account.ec2.describe_availability_zones()["AvailabilityZones"]
    ids = {one["ZoneName"]: one["ZoneId"] for one in zones}
    assert places.stored(account.arn("orphan"))["volume"]["zone"] == ids["eu-west-1a"]


def test_seeded_copies_have_their_place_in_the_chains(places: Places) -> None:
    def day(number: int) -> str:
        return f"2026-01-{number:02}T00:00:00Z"

    vault = places.account(keys=[{"alias": "alias/own"}])
    account = places.account({}, others=[vault.id])
    origins = [
        {
            "account": account.id,
            "region": IRELAND,
            "identifier": f"s{number}",
            "instance": "db",
            "created": day(number),
        }
        for number in (1, 2)
    ]
    copies = [
        {
            "account": vault.id,
            "region": IRELAND,
            "identifier": f"c{number}",
            "created": day(number),
            "copy_of": account.arn(f"s{number}"),
        }
        for number in (1, 2)
    ]
    instance = {"account": account.id, "region": IRELAND, "identifier": "db2", "handle": "db"}
    accounts = {one: {"id": one} for one in (account.id, vault.id)}
    places.lab.client.seed(
        {"accounts": accounts, "instances": [instance], "snapshots": [*copies, *origins]}
    )
    found = places.stored(vault.arn("c2"))
    assert (found["stored"], found["base"]) == ("incremental", vault.arn("c1"))
    told = vault.rds.describe_db_snapshots(DBSnapshotIdentifier="c2")["DBSnapshots"][0]
    assert told["SourceDBSnapshotIdentifier"] == account.arn("s2")


def test_a_lab_ends_with_its_parent(tmp_path: Path) -> None:
    code = (
        "import os\n"
        "from engine.lab.process import LabProcess\n"
        "lab = LabProcess.start()\n"
        "print(lab.pid, flush=True)\n"
        "os._exit(9)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    pid = int(done.stdout)
    deadline = time.monotonic() + 10
    while _lives(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _lives(pid)


def _lives(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        try:
            os.kill(pid, 0)
        except OSError:
            return False
        return True
    return stat.rpartition(")")[2].split()[0] != "Z"


def test_a_lab_that_cannot_start_says_why(lab: LabProcess) -> None:
    port = int(lab.endpoint.rpartition(":")[2])
    with pytest.raises(LabError, match=f"port {port} cannot be opened"):
        LabProcess.start(port=port)


def test_a_client_of_nothing_says_so() -> None:
    with pytest.raises(LabError, match="no lab answers"):
        LabClient("http://127.0.0.1:9").now()


@pytest.fixture
def own_places() -> Iterator[Places]:
    """A lab that holds nothing of other tests."""
    with LabProcess.start(speed=0, at=datetime(2026, 3, 2, 12, tzinfo=UTC)) as lab:
        yield Places(lab)


def test_what_a_lab_holds_can_be_planted_in_another(own_places: Places) -> None:
    places = own_places
    vault = places.account(keys=[{"alias": "alias/own"}, {"alias": "alias/aws/rds"}])
    prod = places.account(
        {"key": "alias/own", "multi_az": True, "tags": {"a": "b"}},
        others=[vault.id],
        keys=[{"alias": "alias/own", "usable_by": [vault.id]}],
        roles={"backup-engine": "secret"},
    )
    for name in ("one", "two"):
        arn = places.snapshot(prod, name, Tags=[{"Key": "name", "Value": name}])
        prod.rds.modify_db_snapshot_attribute(
            DBSnapshotIdentifier=name, AttributeName="restore", ValuesToAdd=[vault.id]
        )
        vault.rds.copy_db_snapshot(
            SourceDBSnapshotIdentifier=arn,
            TargetDBSnapshotIdentifier=f"copy-{name}",
            KmsKeyId="alias/own",
        )
        places.pass_time()
    prod.rds.delete_db_snapshot(DBSnapshotIdentifier="one")
    with LabProcess.start(places.lab.client.dump(), speed=0) as second:
        assert second.client.now() == places.lab.client.now()
        for account in (prod, vault):
            again = Account(second, account.id)
            assert _listed(again) == _listed(account)
        truth = {one["arn"]: one for one in second.client.truth()}
        for arn in (vault.arn("copy-two"), vault.arn("copy-one"), prod.arn("two")):
            expected = places.stored(arn)
            assert (truth[arn]["stored"], truth[arn]["base"], truth[arn]["volume"]) == (
                expected["stored"],
                expected["base"],
                expected["volume"],
            )


def _listed(account: Account) -> Any:
    instances: Any = account.rds.describe_db_instances()["DBInstances"]
    for one in instances:
        del one["VpcSecurityGroups"]  # moto's, another one in each process
    return account.rds.describe_db_snapshots()["DBSnapshots"], instances
