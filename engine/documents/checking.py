"""Nodes held against shapes: everything that the schema alone decides."""

from __future__ import annotations

from dataclasses import replace

from engine.documents.diagnostics import Code, Diagnostic
from engine.documents.formats import FORMATS
from engine.documents.nodes import Entry, Leaf, Listing, Node, Table
from engine.documents.shapes import Shape
from engine.documents.suggestions import did_you_mean

Path = tuple[str | int, ...]

_WORDS = {
    "object": "a map",
    "array": "a list",
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}
_KINDS = {type(None): "null", bool: "boolean", int: "integer", float: "number", str: "string"}
_ORDER = ("string", "integer", "number", "boolean", "array", "object")
_LENGTHS = frozenset({"span", "elapsed", "days", "period"})
_TRUTH = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}


def check(node: Node, shape: Shape) -> list[Diagnostic]:
    """Return everything in which a document differs from its shape."""
    found: list[Diagnostic] = []
    _Checker(found).check(node, shape, ())
    return found


def written(path: Path) -> str:
    """Return a path as people write it: `snapshots.copies[0].every`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


class _Checker:
    def __init__(self, found: list[Diagnostic]) -> None:
        self._found = found

    def check(self, node: Node, shape: Shape, path: Path) -> None:
        kind = _kind_of(node)
        if shape.types is not None and kind not in shape.types:
            self._found.append(_wrong_type(node, kind, shape, path))
            return
        before = len(self._found)
        if isinstance(node, Table):
            self._check_table(node, shape, path)
        elif isinstance(node, Listing):
            self._check_list(node, shape, path)
        elif shape.values is None:
            self._check_leaf(node, shape, path)
        if shape.values is not None and len(self._found) == before:
            self._check_values(node, shape, path)

    # -- maps ------------------------------------------------------------------------------------

    def _check_table(self, table: Table, shape: Shape, path: Path) -> None:
        before = len(self._found)
        properties = shape.properties or {}
        for entry in table.entries.values():
            part = properties.get(entry.key)
            here = (*path, entry.key)
            if part is None:
                self._check_extra(entry, shape, path)
            elif part.is_later:
                self._tell_later(entry, here)
            else:
                self.check(entry.node, part, here)
        for key in shape.required:
            if key not in table.entries:
                self._found.append(_missing(table, key, properties.get(key), path))
        choice = shape.choice
        if choice is not None and len(self._found) == before:
            fitting = sum(_fits(table, alternative) for alternative in choice.shapes)
            if fitting == 0 or (choice.exactly_one and fitting > 1):
                code = Code.MISSING_KEY if fitting == 0 else Code.BAD_VALUE
                place = table.place
                self._found.append(Diagnostic(code, choice.summary, place, fix=choice.fix))
        if len(table.entries) < shape.min_properties and choice is None:
            summary = f"`{written(path)}` is empty" if path else "the map is empty"
            fix = "fill it, or leave it out"
            self._found.append(Diagnostic(Code.BAD_VALUE, summary, table.place, fix=fix))

    def _check_extra(self, entry: Entry, shape: Shape, path: Path) -> None:
        if shape.closed:
            self._found.append(_unknown_key(entry, shape, path))
            return
        if shape.names is not None:
            self._check_name(entry, shape.names, path)
        if shape.extra is not None:
            self.check(entry.node, shape.extra, (*path, entry.key))

    def _check_name(self, entry: Entry, shape: Shape, path: Path) -> None:
        summary = None
        code = Code.BAD_VALUE
        if shape.max_length is not None and len(entry.key) > shape.max_length:
            code = Code.OUT_OF_RANGE
            summary = f"`{_short(entry.key)}` is longer than {shape.max_length} characters"
        elif len(entry.key) < shape.min_length:
            summary = f"a key of `{written(path)}` is empty"
        elif shape.pattern is not None and not shape.pattern.search(entry.key):
            summary = f"`{_short(entry.key)}` cannot be a key of `{written(path)}`"
        if summary is not None:
            fix = f"write {shape.expected}" if shape.expected else "choose another key"
            found = Diagnostic(code, summary, entry.place, fix=fix, width=entry.width)
            self._found.append(found)

    def _tell_later(self, entry: Entry, path: Path) -> None:
        summary = f"`{written(path)}` is not supported yet"
        fix = "leave it out"
        found = Diagnostic(Code.NOT_YET_SUPPORTED, summary, entry.place, fix=fix, width=entry.width)
        self._found.append(found)

    # -- lists -----------------------------------------------------------------------------------

    def _check_list(self, listing: Listing, shape: Shape, path: Path) -> None:
        if len(listing.items) < shape.min_items:
            summary = f"the list `{written(path)}` is empty, so nothing could fit it"
            fix = "name something, or leave it out"
            self._found.append(Diagnostic(Code.BAD_VALUE, summary, listing.place, fix=fix))
        seen: set[object] = set()
        for index, item in enumerate(listing.items):
            if shape.items is not None:
                self.check(item, shape.items, (*path, index))
            if shape.unique and isinstance(item, Leaf):
                mark = (type(item.value), item.value)
                if mark in seen:
                    summary = f"`{item.text}` stands twice in `{written(path)}`"
                    self._tell(Code.BAD_VALUE, summary, item, "leave one out")
                seen.add(mark)

    # -- single values ---------------------------------------------------------------------------

    def _check_leaf(self, leaf: Leaf, shape: Shape, path: Path) -> None:
        value = leaf.value
        if isinstance(value, str):
            self._check_text(value, leaf, shape, path)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            self._check_number(value, leaf, shape, path)

    def _check_text(self, text: str, leaf: Leaf, shape: Shape, path: Path) -> None:
        if len(text) < shape.min_length:
            self._tell(Code.BAD_VALUE, f"`{written(path)}` is empty", leaf, "fill it")
            return
        if shape.max_length is not None and len(text) > shape.max_length:
            summary = f"`{_short(text)}` is longer than {shape.max_length} characters"
            self._tell(Code.OUT_OF_RANGE, summary, leaf, "shorten it")
            return
        problem = FORMATS[shape.format](text) if shape.format else None
        if problem is not None:
            self._tell(problem.code, problem.summary, leaf, problem.fix, problem.offset)
        elif shape.pattern is not None and not shape.pattern.search(text):
            expected = f"; expected {shape.expected}" if shape.expected else ""
            summary = f"`{_short(text)}` cannot stand in `{written(path)}`{expected}"
            self._tell(Code.BAD_VALUE, summary, leaf, _like(shape))

    def _check_number(self, number: float, leaf: Leaf, shape: Shape, path: Path) -> None:
        low, high = shape.minimum, shape.maximum
        if (low is None or number >= low) and (high is None or number <= high):
            return
        summary = f"`{written(path)}` is {_short(leaf.text)}, which is out of range"
        self._tell(Code.OUT_OF_RANGE, summary, leaf, f"write {low} to {high}")

    def _check_values(self, node: Node, shape: Shape, path: Path) -> None:
        values = shape.values or ()
        text = node.text if isinstance(node, Leaf) else ""
        if isinstance(node, Leaf) and any(
            value == node.value and type(value) is type(node.value) for value in values
        ):
            return
        options = [str(value) for value in values if value is not None]
        fix = did_you_mean(text, options) or f"write {_or(options)}"
        shown = f"`{_short(text)}`" if text else "this"
        summary = f"{shown} cannot stand in `{written(path)}`"
        self._found.append(
            Diagnostic(Code.BAD_VALUE, summary, node.place, fix=fix, width=node.width)
        )

    def _tell(self, code: Code, summary: str, leaf: Leaf, fix: str | None, offset: int = 0) -> None:
        place = leaf.place
        width = leaf.width
        if offset and "\n" not in leaf.text:
            place = replace(place, column=place.column + offset + leaf.quoted)
            width = 1
        self._found.append(Diagnostic(code, summary, place, fix=fix, width=width))


def _fits(node: Node, shape: Shape) -> bool:
    """Say whether one of several alternatives holds."""
    if shape.types is not None and _kind_of(node) not in shape.types:
        return False
    if isinstance(node, Table):
        if any(key not in node.entries for key in shape.required):
            return False
        if shape.max_properties is not None and len(node.entries) > shape.max_properties:
            return False
        return all(
            key not in node.entries or _fits(node.entries[key].node, part)
            for key, part in shape.children()
        )
    return shape.values is None or (isinstance(node, Leaf) and node.value in shape.values)


def _kind_of(node: Node) -> str:
    """Return the JSON Schema name of a node's type."""
    if isinstance(node, Table):
        return "object"
    if isinstance(node, Listing):
        return "array"
    return _KINDS[type(node.value)]


