"""Bad documents: the name of each, its text, and what is told of it, by line, column and code."""

from __future__ import annotations

from dataclasses import dataclass

from tests.documents.writing import ESTATE, POLICY, documents, policy

LINES_BEFORE = documents(ESTATE, POLICY).count("\n")


@dataclass(frozen=True)
class Bad:
    """A bad text and its diagnostics."""

    name: str
    text: str | bytes
    told: tuple[str, ...]


def in_policy(name: str, more: str, *told: str) -> Bad:
    """A good estate and a policy that goes on with `more`; lines count from its first."""
    text = documents(ESTATE, POLICY) + more
    return Bad(name, text, tuple(shifted(each) for each in told))


def in_estate(name: str, more: str, *told: str) -> Bad:
    """An estate that goes on with `more`, and a good policy; lines count from the first of it."""
    lines = ESTATE.count("\n")
    return Bad(name, documents(ESTATE + more, policy()), tuple(shifted(t, lines) for t in told))


def state(name: str, change: tuple[str, str], *told: str) -> Bad:
    """An estate with a bucket in which something was replaced, and a good policy."""
    good = "state: {s3: {account: vault, bucket: acme-engine, region: eu-west-1}}\n"
    assert change[0] in good
    return in_estate(name, good.replace(*change), *told)


def estate_with(name: str, change: tuple[str, str], *told: str) -> Bad:
    """An estate in which something was replaced, and a good policy."""
    assert change[0] in ESTATE
    return Bad(name, documents(ESTATE.replace(*change), policy()), told)


def policy_with(name: str, change: tuple[str, str], *told: str) -> Bad:
    """A good estate and a policy in which something was replaced; lines count from its first."""
    assert change[0] in policy()
    text = documents(ESTATE, policy().replace(*change))
    return Bad(name, text, tuple(shifted(each, ESTATE.count("\n") + 1) for each in told))


def shifted(told: str, lines: int = LINES_BEFORE) -> str:
    line, _, rest = told.partition(":")
    return f"{int(line) + lines}:{rest}"


def snapshots(name: str, snapshots: str, *told: str) -> Bad:
    return in_policy(name, f"snapshots: {snapshots}\n", *told)


TEXTS = (
    Bad("empty", "", ("1:1 E109",)),
    Bad("only-a-comment", "# nothing\n", ("1:1 E109",)),
    Bad("only-markers", "---\n---\n", ("1:1 E109",)),
    Bad("not-utf-8", b"version: 1\nname: caf\xe9\n", ("2:10 E104",)),
    Bad("utf-16", "version: 1\n".encode("utf-16"), ("1:1 E104",)),
    Bad("binary", bytes(range(256)), ("2:118 E104",)),
    Bad("control-character", "version: 1\na: \x07\n", ("2:4 E104",)),
    Bad("foreign-line-break", "version: 1\na: \u2028b\n", ("2:4 E104",)),
    Bad("unclosed-list", "a: [1\nb: 2\n", ("2:2 E100",)),
    Bad("unclosed-quotes", "a: 'x\n---\nb: 1\n", ("2:1 E100", "3:1 E111")),
    Bad("two-colons", "hold: a: b\n", ("1:8 E100",)),
    Bad("bad-indentation", "a:\n  b: 1\n c: 2\n", ("3:2 E100",)),
    Bad("tab-indentation", "a:\n\tb: 1\n", ("2:1 E103",)),
    Bad("tab-after-a-key", "a:\t1\nb: 2 # fine\there\n#\tfine\n", ("1:3 E103",)),
    Bad(
        "alias-bomb",
        "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
        + "".join(
            f"{new}: &{new} [{','.join([f'*{old}'] * 10)}]\n"
            for old, new in zip("abcdefgh", "bcdefghi", strict=True)
        ),
        ("5:8 E105",),
    ),
    Bad("alias-of-itself", "a: &a [*a]\n", ("1:8 E105",)),
    Bad("alias-of-nothing", "a: *b\n", ("1:4 E105",)),
    Bad(
        "alias-too-deep", "a: &a " + "[" * 30 + "]" * 30 + "\nb: " + "[" * 20 + "*a", ("2:24 E106",)
    ),
    Bad("alias-as-a-key", "a: &a x\n*a : 1\n", ("2:1 E100",)),
    Bad("deep-flow", "a: " + "[" * 500, ("1:43 E106",)),
    Bad("deep-blocks", "".join(" " * n + "a:\n" for n in range(100)), ("41:41 E106",)),
    Bad("map-as-a-key", "? {a: 1}\n: b\n", ("1:3 E100",)),
    Bad("list-document", "- a\n", ("1:1 E110",)),
    Bad("text-document", "hello\n", ("1:1 E110",)),
    Bad(
        "errors-without-end",
        "a: 1\n" * 500,
        tuple([f"{line}:1 E102" for line in range(2, 102)] + ["102:1 E124"]),
    ),
    Bad(
        "tabs-without-end",
        "a:\t1\n" * 500,
        tuple([f"{line}:3 E103" for line in range(1, 101)] + ["101:3 E124"]),
    ),
    Bad(
        "kinds-without-end",
        "kind: a\n---\n" * 500,
        tuple([f"{line}:7 E112" for line in range(1, 201, 2)] + ["201:7 E124"]),
    ),
)

