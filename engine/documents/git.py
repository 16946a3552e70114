"""Documents as a git repository remembers them: read from its objects, nothing is checked out.

Only `rev-parse`, `ls-tree` and `cat-file` are run (git 2.6 or newer): they run no hooks and no
filters, and write neither to the work tree nor to the index.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.documents.diagnostics import Code
from engine.documents.files import MAX_BYTES, SUFFIXES, Texts, take, tell_empty, tell_too_large
from engine.errors import EngineError, UsageError

PATIENCE = 120
"""Seconds that git may take for an answer; a partial clone fetches what it lacks meanwhile."""

_FILE, _LINK, _SUBMODULE = b"blob", b"120000", b"commit"
# What a hook that runs `engine` says of its own repository, which need not be that of the policies.
_OF_A_HOOK = frozenset({"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"})
_QUIET = {
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}


@dataclass(frozen=True, slots=True)
class Past:
    """The documents' texts at a commit; each is named `REF:PATH`, the path from the top."""

    commit: str
    texts: Texts


def is_commit(ref: str, paths: Sequence[Path]) -> bool:
    """Say whether `ref` names a commit of the repository that holds the first of `paths`.

    It does not where there is no git or no repository.
    """
    try:
        return not ref.startswith("-") and _commit_of(ref, _folder_of(paths[0])) is not None
    except EngineError:
        return False


def read_at(ref: str, paths: Sequence[Path]) -> Past:
    """Return what `paths` held at the commit that `ref` names.

    Args:
        ref: a branch, a tag, a hash or whatever else `git rev-parse` takes for a commit.
        paths: files and folders that exist now, in one repository; they are looked for under the
            same names.

    Raises:
        UsageError: `ref` cannot be a ref.
        EngineError: git cannot be run, there is no repository, or no such commit or path in it.
    """
    if not ref or ref.startswith("-"):
        raise UsageError(
            f"-against {ref!r}: this is no git ref and no folder",
            fix="name a branch, a tag, a commit or a folder of policies: -against origin/main",
        )
    places = [_Place.of(path) for path in paths]
    if len({place.top for place in places}) > 1:
        raise EngineError(
            "the documents lie in more than one git repository",
            where=", ".join(str(path) for path in paths),
            fix="name a folder that holds all of them as they were: -against DIR",
        )
    top = places[0].top
    commit = _commit_of(ref, top)
    if commit is None:
        raise _no_commit(ref, top)
    return Past(commit, _texts(ref, commit, top, places))


# -- where the documents are ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Place:
    """A path as its repository names it: from the top, with slashes; empty for the top itself."""

    top: Path
    name: bytes
    is_folder: bool

    @classmethod
    def of(cls, path: Path) -> _Place:
        folder = _folder_of(path)
        top = _git(folder, "rev-parse", "--show-toplevel")
        if top.returncode or not top.stdout.strip():
            raise EngineError(
                "this lies in no work tree of a git repository",
                where=str(path),
                why=_told(top.stderr) or "it is a bare repository",
                fix="name a folder of policies instead: -against DIR",
            )
        prefix = _line(_git(folder, "rev-parse", "--show-prefix").stdout)
        name = prefix if path.is_dir() else prefix + os.fsencode(path.name)
        return cls(Path(os.fsdecode(_line(top.stdout))), name.rstrip(b"/"), path.is_dir())


def _folder_of(path: Path) -> Path:
    return path if path.is_dir() else path.parent


