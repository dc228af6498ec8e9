"""What people read, in their language: gettext, with one catalog a language in ``locale/``.

``_`` looks a text up and fills in its ``{names}``; ``N_`` marks a text of a table, which ``_`` translates where it is
shown. English is written in the code; its catalog is where a text is reworded without touching code.
A workspace has catalogs of its own beside: ``locale/pl.po`` adds a language, ``locale/de.po`` rewords one.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import cache, wraps
from gettext import NullTranslations, find, translation
from string import Formatter
from typing import Any, Literal, TypeVar, cast

DOMAIN = "commsengine"
LOCALES = __file__.removesuffix("translation.py") + "locale"
TO_TRANSLATE = f"{LOCALES}/{DOMAIN}.pot"
"""The file with the texts of mails, Slack and pages, to be copied where a language is begun."""
ENGLISH = "en"
FROM_THE_RIGHT = {"ar", "ckb", "dv", "fa", "he", "iw", "ks", "ps", "sd", "syr", "ug", "ur", "yi"}
ISOLATED = "\u2068{}\u2069"
"""Around a value within a text, so that one written in the other direction turns nothing beside it."""

_TURNS_NOTHING = re.compile(r"[0-9a-f]{6,}|\w*")
_LEFT_TO_RIGHT = re.compile("[A-Za-z\u00c0-\u052f]")
_NOT_FOR_READING = re.compile("://|[\ue000-\ue002]")
_MARK = "\u200f"
_BEGINS_LEFT = re.compile("[^A-Za-z\u0590-\u08ff]*[A-Za-z].*[\u0590-\u08ff]")
_PLACES = re.compile(r"(?<![\"\w])%\(\w+\)s")

Work = TypeVar("Work", bound=Callable[..., Any])
Catalogs = Mapping[str, NullTranslations]
"""By language, written as ``pt_BR``."""

_language = ContextVar("language", default=ENGLISH)
_added: dict[str, NullTranslations] = {}


def language_in_use() -> str:
    return _language.get()


def direction() -> Literal["ltr", "rtl"]:
    """Of the language in use: where its lines begin."""
    return _direction(_language.get())


@cache
def _direction(code: str) -> Literal["ltr", "rtl"]:
    language, *rest = re.split("[-_]", code)
    return "rtl" if language in FROM_THE_RIGHT or {"Arab", "Hebr"} & set(rest) else "ltr"


def aligned(text: str) -> str:
    """Each line that has both directions begins as the language in use: where none is set, its first letter decides."""
    if direction() == "ltr":
        return text
    return "\n".join(f"{_MARK}{line}" if _BEGINS_LEFT.match(line) else line for line in text.split("\n"))


def isolated(value: str) -> str:
    """The value as it stands within a text of the language in use."""
    if direction() == "ltr" or _TURNS_NOTHING.fullmatch(value) or not _LEFT_TO_RIGHT.search(value):
        return value
    return value if _NOT_FOR_READING.search(value) else ISOLATED.format(value)


class _AsWritten(Formatter):
    """Numbers as the language in use writes them."""

    def format_field(self, value: Any, spec: str) -> Any:
        if spec and isinstance(value, int | float):
            return _number(value, spec)
        written = super().format_field(value, spec)
        return isolated(written) if isinstance(value, str) else written


_AS_WRITTEN = _AsWritten()


def _(text: str, /, **values: object) -> str:
    """The text in the language in use; ``values`` fill its ``{names}``, which any language may write in its own order.

    Without ``values`` braces are plain letters.
    """
    found = catalog(_language.get()).gettext(text) if text else ""  # a catalog has its own header under ""
    if not values:
        return found
    try:
        return _filled(found, values)
    except (LookupError, ValueError):  # a slip in a catalog must not stop a message
        return text.format(**values)


def _filled(text: str, values: Mapping[str, object]) -> str:
    if _language.get() == ENGLISH or "`" in text:  # commands are copied as they are
        return text.format(**values)
    return _AS_WRITTEN.vformat(text, (), values)


def N_(text: str) -> str:  # noqa: N802 - gettext's own name, by which tools find what is to be translated
    return text


def counted(number: int, one: str, many: str, /, **values: object) -> str:
    """``1 person``, ``12 people``; a language may have more forms than two.

    Where the texts have ``{number}`` they are whole sentences, which ``values`` fill too.
    """
    found = catalog(_language.get()).ngettext(one, many, number)
    if "{number" not in many:
        return f"{number_text(number)} {found}"
    given = {"number": number_text(number), **values}
    try:
        return _filled(found, given)
    except (LookupError, ValueError):
        return (one if number == 1 else many).format(**given)


def number_text(number: float, digits: int = 0) -> str:
    """``1,234`` as the language in use writes it."""
    return _number(number, f",.{digits}f")


def percent_text(share: float) -> str:
    """``35 %`` of 0.35, as the language in use writes it."""
    _point, _group, percent = _signs(_language.get())
    return percent.format(number_text(share * 100))


def _number(number: float, spec: str) -> str:
    if _language.get() == ENGLISH:
        return format(number, spec)
    point, group, percent = _signs(_language.get())
    written = format(number, spec).translate({ord("."): point, ord(","): group})
    return percent.format(written.removesuffix("%")) if spec.endswith("%") else written


@cache
def _signs(language: str) -> tuple[str, str, str]:
    if language == ENGLISH:
        return ".", ",", "{} %"
    from babel import Locale, UnknownLocaleError

    try:
        locale = Locale.parse(language.replace("-", "_"))
        signs, percent = locale.number_symbols["latn"], locale.percent_formats[None].pattern
    except (ValueError, UnknownLocaleError, LookupError):
        return ".", ",", "{} %"
    return signs["decimal"], signs["group"], re.sub("[#,.0]+", "{}", percent.partition(";")[0])


class in_language:  # noqa: N801 - written in a ``with``, like those of contextlib
    """Texts are in this language until the end of the block; English where there is no catalog of it.

    Without ``look`` a catalog that has changed since the last look is not seen.
    """

    __slots__ = ("_before", "_language", "_look")

    def __init__(self, language: str, *, look: bool = True) -> None:
        self._language, self._look = language, look

    def __enter__(self) -> None:
        if self._look:
            _see_changes()
        self._before = _language.set(self._language)

    def __exit__(self, *_: object) -> None:
        _language.reset(self._before)


def cached(work: Work) -> Work:
    """``functools.cache`` for what holds texts: each language has its own, and so has a catalog that was changed."""
    kept = cache(lambda _language, _catalog, *given: work(*given))
    return cast(Work, wraps(work)(lambda *given: kept(_language.get(), texts_in_use(), *given)))


def texts_in_use() -> NullTranslations:
    return catalog(_language.get())


@cache
def catalog(language: str) -> NullTranslations:
    """Of ``de-AT`` the catalog of ``de_AT``, else of ``de``, else English; those of the workspace before ours."""
    if added := next((name for name in (language, *_names(language)) if name in _added), ""):
        return _added[added]
    ours = translation(DOMAIN, LOCALES, [*_names(language), ENGLISH], fallback=True)
    theirs = next((_theirs[name] for name in _names(language) if name in _theirs), None)
    if theirs is None:
        return ours
    texts = copy.copy(theirs)
    texts.add_fallback(ours)
    return texts


def has_catalog(language: str) -> bool:
    """Whether buttons, footers and pages are there in this language, or in the wider one: ``de`` for ``de-AT``."""
    names = _names(language)
    return any(name in _added or name in _theirs for name in names) or find(DOMAIN, LOCALES, names) is not None


def _names(language: str) -> tuple[str, ...]:
    wanted = language.replace("-", "_")
    return wanted, wanted.partition("_")[0]


def chosen(accepted: str, otherwise: str = ENGLISH) -> str:
    """The known language that a browser likes most, by its header ``Accept-Language``."""
    wishes = [re.split(r"\s*;\s*q\s*=\s*", wish.strip()) for wish in accepted[:1000].split(",")]
    ranked = sorted(wishes, key=lambda wish: -_weight(wish))  # equal ones stay in their order
    return next((wish[0] for wish in ranked if _weight(wish) > 0 and has_catalog(wish[0])), otherwise)


def _weight(wish: list[str]) -> float:
    try:
        return float(wish[1]) if len(wish) > 1 else 1.0
    except ValueError:
        return 0.0


# -- the catalogs of a workspace ------------------------------------------------------------------

NO_CATALOGS: Catalogs = {}

_theirs = NO_CATALOGS
_find_theirs: Callable[[], Catalogs] = lambda: NO_CATALOGS  # noqa: E731 - until a workspace says where its own are


def look_for_catalogs(found: Callable[[], Catalogs]) -> None:
    """``found`` gives those of the workspace, the same object until one has changed. It is asked often."""
    global _find_theirs  # noqa: PLW0603 - a process works in one workspace
    _find_theirs = found
    _see_changes()


def _see_changes() -> None:
    global _theirs  # noqa: PLW0603
    if (now := _find_theirs()) is not _theirs:
        _theirs = now
        forget_catalogs()


def add_catalog(language: str, texts: NullTranslations) -> None:
    """A catalog that is no file, before those in the folder."""
    _added[language] = texts
    forget_catalogs()


def forget_catalogs() -> None:
    catalog.cache_clear()


def install(environment: Any) -> None:
    """Gives a Jinja2 environment ``{% trans %}`` and ``_``. Their values are ``%(name)s`` in a catalog.

    A line end in a text counts as a blank, so a page may break its lines anywhere.
    """
    environment.add_extension("jinja2.ext.i18n")
    environment.policies["ext.i18n.trimmed"] = True
    environment.filters |= {"number": number_text, "percent": percent_text}
    environment.globals |= {"language": language_in_use, "direction": direction}
    environment.install_gettext_callables(
        lambda text: _apart(texts_in_use().gettext(text)),
        lambda one, many, number: _apart(texts_in_use().ngettext(one, many, number)),
        newstyle=True,
    )


def _apart(text: str) -> str:
    return text if direction() == "ltr" else _PLACES.sub(lambda place: ISOLATED.format(place[0]), text)
