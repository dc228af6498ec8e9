"""Which side of a message each touch takes, and what a template may put above it."""

from __future__ import annotations

from collections.abc import Collection

from commsengine.translation import N_

UNCLEAR = "unclear"
"""The explanation of a check: what was not clear is said again before anything else."""

FIRST = ("text", "why", "your_job")
"""The first touch: the author's own text, why it happens, what it means for the person."""

LATER = ("skills", "measures", "results", "why", "your_job", "text")
"""Later touches take one each, beginning with what has not been said yet."""

TITLES = {
    "why": N_("Why"),
    "your_job": N_("What changes for you"),
    "skills": N_("What you will learn"),
    "measures": N_("How we see that it works"),
    "results": N_("What we expect from it"),
    "text": "",
    UNCLEAR: "",
}
"""What a template may put above each."""

VARIANTS = 4
"""How many ways a later touch opens; they alternate, so that even a message with one side never repeats its words."""


def angles(having: Collection[str], number: int) -> tuple[str, ...]:
    """The angles of the ``number``-th touch (from 1), of those that have a text."""
    if UNCLEAR in having:
        return (UNCLEAR,)
    first = tuple(angle for angle in FIRST if angle in having)
    later = tuple(angle for angle in LATER if angle in having)
    if number == 1:
        return first or later[:1]
    return (later[(number - 2) % len(later)],) if later else ()


def variant(number: int) -> int:
    """0 for the first touch, then 1, 2, 3, 0, 1, …"""
    return (number - 1) % VARIANTS
