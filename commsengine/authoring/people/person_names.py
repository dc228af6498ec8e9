"""Names as systems write them, put in the order in which people are addressed: ``Kim, Ana (EXT)`` is ``Ana Kim``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import takewhile

from commsengine.authoring.people.headings import bare

_DOTTED = r"dr|prof|mr|mrs|ms|mx|mme|mlle|sr|sra|srta|dipl|ing|mag|med|rer|nat|phil|jur|habil|univ|m"
_ALONE = r"dr|prof|professor|mr|mrs|ms|mme|mlle|herr|frau|monsieur|madame"
_TITLE = re.compile(rf"^(?:(?:{_DOTTED})\.(?:-\w+\.?)?\s*|(?:{_ALONE})\s+)+(?=\S)", re.IGNORECASE)
_SUFFIX = re.compile(
    r"(?:,?\s+(?:ph\.?d\.?|mba|m\.?sc\.?|b\.?sc\.?|m\.?a\.|b\.?a\.|ll\.?m\.?|cpa|md|esq\.?))+$", re.IGNORECASE
)
_REMARK = re.compile(r"(?:\s+(?:\([\w .,/&+-]*\)|\[[\w .,/&+-]*\]))+$")
_GENERATION = re.compile(r"(jr|sr|junior|senior|ii|iii|iv)\.?", re.IGNORECASE)
_SIGN = re.compile(r"\\(?=,)")


@dataclass(frozen=True)
class NameForm:
    """How the names of a whole column are written: the family's name in capitals and first, or all in one case."""

    family_first: bool = False
    one_case: bool = False


@dataclass
class NameForms:
    """Counts how the cells of a column of names are written."""

    filled: int = 0
    capitals_first: int = 0
    one_case: int = 0

    def count(self, cell: str) -> None:
        words = [word for word in re.split(r"[\s,'-]+", cell) if word.isalpha()]
        if len(words) < 2:
            return
        self.filled += 1
        capitals = "".join(takewhile(str.isupper, words))
        self.capitals_first += len(capitals) > 2 and not words[-1].isupper()  # two are initials
        self.one_case += len(cell) > 3 and (cell.isupper() or cell.islower())

    @property
    def form(self) -> NameForm:
        # a few cells prove nothing: two colleagues may like capitals
        return NameForm(
            self.filled > 1 and self.capitals_first * 3 >= self.filled * 2,
            self.filled >= 3 and self.one_case * 5 >= self.filled * 4,
        )


def person_name(written: str, form: NameForm = NameForm()) -> str:
    """The name as people are addressed, without titles and remarks."""
    text = _plain(written)
    family, comma, given = (part.strip() for part in text.partition(","))
    if comma and given and family and "," not in given:
        family = _one_case(family) if family.isupper() and not given.isupper() else family
        text = f"{family} {given}" if _GENERATION.fullmatch(given) else f"{_plain(given)} {family}"
    elif form.family_first:
        text = _turned(text)
    return _one_case(text) if form.one_case else text


def joined(first: str, last: str, second_last: str, preferred: str, form: NameForm) -> str:
    """The name of its parts; a preferred name stands for the first one, or is already the whole."""
    last = " ".join(filter(None, (_plain(last), second_last)))
    first, last = _plain(first), _one_case(last) if last.isupper() and len(last) > 1 and not first.isupper() else last
    if preferred and last and preferred.casefold().endswith(last.casefold()):
        return _plain(preferred)
    name = " ".join(filter(None, (_plain(preferred) or first, last)))
    return _one_case(name) if form.one_case else name


def name_words(name: str) -> str:
    """What is the same of ``Mia Wolf``, ``Wolf Mia`` and ``wolf, mia``."""
    return " ".join(sorted(filter(None, map(bare, re.split(r"[\s,]+", person_name(name))))))


def _plain(text: str) -> str:
    text = " ".join(_SIGN.sub("", text).split())
    short = _REMARK.sub("", text) if text[-1:] in (")", "]") else text
    short = _SUFFIX.sub("", _TITLE.sub("", short)).strip()
    return short or text


def _turned(text: str) -> str:
    words = text.split()
    capitals = next((place for place, word in enumerate(words) if not word.isupper()), 0)
    return " ".join([*words[capitals:], *map(_capital, words[:capitals])]) if capitals else text


def _one_case(text: str) -> str:
    return " ".join(map(_capital, text.split())) if text.isupper() or text.islower() else text


def _capital(word: str) -> str:
    return re.sub(r"[^\W\d_]+", lambda part: part[0][:1].upper() + part[0][1:].lower(), word)
