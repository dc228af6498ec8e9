"""The texts of a plan, each by its name, and which language a person gets a message in.

A text is named by where it stands, with the id of its message: ``messages.one-record.checks.0.question``. The models of
a plan say in ``WORDS`` which of their fields are texts that people read; all else of them is the same in any language.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from commsengine.translation import has_catalog

Translation = Mapping[str, str]
"""The texts of a plan in one other language, by name."""

Path = tuple[str | int, ...]
"""Where a text stands in a plan, such as ``("messages", 0, "key_point")``."""

_VALUE = re.compile(r"{{\s*[\w.]+\s*(\|[^}]*)?}}")
_CODE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?")


def canonical(code: str) -> str:
    """``de``, ``de-AT`` or ``zh-Hant-TW`` however it is written; empty for what is no code of a language."""
    code = code.strip().replace("_", "-")
    if not _CODE.fullmatch(code):
        return ""
    first, *others = code.split("-")
    return "-".join([first.lower(), *(part.title() if len(part) == 4 else part.upper() for part in others)])


def wider(language: str) -> tuple[str, ...]:
    """``de`` and ``de-AT`` for the latter: first what holds everywhere, then what holds there."""
    parts = canonical(language).split("-")
    return tuple("-".join(parts[:length]) for length in range(1, len(parts) + 1)) if parts[0] else ()


# -- the texts ------------------------------------------------------------------------------------


def texts_of(node: object, name: str = "") -> Iterator[tuple[str, str]]:
    """Every text below a part of a plan that is so named, in the order of the plan; blank ones as well."""
    for part, value, words in _parts(node):
        below = f"{name}.{part}" if name else part
        if words and isinstance(value, str):
            yield below, value
        else:
            yield from texts_of(value, below)


def paths_of(node: object, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """The same texts, each with where it stands: the items of a list by their place."""
    for place, (part, value, words) in enumerate(_parts(node)):
        below = (*path, place if isinstance(node, tuple) else part)
        if words and isinstance(value, str):
            yield below, value
        else:
            yield from paths_of(value, below)


def with_texts(node: Any, texts: Translation, name: str = "") -> Any:
    """The same part of a plan with these texts in place of its own, where there are any."""
    changed = {}
    for part, value, words in _parts(node):
        below = f"{name}.{part}" if name else part
        own = words and isinstance(value, str)
        new = (texts.get(below) or value) if own else with_texts(value, texts, below)
        if new is not value:
            alone = own and isinstance(getattr(node, part, ""), tuple)
            changed[part] = (new,) if alone else new
    return _changed(node, changed) if changed else node


def _changed(node: Any, changed: dict[str, Any]) -> Any:
    if isinstance(node, Mapping):
        return {**node, **changed}
    if isinstance(node, tuple):
        return tuple(changed.get(part, item) for part, item, _words in _parts(node))
    if "answers" in changed and hasattr(node, "right"):  # the right one is one of them
        changed["right"] = changed["answers"][node.answers.index(node.right)]
    return node.model_copy(update=changed)


def _parts(node: object) -> Iterator[tuple[str, Any, bool]]:
    """Each part with its name, and whether it is text, or a list of texts; a list of one is that text."""
    if isinstance(node, BaseModel):
        words: Collection[str] = getattr(node, "WORDS", ())
        for field in type(node).model_fields:
            value = getattr(node, field)
            if field in words and isinstance(value, tuple):
                value = value[0] if len(value) == 1 else _Listed(value)
            yield field, value, field in words
    elif isinstance(node, Mapping):
        yield from ((str(key), value, False) for key, value in node.items())
    elif isinstance(node, tuple):
        texts = isinstance(node, _Listed)
        yield from ((str(getattr(item, "id", place)), item, texts) for place, item in enumerate(node))


class _Listed(tuple[str, ...]):
    """A list of texts."""

    __slots__ = ()


def says(text: str) -> bool:
    """Whether a text has words of its own: a number or a date reads the same in every language."""
    return any(map(str.isalpha, _VALUE.sub("", text)))


# -- in whose language ----------------------------------------------------------------------------


def language_for(wanted: str, own: str, translations: Mapping[str, Translation], needed: Iterable[str]) -> str:
    """The language that a person who wants ``wanted`` reads something in: that, or else ``own``, that of the plan.

    It is theirs where every text is there that is ``needed`` for it, and buttons, dates and footers are, too: no
    message is in two languages.
    """
    spoken = wider(wanted)
    if not spoken or own in spoken:
        return spoken[-1] if spoken else own
    known = in_reach(translations, wanted)
    whole = bool(known) and has_catalog(wanted) and all(known.get(name) for name in needed)
    return spoken[-1] if whole else own


def in_reach(translations: Mapping[str, Translation], language: str) -> Translation:
    """What ``de-AT`` has: all of ``de``, and before it what is said otherwise in Austria."""
    return {name: text for code in wider(language) for name, text in translations.get(code, {}).items() if text}
