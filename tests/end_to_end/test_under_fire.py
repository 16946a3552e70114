"""Under every trouble the backups of everything else are made, and the trouble is told of."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from engine.lab.estates import IRELAND
from engine.lab.process import LabProcess
from tests.end_to_end.estates import FRANKFURT
from tests.end_to_end.gate import Gate, opened
from tests.end_to_end.harness import REPOSITORY, Finished, run_program
from tests.end_to_end.troubled import (
    DAY,
    ENGINE_ONLY,
    EVERYTHING,
    RIVAL,
    TONIGHT,
    Scene,
    Terms,
    planned_id,
    staged,
)
from tests.forking.labs import ForkedLab

USUAL = Terms()
HISTORY = tuple(range(12, 0, -1))
LAST_ONE = "{copies: [{target: vault}], retention: {keep: {last: 1}}}"


def nothing_more(scene: Scene) -> None:
    """The seed and the documents are trouble enough."""


@dataclass(frozen=True)
class Trouble:
    """A trouble, and all that may come of it.

    `lacking` are the points of tonight that cannot be; all others must be made in the same run.
    `about` are the databases whose steps may be left undone. `says` stands in the plan for people,
    and `kind` names it at the end of a run.
    """

    code: int
    kind: str | None
    says: tuple[str, ...]
    terms: Terms = USUAL
    lacking: frozenset[str] = frozenset()
    about: frozenset[str] = frozenset({"troubled"})
    stage: Callable[[Scene], None] = nothing_more
    dark: str | None = None
    program: tuple[str, ...] = ()
    plan_code: int | None = None
    withheld_by: str | None = None


def lacks(*names: str) -> frozenset[str]:
    return frozenset(names)


# -- how troubles come about ---------------------------------------------------------------------


def disable(account: str, alias: str) -> Callable[[Scene], None]:
    def stage(scene: Scene) -> None:
        kms = scene.world.kms(scene.account(account), IRELAND)
        kms.disable_key(KeyId=kms.describe_key(KeyId=alias)["KeyMetadata"]["KeyId"])

    return stage


def take_the_id_of_the_point(scene: Scene) -> None:
    wanted = planned_id(scene, "create_snapshot", "troubled")
    rds = scene.world.rds(scene.account("prod"), IRELAND)
    rds.create_db_snapshot(DBSnapshotIdentifier=wanted, DBInstanceIdentifier="healthy")


def take_the_id_of_the_copy(scene: Scene) -> None:
    wanted = planned_id(scene, "copy_snapshot", "troubled")
    rds = scene.world.rds(scene.account("vault"), IRELAND)
    any_other = rds.describe_db_snapshots()["DBSnapshots"][0]["DBSnapshotArn"]
    rds.copy_db_snapshot(
        SourceDBSnapshotIdentifier=any_other,
        TargetDBSnapshotIdentifier=wanted,
        KmsKeyId="alias/backups",
        Tags=[{"Key": "owner", "Value": "mara"}],
    )


def let_two_fit_into_the_vault(scene: Scene) -> None:
    there = scene.world.rds(scene.account("vault"), IRELAND).describe_db_snapshots()["DBSnapshots"]
    scene.lab.client.change_settings(manual_snapshots=len(there) + 2)


TROUBLES: dict[str, Trouble] = {
    "too many deletes at one place": Trouble(
        4, "guard", ("max_deletes", "deletes beyond the points"),
        Terms(odd=LAST_ONE, guards="{min_points: 1, max_deletes: {count: 3}}", days=HISTORY),
        withheld_by="max_deletes",
    ),
    "too many deletes in the estate": Trouble(
        4, "guard", ("max_deletes", "the estate"),
        Terms(odd=LAST_ONE, guards="{min_points: 1, max_deletes: {count: 15}}",
              days=HISTORY, vault_days=HISTORY),
        withheld_by="max_deletes",
    ),
    "a copy in full where increments are required": Trouble(
        4, "guard", ("incremental_required",),
        Terms(odd="{copies: [{target: vault}], incremental: require}", vault_key="alias/other"),
        lacks("troubled@vault"), withheld_by="incremental_required",
    ),
    "a copy in full beyond the budget": Trouble(
        4, "guard", ("full_copies",),
        Terms(guards="{min_points: 1, full_copies: {count: 0}}", vault_key="alias/other"),
        lacks("troubled@vault"), withheld_by="full_copies",
    ),
    "a quota that is full": Trouble(
        4, "guard", ("quota", "has room for 2 more manual snapshots"),
        Terms(vault_days=HISTORY), lacks("troubled@vault"),
        stage=let_two_fit_into_the_vault, withheld_by="quota",
    ),
    "two policies for one database": Trouble(
        4, "guard", ("policy_conflict", "E301 two-policies"),
        Terms(odd=LAST_ONE, more=RIVAL, days=HISTORY), withheld_by="policy_conflict",
    ),
    "a bug in deleting": Trouble(
        1, "verifier", ("Verifier:", "This is a bug of the engine"),
        Terms(odd=LAST_ONE, pin="audit"),
        program=(Path(sys.executable).name, "-m", "tests.end_to_end.faulty_planner"),
        plan_code=1, withheld_by="verifier",
    ),
    "an object under the id of a point": Trouble(
        6, "conflict", ("Conflicts: 1 snapshot not the engine's",),
        lacking=lacks("troubled@prod", "troubled@vault"), stage=take_the_id_of_the_point,
    ),
    "an object under the id of a copy": Trouble(
        6, "conflict", ("Conflicts: 1 snapshot not the engine's",),
        lacking=lacks("troubled@vault"), stage=take_the_id_of_the_copy,
    ),
    "the key of a database that is disabled": Trouble(
        6, "no_route", ("cannot be copied: its key", "is Disabled"),
        Terms(odd_key="alias/odd"), lacks("troubled@vault"),
        stage=disable("prod", "alias/odd"),
    ),
    "the key of a target that is disabled": Trouble(
        3, "check", ("E311 key-unusable", "is Disabled"),
        Terms(odd="{copies: [{target: other-key}]}", vault_key="alias/other"),
        lacks("troubled@vault"), stage=disable("vault", "alias/other"), plan_code=6,
    ),
    "the key of a target that is gone": Trouble(
        6, "check", ("E302 no-route", "alias/nothing"),
        Terms(odd="{copies: [{target: no-key}]}"), lacks("troubled@vault"),
    ),
    "a key that the target may not use": Trouble(
        3, None, (), Terms(odd_key="alias/private"), lacks("troubled@vault"), plan_code=2,
    ),
    "the default key, and none to copy it to": Trouble(
        6, "check", ("E304 default-key",), Terms(odd_key="aws/rds"), lacks("troubled@vault"),
    ),
    "an account of targets that may not be read": Trouble(
        3, "not_read", ("could not be read", "AccessDenied"),
        Terms(roles={"vault": ENGINE_ONLY}),
        lacks("healthy@vault", "troubled@vault", "elsewhere@vault"), plan_code=3,
    ),
    "an account of sources that may not be read": Trouble(
        3, "not_read", ("could not be read", "AccessDenied"),
        Terms(roles={"spare": ENGINE_ONLY}),
        lacks("elsewhere@spare", "elsewhere@vault", "healthy@spare"), plan_code=3,
    ),
    "a region that is down": Trouble(
        3, "not_read", ("could not be read", "eu-central-1"),
        Terms(odd="{copies: [{target: far}]}"), lacks("troubled@vault"),
        dark=FRANKFURT, plan_code=3,
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def lab() -> Iterator[LabProcess]:
    with ForkedLab.start(speed=20.0, at=TONIGHT + DAY / 288) as lab:
        yield lab


NUMBERS = count(1)


@dataclass(frozen=True)
class Fire:
    """A scene under its trouble, and the engine in it."""

    scene: Scene
    trouble: Trouble

    def run(self, *words: str) -> Finished:
        """Run the engine, or the broken one, at the lab's time; reading calls are tried once."""
        world = self.scene.world
        more = {"AWS_MAX_ATTEMPTS": "1", "PYTHONPATH": str(REPOSITORY)}
        words = (*words, "-at", world.now())
        if not self.trouble.program:
            return world.run(*words, **more)
        name, *before = self.trouble.program
        return run_program(name, (*before, *words), world.folder, world.environment | more)

    def plan(self) -> tuple[int, dict[str, Any], str]:
        """Return how `plan` ends, the plan as JSON, and what a pull request would show."""
        done = self.run("plan", "-json", "-detailed-exitcode", "-markdown", "plan.md")
        shown = (self.scene.world.folder / "plan.md").read_text()
        assert done.out, done.err
        return done.code, json.loads(done.out), shown

    def apply(self, *words: str) -> Finished:
        """Apply without a question, to the end."""
        return self.run("apply", "-auto-approve", "-wait", "-poll-interval", "1s", *words)


