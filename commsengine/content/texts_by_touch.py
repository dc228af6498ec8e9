"""Which sides of a message each touch says, and what a template may put above each."""

from __future__ import annotations

from collections.abc import Collection

from commsengine.translation import N_

UNCLEAR = "unclear"
"""The explanation of a check: what was not clear is said again before anything else."""

TEXT = "text"
"""The author's own text; where several take turns, the first."""

FIRST = (TEXT, "why", "your_job")
"""The first time: the author's own text, why it happens, what it means for the person."""

LATER = ("skills", "measures", "results", "why", "your_job", TEXT)
"""Later times say one each, beginning with what has not been said yet."""

TITLES = {
    "why": N_("Why"),
    "your_job": N_("What changes for you"),
    "skills": N_("What you will learn"),
    "measures": N_("How we see that it works"),
    "results": N_("What we expect from it"),
}
"""What a template may put above each; the author's texts stand alone."""

VARIANTS = 4
"""How many ways a template may tell one later touch from the next."""


def text_side(place: int) -> str:
    """``text``, ``text 2``, ``text 3``: the texts of a message that take turns."""
    return f"{TEXT} {place + 1}" if place else TEXT


def is_text(side: str) -> bool:
    return side.partition(" ")[0] == TEXT


def sides(own: Collection[str], plans: Collection[str], number: int) -> tuple[str, ...]:
    """What the ``number``-th time (from 1) says, of the ``own`` sides of the message and those of the plan.

    The plan's sides go with the first time, and with a message that has none of its own: what is written for the whole
    campaign seldom fits a message that comes again.
    """
    if UNCLEAR in own:
        return (UNCLEAR,)
    first = tuple(side for side in FIRST if side in own or side in plans)
    turns = _in_turn(own or plans)
    if number == 1:
        return first or turns[:1]
    return (turns[(number - (2 if first else 1)) % len(turns)],) if turns else ()


def _in_turn(having: Collection[str]) -> tuple[str, ...]:
    # The n-th time says the n-th text, where there are only texts.
    others = sorted((side for side in having if is_text(side) and side != TEXT), key=lambda side: int(side[5:]))
    return (*others, *(side for side in LATER if side in having))


def variant(number: int) -> int:
    """0 for the first touch, then 1, 2, 3, 0, 1, …"""
    return (number - 1) % VARIANTS
