"""What holds after merging: defaults under a policy, an override on top.

Maps merge by key; lists and what the schema marks as replaced stand whole; null removes. Every node
keeps its place, so that the result still tells which line set what.
"""

from __future__ import annotations

from engine.documents.nodes import Entry, Leaf, Node, Table
from engine.documents.shapes import Shape


def merged(below: Table, above: Table, shape: Shape) -> Table:
    """Return `above` merged over `below`, without what null removed."""
    result = Table(above.file, above.line, above.column)
    properties = shape.properties or {}
    for key in [*below.entries, *(key for key in above.entries if key not in below.entries)]:
        under, over = below.entries.get(key), above.entries.get(key)
        entry = _merged_entry(under, over, properties.get(key) or shape.extra)
        if entry is not None:
            result.entries[key] = entry
    return result


def _merged_entry(under: Entry | None, over: Entry | None, shape: Shape | None) -> Entry | None:
    top = over or under
    if top is None or _is_null(top.node):
        return None
    node = top.node
    if isinstance(node, Table) and shape is not None and not shape.replaces:
        beneath = under.node if over and under and isinstance(under.node, Table) else None
        empty = Table(node.file, node.line, node.column)
        node = merged(beneath or empty, node, shape)
    return Entry(top.key, node, top.file, top.line, top.column)


def _is_null(node: Node) -> bool:
    return isinstance(node, Leaf) and node.value is None
