"""E-mail by access token against a real relay: a session ends with its token, a refused one is renewed once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

import pytest

from commsengine.channels.access_tokens import AccessToken, AccessTokens, TokenError
from commsengine.channels.channel import RETRY, SENT, Outcome
from commsengine.channels.email import EmailChannel
from commsengine.channels.smtp import SmtpServer
from tests.servers import SmtpSink, a_mail

NOW = dt.datetime(2027, 1, 11, 9, tzinfo=dt.UTC)


class Tokens:
    """Gives t1, t2, … for an hour each, or fails."""

    def __init__(self) -> None:
        self.now, self.given, self.failure = NOW, 0, ""
        self.all = AccessTokens(self._fetch, lambda: self.now)

    def _fetch(self, now: dt.datetime) -> AccessToken:
        if self.failure:
            raise TokenError(self.failure)
        self.given += 1
        return AccessToken.of(f"t{self.given}", now + dt.timedelta(hours=1), now)


@pytest.fixture
def tokens() -> Tokens:
    return Tokens()


@pytest.fixture
def relay() -> Iterator[SmtpSink]:
    with SmtpSink(tokens=["t1"]) as relay:
        yield relay


@pytest.fixture
def channel(relay: SmtpSink, tokens: Tokens) -> Iterator[EmailChannel]:
    server = SmtpServer("127.0.0.1", relay.port, "off", "change@example.com", by_token=True)
    channel = EmailChannel(server, "dana@example.com", tokens=tokens.all)
    yield channel
    channel.close()


def send(channel: EmailChannel, key: str = "k1") -> Outcome:
    (outcome,) = channel.deliver([a_mail(key)], lambda keys: keys)
    return outcome


def test_the_mailbox_logs_in_with_the_token(channel: EmailChannel, relay: SmtpSink) -> None:
    assert [send(channel, key).verdict for key in ("k1", "k2")] == [SENT, SENT]
    assert (relay.logins, relay.connections) == ([("change@example.com", "t1")], 1)


def test_a_session_ends_before_its_token_does(channel: EmailChannel, relay: SmtpSink, tokens: Tokens) -> None:
    relay.tokens = {"t1", "t2"}
    send(channel)
    tokens.now += dt.timedelta(minutes=54)
    send(channel)
    assert relay.connections == 1
    tokens.now += dt.timedelta(minutes=1)
    assert send(channel).verdict == SENT
    assert [token for _, token in relay.logins] == ["t1", "t2"]
    assert b"quit\r\n" in relay.lines


@pytest.mark.parametrize(
    "reply",
    ["421 4.7.0 Token expired", "530 5.7.57 Client not authenticated", "535 5.7.3 Authentication unsuccessful"],
)
def test_a_session_that_the_server_ends_goes_on_with_a_new_token(
    channel: EmailChannel, relay: SmtpSink, tokens: Tokens, reply: str
) -> None:
    send(channel)
    relay.tokens, relay.session_over = {"t2"}, reply
    assert send(channel, "k2").verdict == SENT
    assert ([token for _, token in relay.logins][-1], tokens.given, len(relay.messages)) == ("t2", 2, 2)


def test_a_refused_token_is_renewed_once(channel: EmailChannel, relay: SmtpSink) -> None:
    relay.tokens = {"t2"}
    assert send(channel).verdict == SENT
    assert ([token for _, token in relay.logins], relay.connections) == (["t1", "t2"], 2)


def test_a_second_refusal_is_about_us(channel: EmailChannel, relay: SmtpSink, tokens: Tokens) -> None:
    relay.tokens = set()
    outcome = send(channel)
    assert (outcome.verdict, outcome.begun, outcome.fault) == (RETRY, False, "us")
    said = f"127.0.0.1:{relay.port} refuses our log-in: 535 5.7.3 Authentication unsuccessful [relay.example.com]"
    assert (outcome.channel_down, tokens.given) == (said, 2)
    relay.tokens = {"t3"}
    assert send(channel).verdict == SENT


def test_too_many_log_ins_are_not_the_tokens_fault(channel: EmailChannel, relay: SmtpSink, tokens: Tokens) -> None:
    relay.fail("auth", "454 4.7.0 Too many login attempts, please try again later")
    outcome = send(channel)
    assert (outcome.verdict, outcome.fault, outcome.begun, tokens.given) == (RETRY, "later", False, 1)
    assert send(channel).verdict == SENT


def test_without_a_token_the_channel_is_down_and_says_why(
    channel: EmailChannel, relay: SmtpSink, tokens: Tokens
) -> None:
    tokens.failure = "Microsoft gives no token: AADSTS7000222: expired"
    outcome = send(channel)
    assert (outcome.verdict, outcome.begun, outcome.fault) == (RETRY, False, "us")
    assert (outcome.channel_down, relay.logins) == (tokens.failure, [])


def test_a_token_that_is_not_renewed_is_used_to_its_end(channel: EmailChannel, relay: SmtpSink, tokens: Tokens) -> None:
    send(channel)
    tokens.failure = "no network"
    tokens.now += dt.timedelta(minutes=59)
    assert (send(channel).verdict, relay.connections) == (SENT, 1)
    tokens.now += dt.timedelta(minutes=1)
    assert send(channel).channel_down == "no network"


def test_a_server_that_takes_no_token_is_told_with_what_it_takes(tokens: Tokens) -> None:
    with SmtpSink(password="x") as relay:
        server = SmtpServer("127.0.0.1", relay.port, "off", "change@example.com", by_token=True)
        outcome = send(EmailChannel(server, "dana@example.com", tokens=tokens.all))
    assert outcome.fault == "us"
    assert "no log-in by an access token (XOAUTH2), only by PLAIN" in outcome.channel_down


Opener = Callable[..., EmailChannel]


@pytest.mark.parametrize(("hello", "said"), [("", b"[127.0.0.1]"), ("comms.example.com", b"comms.example.com")])
def test_ehlo_names_this_machine(sink: SmtpSink, channel_to: Opener, hello: str, said: bytes) -> None:
    """Case c26: not the domain of the sender, which a relay takes for its own name in somebody else's mouth."""
    send(channel_to(sink, hello=hello))
    assert sink.lines[0] == b"ehlo " + said + b"\r\n"


def test_a_refusal_shows_our_own_address_and_no_other(sink: SmtpSink, channel_to: Opener) -> None:
    """Case c01."""
    sink.fail("dot", "554 5.2.252 SendAsDenied; bot@example.com not allowed to send as change@example.com; (x)")
    outcome = send(channel_to(sink))
    assert outcome.reply == "554 5.2.252 SendAsDenied; (address) not allowed to send as change@example.com; (x)"
    sink.fail("rcpt", "550 5.1.1 <ana@example.com>: unknown, says <Change@Example.com>")
    assert send(channel_to(sink)).reply == "550 5.1.1 <(address)>: unknown, says <Change@Example.com>"
