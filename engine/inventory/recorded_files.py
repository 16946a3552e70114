"""The files of a recorded inventory: found, decoded, and what is wrong with them told."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from engine.errors import EngineError
from engine.inventory import layout
from engine.inventory.records import Location

T = TypeVar("T")

# About 100,000 snapshots of one location, far beyond AWS's quotas.
MAX_BYTES = 256 * 1024 * 1024
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_MOST_FAULTS_TOLD = 20


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one file or folder of a recording."""

    path: Path
    what: str

    def __str__(self) -> str:
        return f"{self.path}: {self.what}"


class RecordingError(EngineError):
    """A recorded inventory that cannot be used; all its faults at once."""

    def __init__(self, folder: Path, faults: Sequence[Fault]) -> None:
        told = [str(fault) for fault in faults[:_MOST_FAULTS_TOLD]]
        if len(faults) > len(told):
            told.append(f"… and {len(faults) - len(told)} more")
        super().__init__(
            "the recorded inventory cannot be used",
            where=str(folder),
            why="\n           ".join(told),
            fix="make these files again with the AWS CLI, or the whole with"
            " `engine inventory export`",
        )
        self.faults = tuple(faults)


def locations_in(folder: Path, faults: list[Fault]) -> list[Location]:
    """Return the locations that a recording has folders of; strange names are faults."""
    found: list[Location] = []
    for account in _folders(folder, faults):
        if not layout.ACCOUNT_ID.fullmatch(account.name):
            faults.append(
                Fault(account, "is no account id: a location is ACCOUNT-ID/REGION, 12 digits")
            )
            continue
        for region in _folders(account, faults):
            if layout.REGION.fullmatch(region.name):
                found.append(Location(account.name, region.name))
            else:
                faults.append(Fault(region, "is no region: a location is ACCOUNT-ID/REGION"))
    return found


def _folders(folder: Path, faults: list[Fault]) -> list[Path]:
    try:
        entries = sorted(folder.iterdir())
        return [e for e in entries if e.is_dir() and not e.name.startswith(".")]
    except OSError as error:
        faults.append(Fault(folder, f"cannot be listed: {error.strerror}"))
        return []


def is_there(file: Path) -> bool:
    """Say whether something goes by that name, be it a link that leads nowhere."""
    return os.path.lexists(file)


def decode(file: Path, shape: type[T], faults: list[Fault]) -> T | None:
    """Return what a JSON file holds as `shape`; else None, and what is wrong among `faults`."""
    text = _bytes_of(file, faults)
    if text is None:
        return None
    if text.startswith(_UTF_16_MARKS):
        faults.append(Fault(file, "is UTF-16 text; save it as UTF-8"))
        return None
    try:
        decoded: T = msgspec.json.decode(text.removeprefix(_BYTE_ORDER_MARK), type=shape)
    except msgspec.ValidationError as error:
        faults.append(Fault(file, f"{error}, not what the AWS CLI prints"))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        what = "is empty" if not text.strip() else f"is no JSON: {error}"
        faults.append(Fault(file, what))
    except RecursionError:
        faults.append(Fault(file, "is nested too deeply"))
    else:
        return decoded
    return None


def _bytes_of(file: Path, faults: list[Fault]) -> bytes | None:
    try:
        # Looked at before it is opened: opening a pipe would wait for a writer.
        found = file.stat()
        if not stat.S_ISREG(found.st_mode):
            faults.append(Fault(file, "is no file"))
            return None
        if found.st_size <= MAX_BYTES:
            with file.open("rb") as stream:
                text = stream.read(MAX_BYTES + 1)
            if len(text) <= MAX_BYTES:
                return text
    except OSError as error:
        faults.append(Fault(file, f"cannot be read: {error.strerror}"))
        return None
    faults.append(Fault(file, f"is larger than {MAX_BYTES >> 20} MiB"))
    return None
