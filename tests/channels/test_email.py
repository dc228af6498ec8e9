"""E-mail against a real SMTP server: the happy way, every phase refused or cut, and what may not leave."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

import pytest

from commsengine.cadence.kinds_and_states import Fault, Verdict
from commsengine.channels.channel import PERMANENT, RELEASED, RETRY, SENT, UNCERTAIN, Outcome
from commsengine.channels.email import EmailChannel
from commsengine.channels.smtp import SmtpServer
from commsengine.errors import InputError
from tests.servers import CUT, WAIT, SmtpSink, a_mail
from tests.waiting import PATIENCE

Opener = Callable[..., EmailChannel]
Trust = tuple[ssl.SSLContext, ssl.SSLContext]


def every(keys: Sequence[str]) -> Iterable[str]:
    return keys


def deliver(channel: EmailChannel, *keys: str, mark: Callable[[Sequence[str]], Iterable[str]] = every) -> list[Outcome]:
    return list(channel.deliver([a_mail(key) for key in keys or ("k1",)], mark))


def test_a_message_is_sent_and_the_relays_name_for_it_kept(sink: SmtpSink, channel_to: Opener) -> None:
    assert deliver(channel_to(sink)) == [Outcome("k1", SENT, "reply", "250 2.0.0 Ok: queued as Q1", remote_id="Q1")]
    assert sink.recipients == ["ana@example.com"]


def test_many_messages_share_one_connection(sink: SmtpSink, channel_to: Opener) -> None:
    channel, at = channel_to(sink), [time.monotonic()]
    outcomes = []
    for outcome in channel.deliver([a_mail(f"k{number}") for number in range(250)], every):
        outcomes.append(outcome)
        at.append(time.monotonic())
    outcomes += deliver(channel, "k250")
    assert [outcome.verdict for outcome in outcomes] == [SENT] * 251
    assert (len(sink.messages), sink.connections) == (251, 1)
    # A busy machine makes some of them slow, a dot that waits for an echo of the body makes all of them slow.
    quickest = sorted(after - before for before, after in pairwise(at))[25]
    assert quickest < 0.04, "40 ms a message: the final dot waits for an echo of the body"


def test_after_so_many_messages_a_new_connection_is_opened(sink: SmtpSink, channel_to: Opener) -> None:
    greetings: list[str] = []
    channel = channel_to(sink, per_connection=3, greeted=greetings.append)
    assert [outcome.verdict for outcome in deliver(channel, *(f"k{n}" for n in range(7)))] == [SENT] * 7
    assert (sink.connections, greetings) == (3, ["sink"] * 3)


def test_the_mark_comes_after_the_body_and_before_the_final_dot(sink: SmtpSink, channel_to: Opener) -> None:
    seen: list[tuple[int, bytes]] = []

    def mark(keys: Sequence[str]) -> Iterable[str]:
        seen.append((len(sink.messages), sink.lines[-1]))
        return keys

    deliver(channel_to(sink), mark=mark)
    assert seen == [(0, b"DATA\r\n")]


def test_a_refused_mark_lets_nothing_arrive_and_spoils_nothing_else(sink: SmtpSink, channel_to: Opener) -> None:
    begun = time.monotonic()
    channel = channel_to(sink, reply_timeout=2 * PATIENCE)
    outcomes = deliver(channel, "no", "yes", mark=lambda keys: [key for key in keys if key == "yes"])
    assert [(outcome.key, outcome.verdict, outcome.begun) for outcome in outcomes] == [
        ("no", RELEASED, False),
        ("yes", SENT, True),
    ]
    assert [b"touch: yes" in data.lower() for data in sink.messages] == [True]
    assert time.monotonic() - begun < PATIENCE, "the connection was not dropped at once"


def test_a_mark_that_fails_lets_nothing_arrive(sink: SmtpSink, channel_to: Opener) -> None:
    def mark(keys: Sequence[str]) -> Iterable[str]:
        raise RuntimeError("disk full")

    with pytest.raises(RuntimeError, match="disk full"):
        deliver(channel_to(sink), mark=mark)
    sink.close()
    assert sink.messages == []


@pytest.mark.parametrize(
    ("phase", "reply", "verdict", "wait", "fault"),
    [
        ("rcpt", "450 4.2.0 greylisted", RETRY, 300.0, "later"),
        ("rcpt", "452 4.2.2 mailbox full", RETRY, 900.0, "later"),
        ("rcpt", "421 4.7.0 too many", RETRY, 60.0, "later"),
        ("rcpt", "550 5.7.1 not by policy", PERMANENT, None, "unknown"),
        ("data", "451 4.3.0 later", RETRY, 300.0, "later"),
        ("data", "554 5.5.1 no", PERMANENT, None, "unknown"),
        ("dot", "451 4.3.0 later", RETRY, 300.0, "later"),
        ("dot", "554 5.6.0 rejected", PERMANENT, None, "message"),
    ],
)
def test_a_refusal_concerns_one_message_and_the_next_one_goes(
    sink: SmtpSink, channel_to: Opener, phase: str, reply: str, verdict: Verdict, wait: float | None, fault: Fault
) -> None:
    sink.fail(phase, reply)
    first, second = deliver(channel_to(sink), "k1", "k2")
    place, own = "reply" if phase == "dot" else phase, "full" in reply
    assert first == Outcome("k1", verdict, place, reply, retry_after=wait, fault=fault, alike=reply, own=own)
    assert second.verdict == SENT


@pytest.mark.parametrize(
    ("reply", "unreachable"),
    [
        ("550 5.1.1 <ana@example.com> user unknown", "no such mailbox"),
        ("550 No such user here", "no such mailbox"),
        ("550 5.1.10 recipient not found", "no such mailbox"),
        ("550 5.4.1 Recipient address rejected: Access denied. AS(201806281)", "no such mailbox"),
        ("550 5.7.1 we dislike your network", ""),
    ],
)
def test_only_a_missing_mailbox_makes_somebody_unreachable(
    sink: SmtpSink, channel_to: Opener, reply: str, unreachable: str
) -> None:
    sink.fail("rcpt", reply)
    (outcome,) = deliver(channel_to(sink))
    assert (outcome.verdict, outcome.unreachable) == (PERMANENT, unreachable)
    assert "ana@" not in outcome.reply


def test_a_refused_sender_concerns_everybody_and_fails_nobody(sink: SmtpSink, channel_to: Opener) -> None:
    sink.fail("mail", "553 5.7.1 not your address")
    first, second = deliver(channel_to(sink), "k1", "k2")
    assert (first.verdict, first.begun, second.verdict) == (RETRY, False, RETRY)
    assert first.channel_down == second.channel_down == "the relay refuses our sender: 553 5.7.1 not your address"
    assert first.fault == "us"


def test_a_relay_that_takes_nothing_before_anybody_is_named_counts_for_nobody(
    sink: SmtpSink, channel_to: Opener
) -> None:
    sink.fail("mail", "451 4.3.0 later")
    first, second = deliver(channel_to(sink), "k1", "k2")
    assert (first.verdict, first.begun, second.begun, first.fault) == (RETRY, False, False, "later")
    assert first.channel_down == "the relay takes nothing at present: 451 4.3.0 later"


@pytest.mark.parametrize(
    ("phase", "reply", "told", "fault"),
    [
        ("connect", "554 5.7.1 no service for you", "turns us away: 554 5.7.1 no service for you", "us"),
        ("ehlo", "550 5.7.1 <example.com>: Helo command rejected", "turns us away: 550 5.7.1 <example.com>: H", "us"),
        ("auth", "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant",
         "refuses our log-in: 535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled", "us"),
        ("auth", "454 4.7.0 Temporary authentication failure", "does not let us log in at present: 454 4", "later"),
    ],
)  # fmt: skip
def test_the_servers_own_words_are_kept(
    trust: Trust, channel_to: Opener, phase: str, reply: str, told: str, fault: Fault
) -> None:
    with SmtpSink(context=trust[0], password="secret") as sink:
        sink.fail(phase, reply, times=2)  # who is refused at EHLO says HELO
        (outcome,) = deliver(channel_to(sink, tls="starttls", password="guess", context=trust[1]))
    assert outcome.channel_down.startswith(f"localhost:{sink.port} {told}")
    assert not {"b'", "(4", "(5"} & {outcome.channel_down[at : at + 2] for at in range(len(outcome.channel_down))}
    assert outcome.fault == fault


@pytest.mark.parametrize("phase", ["rcpt", "data"])
def test_a_cut_before_the_final_dot_is_safe_to_repeat(sink: SmtpSink, channel_to: Opener, phase: str) -> None:
    sink.fail(phase, CUT)
    first, second = deliver(channel_to(sink), "k1", "k2")
    assert (first.verdict, first.phase, first.begun, second.verdict) == (RETRY, phase, True, SENT)
    assert len(sink.messages) == 1


def test_a_relay_that_leaves_while_we_mark_has_not_got_the_message(sink: SmtpSink, channel_to: Opener) -> None:
    def mark(keys: Sequence[str]) -> Iterable[str]:
        sink.hang_up()
        time.sleep(0.05)
        return keys

    (outcome,) = deliver(channel_to(sink), mark=mark)
    cut = "the mail server closed the connection before the end of the message"
    assert (outcome.verdict, outcome.reply, sink.messages) == (RETRY, cut, [])


def test_a_cut_noticed_while_the_body_leaves_is_safe_to_repeat(sink: SmtpSink, channel_to: Opener) -> None:
    sink.fail("body", CUT)
    (outcome,) = channel_to(sink).deliver([a_mail(text="x" * 20_000_000)], every)
    assert (outcome.verdict, outcome.phase, outcome.begun, sink.messages) == (RETRY, "data", True, [])


def test_a_cut_after_the_final_dot_is_uncertain_and_the_witness_has_it(sink: SmtpSink, channel_to: Opener) -> None:
    sink.fail("dot", CUT)
    first, second = deliver(channel_to(sink), "k1", "k2")
    assert (first.verdict, first.phase, second.verdict) == (UNCERTAIN, "reply", SENT)
    assert len(sink.messages) == 2


def test_silence_after_the_final_dot_is_uncertain(sink: SmtpSink, channel_to: Opener) -> None:
    sink.fail("dot", WAIT)
    (outcome,) = deliver(channel_to(sink, dot_timeout=0.2))
    assert (outcome.verdict, outcome.reply) == (UNCERTAIN, "no answer to the final dot (SMTPServerDisconnected)")


def test_silence_before_the_final_dot_is_safe_to_repeat(sink: SmtpSink, channel_to: Opener) -> None:
    sink.fail("rcpt", WAIT)
    (outcome,) = deliver(channel_to(sink, reply_timeout=1.0))
    assert (outcome.verdict, outcome.phase) == (RETRY, "rcpt")


@pytest.mark.parametrize("goodbye", ["closed", "421 at MAIL"])
def test_a_kept_connection_that_the_relay_closed_is_replaced(sink: SmtpSink, channel_to: Opener, goodbye: str) -> None:
    channel = channel_to(sink)
    deliver(channel, "k1")
    if goodbye == "closed":
        sink.hang_up()
    else:
        sink.fail("mail", "421 4.7.0 too many messages in this connection")
    assert [outcome.verdict for outcome in deliver(channel, "k2")] == [SENT]
    assert sink.connections == 2


def test_a_relay_that_is_not_there_is_asked_once_for_the_whole_batch(channel_to: Opener) -> None:
    with SmtpSink() as gone:
        pass
    channel = channel_to(gone)
    outcomes = deliver(channel, "k1", "k2")
    assert {(outcome.verdict, outcome.begun, outcome.channel_down) for outcome in outcomes} == {
        (RETRY, False, f"localhost:{gone.port} refuses the connection")
    }


def test_a_greeting_of_421_says_that_the_channel_is_down(sink: SmtpSink, channel_to: Opener) -> None:
    sink.fail("connect", "421 busy")
    (outcome,) = deliver(channel_to(sink))
    assert (outcome.begun, outcome.fault) == (False, "later")
    assert outcome.channel_down == f"localhost:{sink.port} turns us away: 421 busy"


def test_a_relay_that_never_greets_is_given_up(sink: SmtpSink, channel_to: Opener) -> None:
    sink.fail("connect", WAIT)
    (outcome,) = deliver(channel_to(sink, connect_timeout=0.2))
    assert outcome.channel_down


def test_log_in_and_mail_go_through_starttls(trust: Trust, channel_to: Opener) -> None:
    with SmtpSink(context=trust[0], password="secret") as sink:
        outcomes = deliver(channel_to(sink, tls="starttls", password="secret", context=trust[1]))
        assert [outcome.verdict for outcome in outcomes] == [SENT]
        assert len(sink.auth_lines) == 1


def test_log_in_and_mail_go_through_tls_from_the_first_byte(trust: Trust, channel_to: Opener) -> None:
    with SmtpSink(context=trust[0], tls_at_once=True, password="secret") as sink:
        outcomes = deliver(channel_to(sink, tls="tls", password="secret", context=trust[1]), "k1", "k2")
        assert ([outcome.verdict for outcome in outcomes], sink.connections) == ([SENT, SENT], 1)


def test_a_refused_password_says_that_the_channel_is_down(trust: Trust, channel_to: Opener) -> None:
    with SmtpSink(context=trust[0], password="secret") as sink:
        sink.fail("auth", "535 5.7.8 wrong")
        (outcome,) = deliver(channel_to(sink, tls="starttls", password="guess", context=trust[1]))
    assert (outcome.channel_down, outcome.fault) == (
        f"localhost:{sink.port} refuses our log-in: 535 5.7.8 wrong",
        "us",
    )
    assert (outcome.verdict, outcome.begun) == (RETRY, False)


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_a_self_signed_certificate_gets_no_password(trust: Trust, channel_to: Opener, tls: str) -> None:
    with SmtpSink(context=trust[0], tls_at_once=tls == "tls", password="secret") as sink:
        (outcome,) = deliver(channel_to(sink, tls=tls, password="secret"))
        assert ("self-signed certificate" in outcome.channel_down, outcome.fault) == (True, "us")
        assert (sink.auth_lines, sink.messages) == ([], [])


def test_a_certificate_for_another_name_gets_no_password(trust: Trust) -> None:
    with SmtpSink(context=trust[0], password="secret") as sink:
        server = SmtpServer("127.0.0.1", sink.port, "starttls", "bot", "secret")
        (outcome,) = deliver(EmailChannel(server, "change@example.com", context=trust[1]))
        assert "IP address mismatch" in outcome.channel_down
        assert sink.auth_lines == []


def test_starttls_that_vanished_gets_no_password(trust: Trust, channel_to: Opener) -> None:
    with SmtpSink(context=trust[0], password="secret", starttls=False) as sink:
        (outcome,) = deliver(channel_to(sink, tls="starttls", password="secret", context=trust[1]))
        assert ("STARTTLS" in outcome.channel_down, outcome.fault) == (True, "us")
        assert (sink.auth_lines, sink.messages) == ([], [])


@pytest.mark.parametrize(
    ("changes", "unreachable"),
    [
        ({"subject": "Hello\r\nBcc: evil@example.com"}, ""),
        ({"sender_name": "Mia\nBcc: evil@example.com"}, ""),
        ({"to_name": "Ana\x85Bcc: evil@example.com"}, ""),
        ({"reply_to": "mia@example.com\r\nBcc: evil@example.com"}, ""),
        ({"to_email": "ana@example.com>\r\nRCPT TO:<evil@example.com"}, "no usable e-mail address"),
        ({"to_email": ""}, "no e-mail address"),
    ],
)
def test_a_value_that_would_forge_a_header_is_not_even_offered(
    sink: SmtpSink, channel_to: Opener, changes: dict[str, str], unreachable: str
) -> None:
    bad, good = channel_to(sink).deliver([a_mail("bad", **changes), a_mail("good")], every)
    assert (bad.verdict, bad.begun, bad.unreachable) == (PERMANENT, False, unreachable)
    assert good.verdict == SENT
    assert b"evil" not in b"".join(sink.lines + sink.messages)


def test_what_arrives_is_what_was_meant_dots_included(sink: SmtpSink, channel_to: Opener) -> None:
    list(channel_to(sink).deliver([a_mail(text=".\n..\n.hidden\n")], every))
    assert b"\r\n\r\n=2E\r\n=2E=\r\n=2E=\r\n\r\n=2E=\r\nhidden\r\n" in sink.messages[0]


def test_a_sender_that_is_no_address_is_refused_at_once() -> None:
    with pytest.raises(InputError, match="COMMSENGINE_MAIL_FROM"):
        EmailChannel(SmtpServer("localhost", 25), "change at example.com")
