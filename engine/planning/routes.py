"""Where copies go and how they get there: `[re-key] -> share -> copy`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum, auto

from engine.costs.price_file import known_prices
from engine.documents.model import CopyRule, Estate, Target, Terms, Topology
from engine.identity.marks import UNKNOWN_KEY, key_mark
from engine.inventory.records import Key, KeyManager, Location, Scope
from engine.planning.topology import DEFAULT_KEY_ALIAS, Stop, Tree, cheapest
from engine.retention.keep import Keep


@dataclass(frozen=True, slots=True)
class KeyChoice:
    """A key as the call names it, and its ARN where the alias could be resolved."""

    reference: str
    arn: str | None

    @property
    def mark(self) -> str:
        """What stands for it in `engine:keys`."""
        return key_mark(self.arn)


@dataclass(frozen=True, slots=True)
class Route:
    """One target of one source: where to, under which key, and what is kept there.

    Nothing is sent along a route that is not open because its key is missing; what its target
    wants is wanted all the same. `hub` is the target whose copies are sent on, None where the
    source's own points are.
    """

    target: str
    location: Location
    rule: CopyRule
    key: KeyChoice
    keep: Keep
    is_open: bool = True
    hub: Location | None = None


@dataclass(frozen=True, slots=True)
class NoRoute:
    """A target that cannot be reached, and why."""

    target: str
    location: Location
    text: str


class Hops(Enum):
    """How an origin gets to another location."""

    COPY = auto()
    SHARE_COPY = auto()
    REKEY_SHARE_COPY = auto()


class RouteBook:
    """The routes of every (terms, home location); each is worked out once."""

    def __init__(self, estate: Estate, scopes: dict[Location, Scope]) -> None:
        self._estate = estate
        self._scopes = scopes
        # Terms are known by identity, so each entry keeps its own alive.
        self._routes: dict[tuple[int, Location], tuple[Terms, list[Route], list[NoRoute]]] = {}
        self._terms: list[Terms] = []  # so that no other terms get the identity of known ones

    def routes(self, terms: Terms, home: Location) -> tuple[list[Route], list[NoRoute]]:
        """Return the routes of a source at `home`, and what keeps targets from being reached."""
        known = self._routes.get((id(terms), home))
        if known is None:
            known = (terms, *self._find(terms, home))
            self._routes[id(terms), home] = known
        return known[1], known[2]

    def _find(self, terms: Terms, home: Location) -> tuple[list[Route], list[NoRoute]]:
        routes: list[Route] = []
        misses: list[NoRoute] = []
        taken = {home}
        for rule in terms.snapshots.copies:
            target = self._target(rule.target, home)
            if target is None:
                text = f"target {rule.target} names none for sources in {home.region}"
                misses.append(NoRoute(rule.target, home, text))
                continue
            there = Location(self._estate.accounts[target.account].id, target.region)
            if there in taken:
                text = f"target {rule.target} is at {there}, which holds these points already"
                misses.append(NoRoute(rule.target, there, text))
                continue
            taken.add(there)
            key = resolve_key(target.key, self._scope(there))
            if key is None:
                text = f"key {target.key} of target {target.name} does not exist in {there}"
                misses.append(NoRoute(rule.target, there, text))
            keep = terms.snapshots.keep if rule.keep is None else rule.keep
            choice = key or KeyChoice(target.key, None)
            routes.append(Route(rule.target, there, rule, choice, keep, key is not None))
        if terms.snapshots.topology is Topology.CHEAPEST and len(routes) > 1:
            routes = self._by_hubs(home, routes)
        return routes, misses

    def _by_hubs(self, home: Location, routes: list[Route]) -> list[Route]:
        """Return the routes of the cheapest tree, each after that of its hub."""
        parents = self.tree(home, routes).parents
        by_location = {route.location: route for route in routes}
        ordered: dict[Location, Route] = {}

        def visit(location: Location) -> None:
            hub = parents[location]
            while hub != home and not by_location[hub].is_open:
                hub = parents[hub]
            if hub == home:
                ordered[location] = by_location[location]
                return
            if hub not in ordered:
                visit(hub)
            ordered[location] = replace(by_location[location], hub=hub)

        for route in routes:
            if route.location not in ordered:
                visit(route.location)
        return list(ordered.values())

    def tree(self, home: Location, routes: Iterable[Route]) -> Tree:
        """Return the cheapest tree of the routes of a source at `home`."""
        stops = [
            Stop(route.location, route.rule.every, self._lends(route), route.key.reference)
            for route in sorted(routes, key=lambda route: route.location)
        ]
        return cheapest(home, stops, known_prices())

    def _lends(self, route: Route) -> bool:
        """Say whether other accounts may be let in to what lies at a target, as far as is known."""
        keys = self._scope(route.location).keys or {}
        default = route.key.reference.endswith(DEFAULT_KEY_ALIAS)
        return not default and not is_default_key(keys.get(route.key.arn or ""))

    def _target(self, name: str, home: Location) -> Target | None:
        found = self._estate.targets.get(name)
        if found is None or isinstance(found, Target):
            return found
        other = found.by_source_region.get(home.region)
        final = self._estate.targets.get(other) if other is not None else None
        return final if isinstance(final, Target) else None

    def _scope(self, location: Location) -> Scope:
        return self._scopes.get(location) or Scope(location)

    def rekey(self, home: Location) -> KeyChoice | None:
        """Return the key of an account's bridges at `home`, None where it has none of its own."""
        account = next(a for a in self._estate.accounts.values() if a.id == home.account)
        if account.rekey is None:
            return None
        scope = self._scope(home)
        choice = resolve_key(account.rekey, scope)
        if choice is None or is_default_key((scope.keys or {}).get(choice.arn or "")):
            return None
        return choice


def resolve_key(reference: str, scope: Scope) -> KeyChoice | None:
    """Return the key behind an ARN or alias; None where the listing shows there is none.

    Where keys could not be read, an alias stands for itself and its ARN is not known.
    """
    if ":key/" in reference:
        return KeyChoice(reference, reference)
    if scope.keys is None:
        return KeyChoice(reference, None)
    alias = reference[reference.index("alias/") :] if "alias/" in reference else reference
    for arn in sorted(scope.keys):
        if alias in scope.keys[arn].aliases:
            return KeyChoice(arn, arn)
    return None


def is_default_key(key: Key | None) -> bool:
    """Say whether AWS manages the key: snapshots under it cannot be shared.

    (RDS User Guide, Sharing encrypted snapshots.)
    """
    return key is not None and (key.manager is KeyManager.AWS or DEFAULT_KEY_ALIAS in key.aliases)


def hops(origin: Location, target: Location, scope: Scope, kms_key: str | None) -> Hops:
    """Return the hops from an object encrypted under `kms_key` (None: not at all) to a target."""
    if origin.account == target.account:
        return Hops.COPY
    if kms_key is not None and is_default_key((scope.keys or {}).get(kms_key)):
        return Hops.REKEY_SHARE_COPY
    return Hops.SHARE_COPY


def next_keys(keys: tuple[str, ...], key: KeyChoice | None) -> tuple[str, ...]:
    """Return the key sequence after one more hop under `key`."""
    return (*keys, key.mark if key is not None else UNKNOWN_KEY)
