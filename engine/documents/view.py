"""A policy as some of its databases see it, and where each part of that is written."""

from __future__ import annotations

from dataclasses import dataclass

from engine.documents.diagnostics import Code, Diagnostic
from engine.documents.model import Terms
from engine.documents.nodes import Node, Table, find


@dataclass(frozen=True, slots=True)
class View:
    """A policy's terms as some of its databases see them, and where these are written."""

    name: str
    terms: Terms
    roots: tuple[Table, ...]

    def tell(self, code: Code, summary: str, fix: str, *path: str | int) -> Diagnostic:
        """Return a diagnostic at the place that sets what stands at `path`."""
        node = self.at(path)
        place = node.place if node else self.roots[-1].place
        return Diagnostic(code, summary, place, fix=fix, width=node.width if node else 1)

    def at(self, path: tuple[str | int, ...]) -> Node | None:
        """Return what sets what stands at `path`."""
        return next((node for root in self.roots if (node := find(root, path))), None)
