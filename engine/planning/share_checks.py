"""Checks of what AWS neither shares nor copies as the policy wants it; they need the inventory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.inventory.records import Location
from engine.planning.policy_shares import can_be_shared, share_places, uses_tde
from engine.planning.routes import Route, RouteBook
from engine.planning.survey import Source, World
from engine.plans.plan import Warned

_FROM_A_TARGET = (
    "copy to a target under a customer-managed key, and share from there (`from: TARGET`)"
)


def check_shares(source: Source, world: World, book: RouteBook) -> Iterable[Warned]:
    """Yield shares that AWS refuses (RDS User Guide, Sharing encrypted snapshots)."""
    told: set[Location] = set()
    for _, place in share_places(source, book):
        if place in told:
            continue
        told.add(place)
        if uses_tde(source):
            text = "it uses TDE; snapshots with TDE cannot be shared with other accounts"
            yield _error("E332 share-tde", source, text, "drop its `share_with` in an override")
        elif not can_be_shared(_key_at(source, place, book), place, world):
            text = f"its points at {place} are under AWS's default key, so they cannot be shared"
            yield _error("E331 share-default-key", source, text, _FROM_A_TARGET)


def _key_at(source: Source, place: Location, book: RouteBook) -> str | None:
    """Return the key that points at a place are under, None where they are not encrypted."""
    if place == source.location:
        return source.instance.kms_key if source.instance is not None else None
    route = next(one for one in _routes(source, book) if one.location == place)
    return route.key.arn or route.key.reference


def check_option_groups(source: Source, world: World, book: RouteBook) -> Iterable[Warned]:
    """Yield copies that AWS makes only into an option group that nobody names.

    Across regions it asks for one where a database encrypts itself (API reference, CopyDBSnapshot,
    OptionGroupName).
    """
    if not uses_tde(source):
        return
    for route in _routes(source, book):
        # Within its account every route leads to another region.
        is_ours = route.location.account == source.location.account
        if is_ours and route.rule.option_group is None:
            text = f"it uses TDE, and the copy to {route.target} names no option group"
            fix = f"name one of {route.location} with TDE as `option_group` of the copy"
            yield _error("E333 option-group", source, text, fix)


def _routes(source: Source, book: RouteBook) -> Iterator[Route]:
    if source.terms is not None:
        yield from book.routes(source.terms, source.location)[0]


def _error(code: str, source: Source, text: str, fix: str) -> Warned:
    policy = source.policy.name if source.policy else None
    return Warned(code, "error", text, source.ref.address, policy, fix)
