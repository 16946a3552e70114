"""What is wrong with documents: stable codes, places, ways out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum, StrEnum

from engine.documents.model import Place
from engine.errors import EngineError

SNIPPET_WIDTH = 160


class Severity(StrEnum):
    """Errors make documents unusable, warnings do not."""

    ERROR = "error"
    WARNING = "warning"


class Code(Enum):
    """Every code that a check of documents can give: its id, its name, what it means.

    Ids are stable: a code that is no longer given is not used for anything else.
    """

    SYNTAX = ("E100", "syntax", "The text is not YAML.")
    UNKNOWN_KEY = ("E101", "unknown-key", "The schema knows no such key in this place.")
    DUPLICATE_KEY = ("E102", "duplicate-key", "A key stands twice in one map.")
    TAB = ("E103", "tab", "A tab stands outside a comment; YAML is indented with spaces.")
    NOT_TEXT = ("E104", "not-text", "The file is not UTF-8, or holds control characters.")
    ANCHORS = ("E105", "anchors", "Anchors and aliases explode, or refer to themselves or nothing.")
    TOO_DEEP = ("E106", "too-deep", "Maps and lists are nested too deeply.")
    TOO_LARGE = ("E107", "too-large", "A file is larger than documents may be.")
    UNREADABLE = ("E108", "unreadable", "A file or folder is missing or cannot be read.")
    NO_DOCUMENTS = ("E109", "no-documents", "A path holds no YAML documents.")
    WRONG_TYPE = (
        "E110",
        "wrong-type",
        "A value is a text, number, list or map where another is due.",
    )
    MISSING_KEY = ("E111", "missing-key", "A key that must be there is not.")
    UNKNOWN_KIND = (
        "E112",
        "unknown-kind",
        "`kind` is not one of estate, accounts, policy, fleet, events and controls.",
    )
    UNKNOWN_VERSION = ("E113", "unknown-version", "`version` is not 1.")
    BAD_VALUE = ("E114", "bad-value", "A value is not one of those that can stand here.")
    OUT_OF_RANGE = ("E115", "out-of-range", "A number or a length is too small or too large.")
    BAD_DURATION = ("E116", "bad-duration", "A length of time cannot be read, or not be used here.")
    BAD_WINDOW = ("E117", "bad-window", "A window is not HH:MM-HH:MM, or is too short.")
    UNKNOWN_TIMEZONE = ("E118", "unknown-timezone", "There is no such time zone.")
    BAD_CRON = ("E119", "bad-cron", "A cron expression cannot be read, or never fires.")
    BAD_GLOB = ("E120", "bad-glob", "A pattern cannot match anything as it is written.")
    UNQUOTED = ("E121", "unquoted", "A text reads as a number or a truth value without quotes.")
    YAML_FEATURE = ("E122", "yaml-feature", "YAML tags and merge keys are not supported.")
    BAD_PERIOD = ("E123", "bad-period", "A period neither divides the day nor is whole days.")
    TOO_MANY = ("E124", "too-many", "A file has more errors than are shown.")
    BAD_TIME = ("E125", "bad-time", "A time is not written with its offset, in whole minutes.")
    NOT_YET_SUPPORTED = ("E190", "not-yet-supported", "A field whose part is not built yet.")

    NO_ESTATE = ("E201", "no-estate", "No document is the estate.")
    TWO_ESTATES = ("E202", "two-estates", "More than one document is the estate.")
    DUPLICATE_POLICY = ("E203", "duplicate-policy", "Two policies have the same name.")
    DUPLICATE_ACCOUNT = ("E204", "duplicate-account", "Two accounts have the same name or id.")
    UNKNOWN_ACCOUNT = ("E205", "unknown-account", "The estate has no account of that name.")
    UNKNOWN_TARGET = ("E206", "unknown-target", "The estate has no target of that name.")
    NO_ACCOUNTS = (
        "E207",
        "no-accounts",
        "The estate has no accounts, so there is nothing to read.",
    )
    NO_REGIONS = ("E208", "no-regions", "An account has no regions, so nothing is read there.")
    TARGET_OUTSIDE = (
        "E209",
        "target-outside",
        "A target's region is none of its account's regions.",
    )
    KEY_ELSEWHERE = (
        "E210",
        "key-elsewhere",
        "A target's key lies in another region than the target.",
    )
    TWO_COPIES = ("E211", "two-copies", "Two copies of a policy go to one location.")
    NO_SELECT = ("E212", "no-select", "Neither the policy nor the defaults say what it takes.")
    NO_KEEP_FOR = ("E213", "no-keep-for", "`orphans.keep_last` stands without `orphans.keep_for`.")
    STILL_ALIVE = ("E214", "still-alive", "`formerly` names a policy that still exists.")
    TWO_HEIRS = ("E215", "two-heirs", "Two policies claim the same old name.")
    NOTHING_TO_REPLICATE = (
        "E216",
        "nothing-to-replicate",
        "Automated backups are turned off and replicated in one policy.",
    )

    TWO_EVENTS = ("E219", "two-events", "Two events of a policy are due at one time.")
    LONG_QUIET = (
        "E220",
        "long-quiet",
        "`quiet` reaches back further than RDS keeps the events that it is measured by.",
    )
    SHARED_WITH_ALL = (
        "E251",
        "shared-with-all",
        "`share_with` names everybody; snapshots are shared with named accounts only.",
    )
    TOO_MANY_SHARES = (
        "E252",
        "too-many-shares",
        "Points would be shared with more accounts than AWS allows.",
    )
    UNKNOWN_ORIGIN = (
        "E253",
        "unknown-origin",
        "`from` of `share_with` is neither `source` nor a target that the policy copies to.",
    )

    DUPLICATE_CONTROL = ("E261", "duplicate-control", "Two controls have the same id.")
    NOT_FOR_CLUSTERS = (
        "E271",
        "not-for-clusters",
        "A policy that protects DB clusters says something that only DB instances have.",
    )
    NEVER_COPIED = (
        "E272",
        "never-copied",
        "A policy copies or shares Multi-AZ DB clusters, of which AWS does neither.",
    )

    SELECTS_NOTHING = (
        "W221",
        "selects-nothing",
        "A condition fits no account or region of the estate.",
    )
    SCHEDULE_MISSES_RPO = (
        "W222",
        "schedule-misses-rpo",
        "Points are made less often than the RPO asks.",
    )
    KEEP_MISSES_RPO = ("W223", "keep-misses-rpo", "Points go before they are as old as the RPO.")
    WASTED_COPIES = (
        "W224",
        "wasted-copies",
        "A target drops most of what it is sent at the next copy.",
    )
    DROPPED_RULE = ("W225", "dropped-rule", "A `keep` leaves out a rule of the default `keep`.")
    WINDOW_ANCHORS = (
        "W226",
        "window-anchors",
        "With `every` below a day the window only sets the start.",
    )
    SHORT_WINDOW = (
        "W227",
        "short-window",
        "A window is so short that a scheduled run can miss it.",
    )
    OUTSIDE_WINDOW = ("W228", "outside-window", "A cron expression fires outside the window.")
    UNUSED_TARGET = ("W229", "unused-target", "No policy copies to a target.")
    RETIRES_ALL = ("W230", "retires-all", "An entry of `retire` fits every unmanaged point.")
    FOREIGN_KEY = (
        "W231",
        "foreign-key",
        "A target's key belongs to another account than the target.",
    )
    KEEPS_ALL = ("W232", "keeps-all", "A policy makes points and keeps all of them for ever.")
    NO_TARGET_FOR_REGION = (
        "W233",
        "no-target-for-region",
        "A target by source region leaves out a region where the policy takes databases.",
    )
    NEEDLESS_EVERY = (
        "W234",
        "needless-every",
        "A copy's `every` is no longer than the schedule's.",
    )
    DEFAULT_KEY = (
        "W235",
        "default-key",
        "A target uses an AWS-managed key, which cannot be shared.",
    )
    UNKNOWN_REGION = ("W236", "unknown-region", "The region is none of those known to the engine.")
    REKEY_ELSEWHERE = (
        "W237",
        "rekey-elsewhere",
        "`rekey` lies outside some of the account's regions.",
    )
    BACKUP_WINDOW_MEETS_SNAPSHOTS = (
        "W238",
        "backup-window-meets-snapshots",
        "The window of automated backups overlaps the policy's snapshot window.",
    )
    REPLICATION_LEAVES_ACCOUNT = (
        "W239",
        "replication-leaves-account",
        "The target of `replicate_to` lies in no account that the policy takes databases of.",
    )

    def __init__(self, id_: str, label: str, meaning: str) -> None:
        self.id = id_
        self.label = label
        self.meaning = meaning

    def __str__(self) -> str:
        return f"{self.id} {self.label}"

    @property
    def severity(self) -> Severity:
        """How bad it is; the first letter of the id says the same."""
        return Severity.ERROR if self.id.startswith("E") else Severity.WARNING


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One thing that is wrong, where, and what to do about it.

    `line` is the offending line, without the end; `width` is how many of its characters from the
    place on are meant. `fix` is missing where there is none near.
    """

    code: Code
    summary: str
    place: Place | None = None
    detail: str | None = None
    fix: str | None = None
    width: int = 1
    line: str | None = None

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return self.code.severity

    @property
    def order(self) -> tuple[str, int, int, str, str]:
        """By what diagnostics are sorted: file, line, column, code, text."""
        if self.place is None:
            return ("", 0, 0, self.code.id, self.summary)
        return (self.place.file, self.place.line, self.place.column, self.code.id, self.summary)


