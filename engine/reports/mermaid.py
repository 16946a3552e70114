"""A plan's graph in the language of Mermaid, which pull requests show as a picture."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.plans.plan import Plan
from engine.reports.graph import GraphNode, StepGraph, step_graph
from engine.reports.lines import Mark
from engine.reports.neutral import neutral

_CLASSES = {
    Mark.NONE: ("none", "#f5f7f9", "#55606b"),
    Mark.ADD: ("add", "#ecf8ef", "#0f6b2b"),
    Mark.CHANGE: ("change", "#e9f5fa", "#0b5c7a"),
    Mark.FULL: ("full", "#fff4de", "#8a4600"),
    Mark.DELETE: ("delete", "#fdeeee", "#b0141d"),
}
# Everything that Mermaid, Markdown or HTML could take for more than a letter.
_SPECIAL = re.compile(r"[^\w \-./:,()+→–]")


def plan_as_mermaid(plan: Plan, *, full: bool = False) -> str:
    """Return the graph of a plan's steps as a Mermaid flowchart.

    `full` folds nothing; what GitHub shows ends at 50,000 characters and 500 edges, which a folded
    graph stays far below.
    """
    return "".join(f"{row}\n" for row in _rows(step_graph(plan, full=full)))


def _rows(graph: StepGraph) -> Iterator[str]:
    yield "flowchart LR"
    yield f"  accTitle: {_escaped(graph.title)}"
    for number, group in enumerate(graph.groups, start=1):
        if not group.title:
            yield from (f"  {_node(node)}" for node in group.nodes)
            continue
        yield f'  subgraph g{number}["{_escaped(group.title)}"]'
        yield "    direction LR"
        yield from (f"    {_node(node)}" for node in group.nodes)
        yield "  end"
    for edge in graph.edges:
        arrow = f"-->|{edge.number:,}|" if edge.number > 1 else "-->"
        yield f"  {edge.before} {arrow} {edge.after}"
    nodes = [node for group in graph.groups for node in group.nodes]
    shown = {node.mark for node in nodes}
    for mark, (name, fill, border) in _CLASSES.items():
        if mark in shown:
            yield f"  classDef {name} fill:{fill},stroke:{border},color:#1a1f24"
    if any(node.withheld for node in nodes):
        yield "  classDef withheld stroke-dasharray:6 4"
        yield f"  class {','.join(node.id for node in nodes if node.withheld)} withheld"


def _node(node: GraphNode) -> str:
    rows = "<br>".join(_escaped(row) for row in node.rows)
    return f'{node.id}["{rows}"]:::{_CLASSES[node.mark][0]}'


def _escaped(text: str) -> str:
    """Return a text in which only letters, digits and harmless marks stand for themselves."""
    return _SPECIAL.sub(lambda found: f"#{ord(found[0])};", neutral(text))