KINDS = (
    Bad("no-kind", "version: 1\n", ("1:1 E111",)),
    Bad("no-version", "kind: accounts\naccounts: {}\n", ("1:1 E111", "1:1 E201")),
    Bad("unknown-kind", "version: 1\nkind: polcy\n", ("2:7 E112",)),
    Bad("strange-kind", "version: 1\nkind: [policy]\n", ("2:7 E112",)),
    Bad("unknown-version", "version: 2\nkind: policy\n", ("1:10 E113",)),
    Bad("version-as-a-text", 'version: "1"\nkind: policy\n', ("1:10 E113",)),
    Bad("version-as-true", "version: true\nkind: policy\n", ("1:10 E113",)),
    Bad("version-as-a-list", "version: [1]\nkind: policy\n", ("1:10 E113",)),
    Bad("version-of-nothing", "version:\nkind: policy\nname: a\n", ("1:9 E113",)),
)

SHAPES = (
    in_policy("unknown-key", "snapshots: {retenton: {}}\n", "1:13 E101"),
    in_policy("key-of-elsewhere", "keep: {daily: 7}\n", "1:1 E101"),
    in_policy("key-like-nothing", "zzz: 1\n", "1:1 E101"),
    in_policy("duplicate-key", "name: silver\n", "1:1 E102"),
    in_policy("merge-key", "<<: {hold: x}\n", "1:1 E122"),
    in_policy("yaml-tag", "hold: !!binary aGVsbG8=\n", "1:7 E122"),
    in_policy("yaml-tag-of-a-map", "objectives: !thing {rpo: 26h}\n", "1:13 E122"),
    in_policy("text-for-a-map", "snapshots: often\n", "1:12 E110"),
    in_policy("list-for-a-map", "objectives: [rpo]\n", "1:13 E110"),
    in_policy("map-for-a-list", "overrides: {select: {}}\n", "1:12 E110"),
    in_policy("nothing-for-a-list", "overrides:\n", "1:11 E110"),
    in_policy("number-for-a-text", "hold: 17\n", "1:7 E121"),
    in_policy("truth-for-a-text", "hold: true\n", "1:7 E121"),
    in_policy("text-for-a-number", 'orphans: {keep_for: 30d, keep_last: "1"}\n', "1:37 E110"),
    in_policy("word-for-a-number", "orphans: {keep_for: 30d, keep_last: one}\n", "1:37 E110"),
    in_policy("empty-text", 'hold: ""\n', "1:7 E114"),
    in_policy("long-text", f"hold: {'x' * 201}\n", "1:7 E115"),
    in_policy("override-without-select", "overrides: [{hold: x}]\n", "1:13 E111"),
    in_policy("override-of-the-rest", "overrides: [{select: {rest: true}}]\n", "1:23 E101"),
    in_policy("override-of-everything", "overrides: [{select: {}}]\n", "1:22 E111"),
    in_policy("name-twice-in-a-list", "formerly: [old, old]\n", "1:17 E114"),
    in_policy(
        "disturbances",
        "objectives: {survive: [two_failovers, {missed_runs: 2h, account_outage: 6h}, {}]}\n",
        "1:24 E114",
        "1:39 E114",
        "1:78 E111",
    ),
    in_policy(
        "event-fields",
        "events:\n"
        "  - {at: 2026-12-01T20:00, reason: x, keep_for: 30d}\n"
        "  - {at: 2026-12-01T20:00:30Z, reason: x, keep_for: 30d}\n"
        "  - {at: tonight, reason: a (b), keep_for: 2mo}\n"
        "  - {at: 2026-12-01T20:00Z, keep_for: 0s, why: x}\n"
        '  - {at: 9999-12-31T23:59-10:00, reason: "", keep_for: 30d}\n',
        "2:10 E125",
        "3:10 E125",
        "4:10 E125",
        "4:29 E114",
        "4:44 E116",
        "5:5 E111",
        "5:39 E115",
        "5:43 E101",
        "6:10 E125",
        "6:42 E114",
    ),
    in_policy(
        "two-events-at-one-time",
        "events:\n"
        "  - {at: 2026-12-01T20:00Z, reason: x, keep_for: 30d}\n"
        "  - {at: 2026-12-01T21:00+01:00, reason: y, keep_for: 30d}\n"
        "snapshots: {copies: [{target: local}]}\n",
        "2:3 E219",
    ),
    in_policy(
        "shares-in-a-part",
        "snapshots: {share_with: {accounts: [vault]},\n"
        "  copies: [{target: local, share_with: {accounts: [vault]}}]}\n",
        "1:13 E101",
        "2:28 E101",
    ),
    in_policy(
        "long-quiet", "failover: {fail_back: in_window, quiet: 15d}\n", "-5:3 W229", "1:41 E220"
    ),
    in_policy("source-of-another-name", "snapshots: {source: standby}\n", "1:21 E114"),
    in_policy("change-without-a-percent-sign", "snapshots: {changed_per_day: 5}\n", "1:30 E110"),
    in_policy("change-of-a-word", "snapshots: {changed_per_day: some}\n", "1:30 E114"),
    in_policy("change-the-wrong-way", "snapshots: {changed_per_day: 5-1%}\n", "1:30 E115"),
    in_policy("change-of-more-than-all", "snapshots: {changed_per_day: 101%}\n", "1:30 E115"),
    in_policy("points-from-nowhere", "snapshots: {from: automatic}\n", "1:19 E114"),
    in_policy("source-without-a-replica", "snapshots: {source: {max_lag: 5m}}\n", "1:21 E111"),
    in_policy(
        "source-of-nonsense",
        'snapshots: {source: {replica: "a-[b", max_lag: 5, fallback: wait,\n'
        "  availability_zone: EU WEST}}\n",
        "1:34 E120",
        "1:48 E116",
        "1:61 E114",
        "2:22 E114",
    ),
)

