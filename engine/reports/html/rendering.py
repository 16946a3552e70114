"""Templates to pages: what is said is escaped, what runs is named by its digest."""

from __future__ import annotations

import base64
import hashlib
import re
import unicodedata
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from engine.reports.neutral import neutral

if TYPE_CHECKING:
    import jinja2

_RIGHT_TO_LEFT = frozenset({"R", "AL"})
# Split by it, every second piece of a text is a day or a time.
_MOMENT = re.compile(r"(\b\d{4}-\d\d-\d\d(?: \d\d:\d\dZ)?\b)")


def rendered(template: str, **values: object) -> str:
    """Return a page made of a template of this package.

    The page holds its style and its script, and allows a browser to use nothing else: a text that
    became markup in spite of everything could neither run nor fetch.
    """
    from markupsafe import Markup

    style, script = _part("style.css"), _part("script.js")
    return (
        _environment()
        .get_template(template)
        .render(
            **values,
            # Both are files of this package, without a text from elsewhere.
            style=Markup(style),
            script=Markup(script),
            policy=_content_policy(style, script),
        )
    )


@cache
def _environment() -> jinja2.Environment:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("engine.reports.html"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_harmless,
    )
    environment.filters["turns"] = _turns
    environment.filters["moments"] = _MOMENT.split
    return environment


def _harmless(value: object) -> object:
    """Write out what is invisible in texts; markup of the templates' own stays as it is."""
    return neutral(value) if type(value) is str else value


def _turns(text: str) -> bool:
    """Say whether a text has letters that turn the direction of what stands around it."""
    return not text.isascii() and any(unicodedata.bidirectional(c) in _RIGHT_TO_LEFT for c in text)


@cache
def _part(name: str) -> str:
    return (files("engine.reports.html") / "templates" / name).read_text(encoding="utf-8").strip()


def _content_policy(style: str, script: str) -> str:
    """Return a Content-Security-Policy (level 3) that allows the page's own parts and no more."""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
