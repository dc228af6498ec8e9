"""Stand-ins for mail providers: they allow what the provider allows, and refuse in its words, by their own clock."""

from __future__ import annotations

import datetime as dt
import smtplib
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from commsengine.authoring.providers_file import load_providers
from commsengine.channels.email import EmailChannel
from commsengine.channels.mime import message_bytes
from commsengine.channels.providers import A_DAY, SendingLimits, profile_of
from commsengine.channels.smtp import parse_smtp_url, refusal
from commsengine.sandbox.relay import RelayStandIn
from commsengine.sandbox.relay_replies import REPLIES, RelayRefusal
from commsengine.sandbox.time_lapse import TimeLapse
from tests.builders import utc
from tests.servers import a_mail
from tests.waiting import PATIENCE

PROFILES = {profile.name: profile for profile in load_providers(Path("providers.yaml"))}
MAILBOX = "change@example.com"
WIDE = SendingLimits(connections=50)
PASSWORD = "once-upon-a-time"
HOUR = dt.timedelta(hours=1)

Reply = tuple[int, bytes]


def a_clock() -> TimeLapse:
    return TimeLapse(utc("2027-01-11 08:00"))


def a_relay(name: str, limits: SendingLimits = WIDE, clock: TimeLapse | None = None, **more: Any) -> RelayStandIn:
    given = {"password": PASSWORD, "answers_late": False, **more}
    return RelayStandIn(PROFILES[name], limits=limits, clock=(clock or a_clock()).now, **given)


class Client(smtplib.SMTP):
    """One connection that is logged in by password, unless it says otherwise."""

    def __init__(self, relay: RelayStandIn, *, log_in: bool = True) -> None:
        self.relay = relay
        super().__init__(timeout=PATIENCE)
        self.greeting = self.connect(relay.host, relay.port)
        if self.greeting[0] == 220:
            self.offered = self.ehlo()[1]
            if log_in and any(feature.startswith("AUTH ") for feature in relay.replies.features):
                self.login(MAILBOX, PASSWORD)

    def try_to_send(self, sender: str = MAILBOX, to: str = "ana@example.com", header_from: str = MAILBOX) -> Reply:
        """The reply that ends it: the first one that is no success, or the one to the final dot."""
        if self.greeting[0] != 220:
            return self.greeting
        letter = f"From: A name\r\n <{header_from}>\r\nSubject: s\r\n\r\nHello\r\n"
        for command in (f"MAIL FROM:<{sender}>", f"RCPT TO:<{to}>", "DATA"):
            code, reply = self.docmd(command)
            if code >= 400:
                return self._refused(code, reply)
        self.send(f"{letter}.\r\n")
        code, reply = self.getreply()
        return self._refused(code, reply) if code >= 400 else (code, reply)

    def _refused(self, code: int, reply: bytes) -> Reply:
        if code != 421:
            self.docmd("RSET")
        return code, reply

    def by_token(self, token: str, user: str = MAILBOX) -> Reply:
        given = b64encode(f"user={user}\x01auth=Bearer {token}\x01\x01".encode()).decode()
        code, reply = self.docmd("AUTH", f"XOAUTH2 {given}")
        return self.docmd("") if code == 334 else (code, reply)


@contextmanager
def clients(relay: RelayStandIn, number: int, **how: Any) -> Iterator[list[Client]]:
    opened = [Client(relay, **how) for _ in range(number)]
    try:
        yield opened
    finally:
        for client in opened:
            client.close()


def test_every_profile_has_its_stand_in() -> None:
    assert set(REPLIES) == set(PROFILES) - {"unknown"}


@pytest.mark.parametrize("name", ["microsoft365", "ses", "postfix"])
def test_it_greets_so_that_its_profile_is_known(name: str) -> None:
    with a_relay(name) as relay, clients(relay, 1, log_in=False) as (client,):
        banner = client.greeting[1].decode()
    assert profile_of(relay.host, banner, PROFILES.values()).name == name


