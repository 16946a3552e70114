"""YAML as values that know where they stand, on their way from text to typed documents."""

from __future__ import annotations

from dataclasses import dataclass, field

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

    def text(self, key: str) -> str | None:
        """Return the text under a key; None where there is none."""
        node = self.get(key)
        return node.value if isinstance(node, Leaf) and isinstance(node.value, str) else None

    def table(self, key: str) -> Table | None:
        """Return the map under a key; None where there is none."""
        node = self.get(key)
        return node if isinstance(node, Table) else None

    def items(self, key: str) -> list[Node]:
        """Return the items of the list under a key; none where there is no list."""
        node = self.get(key)
        return node.items if isinstance(node, Listing) else []


Node = Leaf | Listing | Table


def find(root: Node, path: tuple[str | int, ...]) -> Entry | Node | None:
    """Return what stands at a path of keys and indexes: the entry of the last key, or the item."""
    found: Entry | Node | None = root
    for step in path:
        node = found.node if isinstance(found, Entry) else found
        if isinstance(step, int):
            found = node.items[step] if isinstance(node, Listing) else None
        else:
            found = node.entries.get(step) if isinstance(node, Table) else None
    return found
