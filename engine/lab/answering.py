"""How a backend of the lab tells moto who answers its calls."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, ClassVar


class AnsweredByLab:
    """A backend whose calls all go to one function.

    moto looks for the answers of a backend beside the module that the backend's class is in, where
    the lab's classes have none.
    """

    dispatch: ClassVar[Callable[..., Any]]

    @property
    def _url_module(self) -> SimpleNamespace:
        return SimpleNamespace(url_bases=[], url_paths={"{0}/$": type(self).dispatch})
