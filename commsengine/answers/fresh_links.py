"""Links that work once, for the pages that are about more than one message: to a person, and to nobody else.

A link stands in mail that the engine writes. Looking at it changes nothing, so scanners burn none; its button uses it
up. Who finds theirs used or too old gets a new one where the old one was sent, never on the page.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

import structlog

from commsengine.cadence.audience import carried_by, reaching
from commsengine.cadence.kinds_and_states import ChannelName, service_channel
from commsengine.cadence.people import Person
from commsengine.content.render import RendererFor
from commsengine.engine.directory import SignerLookup
from commsengine.engine.dispatch import add_service_mail
from commsengine.errors import RenderError
from commsengine.store.records import CampaignRecord, FreshLink
from commsengine.store.store import Store
from commsengine.text import message_key
from commsengine.translation import N_, _, in_language

Purpose = Literal["mine", "calls", "review"]
PURPOSES: Mapping[Purpose, str] = {
    "mine": N_("your messages and settings"),
    "calls": N_("the people you are asked to talk to"),
    "review": N_("the review of the campaign"),
}
"""What each page is, after "opens"."""

CATEGORY = "link"
UNUSED = dt.timedelta(days=7)
"""So long a link waits for its first use."""

HOUR = dt.timedelta(hours=1)
MOST_AN_HOUR = 3
"""New links that one person is sent in an hour."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who has opened a page with their link. ``about`` is whose page it is, ``person`` to whom the link was sent."""

    about: str
    person: str


class FreshLinks:
    """Safe to share between threads. ``carriers`` are the channels that are set up here."""

    def __init__(self, store: Store, base_url: str, renderer: RendererFor, carriers: Collection[ChannelName]) -> None:
        self._store, self._base, self._renderer, self._carriers = store, base_url, renderer, carriers

    def make(self, purpose: Purpose, about: str, now: dt.datetime, *, campaign: str, person: str = "") -> str:
        """The address of a new link, to be put into mail of this campaign to ``person``: an id, or the address of one
        who is not in the directory. Without one it is who the page is ``about``: an id or address, for ``review`` the
        campaign's id.
        """
        token = secrets.token_urlsafe(24)
        self._store.link_tokens.add(token, FreshLink(purpose, about, person or about, campaign, now, now + UNUSED))
        return f"{self._base}/p/{token}"

    def works(self, token: str, now: dt.datetime) -> Purpose | None:
        """What the link would open now; it stays unused."""
        link = self._store.link_tokens.find(token)
        fresh = link is not None and link.used_at is None and link.expires_at > now
        return _purpose(link) if link is not None and fresh and self._recipient(link.recipient) else None

    def use(self, token: str, now: dt.datetime) -> tuple[Purpose, Visitor] | None:
        """Opens the page once; ``None`` for a link that is used, too old, unknown, or of somebody who has left."""
        link = self._store.link_tokens.find(token)
        if link is None or self._recipient(link.recipient) is None or self._store.link_tokens.use(token, now) is None:
            return None
        return _purpose(link), Visitor(link.about, link.recipient)

    def still_here(self, visitor: Visitor) -> bool:
        return self._recipient(visitor.person) is not None

    def renew(self, token: str, now: dt.datetime) -> None:
        """Sends a new link to whom this one was sent. Nothing shows whether it did."""
        link = self._store.link_tokens.find(token)
        if link is not None:
            self.send(_purpose(link), link.about, now, campaign=link.campaign, person=link.recipient)

    def send(self, purpose: Purpose, about: str, now: dt.datetime, *, campaign: str, person: str = "") -> bool:
        """Sends a link by itself, by the channel that reaches them; ``False`` if they are sent none (any more)."""
        to, record = self._recipient(person or about), self._store.campaigns.get(campaign)
        recent = self._store.link_tokens.made_since(person or about, now - HOUR)
        if to is None or record is None or not self._carriers or recent >= MOST_AN_HOUR:
            return False
        try:
            return self._write(purpose, about, to, record, now)
        except RenderError as error:
            log.error("link_failed", campaign=campaign, error=type(error).__name__)
            return False

    def _write(self, purpose: Purpose, about: str, to: Person, record: CampaignRecord, now: dt.datetime) -> bool:
        url = self.make(purpose, about, now, campaign=record.id, person=to.id)
        renderer = self._renderer(record.plan, record.templates)
        with in_language(renderer.language(to)):
            opens = _(PURPOSES[purpose])
            title = _("Your link: {page}", page=opens)
        mail = renderer.service(
            CATEGORY,
            message_key(CATEGORY, url),
            to,
            SignerLookup(self._store).of(to, record.plan),
            now,
            subject=title,
            page=False,
            channel=self._channel(to, record),
            footer="link_footer",
            headline=title,
            text=opens,
            opens=url,
        )
        known = self._store.people.by_id(to.id)
        person = known.id if known else None
        return add_service_mail(self._store, mail, category=CATEGORY, person_id=person, due_at=now, now=now)

    def _channel(self, to: Person, record: CampaignRecord) -> ChannelName:
        loaded = self._store.loading.histories([to.id])
        unreachable = loaded[to.id].history.unreachable if to.id in loaded else {}
        found = reaching(carried_by(record.plan, self._carriers), to, unreachable)
        return found[0] if found else service_channel(self._carriers)

    def _recipient(self, name: str) -> Person | None:
        # who leads a campaign or sponsors it need not be in the directory
        found = self._store.people.by_id(name) or (SignerLookup(self._store).named(name) if "@" in name else None)
        return found if found and found.left is None else None


def _purpose(link: FreshLink) -> Purpose:
    return next(purpose for purpose in PURPOSES if purpose == link.purpose)
