"""A plan's graph in the language of Graphviz."""

from __future__ import annotations

from collections.abc import Iterator

from engine.plans.plan import Plan
from engine.reports.graph import GraphNode, StepGraph, step_graph
from engine.reports.lines import Mark
from engine.reports.neutral import neutral

# Fill and border.
_COLOURS = {
    Mark.NONE: ("#f5f7f9", "#55606b"),
    Mark.ADD: ("#ecf8ef", "#0f6b2b"),
    Mark.CHANGE: ("#e9f5fa", "#0b5c7a"),
    Mark.FULL: ("#fff4de", "#8a4600"),
    Mark.DELETE: ("#fdeeee", "#b0141d"),
}
# What a quoted text means to Graphviz: escapes, its end, and entities of HTML.
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "&": "&amp;", "<": "&lt;", ">": "&gt;"})


def plan_as_dot(plan: Plan, *, full: bool = False) -> str:
    """Return the graph of a plan's steps as DOT; `full` folds nothing, however much there is."""
    return "".join(f"{row}\n" for row in _rows(step_graph(plan, full=full)))


def _rows(graph: StepGraph) -> Iterator[str]:
    yield "digraph plan {"
    yield f'  graph [rankdir="LR", label={_quoted(graph.title)}, fontname="sans-serif"]'
    yield '  node [shape="box", style="filled,rounded", fontname="sans-serif"]'
    yield '  edge [color="#55606b", fontname="sans-serif"]'
    for number, group in enumerate(graph.groups, start=1):
        if not group.title:
            yield from (f"  {_node(node)}" for node in group.nodes)
            continue
        yield f"  subgraph cluster_{number} {{"
        yield f'    graph [label={_quoted(group.title)}, color="#d3dae1"]'
        yield from (f"    {_node(node)}" for node in group.nodes)
        yield "  }"
    for edge in graph.edges:
        label = f' [label="{edge.number:,}"]' if edge.number > 1 else ""
        yield f"  {edge.before} -> {edge.after}{label}"
    yield "}"


def _node(node: GraphNode) -> str:
    fill, border = _COLOURS[node.mark]
    dashed = ', style="filled,rounded,dashed"' if node.withheld else ""
    return f'{node.id} [label={_quoted(*node.rows)}, fillcolor="{fill}", color="{border}"{dashed}]'


def _quoted(*rows: str) -> str:
    return '"' + r"\n".join(neutral(row).translate(_ESCAPES) for row in rows) + '"'