# Keys of a whole policy that are looked for in one of its parts.
_MOVED = {
    "share_with": "write it beside `snapshots`; `from: TARGET` in it means the copies of a target"
}


def _unknown_key(entry: Entry, shape: Shape, path: Path) -> Diagnostic:
    known = [key for key, part in shape.children() if not part.is_later]
    fix = did_you_mean(entry.key, known)
    if fix is None:
        elsewhere = _elsewhere(entry.key, shape, path)
        fix = f"it stands in `{elsewhere}`" if elsewhere else f"known here: {', '.join(known)}"
        fix = _MOVED.get(entry.key, fix) if path else fix
    where = f" in `{written(path)}`" if path else ""
    return Diagnostic(
        Code.UNKNOWN_KEY,
        f"there is no key `{_short(entry.key)}`{where}",
        entry.place,
        fix=fix,
        width=entry.width,
    )


def _elsewhere(key: str, shape: Shape, path: Path) -> str | None:
    """Return where below the map a key would be known, the nearest first."""
    level = [(path, shape)]
    while level:
        deeper = []
        for where, at in level:
            for name, part in at.children():
                if name == key and where != path and not part.is_later:
                    return written((*where, name))
                deeper.append(((*where, name), part))
        level = deeper
    return None


def _missing(table: Table, key: str, shape: Shape | None, path: Path) -> Diagnostic:
    where = f"`{written(path)}`" if path else "the document"
    example = shape.examples[0] if shape and shape.examples else None
    fix = f"add `{key}: {_as_yaml(example)}`" if example is not None else f"add `{key}`"
    return Diagnostic(Code.MISSING_KEY, f"{where} has no `{key}`", table.place, fix=fix)


