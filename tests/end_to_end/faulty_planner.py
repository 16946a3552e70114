"""`engine` with a bug: its planner forgets pins. To be run as a module."""

from __future__ import annotations

import sys

from engine.cli.main import main
from engine.planning import protecting


def forget_pins() -> None:
    """Leave pinned points without the protection that a pin is."""
    known = protecting._PROTECTIONS
    protecting._PROTECTIONS = tuple(one for one in known if one is not protecting._pinned)
    assert len(protecting._PROTECTIONS) == len(known) - 1


if __name__ == "__main__":
    forget_pins()
    raise SystemExit(main(sys.argv[1:]))
