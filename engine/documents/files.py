"""Paths -> texts: what is read, and what is refused before it is read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.documents.diagnostics import Code, Diagnostic
from engine.documents.model import Place

MAX_BYTES = 5 * 1024 * 1024
SUFFIXES = (".yaml", ".yml")


@dataclass(slots=True)
class Texts:
    """The texts of the files by name, and what was wrong with paths and files."""

    by_file: dict[str, str] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    _known: set[str] = field(default_factory=set)

    def is_new(self, path: str) -> bool:
        """Say whether a file is met for the first time, under whatever name."""
        real = os.path.realpath(path)
        if real in self._known:
            return False
        self._known.add(real)
        return True

    def tell(self, code: Code, file: str, summary: str, fix: str, place: Place | None) -> None:
        """Note what is wrong with a file."""
        where = place or Place(file, 1)
        self.diagnostics.append(Diagnostic(code, summary, where, fix=fix))


def read(paths: Sequence[Path]) -> Texts:
    """Read the files given and all YAML files in the folders given, in order of their names.

    Files and folders whose name begins with a dot are left out unless they are given.
    """
    texts = Texts()
    for path in paths:
        if path.is_dir():
            _read_folder(path, texts)
        else:
            _read_file(str(path), texts)
    return texts


def _read_folder(folder: Path, texts: Texts) -> None:
    failed = len(texts.diagnostics)
    files = list(_files_in(folder, texts))
    if not files and len(texts.diagnostics) == failed:
        tell_empty(str(folder), texts)
    for file in files:
        _read_file(file, texts)


def tell_empty(folder: str, texts: Texts) -> None:
    """Note that a folder has no documents in it."""
    fix = "put *.yaml files there, or run `engine init`"
    texts.tell(Code.NO_DOCUMENTS, folder, "the folder holds no YAML files", fix, None)


def _files_in(folder: Path, texts: Texts) -> Iterator[str]:
    def refused(error: OSError) -> None:
        _tell_unreadable(str(error.filename or folder), error, texts)

    for base, folders, names in os.walk(folder, onerror=refused):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.endswith(SUFFIXES) and not name.startswith("."):
                yield os.path.join(base, name)


def _read_file(file: str, texts: Texts) -> None:
    try:
        # Looked at before it is opened: opening a pipe would wait for a writer.
        if not texts.is_new(file):
            return
        data = _bytes_of(file, texts)
    except (OSError, ValueError) as error:
        _tell_unreadable(file, error, texts)
        return
    if data is not None:
        take(file, data, texts)


def take(file: str, data: bytes, texts: Texts) -> None:
    """Take the bytes of a file in as text, or note why they are none."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        _tell_not_text(file, data, error, texts)
        return
    texts.by_file[file] = text.replace("\r\n", "\n").replace("\r", "\n")


def _bytes_of(file: str, texts: Texts) -> bytes | None:
    found = os.stat(file)
    if not stat.S_ISREG(found.st_mode):
        fix = "name a file or a folder"
        texts.tell(Code.UNREADABLE, file, "this is neither a file nor a folder", fix, None)
        return None
    if found.st_size <= MAX_BYTES:
        with open(file, "rb") as stream:
            data = stream.read(MAX_BYTES + 1)
        if len(data) <= MAX_BYTES:
            return data
    tell_too_large(file, texts)
    return None


def tell_too_large(file: str, texts: Texts) -> None:
    """Note that a file is larger than any document need be."""
    summary = f"the file is larger than {MAX_BYTES // 1024 // 1024} MiB"
    texts.tell(Code.TOO_LARGE, file, summary, "split it into several files", None)


def _tell_unreadable(file: str, error: OSError | ValueError, texts: Texts) -> None:
    why = error.strerror if isinstance(error, OSError) else None
    missing = isinstance(error, FileNotFoundError)
    summary = f"cannot be read: {(why or str(error)).lower()}"
    fix = "check the path; by default `policies/` is read" if missing else "make it readable"
    texts.tell(Code.UNREADABLE, file, summary, fix, None)


def _tell_not_text(file: str, data: bytes, error: UnicodeDecodeError, texts: Texts) -> None:
    before = data[: error.start]
    start = before.rfind(b"\n") + 1
    column = len(before[start:].decode("utf-8", "replace")) + 1
    place = Place(file, before.count(b"\n") + 1, column)
    summary = f"the byte 0x{data[error.start]:02x} is not UTF-8"
    texts.tell(Code.NOT_TEXT, file, summary, "save the file as UTF-8 text", place)