def in_order(
    diagnostics: Iterable[Diagnostic], texts: Mapping[str, list[str]]
) -> tuple[Diagnostic, ...]:
    """Return diagnostics by place, each once, with the lines they are about.

    What holds of a default holds of each policy that has it, so one code is told once per place.
    """
    seen: set[object] = set()
    result = []
    for diagnostic in sorted(diagnostics, key=lambda diagnostic: diagnostic.order):
        key = (diagnostic.code, diagnostic.place or diagnostic.summary)
        if key not in seen:
            seen.add(key)
            result.append(_with_line(diagnostic, texts))
    return tuple(result)


def _with_line(diagnostic: Diagnostic, texts: Mapping[str, list[str]]) -> Diagnostic:
    place = diagnostic.place
    lines = texts.get(place.file, []) if place else []
    if place is None or not 0 < place.line <= len(lines):
        return diagnostic
    return replace(diagnostic, line=lines[place.line - 1])


def as_text(diagnostic: Diagnostic) -> str:
    """Return a diagnostic as people read it, with the line and a caret under the place."""
    place = diagnostic.place
    head = f"{diagnostic.severity} {diagnostic.code}: {diagnostic.summary}"
    lines = [f"{place}: {head}" if place else head]
    if place and diagnostic.line is not None:
        lines += _snippet(diagnostic.line, place, diagnostic.width)
    if diagnostic.detail:
        lines.append(f"  because: {diagnostic.detail}")
    if diagnostic.fix:
        lines.append(f"  to do: {diagnostic.fix}")
    return "\n".join(lines)


def _snippet(line: str, place: Place, width: int) -> list[str]:
    """Return the line and its caret; of a long line only what is near the place."""
    start = max(0, place.column - 1 - SNIPPET_WIDTH // 2) if len(line) > SNIPPET_WIDTH else 0
    shown = line[start : start + SNIPPET_WIDTH]
    printable = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in shown)
    before = place.column - 1 - start
    caret = "^" * max(1, min(width, len(shown) - before))
    number = str(place.line)
    return [f"  {number} | {printable}", f"  {' ' * len(number)} | {' ' * before}{caret}"]


class DocumentsError(EngineError):
    """Documents that cannot be used, with every diagnostic."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        errors = sum(d.severity is Severity.ERROR for d in diagnostics)
        super().__init__(
            f"the documents have {errors} error{'s' if errors != 1 else ''}",
            fix="mend them; `engine validate` checks them again",
        )
        self.diagnostics = diagnostics

    def __str__(self) -> str:
        told = [as_text(d) for d in self.diagnostics if d.severity is Severity.ERROR]
        return "\n\n".join([EngineError.__str__(self), *told])