@pytest.mark.parametrize("name", REPLIES)
def test_the_program_sends_by_it_and_every_byte_is_kept(name: str) -> None:
    log_in = "" if name == "postfix" else f"{MAILBOX.replace('@', '%40')}:{PASSWORD}@"
    with a_relay(name, PROFILES[name].limits) as relay:
        url = relay.url.replace("//", f"//{log_in}")
        channel = EmailChannel(parse_smtp_url(url), MAILBOX)
        outcomes = list(channel.deliver([a_mail("k1"), a_mail("k2")], lambda keys: keys))
        channel.close()
    assert [outcome.verdict for outcome in outcomes] == ["sent", "sent"]
    assert [mail.data for mail in relay.arrived] == [message_bytes(a_mail(key), MAILBOX) for key in ("k1", "k2")]
    assert (relay.refused, relay.delayed, relay.most_at_once) == ({}, 0, 1)


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("microsoft365", 432, b"4.3.2 Concurrent connections limit exceeded"),
        ("hve", 432, b"4.3.2 Concurrent connections limit exceeded"),
        ("gmail", 421, b"4.3.0 Temporary System Problem"),
        ("google-relay", 421, b"4.3.0 Temporary System Problem"),
        ("ses", 421, b"Too many concurrent SMTP connections"),
        ("postfix", 421, b"4.7.0 relay.example.com Error: too many connections from 127.0.0.1"),
    ],
)
def test_a_connection_too_many_is_refused_until_another_leaves(name: str, code: int, words: bytes) -> None:
    with a_relay(name, SendingLimits(connections=2)) as relay, clients(relay, 3) as (first, second, third):
        refused = third.try_to_send()
        assert (refused[0], refused[1][: len(words)]) == (code, words)
        assert [client.try_to_send()[0] for client in (first, second)] == [250, 250]
        first.quit()
        again = third if code == 432 else Client(relay)
        assert again.try_to_send()[0] == 250
        again.close()
    assert (relay.most_at_once, relay.refused.total(), len(relay.arrived)) == (3, 1, 3)


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("microsoft365", 554, b"SubmissionQuotaExceededException"),
        ("hve", 554, b"SubmissionQuotaExceededException"),
        ("gmail", 550, b"5.4.5 Daily user sending limit exceeded"),
        ("google-relay", 550, b"5.4.5 Daily SMTP relay limit exceeded for user"),
        ("ses", 454, b"Throttling failure: Daily message quota exceeded"),
        ("postfix", 450, b"4.7.1 Error: too much mail from 127.0.0.1"),
    ],
)
def test_a_day_is_full_until_the_first_of_it_are_a_day_old(name: str, code: int, words: bytes) -> None:
    clock = a_clock()
    with a_relay(name, replace(WIDE, per_day=2), clock) as relay, clients(relay, 1) as (client,):
        assert client.try_to_send()[0] == 250
        clock.move_to(clock.now() + HOUR)
        assert client.try_to_send()[0] == 250
        refused = client.try_to_send()
        assert (refused[0], words in refused[1]) == (code, True)
        clock.move_to(clock.now() + A_DAY - HOUR)
        assert [client.try_to_send()[0] for _ in range(2)] == [250, code]
    assert (relay.refused.total(), len(relay.arrived)) == (2, 3)


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [("ses", 454, b"Maximum sending rate exceeded"), ("postfix", 450, b"4.7.1 Error: too much mail from")],
)
def test_what_comes_too_fast_is_refused_until_there_is_room(name: str, code: int, words: bytes) -> None:
    clock = a_clock()
    with a_relay(name, replace(WIDE, per_minute=2), clock, unit=60) as relay, clients(relay, 1) as (client,):
        assert [client.try_to_send()[0] for _ in range(2)] == [250, 250]
        refused = client.try_to_send()
        assert (refused[0], words in refused[1]) == (code, True)
        clock.sleep(60)
        assert client.try_to_send()[0] == 250


def test_microsoft_takes_what_comes_too_fast_and_delays_it() -> None:
    with a_relay("microsoft365", replace(WIDE, per_minute=2)) as relay, clients(relay, 1) as (client,):
        assert [client.try_to_send()[0] for _ in range(5)] == [250] * 5
    assert (relay.delayed, relay.refused) == (3, {})


def test_a_delay_is_a_late_answer_where_time_is_real() -> None:
    fast = replace(WIDE, per_minute=600)
    relay = RelayStandIn(PROFILES["microsoft365"], limits=fast, password=PASSWORD, unit=0.2)  # two in 0.2 seconds
    with relay, clients(relay, 1) as (client,):
        assert [client.try_to_send()[0] for _ in range(3)] == [250] * 3
    assert relay.arrived[2].arrived_at - relay.arrived[0].arrived_at >= 0.19


