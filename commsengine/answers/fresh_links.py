"""Links that work once, for the pages that are about more than one message, to one person alone.

A link stands in mail that the engine writes. Looking at it changes nothing, so scanners burn none; its button uses it
up. Who finds theirs used or too old gets a new one where the old one was sent, never on the page.
"""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass

from commsengine.answers.own_mail import OwnMail
from commsengine.cadence.kinds_and_states import PURPOSES, Purpose
from commsengine.store.records import FreshLink
from commsengine.store.store import Store

UNUSED = dt.timedelta(days=7)
"""So long a link waits for its first use."""

HOUR = dt.timedelta(hours=1)
MOST_AN_HOUR = 3
"""Links that one person is sent in an hour because they ask."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person who opened a page by a link. ``about`` names the subject of the page, ``person`` the link's recipient.

    ``campaign`` is that of the mail it stood in; ``revoked`` is how often the person's links had been revoked.
    """

    about: str
    person: str
    campaign: str
    revoked: int = 0


class FreshLinks:
    """Safe to share between threads. ``mail`` brings the links that somebody asks for."""

    def __init__(self, store: Store, base_url: str, mail: OwnMail) -> None:
        self._store, self._base, self.mail = store, base_url, mail

    def make(
        self,
        purpose: Purpose,
        about: str,
        now: dt.datetime,
        *,
        campaign: str,
        person: str = "",
        by_itself: bool = False,
    ) -> str:
        """The address of a new link, to be put into mail of this campaign to ``person``: an id, or the address of one
        who is not in the directory. Without one it is who the page is ``about``: an id or address, for ``review`` the
        campaign's id.
        """
        token = secrets.token_urlsafe(24)
        link = FreshLink(purpose, about, person or about, campaign, now, now + UNUSED, by_itself)
        self._store.link_tokens.add(token, link)
        return f"{self._base}/p/{token}"

    def works(self, token: str, now: dt.datetime) -> Purpose | None:
        """What the link would open now; it stays unused."""
        link = self._unused(token, now)
        return link.purpose if link else None

    def whose(self, token: str, now: dt.datetime) -> Visitor | None:
        """Who would come by it now."""
        link = self._unused(token, now)
        return Visitor(link.about, link.recipient, link.campaign) if link else None

    def _unused(self, token: str, now: dt.datetime) -> FreshLink | None:
        link = self._store.link_tokens.find(token)
        fresh = link is not None and link.used_at is None and link.expires_at > now
        return link if link is not None and fresh and self.mail.to(link.recipient, now) else None

    def use(self, token: str, now: dt.datetime) -> tuple[Purpose, Visitor] | None:
        """Opens the page once; ``None`` for a link that is used, too old, unknown, or of somebody who has left."""
        link = self._store.link_tokens.find(token)
        person = self.mail.to(link.recipient, now) if link is not None else None
        if link is None or person is None or self._store.link_tokens.use(token, now) is None:
            return None
        return link.purpose, Visitor(link.about, link.recipient, link.campaign, person.revoked)

    def still_open(self, visitor: Visitor, now: dt.datetime) -> bool:
        person = self.mail.to(visitor.person, now)
        return person is not None and person.revoked == visitor.revoked

    def renew(self, token: str, now: dt.datetime) -> None:
        """Sends a new link to whom this one was sent. Nothing shows whether it did."""
        link = self._store.link_tokens.find(token)
        if link is not None:
            self.send(link.purpose, link.about, now, campaign=link.campaign, person=link.recipient)

    def send(self, purpose: Purpose, about: str, now: dt.datetime, *, campaign: str, person: str = "") -> bool:
        """Sends a link by itself, by the channel that reaches them; ``False`` if they are sent none (any more)."""
        recipient = person or about
        to, recent = self.mail.to(recipient, now), self._store.link_tokens.asked_since(recipient, now - HOUR)
        if to is None or recent >= MOST_AN_HOUR:
            return False
        words = PURPOSES[purpose]
        url = self.make(purpose, about, now, campaign=campaign, person=recipient, by_itself=True)
        return self.mail.send("link", to, campaign, words.subject, now, about=url, opens=url)
