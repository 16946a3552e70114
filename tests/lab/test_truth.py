"""The ground truth, on values: the published tables, and a failover there and back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from engine.lab.settings import Rules
from engine.lab.truth import NO_KEY, Ledger, Place, Stored, Subject, Volume

PROD = Place("111111111111", "eu-west-1")
VAULT = Place("222222222222", "eu-west-1")
FAR = Place("222222222222", "eu-central-1")
AZ1, AZ2 = Volume("db-A", "euw1-az1"), Volume("db-A", "euw1-az2")
FULL, INCREMENTAL = Stored.FULL, Stored.INCREMENTAL
BOTH = tuple(Rules)
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@dataclass
class Books:
    """A ledger in which everything is done as soon as it is begun."""

    ledger: Ledger = field(default_factory=lambda: Ledger(lambda: NOW))
    subjects: dict[str, Subject] = field(default_factory=dict)

    def snapshot(self, name: str, volume: Volume = AZ1, key: str = "K1") -> None:
        self._do(Subject(name, PROD, volume, (key,)))

    def copy(self, name: str, origin: str, key: str, place: Place = VAULT) -> None:
        source = self.subjects[origin]
        self._do(Subject(name, place, source.volume, (*source.keys, key), origin))

    def _do(self, subject: Subject) -> None:
        self.subjects[subject.arn] = subject
        self.ledger.begin(subject)
        self.ledger.complete(subject.arn)

    def delete(self, *names: str) -> None:
        for name in names:
            self.ledger.remove(name)

    def stored(self, name: str, rules: Rules = Rules.DOCUMENTATION) -> tuple[Stored, str | None]:
        entry = next(one for one in self.ledger.history() if one.subject.arn == name)
        verdict = entry.verdicts[rules]
        return verdict.stored, verdict.base

    def rule(self, name: str, rules: Rules = Rules.DOCUMENTATION) -> str:
        entry = next(one for one in self.ledger.history() if one.subject.arn == name)
        return entry.verdicts[rules].rule


@pytest.mark.parametrize("rules", BOTH)
def test_the_table_of_the_user_guide_holds(rules: Rules) -> None:
    """RDS User Guide, Copying a DB snapshot: copies in the same account under several keys."""
    books = Books()
    for name in ("S1", "S2", "S3", "S4"):
        books.snapshot(name)
    copies = (("S1C", "S1", "K2"), ("S2C", "S2", "K3"), ("S3C", "S3", "K3"), ("S4C", "S4", "K3"))
    for name, origin, key in copies:
        books.copy(name, origin, key, PROD)
    books.copy("S4C2", "S4", "K4", PROD)
    assert {name: books.stored(name, rules) for name in books.subjects} == {
        "S1": (FULL, None),
        "S2": (INCREMENTAL, "S1"),
        "S3": (INCREMENTAL, "S2"),
        "S4": (INCREMENTAL, "S3"),
        "S1C": (FULL, None),
        "S2C": (FULL, None),
        "S3C": (INCREMENTAL, "S2C"),
        "S4C": (INCREMENTAL, "S3C"),
        "S4C2": (FULL, None),
    }


def _five_days(books: Books) -> None:
    """Fail over on day 3, and back on day 5; each day is copied."""
    volumes = (AZ1, AZ1, AZ2, AZ2, AZ1)
    for day, volume in enumerate(volumes, start=1):
        books.snapshot(f"S{day}", volume)
        books.copy(f"C{day}", f"S{day}", "KV")


@pytest.mark.parametrize("rules", BOTH)
def test_a_zone_that_was_not_snapshotted_before_starts_in_full(rules: Rules) -> None:
    books = Books()
    _five_days(books)
    primaries = [books.stored(f"S{day}", rules) for day in range(1, 6)]
    assert primaries == [
        (FULL, None),
        (INCREMENTAL, "S1"),
        (FULL, None),
        (INCREMENTAL, "S3"),
        (INCREMENTAL, "S2"),
    ]


def test_after_failing_back_the_texts_disagree_on_the_copy() -> None:
    books = Books()
    _five_days(books)
    assert books.stored("C5", Rules.BLOG) == (INCREMENTAL, "C2")
    assert books.stored("C5") == (FULL, None)
    assert books.rule("C5") == "failed_over_since_most_recent_copy"


def test_a_copy_of_an_incremental_one_is_incremental_also_of_the_copy_of_a_full_one() -> None:
    books = Books()
    _five_days(books)
    assert books.stored("C1") == (FULL, None)
    assert books.stored("C2") == (INCREMENTAL, "C1")
    assert books.stored("C2", Rules.BLOG) == (INCREMENTAL, "C1")
    assert books.stored("C4") == (INCREMENTAL, "C3")


@pytest.mark.parametrize("rules", BOTH)
def test_a_deleted_base_makes_the_next_one_full(rules: Rules) -> None:
    books = Books()
    books.snapshot("S1")
    books.snapshot("S2")
    books.delete("S1", "S2")
    books.snapshot("S3")
    assert books.stored("S3", rules) == (FULL, None)


@pytest.mark.parametrize("rules", BOTH)
def test_deleting_in_the_middle_falls_back_to_what_is_left(rules: Rules) -> None:
    books = Books()
    for name in ("S1", "S2"):
        books.snapshot(name)
    books.delete("S2")
    books.snapshot("S3")
    assert books.stored("S3", rules) == (INCREMENTAL, "S1")


def test_the_documentation_wants_the_most_recent_copy_the_blog_any_of_the_chain() -> None:
    books = Books()
    for day in (1, 2, 3):
        books.snapshot(f"S{day}")
    books.copy("C1", "S1", "KV")
    books.copy("C2", "S2", "KV")
    books.delete("C2")
    books.copy("C3", "S3", "KV")
    assert books.rule("C3") == "most_recent_copy_deleted"
    assert books.stored("C3") == (FULL, None)
    assert books.stored("C3", Rules.BLOG) == (INCREMENTAL, "C1")


def test_another_key_anywhere_in_the_account_makes_a_cross_account_copy_full_by_the_guide() -> None:
    books = Books()
    for day in (1, 2, 3):
        books.snapshot(f"S{day}")
    books.copy("C1", "S1", "KV")
    books.copy("F2", "S2", "KF", FAR)
    books.copy("C3", "S3", "KV")
    assert books.rule("C3") == "account_holds_copies_under_other_keys"
    assert books.stored("C3", Rules.BLOG) == (INCREMENTAL, "C1")
    books.delete("F2")
    books.snapshot("S4")
    books.copy("C4", "S4", "KV")
    assert books.stored("C4") == (INCREMENTAL, "C3")


@pytest.mark.parametrize("rules", BOTH)
def test_another_number_of_hops_is_another_chain(rules: Rules) -> None:
    books = Books()
    for day in (1, 2, 3):
        books.snapshot(f"S{day}")
        books.copy(f"B{day}", f"S{day}", "KB", PROD)
    books.copy("direct", "S2", "KV")
    books.copy("bridged", "B3", "KV")
    assert books.stored("bridged", rules) == (FULL, None)


@pytest.mark.parametrize("rules", BOTH)
def test_encrypting_what_was_not_encrypted_is_always_full(rules: Rules) -> None:
    books = Books()
    for day in (1, 2, 3):
        books.snapshot(f"S{day}", key=NO_KEY)
        books.copy(f"C{day}", f"S{day}", "KV")
    assert books.rule("C3", rules) == "encrypts_unencrypted"
    plain = Books()
    for day in (1, 2):
        plain.snapshot(f"S{day}", key=NO_KEY)
        plain.copy(f"C{day}", f"S{day}", NO_KEY)
    assert plain.stored("C2", rules) == (INCREMENTAL, "C1")


@pytest.mark.parametrize("rules", BOTH)
def test_the_first_copy_to_each_place_is_full(rules: Rules) -> None:
    books = Books()
    for day in (1, 2):
        books.snapshot(f"S{day}")
    books.copy("C1", "S1", "KV")
    books.copy("F2", "S2", "KV", FAR)
    assert books.stored("F2", rules) == (FULL, None)


@pytest.mark.parametrize("rules", BOTH)
def test_a_base_deleted_while_it_is_needed_makes_a_full_one(rules: Rules) -> None:
    ledger = Ledger(lambda: NOW)
    first, second = (Subject(name, PROD, AZ1, ("K1",)) for name in ("S1", "S2"))
    ledger.begin(first)
    ledger.complete("S1")
    ledger.begin(second)
    ledger.remove("S1")
    ledger.complete("S2")
    entry = list(ledger.history())[-1]
    assert entry.verdicts[rules].rule == "base_deleted_meanwhile"
    assert entry.verdicts[rules].stored is FULL


@pytest.mark.parametrize("rules", BOTH)
def test_a_base_deleted_and_made_again_meanwhile_is_lost_all_the_same(rules: Rules) -> None:
    ledger = Ledger(lambda: NOW)
    first, second = (Subject(name, PROD, AZ1, ("K1",)) for name in ("S1", "S2"))
    ledger.begin(first)
    ledger.complete("S1")
    ledger.begin(second)
    ledger.remove("S1", by="111111111111")
    ledger.begin(first)
    ledger.complete("S1")
    ledger.complete("S2")
    old, found, new = ledger.history()
    assert (old.deleted_by, new.deleted) == ("111111111111", None)
    assert found.verdicts[rules].rule == "base_deleted_meanwhile"


@pytest.mark.parametrize("rules", BOTH)
def test_what_failed_is_no_base(rules: Rules) -> None:
    ledger = Ledger(lambda: NOW)
    first, second = (Subject(name, PROD, AZ1, ("K1",)) for name in ("S1", "S2"))
    ledger.begin(first)
    ledger.fail("S1")
    ledger.begin(second)
    failed, found = ledger.history()
    assert not failed.exists
    assert failed.deleted is None
    assert found.verdicts[rules].stored is FULL


@pytest.mark.parametrize("rules", BOTH)
def test_a_restored_instance_starts_anew(rules: Rules) -> None:
    books = Books()
    books.snapshot("S1")
    books.snapshot("S2", Volume("db-B", AZ1.zone))
    assert books.stored("S2", rules) == (FULL, None)
