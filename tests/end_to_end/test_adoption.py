"""What a script and other tools made, brought under a policy and seen by the AWS CLI."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from engine.lab.estates import IRELAND, PROD, VAULT, small
from engine.lab.seeds import InstanceSeed, SnapshotSeed, read_seed, seed_document
from tests.end_to_end.harness import REPOSITORY, World, announced, keys_of_instances, working_folder
from tests.forking.labs import ForkedLab

NIGHT = datetime(2026, 11, 21, 2, 10, tzinfo=UTC)
EXAMPLE = REPOSITORY / "docs" / "examples" / "adoption"
BY_SCRIPT = {f"script-{days}": NIGHT - timedelta(days=days) for days in (100, 101, 140, 200)}
COPIED = "script-100"


def arn(name: str, account: str = PROD) -> str:
    return f"arn:aws:rds:{IRELAND}:{account}:snapshot:{name}"


def history() -> object:
    """The small estate, with what others made before the engine came."""
    made = [
        SnapshotSeed("prod", IRELAND, name, at, instance="orders-1", tags={"made-by": "script"})
        for name, at in BY_SCRIPT.items()
    ]
    made += [
        SnapshotSeed(
            "vault", IRELAND, COPIED, BY_SCRIPT[COPIED] + timedelta(hours=1), copy_of=arn(COPIED),
            key="alias/backups",
        ),
        SnapshotSeed(
            "prod", IRELAND, "script-globex", NIGHT - timedelta(days=9), instance="orders-1",
            tags={"engine:estate": "globex"},
        ),
        SnapshotSeed(
            "prod", IRELAND, "awsbackup:job-1", NIGHT - timedelta(days=8), instance="orders-1",
            type="awsbackup",
        ),
        SnapshotSeed(
            "prod", IRELAND, "reports-final", NIGHT - timedelta(days=80), instance="reports"
        ),
    ]  # fmt: skip
    seed = read_seed(small())
    reports = InstanceSeed("prod", IRELAND, "reports", key="alias/orders", deleted=True)
    seed = msgspec.structs.replace(
        seed, instances=(*seed.instances, reports), snapshots=tuple(made)
    )
    document: object = seed_document(seed)
    return document


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = working_folder(tmp_path_factory.mktemp("adoption"), EXAMPLE)
    with ForkedLab.start(history(), speed=20.0, at=NIGHT) as lab:
        world = World(lab, folder)
        world.apply("-wait").insist()
        yield world


def tags_of(world: World, name: str, account: str = PROD) -> Mapping[str, str]:
    """The tags of a snapshot, as the AWS CLI shows them."""
    words = ("rds", "list-tags-for-resource", "--resource-name", arn(name, account))
    listed = world.aws(account, IRELAND, *words)["TagList"]
    return {tag["Key"]: tag["Value"] for tag in listed}


def adopt(world: World, *words: str) -> Any:
    done = world.run("adopt", *words, "-policy", "gold", "-json", "-at", world.now())
    return json.loads(done.insist().out)


def changing(world: World) -> list[str]:
    """What was called that changes anything."""
    reads = ("Describe", "List", "Get", "AssumeRole")
    calls = (call["operation"] for call in world.lab.client.calls())
    return [operation for operation in calls if not operation.startswith(reads)]


def test_a_plan_lists_what_is_left_of_databases_that_are_gone(world: World) -> None:
    (left,) = world.planned()["foreign_orphans"]
    assert left["arn"] == arn("reports-final")
    assert left["taken_at"] == "2026-09-02T02:10:00Z"
    text = world.plan().insist().out
    line = "reports: 1 snapshot, up to 100 GiB, up to $9.50 a month, the oldest"
    assert f"111111111111/eu-west-1/{line} 80" in " ".join(text.split())
    assert "engine adopt" in text


def test_without_out_an_adoption_only_shows(world: World) -> None:
    before, calls = world.seen(), changing(world)
    done = world.run("adopt", "prod/*/orders-1", "-policy", "gold", "-at", world.now()).insist()
    assert "Afterwards no rule keeps: 2 snapshots" in done.out
    assert "script-200" in done.out
    assert "estate globex" in done.out
    assert "Nothing was done." in done.out
    assert (world.seen(), changing(world)) == (before, calls)


def test_adoption_tags_what_fits_and_nothing_else(world: World) -> None:
    saved = str(world.folder / "adopt.plan")
    before = world.seen()
    plan = adopt(world, "prod/eu-west-1/orders-1", "-identifiers", "script-*", "-out", saved)
    fates = {one["arn"]: one["fate"] for one in plan["afterwards"]}
    assert fates == {
        arn("script-100"): "kept",
        arn("script-100", VAULT): "kept",
        arn("script-101"): "deletable",
        arn("script-140"): "kept",
        arn("script-200"): "deletable",
    }
    done = world.apply(saved, "-wait").insist()
    assert done.out == "done: 5, running: 0\n"
    assert world.seen() == announced(before, plan, keys_of_instances(world))
    tags = tags_of(world, "script-100")
    assert tags["made-by"] == "script"
    assert tags["engine:slot"] == "2026-08-13T02:10:00Z"
    assert tags_of(world, "script-100", VAULT)["engine:origin"] == arn("script-100")
    assert tags_of(world, "script-globex") == {"engine:estate": "globex"}
    assert adopt(world, "*", "-identifiers", "script-1*")["steps"] == []


def test_what_the_next_plan_deletes_was_told_before(world: World) -> None:
    plan = world.planned()
    deletes = {step["arn"] for step in plan["steps"] if step["action"] == "delete_snapshot"}
    assert deletes == {arn("script-101"), arn("script-200")}
    excess = next(guard for guard in plan["guards"] if guard["guard"] == "max_deletes")
    # One of the two makes room for the point of tonight; what was adopted excuses nothing.
    assert excess["value"] == 1
    world.apply("-wait").insist()
    left = {one.arn for one in world.seen_by_cli(PROD, IRELAND, ()).values()}
    assert deletes.isdisjoint(left)
    assert {arn("script-100"), arn("script-140"), arn("script-globex")} <= left


def test_a_saved_adoption_is_refused_once_somebody_else_took_the_snapshot(world: World) -> None:
    saved = str(world.folder / "late.plan")
    plan = adopt(world, "prod/*/reports", "-out", saved)
    assert [step["snapshot"] for step in plan["steps"]] == ["reports-final"]
    name = {"ResourceName": arn("reports-final")}
    theirs = {"Key": "engine:estate", "Value": "globex"}
    world.rds(PROD, IRELAND).add_tags_to_resource(**name, Tags=[theirs])
    world.apply(saved, "-wait").insist(5)
    assert tags_of(world, "reports-final") == {"engine:estate": "globex"}
    world.rds(PROD, IRELAND).remove_tags_from_resource(**name, TagKeys=["engine:estate"])


def test_an_edited_adoption_is_refused(world: World) -> None:
    saved = world.folder / "edited.plan"
    adopt(world, "prod/*/reports", "-out", str(saved))
    saved.write_text(saved.read_text().replace("reports-final", "script-globex"))
    world.apply(str(saved), "-wait").insist(5)
    assert "engine:policy" not in tags_of(world, "script-globex")


def test_an_adopted_orphan_is_managed(world: World) -> None:
    saved = str(world.folder / "orphan.plan")
    adopt(world, "prod/*/reports", "-out", saved)
    world.apply(saved, "-wait").insist()
    plan = world.planned()
    assert plan["foreign_orphans"] == []
    kept = {one["arn"]: [why["code"] for why in one["reasons"]] for one in plan["kept"]}
    assert kept[arn("reports-final")] == ["source_is_gone"]


def test_a_policy_that_does_not_exist_is_named_with_one_that_does(world: World) -> None:
    done = world.run("adopt", "*", "-policy", "golf", "-at", world.now()).insist(64)
    assert "gold" in done.err


# -- pins ----------------------------------------------------------------------------------------


def test_a_pin_is_shown_asked_for_and_seen(world: World) -> None:
    slot = "2026-11-21T02:00:00Z"
    (newest,) = (one for one in world.owned().values() if (one.role, one.slot) == ("primary", slot))
    name = newest.arn.rpartition(":")[2]
    refused = world.run("pin", name, "-reason", "audit 17", "-at", world.now())
    assert refused.code == 1
    assert "Nothing was done." in refused.out
    assert "pinned: audit 17" in refused.out
    done = world.run("pin", name, "-reason", "audit 17", "-auto-approve", "-at", world.now())
    done.insist()
    assert tags_of(world, name)["engine:pin"] == "audit 17"
    world.run("unpin", newest.arn, "-auto-approve", "-at", world.now()).insist()
    assert "engine:pin" not in tags_of(world, name)


def test_what_is_not_the_engines_is_not_pinned(world: World) -> None:
    words = ("pin", "script-globex", "-reason", "x", "-auto-approve", "-at", world.now())
    done = world.run(*words).insist(1)
    assert "never touched" in done.err
    assert "engine:pin" not in tags_of(world, "script-globex")
