"""The gallery as one page: each text by message and role, filters that need no script, and nothing from outside."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from commsengine.authoring.rules.advice import CARD_WORDS
from commsengine.cadence.kinds_and_states import CHANNELS, TouchKind
from commsengine.content.phrases import with_dates
from commsengine.planning.gallery import Gallery, Piece
from commsengine.translation import N_, _, counted, install

_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
install(_environment)

PAGES = "page"
"""What the filter calls the pages behind the links, beside the channels."""

_KINDS: Mapping[TouchKind, str] = {
    "message": N_("message {number}"),
    "briefing": N_("briefing, before their people get it"),
    "remind": N_("reminder, message {number}"),
    "commitment": N_("question whether it is done"),
    "personal": N_("what to say in a call"),
}
_PAGES: Mapping[str, str] = {
    "page": N_("Page behind the link"),
    "page-answered": N_("Page after the answer"),
    "page-right": N_("Page after a right answer"),
    "page-wrong": N_("Page after a wrong answer"),
}


@dataclass(frozen=True)
class View:
    """One file in a frame. ``shown_as`` is what the filter knows it by; ``text`` is the same as plain text."""

    shown_as: str
    title: str
    path: str
    text: str = ""


@dataclass(frozen=True)
class Choice:
    """``id`` is that of the radio button, and the class of what it leaves on the page."""

    id: str
    value: str
    label: str


@dataclass(frozen=True)
class Filter:
    """One group of choices, the first of which leaves everything as it is."""

    name: str
    title: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True)
class Section:
    """The pieces of one message."""

    id: str
    key_point: str
    pieces: tuple[Piece, ...]
    classes: str

    def of(self, role: str) -> list[Piece]:
        return [piece for piece in self.pieces if piece.touch.role == role]


Pages = Mapping[str, Sequence[str]]
"""The paths of the answer pages, by the stem of their piece."""


def gallery_page(gallery: Gallery, pages: Pages) -> str:
    filters = list(_filters(gallery, with_pages=any(pages.values())))
    ids = {(each.name, choice.value): choice.id for each in filters for choice in each.choices}

    def classes(piece: Piece) -> str:
        about = (("role", piece.touch.role), ("touch", str(piece.touch.number)), ("language", piece.language))
        return " ".join(ids.get(one, "") for one in about)

    return _environment.get_template("gallery.html").render(
        gallery=gallery,
        plan=gallery.plan,
        summary=_summary(gallery),
        messages=list(_sections(gallery, classes)),
        roles=gallery.roles,
        titled=gallery.plan.audience.title,
        filters=[each for each in filters if len(each.choices) > 2 or each.name in ("width", "look")],
        choices=[choice for each in filters for choice in each.choices],
        ids=_Known(ids),
        classes=classes,
        views=lambda piece: list(_views(piece, pages.get(piece.stem, ()))),
        kind=lambda piece: _(_KINDS.get(piece.touch.kind, piece.touch.kind), number=piece.touch.number),
        when=_when,
        sent=_sent,
        counted=lambda pieces: counted(len(pieces), "text", "texts"),
        several_languages=len(gallery.languages) > 1,
        most_words=CARD_WORDS,
    )


class _Known(dict[tuple[str, str], str]):
    def __missing__(self, _key: tuple[str, str]) -> str:
        return ""


def _summary(gallery: Gallery) -> str:
    texts = counted(len(gallery.pieces), "text", "texts")
    to = counted(len(gallery.roles), "role", "roles")
    text = N_("{texts} for {roles}: what one person of each role gets who never answers. Times are in {zone}.")
    said = _(text, texts=texts, roles=to, zone=gallery.plan.send.time_zone)
    if gallery.more:
        left = counted(gallery.more, "later repeat is", "later repeats are")
        said += " " + _("{left} not shown: they have the same texts as earlier ones.", left=left)
    return said


def _filters(gallery: Gallery, *, with_pages: bool) -> Iterator[Filter]:
    numbers = sorted({piece.touch.number for piece in gallery.pieces})
    shown: list[tuple[str, str]] = [(name, _channel_name(name)) for name in gallery.channels]
    shown += [(PAGES, _("pages"))] if with_pages else []
    yield _filter("role", _("Role"), [(name, gallery.plan.audience.title(name)) for name in gallery.roles])
    yield _filter("message", _("Message"), [(name, name) for name in gallery.messages])
    yield _filter("touch", _("Number"), [(str(number), str(number)) for number in numbers])
    yield _filter("channel", _("Shown"), shown)
    yield _filter("language", _("Language"), [(name, name) for name in gallery.languages])
    yield _filter("width", _("Width"), [("phone", _("phone"))], _("desktop"))
    yield _filter("look", _("Colours"), [("light", _("light")), ("dark", _("dark"))], _("as the system"))


def _filter(name: str, title: str, choices: Sequence[tuple[str, str]], everything: str = "") -> Filter:
    all_of_them = ("", everything or _("all"))
    numbered = enumerate([all_of_them, *choices], 1)
    return Filter(name, title, tuple(Choice(f"{name}-{number}", *choice) for number, choice in numbered))


def _sections(gallery: Gallery, classes: Callable[[Piece], str]) -> Iterator[Section]:
    for name in gallery.messages:
        mine = tuple(piece for piece in gallery.pieces if piece.touch.message == name)
        several = " ".join(dict.fromkeys(" ".join(map(classes, mine)).split()))
        key_point = with_dates(gallery.plan.message(name).key_point, gallery.plan.milestones)
        yield Section(name, key_point, mine, several)


def _views(piece: Piece, pages: Sequence[str]) -> Iterator[View]:
    for message in piece.shown:
        text = "" if message.blocks else message.text
        yield View(message.channel, _channel_name(message.channel), piece.path(message.channel, "html"), text)
    for path in pages:
        what = path.removeprefix(f"{piece.stem}-").removesuffix(".html")
        yield View(PAGES, _(_PAGES[what]), path)


def _channel_name(name: str) -> str:
    return next((_(terms.label) for channel, terms in CHANNELS.items() if channel == name), _("in person"))


def _sent(piece: Piece) -> str:
    here, there, by = _when(piece.at), piece.their_time, _channel_name(piece.goes_by)
    if there.utcoffset() == piece.at.utcoffset():
        return f"{here} · {by}"
    return _("{here} ({time} for them) · {channel}", here=here, time=f"{there:%H:%M}", channel=by)


def _when(at: dt.datetime) -> str:
    return f"{at:%a} {at.day} {at:%b %H:%M}"