VALUES = (
    in_policy("unknown-timezone", "timezone: Europe/Berln\n", "1:11 E118"),
    in_policy("city-as-a-timezone", "timezone: berlin\n", "1:11 E118"),
    in_policy("folder-as-a-timezone", "timezone: Europe\n", "1:11 E118"),
    in_policy("path-as-a-timezone", "timezone: ../../etc/passwd\n", "1:11 E118"),
    in_policy("space-in-a-length", "orphans: {keep_for: 30 d}\n", "1:23 E116"),
    in_policy("minutes-in-retention", "orphans: {keep_for: 6m}\n", "1:22 E116"),
    in_policy("length-without-a-unit", "orphans: {keep_for: 30}\n", "1:21 E116"),
    in_policy("quoted-length-without-a-unit", 'orphans: {keep_for: "30"}\n', "1:24 E116"),
    in_policy("no-length", "orphans: {keep_for: soon}\n", "1:21 E116"),
    in_policy("months-of-no-fixed-length", "objectives: {rpo: 1mo}\n", "1:19 E116"),
    in_policy("length-of-zero", "objectives: {rpo: 0h}\n", "1:19 E115"),
    in_policy("length-of-ages", "objectives: {rpo: 99999999w}\n", "1:19 E115"),
    in_policy("minutes-for-idle-chains", "chains: {idle_after: 90m}\n", "1:24 E116"),
    in_policy("many-days", "automated_backups: {retention_days: 36}\n", "1:37 E115"),
    in_policy("short-backups", 'automated_backups: {window: "01:00-01:20"}\n', "1:29 E117"),
    in_policy("word-for-backups", "automated_backups: {replicate_to: nowhere}\n", "1:35 E114"),
    in_policy("no-target", "automated_backups: {replicate_to: {}}\n", "1:35 E111"),
    in_policy(
        "target-of-no-estate",
        "automated_backups: {replicate_to: {target: remot}}\n",
        "-5:3 W229",
        "1:44 E206",
    ),
    snapshots("every-that-drifts", "{schedule: {every: 5h}}", "1:31 E123"),
    snapshots("every-of-odd-minutes", "{schedule: {every: 7m}}", "1:31 E123"),
    snapshots("every-of-seconds", "{schedule: {every: 30s}}", "1:31 E123"),
    snapshots("every-of-days-and-a-half", "{schedule: {every: 36h}}", "1:31 E123"),
    snapshots("every-of-a-month", "{schedule: {every: 1mo}}", "1:31 E116"),
    snapshots("every-and-cron", '{schedule: {every: 1d, cron: "0 2 * * *"}}', "1:23 E114"),
    snapshots("neither-every-nor-cron", '{schedule: {window: "02:00-05:00"}}', "1:23 E111"),
    snapshots("cron-hour", '{schedule: {cron: "0 25 * * *"}}', "1:30 E119"),
    snapshots("cron-with-seconds", '{schedule: {cron: "0 0 2 * * *"}}', "1:30 E119"),
    snapshots("cron-on-31-february", '{schedule: {cron: "0 2 31 2 *"}}', "1:30 E119"),
    snapshots("cron-never", '{schedule: {cron: "0 0 */31 * 1#3"}}', "1:30 E119"),
    snapshots(
        "window-of-zero-length", '{schedule: {every: 1d, window: "02:00-02:00"}}', "1:43 E117"
    ),
    snapshots("window-over-24", '{schedule: {every: 1d, window: "23:00-25:00"}}', "1:43 E117"),
    snapshots("window-to-midnight", '{schedule: {every: 1d, window: "23:00-24:00"}}', "1:43 E117"),
    snapshots("window-of-short-hours", "{schedule: {every: 1d, window: 2:00-5:00}}", "1:43 E117"),
    snapshots("window-without-an-end", '{schedule: {every: 1d, window: "02:00"}}', "1:43 E117"),
    snapshots("unknown-catch-up", "{schedule: {every: 1d, catch_up: later}}", "1:45 E114"),
    snapshots("unknown-incremental", "{incremental: requires}", "1:26 E114"),
    snapshots("truth-as-incremental", "{incremental: true}", "1:26 E110"),
    snapshots("unknown-source", "{source: standby}", "1:21 E114"),
    snapshots("source-of-nothing", "{source: {}}", "1:21 E111"),
    snapshots("negative-count", "{retention: {keep: {daily: -1}}}", "1:39 E115"),
    snapshots("huge-count", f"{{retention: {{keep: {{daily: {'9' * 30}}}}}}}", "1:39 E115"),
    snapshots("count-of-a-half", "{retention: {keep: {daily: 1.5}}}", "1:39 E110"),
    snapshots("count-as-a-word", "{retention: {keep: {daily: many}}}", "1:39 E114"),
    snapshots("minutes-in-within", "{retention: {keep: {within: 90m}}}", "1:42 E116"),
    snapshots("null-in-keep", "{retention: {keep: {daily: null}}}", "1:39 E110"),
    snapshots("reserved-tag", '{tags: {"aws:x": a}}', "1:20 E114"),
    snapshots("tag-as-a-number", "{tags: {cost: 42}}", "1:26 E121"),
    snapshots("tag-with-a-line-break", '{tags: {a: "x\\ny"}}', "1:23 E114"),
    snapshots("copy-without-a-target", "{copies: [{every: 1d}]}", "1:22 E111"),
    snapshots(
        "copy-retention-without-keep", "{copies: [{target: local, retention: {}}]}", "1:49 E111"
    ),
    snapshots("negative-backfill", "{copies: [{target: local, backfill: -1}]}", "1:48 E115"),
    in_estate("state-of-nothing", "state: {}\n", "1:8 E111"),
    in_estate("state-on-a-disk", "state: {disk: /mnt}\n", "1:8 E111", "1:9 E101"),
    in_estate("bucket-of-nobody", "state: {s3: {}}\n", "1:13 E111"),
    state("bucket-of-an-unknown-account", ("vault", "valut"), "1:23 E205"),
    state("bucket-in-no-region", ("eu-west-1", "ireland"), "1:59 E114"),
    state("bucket-in-capitals", ("acme-engine", "Acme-Engine"), "1:38 E114"),
    state("bucket-with-two-dots", ("acme-engine", "acme..engine"), "1:38 E114"),
    state("bucket-like-an-address", ("acme-engine", "10.0.0.1"), "1:38 E114"),
    state("bucket-of-two-letters", ("acme-engine", "ac"), "1:38 E114"),
    state("bucket-of-another-kind", ("acme-engine", "acme-s3alias"), "1:38 E114"),
    state("prefix-that-begins-with-a-slash", ("eu-west-1", "eu-west-1, prefix: /a"), "1:78 E114"),
    in_estate("percent-over-100", "guards: {max_deletes: {percent: 120}}\n", "1:33 E115"),
    in_estate("negative-min-points", "guards: {min_points: -1}\n", "1:22 E115"),
    in_estate(
        "prices-of-nonsense",
        "prices:\n"
        "  snapshots: {ireland: 0.1, eu-west-1: cheap, eu-west-2: 0.2-0.1, eu-west-3: -1}\n"
        "  transfer: {eu-west-1 to nowhere: 0.1, eu-west-2 to eu-west-1: 2000.5, eu-west-3: true}\n"
        "  exports: {eu-west-1: 0.1}\n",
        "2:15 E114",
        "2:40 E114",
        "2:58 E115",
        "2:78 E115",
        "3:14 E114",
        "3:65 E115",
        "3:84 E110",
        "4:3 E101",
    ),
    in_estate("digest-of-words", "guards: {acknowledged: [all]}\n", "1:25 E114"),
    in_estate("retire-without-a-condition", "retire: [{reason: x}]\n", "1:10 E111"),
    in_estate("retire-without-a-region", "retire: [{sources: prod}]\n", "1:20 E114"),
)

