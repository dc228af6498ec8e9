"""Mail about somebody's own pages: the link that they asked for, and what has become of their settings.

It goes to them alone, at once, by the channel that reaches them, and whatever has become of the campaign.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any, Literal

import structlog

from commsengine.cadence.audience import carried_by, reaching
from commsengine.cadence.calendar import local_date_in
from commsengine.cadence.kinds_and_states import CHANNELS, ChannelName, service_channel
from commsengine.cadence.people import Person
from commsengine.cadence.time_notation import clock_text
from commsengine.content.message import RenderedMessage
from commsengine.content.render import RendererFor
from commsengine.engine.directory import SignerLookup
from commsengine.engine.dispatch import add_service_mail
from commsengine.errors import RenderError
from commsengine.store.records import CampaignRecord
from commsengine.store.store import Store
from commsengine.text import message_key
from commsengine.translation import N_, _, in_language

log = structlog.get_logger(__name__)


class OwnMail:
    """Safe to share between threads. ``carriers`` are the channels that are set up here."""

    def __init__(self, store: Store, renderer: RendererFor, carriers: Collection[ChannelName]) -> None:
        self._store, self._renderer, self.carriers = store, renderer, carriers

    def to(self, name: str, now: dt.datetime) -> Person | None:
        """Who has this id or address and has not left. Who leads or sponsors need not be in the directory."""
        found = self._store.people.by_id(name) or (SignerLookup(self._store).named(name) if "@" in name else None)
        return found if found and not found.has_left(local_date_in(found.time_zone or "UTC", now)) else None

    def send(
        self,
        category: Literal["link", "settings"],
        to: Person,
        campaign: str,
        title: str,
        now: dt.datetime,
        *,
        about: str,
        **fields: Any,
    ) -> bool:
        """``about`` tells this mail from others of its category; ``title`` is a text of the catalog.

        ``False`` if it cannot be written, or its campaign or every channel is missing.
        """
        record, key = self._store.campaigns.get(campaign), message_key(category, about)
        if record is None or not self.carriers:
            return False
        try:
            mail = self._written(category, key, to, record, title, now, fields)
        except RenderError as error:
            log.error("own_mail_failed", category=category, campaign=campaign, error=type(error).__name__)
            return False
        known = self._store.people.by_id(to.id)
        person = known.id if known else None
        return add_service_mail(self._store, mail, category=category, person_id=person, due_at=now, now=now)

    def _written(
        self,
        template: str,
        key: str,
        to: Person,
        record: CampaignRecord,
        title: str,
        now: dt.datetime,
        fields: dict[str, Any],
    ) -> RenderedMessage:
        renderer = self._renderer(record.plan, record.templates)
        with in_language(renderer.language(to)):
            subject = _(title)
        return renderer.service(
            template,
            key,
            to,
            SignerLookup(self._store).of(to, record.plan, now.date()),
            now,
            subject=subject,
            page=False,
            channel=self._channel(to, record),
            footer="own_footer",
            headline=subject,
            **fields,
        )

    def _channel(self, to: Person, record: CampaignRecord) -> ChannelName:
        loaded = self._store.loading.histories([to.id])
        unreachable = loaded[to.id].history.unreachable if to.id in loaded else {}
        found = reaching(carried_by(record.plan, self.carriers), to, unreachable)
        return found[0] if found else service_channel(self.carriers)

    def settings_changed(self, before: Person, campaign: str, now: dt.datetime) -> bool:
        """Says to the person what they have wished; by the channel that reached them ``before``."""
        after = self._store.people.by_id(before.id)
        if after is None or _wishes(after) == _wishes(before):
            return False
        record = self._store.campaigns.get(campaign)
        language = self._renderer(record.plan, record.templates).language(before) if record else ""
        with in_language(language):
            figures = _in_words(after)
        about = f"{before.id} {now.isoformat()}"
        return self.send("settings", before, campaign, SETTINGS, now, about=about, figures=figures)


SETTINGS = N_("Your settings were changed")


def _wishes(person: Person) -> tuple[str, tuple[int, int] | None]:
    return person.wished_channel, person.quiet


def _in_words(person: Person) -> list[str]:
    wished = _(CHANNELS[person.wished_channel].label) if person.wished_channel else _("as the campaign sends it")
    hours = _("office hours")
    if person.quiet:
        start, end = (clock_text(each) for each in person.quiet)
        hours = _("between {start} and {end}, your local time", start=start, end=end)
    return [_("Channel: {channel}", channel=wished), _("Time: {hours}", hours=hours)]
