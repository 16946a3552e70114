"""`engine plan -against`: the documents before a change, and what the change would do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from engine.documents.diagnostics import Severity, as_text
from engine.documents.flat import flat
from engine.documents.git import is_commit, read_at
from engine.documents.load import Loaded, load, load_texts
from engine.documents.model import Documents
from engine.errors import UsageError
from engine.inventory.records import Inventory
from engine.plans.plan import Plan


@dataclass(frozen=True, slots=True)
class Before:
    """The documents before a change. `against` is how they were named, `commit` that of a ref."""

    against: str
    commit: str | None
    loaded: Loaded


def read_before(against: str, paths: Sequence[Path]) -> Before:
    """Return the documents of a folder or a git ref; errors in them are told, not raised.

    Args:
        against: a path, or a ref of the repository that holds `paths`.
        paths: where the documents after the change are; at a ref the same paths are read.

    Raises:
        UsageError: `against` can be both, or neither.
        EngineError: there is no such ref, or it cannot be read.
    """
    if not against or not Path(against).exists():
        past = read_at(against, paths)
        return Before(against, past.commit, load_texts(past.texts, against))
    if "/" not in against.rstrip("/") and is_commit(against, paths):
        raise UsageError(
            f"-against {against}: this is a folder here, and a git ref as well",
            fix=f"write ./{against} for the folder, refs/heads/{against} for a branch",
        )
    return Before(against, None, load([Path(against)]))


def compared(
    plan: Plan, before: Before, after: Loaded, documents: Documents, inventory: Inventory
) -> Plan:
    """Return a plan with what its documents do that those before would not."""
    from engine.consequences.compare import Version, consequences, not_compared
    from engine.costs.price_file import prices_of

    if before.loaded.documents is None:
        errors = [d for d in before.loaded.diagnostics if d.severity is Severity.ERROR]
        problems = tuple(as_text(error) for error in errors)
        found = not_compared(before.against, before.commit, problems)
        return replace(plan, consequences=found)
    old = Version(before.loaded.documents, _said(before.loaded))
    new = Version(documents, _said(after))
    prices = prices_of(documents.estate)
    found = consequences(old, new, inventory, plan, prices, before.against, before.commit)
    return replace(plan, consequences=found)


def _said(loaded: Loaded) -> dict[str, dict[str, str]]:
    return {name: flat(source) for name, source in loaded.policy_sources.items()}
