"""Adoption: what can come under a policy, as what, and what would become of it there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from engine.documents.model import CopyRule, Documents, Guards, MaxDeletes
from engine.identity.marks import Role, adoption_proof, owned_marks, read_marks, tags_of
from engine.identity.names import snapshot_arn
from engine.inventory.records import (
    Instance,
    Inventory,
    Location,
    Quota,
    Snapshot,
    SnapshotType,
)
from engine.planning.adoptable import Wanted
from engine.planning.adopting import plan_adoption
from engine.plans.codes import Action
from engine.plans.plan import Plan, Step
from engine.retention.keep import Keep
from engine.verifying.adoption import verify_adoption
from engine.verifying.verify import verify
from tests.planning.builders import (
    ESTATE,
    NOW,
    PROD,
    REMOTE,
    VAULT,
    VAULT_KEY,
    a_foreign_snapshot,
    a_policy,
    a_snapshot,
    ago,
    an_estate,
    an_instance,
    daily,
    deleted,
    documents,
    inventory,
    kept,
    plan,
    step_of,
    terms,
)
from tests.planning.judging import ONE, ORDERS, gold, unread

EVERYTHING = Wanted("*", "gold")
TAKEN = ago(30) + timedelta(minutes=7, seconds=12, milliseconds=345)


def by_hand(
    name: str = "by-hand",
    taken_at: datetime = TAKEN,
    *,
    of: Instance = ORDERS,
    at: Location = PROD,
    **changes: Any,
) -> Snapshot:
    """A manual snapshot of somebody else's."""
    record = {"arn": snapshot_arn(of.arn, at, name), "identifier": name, "location": at}
    return a_foreign_snapshot(of, taken_at, **(record | changes))


def copy_of(origin: Snapshot, name: str, at: Location = VAULT, **changes: Any) -> Snapshot:
    """A copy by somebody else in another account or region: AWS names what it was made from."""
    record: dict[str, Any] = {"kms_key": VAULT_KEY, "source_snapshot": origin.arn} | changes
    return by_hand(name, origin.taken_at or TAKEN, at=at, **record)


def adopted(
    *found: Snapshot,
    wanted: Wanted = EVERYTHING,
    docs: Documents | None = None,
    instances: Iterable[Instance] = (ORDERS,),
    **changes: Any,
) -> Plan:
    world = inventory(instances, found, **changes)
    made = plan_adoption(docs or gold(), world, NOW, wanted)
    assert not made.findings, made.findings
    assert {step.action.value for step in made.steps} <= {"tag_snapshot"}
    return made


def names(found: Plan) -> list[str]:
    return sorted(step.snapshot for step in found.steps)


def tagged(snapshot: Snapshot, step: Step) -> Snapshot:
    """The snapshot once the step was done."""
    return replace(snapshot, tags={**snapshot.tags, **step.parameters["Tags"]})


def told(found: Plan) -> str:
    return "\n".join(warned.text for warned in found.warnings)


# -- what it becomes -----------------------------------------------------------------------------


def test_a_snapshot_by_hand_becomes_a_primary_of_the_second_it_was_taken() -> None:
    snapshot = by_hand(tags={"team": "orders"})
    step = step_of(adopted(snapshot), "tag_snapshot")
    marks = owned_marks(tagged(snapshot, step), ESTATE)
    assert marks is not None
    assert marks.slot == TAKEN.replace(microsecond=0)
    assert (marks.role, marks.policy, marks.origin) == (Role.PRIMARY, "gold", None)
    assert (marks.resource, marks.volume) == (ORDERS.resource_id, ORDERS.resource_id)
    assert marks.source == ORDERS.arn
    assert marks.zone == "unknown"
    assert not marks.zone_checked
    assert step.parameters == {"Tags": tags_of(marks)}


def test_its_time_is_that_of_the_data_not_of_the_copy() -> None:
    snapshot = by_hand(created_at=ago(2))
    assert step_of(adopted(snapshot), "tag_snapshot").slot == TAKEN.replace(microsecond=0)


