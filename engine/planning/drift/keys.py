"""Keys that the estate rests on and that cannot be used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from engine.identity.names import location_of
from engine.inventory.records import Key, Location
from engine.planning.draft import Draft, at
from engine.planning.routes import Hops, RouteBook, hops, is_default_key, resolve_key
from engine.planning.survey import World
from engine.plans.codes import DriftCode, DriftSeverity
from engine.plans.plan import Drift

_ENABLED = "Enabled"
_CODES = {
    "Disabled": DriftCode.KEY_DISABLED,
    "PendingDeletion": DriftCode.KEY_PENDING_DELETION,
    "PendingReplicaDeletion": DriftCode.KEY_PENDING_DELETION,
}
_FIXES = {
    DriftCode.KEY_DISABLED: "enable it: aws kms enable-key",
    DriftCode.KEY_PENDING_DELETION: "keep it: aws kms cancel-key-deletion, then enable-key",
    DriftCode.KEY_MISSING: "what is under a deleted key is lost; name another key for what comes",
    DriftCode.KEY_UNUSABLE: "see what the key waits for (KMS API reference, KeyState)",
    DriftCode.KEY_AWS_MANAGED: "name a customer-managed key: no other account may use AWS's own",
}


@dataclass(slots=True)
class _Use:
    """What a key is needed for."""

    targets: set[str] = field(default_factory=set)
    rekey: bool = False
    databases: set[str] = field(default_factory=set)
    points: int = 0

    @property
    def is_needed(self) -> bool:
        """Whether backups to come need it, not only those that are there."""
        return bool(self.targets or self.rekey or self.databases)

    @property
    def text(self) -> str:
        """What it is needed for, as a sentence's end."""
        parts = [f"target {name} needs it" for name in sorted(self.targets)]
        parts += ["copies to other accounts go through it"] if self.rekey else []
        if self.databases:
            parts.append(f"it encrypts {_some(len(self.databases), 'database')}")
        if self.points:
            parts.append(f"{_some(self.points, 'snapshot')} cannot be restored without it")
        return "; ".join(parts)


def unusable_keys(world: World, drafts: Sequence[Draft], book: RouteBook) -> Iterator[Drift]:
    """Yield the keys that targets, bridges, databases and points need and that cannot be used."""
    uses = _uses(world, drafts, book)
    for location, reference in sorted(uses):
        code = _trouble(world, location, reference, uses[location, reference])
        if code is not None:
            yield _drift(world, location, reference, code, uses[location, reference])


def _uses(
    world: World, drafts: Iterable[Draft], book: RouteBook
) -> dict[tuple[Location, str], _Use]:
    """Return what each key is used for, by its location and its ARN, or alias if it has none."""
    uses: dict[tuple[Location, str], _Use] = {}

    def use(location: Location, reference: str) -> _Use:
        return uses.setdefault((location, reference), _Use())

    for draft in drafts:
        source = draft.source
        instance = source.instance
        for demand in draft.demands:
            route = demand.route
            use(route.location, route.key.reference).targets.add(route.target)
            if instance is not None and _needs_rekey(world, source.location, route.location, draft):
                rekey = _rekey(world, source.location)
                if rekey is not None:
                    use(source.location, rekey).rekey = True
        if instance is not None and source.terms is not None and instance.kms_key:
            use(source.location, instance.kms_key).databases.add(source.ref.address)
        for holding in source.holdings:
            if holding.kms_key is not None and holding.is_available:
                use(holding.location, holding.kms_key).points += 1
    return uses


def _needs_rekey(world: World, home: Location, target: Location, draft: Draft) -> bool:
    assert draft.source.instance is not None
    key = draft.source.instance.kms_key
    return hops(home, target, world.scope(home), key) is Hops.REKEY_SHARE_COPY


def _rekey(world: World, home: Location) -> str | None:
    account = next(a for a in world.estate.accounts.values() if a.id == home.account)
    if account.rekey is None:
        return None
    choice = resolve_key(account.rekey, world.scope(home))
    return account.rekey if choice is None else choice.reference


def _trouble(world: World, location: Location, reference: str, use: _Use) -> DriftCode | None:
    key, is_known = _look_up(world, location, reference)
    if key is None:
        return DriftCode.KEY_MISSING if is_known else None
    if key.state != _ENABLED:
        return _CODES.get(key.state, DriftCode.KEY_UNUSABLE)
    return DriftCode.KEY_AWS_MANAGED if use.rekey and is_default_key(key) else None


def _look_up(world: World, location: Location, reference: str) -> tuple[Key | None, bool]:
    """Return a key, and whether its absence would mean that there is none.

    A key of another account is looked up there. Keys that may not be described are not known, and
    a recording need not hold all there are, but for those that aliases name.
    """
    scope = world.scope(location_of(reference) or location)
    if scope.keys is None:
        return None, False
    if ":key/" not in reference:
        return scope.keys.get(reference), not scope.hidden_keys
    hidden = world.inventory.recorded or reference in scope.hidden_keys
    return scope.keys.get(reference), not hidden


def _drift(world: World, location: Location, reference: str, code: DriftCode, use: _Use) -> Drift:
    key, _ = _look_up(world, location, reference)
    state = "does not exist" if key is None else f"is {key.state}"
    if code is DriftCode.KEY_AWS_MANAGED:
        state = "is managed by AWS"
    lasting = code in {DriftCode.KEY_MISSING, DriftCode.KEY_PENDING_DELETION}
    severity = DriftSeverity.ERROR if use.is_needed or lasting else DriftSeverity.WARNING
    return Drift(
        code=code,
        severity=severity,
        arn=reference,
        location=at(location),
        source=None,
        slot=None,
        text=f"the key {state}: {use.text}",
        fix=_FIXES[code],
        expected=_ENABLED,
        found=key.state if key is not None else None,
    )


def _some(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
