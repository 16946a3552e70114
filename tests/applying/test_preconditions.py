from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

from engine.applying.outcome import StepState
from engine.applying.ports import Trouble
from engine.errors import ExitCode
from engine.identity.marks import tags_of
from engine.plans.codes import Action, Check
from engine.plans.plan import At, Precondition, Step
from tests.applying.stage import Stage, states
from tests.applying.world import (
    AWAY,
    CHAIN,
    HOME,
    INSTANCE_ARN,
    RESOURCE,
    VAULT,
    Fault,
    copy_of,
    copy_step,
    create_step,
    database,
    delete_step,
    plan_of,
    primary,
    share_step,
    snapshot,
    tag_step,
    unshare_step,
)

OLD, NEW = primary(1), primary()
AUTOMATED = "arn:aws:rds:eu-west-1:111111111111:snapshot:rds:orders-1-2026-11-20-22-00"
WITNESSES = (
    Precondition(Check.SNAPSHOT_STATUS, NEW.arn, "available"),
    Precondition(Check.CHAIN, NEW.arn, CHAIN),
)

Spoil = Callable[[Stage], None]


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A world in which every step of this page may be done."""
    stage = Stage()
    one = replace(database(), replica_of="orders-0")
    stage.cloud.databases[one.arn] = one
    for point in (OLD, NEW):
        stage.cloud.objects[point.arn] = point.record(zone_checked=True)
    stage.cloud.objects[AUTOMATED] = snapshot(AUTOMATED, {})
    yield stage
    stage.folder.cleanup()


@dataclass(frozen=True)
class Case:
    name: str
    step: Step
    check: str
    spoil: Spoil


def remark(point_arn: str, **marks: str) -> Spoil:
    def spoil(stage: Stage) -> None:
        found = stage.cloud.objects[point_arn]
        tags = {f"engine:{key.replace('_', '-')}": value for key, value in marks.items()}
        stage.cloud.objects[point_arn] = replace(found, tags={**found.tags, **tags})

    return spoil


def unmark(point_arn: str, key: str) -> Spoil:
    def spoil(stage: Stage) -> None:
        found = stage.cloud.objects[point_arn]
        left = {name: value for name, value in found.tags.items() if name != key}
        stage.cloud.objects[point_arn] = replace(found, tags=left)

    return spoil


def status(point_arn: str, text: str) -> Spoil:
    def spoil(stage: Stage) -> None:
        found = stage.cloud.objects[point_arn]
        stage.cloud.objects[point_arn] = replace(found, status=text)

    return spoil


def of_another(arn: str) -> Spoil:
    def spoil(stage: Stage) -> None:
        found = stage.cloud.objects[arn]
        stage.cloud.objects[arn] = replace(found, resource_id="db-OTHER")

    return spoil


def gone(point_arn: str) -> Spoil:
    def spoil(stage: Stage) -> None:
        del stage.cloud.objects[point_arn]

    return spoil


def no_databases(stage: Stage) -> None:
    stage.cloud.databases.clear()


def moved(**fields: str) -> Spoil:
    def spoil(stage: Stage) -> None:
        one = stage.cloud.databases[INSTANCE_ARN]
        stage.cloud.databases[INSTANCE_ARN] = replace(one, **fields)  # type: ignore[arg-type] # texts

    return spoil


def promoted(stage: Stage) -> None:
    one = stage.cloud.databases[INSTANCE_ARN]
    stage.cloud.databases[INSTANCE_ARN] = replace(one, replica_of=None)


def someone_copies(account: str, text: str = "pending") -> Spoil:
    """A copy under way that AWS, not a tag, says where it comes from."""

    def spoil(stage: Stage) -> None:
        arn = f"arn:aws:rds:eu-west-1:{account}:snapshot:elsewhere"
        copying = replace(snapshot(arn, {}, status=text), source_snapshot=OLD.arn)
        stage.cloud.objects[arn] = copying

    return spoil


FRESH = primary(2)
DELETE = delete_step(OLD, witnesses=WITNESSES)
FOLLOWS = Precondition(Check.REPLICA_OF, INSTANCE_ARN, "orders-0")
OF_REPLICA = create_step(primary(3))
OF_REPLICA = replace(OF_REPLICA, preconditions=(*OF_REPLICA.preconditions, FOLLOWS))
SEEDED = primary(4)
SEED = replace(
    create_step(SEEDED),
    action=Action.COPY,
    parameters={
        "SourceDBSnapshotIdentifier": AUTOMATED,
        "TargetDBSnapshotIdentifier": SEEDED.identifier,
        "Tags": tags_of(SEEDED.marks),
    },
    preconditions=(Precondition(Check.AUTOMATED_SNAPSHOT, AUTOMATED, RESOURCE),),
)
CASES = [
    Case(
        "the instance is gone", create_step(FRESH), "instance", lambda s: s.cloud.databases.clear()
    ),
    Case(
        "another instance has the name",
        create_step(FRESH),
        "instance",
        moved(resource_id="db-OTHER"),
    ),
    Case(
        "the instance failed over",
        create_step(FRESH),
        "zones",
        moved(availability_zone="eu-west-1b", secondary_zone="eu-west-1a"),
    ),
    Case("the standby moved", create_step(FRESH), "zones", moved(secondary_zone="eu-west-1c")),
    Case("a foreign object has the id", create_step(NEW), "conflict", unmark(NEW.arn, "engine:az")),
    Case(
        "tags alone do not make it ours",
        create_step(NEW),
        "conflict",
        remark(NEW.arn, slot="2026-11-20T03:00:00Z"),
    ),
    Case("a failed object has the id", create_step(NEW), "absent", status(NEW.arn, "failed")),
    Case("the origin is gone", copy_step(copy_of(OLD)), "snapshot_status", gone(OLD.arn)),
    Case(
        "the origin is not available",
        copy_step(copy_of(OLD)),
        "snapshot_status",
        status(OLD.arn, "creating"),
    ),
    Case(
        "the origin is not ours", copy_step(copy_of(OLD)), "owned", unmark(OLD.arn, "engine:slot")
    ),
    Case(
        "what is shared is not ours",
        share_step(OLD, "3" * 12),
        "owned",
        remark(OLD.arn, estate="x"),
    ),
    Case("what is tagged is gone", tag_step(OLD, {"a": "b"}), "owned", gone(OLD.arn)),
    Case(
        "a copy is on its way to the account",
        unshare_step(OLD, VAULT.account),
        "no_copy_in_flight_to",
        someone_copies(VAULT.account),
    ),
    Case("the automated snapshot is gone", SEED, "automated_snapshot", gone(AUTOMATED)),
    Case(
        "the automated snapshot is going",
        SEED,
        "automated_snapshot",
        status(AUTOMATED, "deleting"),
    ),
    Case("the automated snapshot is another's", SEED, "automated_snapshot", of_another(AUTOMATED)),
    Case("the replica was promoted", OF_REPLICA, "replica_of", promoted),
    Case("the replica follows another", OF_REPLICA, "replica_of", moved(replica_of="orders-2")),
    Case("the victim is not ours", DELETE, "owned", remark(OLD.arn, policy="silver")),
    Case("the victim was pinned", DELETE, "unpinned", remark(OLD.arn, pin="case 17")),
    Case("the victim was pinned without a word", DELETE, "unpinned", remark(OLD.arn, pin="")),
    Case("the victim is busy", DELETE, "snapshot_status", status(OLD.arn, "copying")),
    Case(
        "the victim is being copied",
        DELETE,
        "origin_of_nothing_in_flight",
        someone_copies(AWAY.account),
    ),
    Case(
        "the victim is copied under a status nobody knows",
        DELETE,
        "origin_of_nothing_in_flight",
        someone_copies(AWAY.account, "pondering"),
    ),
    Case(
        "its successor is not available though only the chain asks",
        delete_step(OLD, witnesses=WITNESSES[1:]),
        "chain",
        status(NEW.arn, "creating"),
    ),
    Case("its successor is not available", DELETE, "snapshot_status", status(NEW.arn, "creating")),
    Case("its successor is of another zone", DELETE, "chain", remark(NEW.arn, az="euw1-az3")),
    Case("its successor is of another key", DELETE, "chain", remark(NEW.arn, keys="cccccccc")),
    Case("its successor is of another volume", DELETE, "chain", remark(NEW.arn, volume="db-2")),
    Case(
        "its successor's zone is unchecked",
        DELETE,
        "chain",
        unmark(NEW.arn, "engine:az-checked"),
    ),
    Case("its successor is not ours", DELETE, "chain", remark(NEW.arn, resource="db-2")),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_does_not_hold_is_refused_before_it_is_done(stage: Stage, case: Case) -> None:
    case.spoil(stage)
    before = dict(stage.cloud.objects)
    outcome = stage.run(plan_of(case.step))
    assert states(outcome) == [StepState.REFUSED]
    assert outcome.results[0].code == case.check
    assert outcome.exit_code is ExitCode.STALE
    assert stage.cloud.objects == before
    changing = {"create", "copy", "share", "unshare", "delete", "tag", "untag"}
    assert not changing & {name for name, _ in stage.cloud.calls}


@pytest.mark.parametrize(
    "step",
    {case.step.id: case.step for case in CASES if case.step.arn != NEW.arn}.values(),
    ids=lambda step: step.action.value,
)
def test_every_step_of_this_page_is_done_in_the_unspoilt_world(stage: Stage, step: Step) -> None:
    assert states(stage.run(plan_of(step))) == [StepState.DONE]


def test_a_failed_object_of_ours_may_be_deleted(stage: Stage) -> None:
    status(OLD.arn, "failed")(stage)
    conditions = tuple(
        replace_expected(one, "failed") if one.arn == OLD.arn else one
        for one in DELETE.preconditions
    )
    outcome = stage.run(plan_of(replace(DELETE, preconditions=conditions)))
    assert states(outcome) == [StepState.DONE]


def replace_expected(one: Precondition, expected: str) -> Precondition:
    if one.check is not Check.SNAPSHOT_STATUS:
        return one
    return Precondition(one.check, one.arn, expected)


def test_deletes_read_victim_and_successor_afresh_even_right_after_a_listing(
    stage: Stage,
) -> None:
    """The listing that a tag step looks at is fresh, yet shows no pin set a moment later."""

    def pin(operation: str) -> None:
        if operation == "tag":
            remark(OLD.arn, pin="legal")(stage)

    tag = tag_step(primary(), {"engine:gone-since": "2026-11-21T00:00:00Z"})
    stage.cloud.before_call = pin
    outcome = stage.run(plan_of(tag, replace(DELETE, depends_on=(tag.id,))))
    assert states(outcome) == [StepState.DONE, StepState.REFUSED]
    assert outcome.results[1].code == "unpinned"


def test_a_copy_begun_by_this_run_protects_its_origin_from_a_listing_too_old_to_show_it(
    stage: Stage,
) -> None:
    tag = tag_step(copy_of(primary(5)), {"a": "b"})
    stage.cloud.objects[tag.arn] = copy_of(primary(5)).record()
    stage.cloud.takes = 1000.0
    # The tag step lists the vault before the copy starts; the delete comes after it.
    delete = replace(delete_step(OLD), depends_on=(tag.id,))
    outcome = stage.run(
        plan_of(tag, copy_step(copy_of(OLD)), delete), parallelism=1, max_duration=50
    )
    assert states(outcome)[1:] == [StepState.RUNNING, StepState.REFUSED]


def test_what_cannot_be_read_is_not_deleted(stage: Stage) -> None:
    stage.cloud.fail("snapshot", Fault(Trouble.DENIED, "AccessDenied", "no"))
    outcome = stage.run(plan_of(DELETE))
    assert states(outcome) == [StepState.FAILED]
    assert OLD.arn in stage.cloud.objects
    assert outcome.exit_code is ExitCode.PARTIAL


def test_a_location_that_cannot_be_read_might_hold_a_copy_so_its_origin_stays(
    stage: Stage,
) -> None:
    stage.cloud.fail("snapshots", Fault(Trouble.DENIED, "AccessDenied", "no"))
    outcome = stage.run(plan_of(DELETE))
    assert states(outcome) == [StepState.FAILED]
    assert OLD.arn in stage.cloud.objects


def test_a_location_that_the_plan_could_not_read_either_does_not_stop_every_delete(
    stage: Stage,
) -> None:
    outcome = stage.run(plan_of(DELETE, locations=(HOME, VAULT)))
    assert states(outcome) == [StepState.DONE]
    assert ("snapshots", str(AWAY)) not in stage.cloud.calls


def test_an_object_being_made_already_is_waited_for(stage: Stage) -> None:
    status(NEW.arn, "creating")(stage)
    stage.cloud.ready_at[NEW.arn] = 40.0
    outcome = stage.run(plan_of(create_step(NEW)))
    assert states(outcome) == [StepState.DONE]
    assert stage.cloud.made("create") == stage.cloud.made("tag") == []
    assert stage.clock.seconds >= 40


def test_an_object_somebody_else_began_gets_no_word_on_its_zone_from_this_run(
    stage: Stage,
) -> None:
    unmark(NEW.arn, "engine:az-checked")(stage)
    outcome = stage.run(plan_of(create_step(NEW)))
    assert states(outcome) == [StepState.DONE]
    assert stage.cloud.made("tag") == []


def test_a_victim_that_is_gone_is_as_good_as_deleted(stage: Stage) -> None:
    del stage.cloud.objects[OLD.arn]
    assert states(stage.run(plan_of(DELETE))) == [StepState.DONE]
    assert stage.cloud.made("delete") == []


@pytest.mark.parametrize(
    ("spoil", "check"),
    [
        (remark(OLD.arn, policy="silver"), "owned"),
        (remark(OLD.arn, pin="case 17"), "unpinned"),
        (someone_copies(AWAY.account), "origin_of_nothing_in_flight"),
    ],
)
def test_a_plan_that_leaves_out_what_must_hold_is_not_believed(
    stage: Stage, spoil: Spoil, check: str
) -> None:
    spoil(stage)
    outcome = stage.run(plan_of(replace(delete_step(OLD), preconditions=())))
    assert states(outcome) == [StepState.REFUSED]
    assert outcome.results[0].code == check


@pytest.mark.parametrize(
    "step",
    [
        replace(DELETE, parameters={"DBSnapshotIdentifier": NEW.identifier}),
        replace(DELETE, parameters={"DBSnapshotIdentifier": [OLD.identifier]}),
        replace(DELETE, snapshot=NEW.identifier),
        replace(DELETE, location=At(VAULT.account, VAULT.region)),
    ],
)
def test_a_step_about_two_objects_touches_neither(stage: Stage, step: Step) -> None:
    outcome = stage.run(plan_of(step))
    assert states(outcome) == [StepState.FAILED]
    assert stage.cloud.calls == []


def test_a_copy_on_its_way_to_one_account_keeps_the_share_with_that_one_only(
    stage: Stage,
) -> None:
    someone_copies(VAULT.account)(stage)
    other = unshare_step(OLD, HOME.account)
    outcome = stage.run(plan_of(other, unshare_step(OLD, VAULT.account)))
    assert states(outcome) == [StepState.DONE, StepState.REFUSED]


def test_a_listing_older_than_a_minute_is_not_believed(stage: Stage) -> None:
    """The vault is listed at once; something foreign appears there while a snapshot is made."""
    stage.cloud.takes = 100.0
    late = primary(2)
    copied = copy_of(OLD)
    tag = tag_step(copy_of(primary(5)), {"a": "b"})
    stage.cloud.objects[tag.arn] = copy_of(primary(5)).record()
    create = create_step(late)

    def appear(operation: str) -> None:
        if stage.clock.seconds > 50:
            stage.cloud.objects[copied.arn] = snapshot(copied.arn, {"owner": "somebody"})

    stage.cloud.before_call = appear
    outcome = stage.run(plan_of(tag, create, copy_step(copied, create)))
    assert states(outcome) == [StepState.DONE, StepState.DONE, StepState.REFUSED]
    assert stage.cloud.made("copy") == []


def test_a_delete_is_checked_anew_before_it_is_tried_again(stage: Stage) -> None:
    def pin(operation: str) -> None:
        if operation == "delete":
            remark(OLD.arn, pin="legal")(stage)

    stage.cloud.before_call = pin
    stage.cloud.fail("delete", Fault(Trouble.THROTTLED, "Throttling"))
    outcome = stage.run(plan_of(DELETE))
    assert states(outcome) == [StepState.REFUSED]
    assert len(stage.cloud.made("delete")) == 1


def test_a_delete_whose_reply_was_lost_is_done(stage: Stage) -> None:
    stage.cloud.fail("delete", Fault(Trouble.NO_REPLY, takes_effect=True))
    assert states(stage.run(plan_of(DELETE))) == [StepState.DONE]
    assert len(stage.cloud.made("delete")) == 1