def test_the_zone_is_believed_where_aws_reads_the_primary() -> None:
    mssql = an_instance(engine="sqlserver-se")
    found = adopted(by_hand(of=mssql, engine="sqlserver-se"), instances=[mssql])
    assert step_of(found, "tag_snapshot").parameters["Tags"]["engine:az"] == "euw1-az1"


def test_a_database_that_was_renamed_keeps_its_snapshots() -> None:
    before = replace(by_hand(), instance="orders-of-old")
    found = adopted(before, wanted=Wanted("prod/*/orders-1", "gold"))
    tags = step_of(found, "tag_snapshot").parameters["Tags"]
    assert tags["engine:source"] == ORDERS.arn


def test_a_database_that_is_gone_is_named_as_its_snapshots_remember_it() -> None:
    found = adopted(by_hand(), instances=[], wanted=Wanted("prod/eu-west-1/orders-1", "gold"))
    tags = step_of(found, "tag_snapshot").parameters["Tags"]
    assert tags["engine:source"] == ORDERS.arn


def test_a_copy_in_another_account_is_adopted_with_its_origin() -> None:
    origin = by_hand()
    copy = copy_of(origin, "in-the-vault")
    again = copy_of(copy, "further", REMOTE, kms_key=None, encrypted=False)
    found = adopted(origin, copy, again)
    assert names(found) == ["by-hand", "further", "in-the-vault"]
    by_name = {step.snapshot: step.parameters["Tags"] for step in found.steps}
    tags = by_name["in-the-vault"]
    assert (tags["engine:role"], tags["engine:origin"]) == ("copy", origin.arn)
    assert tags["engine:keys"].startswith(by_name["by-hand"]["engine:keys"] + "/")
    assert by_name["further"]["engine:keys"] == tags["engine:keys"] + "/none"
    assert len({one["engine:slot"] for one in by_name.values()}) == 1


def test_a_copy_of_a_point_of_the_engine_belongs_to_that_point() -> None:
    point = a_snapshot(ORDERS, ago(3))
    found = adopted(point, copy_of(point, "elsewhere"))
    tags = step_of(found, "tag_snapshot").parameters["Tags"]
    assert tags["engine:slot"] == point.tags["engine:slot"]


def test_adopted_snapshots_of_one_second_are_one_point() -> None:
    docs = gold(Keep(last=2))
    twins = [by_hand("one"), by_hand("two")]
    found = adopted(*twins, docs=docs)
    world = [tagged(one, step) for one, step in zip(twins, found.steps, strict=True)]
    following = plan(docs, inventory([ORDERS], [*world, a_snapshot(ORDERS, ago(1))]))
    assert [kept(following, one) for one in world] == [["last"], ["last"]]


# -- what is left alone --------------------------------------------------------------------------


def test_what_is_adopted_is_not_adopted_again() -> None:
    snapshot = by_hand()
    mine = tagged(snapshot, step_of(adopted(snapshot), "tag_snapshot"))
    second = adopted(mine)
    assert second.steps == ()
    assert "nothing" in told(second)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"tags": {"engine:estate": "globex"}}, "estate globex"),
        ({"tags": {"engine:estate": ESTATE}}, f"estate {ESTATE}"),
        ({"tags": {"engine:gone-since": "2020-01-01T00:00:00Z"}}, "tags of the engine"),
        ({"status": "creating"}, "not available"),
        ({"original_created_at": None, "created_at": None}, "neither when"),
        ({"resource_id": ""}, "neither when"),
        ({"tags": {f"key-{n}": "x" for n in range(40)}}, "would not fit"),
        ({"type": SnapshotType.AWS_BACKUP}, "AWS Backup"),
        ({"source_snapshot": snapshot_arn(ORDERS.arn, REMOTE, "lost")}, "copied from"),
    ],
)
def test_what_cannot_be_adopted_is_left_alone_and_told(changes: dict[str, Any], why: str) -> None:
    found = adopted(by_hand(**changes), by_hand("another"))
    assert names(found) == ["another"]
    assert why in told(found)
    assert "by-hand" in told(found)


