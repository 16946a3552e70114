"""YAML as values that know where they stand, on their way from text to typed documents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from engine.documents.model import Place

Value = str | int | float | bool | None


@dataclass(slots=True)
class Leaf:
    """A single value. `text` is how it was written, `quoted` whether in quotes."""

    value: Value
    text: str
    quoted: bool
    file: str
    line: int
    column: int

    size = 1
    height = 0

    @property
    def place(self) -> Place:
        """Where it stands."""
        return Place(self.file, self.line, self.column)

    @property
    def width(self) -> int:
        """How many characters it takes up on its first line."""
        return len(self.text.partition("\n")[0]) + (2 if self.quoted else 0)


@dataclass(slots=True)
class Listing:
    """A list. `size` counts all nodes in it, `height` how deep it is nested."""

    file: str
    line: int
    column: int
    items: list[Node] = field(default_factory=list)
    size: int = 1
    height: int = 1
    width = 1

    @property
    def place(self) -> Place:
        """Where it starts."""
        return Place(self.file, self.line, self.column)


@dataclass(slots=True)
class Entry:
    """A key of a map with its value; line and column are the key's."""

    key: str
    node: Node
    file: str
    line: int
    column: int

    @property
    def place(self) -> Place:
        """Where the key stands."""
        return Place(self.file, self.line, self.column)

    @property
    def width(self) -> int:
        """How many characters the key has."""
        return len(self.key)


@dataclass(slots=True)
class Table:
    """A map, in the order in which it is written."""

    file: str
    line: int
    column: int
    entries: dict[str, Entry] = field(default_factory=dict)
    size: int = 1
    height: int = 1
    width = 1

    @property
    def place(self) -> Place:
        """Where it starts."""
        return Place(self.file, self.line, self.column)

    def get(self, key: str) -> Node | None:
        """Return what stands under a key; None where the key is missing."""
        entry = self.entries.get(key)
        return entry.node if entry else None


Node = Leaf | Listing | Table


def plain(node: Node) -> Any:
    """Return what a node holds as plain dicts, lists and values."""
    if isinstance(node, Table):
        return {entry.key: plain(entry.node) for entry in node.entries.values()}
    if isinstance(node, Listing):
        return [plain(item) for item in node.items]
    return node.value


def find(root: Node, path: tuple[str | int, ...]) -> Node | None:
    """Return what stands at a path of keys and indexes, None where nothing does."""
    node: Node | None = root
    for step in path:
        if isinstance(step, int):
            node = node.items[step] if isinstance(node, Listing) else None
        else:
            node = node.get(step) if isinstance(node, Table) else None
    return node


def texts_at(root: Node | None, *path: str) -> Iterator[Leaf]:
    """Yield the texts at a path in which `*` stands for every item of a list or map.

    What is not as it should be is passed over, so that documents with errors can be searched too.
    """
    if root is None:
        return
    if not path:
        if isinstance(root, Leaf) and isinstance(root.value, str):
            yield root
        return
    step, *rest = path
    if step != "*":
        below = [root.get(step)] if isinstance(root, Table) else []
    elif isinstance(root, Listing):
        below = [*root.items]
    else:
        below = [entry.node for entry in root.entries.values()] if isinstance(root, Table) else []
    for node in below:
        yield from texts_at(node, *rest)
