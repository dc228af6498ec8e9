"""A mail server that allows what one provider allows, and refuses in its words: a mailbox with limits.

It is kinder than the real one in two things: it wants no TLS, and it never looks into a message. All times are those of
its clock, so that a rehearsal's weeks count as weeks.
"""

from __future__ import annotations

import asyncio
import binascii
import datetime as dt
import re
from base64 import b64decode
from collections import Counter, deque
from collections.abc import Callable, Iterator
from email.utils import parseaddr
from typing import Any

from aiosmtpd.smtp import SMTP

from commsengine.channels.providers import ProviderProfile, SendingLimits
from commsengine.sandbox.mailbox import Mailbox
from commsengine.sandbox.relay_replies import REPLIES, Phase, RelayRefusal, RelayReplies

_XOAUTH2_FAILED = '{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}'
_FROM = re.compile(rb"(?:^|\n)From:((?:[^\r\n]|\r\n[ \t])*)", re.IGNORECASE)
_ADDRESS = re.compile(r"<([^>]*)>")
_BAD = "501 5.5.2 Cannot decode response"

OTHERS = "postfix"
"""A profile of the workspace's own speaks like this one."""

NOTICEABLE = 0.1
"""Which part of its unit of time a delay must last to be counted: an even stream has gusts."""

