"""How copies get to their targets, and what the cheapest way spares."""

from __future__ import annotations

from collections.abc import Iterator

from engine.plans.plan import CopyTree, Plan
from engine.reports.lines import Line, Section, Span, Tone, line, name
from engine.reports.wording import count, place


def tree_section(plan: Plan) -> Iterator[Section]:
    """Yield how policies with `topology: cheapest` reach their targets."""
    lines = [one for tree in plan.copy_trees for one in _tree(tree)]
    if lines:
        yield Section("Copy topology", tuple(lines))


def _tree(tree: CopyTree) -> Iterator[Line]:
    yield line(
        Span(tree.policy, Tone.STRONG),
        " from ",
        name(place(tree.home)),
        f": {_saving(tree)}",
        level=1,
    )
    for hop in tree.hops:
        yield line(name(hop.target), " from ", name(hop.origin), level=2)


def _saving(tree: CopyTree) -> str:
    spared = tree.star_usd_per_gib - tree.usd_per_gib
    databases = count(tree.sources, "database")
    if spared <= 0:
        return f"{databases}; no way is cheaper than copying all from the source"
    return (
        f"{databases}; {_usd(tree.usd_per_gib)} of transfer for each GiB instead of "
        f"{_usd(tree.star_usd_per_gib)}, at most ${spared * tree.gib:,.0f} less when all "
        f"{tree.gib:,} GiB are copied once"
    )


def _usd(amount: float) -> str:
    return f"${amount:.3f}".rstrip("0").rstrip(".")
