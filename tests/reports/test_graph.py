"""A plan's graph for Graphviz and for Mermaid."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings

from engine.plans.codes import Action, Verdict
from engine.plans.plan import Plan
from engine.reports.dot import plan_as_dot
from engine.reports.graph import EDGES, NODES, GraphNode, step_graph
from engine.reports.mermaid import plan_as_mermaid
from tests.plans.samples import (
    HOSTILE,
    HOSTILE_MORE,
    SAMPLES,
    create,
    empty,
    guarded,
    hostile,
    many,
    plan,
    small,
    source,
    thin_path,
)
from tests.plans.strategies import plans

Golden = Callable[[str, str], None]
SHOWN = ["small", "many", "guarded", "hostile"]

# A line of DOT: nothing but keywords, names of our own and whole quoted texts.
DOT_TEXT = r'"(?:[^"\\\n]|\\[\\"n])*"'
DOT_LINE = re.compile(
    rf"\s*(?:digraph plan \{{|subgraph cluster_\d+ \{{|\}}"
    rf"|(?:graph|node|edge|n\d+|n\d+ -> n\d+)(?: \[\w+={DOT_TEXT}(?:, \w+={DOT_TEXT})*\])?)"
)
# A line of Mermaid, and the texts in it: letters, digits, harmless marks, codes of all others.
MERMAID_TEXT = r"(?:[\w \-./:,()+→–]|#\d+;)*"
MERMAID_LINE = re.compile(
    rf"flowchart LR|  accTitle: {MERMAID_TEXT}|  subgraph g\d+\[\"{MERMAID_TEXT}\"\]"
    rf"|    direction LR|  end|\s+n\d+\[\"{MERMAID_TEXT}(?:<br>{MERMAID_TEXT})*\"\]:::\w+"
    r"|  n\d+ -->(?:\|[\d,]+\|)? n\d+|  classDef \w+ [\w#:,\- ]+|  class [n\d,]+ withheld"
)


def nodes(shown: Plan, *, full: bool = False) -> list[GraphNode]:
    return [node for group in step_graph(shown, full=full).groups for node in group.nodes]


@pytest.mark.parametrize("sample", SHOWN)
def test_dot_is_as_reviewed(sample: str, golden: Golden) -> None:
    golden(f"{sample}.dot", plan_as_dot(SAMPLES[sample]()))


@pytest.mark.parametrize("sample", SHOWN)
def test_mermaid_is_as_reviewed(sample: str, golden: Golden) -> None:
    golden(f"{sample}.mmd", plan_as_mermaid(SAMPLES[sample]()))


def test_in_a_small_plan_every_step_is_a_node_and_every_dependency_an_edge() -> None:
    shown = thin_path()
    graph = step_graph(shown)
    assert [group.title for group in graph.groups] == ["111111111111/eu-west-1/orders-1"]
    assert [(edge.before, edge.after) for edge in graph.edges] == [
        ("n1", "n2"),
        ("n2", "n3"),
        ("n3", "n4"),
        ("n1", "n5"),
    ]
    assert nodes(shown)[2].rows == (
        "copy orders-1",
        "in 222222222222/eu-west-1",
        "2026-11-21 02:00Z",
        "in full",
    )


def test_in_a_big_plan_alike_steps_are_one_node_with_their_number() -> None:
    graph = step_graph(many(300))
    assert sum(node.number for node in nodes(many(300))) == len(many(300).steps)
    assert len(nodes(many(300))) == 6
    assert graph.edges[0].number == 300
    assert len(nodes(many(300), full=True)) == len(many(300).steps)


def test_where_folds_are_too_many_those_of_a_policy_that_do_the_same_are_one() -> None:
    verdicts = (Verdict.FULL, Verdict.INCREMENTAL)
    steps = [
        create(source(f"d-{number}"), policy=f"p-{number % 40}", verdict=verdicts[number // 40 % 2])
        for number in range(400)
    ]
    shown = plan(*steps)
    assert len(nodes(shown)) == 40
    assert nodes(shown)[0].rows == ("create 10",)
    crowded = plan(*(replace(one, policy=f"p-{n}") for n, one in enumerate(steps)))
    assert [node.rows for node in nodes(crowded)] == [("create 400",)]
    assert step_graph(crowded).groups[0].title == ""


def test_withheld_steps_are_nodes_of_their_own_and_dashed() -> None:
    assert [node.withheld for node in nodes(guarded())] == [False, True, True, True, True, True]
    assert plan_as_dot(guarded()).count("dashed") == 5
    assert "  class n2,n3,n4,n5,n6 withheld\n" in plan_as_mermaid(guarded())


def test_a_step_waits_for_none_that_the_plan_does_not_have_and_none_of_its_own_node() -> None:
    one, other = create(source("a")), create(source("b"))
    lost = replace(other, depends_on=("gone", other.id))
    assert step_graph(plan(one, lost)).edges == ()


def test_a_plan_without_steps_is_a_graph_without_nodes() -> None:
    assert step_graph(empty()).groups == ()
    assert plan_as_mermaid(empty()).startswith("flowchart LR\n")


@pytest.mark.parametrize("make", [small, guarded, many, hostile])
def test_the_picture_stays_small_enough_for_github(make: Callable[[], Plan]) -> None:
    graph = step_graph(make())
    assert len(nodes(make())) <= NODES
    assert len(graph.edges) <= EDGES < 500
    assert len(plan_as_mermaid(make())) < 50_000


@given(plans)
@settings(max_examples=30, deadline=None)
def test_no_text_leaves_its_place(shown: Plan) -> None:
    for row in plan_as_dot(shown).splitlines():
        assert DOT_LINE.fullmatch(row), row
    for row in plan_as_mermaid(shown).splitlines():
        assert MERMAID_LINE.fullmatch(row), row


@pytest.mark.parametrize(
    "attack",
    [
        *(HOSTILE, HOSTILE_MORE, 'x"] evil ["', "x\\", 'a\\" -> b', "%%{init: {'a': 1}}%%", "end"),
        *(
            "<img src=x onerror=alert(1)>",
            "click n1 call alert()",
            "\n n9 --> n8",
            "#quot;",
            "&lt;",
        ),
    ],
)
def test_an_attack_stays_within_its_quotes(attack: str) -> None:
    shown = plan(replace(create(source(attack)), policy=attack), estate=attack)
    for row in plan_as_dot(shown).splitlines():
        assert DOT_LINE.fullmatch(row), row
    for row in plan_as_mermaid(shown).splitlines():
        assert MERMAID_LINE.fullmatch(row), row
    assert len(nodes(shown)) == 1


def test_deletes_and_fulls_look_like_what_they_are() -> None:
    by_mark = {node.rows[0].split()[0]: node.mark.value for node in nodes(thin_path())}
    assert by_mark == {"create": "+", "share": "~", "copy": "!", "unshare": "~", "delete": "-"}
    assert Action.DELETE in {step.action for step in thin_path().steps}
