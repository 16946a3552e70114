"""Checks of the estate: accounts, targets, keys, retired points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.documents.diagnostics import Code, Diagnostic
from engine.documents.model import Account, Estate, Place, Policy, RegionalTarget, Retire, Target
from engine.documents.nodes import Node, find, texts_at
from engine.documents.references import TARGETS
from engine.documents.regions import KNOWN_REGIONS
from engine.documents.sources import Sources
from engine.documents.suggestions import did_you_mean


def check_estate(
    estate: Estate, policies: Mapping[str, Policy], sources: Sources
) -> Iterator[Diagnostic]:
    """Yield what is wrong with the estate."""
    yield from _accounts(estate, sources)
    yield from _regions(sources)
    for target in estate.targets.values():
        if isinstance(target, Target) and target.account in estate.accounts:
            yield from _target(target, estate.accounts[target.account], sources)
    yield from _unused(estate, policies, sources)
    for entry in estate.retire:
        if _fits_all(entry):
            summary = "this entry of `retire` fits every unmanaged point"
            fix = "name the policy, the databases or the location"
            yield Diagnostic(Code.RETIRES_ALL, summary, entry.place, fix=fix)


# -- accounts ------------------------------------------------------------------------------------


def _accounts(estate: Estate, sources: Sources) -> Iterator[Diagnostic]:
    if not estate.accounts and sources.is_whole:
        summary = "the estate has no accounts, so there is nothing to protect"
        fix = 'add `accounts: {prod: {id: "111111111111"}}`'
        yield Diagnostic(Code.NO_ACCOUNTS, summary, estate.place, fix=fix)
    by_id: dict[str, str] = {}
    for name, account in estate.accounts.items():
        entry = sources.accounts[name]
        first = by_id.setdefault(account.id, name)
        if first != name:
            place, width = _spot(entry.node, "id")
            summary = f"`{first}` already is the account {account.id}"
            fix = "keep one of the two names"
            yield Diagnostic(Code.DUPLICATE_ACCOUNT, summary, place, fix=fix, width=width)
        if not account.regions:
            summary = f"the account `{name}` has no regions, so nothing is read there"
            fix = "add `regions: [eu-west-1]` to it, or to `account_defaults`"
            yield Diagnostic(Code.NO_REGIONS, summary, entry.place, fix=fix, width=entry.width)
        yield from _rekey(account, entry.node, entry.place)


def _rekey(account: Account, node: Node, otherwise: Place) -> Iterator[Diagnostic]:
    place = _key_place(account.rekey)
    if place is None:
        return
    region, owner = place
    elsewhere = [name for name in account.regions if name != region]
    if elsewhere or owner != account.id:
        found = find(node, ("rekey",))
        where = ", ".join(elsewhere) or f"the account {account.id}"
        summary = f"the `rekey` of `{account.name}` lies in {region} of {owner}, not in {where}"
        fix = "write an alias, and give a key of each region that alias"
        yield Diagnostic(
            Code.REKEY_ELSEWHERE,
            summary,
            found.place if found else otherwise,
            fix=fix,
            width=found.width if found else len(account.name),
        )


def _regions(sources: Sources) -> Iterator[Diagnostic]:
    lists: list[tuple[Node | None, tuple[str, ...]]] = [
        (sources.estate, ("account_defaults", "regions", "*")),
        (sources.estate, ("targets", "*", "region")),
        (sources.estate, ("state", "s3", "region")),
        *((entry.node, ("regions", "*")) for entry in sources.accounts.values()),
    ]
    for root, path in lists:
        for leaf in texts_at(root, *path):
            if leaf.text not in KNOWN_REGIONS:
                summary = f"`{leaf.text}` is none of the regions of AWS known here"
                fix = did_you_mean(leaf.text, KNOWN_REGIONS) or "check the region's code"
                yield Diagnostic(
                    Code.UNKNOWN_REGION, summary, leaf.place, fix=fix, width=leaf.width
                )


# -- targets -------------------------------------------------------------------------------------


def _target(target: Target, account: Account, sources: Sources) -> Iterator[Diagnostic]:
    node = sources.targets()[target.name].node
    if account.regions and target.region not in account.regions:
        place, width = _spot(node, "region")
        summary = f"{target.region} is none of the regions of the account `{account.name}`"
        fix = f"add it to `accounts.{account.name}.regions`, or its snapshots are not seen"
        yield Diagnostic(Code.TARGET_OUTSIDE, summary, place, fix=fix, width=width)
    place, width = _spot(node, "key")
    if target.key.startswith("alias/aws/"):
        summary = f"`{target.key}` is managed by AWS: what it encrypts can never be shared"
        fix = "use a key of your own"
        yield Diagnostic(Code.DEFAULT_KEY, summary, place, fix=fix, width=width)
    key = _key_place(target.key)
    if key is None:
        return
    region, owner = key
    if region != target.region:
        summary = f"the key lies in {region}, but the target in {target.region}"
        fix = f"name a key of {target.region}, or an alias that it has there"
        yield Diagnostic(Code.KEY_ELSEWHERE, summary, place, fix=fix, width=width)
    elif owner != account.id:
        summary = f"the key belongs to the account {owner}, not to `{account.name}`"
        fix = "use a key of the target's account: without the other account copies are lost"
        yield Diagnostic(Code.FOREIGN_KEY, summary, place, fix=fix, width=width)


def _key_place(key: str | None) -> tuple[str, str] | None:
    """Return the region and account of a key's ARN; None where it is an alias, or missing."""
    if key is None or not key.startswith("arn:"):
        return None
    _, _, _, region, account, _ = key.split(":", 5)
    return region, account


def _unused(
    estate: Estate, policies: Mapping[str, Policy], sources: Sources
) -> Iterator[Diagnostic]:
    used = set(_targets_named(sources))
    for target in estate.targets.values():
        if isinstance(target, RegionalTarget) and target.name in used:
            used |= set(target.by_source_region.values())
    for name, entry in sources.targets().items():
        if policies and name not in used:
            summary = f"no policy copies to `{name}`"
            fix = "remove it, or name it in a policy's `copies`"
            yield Diagnostic(Code.UNUSED_TARGET, summary, entry.place, fix=fix, width=entry.width)


def _targets_named(sources: Sources) -> Iterator[str]:
    for source in sources.policies.values():
        for body in (source.body, *source.overrides):
            for path in TARGETS:
                yield from (leaf.text for leaf in texts_at(body, *path))


# -- retire --------------------------------------------------------------------------------------


def _fits_all(entry: Retire) -> bool:
    conditions = (entry.policy, entry.sources, entry.locations)
    return all(_is_anything(glob) for glob in conditions if glob is not None)


def _is_anything(glob: str) -> bool:
    return set(glob) <= set("*/")


def _spot(node: Node, key: str) -> tuple[Place, int]:
    """Return where a value stands and its width."""
    found = find(node, (key,)) or node
    return found.place, found.width
