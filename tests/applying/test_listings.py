"""What is being copied from a snapshot, known without a listing of its own; readings shared."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from engine.applying.listings import Listings
from engine.applying.ports import CloudError, Trouble
from engine.applying.traffic import traffic_of
from tests.applying.world import HOME, VAULT, FakeClock, FakeCloud, Fault, copy_of, primary

ORIGIN = primary()
COPY = copy_of(ORIGIN)


def listed() -> tuple[FakeClock, FakeCloud, Listings]:
    """A location that was listed before anything was copied there."""
    clock = FakeClock()
    cloud = FakeCloud(clock)
    listings = Listings(cloud, clock, traffic_of(clock, lambda: False, per_second=1000))
    assert listings.readers(VAULT, ORIGIN.arn) == frozenset()
    return clock, cloud, listings


def test_a_copy_that_was_just_started_reads_its_origin_and_costs_no_listing() -> None:
    clock, cloud, listings = listed()
    clock.sleep(1)
    listings.remember_copy(VAULT, COPY.arn, ORIGIN.arn)
    assert listings.readers(VAULT, ORIGIN.arn) == {COPY.arn}
    assert len(cloud.made("snapshots")) == 1


def test_a_copy_reads_no_other_snapshot_than_its_origin() -> None:
    clock, _, listings = listed()
    clock.sleep(1)
    listings.remember_copy(VAULT, COPY.arn, ORIGIN.arn)
    assert listings.readers(VAULT, primary(1).arn) == frozenset()


def test_a_listing_that_shows_the_copy_available_ends_its_reading() -> None:
    clock, cloud, listings = listed()
    listings.remember_copy(VAULT, COPY.arn, ORIGIN.arn)
    cloud.objects[COPY.arn] = COPY.record()
    listings.snapshots(VAULT, since=clock.elapsed() + 0.001)
    assert listings.readers(VAULT, ORIGIN.arn) == frozenset()


def test_a_copy_that_a_later_listing_does_not_show_is_gone() -> None:
    clock, _, listings = listed()
    listings.remember_copy(VAULT, COPY.arn, ORIGIN.arn)
    clock.sleep(1)
    listings.snapshots(VAULT, since=clock.elapsed())
    assert listings.readers(VAULT, ORIGIN.arn) == frozenset()


def test_whoever_waits_for_a_reading_that_fails_shares_its_error() -> None:
    """Else each worker would find out anew, one after the other, that a region is down."""
    clock = FakeClock()
    cloud = FakeCloud(clock)
    listings = Listings(cloud, clock, traffic_of(clock, lambda: False, per_second=1000))
    reading, go_on = threading.Event(), threading.Event()

    def dawdle(_operation: str) -> None:
        reading.set()
        assert go_on.wait(10)
        clock.seconds += 1

    cloud.before_call = dawdle
    cloud.fail("snapshots", *[Fault(Trouble.DENIED, "AccessDenied")] * 2)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(listings.snapshots, HOME)
        assert reading.wait(10)
        second = pool.submit(listings.snapshots, HOME)
        time.sleep(0.2)
        go_on.set()
        errors = [first.exception(10), second.exception(10)]
    assert [str(error) for error in errors] == ["AccessDenied: message"] * 2
    assert len(cloud.made("snapshots")) == 1
    with pytest.raises(CloudError):
        listings.snapshots(HOME)
    assert len(cloud.made("snapshots")) == 2
