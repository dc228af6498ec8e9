"""A language in which every text stands in ⟦ ⟧, and the search for words that people see outside of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from gettext import NullTranslations
from html.parser import HTMLParser

from babel.messages.catalog import Catalog

from commsengine import translation
from commsengine.translation import add_catalog, forget_catalogs, in_language
from tests.catalogs import extracted, for_people

LANGUAGE, FROM_THE_RIGHT = "el", "he"
"""Their letters stand outside of ⟦ ⟧ only where a date or time was written: as the language in use writes it."""
_THEIR_LETTERS = re.compile("[\u0370-\u03ff\u0590-\u05ff]")
_VALUE = r"({[^{}]+}|%\(\w+\)s)"
READ_OUT = {"alt", "aria-label", "data-label", "placeholder", "title"}
"""Attributes with words that people see or hear."""


class Pseudo(NullTranslations):
    """``asked`` is every text that was looked up, as it stands in the code. ``values_outside``: they are looked at."""

    def __init__(self, *, values_outside: bool = False) -> None:
        super().__init__()
        self.asked: set[str] = set()
        self.language = LANGUAGE
        self._values_outside = values_outside

    def gettext(self, message: str) -> str:
        self.asked.add(message)
        return self._marked(message)

    def _marked(self, text: str) -> str:
        inside = re.sub(_VALUE, r"⟧\1⟦", text) if self._values_outside else text
        return f"⟦{inside}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        self.asked.add(msgid1)
        return self._marked(msgid1 if n == 1 else msgid2)


@contextmanager
def in_pseudo(language: str = LANGUAGE, *, values_outside: bool = False) -> Iterator[Pseudo]:
    """In place of English, other threads speak it too."""
    texts = Pseudo(values_outside=values_outside)
    texts.language = language
    with in_place_of(language, texts), in_language(language):
        yield texts


@contextmanager
def in_place_of(language: str, texts: NullTranslations) -> Iterator[None]:
    add_catalog(language, texts)
    try:
        yield
    finally:
        del translation._added[language]
        forget_catalogs()


def in_catalog(text: str) -> bool:
    return text in all_texts()


@cache
def all_texts() -> frozenset[str]:
    """What the code and the templates say, one and many; of mails, Slack and pages only ``texts_for_people``."""
    return _texts(extracted())


@cache
def texts_for_people() -> frozenset[str]:
    return _texts(for_people(extracted()))


def _texts(catalog: Catalog) -> frozenset[str]:
    return frozenset(
        text for each in catalog if each.id for text in ([each.id] if isinstance(each.id, str) else each.id)
    )


def texts_of(folder: str, name: str) -> set[str]:
    """The texts that the catalog has of this file, somewhere in the folder; of one with a plural the singular."""
    found = [
        message
        for message in extracted()
        if any(place.startswith(f"{folder}/") and place.endswith(f"/{name}") for place, _ in message.locations)
    ]
    return {message.id if isinstance(message.id, str) else message.id[0] for message in found}


def value(name: str) -> str:
    return f"«{name}»"


def untranslated(text: str) -> list[str]:
    """The words that stand outside ⟦ ⟧ and are no values."""
    found, depth, inside = [], 0, False
    for letter in text:
        depth += (letter == "⟦") - (letter == "⟧")
        inside = letter == "«" or (inside and letter != "»")
        theirs = depth or inside or letter in "⟧»" or _THEIR_LETTERS.match(letter)
        found.append(" " if theirs else letter)
    return [word for word in "".join(found).split() if any(map(str.isalpha, word))]


def untranslated_html(html: str) -> list[str]:
    """The same for a page: its text, and each attribute that is read out."""
    page = _Words()
    page.feed(html)
    return [word for words in ("".join(page.text), *page.attributes) for word in untranslated(words)]


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.attributes: list[str] = []
        self._styles = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._styles = tag == "style"
        self.attributes += [words or "" for name, words in attrs if name in READ_OUT]
        self.text.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._styles = False
        self.text.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._styles:
            self.text.append(data)
