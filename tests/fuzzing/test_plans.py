"""A saved plan may be anything: it is shown, or refused with a word on what is wrong with it."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.applying.outcome import StepState
from engine.applying.ports import CloudError, Trouble
from engine.errors import EngineError
from engine.inventory.records import Kind, Location
from engine.plans.digest import plan_digest
from engine.plans.json_form import dumps, loads
from engine.plans.plan import Plan, Step
from engine.plans.seal import sealed
from tests.applying.stage import Stage, hold
from tests.applying.world import (
    HOME,
    VAULT,
    FakeCloud,
    Point,
    copy_of,
    copy_step,
    create_step,
    database,
    delete_step,
    plan_of,
    primary,
    share_step,
    snapshot,
    unshare_step,
)
from tests.fuzzing.ends import ended, soak_seconds, soaked
from tests.fuzzing.mutants import damaged, garbage, mutated
from tests.plans.samples import guarded, incomplete, recorded, small, thin_path

SAMPLE = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
PLANS = tuple(json.loads(dumps(make())) for make in (thin_path, small, recorded, incomplete))
PLANS += (json.loads(dumps(guarded())),)
FORMATS = ("text", "json", "markdown")


def forged(document: Any) -> bytes:
    """What somebody makes of a changed plan who knows how digests and seals are computed."""
    with contextlib.suppress(
        msgspec.ValidationError, LookupError, ArithmeticError, TypeError, ValueError
    ):
        document["digest"] = plan_digest(msgspec.convert(document["steps"], tuple[Step, ...]))
    if isinstance(document, dict):
        document.pop("seal", None)
    return sealed(json.dumps(document, separators=(",", ":")).encode())


def show_damaged(folder: Path, chance: Random) -> None:
    """Damage the bytes of a plan, and look at it."""
    whole = json.dumps(chance.choice(PLANS)).encode()
    data = damaged(whole, chance) if chance.random() < 0.9 else garbage(chance)
    show(folder, data, chance)


def show_mutated(folder: Path, chance: Random) -> None:
    """Change values of a plan, seal it again, and look at it."""
    document = mutated(json.loads(json.dumps(chance.choice(PLANS))), chance)
    show(folder, forged(document), chance)


def show(folder: Path, data: bytes, chance: Random) -> None:
    path = folder / "plan.bin"
    path.write_bytes(data)
    words = ("show", str(path), "-format", chance.choice(FORMATS))
    assert ended(*words, *chance.choice(((), ("-full",)))).code in {0, 1, 5}


class Cloud(FakeCloud):
    """A cloud that answers as AWS does where a plan names what is not there."""

    def copy(
        self,
        at: Location,
        snapshot: str,
        *,
        origin: str,
        key: str | None,
        tags: Mapping[str, str],
        option_group: str | None = None,
        kind: Kind = Kind.INSTANCE,
    ) -> None:
        found = self.objects.get(origin)
        if found is None or self._settled(found).status != "available":
            raise CloudError(Trouble.NOT_FOUND, "DBSnapshotNotFound", origin)
        super().copy(
            at,
            snapshot,
            origin=origin,
            key=key,
            tags=tags,
            option_group=option_group,
            kind=kind,
        )


FOREIGN = snapshot(f"arn:aws:rds:{HOME.region}:{HOME.account}:snapshot:by-hand", {"owner": "mara"})


def apply_mutated(_: Path, chance: Random) -> None:
    """Change values of a plan, seal it again, and do it where nothing is real."""
    new, old = primary(), primary(8)
    create, copying = create_step(new), copy_of(new)
    share = share_step(new, VAULT.account, create)
    copy = copy_step(copying, share)
    steps = (create, share, copy, unshare_step(new, VAULT.account, copy), delete_step(old, create))
    document = mutated(json.loads(dumps(plan_of(*steps))), chance)
    text = forged(document).decode()
    if chance.random() < 0.2:
        text = text.replace(old.identifier, FOREIGN.identifier)
        text = forged(json.loads(text)).decode()
    try:
        plan = loads(text.encode(), "plan.bin")
    except EngineError:
        return
    do(plan, old)


def do(plan: Plan, old: Point) -> None:
    stage = Stage()
    stage.cloud = Cloud(stage.clock)
    one = database()
    stage.cloud.databases[one.arn] = one
    stage.cloud.objects[FOREIGN.arn] = FOREIGN
    hold(stage, old)
    try:
        outcome = stage.run(plan)
    except EngineError:
        return
    finally:
        stage.folder.cleanup()
        assert stage.cloud.objects[FOREIGN.arn] == FOREIGN
        assert not stage.cloud.shared[FOREIGN.identifier]
    assert {result.state for result in outcome.results} <= set(StepState)


TRIALS = (show_damaged, show_mutated, apply_mutated)
each_trial = pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.__name__)
Trial = Callable[[Path, Random], None]


@each_trial
@SAMPLE
@given(number=st.integers(0, 2**32))
def test_a_plan_that_is_damaged_is_shown_or_refused(
    tmp_path: Path, trial: Trial, number: int
) -> None:
    trial(tmp_path, Random(number))


@pytest.mark.slow
@each_trial
def test_a_plan_that_is_damaged_is_shown_or_refused_at_length(tmp_path: Path, trial: Trial) -> None:
    tried = soaked(soak_seconds(), partial(trial, tmp_path))
    sys.stdout.write(f"{trial.__name__}: {tried} plans\n")
    assert tried > 100
