"""`python -m tests.mutations [GLOB…]`: break each protection and see that a test notices.

Exits 1 where a mutant survives, does not fit the code any more, or breaks the tests themselves.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Sequence
from fnmatch import fnmatch

from tests.mutations.mutant import Mutant
from tests.mutations.running import Fate, try_all
from tests.mutations.table import MUTANTS


def main(globs: Sequence[str], mutants: Sequence[Mutant] = MUTANTS) -> int:
    """Try the mutants whose names fit a glob, all where none is given."""
    chosen = [one for one in mutants if not globs or any(fnmatch(one.name, g) for g in globs)]
    began, fates = time.monotonic(), Counter[Fate]()
    for trial in try_all(chosen):
        fates[trial.fate] += 1
        sys.stdout.write(f"{trial.line}\n")
        sys.stdout.flush()
    counts = ", ".join(f"{fates[fate]} {fate.name.lower()}" for fate in Fate)
    seconds = time.monotonic() - began
    sys.stdout.write(f"{len(chosen)} mutants in {seconds:.0f} s: {counts}\n")
    return 0 if chosen and fates[Fate.KILLED] == len(chosen) else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
