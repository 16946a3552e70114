"""The house as docs/design.md draws it: who may import whom, and who may touch the world."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ENGINE = Path(__file__).parent.parent / "engine"

RECORDS = {"inventory.records", "inventory.placement"}
VALUES = RECORDS | {
    "identity",
    "retention",
    "plans",
    "documents.model",
    "documents.control_model",
    "documents.objective_model",
    "documents.terms",
    "documents.windows",
}

CONVERTING = {"inventory.wire", "inventory.bulk", "inventory.convert"}

# Each package, or module where it differs from its package, and what of `engine` it may import.
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "retention": set(),
    "inventory.records": set(),
    "inventory.placement": {"inventory.records"},
    "identity": RECORDS,
    "plans": {"errors"},
    "documents.objective_model": set(),
    "documents.control_model": {"documents.model"},
    "documents.model": {
        *("retention", "inventory.records"),
        *("documents.control_model", "documents.objective_model"),
    },
    "documents.terms": {"documents.model"},
    "documents.windows": {"documents.model"},
    "documents.scene": {"documents.model"},
    "documents": {"errors", "retention", "schemas", "inventory.records"},
    "planning": {
        *(*VALUES, "verifying"),
        *("costs.prices", "costs.price_file", "costs.durations", "costs.ranges"),
    },
    "verifying": VALUES,
    "simulation": VALUES | {"planning", "verifying", "documents.scene", "costs", "errors"},
    "inventory.wire": {"inventory.records"},
    "inventory.bulk": set(),
    "inventory.convert": RECORDS | {"inventory.wire", "inventory.bulk"},
    "inventory.wire_clusters": {"inventory.wire"},
    "inventory.convert_clusters": {*RECORDS, *CONVERTING, "inventory.wire_clusters"},
    "aws": {
        *("errors", *RECORDS, *CONVERTING),
        *("inventory.wire_clusters", "inventory.convert_clusters"),
    },
    "aws.roles": {"inventory.convert"},
    "inventory": {"errors", "aws", "documents.model", "identity"},
    "applying": VALUES | {"errors", "aws", "inventory", "reports.neutral"},
    "permissions": {
        *(*RECORDS, "documents.model", "inventory.convert", "aws.roles"),
        *("planning.topology", "costs.price_file"),
    },
    "costs": {*RECORDS, "errors", "identity", "plans", "documents.model"},
    "auditing": VALUES | {"planning", "simulation", "documents.scene"},
    "consequences": VALUES | {"planning", "costs"},
    "reports": {"errors", "plans", "retention", "simulation.timeline", "simulation.before"},
    "reports.neutral": set(),
    "lab": set(),
    "cli": {
        *("errors", "documents", "inventory", "planning", "plans", "applying", "reports"),
        *("retention", "lab", "schemas", "aws", "identity", "permissions", "costs", "simulation"),
        *("auditing", "consequences"),
    },
}
PURE = (
    *("planning", "retention", "verifying", "plans", "identity", "permissions", "simulation"),
    *("auditing", "consequences"),
)
WORLDLY = {"boto3", "botocore", "os", "pathlib", "time", "socket", "subprocess", "random", "io"}
HEAVY = {"boto3", "botocore", "networkx", "jsonschema", "jinja2", "rich", "moto", "flask"}


def modules() -> list[Path]:
    return sorted(path for path in ENGINE.rglob("*.py") if "schemas" not in path.parts)


def dotted(path: Path) -> str:
    parts = path.relative_to(ENGINE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def matches(name: str, allowed: set[str]) -> bool:
    return any(name == room or name.startswith(f"{room}.") for room in allowed)


def room_of(name: str) -> str:
    """The entry of MAY_IMPORT that speaks for a module: the longest that fits."""
    return max((room for room in MAY_IMPORT if matches(name, {room})), key=len, default="")


@pytest.mark.parametrize("path", modules(), ids=dotted)
def test_a_module_imports_only_what_its_room_may(path: Path) -> None:
    name = dotted(path)
    if name in {"", "__main__"}:
        return
    room = room_of(name)
    assert room, f"engine.{name} stands in no room of the house"
    known = {dotted(other) for other in modules()}
    for imported in imports(ast.parse(path.read_text())):
        target = imported.removeprefix("engine.")
        if not imported.startswith("engine.") or target not in known or target == "":
            continue
        own = matches(target, {room.split(".")[0]}) and room.split(".")[0] == room
        assert own or target == name or matches(target, MAY_IMPORT[room]), (
            f"engine.{name} imports {imported}"
        )


@pytest.mark.parametrize("package", PURE)
def test_the_pure_core_touches_no_clock_file_or_network(package: str) -> None:
    for path in (ENGINE / package).rglob("*.py"):
        tree = ast.parse(path.read_text())
        taken = {name.split(".")[0] for name in imports(tree)} & WORLDLY
        assert not taken, f"{path.name} imports {taken}"
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called not in {"open", "print", "input"}, f"{path.name} calls {called}"
                assert not called.endswith((".now", ".today", ".utcnow")), (
                    f"{path.name} reads a clock"
                )


@pytest.mark.parametrize("path", modules(), ids=dotted)
def test_heavy_libraries_are_imported_where_they_are_used(path: Path) -> None:
    if dotted(path).split(".")[0] in {"lab", "aws"}:
        return
    tree = ast.parse(path.read_text())
    at_the_top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    taken = {name.split(".")[0] for node in at_the_top for name in imports(node)} & HEAVY
    assert not taken, f"engine.{dotted(path)} imports {taken} when it is loaded"


def test_nobody_imports_the_commands() -> None:
    for path in modules():
        name = dotted(path)
        if name.split(".")[0] in {"cli", "__main__"}:
            continue
        assert not any(i.startswith("engine.cli") for i in imports(ast.parse(path.read_text())))


def test_the_rules_can_be_broken() -> None:
    assert not matches("planning.plan", MAY_IMPORT["verifying"])
    assert not matches("documents.load", MAY_IMPORT["planning"])
    assert room_of("inventory.live") == "inventory"
    assert room_of("inventory.records") == "inventory.records"
