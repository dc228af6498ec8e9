"""The gallery of a plan as files that open without a server: mails, cards, pages, and one index of them all."""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Iterator, Sequence

from commsengine.answers.review_copies import in_memory
from commsengine.content.message import RenderedMessage
from commsengine.links import Links
from commsengine.planning.gallery import Gallery, Piece
from commsengine.planning.gallery_page import gallery_page
from commsengine.planning.plan_on_disk import CheckedPlan
from commsengine.planning.preview import PreviewBasis, people_in
from commsengine.sandbox.card_page import card_page
from commsengine.web.still_pages import StillPages

INDEX = "index.html"


def gallery_files(basis: PreviewBasis, checked_plan: CheckedPlan, gallery: Gallery) -> Iterator[tuple[str, str]]:
    """Paths below the folder, and what is in each; the index comes last."""
    pages = dict[str, list[str]]()
    for piece in gallery.pieces:
        yield from _piece(piece)
    for stem, path, html in _pages(basis, checked_plan, gallery):
        pages.setdefault(stem, []).append(path)
        yield path, html
    yield INDEX, gallery_page(gallery, pages)


def _piece(piece: Piece) -> Iterator[tuple[str, str]]:
    for message in piece.shown:
        yield from _message(piece, message)
    if not piece.shown:
        yield piece.path("talk", "txt"), piece.talking_points


def _message(piece: Piece, message: RenderedMessage) -> Iterator[tuple[str, str]]:
    name = message.channel
    if not message.blocks:
        yield piece.path(name, "html"), message.html
        yield piece.path(name, "txt"), message.text
        return
    card = json.dumps({"text": message.subject, "blocks": list(message.blocks)}, indent=2, ensure_ascii=False)
    yield piece.path(name, "html"), card_page(message.subject, message.blocks, f"{piece.at:%H:%M}")
    yield piece.path(name, "json"), f"{card}\n"


def _pages(basis: PreviewBasis, checked_plan: CheckedPlan, gallery: Gallery) -> Iterator[tuple[str, str, str]]:
    together = dict[tuple[str, str, bool], list[Piece]]()
    for piece in gallery.pieces:
        if piece.shown:  # who is asked whether it is done has said that they will
            about = (piece.person.id, piece.language, piece.touch.kind == "commitment")
            together.setdefault(about, []).append(piece)
    for pieces in together.values():
        stills = _stills(basis, checked_plan, pieces)
        for piece in _with_page(pieces):
            for name, html in stills.of(piece.touch.key, piece.touch.due_at):
                path = piece.path(name if name == "page" else f"page-{name}", "html")
                yield piece.stem, path, html


def _with_page(pieces: Sequence[Piece]) -> Iterator[Piece]:
    # the page of a repeat differs from the first only where a question comes with it
    known = set[tuple[str, str]]()
    for piece in pieces:
        about = (piece.touch.message, f"{piece.touch.kind} {piece.touch.asks or ''}")
        repeats = piece.touch.kind == "remind" and not piece.touch.asks
        if about not in known and not repeats:
            known.add(about)
            yield piece


def _stills(basis: PreviewBasis, checked_plan: CheckedPlan, pieces: Sequence[Piece]) -> StillPages:
    person, *others = people_in(basis, checked_plan, pieces[0].person)
    links = Links(basis.links_base, [secrets.token_hex(32)])
    begin = min(piece.touch.due_at for piece in pieces) - dt.timedelta(days=1)
    touches = [piece.touch for piece in pieces]
    parts = in_memory(checked_plan.plan, basis.templates, (person, *others), touches, links, basis.rules, begin)
    return StillPages(parts)