def test_automated_snapshots_are_not_even_told_of() -> None:
    found = adopted(by_hand("rds:orders-1-2026", type=SnapshotType.AUTOMATED), by_hand())
    assert names(found) == ["by-hand"]
    assert found.warnings == ()


def test_a_pin_set_by_hand_stays_a_pin() -> None:
    snapshot = by_hand(tags={"engine:pin": "court"})
    following = tagged(snapshot, step_of(adopted(snapshot), "tag_snapshot"))
    newer = a_snapshot(ORDERS, ago(1))
    assert "pinned" in kept(plan(gold(), inventory([ORDERS], [following, newer])), following)


def test_nothing_is_adopted_where_it_is_not_known_what_lives_there() -> None:
    found = adopted(by_hand(), scopes={PROD: unread(PROD)[PROD] | {"snapshots": (by_hand(),)}})
    assert found.steps == ()
    assert "not read completely" in told(found)


def test_a_vault_that_could_not_be_read_hinders_no_adoption_elsewhere() -> None:
    found = adopted(by_hand(), scopes=unread(VAULT))
    assert names(found) == ["by-hand"]
    assert [one.fate.value for one in found.afterwards] == ["kept"]


def test_a_copy_within_the_vault_is_no_database_of_the_vault() -> None:
    found = adopted(by_hand("moved", at=VAULT), by_hand())
    assert names(found) == ["by-hand"]
    assert "lives elsewhere" in told(found)


def test_what_the_engine_made_is_mended_not_adopted() -> None:
    point = a_snapshot(ORDERS, ago(3))
    found = adopted(replace(point, tags={}))
    assert found.steps == ()
    assert "engine made them" in told(found)


def test_a_copy_waits_for_no_origin_that_was_not_asked_for() -> None:
    origin = by_hand()
    found = adopted(
        origin, copy_of(origin, "copied"), wanted=Wanted("*", "gold", identifiers="cop*")
    )
    assert found.steps == ()
    assert "copied from" in told(found)


# -- which ones ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted("prod/eu-west-1/orders-*", "gold"), ["nightly-1", "nightly-2", "weekly-1"]),
        (Wanted("111111111111/*/*", "gold"), ["nightly-1", "nightly-2", "weekly-1"]),
        (Wanted("vault/*", "gold"), []),
        (Wanted("*", "gold", identifiers="nightly-*"), ["nightly-1", "nightly-2"]),
        (Wanted("*", "gold", after=ago(10)), ["nightly-1", "weekly-1"]),
        (Wanted("*", "gold", before=ago(10)), ["nightly-2"]),
        (Wanted("*", "gold", before=ago(5), after=ago(20)), ["nightly-2", "weekly-1"]),
    ],
)
def test_address_id_and_time_choose(wanted: Wanted, expected: list[str]) -> None:
    found = adopted(
        by_hand("nightly-1", ago(1)),
        by_hand("weekly-1", ago(10)),
        by_hand("nightly-2", ago(20)),
        wanted=wanted,
    )
    assert names(found) == expected


# -- what follows --------------------------------------------------------------------------------


def test_the_next_plan_is_told_beforehand() -> None:
    docs = gold(Keep(last=2))
    old, new = by_hand("old", ago(200)), by_hand("new", ago(1) - timedelta(hours=3))
    found = adopted(old, new, a_snapshot(ORDERS, ago(1)), docs=docs)
    fates = {one.arn: (one.fate.value, one.text) for one in found.afterwards}
    assert fates[new.arn] == ("kept", "")
    assert fates[old.arn][0] == "kept"  # its chain is one whose zone nobody knows
    reasons = {one.arn: [reason.code for reason in one.reasons] for one in found.afterwards}
    assert reasons == {new.arn: ["last"], old.arn: ["chain_base"]}


def test_what_follows_is_what_the_next_plan_does() -> None:
    docs = gold(Keep(last=1))
    old = [by_hand(f"old-{day}", ago(day)) for day in (200, 201)]
    point = a_snapshot(ORDERS, ago(1))
    found = adopted(*old, point, docs=docs)
    assert {one.fate.value for one in found.afterwards} == {"deletable"}
    assert deleted(found) == set()
    world = [tagged(one, step_by_arn(found)[one.arn]) for one in old]
    following = plan(docs, inventory([ORDERS], [*world, point]))
    assert deleted(following) == {one.arn for one in old}