ESTATES = (
    estate_with(
        "account-id-as-a-number",
        ('"111111111111"', "111111111111"),
        "6:14 E121",
    ),
    estate_with("account-id-of-eleven-digits", ("111111111111", "11111111111"), "6:14 E114"),
    estate_with("account-without-an-id", ('id: "111111111111"', ""), "6:9 E111"),
    estate_with("account-name-with-a-slash", ("prod:", "a/b:"), "6:3 E114"),
    estate_with("account-name-too-long", ("prod:", "a" * 65 + ":"), "6:3 E115"),
    estate_with("region-of-nowhere", ("regions: [eu-west-1]}", "regions: [west]}"), "4:30 E114"),
    estate_with("role-with-a-space", ("{regions:", "{role: a b, regions:"), "4:26 E114"),
    estate_with(
        "rekey-managed-by-aws", ("{regions:", "{rekey: alias/aws/rds, regions:"), "4:27 E114"
    ),
    estate_with("key-id-without-arn", ("alias/backups", "1234abcd"), "9:51 E114"),
    estate_with("target-without-a-key", (", key: alias/backups", ""), "9:10 E111"),
    estate_with(
        "target-of-both-kinds",
        ("key:", "by_source_region: {eu-west-1: local}, key:"),
        "9:10 E111",
        "9:76 E206",
    ),
    Bad("no-estate", policy(), ("1:1 E201",)),
    Bad("two-estates", documents(ESTATE, ESTATE, policy()), ("11:1 E202",)),
    Bad("no-accounts", "version: 1\nkind: estate\nname: acme\n", ("1:1 E207",)),
    Bad(
        "accounts-of-nothing",
        "version: 1\nkind: estate\nname: acme\naccounts:\n",
        ("4:10 E110",),
    ),
    Bad(
        "account-twice",
        documents(
            ESTATE,
            'version: 1\nkind: accounts\naccounts:\n  prod: {id: "333333333333"}\n',
            policy(),
        ),
        ("14:3 E204",),
    ),
    estate_with("account-id-twice", ("222222222222", "111111111111"), "7:15 E204"),
    estate_with(
        "account-without-regions",
        ("account_defaults: {regions: [eu-west-1]}", "account_defaults: {}"),
        "6:3 E208",
    ),
    estate_with("target-in-an-unknown-account", ("account: vault", "account: valut"), "9:20 E205"),
    estate_with(
        "target-outside-of-its-account", ("region: eu-west-1", "region: eu-west-3"), "9:35 E209"
    ),
    estate_with(
        "key-in-another-region",
        ("alias/backups", "arn:aws:kms:eu-central-1:222222222222:key/1"),
        "9:51 E210",
    ),
    in_estate(
        "regional-target-of-nothing",
        "  near: {by_source_region: {eu-west-1: locla, eu-central-1: near}}\n",
        "1:3 W229",
        "1:40 E206",
        "1:61 E206",
    ),
    in_estate(
        "regional-target-of-no-region",
        "  near: {by_source_region: {west: local}}\n",
        "1:29 E114",
    ),
)

