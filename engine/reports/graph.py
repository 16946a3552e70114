"""The graph of a plan's steps, folded until it can be looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from engine.plans.codes import Verdict
from engine.plans.plan import Plan, Step
from engine.reports.folding import fold
from engine.reports.lines import Mark, Span
from engine.reports.step_sections import mark_of, what
from engine.reports.wording import VERBS, VERDICTS, moment, place

# More of either is a picture in which nobody finds anything.
NODES = 60
EDGES = 200


@dataclass(frozen=True, slots=True)
class GraphNode:
    """Steps that are shown as one: `rows` say what they are about, `number` how many they are."""

    id: str
    rows: tuple[str, ...]
    mark: Mark
    withheld: bool
    number: int


@dataclass(frozen=True, slots=True)
class GraphGroup:
    """Nodes with a frame around them; without a title there is none."""

    title: str
    nodes: tuple[GraphNode, ...]


@dataclass(frozen=True, slots=True)
class GraphEdge:
    """`after` waits for `before`, for `number` of its steps."""

    before: str
    after: str
    number: int


@dataclass(frozen=True, slots=True)
class StepGraph:
    """What of a plan waits for what; `title` says what it shows."""

    title: str
    groups: tuple[GraphGroup, ...]
    edges: tuple[GraphEdge, ...]


@dataclass(frozen=True, slots=True)
class _Heap:
    """Steps that become one node."""

    group: str
    rows: tuple[str, ...]
    steps: tuple[Step, ...]


def step_graph(plan: Plan, *, full: bool = False) -> StepGraph:
    """Return the graph of a plan's steps.

    Every step is a node of its own if `full` says so or there are few. Else alike steps are one, as
    in the plan as text; where even these are too many, all of a policy that do the same; and at
    last all that do the same.
    """
    graphs = (_graph(plan, heaps(plan.steps)) for heaps in _WAYS)
    first = next(graphs)
    if full or _legible(first):
        return first
    *_, coarsest = shown = list(graphs)
    return next((graph for graph in shown if _legible(graph)), coarsest)


def _legible(graph: StepGraph) -> bool:
    return sum(len(group.nodes) for group in graph.groups) <= NODES and len(graph.edges) <= EDGES


def _graph(plan: Plan, heaps: Iterable[_Heap]) -> StepGraph:
    groups: dict[str, list[GraphNode]] = {}
    node_of: dict[str, str] = {}
    for number, heap in enumerate(heaps, start=1):
        first = heap.steps[0]
        node = GraphNode(
            id=f"n{number}",
            rows=heap.rows,
            mark=mark_of(first),
            withheld=first.withheld_by is not None,
            number=len(heap.steps),
        )
        groups.setdefault(heap.group, []).append(node)
        node_of |= dict.fromkeys((step.id for step in heap.steps), node.id)
    steps = len(plan.steps)
    return StepGraph(
        title=f"Estate {plan.estate} as of {moment(plan.as_of)}: {steps:,} steps",
        groups=tuple(GraphGroup(title, tuple(nodes)) for title, nodes in groups.items()),
        edges=tuple(_edges(plan.steps, node_of)),
    )


def _edges(steps: Iterable[Step], node_of: dict[str, str]) -> Iterator[GraphEdge]:
    """Yield what waits for what between nodes; within one there is nothing to see."""
    counts = Counter(
        (node_of[before], node_of[step.id])
        for step in steps
        for before in step.depends_on
        if before in node_of and node_of[before] != node_of[step.id]
    )
    for (before, after), number in counts.items():
        yield GraphEdge(before, after, number)


def _single(steps: Sequence[Step]) -> Iterator[_Heap]:
    for step in steps:
        rows = [f"{VERBS[step.action]} {step.source.identifier}", f"in {place(step.location)}"]
        if step.slot is not None:
            rows.append(moment(step.slot))
        if step.forecast is not None:
            rows.append(VERDICTS[step.forecast.verdict])
        yield _Heap(step.source.address, tuple(rows), (step,))


def _alike(steps: Sequence[Step]) -> Iterator[_Heap]:
    for some in _by(steps, lambda step: step.withheld_by is not None):
        for entry in fold(some):
            told = "".join(_text(part) for part in what(entry))
            full = (VERDICTS[Verdict.FULL],) if entry.like.verdict is Verdict.FULL else ()
            rows = (told, *full, *_note(entry.steps[0]))
            yield _Heap(entry.like.policy or "no policy", rows, entry.steps)


def _of_policies(steps: Sequence[Step]) -> Iterator[_Heap]:
    for some in _by(steps, lambda step: (step.policy, step.action, step.withheld_by is not None)):
        yield _Heap(some[0].policy or "no policy", _counted(some), tuple(some))


def _of_actions(steps: Sequence[Step]) -> Iterator[_Heap]:
    for some in _by(steps, lambda step: (step.action, step.withheld_by is not None)):
        yield _Heap("", _counted(some), tuple(some))


_WAYS = (_single, _alike, _of_policies, _of_actions)


def _by(steps: Sequence[Step], key: Callable[[Step], object]) -> list[list[Step]]:
    groups: dict[object, list[Step]] = {}
    for step in steps:
        groups.setdefault(key(step), []).append(step)
    return list(groups.values())


def _counted(steps: Sequence[Step]) -> tuple[str, ...]:
    return (f"{VERBS[steps[0].action]} {len(steps):,}", *_note(steps[0]))


def _note(step: Step) -> tuple[str, ...]:
    return ("withheld",) if step.withheld_by is not None else ()


def _text(part: str | Span) -> str:
    return part if isinstance(part, str) else part.text