def _commit_of(ref: str, folder: Path) -> str | None:
    found = _git(folder, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
    return _line(found.stdout).decode("ascii") if found.returncode == 0 else None


def _no_commit(ref: str, top: Path) -> EngineError:
    shallow = _line(_git(top, "rev-parse", "--is-shallow-repository").stdout) == b"true"
    fix = "`git branch -a` and `git tag` list what there is; or name a folder: -against DIR"
    if shallow:
        fix = (
            f"fetch it: git fetch --depth=1 origin {ref}, then -against FETCH_HEAD; in a pipeline "
            "check out with the whole history (fetch-depth: 0)"
        )
    return EngineError(
        f"git knows no commit {ref}",
        where=str(top),
        why="the clone is shallow: it holds only the newest history" if shallow else None,
        fix=fix,
    )


# -- what they held ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry in the tree of a commit; `size` in bytes is that of a file."""

    mode: bytes
    kind: bytes
    object: bytes
    size: int
    name: bytes


def _texts(ref: str, commit: str, top: Path, places: Sequence[_Place]) -> Texts:
    texts = Texts()
    for place in places:
        shown = _shown(place.name or b".")
        entries = list(_entries(commit, place))
        if not entries:
            raise EngineError(
                f"{shown} was not there at {ref}",
                where=str(top),
                fix="if the documents stood elsewhere then, give them a folder: "
                f"git worktree add --detach ../before {ref}, then -against ../before/PATH",
            )
        chosen = [entry for entry in entries if _is_read(entry, place)]
        if not chosen:
            tell_empty(f"{ref}:{shown}", texts)
        for entry, data in _read(chosen, commit, place, texts, ref):
            file = f"{ref}:{_shown(entry.name)}"
            if file not in texts.by_file:
                take(file, data, texts)
    return texts


def _entries(commit: str, place: _Place) -> Iterator[_Entry]:
    below = ["--", os.fsdecode(place.name)] if place.name else []
    listing = _git(place.top, "ls-tree", "-r", "-z", "-l", "--full-tree", commit, *below)
    _insist(listing, place.top)
    for row in listing.stdout.split(b"\0"):
        if row:
            about, _, name = row.partition(b"\t")
            mode, kind, hash_, size = about.split()
            yield _Entry(mode, kind, hash_, int(size) if size.isdigit() else 0, name)


def _is_read(entry: _Entry, place: _Place) -> bool:
    """Say whether an entry is one of the files that are read from a work tree."""
    if not place.is_folder:
        return True
    parts = entry.name.removeprefix(place.name).lstrip(b"/").split(b"/")
    hidden = any(part.startswith(b".") for part in parts)
    return not hidden and entry.name.endswith(tuple(end.encode() for end in SUFFIXES))


def _read(
    entries: Sequence[_Entry], commit: str, place: _Place, texts: Texts, ref: str
) -> Iterator[tuple[_Entry, bytes]]:
    wanted = []
    for entry in entries:
        file = f"{ref}:{_shown(entry.name)}"
        if entry.kind == _SUBMODULE:
            _tell(file, "this is a submodule: its files are in another repository", texts)
        elif entry.size > MAX_BYTES:
            tell_too_large(file, texts)
        elif entry.mode == _LINK and b"\n" in entry.name:
            _tell(file, "git cannot follow a link whose name has a line break", texts)
        else:
            wanted.append(entry)
    names = (
        commit.encode() + b":" + entry.name if entry.mode == _LINK else entry.object
        for entry in wanted
    )
    asked = b"".join(name + b"\n" for name in names)
    answer = _git(place.top, "cat-file", "--batch", "--follow-symlinks", given=asked)
    _insist(answer, place.top)
    for entry, (kind, data) in zip(wanted, _answers(answer.stdout), strict=True):
        file = f"{ref}:{_shown(entry.name)}"
        if kind != _FILE:
            _tell(file, "this leads to no file in the repository", texts)
        elif len(data) > MAX_BYTES:
            tell_too_large(file, texts)
        else:
            yield entry, data


def _answers(output: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield what `cat-file --batch` says of each object: its kind, or what is wrong, and its bytes.

    A header is `HASH KIND SIZE`, `NAME missing`, or, of a link that leads nowhere, `WHY SIZE`.
    """
    at = 0
    while at < len(output):
        end = output.index(b"\n", at)
        *_, kind, size = output[at:end].split(b" ")
        at = end + 1
        if not size.isdigit():
            yield size, b""
            continue
        yield kind, output[at : at + int(size)]
        at += int(size) + 1


def _tell(file: str, summary: str, texts: Texts) -> None:
    fix = "keep documents as plain files of the repository, or name a folder: -against DIR"
    texts.tell(Code.UNREADABLE, file, summary, fix, None)


# -- git -----------------------------------------------------------------------------------------

_Answer = subprocess.CompletedProcess[bytes]


def _git(folder: Path, *words: str, given: bytes = b"") -> _Answer:
    kept = {name: value for name, value in os.environ.items() if name not in _OF_A_HOOK}
    command = ["git", "-C", str(folder), *words]
    try:
        return subprocess.run(
            command, input=given, capture_output=True, check=False, timeout=PATIENCE,
            env=kept | _QUIET,
        )  # fmt: skip
    except OSError as error:
        raise EngineError(
            "git cannot be run, and -against a git ref needs it",
            why=(error.strerror or str(error)).lower(),
            fix="install git, or name a folder of policies: -against DIR",
        ) from error
    except subprocess.TimeoutExpired as error:
        raise EngineError(
            f"git {words[0]} gave no answer in {PATIENCE} s",
            where=str(folder),
            fix="fetch what the clone lacks (git fetch), or name a folder: -against DIR",
        ) from error


def _insist(answer: _Answer, top: Path) -> None:
    if answer.returncode:
        raise EngineError(
            "git could not read the commit",
            where=str(top),
            why=_told(answer.stderr),
            fix="fetch what the clone lacks (git fetch), or name a folder: -against DIR",
        )


def _line(output: bytes) -> bytes:
    return output[:-1] if output.endswith(b"\n") else output


def _told(errors: bytes) -> str | None:
    lines = errors.decode("utf-8", "replace").strip().splitlines()
    return lines[0].removeprefix("fatal: ") if lines else None


def _shown(name: bytes) -> str:
    return name.decode("utf-8", "backslashreplace")
