"""Everything a plan says, to be looked at before it is sent: each touch of each role, with what is to be known of it.

What is here is data; ``gallery_page.py`` makes a page of it, and whoever writes or serves the files names them as
``Piece.path`` does.
"""

from __future__ import annotations

import datetime as dt
import html
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

from commsengine.authoring.rules.advice import CARD_WORDS
from commsengine.authoring.yaml_parser import Tree, read_tree
from commsengine.cadence.calendar import zone
from commsengine.cadence.history import Touch
from commsengine.cadence.kinds_and_states import CHANNELS, ChannelName
from commsengine.cadence.managers_first import briefs
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Plan
from commsengine.content.message import RenderedMessage
from commsengine.errors import InputError, Problem
from commsengine.planning.plan_on_disk import CheckedPlan
from commsengine.planning.preview import PreviewBasis, PreviewTouch, languages, previews
from commsengine.text import no_such
from commsengine.translation import N_

MOST = 10
"""Touches of one message for one role: later ones say nothing that is new."""


@dataclass(frozen=True)
class Piece:
    """One touch as a role gets it in one language, on every channel; ``talking_points`` if a human carries it.

    ``at`` is when it is sent, in the plan's zone. ``unsent`` says why it is not, as the plan stands.
    """

    touch: Touch
    person: Person
    language: str
    at: dt.datetime
    goes_by: str
    shown: tuple[RenderedMessage, ...] = ()
    letter: RenderedMessage | None = None
    talking_points: str = ""
    unsent: str = ""
    advice: tuple[Problem, ...] = ()
    own_language: bool = True

    @property
    def stem(self) -> str:
        """How its files begin: ``one-record/sales/2``; ``2-remind`` for what is no plain message."""
        touch, language = self.touch, "" if self.own_language else f"/{self.language}"
        kind = "" if touch.kind == "message" else f"-{touch.kind}"
        return f"{touch.message}/{touch.role}{language}/{touch.number}{kind}"

    def path(self, what: str, ending: str) -> str:
        return f"{self.stem}-{what}.{ending}"

    @property
    def their_time(self) -> dt.datetime:
        """The same instant where the person lives."""
        return self.at.astimezone(zone(self.person.time_zone)) if self.person.time_zone else self.at

    @property
    def subject(self) -> str:
        return self.letter.subject if self.letter else ""

    @cached_property
    def words(self) -> int:
        """Of the mail or the talking points; addresses are none."""
        text = self.letter.text if self.letter else self.talking_points
        return len(re.sub(r"https?://\S+", "", text).split())

    @cached_property
    def card_words(self) -> int | None:
        """Of the card, without buttons and the quiet line below; ``None`` without a card."""
        card = next((one for one in self.shown if one.blocks), None)
        return None if card is None else sum(len(_card_text(block).split()) for block in card.blocks)

    @property
    def too_long(self) -> bool:
        return (self.card_words or 0) > CARD_WORDS


def _card_text(block: Mapping[str, Any]) -> str:
    text = (block.get("text") or {}).get("text", "") if block.get("type") in ("header", "section") else ""
    return re.sub(r"<[^|>]*\|?|>", " ", html.unescape(text))


