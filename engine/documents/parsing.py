"""YAML text -> nodes that know their places.

The nodes are composed from the parser's events with a stack of their own, so that depth, aliases
and duplicate keys are in hand before anything is built: PyYAML's composer recurses and lets later
duplicates win. Plain scalars are read by the core schema of YAML 1.2, in which `yes`, `012` and
`1:30` are no truth value, octal or sexagesimal number.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

import yaml

from engine.documents.diagnostics import Code, Diagnostic
from engine.documents.model import Place
from engine.documents.nodes import Entry, Leaf, Listing, Node, Table, Value

MAX_DEPTH = 40
MAX_NODES = 200_000
MAX_ALIASED_NODES = 20_000
MAX_DIAGNOSTICS = 100
_TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels"
_FLATTER = "write it flatter"
# libyaml from 0.2.6 on reads ahead to its own limit before it tells of the first list or map.
_TOO_DEEP_FOR_THE_PARSER = "exceeded maximum nesting depth"

_DOCUMENT_START = re.compile(r"^---(?=\s|$)", re.MULTILINE)
# What YAML does not allow, and the line breaks of other standards, which editors do not count.
_CONTROL = re.compile(
    "[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_TAB = re.compile(r"^([^\t\n]*)\t[^\n]*$", re.MULTILINE)
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?\Z")
_WORDS: dict[str, Value] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_NUMERIC = frozenset("0123456789+-.")
_STRING_TAGS = frozenset({"tag:yaml.org,2002:str", "!"})


@dataclass(slots=True)
class Parsed:
    """The documents of one file, as far as they could be read, and what was wrong."""

    roots: list[Node] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether every document was read."""
        return not self.diagnostics


def parse(text: str, file: str) -> Parsed:
    """Read every document of a text. After a fault it goes on at the next `---`."""
    parsed = Parsed()
    _check_characters(text, file, parsed.diagnostics)
    if parsed.diagnostics:
        return parsed
    offset, skipped = 0, 0
    while offset is not None and len(parsed.diagnostics) < MAX_DIAGNOSTICS:
        composer = _Composer(file, skipped, parsed)
        rest = text[offset:]
        failed_at = composer.compose(rest)
        if failed_at is None:
            break
        found = _next_document(rest, failed_at)
        if found is None:
            break
        offset, skipped = offset + found[0], skipped + found[1]
    return parsed


def _check_characters(text: str, file: str, diagnostics: list[Diagnostic]) -> None:
    bad = _CONTROL.search(text)
    if bad:
        place = _place_of(text, bad.start(), file)
        summary = f"a control character, U+{ord(bad.group()):04X}, cannot stand in a document"
        fix = "save the file as plain UTF-8 text"
        diagnostics.append(Diagnostic(Code.NOT_TEXT, summary, place, fix=fix))
        return
    if "\t" not in text:
        return
    for match in _TAB.finditer(text):
        before = match.group(1)
        if before.lstrip().startswith("#") or " #" in before:
            continue
        place = _place_of(text, match.end(1), file)
        fix = (
            "indent with spaces" if not before.strip() else "write a space, or \\t in double quotes"
        )
        diagnostics.append(Diagnostic(Code.TAB, "a tab stands here", place, fix=fix))
        if len(diagnostics) > MAX_DIAGNOSTICS:
            return


def _place_of(text: str, index: int, file: str) -> Place:
    start = text.rfind("\n", 0, index) + 1
    return Place(file, text.count("\n", 0, index) + 1, index - start + 1)


def _next_document(text: str, line: int) -> tuple[int, int] | None:
    """Return where the first document after a line starts, as an offset and as a line."""
    # The line of a fault can be the marker itself, where the document before it was left open.
    position = 0
    for _ in range(max(1, line)):
        position = text.find("\n", position) + 1
        if position == 0:
            return None
    found = _DOCUMENT_START.search(text, position)
    if found is None:
        return None
    return found.start(), text.count("\n", 0, found.start())


def _events(text: str) -> Callable[[], Any]:
    """Return what yields the next event of a text: from the C parser where there is one."""
    reader: Any = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
    next_event: Callable[[], Any] = reader(text).get_event
    return next_event


class _StopError(Exception):
    """The document cannot be read on."""

    def __init__(self, diagnostic: Diagnostic, line: int) -> None:
        super().__init__(diagnostic.summary)
        self.diagnostic = diagnostic
        self.line = line


