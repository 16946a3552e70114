"""Documents become values: every field arrives where planning looks for it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from engine.documents.diagnostics import DocumentsError
from engine.documents.load import load, load_or_raise
from engine.documents.model import (
    Account,
    Bucket,
    CatchUp,
    Condition,
    CopyRule,
    Cron,
    Every,
    FullCopies,
    Guards,
    Incremental,
    MaxDeletes,
    Orphans,
    RegionalTarget,
    Schedule,
    Select,
    SnapshotTerms,
    Target,
    Terms,
    Window,
)
from engine.documents.objective_model import Objectives
from engine.documents.terms import terms_for
from engine.errors import EngineError, ExitCode
from engine.retention.keep import ALL, Keep
from engine.retention.spans import Span
from tests.documents.writing import COPIES, ESTATE, documents, load_text, loaded, policy

FULL_ESTATE = """\
version: 1
kind: estate
name: acme
account_defaults: {role: engine, read_role: reader, rekey: alias/share, regions: [eu-west-1]}
accounts:
  prod:  {id: "111111111111", external_id: some-id}
  vault: {id: "222222222222", role: null, regions: [eu-west-1, eu-central-1]}
targets:
  local:  {account: vault, region: eu-west-1, key: alias/backups}
  remote: {account: vault, region: eu-central-1, key: alias/backups}
  near:   {by_source_region: {eu-west-1: remote}}
guards:
  max_deletes: {count: 7}
  min_points: 3
  full_copies: {gib: 100}
  acknowledged: [3f1c9ad2e0b47a55]
retire: [{policy: old, sources: "prod/*/x", locations: "vault/*", reason: gone}]
state: {s3: {account: vault, bucket: acme-engine, prefix: a/b, region: eu-central-1}}
"""

FULL_POLICY = """\
version: 1
kind: policy
name: gold
formerly: [silver]
select:
  accounts: [prod]
  regions: ["eu-*"]
  engines: [postgres]
  identifiers: ["orders-*"]
  tags: {tier: gold, team: [a, b]}
  exclude: [{identifiers: ["*-scratch"]}]
  replicas: true
timezone: Europe/Berlin
snapshots:
  schedule: {cron: "0 3 * * *", window: "23:00-05:30", catch_up: in_window}
  source: instance
  tags: {cost-centre: "42"}
  retention: {keep: {last: 3, daily: 7, weekly: 0, yearly: all, within: 36h, within_monthly: 1y}}
  incremental: require
  copies:
    - {target: local, every: 1w, backfill: all, retention: {keep: {weekly: 10}}}
    - {target: near, backfill: 3}
objectives: {rpo: 26h, rto: 45m}
orphans: {keep_for: 18mo, keep_last: 2}
chains: {idle_after: 30d}
hold: case 17
overrides:
  - select: {identifiers: ["orders-1"], exclude: [{engines: [mysql]}]}
    snapshots: {schedule: {every: 3h}, tags: {cost-centre: null, b: c}, retention: null}
    objectives: null
    orphans: {keep_last: 5}