def _wrong_type(node: Node, kind: str, shape: Shape, path: Path) -> Diagnostic:
    types = shape.types or frozenset()
    due = _or([_WORDS[name] for name in _ORDER if name in types])
    name = f"`{written(path)}`" if path else "the document"
    code, summary, fix = Code.WRONG_TYPE, f"{name} is {_WORDS[kind]}, but {due} is due", None
    if isinstance(node, Leaf):
        text = _short(node.text)
        if kind == "null":
            summary, fix = (
                f"nothing stands under {name}, but {due} is due",
                "fill it, or leave it out",
            )
        elif shape.format in _LENGTHS and kind in {"integer", "number"}:
            code, summary = Code.BAD_DURATION, f"{name} is a number without a unit"
            fix = f"add the unit, like {text}d for days or {text}h for hours"
        elif shape.format == "percentage" and kind in {"integer", "number"}:
            summary, fix = f"{name} is a number without a percent sign", f"write {text}%"
        elif "string" in types and shape.values is not None:
            fix = f"write {_or([str(value) for value in shape.values if value is not None])}"
        elif "string" in types and "integer" not in types:
            code = Code.UNQUOTED
            summary = f"{name} is {_WORDS[kind]} as it is written, but {due} is due"
            fix = f'quote it: "{text}"'
        else:
            fix = _as_written(text, types, shape)
    else:
        fix = _like(shape)
    return Diagnostic(code, summary, node.place, fix=fix, width=node.width)


def _as_written(text: str, types: frozenset[str], shape: Shape) -> str | None:
    """Return how a text would have to be written to be of the right type."""
    if "boolean" in types:
        return f"write {_TRUTH.get(text.lower(), 'true or false')}"
    if "array" in types:
        return f"write a list: {_as_yaml([text])}"
    if "integer" in types and text.strip().isdigit():
        return f"write {int(text)} without quotes"
    return _like(shape)


def _like(shape: Shape) -> str | None:
    return f"write for instance {_as_yaml(shape.examples[0])}" if shape.examples else None


def _as_yaml(value: object) -> str:
    """Return an example on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_as_yaml(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_as_yaml(part) for part in value) + "]"
    text = str(value)
    needs_quotes = isinstance(value, str) and (
        not text[:1].isalnum() or text.isdigit() or ":" in text
    )
    return f'"{text}"' if needs_quotes else text


def _or(words: list[str]) -> str:
    *others, final = words
    return f"{', '.join(others)} or {final}" if others else final


def _short(text: str) -> str:
    line = text.partition("\n")[0]
    return f"{line[:60]}..." if len(text) > 60 or line != text else text