@dataclass(slots=True)
class _Open:
    """A list or map that is being read; `started` is how many nodes there were before it."""

    node: Listing | Table
    started: int
    anchor: str | None
    key: tuple[str, int, int] | None = None
    awaits_value: bool = False


class _Composer:
    """Composes the documents of one text."""

    def __init__(self, file: str, skipped: int, parsed: Parsed) -> None:
        self._file = file
        self._first = skipped + 1
        self._parsed = parsed
        self._open: list[_Open] = []
        self._anchors: dict[str, Node | None] = {}
        self._nodes = 0
        self._aliased = 0
        self._complete: list[Node] = []
        self._handlers: dict[type, Callable[[Any], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._start_map,
            yaml.SequenceStartEvent: self._start_list,
            yaml.MappingEndEvent: self._end,
            yaml.SequenceEndEvent: self._end,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._start_document,
            yaml.DocumentEndEvent: self._end_document,
        }

    def compose(self, text: str) -> int | None:
        """Read all documents; return the line (from 0, in `text`) of a fault that stopped it."""
        handlers = self._handlers
        try:
            next_event = _events(text)
            while True:
                event = next_event()
                handler = handlers.get(type(event))
                if handler is not None:
                    handler(event)
                elif isinstance(event, yaml.StreamEndEvent):
                    return None
        except yaml.MarkedYAMLError as error:
            return self._syntax(error)
        except _StopError as fault:
            self._parsed.diagnostics.append(fault.diagnostic)
            return fault.line

    # -- documents -------------------------------------------------------------------------------

    def _start_document(self, _: Any) -> None:
        self._open.clear()
        self._anchors.clear()
        self._aliased = 0
        self._complete.clear()

    def _end_document(self, _: Any) -> None:
        self._parsed.roots.extend(self._complete)

    # -- nodes -----------------------------------------------------------------------------------

    def _scalar(self, event: Any) -> None:
        mark = event.start_mark
        if event.tag is not None and event.tag not in _STRING_TAGS:
            self._refuse_tag(event.tag, mark)
        text = event.value
        plain = event.implicit[0] and event.tag is None
        opened = self._open[-1] if self._open else None
        if opened and isinstance(opened.node, Table) and not opened.awaits_value:
            self._take_key(opened, text, mark)
            return
        value = _resolve(text) if plain else text
        quoted = event.style in {"'", '"'}
        leaf = Leaf(value, text, quoted, self._file, mark.line + self._first, mark.column + 1)
        self._add(leaf, event.anchor, mark)

    def _start_map(self, event: Any) -> None:
        mark = event.start_mark
        self._start(Table(self._file, mark.line + self._first, mark.column + 1), event)

    def _start_list(self, event: Any) -> None:
        mark = event.start_mark
        self._start(Listing(self._file, mark.line + self._first, mark.column + 1), event)

    def _start(self, node: Listing | Table, event: Any) -> None:
        mark = event.start_mark
        if len(self._open) >= MAX_DEPTH:
            self._stop(Code.TOO_DEEP, _TOO_DEEP, mark, _FLATTER)
        if event.tag is not None and event.tag != "!":
            self._refuse_tag(event.tag, mark)
        self._check_place(mark)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._count(mark)
        self._open.append(_Open(node, self._nodes, event.anchor))

    def _end(self, event: Any) -> None:
        opened = self._open.pop()
        node = opened.node
        node.size = 1 + self._nodes - opened.started
        self._nodes -= 1
        self._add(node, opened.anchor, event.start_mark)

    def _alias(self, event: Any) -> None:
        mark = event.start_mark
        if event.anchor not in self._anchors:
            self._stop(Code.ANCHORS, f"there is no anchor `&{event.anchor}` before this", mark)
        node = self._anchors[event.anchor]
        if node is None:
            self._stop(Code.ANCHORS, f"`*{event.anchor}` stands inside of what it stands for", mark)
        self._check_place(mark)
        self._aliased += node.size
        if self._aliased > MAX_ALIASED_NODES:
            summary = f"aliases stand for more than {MAX_ALIASED_NODES} values"
            self._stop(Code.ANCHORS, summary, mark, "write fewer aliases of large anchors")
        if len(self._open) + node.height > MAX_DEPTH:
            self._stop(Code.TOO_DEEP, _TOO_DEEP, mark, _FLATTER)
        self._nodes += node.size - 1
        self._add(node, None, mark)

    def _add(self, node: Node, anchor: str | None, mark: Any) -> None:
        self._count(mark)
        if anchor is not None:
            self._anchors[anchor] = node
        if not self._open:
            self._complete.append(node)
            return
        opened = self._open[-1]
        container = opened.node
        container.height = max(container.height, node.height + 1)
        if isinstance(container, Listing):
            container.items.append(node)
            return
        opened.awaits_value = False
        if opened.key is not None:
            key, line, column = opened.key
            container.entries[key] = Entry(key, node, self._file, line, column)

    def _take_key(self, opened: _Open, key: str, mark: Any) -> None:
        opened.awaits_value = True
        opened.key = (key, mark.line + self._first, mark.column + 1)
        table = opened.node
        if key == "<<":
            fix = "put what policies share under the estate's `defaults`, or repeat it"
            self._tell(Code.YAML_FEATURE, "merge keys are not supported", mark, fix, 2)
            opened.key = None
        elif isinstance(table, Table) and key in table.entries:
            summary = f"`{key}` stands twice; the first is in line {table.entries[key].line}"
            fix = "delete one of them, or merge them"
            self._tell(Code.DUPLICATE_KEY, summary, mark, fix, len(key))
            opened.key = None

    def _check_place(self, mark: Any) -> None:
        """Refuse maps, lists and aliases as keys."""
        opened = self._open[-1] if self._open else None
        if opened and isinstance(opened.node, Table) and not opened.awaits_value:
            self._stop(Code.SYNTAX, "a key can only be a text", mark, "write a plain key")

    def _count(self, mark: Any) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._stop(Code.TOO_LARGE, f"more than {MAX_NODES} values in one file", mark)

    # -- faults ----------------------------------------------------------------------------------

    def _refuse_tag(self, tag: str, mark: Any) -> None:
        shown = tag.replace("tag:yaml.org,2002:", "!!")
        self._tell(Code.YAML_FEATURE, f"the tag `{shown}` is not supported", mark, "leave it out")

    def _tell(self, code: Code, summary: str, mark: Any, fix: str | None, width: int = 1) -> None:
        place = Place(self._file, mark.line + self._first, mark.column + 1)
        diagnostic = Diagnostic(code, summary, place, fix=fix, width=width)
        if len(self._parsed.diagnostics) >= MAX_DIAGNOSTICS:
            raise _StopError(diagnostic, mark.line)
        self._parsed.diagnostics.append(diagnostic)

    def _stop(self, code: Code, summary: str, mark: Any, fix: str | None = None) -> NoReturn:
        place = Place(self._file, mark.line + self._first, mark.column + 1)
        raise _StopError(Diagnostic(code, summary, place, fix=fix), mark.line)

    def _syntax(self, error: yaml.MarkedYAMLError) -> int:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line, mark.column) if mark else (0, 0)
        if error.problem == _TOO_DEEP_FOR_THE_PARSER:
            place = Place(self._file, line + self._first, column + 1)
            fault = Diagnostic(Code.TOO_DEEP, _TOO_DEEP, place, fix=_FLATTER)
            self._parsed.diagnostics.append(fault)
            return line
        context = error.context if error.context and error.context_mark else None
        where = (
            f"{context} that begins in line {error.context_mark.line + self._first}"
            if (context and error.context_mark)
            else None
        )
        diagnostic = Diagnostic(
            Code.SYNTAX,
            error.problem or "this is not YAML",
            Place(self._file, line + self._first, column + 1),
            detail=where,
            fix=_SYNTAX_FIXES.get(error.problem or ""),
        )
        self._parsed.diagnostics.append(diagnostic)
        return line


_SYNTAX_FIXES = {
    "mapping values are not allowed in this context": (
        "quote a text that holds `: `, and indent with the same number of spaces on each line"
    ),
    "found character that cannot start any token": "quote a text that begins with @, ` or %",
    "did not find expected ',' or ']'": "close the list with `]`",
    "did not find expected ',' or '}'": "close the map with `}`",
    "did not find expected key": "indent keys of one map alike",
    "did not find expected '-' indicator": "indent items of one list alike",
    "found unexpected end of stream": "close the quotes",
    "could not find expected ':'": "write `key: value`",
    "did not find expected alphabetic or numeric character": "quote a text that begins with * or &",
}


def _resolve(text: str) -> Value:
    """Return what a plain scalar means in YAML 1.2's core schema, whole floats as integers."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC:
        return text
    if _INTEGER.match(text):
        return int(text)
    if _FLOAT.match(text):
        number = float(text)
        return int(number) if number.is_integer() else number
    return text