"""


def test_the_estate_is_read_whole(tmp_path: Path) -> None:
    estate = loaded(tmp_path, FULL_ESTATE, policy()).estate
    assert estate.name == "acme"
    assert estate.accounts == {
        "prod": Account(
            "prod", "111111111111", ("eu-west-1",), "engine", "reader", "some-id", "alias/share"
        ),
        "vault": Account(
            name="vault",
            id="222222222222",
            regions=("eu-west-1", "eu-central-1"),
            read_role="reader",
            rekey="alias/share",
        ),
    }
    assert estate.targets == {
        "local": Target("local", "vault", "eu-west-1", "alias/backups"),
        "remote": Target("remote", "vault", "eu-central-1", "alias/backups"),
        "near": RegionalTarget("near", {"eu-west-1": "remote"}),
    }
    assert estate.guards == Guards(
        MaxDeletes(7, 20), 3, FullCopies(None, 100), frozenset({"3f1c9ad2e0b47a55"})
    )
    (retire,) = estate.retire
    assert (retire.policy, retire.sources, retire.locations, retire.reason) == (
        "old",
        "prod/*/x",
        "vault/*",
        "gone",
    )
    assert retire.place is not None
    assert retire.place.line == 17
    assert estate.state == Bucket("vault", "acme-engine", "eu-central-1", "a/b")


def test_the_policy_is_read_whole(tmp_path: Path) -> None:
    gold = loaded(tmp_path, FULL_ESTATE, FULL_POLICY).policies["gold"]
    assert gold.formerly == ("silver",)
    assert gold.select == Select(
        condition=Condition(
            accounts=("prod",),
            regions=("eu-*",),
            engines=("postgres",),
            identifiers=("orders-*",),
            tags={"tier": ("gold",), "team": ("a", "b")},
        ),
        exclude=(Condition(identifiers=("*-scratch",)),),
        replicas=True,
    )
    assert gold.terms == Terms(
        timezone=ZoneInfo("Europe/Berlin"),
        snapshots=SnapshotTerms(
            schedule=Schedule(Cron("0 3 * * *"), Window(23 * 60, 5 * 60 + 30), CatchUp.IN_WINDOW),
            tags={"cost-centre": "42"},
            keep=Keep(
                last=3,
                daily=7,
                weekly=0,
                yearly=ALL,
                within=Span(hours=36),
                within_monthly=Span(years=1),
            ),
            incremental=Incremental.REQUIRE,
            copies=(
                CopyRule("local", timedelta(days=7), "all", Keep(weekly=10)),
                CopyRule("near", None, 3, None),
            ),
        ),
        objectives=Objectives(timedelta(hours=26), timedelta(minutes=45)),
        orphans=Orphans(Span(months=18), 2),
        idle_after=timedelta(days=30),
        hold="case 17",
    )


def test_an_override_is_read_whole(tmp_path: Path) -> None:
    gold = loaded(tmp_path, FULL_ESTATE, FULL_POLICY).policies["gold"]
    (override,) = gold.overrides
    assert override.select.condition == Condition(identifiers=("orders-1",))
    assert override.select.exclude == (Condition(engines=("mysql",)),)
    assert override.place is not None
    terms = terms_for(gold, (0,))
    assert terms.snapshots.schedule == Schedule(Every(timedelta(hours=3)))
    assert terms.snapshots.tags == {"b": "c"}
    assert terms.snapshots.keep == Keep()
    assert terms.snapshots.copies == gold.terms.snapshots.copies
    assert terms.objectives == Objectives()
    assert terms.orphans == Orphans(Span(months=18), 5)
    assert terms.hold == "case 17"


def test_null_takes_each_field_back_to_what_holds_without_it(tmp_path: Path) -> None:
    nothing = """\
overrides:
  - select: {identifiers: ["a"]}
    timezone: null
    snapshots: null
    objectives: null
    orphans: null
    chains: null
    hold: null
