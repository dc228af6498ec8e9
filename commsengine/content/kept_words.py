"""What the engine keeps in English with values in it, and tells in the language of who reads it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Literal

from commsengine.translation import N_, _

Kept = Literal["paused", "full", "full of", "fifth", "stood still", "restored", "journal gone", "moved", "span"]

KEPT: Mapping[Kept, str] = {
    "paused": N_("{refused} of the first {of} messages '{message}' were refused for good"),
    "full": N_("{sent} messages have left in the last {span}, as many as allowed"),
    "full of": N_("{sent} messages have left in the last {span}, as many as allowed ({whose})"),
    "fifth": N_("more than a fifth is refused for now: {because}"),
    "stood still": N_("Nothing was sent since {since} UTC, and more than {limit} messages fell due meanwhile."),
    "restored": N_("The database looks restored: it was sent from until {since} UTC and does not know."),
    "journal gone": N_("The journal of this database is gone from {folder}: what left last cannot be known."),
    "moved": N_("Moved to {place}: nothing is sent from here any more."),
    "span": N_("{number} hours"),
}


def kept(name: Kept, **values: object) -> str:
    """The sentence as it is stored."""
    return KEPT[name].format(**values)


def retold(stored: str) -> str:
    """What is stored, in the language in use; what was written by others stays as it is."""
    for text, pattern in _patterns():
        if found := pattern.fullmatch(stored):
            return _(text, **{name: retold(value) for name, value in found.groupdict().items()})
    return _(stored)


@cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    ranked = sorted(KEPT.values(), key=len, reverse=True)  # the one that says more is asked first
    return [(text, re.compile(_as_pattern(text), re.DOTALL)) for text in ranked]


def _as_pattern(text: str) -> str:
    return re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+)", re.escape(text))
