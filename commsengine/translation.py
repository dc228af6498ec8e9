"""What people read, in their language: gettext, with one catalog a language in ``locale/``.

``_`` looks a text up and fills in its ``{names}``; ``N_`` marks a text of a table, which ``_`` translates where it is
shown. English is written in the code; its catalog is where a text is reworded without touching code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, wraps
from gettext import NullTranslations, translation
from typing import Any, TypeVar, cast

DOMAIN = "commsengine"
LOCALES = __file__.removesuffix("translation.py") + "locale"
ENGLISH = "en"

Find = TypeVar("Find", bound=Callable[..., Any])

_language = ContextVar("language", default=ENGLISH)
_added: dict[str, NullTranslations] = {}


def _(text: str, /, **values: object) -> str:
    """The text in the language in use; ``values`` fill its ``{names}``, which any language may write in its own order.

    Without ``values`` braces are plain letters.
    """
    found = catalog(_language.get()).gettext(text) if text else ""  # a catalog has its own header under ""
    if not values:
        return found
    try:
        return found.format(**values)
    except (LookupError, ValueError):  # a slip in a catalog must not stop a message
        return text.format(**values)


def N_(text: str) -> str:  # noqa: N802 - gettext's own name, by which tools find what is to be translated
    return text


def counted(number: int, one: str, many: str) -> str:
    """``1 person``, ``12 people``; a language may have more forms than two."""
    return f"{number:,} {catalog(_language.get()).ngettext(one, many, number)}"


@contextmanager
def in_language(language: str) -> Iterator[None]:
    """Texts are in this language until the end of the block; English where there is no catalog of it."""
    before = _language.set(language)
    try:
        yield
    finally:
        _language.reset(before)


def cached(find: Find) -> Find:
    """``functools.cache`` for what holds texts: each language has its own."""
    kept = cache(lambda _language, *given: find(*given))
    return cast(Find, wraps(find)(lambda *given: kept(_language.get(), *given)))


@cache
def catalog(language: str) -> NullTranslations:
    """Of ``de-AT`` the catalog of ``de_AT``, else of ``de``, else English."""
    if language in _added:
        return _added[language]
    wanted = language.replace("-", "_")
    return translation(DOMAIN, LOCALES, [wanted, wanted.partition("_")[0], ENGLISH], fallback=True)


def add_catalog(language: str, texts: NullTranslations) -> None:
    """A catalog that is no file, before those in the folder."""
    _added[language] = texts
    catalog.cache_clear()


def install(environment: Any) -> None:
    """Gives a Jinja2 environment ``{% trans %}`` and ``_``. Their values are ``%(name)s`` in a catalog.

    A line end in a text counts as a blank, so a page may break its lines anywhere.
    """
    environment.add_extension("jinja2.ext.i18n")
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_callables(
        lambda text: catalog(_language.get()).gettext(text),
        lambda one, many, number: catalog(_language.get()).ngettext(one, many, number),
        newstyle=True,
    )
