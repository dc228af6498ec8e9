"""What a person does with a page: read its first form, fill it in and send it off."""

from __future__ import annotations

import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback never goes through a proxy


@dataclass
class Form:
    """``fields`` are what is sent unless changed; ``choices`` are the values of radio buttons, by name."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self._page, self._done = page, False
        self.form: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and self.form is None:
            self.form = Form(urllib.parse.urljoin(self._page, given.get("action", "")))
        elif self.form is not None and not self._done:
            self._entry(tag, given)

    def handle_endtag(self, tag: str) -> None:
        self._done = self._done or tag == "form"

    def _entry(self, tag: str, given: dict[str, str]) -> None:
        name, form = given.get("name", ""), self.form
        assert form is not None  # noqa: S101 - only called inside a form
        if not name:
            return
        if given.get("type") == "radio":
            form.choices.setdefault(name, []).append(given.get("value", ""))
        elif tag == "textarea" or given.get("type") == "text":
            form.texts.append(name)
        elif tag in ("input", "button") and name not in form.fields:
            form.fields[name] = given.get("value", "")


def open_page(url: str) -> str:
    with _direct.open(url, timeout=30) as answer:
        text: str = answer.read().decode()
    return text


def first_form(url: str) -> Form:
    """The first form of a page. Raises ``ValueError`` if it has none."""
    reader = _Reader(url)
    reader.feed(open_page(url))
    if reader.form is None:
        raise ValueError("the page has no form")
    return reader.form


def send(form: Form) -> str:
    """Sends the form off and returns the page that comes back."""
    body = urllib.parse.urlencode(form.fields).encode()
    with _direct.open(urllib.request.Request(form.action, body), timeout=30) as answer:  # noqa: S310 - a loopback page
        text: str = answer.read().decode()
    return text