@dataclass(frozen=True)
class Gallery:
    """``more`` counts the touches left out: each role has at most ``MOST`` of a message. ``advice`` is on no piece."""

    plan: Plan
    pieces: tuple[Piece, ...]
    more: int = 0
    advice: tuple[Problem, ...] = ()

    @property
    def roles(self) -> tuple[str, ...]:
        shown = {piece.touch.role for piece in self.pieces}
        return tuple(role for role in self.plan.audience.roles if role in shown)

    @property
    def messages(self) -> tuple[str, ...]:
        shown = {piece.touch.message for piece in self.pieces}
        return tuple(message.id for message in self.plan.messages if message.id in shown)

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(piece.language for piece in self.pieces))

    @property
    def channels(self) -> tuple[ChannelName, ...]:
        shown = {one.channel for piece in self.pieces for one in piece.shown}
        return tuple(name for name in CHANNELS if name in shown)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of a plan is to be shown; without anything, everything."""

    message: str | None = None
    number: int | None = None
    channel: ChannelName | None = None
    language: str | None = None


def gallery(
    basis: PreviewBasis,
    checked_plan: CheckedPlan,
    people: Sequence[Person],
    plan_file: Path,
    problems: Sequence[Problem] = (),
    wanted: Wanted | None = None,
) -> Gallery:
    """``people`` are one of each role; ``problems`` are those of ``plan_file``, each shown beside its message.

    Raises ``InputError`` for an unknown message or language, ``RenderError`` for a text that cannot be shown.
    """
    wanted, plan = wanted or Wanted(), checked_plan.plan
    pieces = list[Piece]()
    for person in people:
        for language in spoken(basis, plan, wanted):
            pieces += _pieces(basis, checked_plan, person, language, wanted)
    pieces += _briefings(basis, checked_plan, pieces, wanted)
    placed = _placed(plan_file, problems)
    kept = [piece for group in _by_text(pieces) for piece in _with_advice(group[:MOST], placed)]
    on_pieces = {problem for piece in kept for problem in piece.advice}
    rest = tuple(problem for problem in problems if problem not in on_pieces)
    return Gallery(plan, tuple(kept), len(pieces) - len(kept), rest)


def spoken(basis: PreviewBasis, plan: Plan, wanted: Wanted) -> Sequence[str]:
    known = languages(basis, plan)
    if wanted.language is None:
        return known
    if wanted.language not in known:
        raise InputError(no_such(N_("language"), wanted.language, known))
    return (wanted.language,)


def _briefings(
    basis: PreviewBasis, checked_plan: CheckedPlan, shown: Sequence[Piece], wanted: Wanted
) -> Iterator[Piece]:
    """What managers get before their people, where none of those shown is such a manager."""
    plan = checked_plan.plan
    seen = {piece.touch.message for piece in shown if piece.touch.kind == "briefing"}
    managers = checked_plan.people.managers(MOST) if briefs(plan) else ()
    for message in plan.messages:
        first = message.managers_first is not None and message.id not in (*seen, *plan.corrected)
        for manager in managers if first and wanted.message in (None, message.id) else ():
            only = replace(wanted, message=message.id)
            found = [
                piece
                for language in spoken(basis, plan, wanted)
                for piece in _pieces(basis, checked_plan, manager, language, only)
                if piece.touch.kind == "briefing"
            ]
            yield from found
            if found:
                break


def _pieces(
    basis: PreviewBasis, checked_plan: CheckedPlan, person: Person, language: str, wanted: Wanted
) -> Iterator[Piece]:
    seen = previews(
        basis,
        checked_plan,
        person,
        message=wanted.message,
        number=wanted.number,
        channel=wanted.channel,
        language=language,
    )
    own, here = languages(basis, checked_plan.plan)[0], zone(checked_plan.plan.send.time_zone)
    for _key, group in groupby(seen, lambda one: (one.touch.message, one.touch.number, one.touch.kind)):
        shown = list(group)
        if shown[0].language == language or language == own:
            yield _piece(shown, here, own)


def _piece(shown: Sequence[PreviewTouch], here: dt.tzinfo, own: str) -> Piece:
    first = shown[0]
    return Piece(
        first.touch,
        first.person,
        first.language,
        first.touch.due_at.astimezone(here),
        first.goes_by,
        tuple(one.message for one in shown if one.message),
        first.letter,
        first.talking_points,
        first.unsent,
        own_language=first.language == own,
    )


def _by_text(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """The pieces of each message and role and language, in the order in which they were found."""
    groups: dict[tuple[str, str, str], list[Piece]] = {}
    for piece in pieces:
        groups.setdefault((piece.touch.message, piece.touch.role, piece.language), []).append(piece)
    return list(groups.values())


# -- advice beside the text that it is about ------------------------------------------------------

Part = tuple[str, str]
"""A part of the plan file: ``messages`` with an id, ``wiifm`` with a role, or another key."""


def _placed(plan_file: Path, problems: Sequence[Problem]) -> list[tuple[Part, Problem]]:
    """The problems of the plan file, each with the part in which it lies."""
    parts = sorted(_parts(read_tree(plan_file)))
    lines = [line for line, _part in parts]
    mine = [problem for problem in problems if problem.file == str(plan_file) and problem.line]
    places = ((bisect_right(lines, problem.line) - 1, problem) for problem in mine)
    return [(parts[place][1], problem) for place, problem in places if place >= 0]


def _parts(tree: Tree) -> Iterator[tuple[int, Part]]:
    """With the line on which each begins."""
    for path, (line, _column) in tree.keys.items():
        if len(path) == 1 or (len(path) == 2 and path[0] == "wiifm"):
            yield line, (str(path[0]), str(path[-1]))
    for path, (line, _column) in tree.values.items():
        if len(path) == 2 and path[0] == "messages":
            yield line, ("messages", str(tree.at(path)["id"]))


def _with_advice(group: Sequence[Piece], placed: Sequence[tuple[Part, Problem]]) -> list[Piece]:
    # at the first touch, which is read first
    first, *others = group
    about = {("messages", first.touch.message), ("wiifm", first.touch.role)}
    return [replace(first, advice=tuple(problem for part, problem in placed if part in about)), *others]