Applies = Callable[["_Conversation"], bool]


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class RelayStandIn(Mailbox):
    """Stands in for the provider of ``profile``; ``limits`` come in place of the profile's.

    ``password`` is the one that it takes; without one passwords are refused. ``tokens`` are access tokens and their
    ends. ``mailboxes`` are the addresses that the account may send as, besides its own. ``domains`` are the company's;
    with none every address is inside. ``clock`` gives aware UTC; ``answers_late`` makes a provider that delays do so in
    real time; ``unit`` are the seconds over which it counts what is a minute's too much.

    ``instants`` are those at which mail arrived, ``refused`` counts its refusals by their first line, ``delayed`` what
    came faster than the provider takes it; ``most_at_once`` is how many connections were open together, ``log_ins``
    how often somebody was let in.
    """

    def __init__(
        self,
        profile: ProviderProfile,
        *,
        limits: SendingLimits | None = None,
        password: str = "",
        mailboxes: frozenset[str] = frozenset(),
        domains: frozenset[str] = frozenset(),
        clock: Callable[[], dt.datetime] = _now,
        answers_late: bool = True,
        unit: float | None = None,
    ) -> None:
        super().__init__()
        self.profile, self.limits = profile, limits or profile.limits
        self.replies: RelayReplies = REPLIES.get(profile.name, REPLIES[OTHERS])
        self.tokens: dict[str, dt.datetime] = {}
        self.instants: list[dt.datetime] = []
        self.refused = Counter[str]()
        self.delayed = self.most_at_once = self.log_ins = 0
        self.password, self._mailboxes, self._domains = password, mailboxes, domains
        self._clock, self._answers_late = clock, answers_late
        self._unit = dt.timedelta(seconds=unit or self.replies.unit)
        self._taken: deque[dt.datetime] = deque()  # the instants that count for the day, one a recipient
        self._lately: deque[dt.datetime] = deque()  # those that count for the rate
        self._connected: list[_Conversation] = []
        self._rules = [(refusal, applies) for refusal, applies in self._all_rules() if refusal is not None]

    def _all_rules(self) -> Iterator[tuple[RelayRefusal | None, Applies]]:
        said = self.replies
        yield said.at_once, self._is_one_too_many
        yield said.session_over, self._has_carried_enough
        yield said.anonymous, lambda one: not one.login
        yield said.log_in_over, self._has_an_old_token
        yield said.outside, self._names_somebody_outside
        yield said.not_as_them, self._sends_as_another
        yield said.day_over, lambda _: self._room_today() <= 0
        yield said.too_fast, lambda _: self._seconds_until_room() > 0

    @property
    def ways_to_log_in(self) -> list[str]:
        return next((each.split()[1:] for each in self.replies.features if each.startswith("AUTH ")), [])

    def is_outside(self, address: str) -> bool:
        if self.replies.outside is None or not self._domains:
            return False
        return address.rpartition("@")[2].lower() not in self._domains

    # -- what it allows ---------------------------------------------------------------------------

    def _is_one_too_many(self, one: _Conversation) -> bool:
        return one in self._connected[self.limits.connections :]

    def _has_carried_enough(self, one: _Conversation) -> bool:
        return self.limits.per_connection is not None and one.carried >= self.limits.per_connection

    def _has_an_old_token(self, one: _Conversation) -> bool:
        return one.logged_in_until is not None and self._clock() >= one.logged_in_until

    def _names_somebody_outside(self, one: _Conversation) -> bool:
        return self.is_outside(one.recipient)

    def _sends_as_another(self, one: _Conversation) -> bool:
        return bool({one.sender.lower(), one.from_header.lower()} - {one.login.lower(), *self._mailboxes})

    def _room_today(self) -> float:
        if self.limits.per_day is None:
            return float("inf")
        _forget(self._taken, self._clock() - self.limits.day)
        return self.limits.per_day - len(self._taken)

    def _seconds_until_room(self) -> float:
        if self.limits.per_minute is None:
            return 0.0
        now, most = self._clock(), max(1, round(self.limits.per_minute * self._unit.total_seconds() / 60))
        _forget(self._lately, now - self._unit)
        return (self._lately[-most] + self._unit - now).total_seconds() if len(self._lately) >= most else 0.0

    # -- the session ------------------------------------------------------------------------------

    def _conversation(self) -> SMTP:
        return _Conversation(self, self._loop)

    def enters(self, one: _Conversation) -> None:
        self._connected.append(one)
        self.most_at_once = max(self.most_at_once, len(self._connected))

    def leaves(self, one: _Conversation) -> None:
        if one in self._connected:
            self._connected.remove(one)

    def refusal(self, phase: Phase, one: _Conversation) -> str:
        """What is said instead of going on; empty when it may."""
        for refusal, applies in self._rules:
            if refusal.phase == phase and applies(one):
                return self.refuses(refusal.reply, one)
        return ""

    def refuses(self, reply: str, one: _Conversation) -> str:
        said = reply.format(host=self.replies.host, login=one.login, sender=one.from_header, peer=self.host)
        self.refused[said.partition("\n")[0]] += 1
        return said

    def log_in(self, one: _Conversation, *, password: str = "", token: str = "") -> str:
        """``one`` has named itself; returns the reply."""
        end = self.tokens.get(token)
        if token and (end is None or self._clock() >= end):
            one.login = ""
            return self.refuses(self.replies.xoauth2_refused, one)
        if not token and (not self.password or password != self.password):
            one.login = ""
            return self.refuses(self.replies.login_refused, one)
        one.logged_in_until = end
        self.log_ins += 1
        return self.replies.welcome

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's hook
        self, server: SMTP, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        del server, envelope, responses
        session.host_name = hostname
        *features, last = self.replies.features
        return [
            f"250-{self.replies.hello.format(host=self.replies.host, peer=self.host)}",
            *(f"250-{feature}" for feature in features),
            f"250 {last}",
        ]

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's hook
        assert isinstance(server, _Conversation)  # noqa: S101 - no other is made
        found = _FROM.search(envelope.content.partition(b"\r\n\r\n")[0])
        server.from_header = parseaddr(found[1].decode("utf-8", "replace"))[1] if found else server.sender
        if refusal := self.refusal("dot", server):
            return _lines(refusal)
        await self._take_time()
        server.carried += 1
        now = self._clock()
        self.instants.append(now)
        self._lately.append(now)
        self._taken.extend([now] * len(envelope.rcpt_tos))
        await super().handle_DATA(server, session, envelope)
        return self.replies.accepted.format(host=self.replies.host, number=len(self.arrived))

    async def _take_time(self) -> None:
        seconds = self._seconds_until_room()
        self.delayed += seconds > self._unit.total_seconds() * NOTICEABLE
        while self._answers_late and seconds > 0:  # several may have waited for the same place
            await asyncio.sleep(seconds)
            seconds = self._seconds_until_room()


