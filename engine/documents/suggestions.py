"""What was probably meant."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that is most like `word`; None where none is near."""
    from difflib import get_close_matches

    by_folded: dict[str, str] = {}
    for candidate in known:
        by_folded.setdefault(_folded(candidate), candidate)
    found = get_close_matches(_folded(word)[:100], by_folded, n=1, cutoff=0.7)
    return by_folded[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """Return a question that names the nearest known word; None where none is near."""
    found = nearest(word, known)
    return f"did you mean `{found}`?" if found else None


def _folded(word: str) -> str:
    return word.lower().replace("-", "_")