@pytest.fixture
def fire(request: pytest.FixtureRequest, lab: LabProcess, tmp_path: Path) -> Iterator[Fire]:
    trouble = TROUBLES[request.param]
    scene = staged(lab, tmp_path / "repository", next(NUMBERS), trouble.terms)
    trouble.stage(scene)
    gate = Gate(lab.endpoint, dark=trouble.dark)
    with opened(gate) as endpoint:
        yield Fire(replace(scene, world=scene.world.through(endpoint)), trouble)
    lab.client.change_settings(manual_snapshots=100)


def flat(text: str) -> str:
    """Return a text without the marks of Markdown and the breaks of lines."""
    for mark in ("\\", "`", "**"):
        text = text.replace(mark, "")
    return " ".join(text.split())


def databases(names: Iterable[str]) -> set[str]:
    """Whose objects these are; ids begin with the name of the database."""
    return {name.rpartition(":")[2].rpartition("/")[2].partition("-")[0] for name in names}


@pytest.mark.parametrize("fire", TROUBLES, indirect=True)
def test_under_fire_all_else_is_made_and_the_trouble_is_told(fire: Fire) -> None:
    trouble, before = fire.trouble, fire.scene.arns()

    code, plan, shown = fire.plan()
    assert code == (trouble.code if trouble.plan_code is None else trouble.plan_code)
    for words in trouble.says:
        assert words in flat(shown)
    held = [step for step in plan["steps"] if step["withheld_by"] is not None]
    assert {step["source"]["identifier"] for step in held} <= trouble.about
    assert plan["summary"]["withheld"] == len(held)
    if trouble.withheld_by is not None:
        assert trouble.withheld_by in {step["withheld_by"] for step in held}

    done = fire.apply().insist(trouble.code)
    assert fire.scene.points(TONIGHT) == EVERYTHING - trouble.lacking
    for words in trouble.says:
        assert words in flat(done.out)
    if trouble.kind is not None:
        assert f"\n{trouble.kind}: " in done.out
    may_go = {
        step["arn"]
        for step in plan["steps"]
        if step["action"] == "delete_snapshot" and step["withheld_by"] is None
    }
    assert before - fire.scene.arns() <= may_go

    again = fire.apply("-json").insist(trouble.code)
    outcome = again.outcome()
    assert outcome["exit_code"] == trouble.code
    if trouble.kind is not None:
        assert trouble.kind in {one["kind"] for one in outcome["troubles"]}
    undone = [
        line["arn"]
        for line in again.json_lines()
        if line["type"] == "step" and line["state"] in UNDONE
    ]
    assert databases(undone) <= trouble.about
    assert undone or trouble.kind is not None, "what is wrong must be told somewhere"


UNDONE = {"failed", "refused", "skipped", "withheld"}
