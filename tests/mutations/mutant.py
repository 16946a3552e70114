"""A mutant: one place where the code is broken on purpose, and who must notice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Mutant:
    """A change of one text in one module; `breaks` says what is lost with it.

    `file` and `tests` are paths from the root of the repository. `old` stands in the file once.
    """

    name: str
    file: str
    old: str
    new: str
    breaks: str
    tests: tuple[str, ...]

    def mismatch(self, root: Path) -> str | None:
        """Say why the mutant cannot be made of the code at `root`, None where it can."""
        path = root / self.file
        if not path.is_file():
            return f"there is no {self.file}"
        found = path.read_text(encoding="utf-8").count(self.old)
        return None if found == 1 else f"its text stands {found} times in {self.file}"

    def applied(self, text: str) -> str:
        """Return the text of the module, broken."""
        return text.replace(self.old, self.new)


Row = tuple[str, str, str, str]


def mutants_of(file: str, tests: str, rows: Iterable[Row]) -> Iterator[Mutant]:
    """Make mutants of one module that the same tests must notice.

    Args:
        file: the module, from the root.
        tests: files below `tests/`, in the order in which they are likely to notice.
        rows: name, what is lost, old text, new text.
    """
    paths = tuple(f"tests/{test}" for test in tests.split())
    for name, breaks, old, new in rows:
        yield Mutant(name, file, old, new, breaks, paths)
