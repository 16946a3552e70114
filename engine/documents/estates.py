"""Nodes that fit their shape -> the typed estate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.documents.formats import bounds_of
from engine.documents.merging import merged
from engine.documents.model import (
    Account,
    Bounds,
    Bucket,
    Estate,
    FullCopies,
    Guards,
    MaxDeletes,
    OwnPrices,
    RegionalTarget,
    Retire,
    Target,
)
from engine.documents.nodes import Listing, Table, plain
from engine.documents.shapes import Shape


def estate_of(table: Table, accounts: Mapping[str, Table]) -> Estate:
    """Return the estate of a document with all accounts, defaults already merged under them."""
    data = plain(table)
    return Estate(
        name=data["name"],
        accounts={name: _account(name, plain(account)) for name, account in accounts.items()},
        targets={name: _target(name, target) for name, target in data.get("targets", {}).items()},
        guards=_guards(data.get("guards", {})),
        retire=_retire(table.get("retire")),
        state=Bucket(**data["state"]["s3"]) if "state" in data else None,
        place=table.place,
        prices=_prices(data.get("prices", {})),
    )


def account_table(account: Table, estate: Table, shape: Shape) -> Table:
    """Return an account with the estate's `account_defaults` merged under it."""
    defaults = estate.get("account_defaults")
    below = defaults if isinstance(defaults, Table) else Table(account.file, account.line, 1)
    return merged(below, account, shape)


def _account(name: str, data: dict[str, Any]) -> Account:
    return Account(
        name=name,
        id=data["id"],
        regions=tuple(data.get("regions", ())),
        role=data.get("role"),
        read_role=data.get("read_role"),
        external_id=data.get("external_id"),
        rekey=data.get("rekey"),
    )


def _target(name: str, data: dict[str, Any]) -> Target | RegionalTarget:
    if "by_source_region" in data:
        return RegionalTarget(name, data["by_source_region"])
    return Target(name, data["account"], data["region"], data["key"])


def _guards(data: dict[str, Any]) -> Guards:
    return Guards(
        max_deletes=MaxDeletes(**data.get("max_deletes", {})),
        min_points=data.get("min_points", Guards().min_points),
        full_copies=FullCopies(**data.get("full_copies", {})),
        acknowledged=frozenset(data.get("acknowledged", ())),
    )


def _prices(data: dict[str, dict[str, Any]]) -> OwnPrices:
    return OwnPrices(
        **{
            what: {region: _bounds(price) for region, price in prices.items()}
            for what, prices in data.items()
        }
    )


def _bounds(price: str | float) -> Bounds:
    return bounds_of(price) if isinstance(price, str) else (float(price), float(price))


def _retire(node: object) -> tuple[Retire, ...]:
    items = node.items if isinstance(node, Listing) else []
    return tuple(Retire(**plain(item), place=item.place) for item in items)