"""
    gold = loaded(tmp_path, FULL_ESTATE, FULL_POLICY.partition("overrides:")[0] + nothing)
    assert terms_for(gold.policies["gold"], (0,)) == Terms()


def test_defaults_hold_under_every_policy(tmp_path: Path) -> None:
    estate = ESTATE + 'defaults: {timezone: Asia/Tokyo, select: {identifiers: ["*"]}, hold: all}\n'
    plain = policy().replace('select: {identifiers: ["*"]}\n', "")
    gold = loaded(tmp_path, estate, plain).policies["gold"]
    assert gold.terms.timezone == ZoneInfo("Asia/Tokyo")
    assert gold.terms.hold == "all"
    assert gold.select.condition == Condition(identifiers=("*",))


def test_accounts_may_stand_in_documents_of_their_own(tmp_path: Path) -> None:
    more = 'version: 1\nkind: accounts\naccounts: {dev: {id: "333333333333"}}\n'
    estate = loaded(tmp_path, ESTATE, more, policy()).estate
    assert estate.accounts["dev"] == Account("dev", "333333333333", ("eu-west-1",))


def test_an_estate_without_policies_is_fine(tmp_path: Path) -> None:
    assert loaded(tmp_path, ESTATE).policies == {}


def test_a_policy_knows_its_place(tmp_path: Path) -> None:
    place = loaded(tmp_path, ESTATE, policy()).policies["gold"].place
    assert str(place) == f"{tmp_path}/x.yaml:11:1"


def test_errors_are_raised_all_together(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(documents(ESTATE, policy("hold: 1\nchains: 2\n")))
    with pytest.raises(DocumentsError) as raised:
        load_or_raise([tmp_path])
    assert isinstance(raised.value, EngineError)
    assert raised.value.exit_code == ExitCode.ERROR
    assert len(raised.value.diagnostics) == 2
    told = str(raised.value)
    assert told.startswith("the documents have 2 errors\n")
    assert f"{tmp_path}/a.yaml:15:7: error E121 unquoted" in told
    assert f"{tmp_path}/a.yaml:16:9: error E110 wrong-type" in told


def test_good_documents_are_returned(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(documents(ESTATE, policy()))
    assert set(load_or_raise([tmp_path]).policies) == {"gold"}


def test_warnings_alone_leave_documents_usable(tmp_path: Path) -> None:
    result = load_text(tmp_path, documents(ESTATE, policy("")))
    assert [each.code.id for each in result.diagnostics] == ["W229"]
    assert result.documents is not None


# -- the digest ------------------------------------------------------------------------------------


def test_the_digest_does_not_depend_on_how_and_where_documents_are_written(tmp_path: Path) -> None:
    one = loaded(tmp_path, ESTATE, policy(), policy("hold: x\n", "silver"))
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "a.yaml").write_text("# silver\n" + policy('"hold":   "x"\n', "silver"))
    (tmp_path / "more" / "b.yaml").write_text(
        policy(COPIES.replace("every: 1d", "every: 24h").replace('"02:00-05:00"', "02:00-05:00"))
    )
    (tmp_path / "more" / "c.yaml").write_text(ESTATE.replace(": ", ":   "))
    other = load([tmp_path / "more"]).documents
    assert other is not None
    assert one.digest == other.digest
    assert one.digest.startswith("sha256:")
    assert len(one.digest) == 71


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("daily: 7", "daily: 8"),
        ("02:00", "02:01"),
        ("eu-west-1, eu-central-1", "eu-central-1, eu-west-1"),
        ("alias/backups", "alias/others"),
        ("name: gold", "name: golden"),
        ("every: 1d", "every: 2d"),
        ("[{target: local}]", "[{target: local, backfill: 1}]"),
    ],
)
def test_the_digest_tells_meanings_apart(tmp_path: Path, before: str, after: str) -> None:
    text = documents(ESTATE, policy())
    assert before in text
    digests = {loaded(tmp_path, each).digest for each in (text, text.replace(before, after))}
    assert len(digests) == 2


def test_the_digest_covers_overrides(tmp_path: Path) -> None:
    digests = {
        loaded(
            tmp_path,
            ESTATE,
            policy(f'{COPIES}overrides: [{{select: {{identifiers: ["a"]}}, hold: {reason}}}]\n'),
        ).digest
        for reason in ("x", "y")
    }
    assert len(digests) == 2


def test_the_digest_leaves_out_what_only_serves_estimates(tmp_path: Path) -> None:
    priced = ESTATE + "prices: {snapshots: {eu-west-1: 0.2}}\n"
    changing = "snapshots: {changed_per_day: 1-5%}\n"
    overrides = f"overrides: [{{select: {{tags: {{a: b}}}}, {changing.strip()}}}]\n"
    one = loaded(tmp_path, documents(ESTATE, policy("overrides: [{select: {tags: {a: b}}}]\n")))
    other = loaded(tmp_path, documents(priced, policy(changing + overrides)))
    assert one.digest == other.digest
    assert other.estate.prices.snapshots == {"eu-west-1": (0.2, 0.2)}
    (gold,) = other.policies.values()
    assert gold.terms.snapshots.changed_per_day == (1.0, 5.0)


def test_a_tag_that_is_named_like_an_estimate_counts_for_the_digest(tmp_path: Path) -> None:
    digests = {
        loaded(
            tmp_path,
            documents(ESTATE, policy(f'snapshots: {{tags: {{changed_per_day: "{n}"}}}}\n')),
        ).digest
        for n in (1, 2)
    }
    assert len(digests) == 2


def test_prices_are_amounts_or_bounds(tmp_path: Path) -> None:
    text = "prices: {snapshots: {eu-west-1: 0.09-0.1}, transfer: {eu-west-1 to eu-west-2: 1}}\n"
    prices = loaded(tmp_path, documents(ESTATE + text, policy())).estate.prices
    assert prices.snapshots == {"eu-west-1": (0.09, 0.1)}
    assert prices.transfer == {"eu-west-1 to eu-west-2": (1.0, 1.0)}
    assert prices.cluster_snapshots == {}
