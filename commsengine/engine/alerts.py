"""Mail to a person when nothing goes on without one: the engine holds, a channel is refused for its own fault, a people
file is held, a campaign has paused itself, or a message is refused for its text. The admin hears of all, the owners of
the last two.

An alert is service mail that passes a hold and a pause. If mail itself is down, it leaves when mail is back.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Collection
from contextlib import nullcontext
from email.utils import parseaddr
from functools import wraps
from typing import Any, TypeVar, cast

import structlog

from commsengine.cadence.kinds_and_states import CHANNELS, Carrier, ChannelName, service_channel
from commsengine.content.kept_words import retold
from commsengine.content.message import RenderedMessage, WrittenBody, payload_of
from commsengine.content.phrases import moment_text, time_text
from commsengine.engine.sending.breaker import Breaker
from commsengine.store.records import CampaignRecord, Hold, RefusalRecord
from commsengine.store.store import Store
from commsengine.text import message_key
from commsengine.translation import N_, _, counted, in_language

NAME = "commsengine"
MOST_REASONS = 5

Reason = tuple[str, str]
"""A text, and what stands in its ``{reply}``."""

log = structlog.get_logger(__name__)


M = TypeVar("M", bound=Callable[..., None])


def _in_the_companys_language(method: M) -> M:
    @wraps(method)
    def written(alerts: Alerts, *given: Any, **named: Any) -> None:
        with in_language(alerts.language) if alerts.language else nullcontext():
            method(alerts, *given, **named)

    return cast(M, written)


class Alerts:
    """One mail per event and day, in the company's ``language``, else in the one in use. Where there is only Slack, the
    owners hear by Slack, and the admin does not.
    """

    def __init__(self, store: Store, admin: str, channels: Collection[ChannelName], language: str = "") -> None:
        self._store, self.language = store, language
        self._way = service_channel(channels) if channels else None
        self._admin = parseaddr(admin)[1] if self._way and CHANNELS[self._way].any_address else ""
        self._sent: set[str] = set()

    @_in_the_companys_language
    def held(self, hold: Hold, now: dt.datetime) -> None:
        subject = _("Nothing is sent: the engine is on hold")
        text = N_(
            "{reason}\n\nThe engine sends nothing until you release it. See what waits:\n\n    commsengine status\n\n"
            "Then choose what to send of it:\n\n    commsengine release --backlog latest|all|none"
        )
        event = f"held since {hold.since.isoformat()}"
        self._send(event, hold.since.date(), subject, _(text, reason=_(hold.reason)), now)

    @_in_the_companys_language
    def shut(
        self, channel: Carrier, breaker: Breaker, provider: str, waiting: Callable[[], int], now: dt.datetime
    ) -> None:
        """For a channel that waits for a person, or for a quota that keeps somebody waiting; ``waiting`` counts what
        does not leave. ``provider`` is whose limits the channel keeps.
        """

        def text() -> str:
            number = waiting()
            return (
                _until_renewal(breaker, provider, number, now)
                if breaker.fault == "quota"
                else _rests(breaker, number, now)
            )

        subject = _("Nothing is sent by {channel}", channel=channel)
        event = f"{channel} is shut" if breaker.fault != "quota" else f"{channel} is full"
        self._send(event, now.date(), subject, text, now)

    @_in_the_companys_language
    def failing(self, record: CampaignRecord, why: str, reasons: Counter[Reason], now: dt.datetime) -> None:
        # it names reasons and their numbers, never an address
        first = reasons.most_common(MOST_REASONS)
        listed = [(_(text, reply=reply) if reply else _(text), number) for (text, reply), number in first]
        if others := reasons.total() - sum(number for _reason, number in first):
            listed.append((_("something else"), others))
        text = _(
            "{why}, more than one in twenty. So the engine has paused {title} ({campaign}): nothing more of it is "
            "sent until you resume it. The reasons:\n\n{reasons}\n\nSee which people are concerned:\n\n"
            "    commsengine touches {campaign} --state failed\n    commsengine touches {campaign} --state retry\n\n"
            "Solve the cause (old addresses, a text that the mail server takes for spam, a sender that it does not "
            "know), then:\n\n    commsengine resume {campaign}\n\nThe engine then counts from zero again.",
            why=why,
            title=record.plan.title,
            campaign=record.id,
            reasons="\n".join(f"    {number:,} × {reason}" for reason, number in listed),
        )
        subject = _("{title} is paused: too many messages are refused", title=record.plan.title)
        for address in dict.fromkeys([*record.plan.owner, *([self._admin] if self._admin else [])]):
            event = f"{record.id} paused itself at {now.isoformat()}: {address}"
            self._send(event, now.date(), subject, text, now, address)

    @_in_the_companys_language
    def refused(self, record: CampaignRecord, refusal: RefusalRecord, now: dt.datetime) -> None:
        """For a message that waits as a whole, because its text is refused."""
        text = _(
            "The server refuses '{message}' of {title} ({campaign}) for everybody, because of its text:\n\n"
            "    {words}\n\nNo one is marked as failed. This message is not sent again until you change its text and "
            "apply the plan, or allow it as it is:\n\n    commsengine apply PLAN\n"
            "    commsengine refusal {number} --again",
            message=refusal.message,
            title=record.plan.title,
            campaign=record.id,
            words=refusal.words,
            number=refusal.id,
        )
        subject = _("{title}: the text of a message is refused", title=record.plan.title)
        for address in dict.fromkeys([*record.plan.owner, *([self._admin] if self._admin else [])]):
            self._send(f"refusal {refusal.id}: {address}", refusal.since.date(), subject, text, now, address)

    @_in_the_companys_language
    def file_held(self, event: str, text: Callable[[], str], now: dt.datetime) -> None:
        """For a file of the watched folder, of which nothing is taken. ``text`` says why, and what decides."""
        self._send(f"people file: {event}", now.date(), _("A people file needs your decision"), text, now)

    def _send(
        self, event: str, day: dt.date, subject: str, text: str | Callable[[], str], now: dt.datetime, to: str = ""
    ) -> None:
        key = message_key("alert", event, day.isoformat())
        to = to or self._admin
        if not (to and self._way) or key in self._sent:
            return
        text = text if isinstance(text, str) else text()
        if not text:
            return
        self._sent.add(key)
        message = RenderedMessage(
            key=key,
            campaign=NAME,
            campaign_title=NAME,
            channel=self._way,
            to_email=to,
            subject=subject,
            body=WrittenBody(f"{text}\n"),
            date=now,
        )
        if self._store.service_mail.add(key, category="alert", channel=self._way, payload=payload_of(message), now=now):
            log.warning("told", alert=subject)


def _rests(breaker: Breaker, waiting: int, now: dt.datetime) -> str:
    return _(
        "The reason: {because}.\n\nThis needs somebody to solve it. {waits}, and none of them counts as refused. The "
        "channel rests until {until} UTC. Then the engine tries one message, again at least every ten minutes "
        "(with each tick if cron calls the engine); when it gets through, the others follow. The other channels go "
        "on. See what is wrong:\n\n    commsengine doctor",
        because=retold(breaker.because).rstrip("."),
        waits=counted(waiting, "message waits", "messages wait"),
        until=time_text(breaker.until or now, seconds=True),
    )


def _until_renewal(breaker: Breaker, provider: str, waiting: int, now: dt.datetime) -> str:
    if not waiting:
        return ""
    whose = _("The mail server appears to be: {provider}.", provider=provider) if provider else ""
    text = _(
        "The reason: {because}. {whose}\n\n{waits}, and none of them counts as refused: nothing is lost. The channel "
        "rests until {until} UTC. Then the messages are sent as there is room, in people's sending "
        "hours; if a message is due several times, only the newest is sent. The other channels go on.\n\n"
        "You need not do anything. For more messages a day, use Microsoft 365 High Volume Email, a Google "
        "Workspace relay or a mail relay of your own (COMMSENGINE_SMTP_URL). If the server allows you more, "
        "write how many in COMMSENGINE_SMTP_DAILY. See the status:\n\n    commsengine status",
        because=retold(breaker.because).rstrip("."),
        whose=whose,
        waits=counted(waiting, "message waits", "messages wait"),
        until=moment_text(breaker.until or now, seconds=True),
    )
    return text.replace(". \n", ".\n")
