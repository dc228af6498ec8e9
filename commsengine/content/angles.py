"""Which side of a message a touch shows, so that no text comes twice in a row."""

from __future__ import annotations

from collections.abc import Collection

UNCLEAR = "unclear"
"""The explanation of a check: what was not clear is said again before anything else."""

FIRST = ("text", "why", "your_job")
"""The first touch: the author's own text, why it happens, what it means for the person."""

LATER = ("skills", "measures", "results", "why", "your_job", "text")
"""Later touches take one each, beginning with what has not been said yet."""

TITLES = {
    "why": "Why",
    "your_job": "What changes for you",
    "skills": "What you will learn",
    "measures": "How we will see that it works",
    "results": "What we expect from it",
    "text": "",
    UNCLEAR: "",
}
"""What a template may put above each."""

VARIANTS = 4
"""How many ways a later touch opens; they alternate, so that even a message with one side never repeats its words."""


def angles(told: Collection[str], number: int) -> tuple[str, ...]:
    """The angles of the ``number``-th touch (from 1); ``told`` are those that have a text."""
    if UNCLEAR in told:
        return (UNCLEAR,)
    first = tuple(angle for angle in FIRST if angle in told)
    later = tuple(angle for angle in LATER if angle in told)
    if number == 1:
        return first or later[:1]
    return (later[(number - 2) % len(later)],) if later else ()


def variant(number: int) -> int:
    """0 for the first touch, then 1, 2, 3, 0, 1, …"""
    return (number - 1) % VARIANTS
