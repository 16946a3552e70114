"""`engine show policy NAME`: the effective policy, and the line that set each field."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from engine.cli.inputs import add_policies_flag, document_paths
from engine.documents.checking import written
from engine.documents.diagnostics import DocumentsError, Severity
from engine.documents.load import load
from engine.documents.model import Place
from engine.documents.nodes import Listing, Table, plain
from engine.documents.policies import PolicySource
from engine.documents.shapes import Shape, shape_of
from engine.documents.suggestions import did_you_mean
from engine.errors import EngineError, ExitCode

FORMAT_VERSION = "1.0"
_HIDDEN = frozenset({"version", "kind", "overrides"})
_MAX_WIDTH = 60
# What YAML reads as a text without quotes, and as nothing else.
_PLAIN = re.compile(
    r"(?!(?:true|false|null)\Z)[A-Za-z][A-Za-z0-9_/+-]*\Z"
    r"|(?![0-9]+e[0-9]+\Z)[0-9]+[a-z][a-z0-9]*\Z"
)

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """A field, its value, and where it was set; None where it holds by default."""

    path: Path
    value: Any
    place: Place | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("name", metavar="NAME", help="the policy")
    parser.add_argument("-format", "--format", choices=("text", "json"), default="text")
    add_policies_flag(parser)


def run(args: argparse.Namespace) -> int:
    """Show the policy. Other documents may have errors, those it is made of may not."""
    loaded = load(document_paths(args))
    source = loaded.policy_sources.get(args.name)
    if source is None or loaded.documents is None:
        if any(each.severity is Severity.ERROR for each in loaded.diagnostics):
            raise DocumentsError(loaded.diagnostics)
        known = sorted(loaded.policy_sources)
        raise EngineError(
            f"there is no policy {args.name!r}",
            fix=did_you_mean(args.name, known) or f"the policies are {', '.join(known)}",
        )
    sys.stdout.write(_as_json(source) if args.format == "json" else _as_text(source))
    return int(ExitCode.OK)


def fields_of(source: PolicySource) -> list[Field]:
    """Return what the policy says with the defaults merged under it, in the schema's order."""
    return list(_fields(source.body, shape_of("policy"), (), with_defaults=True))


def override_fields(override: Table) -> list[Field]:
    """Return what an override changes, and for which databases."""
    overrides = (shape_of("policy").properties or {})["overrides"]
    return list(_fields(override, overrides.items or Shape(), (), with_defaults=False))


def _fields(table: Table, shape: Shape, path: Path, *, with_defaults: bool) -> Iterator[Field]:
    known = shape.properties or {}
    keys = [key for key in known if path or key not in _HIDDEN]
    for key in [*keys, *(key for key in table.entries if key not in known)]:
        node, part = table.get(key), known.get(key) or Shape()
        here = (*path, key)
        if isinstance(node, Table) and node.entries:
            yield from _fields(node, part, here, with_defaults=with_defaults)
        elif isinstance(node, Listing) and any(isinstance(item, Table) for item in node.items):
            for index, item in enumerate(node.items):
                yield Field((*here, index), plain(item), item.place)
        elif node is not None:
            yield Field(here, plain(node), node.place)
        elif with_defaults and part.has_default:
            yield Field(here, part.default, None)
        elif with_defaults and not part.replaces:
            # Nothing is said of the whole map: what it holds by default is told all the same.
            nothing = Table(table.file, table.line, table.column)
            yield from _fields(nothing, part, here, with_defaults=True)


# -- text ----------------------------------------------------------------------------------------


def _as_text(source: PolicySource) -> str:
    rows = [(f"policy {source.name}", _where(source.document.place))]
    rows += _rows(fields_of(source))
    for number, override in enumerate(source.overrides, 1):
        rows.append((f"override {number}", _where(override.place)))
        rows += _rows(override_fields(override))
    width = min(_MAX_WIDTH, max(len(left) for left, _ in rows))
    return "".join(f"{left:<{width}}  {right}".rstrip() + "\n" for left, right in rows)


def _rows(fields: list[Field]) -> Iterator[tuple[str, str]]:
    """Yield the fields as an indented tree: what stands left, and where it was set."""
    above: Path = ()
    for field in fields:
        *parents, name = field.path
        for depth, parent in enumerate(parents):
            if above[: depth + 1] != field.path[: depth + 1]:
                yield f"{'  ' * (depth + 1)}{parent}:", ""
        above = field.path
        label = "-" if isinstance(name, int) else f"{name}:"
        where = _where(field.place) if field.place else "default"
        yield f"{'  ' * len(field.path)}{label} {_inline(field.value)}", where


def _where(place: Place) -> str:
    return f"{place.file}:{place.line}"


def _inline(value: Any) -> str:
    """Return a value as YAML on one line."""
    match value:
        case dict():
            return "{" + ", ".join(f"{key}: {_inline(part)}" for key, part in value.items()) + "}"
        case list():
            return "[" + ", ".join(_inline(part) for part in value) + "]"
        case str() if not _PLAIN.match(value):
            return json.dumps(value, ensure_ascii=False)
        case str() | int():
            return str(value).lower() if isinstance(value, bool) else str(value)
    return "null"


# -- JSON ----------------------------------------------------------------------------------------


def _as_json(source: PolicySource) -> str:
    document = {
        "format_version": FORMAT_VERSION,
        "policy": source.name,
        "set_at": _where(source.document.place),
        "fields": [_as_object(field) for field in fields_of(source)],
        "overrides": [
            {
                "set_at": _where(override.place),
                "fields": [_as_object(field) for field in override_fields(override)],
            }
            for override in source.overrides
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _as_object(field: Field) -> dict[str, Any]:
    return {
        "path": written(field.path),
        "value": field.value,
        "set_at": _where(field.place) if field.place else None,
    }
