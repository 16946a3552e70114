"""Checks of `share_with`: how many accounts, and of which place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from engine.documents.diagnostics import Code, Diagnostic
from engine.documents.model import HOME, Estate, ShareRule, Target
from engine.documents.nodes import Listing
from engine.documents.view import View

# Of one snapshot (RDS User Guide, Sharing a DB snapshot).
MOST_ACCOUNTS = 20


def check_shares(view: View, estate: Estate) -> Iterator[Diagnostic]:
    """Yield what is wrong with the shares of a policy as some of its databases see it."""
    targets = {copy.target for copy in view.terms.snapshots.copies}
    shared: dict[str, set[str]] = defaultdict(set)
    for index, rule in enumerate(view.terms.share_with):
        shared[rule.origin] |= _ids(rule, estate)
        if rule.origin != HOME and rule.origin not in targets:
            summary = (
                f"the policy copies nothing to `{rule.origin}`, so nothing can be shared there"
            )
            known = ", ".join(f"`{one}`" for one in sorted({HOME, *targets}))
            fix = f"name one of {known}, or add the target to `copies`"
            yield view.tell(Code.UNKNOWN_ORIGIN, summary, fix, *_path(view, index), "from")
        if len(shared[rule.origin]) > MOST_ACCOUNTS:
            number = len(shared[rule.origin])
            summary = f"points of `{rule.origin}` are shared with {number} accounts"
            fix = (
                f"AWS shares a snapshot with {MOST_ACCOUNTS} at most: copy to a target in one of "
                "them, and share with the others from there (`from: TARGET`)"
            )
            yield view.tell(Code.TOO_MANY_SHARES, summary, fix, *_path(view, index), "accounts")
            return
    yield from _beside_routes(view, estate, shared[HOME])


def _beside_routes(view: View, estate: Estate, shared: set[str]) -> Iterator[Diagnostic]:
    """Yield that the accounts of routes and those of shares are too many together."""
    copying = {
        estate.accounts[target.account].id
        for copy in view.terms.snapshots.copies
        if isinstance(target := estate.targets.get(copy.target), Target)
        and target.account in estate.accounts
    }
    number = len(shared | copying)
    if shared and number > MOST_ACCOUNTS:
        summary = f"{number} accounts would read the points of `{HOME}`, to copy or as shared"
        fix = f"AWS allows {MOST_ACCOUNTS}: share from one of the targets instead (`from: TARGET`)"
        yield view.tell(Code.TOO_MANY_SHARES, summary, fix, "share_with")


def _ids(rule: ShareRule, estate: Estate) -> set[str]:
    accounts = estate.accounts
    return {accounts[one].id if one in accounts else one for one in rule.accounts}


def _path(view: View, index: int) -> tuple[str | int, ...]:
    is_list = isinstance(view.at(("share_with",)), Listing)
    return ("share_with", index) if is_list else ("share_with",)
