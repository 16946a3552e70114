"""Files -> documents: read, checked, merged and built, with all diagnostics at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.documents.checking import check
from engine.documents.checks import check_documents
from engine.documents.controls import check_controls, controls_of
from engine.documents.diagnostics import (
    Code,
    Diagnostic,
    DocumentsError,
    Severity,
    in_order,
)
from engine.documents.digest import digest_of, digest_of_controls
from engine.documents.estates import account_table, estate_of
from engine.documents.files import Texts, read
from engine.documents.merging import merged
from engine.documents.model import Documents, Estate, Place, Policy
from engine.documents.nodes import Entry, Leaf, Node, Table, texts_at
from engine.documents.parsing import MAX_DIAGNOSTICS, parse
from engine.documents.policies import PolicySource, policy_of
from engine.documents.references import check_references
from engine.documents.scene import EMPTY, Scene
from engine.documents.scenes import check_scene, scene_of
from engine.documents.shapes import KINDS, Shape, shape_of
from engine.documents.sources import Sources
from engine.documents.suggestions import did_you_mean


@dataclass(frozen=True, slots=True)
class Loaded:
    """What paths hold: the documents (None where there are errors) and all diagnostics.

    `policy_sources` are the policies as nodes that know which line set them, errors or not.
    `scene` is what there is to be simulated; it is empty where there are errors.
    """

    documents: Documents | None
    diagnostics: tuple[Diagnostic, ...]
    policy_sources: Mapping[str, PolicySource]
    scene: Scene = EMPTY


def load(paths: Sequence[Path]) -> Loaded:
    """Read and check all documents in files and folders. Bad input is told, never raised."""
    return load_texts(read(paths), str(paths[0]) if paths else "policies")


def load_texts(texts: Texts, where: str) -> Loaded:
    """Check all documents in texts that were read; `where` names what they were read from."""
    found = list(texts.diagnostics)
    kinds = _Kinds(is_whole=not found)
    for file, text in texts.by_file.items():
        _take(text, file, kinds, found)
    if not found and not any(kinds.of(kind) for kind in KINDS):
        found.append(_nothing(texts, where))
    documents, sources = _assemble(kinds, found)
    lines = {place.file: texts.by_file[place.file].split("\n") for place in _places(found, texts)}
    is_wrong = any(each.severity is Severity.ERROR for each in found)
    scene = EMPTY if is_wrong else scene_of(kinds.fleets, kinds.events)
    return Loaded(documents, in_order(found, lines), sources.policies, scene)


def load_or_raise(paths: Sequence[Path]) -> Documents:
    """Return the documents in files and folders.

    Raises:
        DocumentsError: with all diagnostics, when there are errors.
    """
    return documents_of(load(paths))


def documents_of(loaded: Loaded) -> Documents:
    """Return the documents that were loaded.

    Raises:
        DocumentsError: with all diagnostics, when there are errors.
    """
    if loaded.documents is None:
        raise DocumentsError(loaded.diagnostics)
    return loaded.documents


def _places(found: list[Diagnostic], texts: Texts) -> list[Place]:
    places = {each.place.file: each.place for each in found if each.place}
    return [place for file, place in places.items() if file in texts.by_file]


# -- one document at a time ----------------------------------------------------------------------


@dataclass(slots=True)
class _Kinds:
    """The documents by kind, and which of them fit their schema."""

    is_whole: bool
    estates: list[Table] = field(default_factory=list)
    accounts: list[Table] = field(default_factory=list)
    policies: list[Table] = field(default_factory=list)
    fleets: list[Table] = field(default_factory=list)
    events: list[Table] = field(default_factory=list)
    unfit: set[int] = field(default_factory=set)
    controls: list[Table] = field(default_factory=list)

    def of(self, kind: str) -> list[Table]:
        """Return the documents of a kind."""
        return {
            "estate": self.estates,
            "accounts": self.accounts,
            "policy": self.policies,
            "fleet": self.fleets,
            "events": self.events,
            "controls": self.controls,
        }[kind]

    @property
    def beside_the_estate(self) -> list[Table]:
        """The documents that need an estate."""
        return [*self.policies, *self.accounts, *self.controls]

    def fits(self, table: Table) -> bool:
        """Say whether a document fits its schema."""
        return id(table) not in self.unfit


def _take(text: str, file: str, kinds: _Kinds, found: list[Diagnostic]) -> None:
    parsed = parse(text, file)
    before = len(found)
    found.extend(parsed.diagnostics)
    kinds.is_whole = kinds.is_whole and parsed.is_whole
    for root in parsed.roots:
        if isinstance(root, Leaf) and root.value is None:
            continue
        kind = _kind_of(root, found)
        if kind is None or not isinstance(root, Table):
            kinds.is_whole = False
            continue
        kinds.of(kind).append(root)
        wrong = check(root, shape_of(kind))
        if wrong or not parsed.is_whole:
            kinds.unfit.add(id(root))
        found.extend(wrong)
    _shorten(found, before + MAX_DIAGNOSTICS)


def _shorten(found: list[Diagnostic], most: int) -> None:
    """Leave out what a file that is wrong throughout would add without end."""
    if len(found) > most:
        summary = "more errors follow that are not shown"
        found[most:] = [Diagnostic(Code.TOO_MANY, summary, found[most].place)]


def _kind_of(root: Node, found: list[Diagnostic]) -> str | None:
    """Return the kind of a document that this version can read; note why it cannot."""
    if not isinstance(root, Table):
        summary = "a document is a map that starts with `version: 1` and `kind:`"
        fix = "write `key: value` lines"
        found.append(Diagnostic(Code.WRONG_TYPE, summary, root.place, fix=fix, width=root.width))
        return None
    version = root.get("version")
    if version is not None and not _is_one(version):
        found.append(_bad_version(version))
        return None
    kind = root.get("kind")
    if kind is None:
        summary = "the document does not say of what kind it is"
        fix = f"add `kind:`, one of {', '.join(KINDS)}"
        found.append(Diagnostic(Code.MISSING_KEY, summary, root.place, fix=fix))
        return None
    text = kind.text if isinstance(kind, Leaf) else ""
    if text not in KINDS:
        found.append(_bad_kind(kind, text))
        return None
    return text


def _is_one(version: Node) -> bool:
    return isinstance(version, Leaf) and version.value == 1 and version.value is not True


def _bad_version(version: Node) -> Diagnostic:
    shown = f"`{version.text[:60]}`" if isinstance(version, Leaf) and version.text else "this"
    summary = f"{shown} is no version of the format"
    fix = "write `version: 1`"
    return Diagnostic(Code.UNKNOWN_VERSION, summary, version.place, fix=fix, width=version.width)


def _bad_kind(kind: Node, text: str) -> Diagnostic:
    fix = did_you_mean(text, KINDS) or f"write {', '.join(KINDS[:-1])} or {KINDS[-1]}"
    summary = f"there is no kind `{text[:60]}`"
    return Diagnostic(Code.UNKNOWN_KIND, summary, kind.place, fix=fix, width=kind.width)


def _nothing(texts: Texts, where: str) -> Diagnostic:
    file = next(iter(texts.by_file), where)
    fix = "write an estate and a policy, or run `engine init`"
    return Diagnostic(Code.NO_DOCUMENTS, "there are no documents", Place(file, 1), fix=fix)


# -- all documents together ----------------------------------------------------------------------


def _assemble(kinds: _Kinds, found: list[Diagnostic]) -> tuple[Documents | None, Sources]:
    """Put the documents together; what is wrong goes into `found`."""
    sources = Sources(estate=_only_estate(kinds, found), is_whole=kinds.is_whole)
    sources.accounts = _accounts(kinds, found)
    estate_fits = sources.estate is not None and kinds.fits(sources.estate)
    for table in kinds.policies:
        source = _policy_source(table, sources.estate if estate_fits else None)
        if source is not None:
            _add_policy(source, sources, found)
    sources.controls = kinds.controls
    found.extend(check_references(sources))
    found.extend(check_scene(kinds.fleets, kinds.events, sources))
    found.extend(check_controls(kinds.controls))
    estate = None
    if sources.estate and estate_fits and all(kinds.fits(table) for table in kinds.accounts):
        estate = _estate(sources.estate, sources, found)
    if estate is None:
        return None, sources
    policies = _policies(kinds, sources, found)
    found.extend(check_documents(estate, policies, sources))
    if any(each.severity is Severity.ERROR for each in found):
        return None, sources
    controls = controls_of(kinds.controls)
    digest = digest_of(estate, policies)
    return Documents(estate, policies, digest, controls, digest_of_controls(controls)), sources


def _only_estate(kinds: _Kinds, found: list[Diagnostic]) -> Table | None:
    if not kinds.estates:
        if kinds.is_whole and kinds.beside_the_estate:
            first = kinds.beside_the_estate[0]
            fix = "add a document of `kind: estate`, or name its file too"
            summary = "no document is the estate: accounts, targets and roles are unknown"
            found.append(Diagnostic(Code.NO_ESTATE, summary, first.place, fix=fix))
        return None
    first, *others = kinds.estates
    for other in others:
        summary = f"there is an estate already, at {first.place}"
        fix = "keep one; accounts can stand in documents of `kind: accounts`"
        found.append(Diagnostic(Code.TWO_ESTATES, summary, other.place, fix=fix))
    return first


def _accounts(kinds: _Kinds, found: list[Diagnostic]) -> dict[str, Entry]:
    accounts: dict[str, Entry] = {}
    for table in (*kinds.estates[:1], *kinds.accounts):
        below = table.get("accounts")
        for entry in below.entries.values() if isinstance(below, Table) else ():
            first = accounts.setdefault(entry.key, entry)
            if first is not entry:
                summary = f"there is an account `{entry.key}` already, at {first.place}"
                found.append(
                    Diagnostic(
                        Code.DUPLICATE_ACCOUNT,
                        summary,
                        entry.place,
                        fix="rename or remove one of them",
                        width=entry.width,
                    )
                )
    return accounts


def _policy_source(table: Table, estate: Table | None) -> PolicySource | None:
    """Return a policy with the estate's defaults under it, None where it has no name."""
    name = next(texts_at(table, "name"), None)
    if name is None:
        return None
    defaults = estate.get("defaults") if estate else None
    below = defaults if isinstance(defaults, Table) else Table(table.file, table.line, 1)
    overrides = table.get("overrides")
    items = [] if overrides is None or isinstance(overrides, Leaf | Table) else overrides.items
    return PolicySource(
        name=name.text,
        body=merged(below, table, shape_of("policy")),
        overrides=tuple(item for item in items if isinstance(item, Table)),
        document=table,
    )


