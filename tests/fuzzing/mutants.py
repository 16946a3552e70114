"""Damage to documents: to their bytes, to their JSON values, and to what the engine proves by.

The same chance does the same damage.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import datetime
from random import Random
from typing import Any

from engine.identity.marks import ESTATE, POLICY, RESOURCE, ROLE, SLOT, Role, fingerprint
from engine.identity.names import derived_id
from engine.inventory.records import Location

Way = tuple[str | int, ...]

DEEP: Any = []
for _ in range(200):
    DEEP = [DEEP]

TIMES = (
    "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "1969-12-31T23:59:59Z",
    "1970-01-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-11-21T02:00:60Z", "2026-11-21T02:00:00",
    "2026-11-21", "2262-04-12T00:00:00Z", "8999-12-31T23:59:59Z", "9000-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999999-14:00", "+10000-01-01T00:00:00Z", "now",
)  # fmt: skip
NUMBERS = (
    0, -1, 1, 2, 0.5, -0.0, 1e308, 5e-324, 253_402_300_799, 253_402_300_800, 2**31, 2**53, 2**63,
    2**64, -(2**63), 10**30, 10**400,
)  # fmt: skip
TEXTS = (
    "", " ", "x", "-", "a--b", "\n", "\x00", "\x1b[31m", "\ud800", "\u202e", "ÿ" * 300, "x" * 5000,
    "null", "true", "*", "[", "arn:", "arn:aws:rds:eu-west-1:111111111111:snapshot:x",
    "arn:aws:kms:eu-west-1:111111111111:key/x", "rds:x", "none/none", "available", "creating",
    "failed", "deleting", "aurora-postgresql", "sqlserver-se", "25:00-26:00", "23:59-00:00",
    "sun:23:45-mon:00:15", "zzz:99:99-zzz:99:99", "copy", "bridge", "primary", "manual",
)  # fmt: skip
OTHERS: tuple[Any, ...] = (None, True, False, [], {}, [[]], [None], {"": None}, DEEP)
POISON: tuple[Any, ...] = (*TIMES, *NUMBERS, *TEXTS, *OTHERS)

LUMPS = (
    b"", b"\x00", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"{", b"}", b"[", b"]", b'"', b"\\", b",",
    b":", b"\n", b"NaN", b"Infinity", b"-", b"1e999", b"0x1", b"\\ud800", b"\\u0000", b"null",
    b"[" * 3000, b'{"a":' * 3000, b"9" * 5000, b"//", b"'", b"\t", b"&a", b"*a", b"!!x", b"%",
)  # fmt: skip


def damaged(data: bytes, chance: Random) -> bytes:
    """Return bytes of which some are others, are missing, or stand twice."""
    text = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(text) + 1)
        match chance.randrange(5):
            case 0:
                del text[at:]
            case 1:
                text[at : at + chance.randrange(1, 200)] = b""
            case 2:
                text[at:at] = text[at : at + chance.randrange(1, 300)]
            case 3:
                text[at : at + chance.randrange(3)] = chance.choice(LUMPS)
            case _:
                text[at : at + 1] = chance.randbytes(chance.randrange(1, 9))
    return bytes(text)


def garbage(chance: Random) -> bytes:
    """Return bytes of no meaning, or of hardly any."""
    if chance.random() < 0.5:
        return chance.randbytes(chance.randrange(300))
    return b"".join(chance.choice(LUMPS) for _ in range(chance.randrange(12)))


def mutated(document: Any, chance: Random) -> Any:
    """Change a JSON document at one to four places; it is changed where it stands."""
    for _ in range(chance.randint(1, 4)):
        ways = list(_ways(document))
        if ways:
            _mutate_at(document, chance.choice(ways), chance)
    return document


def as_text(document: Any, chance: Random) -> bytes:
    """Write a document as JSON; now and then with a key twice, or numbers that are none."""
    text = json.dumps(document, indent=chance.choice((None, 4)))
    if chance.random() < 0.1:
        at = text.find("{", chance.randrange(len(text)))
        if at >= 0:
            text = f'{text[: at + 1]}"Status": 1, "Status": NaN, {text[at + 1 :]}'
    return text.encode()


def _ways(value: Any, way: Way = ()) -> Iterator[Way]:
    keys: Any = value if isinstance(value, dict) else ()
    for key in range(len(value)) if isinstance(value, list) else keys:
        yield (*way, key)
        # What was put in by an earlier mutation may be deeper than is worth going.
        if len(way) < 12:
            yield from _ways(value[key], (*way, key))


def _mutate_at(document: Any, way: Way, chance: Random) -> None:
    *before, last = way
    part: Any = document
    for key in before:
        part = part[key]
    chance.choice(_CHANGES)(part, last, chance)


def _poison(part: Any, key: Any, chance: Random) -> None:
    part[key] = deepcopy(chance.choice(POISON))


def _poison_alike(part: Any, key: Any, chance: Random) -> None:
    match part[key]:
        case bool():
            part[key] = not part[key]
        case int() | float():
            part[key] = chance.choice(NUMBERS)
        case str(text) if text[:4].isdecimal() and "T" in text:
            part[key] = chance.choice(TIMES)
        case str():
            part[key] = chance.choice(TEXTS)
        case _:
            part[key] = deepcopy(chance.choice(OTHERS))


def _drop(part: Any, key: Any, chance: Random) -> None:
    del part[key]


def _repeat(part: Any, key: Any, chance: Random) -> None:
    if isinstance(part, list):
        part += [part[key]] * chance.choice((1, 1, 50))
    else:
        part[chance.choice(list(part))] = part[key]


def _wrap(part: Any, key: Any, chance: Random) -> None:
    part[key] = chance.choice(([part[key]], {"a": part[key]}, str(part[key])))


def _rename(part: Any, key: Any, chance: Random) -> None:
    if isinstance(part, dict):
        part[chance.choice(TEXTS)] = part.pop(key)
    else:
        chance.shuffle(part)


_CHANGES: tuple[Callable[[Any, Any, Random], None], ...] = (
    _poison, _poison, _poison_alike, _poison_alike, _poison_alike, _drop, _repeat, _wrap, _rename,
)  # fmt: skip


def marked_anew(listing: Any, at: Location, chance: Random) -> None:
    """Change the engine's tags of some snapshots, and give these the ids that prove the tags."""
    for snapshot in chance.sample(listing, min(len(listing), chance.randint(1, 6))):
        tags = {tag["Key"]: tag["Value"] for tag in snapshot.get("TagList") or ()}
        if SLOT not in tags:
            continue
        _change_tags(tags, chance)
        snapshot["TagList"] = [{"Key": key, "Value": value} for key, value in tags.items()]
        try:
            slot = datetime.fromisoformat(tags[SLOT])
            role = Role(tags[ROLE])
            proof = fingerprint(tags[ESTATE], role, at, tags[RESOURCE], tags[POLICY], slot)
        except (KeyError, ValueError, OverflowError):
            continue
        name = derived_id(snapshot["DBSnapshotIdentifier"], proof)
        snapshot["DBSnapshotIdentifier"] = name
        snapshot["DBSnapshotArn"] = f"arn:aws:rds:{at.region}:{at.account}:snapshot:{name}"


def _change_tags(tags: dict[str, str], chance: Random) -> None:
    for _ in range(chance.randint(1, 3)):
        key = chance.choice(list(tags))
        match chance.randrange(4):
            case 0:
                tags[SLOT] = chance.choice(TIMES)
            case 1:
                tags[key] = chance.choice(TEXTS)
            case 2:
                tags["engine:gone-since"] = chance.choice(TIMES)
            case _:
                tags[chance.choice(("engine:pin", "engine:shared", "engine:origin", key))] = (
                    chance.choice((*TEXTS, *tags.values()))
                )
