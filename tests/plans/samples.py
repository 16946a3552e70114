"""Plans as a person might meet them, written by hand; tests of other parts may use them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from engine.plans.codes import (
    EFFECTS,
    OF_INSTANCES,
    PROTECTIONS,
    Action,
    Check,
    DriftCode,
    DriftSeverity,
    Guard,
    KeepReason,
    StepReason,
    UnmanagedReason,
    Verdict,
    Waiting,
)
from engine.plans.digest import guard_digest, plan_digest
from engine.plans.plan import (
    FORMAT_VERSION,
    At,
    Conflict,
    CopyTree,
    Drift,
    Finding,
    Forecast,
    GuardState,
    Held,
    Hop,
    IdleChain,
    InventoryRead,
    Kept,
    NextSlot,
    Plan,
    Precondition,
    Reason,
    Retained,
    ScopeRead,
    SourceRef,
    Step,
    Summary,
    Unmanaged,
    Unprotected,
    Waits,
    Warned,
)

PROD = At("111111111111", "eu-west-1")
VAULT = At("222222222222", "eu-west-1")
REMOTE = At("222222222222", "eu-central-1")
NOW = datetime(2026, 11, 21, 2, 10, tzinfo=UTC)
SLOT = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
DAY = timedelta(days=1)
KEY = "arn:aws:kms:eu-west-1:222222222222:key/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
POLICIES = "sha256:" + hashlib.sha256(b"policies").hexdigest()

_VERBS = {action: action.name.lower() for action in Action}


def source(identifier: str, home: At = PROD) -> SourceRef:
    proof = hashlib.sha256(identifier.encode()).hexdigest()[:26].upper()
    return SourceRef(home.account, home.region, identifier, f"db-{proof}")


def snapshot_id(database: SourceRef, policy: str, slot: datetime, location: At) -> str:
    words = f"{database.resource_id} {policy} {slot} {location}"
    proof = hashlib.sha256(words.encode()).hexdigest()[:8]
    return f"{database.identifier}-{policy}-{slot:%Y%m%dt%H%Mz}-euw1az2-{proof}"


def arn_of(identifier: str, location: At) -> str:
    return f"arn:aws:rds:{location.region}:{location.account}:snapshot:{identifier}"


def step(
    action: Action,
    database: SourceRef,
    location: At,
    reason: Reason,
    *,
    slot: datetime = SLOT,
    policy: str = "gold",
    forecast: Forecast | None = None,
    parameters: dict[str, object] | None = None,
    depends_on: Iterable[Step] = (),
    suffix: str = "",
) -> Step:
    name = snapshot_id(database, policy, slot, location)
    arn = arn_of(name, location)
    tail = f"/{suffix}" if suffix else ""
    return Step(
        id=f"{_VERBS[action]}:{location.account}/{location.region}/{name}{tail}",
        action=action,
        actions=(EFFECTS[action],),
        policy=policy,
        arn=arn,
        source=database,
        slot=slot,
        location=location,
        snapshot=name,
        parameters=parameters or {"DBSnapshotIdentifier": name},
        reason=reason,
        forecast=forecast,
        depends_on=tuple(before.id for before in depends_on),
        preconditions=(Precondition(Check.OWNED, arn, name[-8:]),),
    )


def create(
    database: SourceRef, *, policy: str = "gold", verdict: Verdict = Verdict.INCREMENTAL
) -> Step:
    return step(
        Action.CREATE,
        database,
        At(database.account, database.region),
        Reason(StepReason.SLOT_DUE, "slot 2026-11-21 02:00Z is due"),
        policy=policy,
        forecast=forecast(verdict, "primary_same_zone"),
    )


def forecast(verdict: Verdict, rule: str, because: str = "") -> Forecast:
    texts = {
        Verdict.FULL: "no copy of this database under this key in 222222222222/eu-west-1 yet",
        Verdict.INCREMENTAL: "the previous snapshot of this volume is available",
        Verdict.LIKELY_INCREMENTAL: "the zone has changed since the last copy",
        Verdict.UNKNOWN: "the key of the last copy could not be read",
    }
    sizes = {Verdict.FULL: (0, 500), Verdict.INCREMENTAL: (0, 500)}
    return Forecast(verdict, rule, because or texts[verdict], sizes.get(verdict, (0, 500)))


def route(database: SourceRef, origin: Step, target: At, verdict: Verdict) -> list[Step]:
    """Share, copy, unshare."""
    home = At(database.account, database.region)
    share = step(
        Action.SHARE,
        database,
        home,
        Reason(StepReason.ROUTE_NEEDS_SHARE, f"{target.account} copies it"),
        policy=origin.policy,
        parameters={"ValuesToAdd": [target.account], "Tags": {"engine:shared": target.account}},
        depends_on=[origin],
        suffix=target.account,
    )
    copy = step(
        Action.COPY,
        database,
        target,
        Reason(StepReason.TARGET_MISSING_POINT, "local has no point of 2026-11-21 02:00Z"),
        policy=origin.policy,
        forecast=forecast(verdict, "first_in_chain"),
        parameters={"SourceDBSnapshotIdentifier": origin.arn, "KmsKeyId": KEY},
        depends_on=[share],
    )
    unshare = step(
        Action.UNSHARE,
        database,
        home,
        Reason(StepReason.ROUTE_DONE, f"{target.account} needs it no longer"),
        policy=origin.policy,
        parameters={"ValuesToRemove": [target.account], "RemoveTags": ["engine:shared"]},
        depends_on=[copy],
        suffix=target.account,
    )
    return [share, copy, unshare]


def delete(
    database: SourceRef,
    age: int,
    *,
    location: At = PROD,
    policy: str = "gold",
    depends_on: Iterable[Step] = (),
) -> Step:
    text = f"no rule keeps it: {policy} keeps the last 3, 7 daily and 4 weekly"
    return step(
        Action.DELETE,
        database,
        location,
        Reason(StepReason.NO_RULE_KEEPS, text),
        slot=SLOT - age * DAY,
        policy=policy,
        depends_on=depends_on,
    )


def kept(database: SourceRef, age: int, *codes: KeepReason, location: At = PROD) -> Kept:
    slot = SLOT - age * DAY
    reasons = [Reason(code, f"{code.value}-{age}") for code in codes]
    arn = arn_of(snapshot_id(database, "gold", slot, location), location)
    return Kept(arn, location, slot, tuple(reasons))


def scope(at: At, instances: int, snapshots: int) -> ScopeRead:
    return ScopeRead(at.account, at.region, "ok", instances, snapshots)


def unread(at: At, cause: str) -> ScopeRead:
    return ScopeRead(at.account, at.region, "failed", None, None, cause)


def read(*scopes: ScopeRead, taken_at: datetime | None = None) -> InventoryRead:
    return InventoryRead(
        complete=all(one.status == "ok" for one in scopes),
        recorded=taken_at is not None,
        taken_at=taken_at,
        scopes=scopes,
    )


def plan(*steps: Step, **parts: object) -> Plan:
    """A plan with its digest and its counts."""
    whole = Plan(
        format_version=FORMAT_VERSION,
        engine_version="0.1.0",
        estate="acme",
        as_of=NOW,
        expires_at=NOW + DAY,
        policies_digest=POLICIES,
        digest=plan_digest(steps),
        inventory=read(scope(PROD, 1, 9), scope(VAULT, 0, 8)),
        summary=Summary(),
        steps=steps,
    )
    whole = replace(whole, **parts)  # type: ignore[arg-type]  # names of fields, as tests give them
    return replace(whole, complete=whole.inventory.complete, summary=summary(whole))


def summary(whole: Plan) -> Summary:
    done = [one for one in whole.steps if one.withheld_by is None]
    verdicts = [one.forecast.verdict for one in done if one.forecast]
    counts = Counter("update" if a in OF_INSTANCES else _VERBS[a] for a in (s.action for s in done))
    return Summary(
        **counts,
        withheld=len(whole.steps) - len(done),
        full=verdicts.count(Verdict.FULL),
        incremental=verdicts.count(Verdict.INCREMENTAL),
        likely_incremental=verdicts.count(Verdict.LIKELY_INCREMENTAL),
        unknown=verdicts.count(Verdict.UNKNOWN),
        protected=sum(any(r.code in PROTECTIONS for r in one.reasons) for one in whole.kept),
    )


def empty() -> Plan:
    return plan(next=(NextSlot("gold", SLOT + DAY, 12, 24, 0),))


def thin_path() -> Plan:
    """One database: its due snapshot, its copy in another account, one point that goes."""
    database = source("orders-1")
    primary = create(database)
    copying = route(database, primary, VAULT, Verdict.FULL)
    going = delete(database, 8, depends_on=[primary])
    return plan(
        primary,
        *copying,
        going,
        kept=(
            kept(database, 1, KeepReason.LAST, KeepReason.DAILY, KeepReason.CHAIN_BASE),
            kept(database, 2, KeepReason.LAST, KeepReason.DAILY),
        ),
        next=(NextSlot("gold", SLOT + DAY, 1, 1, 0),),
    )


def small() -> Plan:
    """Two policies, three databases, everything that a plan can be about once."""
    orders = [source(f"orders-{number}") for number in (1, 2, 3)]
    billing = source("billing-ledger")
    primaries = [create(database) for database in orders]
    verdicts = (Verdict.FULL, Verdict.FULL, Verdict.INCREMENTAL)
    steps = [*primaries, create(billing, policy="silver", verdict=Verdict.LIKELY_INCREMENTAL)]
    for database, primary, verdict in zip(orders, primaries, verdicts, strict=True):
        steps += route(database, primary, VAULT, verdict)
    for database, primary in zip(orders[:2], primaries, strict=False):
        steps += [delete(database, age, depends_on=[primary]) for age in (8, 9, 10)]
    steps += [delete(orders[2], 40, location=VAULT), delete(billing, 31, policy="silver")]
    tagging = step(
        Action.TAG,
        billing,
        PROD,
        Reason(StepReason.ZONE_CONFIRMED, "taken in euw1-az2, as tagged"),
        slot=SLOT - DAY,
        policy="silver",
        parameters={"Tags": {"engine:az-checked": "true"}},
    )
    stray = arn_of(snapshot_id(billing, "silver", SLOT - 2 * DAY, PROD), PROD)
    return plan(
        *steps,
        tagging,
        kept=tuple(
            kept(database, age, KeepReason.DAILY, *extra)
            for database in orders
            for age, extra in ((1, (KeepReason.NEWEST_AT_LOCATION, KeepReason.CHAIN_BASE)), (2, ()))
        ),
        waiting=(
            Waits(
                source("crm-eu"),
                PROD,
                SLOT,
                "gold",
                Waiting.SOURCE_STATE,
                "the instance is stopped; AWS takes snapshots of available ones",
            ),
        ),
        unprotected=(
            Unprotected(source("scratch-7"), "postgres", "no policy selects it"),
            Unprotected(source("wiki"), "mysql", "no policy selects it"),
        ),
        holds=(Held(source("orders-ledger"), "gold", "case 2026-17", 34),),
        copy_trees=(
            CopyTree(
                "gold",
                PROD,
                (Hop("remote", "source"), Hop("lab", "remote")),
                sources=12,
                gib=4200,
                usd_per_gib=0.02,
                star_usd_per_gib=0.04,
            ),
        ),
        unmanaged=tuple(
            Unmanaged(
                arn_of(snapshot_id(orders[0], "bronze", SLOT - age * DAY, PROD), PROD),
                PROD,
                "bronze",
                SLOT - age * DAY,
                UnmanagedReason.POLICY_GONE,
                "its policy bronze no longer exists",
            )
            for age in (60, 61, 62)
        ),
        conflicts=(
            Conflict(
                stray,
                PROD,
                billing,
                SLOT - 2 * DAY,
                "carries an id of the engine's but not its tags; it is taken for this point, "
                "never changed or deleted: delete or rename it by hand to have the point made",
            ),
        ),
        drift=(
            Drift(
                DriftCode.UNTAGGED,
                DriftSeverity.ERROR,
                arn_of(snapshot_id(billing, "silver", SLOT - 3 * DAY, PROD), PROD),
                PROD,
                billing,
                SLOT - 3 * DAY,
                "its id proves that the engine made it, but engine:slot is gone",
                "put the tags back",
                expected="engine:slot=2026-11-18T02:00:00Z",
            ),
        ),
        warnings=(
            Warned(
                "W412",
                "warning",
                "the window overlaps the automated backup window 02:30-03:00 UTC",
                source=billing.address,
                policy="silver",
                fix="move the window, or the instance's PreferredBackupWindow",
            ),
            Warned(
                "E407",
                "error",
                "two policies match the same database: gold, silver; gold makes its points",
                source=orders[0].address,
            ),
        ),
        next=(
            NextSlot("gold", SLOT + DAY, 3, 3, 0),
            NextSlot("silver", SLOT + 7 * DAY, 1, 0, 1),
        ),
        inventory=read(scope(PROD, 6, 41), scope(VAULT, 0, 8), scope(REMOTE, 0, 0)),
    )


def many(number: int = 300) -> Plan:
    """An estate on an ordinary day: every database makes a point and lets one go."""
    steps: list[Step] = []
    for index in range(number):
        database = source(f"tenant-{index:04}")
        primary = create(database)
        verdict = Verdict.FULL if index % 100 == 7 else Verdict.INCREMENTAL
        steps += [primary, *route(database, primary, REMOTE, verdict)]
        steps += [delete(database, 8 + index % 3, depends_on=[primary])]
    return plan(
        *steps,
        next=(NextSlot("gold", SLOT + DAY, number, number, 0),),
        inventory=read(scope(PROD, number, 8 * number), scope(REMOTE, 0, 35 * number)),
    )


def guarded() -> Plan:
    """A policy change that would remove a lot, and copies that would be stored in full."""
    database, other = source("orders-1"), source("orders-2")
    primary = create(database)
    shared, copy, unshared = route(database, primary, VAULT, Verdict.FULL)
    deletes = [delete(database, age) for age in range(20, 82)]
    text = "62 deletes beyond the points that became available in the last 48 h"
    many_deletes = GuardState(
        Guard.MAX_DELETES,
        f"{database.address} at {PROD.account}/{PROD.region}",
        tripped=True,
        limit=50,
        value=62,
        text=f"{database.address} at {PROD.account}/{PROD.region}: {text} (allowed: 50)",
        acknowledge=guard_digest(Guard.MAX_DELETES, [one.arn for one in deletes]),
        withholds=tuple(one.id for one in deletes),
    )
    full_copies = GuardState(
        Guard.INCREMENTAL_REQUIRED,
        "incremental: require",
        tripped=True,
        limit=0,
        value=1,
        text="copies that would be stored in full, where the policy requires increments",
        acknowledge=guard_digest(Guard.INCREMENTAL_REQUIRED, [copy.arn]),
        withholds=(copy.id,),
    )
    budget = GuardState(
        Guard.FULL_COPIES,
        "full copies",
        tripped=True,
        limit=1,
        value=2,
        text="1 full copies beyond the budget of 1 copies",
        acknowledge="00112233aabbccdd",
        acknowledged=True,
    )
    broken = delete(other, 3, location=VAULT)
    verifier = GuardState(
        Guard.VERIFIER,
        "the plan",
        tripped=True,
        limit=0,
        value=1,
        text="the verifier found steps that would break a promise: a bug of the engine, report it",
        withholds=(broken.id,),
    )
    return plan(
        primary,
        replace(shared, withheld_by=copy.id),
        replace(copy, withheld_by=Guard.INCREMENTAL_REQUIRED),
        replace(unshared, withheld_by=copy.id),
        *(replace(one, withheld_by=Guard.MAX_DELETES) for one in deletes),
        replace(broken, withheld_by=Guard.VERIFIER),
        guards=(many_deletes, full_copies, budget, verifier),
        findings=(Finding(broken.id, 3, "it is the base of the next increment"),),
        errored=True,
    )


def incomplete() -> Plan:
    """Nothing to do where it could be read; elsewhere AWS refused."""
    cause = (
        "AccessDenied: User: arn:aws:sts::222222222222:assumed-role/backup-reader/engine is not "
        "authorized to perform: rds:DescribeDBSnapshots"
    )
    return plan(
        inventory=read(scope(PROD, 12, 340), unread(REMOTE, cause)),
        kept=(kept(source("orders-1"), 30, KeepReason.INVENTORY_INCOMPLETE),),
        waiting=(
            Waits(
                source("orders-1"),
                REMOTE,
                SLOT,
                "gold",
                Waiting.TARGET_NOT_READ,
                "222222222222/eu-central-1 could not be read",
            ),
        ),
    )


def recorded() -> Plan:
    """The thin path from a recording, of a selected part."""
    return replace(
        thin_path(),
        inventory=read(scope(PROD, 1, 9), scope(VAULT, 0, 8), taken_at=NOW - DAY),
        only=("prod/eu-west-1/orders-*",),
        exclude=("*/*/orders-9",),
    )


def long_names() -> Plan:
    """Identifiers as long as AWS allows (63 characters), policies of 40, ids of up to 255."""
    names = [
        f"{'a-rather-long-name-of-a-database-that-someone-chose-' * 2}"[:60] + n for n in "abc"
    ]
    policy = "the-policy-with-the-longest-possible-nam"
    steps: list[Step] = []
    for identifier in names:
        database = source(identifier)
        primary = create(database, policy=policy)
        steps += [primary, *route(database, primary, VAULT, Verdict.FULL)]
        steps += [delete(database, age, policy=policy, depends_on=[primary]) for age in (8, 9)]
    return plan(*steps, next=(NextSlot(policy, SLOT + DAY, 3, 3, 0),))


HOSTILE = "x\x1b[31mred\x1b]0;title\x07 `a` ```\n# H1 <script>alert(1)</script> </details>"
HOSTILE_MORE = "| a | **b** [c](https://evil.example) @octocat #12 \u202egpj.exe\u200b — ü 数据"


def hostile() -> Plan:
    """Texts that try to leave their place: escapes, Markdown, HTML, bidirectional marks."""
    database = source(HOSTILE)
    primary = create(database, policy="gold")
    going = delete(database, 8, depends_on=[primary])
    fulls = replace(
        create(source(HOSTILE_MORE)), forecast=forecast(Verdict.FULL, "first", HOSTILE_MORE)
    )
    return plan(
        primary,
        fulls,
        replace(going, reason=Reason(StepReason.NO_RULE_KEEPS, HOSTILE_MORE)),
        estate="acme --> <script>",
        unprotected=(Unprotected(source(HOSTILE_MORE), "postgres", HOSTILE),),
        holds=(Held(source(HOSTILE_MORE), HOSTILE, HOSTILE, 2),),
        copy_trees=(CopyTree(HOSTILE, PROD, (Hop(HOSTILE, HOSTILE),), 2, 5, 0.02, 0.02),),
        conflicts=(Conflict(HOSTILE, PROD, database, SLOT, HOSTILE_MORE),),
        drift=(
            Drift(
                DriftCode.RETAGGED,
                DriftSeverity.ERROR,
                HOSTILE,
                PROD,
                database,
                SLOT,
                HOSTILE_MORE,
                HOSTILE,
                HOSTILE_MORE,
                HOSTILE,
            ),
        ),
        warnings=(Warned("W1", "warning", HOSTILE, HOSTILE_MORE, "p`\n- q", HOSTILE_MORE),),
        next=(NextSlot(HOSTILE_MORE, SLOT, 1, 1, 1),),
        inventory=read(scope(PROD, 1, 1), unread(REMOTE, HOSTILE)),
    )


def settings_step(
    action: Action, database: SourceRef, location: At, reason: Reason, **parameters: object
) -> Step:
    """A step on automated backups."""
    home = f"arn:aws:rds:{database.region}:{database.account}"
    return replace(
        step(action, database, location, reason, parameters=parameters, suffix="settings"),
        id=f"{_VERBS[action]}:{location.account}/{location.region}/{database.identifier}",
        arn=f"{home}:db:{database.identifier}",
        slot=None,
        snapshot="",
    )


def automated() -> Plan:
    """Settings that change, one held back, replication that moves, backups that outlived."""
    one, two, off = source("orders-1"), source("orders-2"), source("old-shop")
    far = At(PROD.account, "eu-central-1")
    changed = Reason(StepReason.BACKUPS_DIFFER, "retention 7 → 14 days")
    there = Reason(StepReason.REPLICATION_MISSING, "not replicated there yet; kept 7 days there")
    moved = Reason(
        StepReason.REPLICATION_UNWANTED,
        "the policy does not want it there; what is there stays until its retention ends",
    )
    loss = Reason(StepReason.BACKUPS_TURNED_OFF, "turned off, with an outage: all are deleted")
    back = Reason(StepReason.FAIL_BACK, "from eu-west-1b back to eu-west-1a, an outage")
    stopped = settings_step(Action.STOP_REPLICATION, one, At(PROD.account, "eu-west-2"), moved)
    started = settings_step(Action.REPLICATE_BACKUPS, one, far, there, BackupRetentionPeriod=7)
    held = settings_step(Action.MODIFY_BACKUPS, off, PROD, loss, BackupRetentionPeriod=0)
    return plan(
        settings_step(Action.MODIFY_BACKUPS, one, PROD, changed, BackupRetentionPeriod=14),
        settings_step(Action.MODIFY_BACKUPS, two, PROD, changed, BackupRetentionPeriod=14),
        stopped,
        replace(started, depends_on=(stopped.id,)),
        replace(held, withheld_by="backup_loss"),
        settings_step(Action.FAIL_OVER, two, PROD, back, ForceFailover=True),
        guards=(
            GuardState(
                Guard.BACKUP_LOSS,
                off.address,
                tripped=True,
                limit=0,
                value=1,
                text=f"its automated backups are {loss.text}",
                acknowledge="0123456789abcdef",
                withholds=(held.id,),
            ),
        ),
        retained=tuple(
            Retained(
                f"arn:aws:rds:{PROD.region}:{PROD.account}:auto-backup:ab-{gone.identifier}",
                PROD,
                gone,
                14,
                until,
                "the database is deleted",
            )
            for gone, until in ((source("gone-1"), NOW + 5 * DAY), (source("gone-2"), None))
        ),
        idle_chains=(
            resting(two, PROD, "primary", until=NOW + 60 * DAY, spares=1),
            resting(two, VAULT, "copy", until=NOW + 60 * DAY, spares=1),
            resting(one, PROD, "primary", until=NOW - DAY, spares=0, usd_month=None),
        ),
    )


def resting(database: SourceRef, at: At, role: str, **parts: Any) -> IdleChain:
    """A base of the zone that a database failed over from."""
    name = snapshot_id(database, "gold", SLOT - 30 * DAY, at)
    given: dict[str, Any] = {
        "zone": "euw1-az2",
        "snapshots": 2,
        "gib": 200,
        "usd_month": (0.0, 19.0),
        "saves_usd_month": (0.0, 19.0),
    }
    chain = f"{database.resource_id}|euw1-az2|{role}|1f0c9a3e"
    return IdleChain(chain, arn_of(name, at), at, database, role=role, **(given | parts))


SAMPLES = {
    "empty": empty,
    "thin_path": thin_path,
    "small": small,
    "many": many,
    "guarded": guarded,
    "incomplete": incomplete,
    "recorded": recorded,
    "long_names": long_names,
    "hostile": hostile,
    "automated": automated,
}
