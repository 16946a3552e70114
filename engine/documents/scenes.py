"""Nodes of `kind: fleet` and `kind: events` -> what `engine simulate` plays."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from engine.documents.diagnostics import Code, Diagnostic
from engine.documents.model import Window
from engine.documents.nodes import Leaf, Listing, Table, plain, texts_at
from engine.documents.scene import Allowed, Event, Fleet, Happening, MadeUp, Scene
from engine.documents.sources import Sources
from engine.documents.suggestions import did_you_mean
from engine.retention.spans import Minutes, parse_span

LONGEST_IDENTIFIER = 63
_NUMBER = "{n}"
_ACCOUNT_ID = re.compile(r"[0-9]{12}")
_WILDCARDS = frozenset("*?[")


def scene_of(fleets: Iterable[Table], events: Iterable[Table]) -> Scene:
    """Return the scene of documents that fit their shapes."""
    told = [event for table in events for event in _events(table)]
    told.sort(key=lambda event: event.at)
    return Scene(tuple(_fleet(table) for table in fleets), tuple(told))


# -- made-up databases ---------------------------------------------------------------------------


def _fleet(table: Table) -> Fleet:
    data = plain(table)
    databases = table.get("databases")
    items = databases.items if isinstance(databases, Listing) else []
    return Fleet(
        databases=tuple(_made_up(item) for item in items if isinstance(item, Table)),
        quotas=tuple(Allowed(**one) for one in data.get("quotas", ())),
    )


def _made_up(table: Table) -> MadeUp:
    data = plain(table)
    backups = data.get("automated_backups", {})
    standard = MadeUp(data["account"], data["region"], data["identifier"])
    return MadeUp(
        account=data["account"],
        region=data["region"],
        identifier=data["identifier"],
        count=data.get("count", standard.count),
        engine=data.get("engine", standard.engine),
        zones=tuple(data.get("zones", ())),
        key=data.get("key"),
        gib=data.get("gib", standard.gib),
        change_percent=data.get("change", standard.change_percent),
        tags=data.get("tags", {}),
        backup_days=backups.get("retention_days", 0),
        backup_window=_window(backups["window"]) if "window" in backups else None,
        place=table.place,
    )


def _window(text: str) -> Window:
    start, end = (int(clock[:2]) * 60 + int(clock[3:]) for clock in text.split("-"))
    return Window(start, end)


# -- events --------------------------------------------------------------------------------------


def _events(table: Table) -> Iterator[Event]:
    listing = table.get("events")
    for item in listing.items if isinstance(listing, Listing) else []:
        if isinstance(item, Table):
            yield _event(item)


def _event(table: Table) -> Event:
    data = plain(table)
    what = next(one for one in Happening if one.value in data)
    said = data[what.value]
    details: dict[str, Any] = {"source": said} if isinstance(said, str) else _details(said)
    at = datetime.fromisoformat(data["at"]).astimezone(UTC)
    return Event(at=at, what=what, place=table.place, **details)


_NAMES = {"for": "lasts", "to": "key"}


def _details(said: dict[str, Any]) -> dict[str, Any]:
    details = {_NAMES.get(name, name): value for name, value in said.items()}
    if "lasts" in details:
        details["lasts"] = _elapsed(details["lasts"])
    return details


def _elapsed(text: str) -> timedelta:
    return parse_span(text, Minutes.ALLOWED).as_timedelta()


# -- whether names lead anywhere -----------------------------------------------------------------


def check_scene(
    fleets: Sequence[Table], events: Sequence[Table], sources: Sources
) -> Iterator[Diagnostic]:
    """Yield what is wrong with fleets and events beyond their shapes."""
    for table in fleets:
        yield from _identifiers(table)
    if sources.estate is None or not sources.is_whole:
        return
    ids = {leaf.text for e in sources.accounts.values() for leaf in texts_at(e.node, "id")}
    accounts = {*sources.accounts, *ids}
    for table in fleets:
        for path in (("databases", "*", "account"), ("quotas", "*", "account")):
            for leaf in texts_at(table, *path):
                yield from _unknown(Code.UNKNOWN_ACCOUNT, "account", leaf, leaf.text, accounts)
    for table in events:
        yield from _of_events(table, accounts, sources.targets().keys())


def _of_events(
    table: Table, accounts: Collection[str], targets: Collection[str]
) -> Iterator[Diagnostic]:
    for leaf in texts_at(table, "events", "*", "outage", "account"):
        yield from _unknown(Code.UNKNOWN_ACCOUNT, "account", leaf, leaf.text, accounts)
    for leaf in texts_at(table, "events", "*", "rotate_key", "target"):
        yield from _unknown(Code.UNKNOWN_TARGET, "target", leaf, leaf.text, targets)
    for name in ("fail_over", "delete", "restore"):
        for leaf in texts_at(table, "events", "*", name):
            yield from _address(leaf, accounts)
    for name in ("grow", "change_rate"):
        for leaf in texts_at(table, "events", "*", name, "source"):
            yield from _address(leaf, accounts)


def _address(leaf: Leaf, accounts: Collection[str]) -> Iterator[Diagnostic]:
    account = leaf.text.partition("/")[0]
    if not _WILDCARDS & set(account):
        yield from _unknown(Code.UNKNOWN_ACCOUNT, "account", leaf, account, accounts)


def _unknown(
    code: Code, what: str, leaf: Leaf, name: str, known: Collection[str]
) -> Iterator[Diagnostic]:
    if name in known:
        return
    names = sorted(one for one in known if not _ACCOUNT_ID.fullmatch(one))
    fix = did_you_mean(name, names) or f"write one of {', '.join(names)}"
    summary = f"there is no {what} `{name}`"
    yield Diagnostic(code, summary, leaf.place, fix=fix, width=leaf.width)


def _identifiers(table: Table) -> Iterator[Diagnostic]:
    taken: set[tuple[str, ...]] = set()
    databases = table.get("databases")
    for item in databases.items if isinstance(databases, Listing) else []:
        leaf = next(texts_at(item, "identifier"), None)
        if not isinstance(item, Table) or leaf is None:
            continue
        yield from _numbering(item, leaf)
        key = tuple(next((one.text for one in texts_at(item, name)), "") for name in _WHERE)
        if key in taken:
            summary = f"there are databases `{leaf.text}` already"
            fix = "give them another identifier"
            yield Diagnostic(Code.BAD_VALUE, summary, leaf.place, fix=fix, width=leaf.width)
        taken.add(key)


_WHERE = ("account", "region", "identifier")


def _numbering(item: Table, leaf: Leaf) -> Iterator[Diagnostic]:
    """See that many databases get as many identifiers, none of them too long for RDS."""
    count = item.get("count")
    many = count.value if isinstance(count, Leaf) and isinstance(count.value, int) else 1
    if many > 1 and _NUMBER not in leaf.text:
        summary = f"{many} databases cannot all be `{leaf.text}`"
        fix = f"write {leaf.text}-{_NUMBER}"
        yield Diagnostic(Code.BAD_VALUE, summary, leaf.place, fix=fix, width=leaf.width)
    if len(leaf.text.replace(_NUMBER, str(many))) > LONGEST_IDENTIFIER:
        summary = f"`{leaf.text}` is too long with its number; RDS takes 63 characters"
        yield Diagnostic(Code.BAD_VALUE, summary, leaf.place, fix="shorten it", width=leaf.width)
