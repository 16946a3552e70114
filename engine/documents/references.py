"""Names that documents use for one another: whether they lead anywhere."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Collection, Iterable, Iterator

from engine.documents.diagnostics import Code, Diagnostic
from engine.documents.nodes import Leaf, Node, Table, texts_at
from engine.documents.sources import Sources
from engine.documents.suggestions import did_you_mean

EVERYBODY = "all"
_ACCOUNT_ID = re.compile(r"[0-9]{12}")
_WILDCARDS = frozenset("*?[")
TARGETS: tuple[tuple[str, ...], ...] = (
    ("snapshots", "copies", "*", "target"),
    ("automated_backups", "replicate_to", "target"),
)
_CONDITIONS: tuple[tuple[str, ...], ...] = (("select",), ("select", "exclude", "*"))
_CONTROL_CONDITIONS = tuple(
    ("controls", "*", *below, *path) for below in ((), ("exceptions", "*")) for path in _CONDITIONS
)


def check_references(sources: Sources) -> Iterator[Diagnostic]:
    """Yield names that nothing has, and old names that something still has.

    Works on nodes, so that one bad document does not hide what is wrong with others.
    """
    if sources.estate is not None and sources.is_whole:
        yield from _targets(sources)
        yield from _copies(sources)
        yield from _selects(sources)
        yield from _shares(sources)
        for leaf in texts_at(sources.estate, "state", "s3", "account"):
            if leaf.text not in sources.accounts:
                yield _unknown(Code.UNKNOWN_ACCOUNT, "account", leaf, sources.accounts)
    yield from _old_names(sources)


def _targets(sources: Sources) -> Iterator[Diagnostic]:
    for entry in sources.targets().values():
        for leaf in texts_at(entry.node, "account"):
            if leaf.text not in sources.accounts:
                yield _unknown(Code.UNKNOWN_ACCOUNT, "account", leaf, sources.accounts)
        for leaf in texts_at(entry.node, "by_source_region", "*"):
            yield from _regional(leaf, sources)


def _regional(leaf: Leaf, sources: Sources) -> Iterator[Diagnostic]:
    found = sources.targets().get(leaf.text)
    plain = [name for name, entry in sources.targets().items() if not _is_regional(entry.node)]
    if found is None:
        yield _unknown(Code.UNKNOWN_TARGET, "target", leaf, plain)
    elif _is_regional(found.node):
        summary = f"`{leaf.text}` itself goes by the source's region"
        fix = "name a target that has an account, a region and a key"
        yield Diagnostic(Code.UNKNOWN_TARGET, summary, leaf.place, fix=fix, width=leaf.width)


def _is_regional(node: Node) -> bool:
    return isinstance(node, Table) and "by_source_region" in node.entries


def _copies(sources: Sources) -> Iterator[Diagnostic]:
    known = sources.targets()
    for source in sources.policies.values():
        for body in (source.body, *source.overrides):
            for path in TARGETS:
                for leaf in texts_at(body, *path):
                    if leaf.text not in known:
                        yield _unknown(Code.UNKNOWN_TARGET, "target", leaf, known)


def _shares(sources: Sources) -> Iterator[Diagnostic]:
    for source in sources.policies.values():
        for body in (source.body, *source.overrides):
            for path in (("share_with",), ("share_with", "*")):
                for leaf in texts_at(body, *path, "accounts", "*"):
                    if leaf.text not in sources.accounts and not _ACCOUNT_ID.fullmatch(leaf.text):
                        yield _no_account(leaf, sources.accounts)


def _no_account(leaf: Leaf, accounts: Collection[str]) -> Diagnostic:
    if leaf.text != EVERYBODY:
        fix = did_you_mean(leaf.text, accounts)
        fix = fix or f"{_choice_of('account', accounts)}; others go by their twelve digits, quoted"
        summary = f"there is no account `{leaf.text}`"
        return Diagnostic(Code.UNKNOWN_ACCOUNT, summary, leaf.place, fix=fix, width=leaf.width)
    summary = "a snapshot shared with `all` can be restored by every AWS account there is"
    fix = "name the accounts that are to read it"
    return Diagnostic(Code.SHARED_WITH_ALL, summary, leaf.place, fix=fix, width=leaf.width)


def _selects(sources: Sources) -> Iterator[Diagnostic]:
    regions = {
        leaf.text
        for entry in sources.accounts.values()
        for leaf in texts_at(entry.node, "regions", "*")
    }
    regions |= {leaf.text for leaf in texts_at(sources.estate, "account_defaults", "regions", "*")}
    bodies = [
        (body, _CONDITIONS)
        for source in sources.policies.values()
        for body in (source.body, *source.overrides)
    ]
    bodies += [(table, _CONTROL_CONDITIONS) for table in sources.controls]
    for body, conditions in bodies:
        for path in conditions:
            for leaf in texts_at(body, *path, "accounts", "*"):
                yield from _account_glob(leaf, sources.accounts)
            for leaf in texts_at(body, *path, "regions", "*"):
                yield from _region_glob(leaf, regions)


def _account_glob(leaf: Leaf, accounts: Collection[str]) -> Iterator[Diagnostic]:
    if any(fnmatch.fnmatchcase(name, leaf.text) for name in accounts):
        return
    if not _WILDCARDS & set(leaf.text):
        yield _unknown(Code.UNKNOWN_ACCOUNT, "account", leaf, accounts)
        return
    summary = f"no account's name fits `{leaf.text}`"
    fix = _choice_of("account", accounts)
    yield Diagnostic(Code.SELECTS_NOTHING, summary, leaf.place, fix=fix, width=leaf.width)


def _region_glob(leaf: Leaf, regions: set[str]) -> Iterator[Diagnostic]:
    if any(fnmatch.fnmatchcase(name, leaf.text) for name in regions):
        return
    summary = f"no account of the estate has a region that fits `{leaf.text}`"
    fix = did_you_mean(leaf.text, regions) or "add the region to an account, or leave it out here"
    yield Diagnostic(Code.SELECTS_NOTHING, summary, leaf.place, fix=fix, width=leaf.width)


def _old_names(sources: Sources) -> Iterator[Diagnostic]:
    heirs: dict[str, str] = {}
    for source in sources.policies.values():
        for leaf in texts_at(source.document, "formerly", "*"):
            old = leaf.text
            if old in sources.policies:
                summary = f"there still is a policy `{old}`, which decides about its points itself"
                fix = f"remove the policy `{old}`, or the name here"
                yield Diagnostic(Code.STILL_ALIVE, summary, leaf.place, fix=fix, width=leaf.width)
            elif heirs.setdefault(old, source.name) != source.name:
                summary = f"`{heirs[old]}` takes over the points of `{old}` already"
                fix = "leave the old name to one of the two"
                yield Diagnostic(Code.TWO_HEIRS, summary, leaf.place, fix=fix, width=leaf.width)


def _unknown(code: Code, what: str, leaf: Leaf, known: Collection[str]) -> Diagnostic:
    fix = did_you_mean(leaf.text, known) or _choice_of(what, known)
    summary = f"there is no {what} `{leaf.text}`"
    return Diagnostic(code, summary, leaf.place, fix=fix, width=leaf.width)


def _choice_of(what: str, known: Collection[str]) -> str:
    return f"the {what}s are {_listed(known)}" if known else f"the estate has no {what}s"


def _listed(names: Iterable[str]) -> str:
    ordered = sorted(names)
    shown = ", ".join(ordered[:8])
    return f"{shown} and {len(ordered) - 8} more" if len(ordered) > 8 else shown
