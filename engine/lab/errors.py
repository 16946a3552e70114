"""What goes wrong with the lab itself, as opposed to what AWS would refuse."""

from __future__ import annotations


class LabError(Exception):
    """The lab cannot do what it was asked.

    Args:
        what: what went wrong, and where.
        remedy: what to do about it.
    """

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what}: {remedy}")
        self.what = what
        self.remedy = remedy
