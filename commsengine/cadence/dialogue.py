"""You asked, we did: which asks are alike, and which replies a touch opens with."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TypeVar

from commsengine.cadence.history import PublicReply, Touch, TouchRow
from commsengine.cadence.kinds_and_states import BY_HAND

MOST = 3
"""Replies at the head of one touch, the newest; all stand on the page."""

ALIKE = 0.7
"""From this share of common letters on, two texts say nearly the same."""

_WORDS = re.compile(r"\w+")
_NUMBERS = re.compile(r"\d+")

T = TypeVar("T")


def opening(replies: Iterable[PublicReply], touch: Touch, rows: Iterable[TouchRow]) -> tuple[PublicReply, ...]:
    """What this touch opens with: the replies to its role that no earlier touch of the campaign has brought.

    An answer without words for what was asked says nothing to others: it stands on the page only. ``rows`` are of the
    same person. The oldest comes first.
    """
    if touch.kind in BY_HAND:
        return ()
    news = [each for each in replies if each.asked and touch.role in each.roles and each.at <= touch.due_at]
    news = [each for each in news if each.replaced_at is None or each.replaced_at > touch.due_at]
    if not news:
        return ()
    earlier = [row.due_at for row in rows if _before(row, touch)]
    return tuple([each for each in news if all(each.at > due for due in earlier)][-MOST:])


def _before(row: TouchRow, touch: Touch) -> bool:
    carried = row.kind not in BY_HAND and row.state not in ("skipped", "failed")
    return carried and row.campaign == touch.campaign and (row.due_at, row.key) < (touch.due_at, touch.key)


def groups(asks: Iterable[T], about: Callable[[T], object], text: Callable[[T], str]) -> list[list[T]]:
    """Asks about the same in nearly the same words; in the order of the first of each group."""
    found: list[tuple[object, _Words, list[T]]] = []
    for ask in asks:
        subject, words = about(ask), _Words(text(ask))
        same = (group for known, first, group in found if known == subject and first.like(words))
        group = next(same, None)
        if group is None:
            found.append((subject, words, [ask]))
        else:
            group.append(ask)
    return [group for _subject, _first, group in found]


def nearly_same(one: str, other: str) -> bool:
    return _Words(one).like(_Words(other))


class _Words:
    """A text as it is compared: its numbers must be the same, of its letters most, three by three."""

    def __init__(self, text: str) -> None:
        plain = " ".join(_WORDS.findall(text.casefold()))
        self._plain, self._numbers = plain, _NUMBERS.findall(plain)
        self._threes = _threes(f" {plain} ")

    def like(self, other: _Words) -> bool:
        if self._plain == other._plain:
            return True
        common = len(self._threes & other._threes)
        share = 2 * common / (len(self._threes) + len(other._threes) or 1)
        return self._numbers == other._numbers and share >= ALIKE


def _threes(text: str) -> frozenset[str]:
    return frozenset(text[place : place + 3] for place in range(len(text) - 2))