@pytest.mark.parametrize("name", ["gmail", "google-relay", "ses"])
def test_a_session_ends_after_so_many_messages(name: str) -> None:
    with a_relay(name, replace(WIDE, per_connection=2)) as relay, clients(relay, 2) as (client, other):
        assert [client.try_to_send()[0] for _ in range(3)] == [250, 250, 421]
        with pytest.raises(smtplib.SMTPServerDisconnected):
            client.docmd("NOOP")
        assert other.try_to_send()[0] == 250


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("microsoft365", b"5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant"),
        ("hve", b"5.7.3 Authentication unsuccessful"),
        ("gmail", b"5.7.8 Username and Password not accepted"),
        ("google-relay", b"5.7.8 Username and Password not accepted"),
        ("ses", b"Authentication Credentials Invalid"),
    ],
)
def test_a_password_is_refused_in_the_providers_words(name: str, words: bytes) -> None:
    with a_relay(name, password="") as relay, clients(relay, 1, log_in=False) as (client,):
        with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
            client.login(MAILBOX, PASSWORD)
        assert isinstance(refused.value.smtp_error, bytes)
        assert refused.value.smtp_error.startswith(words)
        if name != "google-relay":  # which knows its senders by their machine as well
            assert client.try_to_send()[0] == 530


@pytest.mark.parametrize("name", ["microsoft365", "hve", "gmail", "google-relay"])
def test_a_session_ends_with_its_token(name: str) -> None:
    clock = a_clock()
    with a_relay(name, clock=clock, password="") as relay, clients(relay, 3, log_in=False) as (client, other, third):
        relay.tokens |= {"first": clock.now() + HOUR, "second": clock.now() + 2 * HOUR}
        assert (third.by_token("made up")[0], client.by_token("first")[0], client.try_to_send()[0]) == (535, 235, 250)
        clock.sleep(3600)
        assert client.try_to_send()[0] in (421, 530, 535)
        assert (third.by_token("first")[0], other.by_token("second")[0], other.try_to_send()[0]) == (535, 235, 250)
    assert relay.log_ins == 2


def test_what_cannot_be_read_as_a_log_in_is_told_apart() -> None:
    with a_relay("microsoft365") as relay, clients(relay, 1, log_in=False) as (client,):
        asked = [client.docmd("AUTH", words)[0] for words in ("XOAUTH2 !", "XOAUTH2 aGVsbG8=", "LOGIN !", "CRAM-MD5")]
    assert asked == [501, 501, 501, 504]


def test_high_volume_email_reaches_colleagues_only() -> None:
    with a_relay("hve", domains=frozenset({"example.com"})) as relay, clients(relay, 1) as (client,):
        assert client.try_to_send(to="ana@Example.com")[0] == 250
        assert client.try_to_send(to="ana@partner.example")[1].startswith(b"5.5.105 External sending is not supported")
    assert len(relay.arrived) == 1


@pytest.mark.parametrize("sent", [{"sender": "dana@example.com"}, {"header_from": "dana@example.com"}])
def test_a_mailbox_sends_as_itself_only(sent: dict[str, str]) -> None:
    with a_relay("microsoft365") as relay, clients(relay, 1) as (client,):
        code, reply = client.try_to_send(**sent)
    assert (code, reply[:22]) == (554, b"5.2.252 SendAsDenied; ")
    with (
        a_relay("microsoft365", mailboxes=frozenset({"dana@example.com"})) as relay,
        clients(relay, 1) as (client,),
    ):
        assert client.try_to_send(**sent)[0] == 250


JUDGED = {
    "at_once": {"later"},
    "day_over": {"quota", "later"},  # a relay that only knows a rate says the same of both
    "anonymous": {"us"},
    "log_in_over": {"us", "later"},  # a new connection with a new token is tried first
    "session_over": {"later"},
    "too_fast": {"later"},
    "not_as_them": {"us"},
    "outside": {"person"},
}


@pytest.mark.parametrize("name", REPLIES)
def test_the_program_knows_what_each_refusal_is_about(name: str) -> None:
    for what, expected in JUDGED.items():
        refused: RelayRefusal | None = getattr(REPLIES[name], what)
        if refused is not None:
            lines = refused.reply.format(host="h", login=MAILBOX, sender=MAILBOX, peer="127.0.0.1").split("\n")
            phase = "reply" if refused.phase == "dot" else refused.phase
            error = refusal(phase, int(lines[0][:3]), " ".join(line[4:] for line in lines).encode())
            assert (what, error.fault in expected) == (what, True)
