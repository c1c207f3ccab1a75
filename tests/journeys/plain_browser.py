"""A browser without scripts for Flask's test client: follows links by their words, fills forms by their names."""

import contextvars
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

from flask import Flask
from selectolax.lexbor import LexborHTMLParser, LexborNode
from werkzeug.test import TestResponse

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
Values = list[tuple[str, str]]


class PlainBrowser:
    """One visitor with a cookie jar; `page` is where they are."""

    def __init__(self, app: Flask) -> None:
        self._client = app.test_client()
        self.path = "/"
        self.answer: TestResponse | None = None

    @property
    def text(self) -> str:
        """The words of the page, without its markup."""
        body = self.page.body
        return " ".join((body.text(separator=" ") if body else "").split())

    @property
    def page(self) -> LexborHTMLParser:
        assert self.answer is not None
        return LexborHTMLParser(self.answer.text)

    def open(self, address: str, *, method: str = "GET", data: Any = None, expect: int = 200) -> "PlainBrowser":
        """Ask for an address (relative to the page, or of a mail) and follow redirects."""
        path = urljoin(self.path, address)
        parts = urlsplit(path)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        # Requests have application contexts of their own, also where a test has one open.
        self.answer = contextvars.Context().run(
            self._client.open,
            target,
            method=method,
            data=data,
            headers={"User-Agent": BROWSER},
            follow_redirects=True,
        )
        self.path = self.answer.request.full_path.rstrip("?")
        assert self.answer.status_code == expect, f"{method} {target}: {self.answer.status_code}\n{self.text[:2000]}"
        return self

    def follow(self, words: str) -> "PlainBrowser":
        """Click on the link with these words."""
        return self.open(self.link(words))

    def link(self, words: str) -> str:
        found = {a.attributes.get("href") or "" for a in self.page.css("a[href]") if _words(a).startswith(words)}
        assert found, f"No link “{words}” on {self.path}: {[_words(a) for a in self.page.css('a[href]')]}"
        assert len(found) == 1, f"Several links “{words}” on {self.path}: {found}"
        return found.pop()

    def press(self, button: str, values: Mapping[str, Any] | None = None, *, expect: int = 200) -> "PlainBrowser":
        """Fill the form that has this button and press it. A list of values stands for ticked boxes."""
        form, pressed = self._form(button)
        data = _filled(form, values or {})
        if pressed.attributes.get("name"):
            data.append((pressed.attributes["name"] or "", pressed.attributes.get("value") or ""))
        fields: dict[str, list[str]] = {}
        for name, value in data:
            fields.setdefault(name, []).append(value)
        action = form.attributes.get("action") or self.path
        if (form.attributes.get("method") or "get").lower() == "get":
            query = "&".join(f"{name}={value}" for name, value in data)
            return self.open(f"{urlsplit(action).path}?{query}", expect=expect)
        return self.open(action, method="POST", data=fields, expect=expect)

    def _form(self, button: str) -> tuple[LexborNode, LexborNode]:
        every = [(form, found) for form in self.page.css("form") for found in form.css("button")]
        exact = [pair for pair in every if _words(pair[1]) == button]
        fitting = exact or [pair for pair in every if _words(pair[1]).startswith(button)]
        assert fitting, f"No button “{button}” on {self.path}: {[_words(found) for _, found in every]}"
        assert "disabled" not in fitting[0][1].attributes, f"“{button}” is disabled."
        return fitting[0]


def _words(node: LexborNode) -> str:
    return " ".join(node.text(separator=" ").split())


def _filled(form: LexborNode, values: Mapping[str, Any]) -> Values:
    """What a browser would post: the form's own values, replaced by `values`; every name must be in the form."""
    own: Values = [pair for node in form.css("input, select, textarea") for pair in _own(node)]
    names = {node.attributes.get("name") for node in form.css("input, select, textarea")}
    unknown = set(values) - names
    assert not unknown, f"The form has no {unknown}; it has {names}."
    kept = [(name, value) for name, value in own if name not in values]
    given = [(name, one) for name, value in values.items() for one in ([value] if isinstance(value, str) else value)]
    return kept + given


def _own(node: LexborNode) -> Values:
    attributes = node.attributes
    name, kind = attributes.get("name"), attributes.get("type")
    if not name or kind == "file" or (kind in ("checkbox", "radio") and "checked" not in attributes):
        return []
    if node.tag == "select":
        options = node.css("option[selected]") or node.css("option")[:1]
        return [(name, one.attributes.get("value", _words(one)) or "") for one in options]
    if node.tag == "textarea":
        return [(name, node.text())]
    return [(name, attributes.get("value") or ("on" if kind == "checkbox" else ""))]
