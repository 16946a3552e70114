"""The schemas, compiled: what may stand where, ready to be held against nodes.

Documents are checked by the keywords of JSON Schema that the schemas use. A validator library
would say that an instance "is not valid under any of the given schemas"; this knows lines and
columns, says what was probably meant, and takes a fraction of the time. Tests hold both against
each other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

# In a checkout this is a link to the folder at the top level; a wheel holds the files themselves.
SCHEMAS = Path(__file__).parents[1] / "schemas"
KINDS = ("estate", "accounts", "policy", "fleet", "events", "controls")
SCHEMA_FILES = {kind: f"{kind}.v1.json" for kind in KINDS}
KEYWORDS = frozenset(
    {
        "$schema", "$id", "$ref", "$defs", "title", "description", "examples", "default", "not",
        "type", "properties", "additionalProperties", "required", "propertyNames", "items",
        "enum", "const", "pattern", "format", "minimum", "maximum", "minLength", "maxLength",
        "minItems", "uniqueItems", "minProperties", "maxProperties", "anyOf", "oneOf",
        "x-expected", "x-otherwise", "x-merge", "x-not-yet-supported",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Choice:
    """Alternatives of which one must hold (or exactly one), and what to say where none does."""

    shapes: tuple[Shape, ...]
    exactly_one: bool
    summary: str
    fix: str | None


@dataclass(frozen=True, slots=True)
class Shape:
    """What a value must be like; None where nothing is asked."""

    description: str = ""
    examples: tuple[Any, ...] = ()
    default: Any = None
    has_default: bool = False
    types: frozenset[str] | None = None
    properties: Mapping[str, Shape] | None = None
    extra: Shape | None = None
    closed: bool = False
    required: tuple[str, ...] = ()
    names: Shape | None = None
    items: Shape | None = None
    values: tuple[Any, ...] | None = None
    pattern: re.Pattern[str] | None = None
    format: str | None = None
    minimum: int | None = None
    maximum: int | None = None
    min_length: int = 0
    max_length: int | None = None
    min_items: int = 0
    min_properties: int = 0
    max_properties: int | None = None
    unique: bool = False
    choice: Choice | None = None
    expected: str | None = None
    replaces: bool = False
    is_later: bool = False

    def children(self) -> Iterator[tuple[str, Shape]]:
        """Yield the named properties."""
        yield from (self.properties or {}).items()


def schema_text(name: str) -> str:
    """Return the text of a schema file, from the checkout or from the installed package.

    Raises:
        FileNotFoundError: when there is no such schema.
    """
    return (SCHEMAS / name).read_text(encoding="utf-8")


@lru_cache(maxsize=16)
def _schema(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(schema_text(name))
    return schema


@lru_cache(maxsize=16)
def shape_of(kind: str) -> Shape:
    """Return the shape of a kind of document."""
    name = SCHEMA_FILES[kind]
    return _compile(_schema(name), name, {})


def _compile(schema: Mapping[str, Any], file: str, done: dict[tuple[str, str], Shape]) -> Shape:
    """Compile a schema that stands in `file`; `done` holds definitions that others refer to."""
    strangers = schema.keys() - KEYWORDS
    if strangers:
        raise ValueError(f"{file}: the keywords {sorted(strangers)} are not understood")
    merged, home = _with_reference(schema, file)
    extra = merged.get("additionalProperties")
    return Shape(
        description=merged.get("description", ""),
        examples=tuple(merged.get("examples", ())),
        default=merged.get("default"),
        has_default="default" in merged,
        types=_types(merged),
        properties=_properties(merged, home, done),
        extra=_definition(extra, home, done) if isinstance(extra, Mapping) else None,
        closed=extra is False,
        required=tuple(merged.get("required", ())),
        names=_part(merged, "propertyNames", home, done),
        items=_part(merged, "items", home, done),
        values=_values(merged),
        pattern=_pattern(merged),
        format=merged.get("format"),
        minimum=merged.get("minimum"),
        maximum=merged.get("maximum"),
        min_length=merged.get("minLength", 0),
        max_length=merged.get("maxLength"),
        min_items=merged.get("minItems", 0),
        min_properties=merged.get("minProperties", 0),
        max_properties=merged.get("maxProperties"),
        unique=merged.get("uniqueItems", False),
        choice=_choice(merged, home, done),
        expected=merged.get("x-expected"),
        replaces=merged.get("x-merge") == "replace",
        is_later=merged.get("x-not-yet-supported", False),
    )


def _with_reference(schema: Mapping[str, Any], file: str) -> tuple[dict[str, Any], str]:
    """Return a schema with what it refers to filled in, and the file that this stands in.

    What stands beside a reference is said last: only descriptions and narrower types do.
    """
    reference = schema.get("$ref")
    if reference is None:
        return dict(schema), file
    name, _, pointer = reference.partition("#/$defs/")
    home = name or file
    target, home = _with_reference(_schema(home)["$defs"][pointer], home)
    return target | {key: value for key, value in schema.items() if key != "$ref"}, home


def _definition(schema: Mapping[str, Any], file: str, done: dict[tuple[str, str], Shape]) -> Shape:
    reference = schema.get("$ref")
    if reference is None or len(schema) > 1:
        return _compile(schema, file, done)
    name, _, pointer = reference.partition("#")
    key = (name or file, pointer)
    if key not in done:
        done[key] = _compile(schema, file, done)
    return done[key]


def _part(
    schema: Mapping[str, Any], keyword: str, file: str, done: dict[tuple[str, str], Shape]
) -> Shape | None:
    part = schema.get(keyword)
    return None if part is None else _definition(part, file, done)


def _properties(
    schema: Mapping[str, Any], file: str, done: dict[tuple[str, str], Shape]
) -> dict[str, Shape] | None:
    properties = schema.get("properties")
    if properties is None:
        return None
    return {key: _definition(part, file, done) for key, part in properties.items()}


def _types(schema: Mapping[str, Any]) -> frozenset[str] | None:
    types = schema.get("type")
    if types is None:
        return None
    return frozenset({types} if isinstance(types, str) else types)


def _values(schema: Mapping[str, Any]) -> tuple[Any, ...] | None:
    if "const" in schema:
        return (schema["const"],)
    return tuple(schema["enum"]) if "enum" in schema else None


def _pattern(schema: Mapping[str, Any]) -> re.Pattern[str] | None:
    """Return the pattern as Python means it: its `$` also matches before a last line break."""
    pattern = schema.get("pattern")
    if pattern is None:
        return None
    return re.compile(pattern[:-1] + r"\Z" if pattern.endswith("$") else pattern)


def _choice(
    schema: Mapping[str, Any], file: str, done: dict[tuple[str, str], Shape]
) -> Choice | None:
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            otherwise = schema["x-otherwise"]
            return Choice(
                tuple(_compile(part, file, done) for part in schema[keyword]),
                keyword == "oneOf",
                otherwise["summary"],
                otherwise.get("fix"),
            )
    return None
