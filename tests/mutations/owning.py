"""Mutants of what proves that an object is the engine's (promise 1)."""

from __future__ import annotations

from tests.mutations.mutant import Mutant, mutants_of

_WORDS = "(estate, role, location.account, location.region, resource, policy, time_text(slot))"


def _instead_of(word: str) -> str:
    return '"",' if word.endswith(",") else '""'


MUTANTS: tuple[Mutant, ...] = (
    *mutants_of(
        "engine/identity/marks.py",
        "identity planning/test_ownership_and_conflicts.py",
        [
            (
                "owned-by-hash",
                "tags alone prove nothing",
                '    return marks if snapshot.identifier.endswith(f"-{proof}") else None',
                "    return marks",
            ),
            (
                "owned-by-estate",
                "another estate's objects are not ours",
                " or snapshot.tags.get(ESTATE) != estate:",
                ":",
            ),
            (
                "owned-manual-only",
                "automated snapshots are never ours",
                "    if snapshot.type is not SnapshotType.MANUAL or",
                "    if",
            ),
            (
                "owned-adopted",
                "an adopted object proves it for its ARN",
                "        return marks if marks.adopted == adoption_proof(marks, snapshot.arn)"
                " else None",
                "        return marks",
            ),
            (
                "owned-with-all-tags",
                "an object that lacks a tag is not ours",
                "            volume=tags[VOLUME],",
                '            volume=tags.get(VOLUME, ""),',
            ),
            (
                "owned-with-origin",
                "a copy that names no origin is not ours",
                "        origin = tags[ORIGIN] if role is not Role.PRIMARY else tags.get(ORIGIN)",
                "        origin = tags.get(ORIGIN)",
            ),
            *(
                (
                    f"hash-covers-{name}",
                    f"the hash covers the {name}",
                    f"    words = {_WORDS}",
                    f"    words = {_WORDS.replace(word, _instead_of(word))}",
                )
                for name, word in (
                    ("estate", "estate,"),
                    ("role", "role,"),
                    ("account", "location.account,"),
                    ("region", "location.region,"),
                    ("resource", "resource,"),
                    ("policy", "policy,"),
                    ("slot", "time_text(slot)"),
                )
            ),
        ],
    ),
    *mutants_of(
        "engine/identity/chains.py",
        "identity planning/test_chain_bases.py planning/test_forecast.py",
        [
            (
                f"chain-by-{name}",
                f"a chain is told by its {name}",
                "    return Chain(marks.volume, marks.zone, location, marks.role, marks.keys)",
                f"    return Chain({words})",
            )
            for name, words in (
                ("volume", '"", marks.zone, location, marks.role, marks.keys'),
                ("zone", 'marks.volume, "a", location, marks.role, marks.keys'),
                ("role", "marks.volume, marks.zone, location, Role.COPY, marks.keys"),
                ("keys", "marks.volume, marks.zone, location, marks.role, marks.keys[-1:]"),
            )
        ],
    ),
)