ANYTHING = 'identifiers: ["*"]'

RELATIONS = (
    in_policy(
        "unknown-target",
        "snapshots: {copies: [{target: loacl}]}\n",
        "-5:3 W229",
        "1:31 E206",
    ),
    in_policy(
        "unknown-target-of-an-override",
        'overrides: [{select: {identifiers: ["a"]}, snapshots: {copies: [{target: lokal}]}}]\n',
        "-5:3 W229",
        "1:74 E206",
    ),
    in_policy(
        "unknown-account-in-an-override",
        "overrides: [{select: {accounts: [prd]}, hold: x}]\n",
        "-5:3 W229",
        "1:34 E205",
    ),
    policy_with("unknown-account", (ANYTHING, "accounts: [prdo]"), "4:21 E205"),
    policy_with(
        "excluded-account-is-unknown",
        (ANYTHING, f"{ANYTHING}, exclude: [{{accounts: [lab]}}]"),
        "4:52 E205",
    ),
    policy_with("no-select", (f"select: {{{ANYTHING}}}\n", ""), "1:1 E212"),
    policy_with("select-of-nothing", (ANYTHING, ""), "4:9 E111"),
    policy_with("select-of-an-empty-list", ('["*"]', "[]"), "4:23 E114"),
    policy_with("select-of-no-rest", (ANYTHING, "rest: false"), "4:9 E111"),
    policy_with("select-by-a-text", ('["*"]', '"*"'), "4:23 E110"),
    policy_with("select-by-an-open-bracket", ("*", "a-[b"), "4:27 E120"),
    policy_with("select-by-a-space", ('"*"', '" a"'), "4:24 E120"),
    policy_with("select-by-no-tags", (ANYTHING, "tags: {}"), "4:16 E114"),
    policy_with("select-by-a-tag-of-no-name", (ANYTHING, 'tags: {"": a}'), "4:17 E114"),
    policy_with("replicas-yes", ('["*"]', '["*"], replicas: yes'), "4:40 E110"),
    policy_with("replicas-perhaps", ('["*"]', '["*"], replicas: perhaps'), "4:40 E110"),
    policy_with("policy-name-in-capitals", ("gold", "Gold"), "3:7 E114"),
    policy_with("policy-name-too-long", ("gold", "g" * 41), "3:7 E115"),
    policy_with("policy-without-a-name", ("name: gold\n", ""), "1:1 E111"),
    Bad("two-policies-of-a-name", documents(ESTATE, policy(), policy()), ("22:7 E203",)),
    in_policy("formerly-itself", "formerly: [gold]\n", "-5:3 W229", "1:12 E214"),
    Bad(
        "formerly-a-live-policy",
        documents(ESTATE, policy(name="silver"), policy("formerly: [silver]\n")),
        ("24:12 E214",),
    ),
    Bad(
        "two-heirs",
        documents(ESTATE, policy("formerly: [old]\n"), policy("formerly: [old]\n", "silver")),
        ("9:3 W229", "21:12 E215"),
    ),
    in_policy("orphans-without-keep-for", "orphans: {keep_last: 1}\n", "-5:3 W229", "1:22 E213"),
    policy_with(
        "two-copies-to-a-target",
        ("{target: local}", "{target: local}, {target: local}"),
        "8:38 E211",
    ),
    in_policy("shared-with-all", "share_with: {accounts: [all]}\n", "-5:3 W229", "1:25 E251"),
    in_policy(
        "shared-with-a-stranger",
        "share_with: [{accounts: [vualt]}, {accounts: ['12345678901']}]\n",
        "-5:3 W229",
        "1:26 E205",
        "1:47 E205",
    ),
    in_policy(
        "shared-with-a-number",
        "share_with: {accounts: [123456789012]}\n",
        "1:25 E121",
    ),
    in_policy("shared-with-nobody", "share_with: {newest: 2}\n", "1:13 E111"),
    in_policy(
        "shared-from-nowhere",
        "share_with: {accounts: [vault], from: remote}\n",
        "-5:3 W229",
        "1:39 E253",
    ),
    in_policy(
        "shared-with-too-many",
        f"share_with: {{accounts: {[f'{n:012}' for n in range(21)]}}}\n",
        "-5:3 W229",
        "1:24 E252",
    ),
    in_policy(
        "shared-and-copied-to-too-many",
        "snapshots: {copies: [{target: local}]}\n"
        f"share_with: [{{accounts: {[f'{n:012}' for n in range(20)]}}}]\n",
        "2:13 E252",
    ),
    Bad(
        "bad-estate-and-bad-policy",
        documents(ESTATE.replace("name: acme", "name: Acme"), policy("hold: 1\n")),
        ("3:7 E114", "15:7 E121"),
    ),
    Bad(
        "a-syntax-error-hides-no-later-document",
        documents(ESTATE, "a: [\n", policy("hold: 1\n")),
        ("12:1 E100", "17:7 E121"),
    ),
)

ALL = (*TEXTS, *KINDS, *SHAPES, *VALUES, *ESTATES, *RELATIONS)