class _Conversation(SMTP):
    """One connection. ``login`` is the account; ``carried`` counts messages."""

    def __init__(self, standin: RelayStandIn, loop: asyncio.AbstractEventLoop) -> None:
        replies = standin.replies
        super().__init__(standin, hostname=replies.host, ident=replies.banner, loop=loop, auth_require_tls=False)
        self._standin = standin
        self.login = self.sender = self.recipient = self.from_header = ""
        self.logged_in_until: dt.datetime | None = None
        self.carried = 0

    async def _handle_client(self) -> None:
        self._standin.enters(self)
        if not await self._turned_away("connect"):
            await super()._handle_client()

    def connection_lost(self, error: Exception | None) -> None:
        self._standin.leaves(self)
        super().connection_lost(error)

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802 - aiosmtpd's name
        self.sender = _address(arg)
        if not await self._turned_away("mail"):
            await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802 - aiosmtpd's name
        self.recipient = _address(arg)
        if not await self._turned_away("rcpt"):
            await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        if not await self._turned_away("data"):
            await super().smtp_DATA(arg)

    async def smtp_AUTH(self, arg: str | None) -> None:  # noqa: N802 - aiosmtpd's name
        way, _space, given = (arg or "").partition(" ")
        ways = {"XOAUTH2": self._by_token, "PLAIN": self._by_plain, "LOGIN": self._by_login}
        if way.upper() not in ways or way.upper() not in self._standin.ways_to_log_in:
            await self.push("504 5.7.4 Unrecognized authentication type")
            return
        try:
            reply = await ways[way.upper()](given)
        except (ValueError, UnicodeError, binascii.Error):
            reply = _BAD
        await self.push(_lines(reply))

    async def _by_token(self, given: str) -> str:
        found = re.fullmatch("user=([^\x01]*)\x01auth=Bearer ([^\x01]*)\x01\x01", _decoded(given))
        if not found:
            return _BAD
        self.login = found[1]
        reply = self._standin.log_in(self, token=found[2])
        if not self.login and self._standin.replies.explains_xoauth2:
            await self.challenge_auth(_XOAUTH2_FAILED)  # the other side answers with an empty line
        return reply

    async def _by_plain(self, given: str) -> str:
        _as, self.login, password = _decoded(given or await self._asked("")).split("\0")
        return self._standin.log_in(self, password=password)

    async def _by_login(self, given: str) -> str:
        self.login = _decoded(given) if given else await self._asked("Username:")
        return self._standin.log_in(self, password=await self._asked("Password:"))

    async def _asked(self, question: str) -> str:
        answer = await self.challenge_auth(question)
        if not isinstance(answer, bytes):
            raise ValueError("the log-in was broken off")
        return answer.decode()

    async def _turned_away(self, phase: Phase) -> bool:
        reply = self._standin.refusal(phase, self)
        if reply:
            await self.push(_lines(reply))
        if reply.startswith("421") and self.transport is not None:
            self.transport.close()
        return bool(reply)


def _forget(instants: deque[dt.datetime], up_to: dt.datetime) -> None:
    while instants and instants[0] <= up_to:
        instants.popleft()


def _lines(reply: str) -> str:
    return reply.replace("\n", "\r\n")


def _address(arg: str | None) -> str:
    found = _ADDRESS.search(arg or "")
    return found[1] if found else ""


def _decoded(given: str) -> str:
    return b64decode(given, validate=True).decode()
