"""The watcher objects where a promise is broken, and what is missing is noticed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from engine.documents.model import (
    Every,
    OneOff,
    Schedule,
    ShareRule,
)
from engine.identity.marks import KEEP_UNTIL, PIN, SHARED
from engine.plans.codes import Action
from engine.retention.keep import Keep
from tests.world.aims import check_announced, check_backed_up, check_no_leftovers, latest_due
from tests.world.promises import BrokenError
from tests.world.readable import check_readers
from tests.world.running import Engine
from tests.world.scene import DAY, GOLD, engine, home, points
from tests.world.strategies import START
from tests.world.things import (
    HOME,
    LOCAL,
    SISTER,
    STRANGER,
    VAULT,
)


def delete_foreign(made: Engine) -> None:
    made.world.delete(made.world.put_foreign(made.world.databases[0], "theirs", {}).arn)


def tag_foreign(made: Engine) -> None:
    made.world.tag(made.world.put_foreign(made.world.databases[0], "theirs", {}).arn, {"a": "b"})


def share_foreign(made: Engine) -> None:
    made.world.share(made.world.put_foreign(made.world.databases[0], "theirs", {}).arn, VAULT)


def delete_the_newest(made: Engine) -> None:
    made.world.delete(home(made)[-1].arn)


def delete_of_an_empty_policy(made: Engine) -> None:
    snapshots = replace(GOLD.terms.snapshots, keep=Keep())
    empty = replace(GOLD, terms=replace(GOLD.terms, snapshots=snapshots))
    made.rewrite(replace(made.documents, policies={"gold": empty}))
    made.world.delete(home(made)[0].arn)


def delete_of_a_removed_policy(made: Engine) -> None:
    made.rewrite(replace(made.documents, policies={}))
    made.world.delete(home(made)[0].arn)


def delete_of_a_source_just_gone(made: Engine) -> None:
    made.world.delete_instance(made.world.databases[0])
    made.world.delete(home(made)[0].arn)


def delete_a_base(made: Engine) -> None:
    made.world.fail_over(made.world.databases[0])
    for _ in range(4):
        made.settle()
        made.world.tick(DAY)
    base = [one for one in home(made) if one.media.zone == "eu-west-1b"][-1]
    made.world.delete(base.arn)


def delete_a_promised_point(made: Engine) -> None:
    announce(made)
    made.settle()
    made.world.tick(4 * DAY)
    made.settle()
    made.rewrite(replace(made.documents, policies={"gold": GOLD}))
    made.world.delete(next(one for one in home(made) if KEEP_UNTIL in one.tags).arn)


def announce(made: Engine) -> None:
    event = OneOff(made.world.clock - timedelta(hours=1), "release", 30 * DAY)
    announced = replace(GOLD, terms=replace(GOLD.terms, events=(event,)))
    made.rewrite(replace(made.documents, policies={"gold": announced}))


def share_with_a_stranger(made: Engine) -> None:
    made.world.share(home(made)[-1].arn, STRANGER)


def delete_what_is_shared(made: Engine) -> None:
    home(made)[0].shared.add(STRANGER)
    made.world.delete(home(made)[0].arn)


def delete_what_a_stranger_may_be_copying(made: Engine) -> None:
    home(made)[0].shared.add(STRANGER)
    made.world.unshare(home(made)[0].arn, STRANGER)
    made.world.tick(DAY)
    made.world.delete(home(made)[0].arn)


def delete_at_an_unread_place(made: Engine) -> None:
    made.world.unreadable = {LOCAL}
    made.plan()
    made.world.delete(points(made, str(LOCAL))[0].arn)


def delete_an_origin_in_flight(made: Engine) -> None:
    made.world.takes = DAY
    origin = home(made)[0]
    copied = made.world.copy(SISTER, origin.arn, "late", "alias/backups", dict(origin.tags))
    assert copied.is_in_flight
    made.world.delete(origin.arn)


def make_a_point_twice(made: Engine) -> None:
    made.world.create(HOME, "orders", "twin", dict(home(made)[-1].tags))


def unshare_from_a_reader(made: Engine) -> None:
    made.world.takes = DAY
    origin = home(made)[-1]
    made.world.share(origin.arn, VAULT)
    copy = points(made, str(LOCAL))[-1]
    tags = dict(copy.tags)
    made.world.things.pop(copy.arn)
    made.world.copy(LOCAL, origin.arn, "again", "alias/backups", tags)
    made.world.unshare(origin.arn, VAULT)


@pytest.mark.parametrize(
    ("promise", "act"),
    [
        (1, delete_foreign),
        (1, tag_foreign),
        (1, share_foreign),
        (1, share_with_a_stranger),
        (2, delete_a_promised_point),
        (4, delete_what_is_shared),
        (4, delete_what_a_stranger_may_be_copying),
        (2, delete_the_newest),
        (2, delete_of_an_empty_policy),
        (2, delete_of_a_removed_policy),
        (2, delete_of_a_source_just_gone),
        (3, delete_a_base),
        (4, delete_at_an_unread_place),
        (4, delete_an_origin_in_flight),
        (5, make_a_point_twice),
        (5, unshare_from_a_reader),
    ],
)
def test_the_watcher_objects(promise: int, act: Callable[[Engine], None]) -> None:
    made = engine(3)
    with pytest.raises(BrokenError, match=f"promise {promise}"):
        act(made)


def test_a_missing_point_and_a_missing_copy_are_noticed() -> None:
    made = engine(2)
    (orders,) = made.world.databases
    made.settle()
    check_backed_up(made, orders)
    made.world.things.pop(points(made, str(LOCAL))[-1].arn)
    with pytest.raises(BrokenError, match="promise 8: local has no copy"):
        check_backed_up(made, orders)
    made.world.things.pop(home(made)[-1].arn)
    with pytest.raises(BrokenError, match="promise 8: orders has no point"):
        check_backed_up(made, orders)


def test_a_missing_point_of_an_event_is_noticed() -> None:
    made = engine(2)
    made.settle()
    (orders,) = made.world.databases
    made.world.tick(timedelta(hours=2))
    announce(made)
    with pytest.raises(BrokenError, match="promise 8: orders has no point of"):
        check_announced(made, orders)
    made.settle()
    check_announced(made, orders)


def test_what_is_left_behind_is_noticed() -> None:
    made = engine(1)
    made.settle()
    check_no_leftovers(made)
    check_readers(made)
    home(made)[-1].shared.add(VAULT)
    with pytest.raises(BrokenError, match="still shared"):
        check_readers(made)
    home(made)[-1].shared.clear()
    shares = replace(GOLD, terms=replace(GOLD.terms, share_with=(ShareRule((STRANGER,)),)))
    made.rewrite(replace(made.documents, policies={"gold": shares}))
    with pytest.raises(BrokenError, match="not shared"):
        check_readers(made)
    made.settle()
    check_readers(made)
    del home(made)[-1].tags[SHARED]
    with pytest.raises(BrokenError, match="says engine:shared None"):
        check_readers(made)
    home(made)[-1].tags[SHARED] = STRANGER
    home(made)[0].status = "failed"
    with pytest.raises(BrokenError, match="failed and is still there"):
        check_no_leftovers(made)
    home(made)[0].tags[PIN] = "wanted"
    check_no_leftovers(made)


def test_days_are_counted_from_a_monday_and_hours_from_the_window() -> None:
    weekly = Schedule(Every(7 * DAY))
    assert latest_due(weekly, START).weekday() == 0
    assert latest_due(weekly, START + 6 * DAY) == latest_due(weekly, START)
    assert latest_due(Schedule(Every(timedelta(hours=6))), START).hour == 0


def test_plans_delete_at_last() -> None:
    made = engine(3)
    actions = [step.action for step in made.plan().steps]
    assert Action.DELETE in actions
