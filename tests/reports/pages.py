"""What a browser and a screen reader find in a page: parsed, and held to what all pages promise."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise

VOID = {"br", "input", "link", "meta", "hr"}
# What of a page may stay unsaid, and is not what a report says.
BESIDE = {"style", "script", "nav", "title"}
CHECKED_ATTRIBUTES = {
    *("aria-hidden", "aria-label", "aria-labelledby", "autocomplete", "charset", "class"),
    *("content", "data-title", "for", "hidden", "href", "http-equiv", "id", "lang", "name"),
    *("open", "placeholder", "role", "scope", "title", "type"),
    *("d", "height", "preserveaspectratio", "stroke-width", "viewbox", "width", "x", "y"),
}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    inside: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What is read of it, blanks as one."""
        return " ".join("".join(self._texts()).split())

    def _texts(self) -> list[str]:
        if self.tag in BESIDE or self.attributes.get("class") in {"steps", "sign"}:
            return []
        own = [one if isinstance(one, str) else "".join(one._texts()) for one in self.inside]
        return own if self.tag in {"a", "b", "bdi", "code", "span", "time"} else [" ", *own, " "]

    def all(self, *tags: str) -> list[Element]:
        """The elements of these tags in it, in the order of the page."""
        found = []
        for one in self.inside:
            if isinstance(one, Element):
                found += [one] if one.tag in tags or not tags else []
                found += one.all(*tags)
        return found


class Page(HTMLParser):
    """A page as a tree; what is not closed as it was opened fails the test."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("", {})
        self._open = [self.root]
        self.declared = ""
        self.feed(html)
        self.close()
        assert self._open == [self.root], f"{self._open[-1].tag} is not closed"

    def handle_decl(self, decl: str) -> None:
        self.declared = decl

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"{tag} has an attribute twice"
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].inside.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().tag == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        self._open[-1].inside.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def handle_pi(self, data: str) -> None:
        raise AssertionError(f"an instruction: {data}")

    @property
    def ids(self) -> list[str]:
        return [one.attributes["id"] for one in self.root.all() if "id" in one.attributes]


def check(html: str) -> Page:
    """Hold a page to what all promise; return it parsed."""
    page = Page(html)
    assert page.declared == "doctype html"
    _asks_for_nothing(page)
    _leads_somewhere(page)
    _has_an_outline(page)
    _has_even_tables(page)
    return page


def _asks_for_nothing(page: Page) -> None:
    """No request, no code but the page's own, and a policy that allows no other."""
    (style,) = page.root.all("style")
    (script,) = page.root.all("script")
    (policy,) = (
        one.attributes["content"] for one in page.root.all("meta") if "http-equiv" in one.attributes
    )
    assert policy == (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    assert not re.search(r"url\(|@import|//", "".join(map(str, style.inside)))
    for one in page.root.all():
        assert one.tag not in {"link", "img", "iframe", "object", "embed", "form", "base"}
        assert set(one.attributes) <= CHECKED_ATTRIBUTES, one
        assert one.attributes.get("href", "#").startswith("#"), one


def _digest(element: Element) -> str:
    text = "".join(one for one in element.inside if isinstance(one, str))
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _leads_somewhere(page: Page) -> None:
    known = set(page.ids)
    assert len(page.ids) == len(known), "an id stands twice"
    for one in page.root.all():
        named = [one.attributes[key] for key in ("for", "aria-labelledby") if key in one.attributes]
        if "href" in one.attributes:
            named.append(one.attributes["href"][1:])
        assert set(named) <= known, one


def _has_an_outline(page: Page) -> None:
    levels = [int(one.tag[1]) for one in page.root.all("h1", "h2", "h3", "h4", "h5", "h6")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def _has_even_tables(page: Page) -> None:
    for table in page.root.all("table"):
        assert table.all("caption")[0].text
        (titles,) = table.all("thead")
        for row in table.all("tbody")[0].all("tr"):
            assert len(row.all("th", "td")) == len(titles.all("th"))
            assert len(row.all("th")) == 1
