"""Stage 7: the order of steps, as a graph per source."""

from __future__ import annotations

from collections.abc import Mapping

from engine.plans.codes import Action
from engine.plans.plan import Step

_RANK = {
    Action.CREATE: 0,
    Action.SHARE: 1,
    Action.COPY: 2,
    Action.UNSHARE: 3,
    Action.TAG: 4,
    Action.DELETE: 5,
    Action.STOP_REPLICATION: 6,
    Action.REPLICATE_BACKUPS: 7,
    Action.MODIFY_BACKUPS: 8,
    Action.FAIL_OVER: 9,
}


def in_order(steps: Mapping[str, Step]) -> list[Step]:
    """Return the steps so that each stands behind those it depends on, alike inputs alike.

    Raises:
        networkx.NetworkXUnfeasible: when steps depend on one another in a circle.
    """
    if len(steps) < 2:
        return list(steps.values())
    import networkx as nx

    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(steps)
    graph.add_edges_from((before, step.id) for step in steps.values() for before in step.depends_on)
    order = nx.lexicographical_topological_sort(
        graph, key=lambda name: f"{_RANK[steps[name].action]}{name}"
    )
    return [steps[name] for name in order]
