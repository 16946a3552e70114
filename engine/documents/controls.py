"""Nodes that fit their shape -> typed controls."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any

from engine.documents.control_model import (
    Control,
    ControlSeverity,
    Covered,
    CustomerKeys,
    Exemption,
    MinRetention,
    NewestPoint,
    NoForeignShares,
    NoGap,
    PointsIn,
    Rule,
    Where,
)
from engine.documents.diagnostics import Code, Diagnostic
from engine.documents.nodes import Leaf, Listing, Node, Table, plain, texts_at
from engine.documents.policies import select_of
from engine.retention.spans import Minutes, parse_span


def control_tables(documents: Iterable[Table]) -> Iterator[Table]:
    """Yield each control of documents of this kind."""
    for document in documents:
        listing = document.get("controls")
        for item in listing.items if isinstance(listing, Listing) else ():
            if isinstance(item, Table):
                yield item


def controls_of(documents: Iterable[Table]) -> tuple[Control, ...]:
    """Return the controls of documents that fit their shape, as they are written."""
    return tuple(_control(table) for table in control_tables(documents))


def check_controls(documents: Iterable[Table]) -> Iterator[Diagnostic]:
    """Yield what is wrong with controls beyond their shape: ids that stand twice."""
    first: dict[str, Leaf] = {}
    for table in control_tables(documents):
        for leaf in texts_at(table, "id"):
            known = first.setdefault(leaf.text, leaf)
            if known is not leaf:
                summary = f"there is a control `{leaf.text}` already, at {known.place}"
                fix = "rename or remove one of them"
                yield Diagnostic(
                    Code.DUPLICATE_CONTROL, summary, leaf.place, fix=fix, width=leaf.width
                )


def _control(table: Table) -> Control:
    data = plain(table)
    return Control(
        id=data["id"],
        rule=_rule(data["require"]),
        title=data.get("title", ""),
        severity=ControlSeverity(data.get("severity", ControlSeverity.ERROR)),
        select=select_of(data["select"]) if "select" in data else None,
        exemptions=tuple(_exemptions(table.get("exceptions"))),
        place=table.place,
    )


def _rule(data: dict[str, Any]) -> Rule:
    ((name, value),) = data.items()
    match name:
        case "covered":
            return Covered()
        case "min_retention":
            return MinRetention(_length(value))
        case "points_in":
            lengths = {key: _length(text) for key, text in value.items() if key == "younger_than"}
            return PointsIn(**(value | lengths))
        case "customer_managed_keys":
            return CustomerKeys()
        case "no_foreign_shares":
            return NoForeignShares()
        case "newest_point":
            where = Where(value.get("at", Where.ANYWHERE))
            return NewestPoint(_length(value["younger_than"]), where)
        case _:
            return NoGap(_length(value["longer_than"]), _length(value["within"]))


def _exemptions(node: Node | None) -> Iterator[Exemption]:
    for item in node.items if isinstance(node, Listing) else ():
        data = plain(item)
        day = date.fromisoformat(data["expires"])
        yield Exemption(select_of(data["select"]), data["reason"], day, item.place)


def _length(text: str) -> timedelta:
    return parse_span(text, Minutes.ALLOWED).as_timedelta()