def step_by_arn(found: Plan) -> dict[str, Step]:
    return {step.arn: step for step in found.steps}


def test_deletes_of_adopted_snapshots_count_as_excess_however_young_they_are() -> None:
    estate = an_estate(guards=Guards(max_deletes=MaxDeletes(count=0)))
    docs = documents(a_policy(terms=terms(ONE, schedule=None)), estate=estate)
    old = [by_hand(f"old-{day}", ago(day), created_at=ago(day / 1000)) for day in (200, 201)]
    # In a full quota chains of unknown zones keep no more than their newest.
    full = {PROD: Quota(100, 100)}
    found = adopted(*old, *daily(ORDERS, [3]), docs=docs, quotas=full)
    assert [one.fate.value for one in found.afterwards] == ["withheld", "kept"]


def test_no_certain_forecast_rests_on_adopted_snapshots() -> None:
    docs = documents(a_policy(terms=terms(Keep(last=9), [CopyRule("local")])))
    origin = by_hand("old", ago(3))
    world = [origin, copy_of(origin, "old-copy")]
    by_arn = step_by_arn(adopted(*world, docs=docs))
    following = plan(docs, inventory([ORDERS], [tagged(one, by_arn[one.arn]) for one in world]))
    rules = {step.action.value: step.forecast.rule for step in following.steps if step.forecast}
    assert rules == {
        "create_snapshot": "adopted_predecessor",
        "copy_snapshot": "adopted_predecessor",
    }


def test_an_adopted_point_is_copied_under_an_id_of_the_engine() -> None:
    docs = gold(Keep(last=9), CopyRule("local"))
    snapshot = by_hand("old", ago(3))
    mine = tagged(snapshot, step_of(adopted(snapshot, docs=docs), "tag_snapshot"))
    copy = step_of(plan(docs, inventory([ORDERS], [mine])), "copy_snapshot")
    assert copy.snapshot.startswith("old-")
    assert "engine:adopted" not in copy.parameters["Tags"]


# -- the verifier --------------------------------------------------------------------------------


def verified(step: Step, snapshot: Snapshot) -> str:
    world: Inventory = inventory([ORDERS], [snapshot])
    return " ".join(one.text for one in verify_adoption([step], gold(), world))


def test_the_verifier_has_nothing_against_an_honest_adoption() -> None:
    snapshot = by_hand()
    assert verified(step_of(adopted(snapshot), "tag_snapshot"), snapshot) == ""


@pytest.mark.parametrize(
    ("tag", "value", "objection"),
    [
        ("engine:estate", "globex", "estate globex"),
        ("engine:policy", "platinum", "policy platinum"),
        ("engine:resource", "db-OTHER", "not of db-OTHER"),
        ("engine:volume", "db-OTHER", "snapshot of"),
        ("engine:slot", "2026-01-01T00:00:00Z", "it was taken at"),
        ("engine:source", "arn:aws:rds:eu-west-1:999999999999:db:x", "is not where it lies"),
        ("engine:role", "bridge", "do not say whose"),
        ("engine:adopted", "0123456789abcdef", "proof"),
        ("team", "orders", "do not say whose"),
    ],
)
def test_the_verifier_notices_what_tags_say_that_is_not_so(
    tag: str, value: str, objection: str
) -> None:
    snapshot = by_hand()
    step = step_of(adopted(snapshot), "tag_snapshot")
    lie = replace(step, parameters={"Tags": step.parameters["Tags"] | {tag: value}})
    assert objection in verified(lie, snapshot)


@pytest.mark.parametrize(
    ("changes", "objection"),
    [
        ({"tags": {"engine:estate": "globex"}}, "bears tags"),
        ({"type": SnapshotType.AWS_BACKUP}, "never the engine's"),
        ({"status": "creating"}, "is creating"),
        ({"original_created_at": None, "created_at": None}, "it was taken at None"),
        ({"tags": {f"key-{n}": "x" for n in range(45)}}, "more than 50"),
    ],
)
def test_the_verifier_notices_what_is_not_there_to_be_adopted(
    changes: dict[str, Any], objection: str
) -> None:
    snapshot = by_hand()
    step = step_of(adopted(snapshot), "tag_snapshot")
    assert objection in verified(step, replace(snapshot, **changes))