def _add_policy(source: PolicySource, sources: Sources, found: list[Diagnostic]) -> None:
    first = sources.policies.setdefault(source.name, source)
    if first is source:
        return
    name = next(texts_at(source.document, "name"))
    summary = f"there is a policy `{source.name}` already, at {first.document.place}"
    found.append(
        Diagnostic(
            Code.DUPLICATE_POLICY,
            summary,
            name.place,
            fix="rename or remove one of them",
            width=name.width,
        )
    )


def _estate(table: Table, sources: Sources, found: list[Diagnostic]) -> Estate:
    shape = _account_shape()
    accounts = {
        name: account_table(entry.node, table, shape)
        for name, entry in sources.accounts.items()
        if isinstance(entry.node, Table)
    }
    return estate_of(table, accounts)


def _account_shape() -> Shape:
    accounts = (shape_of("accounts").properties or {})["accounts"]
    return accounts.extra or Shape()


def _policies(kinds: _Kinds, sources: Sources, found: list[Diagnostic]) -> dict[str, Policy]:
    """Return the policies that fit their schema and say, or inherit, whom they take."""
    policies = {}
    for name, source in sources.policies.items():
        if not kinds.fits(source.document):
            continue
        if source.body.get("select") is None:
            summary = f"neither `{name}` nor the defaults say which databases it takes"
            fix = 'add `select:`, for instance `select: {identifiers: ["*"]}`'
            found.append(Diagnostic(Code.NO_SELECT, summary, source.document.place, fix=fix))
            continue
        policies[name] = policy_of(source)
    return policies
