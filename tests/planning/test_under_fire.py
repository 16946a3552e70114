"""Troubles that last: what may fill up stays bounded, and backups go on being made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace
from datetime import datetime
from typing import Any

import pytest

from engine.documents.model import CopyRule, Documents, Guards, MaxDeletes, Target
from engine.identity.marks import owned_marks
from engine.inventory.records import Instance, Key, Location, Quota, Snapshot
from engine.plans.plan import Plan, Step
from engine.retention.keep import Keep
from tests.planning.builders import (
    DAY,
    ESTATE,
    NOW,
    PROD,
    REMOTE,
    VAULT,
    VAULT_KEY,
    a_policy,
    a_snapshot,
    ago,
    an_account,
    an_estate,
    an_instance,
    daily,
    deleted,
    documents,
    guard,
    held_back,
    inventory,
    kept,
    key_arn,
    plan,
    steps,
    terms,
)
from tests.planning.judging import EVERYTHING, unread

NIGHTS = 35
LAST = Keep(last=3)
SISTER = Location(PROD.account, "eu-central-1")
SISTER_KEY = key_arn(SISTER, "backups")
ALPHA, BETA = an_instance("alpha"), an_instance("beta")
Scopes = Mapping[Location, Mapping[str, Any]]


def sending_to(*targets: str) -> Documents:
    """Three points at home; the targets would keep them all."""
    estate = an_estate()
    home = an_account("prod", PROD, regions=(PROD.region, SISTER.region))
    sister = Target("sister", "prod", SISTER.region, "alias/backups")
    estate = replace(
        estate,
        accounts={**estate.accounts, "prod": home},
        targets={**estate.targets, "sister": sister},
    )
    copies = [CopyRule(name, keep=EVERYTHING) for name in targets]
    return documents(a_policy(terms=terms(LAST, copies)), estate=estate)


@dataclass
class Nights:
    """Plans night after night, and does what the plans say.

    Home holds at most `quota` snapshots; all steps at `dead` fail. Everything else is done at once:
    nothing is on its way when the next run comes.
    """

    docs: Documents
    instances: Sequence[Instance]
    quota: int
    scopes: Scopes = field(default_factory=dict)
    dead: tuple[str, str] | None = None
    there: dict[str, Snapshot] = field(default_factory=dict)
    most: int = 0

    def pass_by(self, nights: int, start: datetime = NOW, runs: int = 1) -> list[Plan]:
        """Live through the nights, with so many runs in each; return their plans."""
        return [self._run(start + day * DAY) for day in range(nights) for _ in range(runs)]

    def at(self, location: Location) -> list[Snapshot]:
        """What is there."""
        return [one for one in self.there.values() if one.location == location]

    def _run(self, now: datetime) -> Plan:
        found = inventory(
            self.instances,
            self.there.values(),
            quotas={PROD: Quota(len(self.at(PROD)), self.quota)},
            scopes={SISTER: {"keys": {SISTER_KEY: Key(SISTER_KEY, aliases=("alias/backups",))}}}
            | dict(self.scopes),
            locations=(PROD, VAULT, REMOTE, SISTER),
        )
        made = plan(self.docs, found, now)
        failed: set[str] = set()
        for step in made.steps:
            if step.withheld_by is not None:
                continue
            is_dead = (step.location.account, step.location.region) == self.dead
            if is_dead or failed & set(step.depends_on):
                failed.add(step.id)
            else:
                self._do(step, now)
        assert len(self.at(PROD)) <= self.quota
        return made

    def _do(self, step: Step, now: datetime) -> None:
        if step.action == "delete_snapshot":
            del self.there[step.arn]
        elif step.action in {"create_snapshot", "copy_snapshot"}:
            self.there[step.arn] = self._made(step, now)
            self.most = max(self.most, len(self.at(PROD)))

    def _made(self, step: Step, now: datetime) -> Snapshot:
        instance = next(i for i in self.instances if i.identifier == step.source.identifier)
        origin = self.there.get(step.parameters.get("SourceDBSnapshotIdentifier", ""))
        found = replace(
            a_snapshot(instance, step.slot or now, made_at=now),
            arn=step.arn,
            location=Location(step.location.account, step.location.region),
            identifier=step.snapshot,
            original_created_at=origin.original_created_at if origin else now,
            kms_key=step.parameters.get("KmsKeyId", instance.kms_key),
            tags=step.parameters["Tags"] | {"engine:az-checked": "true"},
        )
        assert owned_marks(found, ESTATE) is not None
        return found


UNREAD = unread(VAULT)
NO_KEY: Scopes = {VAULT: {"keys": {}}}
NO_ALIAS: Scopes = {VAULT: {"keys": {VAULT_KEY: Key(VAULT_KEY)}}}


@pytest.mark.parametrize(
    "scopes", [UNREAD, NO_KEY, NO_ALIAS, {}], ids=["unread", "no key", "no alias", "refusing"]
)
@pytest.mark.parametrize("limits", [MaxDeletes(), MaxDeletes(0, 0)], ids=["usual", "no delete"])
def test_a_target_that_is_dead_for_a_month_does_not_fill_the_quota_of_the_source(
    scopes: Scopes, limits: MaxDeletes
) -> None:
    docs = sending_to("local")
    docs = replace(docs, estate=replace(docs.estate, guards=Guards(max_deletes=limits)))
    nights = Nights(docs, [ALPHA, BETA], quota=20)
    nights.pass_by(1, NOW - DAY)
    nights.scopes, nights.dead = scopes, astuple(VAULT)
    plans = nights.pass_by(NIGHTS)
    created = [len([s for s in steps(p, "create_snapshot") if not s.withheld_by]) for p in plans]
    assert created == [2] * NIGHTS
    assert nights.most == 20, "what the target wants is kept for as long as there is room"
    newest = {ago(-night).strftime("%Y%m%dt%H%Mz") for night in range(NIGHTS - 3, NIGHTS)}
    for instance in (ALPHA, BETA):
        own = [one.identifier for one in nights.at(PROD) if one.instance == instance.identifier]
        assert all(any(slot in name for name in own) for slot in newest)
    assert not any(state.guard == "quota" and state.withholds for p in plans for state in p.guards)


def test_a_sister_region_that_is_dead_for_a_month_does_not_fill_it_either() -> None:
    """In its own account a copy leaves no mark: nobody can see what the region is copying."""
    nights = Nights(sending_to("sister"), [ALPHA], quota=20, scopes=unread(SISTER))
    plans = nights.pass_by(NIGHTS)
    made = [step.withheld_by for found in plans for step in steps(found, "create_snapshot")]
    assert made == [None] * NIGHTS


def test_when_the_target_is_back_it_gets_all_that_is_left_and_home_is_as_ever() -> None:
    docs = sending_to("local")
    nights = Nights(docs, [ALPHA], quota=12)
    nights.pass_by(1, NOW - DAY)
    nights.scopes = UNREAD
    nights.pass_by(NIGHTS)
    nights.scopes = {}
    nights.pass_by(1, NOW + NIGHTS * DAY, runs=15)
    assert len(nights.at(VAULT)) == 1 + 11 + 1, "one of twelve made room for the newest"
    limits = Guards(max_deletes=MaxDeletes(100, 100))
    nights.docs = replace(docs, estate=replace(docs.estate, guards=limits))
    nights.pass_by(1, NOW + NIGHTS * DAY)
    assert len(nights.at(PROD)) == 3


def test_a_target_that_lives_loses_nothing_to_one_that_is_dead() -> None:
    docs = sending_to("local", "sister")
    nights = Nights(docs, [ALPHA], quota=20, scopes=unread(SISTER))
    nights.pass_by(NIGHTS)
    assert len(nights.at(VAULT)) == NIGHTS


# -- while there is room -------------------------------------------------------------------------


def test_what_an_unread_target_may_want_stays_while_there_is_room() -> None:
    points = daily(ALPHA, [5, 4, 3, 2, 1, 0])
    roomy = inventory([ALPHA], points, scopes=UNREAD, quotas={PROD: Quota(6, 7)})
    found = plan(sending_to("local"), roomy)
    assert deleted(found) == set()
    assert kept(found, points[0]) == ["inventory_incomplete"]
    full = inventory([ALPHA], points, scopes=UNREAD, quotas={PROD: Quota(6, 6)})
    assert deleted(plan(sending_to("local"), full)) == {one.arn for one in points[:3]}


def test_what_is_shared_with_an_unread_account_stays_though_room_is_short() -> None:
    shared = a_snapshot(ALPHA, ago(5), shared=frozenset({VAULT.account}))
    points = [shared, *daily(ALPHA, [4, 3, 2, 1, 0])]
    full = inventory([ALPHA], points, scopes=UNREAD, quotas={PROD: Quota(6, 6)})
    found = plan(sending_to("local"), full)
    assert kept(found, shared) == ["inventory_incomplete"]


@pytest.mark.parametrize(("days", "goes"), [(6, False), (8, True)])
def test_what_a_sister_region_may_be_copying_stays_for_a_week_though_room_is_short(
    days: int, goes: bool
) -> None:
    old, *others = daily(ALPHA, [days, 2, 1, 0])
    full = inventory(
        [ALPHA],
        [old, *others],
        scopes=unread(SISTER),
        quotas={PROD: Quota(4, 4)},
        locations=(PROD, VAULT, SISTER),
    )
    found = plan(sending_to("sister"), full)
    assert (old.arn in deleted(found)) is goes


# -- max_deletes and a full quota ----------------------------------------------------------------


def shortened(*instances: Instance, quota: int) -> tuple[Plan, list[Snapshot]]:
    """Retention was shortened by mistake: four of five points would go."""
    docs = documents(a_policy(terms=terms(Keep(last=1))))
    guards = Guards(max_deletes=MaxDeletes(2, 100), min_points=1)
    docs = replace(docs, estate=replace(docs.estate, guards=guards))
    points = daily(ALPHA, [9, 8, 7, 6, 5])
    return plan(docs, inventory(instances, points, quotas={PROD: Quota(5, quota)})), points


def test_max_deletes_lets_go_the_oldest_whose_room_a_new_point_needs() -> None:
    found, points = shortened(ALPHA, quota=5)
    [create] = steps(found, "create_snapshot")
    [oldest] = [s for s in steps(found, "delete_snapshot") if s.arn == points[0].arn]
    assert (create.withheld_by, oldest.withheld_by) == (None, None)
    assert create.depends_on == (oldest.id,)
    assert len(held_back(found)) == 4
    tripped = [state for state in found.guards if state.tripped]
    assert {state.guard.value for state in tripped} == {"max_deletes"}
    assert all(set(state.withholds) == set(held_back(found)) for state in tripped)


@pytest.mark.parametrize(("quota", "gone"), [(5, 2), (6, 1), (7, 0), (100, 0)])
def test_no_more_goes_than_new_points_need(quota: int, gone: int) -> None:
    found, points = shortened(ALPHA, BETA, quota=quota)
    assert [step.withheld_by for step in steps(found, "create_snapshot")] == [None, None]
    going = [s.arn for s in steps(found, "delete_snapshot") if s.withheld_by is None]
    assert sorted(going) == sorted(one.arn for one in points[:gone])


def test_what_a_conflict_of_policies_withholds_makes_room_for_nobody() -> None:
    docs = documents(a_policy(terms=terms(Keep(last=1))), a_policy("odd", terms=terms()))
    rival = replace(docs.policies["odd"], name="rival")
    docs = replace(docs, policies={**docs.policies, "rival": rival})
    torn = an_instance("torn", tags={"tier": "odd"})
    points = daily(torn, [9, 8, 7, 6, 5], policy="odd")
    found = plan(docs, inventory([ALPHA, torn], points, quotas={PROD: Quota(5, 5)}))
    assert all(step.withheld_by for step in found.steps)
    assert guard(found, "quota").value == 2