def test_the_verifier_lets_an_adoption_do_nothing_but_tag() -> None:
    snapshot = by_hand()
    step = step_of(adopted(snapshot), "tag_snapshot")
    lie = replace(step, parameters=dict(step.parameters) | {"RemoveTags": ["team"]})
    assert "only adds tags" in verified(lie, snapshot)
    assert "only adds tags" in verified(replace(step, action=Action.UNSHARE), snapshot)


def test_an_ordinary_plan_adopts_nothing() -> None:
    snapshot = by_hand()
    step = step_of(adopted(snapshot), "tag_snapshot")
    findings = verify([step], gold(), inventory([ORDERS], [snapshot]), NOW)
    assert {one.promise for one in findings} == {1}


def lying(step: Step, snapshot: Snapshot, **tags: str) -> Step:
    """The step with other tags, and the proof that fits them."""
    told = step.parameters["Tags"] | {f"engine:{name}": value for name, value in tags.items()}
    marks = read_marks(told)
    assert marks is not None
    proven = tags_of(replace(marks, adopted=adoption_proof(marks, snapshot.arn)))
    return replace(step, parameters={"Tags": proven})


def test_no_proof_makes_a_lie_true() -> None:
    snapshot = by_hand()
    step = step_of(adopted(snapshot), "tag_snapshot")
    assert verified(lying(step, snapshot), snapshot) == ""
    origin = snapshot_arn(ORDERS.arn, PROD, "another")
    for lie, objection in (
        ({"role": "bridge", "origin": origin}, "nothing is adopted as bridge"),
        ({"origin": origin}, "nothing is adopted as primary"),
        ({"role": "copy", "origin": origin}, f"it is not a copy of {origin}"),
    ):
        assert verified(lying(step, snapshot, **lie), snapshot) == objection


def test_a_copy_is_adopted_as_one_of_what_aws_says_it_was_made_from() -> None:
    origin = by_hand()
    copy = copy_of(origin, "in-the-vault")
    step = next(one for one in adopted(origin, copy).steps if one.arn == copy.arn)
    assert verified(step, copy) == ""
    assert (
        verified(step, replace(copy, source_snapshot=None)) == f"it is not a copy of {origin.arn}"
    )
    other = snapshot_arn(ORDERS.arn, PROD, "another")
    lie = lying(step, copy, origin=other)
    assert verified(lie, copy) == f"it is not a copy of {other}"


def test_what_is_tagged_is_what_the_step_names() -> None:
    snapshot = by_hand()
    step = step_of(adopted(snapshot), "tag_snapshot")
    lie = replace(step, snapshot="another")
    said = f"it names {snapshot.arn}, but would call for another at {PROD}"
    assert verified(lie, snapshot) == said


def test_what_was_not_found_is_not_adopted() -> None:
    snapshot = by_hand()
    step = step_of(adopted(snapshot), "tag_snapshot")
    said = f"{snapshot.arn} was not found at {PROD}"
    assert verified(step, by_hand("another")) == said
    assert verified(step, replace(snapshot, location=VAULT)) == said


def test_what_the_engine_owns_is_not_adopted_again() -> None:
    snapshot = by_hand()
    step = step_of(adopted(snapshot), "tag_snapshot")
    said = f"{snapshot.arn} is the engine's already"
    assert said in verified(step, tagged(snapshot, step))


def test_what_aws_itself_named_is_not_adopted_whatever_its_type_says() -> None:
    ours, theirs = by_hand(), by_hand("awsbackup:job-1")
    step = step_of(adopted(ours), "tag_snapshot")
    lie = lying(replace(step, arn=theirs.arn, snapshot=theirs.identifier), theirs)
    said = f"{theirs.arn} is a snapshot of type manual, which is never the engine's"
    assert verified(lie, theirs) == said
