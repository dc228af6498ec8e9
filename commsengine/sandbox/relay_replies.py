"""How the mail servers of the known providers greet, accept and refuse: the wording, and where in a session it comes.

Beside each line stands where it is known from:

``doc``       the provider's documentation, or the source of the server (Postfix)
``seen``      trackers and answers of practitioners, who quote it from a log
``assumed``   no one says; the nearest wording that is known
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Literal, NamedTuple

Phase = Literal["connect", "mail", "rcpt", "data", "dot"]


class RelayRefusal(NamedTuple):
    """A reply, at a phase; a 421 closes the connection.

    ``{host}``, ``{login}``, ``{sender}`` and ``{peer}`` are filled in.
    """

    phase: Phase
    reply: str


@dataclass(frozen=True)
class RelayReplies:
    """One provider's words; lines of one reply are separated by ``\\n``.

    ``unit`` are the seconds over which messages a minute are counted. Without ``too_fast`` what comes too fast is taken
    and answered late. Without ``anonymous`` mail is taken without a log-in.
    """

    host: str
    banner: str
    features: tuple[str, ...]
    _: KW_ONLY
    at_once: RelayRefusal
    day_over: RelayRefusal
    login_refused: str
    accepted: str = "250 2.0.0 Ok"
    hello: str = "{host}"
    welcome: str = "235 2.7.0 Authentication successful"
    xoauth2_refused: str = "535 5.7.3 Authentication unsuccessful [{host}]"
    explains_xoauth2: bool = False
    anonymous: RelayRefusal | None = None
    log_in_over: RelayRefusal | None = None
    session_over: RelayRefusal | None = None
    too_fast: RelayRefusal | None = None
    not_as_them: RelayRefusal | None = None
    outside: RelayRefusal | None = None
    unit: float = 60.0


_EXCHANGE_FEATURES = (  # seen, on port 587 after STARTTLS
    "SIZE 157286400",
    "PIPELINING",
    "DSN",
    "ENHANCEDSTATUSCODES",
    "AUTH LOGIN XOAUTH2",
    "8BITMIME",
    "BINARYMIME",
    "CHUNKING",
    "SMTPUTF8",
)
_GOOGLE_FEATURES = (  # seen
    "SIZE 35882577",
    "8BITMIME",
    "AUTH LOGIN PLAIN XOAUTH2 PLAIN-CLIENTTOKEN OAUTHBEARER XOAUTH",
    "ENHANCEDSTATUSCODES",
    "PIPELINING",
    "CHUNKING",
    "SMTPUTF8",
)
_POSTFIX_FEATURES = ("PIPELINING", "SIZE 10240000", "VRFY", "ETRN", "ENHANCEDSTATUSCODES", "8BITMIME", "DSN")  # doc

_EXCHANGE_BANNER = "Microsoft ESMTP MAIL Service ready at Mon, 11 Jan 2027 08:00:00 +0000"  # doc
_EXCHANGE_HELLO = "{host} Hello [{peer}]"  # seen
_EXCHANGE_ACCEPTED = "250 2.0.0 OK <{number}@{host}> [Hostname={host}]"  # seen
_EXCHANGE_ANONYMOUS = RelayRefusal("mail", "530 5.7.57 Client not authenticated to send mail. [{host}]")  # doc
# doc: the words, before 2025 "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded"; seen: after the dot
_EXCHANGE_AT_ONCE = RelayRefusal(
    "dot",
    "432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending for more information. "
    "[Hostname={host}]",
)
# doc, and that what is more than 30 a minute is not refused but carried over to the following minutes
_EXCHANGE_DAY_OVER = RelayRefusal(
    "dot",
    "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException; Failed to process message due to a "
    "permanent exception with message The message can't be submitted because the sender's submission quota was "
    "exceeded.",
)
_EXCHANGE_SEND_AS = RelayRefusal(  # seen
    "dot",
    "554 5.2.252 SendAsDenied; {login} not allowed to send as {sender}; STOREDRV.Submission.Exception:"
    "SendAsDeniedException.MapiExceptionSendAsDenied; Failed to process message due to a permanent exception with "
    "message [BeginDiagnosticData]Cannot submit message.",
)

_GOOGLE_DAY = "\n550-5.4.5 sending limits go to\n550 5.4.5  https://support.google.com/a/answer/166852 a1sm1 - gsmtp"
_GOOGLE_REFUSED = (  # doc
    "535-5.7.8 Username and Password not accepted. For more information, go to\n"
    "535 5.7.8  https://support.google.com/mail/?p=BadCredentials a1sm1 - gsmtp"
)
_GOOGLE_ANONYMOUS = RelayRefusal(  # doc
    "mail",
    "530-5.7.0 Authentication Required. For more information, go to\n"
    "530 5.7.0  https://support.google.com/mail/?p=WantAuthError a1sm1 - gsmtp",
)
# doc: the words; seen: as the reply to 30 messages in one second. How many connections are too many is not published
_GOOGLE_AT_ONCE = RelayRefusal("data", "421 4.3.0 Temporary System Problem. Try again later (10). a1sm1 - gsmtp")
# doc: the words; seen: after 70 to 100 messages, and when a session gets old
_GOOGLE_SESSION_OVER = RelayRefusal("mail", "421 4.7.0 Connection expired, try reconnecting. a1sm1 - gsmtp")

REPLIES: Mapping[str, RelayReplies] = {
    "microsoft365": RelayReplies(
        "AM0PR05CA0094.outlook.office365.com",
        _EXCHANGE_BANNER,
        _EXCHANGE_FEATURES,
        hello=_EXCHANGE_HELLO,
        accepted=_EXCHANGE_ACCEPTED,
        anonymous=_EXCHANGE_ANONYMOUS,
        at_once=_EXCHANGE_AT_ONCE,
        day_over=_EXCHANGE_DAY_OVER,
        # doc; once passwords are gone "550 5.7.30 Basic authentication is not supported for Client Submission."
        login_refused=(
            "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. "
            "Visit https://aka.ms/smtp_auth_disabled for more information. [{host}]"
        ),
        log_in_over=_EXCHANGE_ANONYMOUS,  # assumed
        not_as_them=_EXCHANGE_SEND_AS,
    ),
    "hve": RelayReplies(
        "AM0PR05CA0094.outlook.office365.com",
        _EXCHANGE_BANNER,
        _EXCHANGE_FEATURES,
        hello=_EXCHANGE_HELLO,
        accepted=_EXCHANGE_ACCEPTED,
        anonymous=_EXCHANGE_ANONYMOUS,
        at_once=_EXCHANGE_AT_ONCE,  # assumed
        day_over=_EXCHANGE_DAY_OVER,  # assumed
        login_refused="535 5.7.3 Authentication unsuccessful [{host}]",  # doc
        log_in_over=RelayRefusal("mail", "535 5.7.143 Expired token"),  # doc: the words; assumed: the phase
        not_as_them=_EXCHANGE_SEND_AS,  # seen: an HVE account cannot send as another
        outside=RelayRefusal(  # doc: the words; assumed: the phase
            "rcpt", "550 5.5.105 External sending is not supported for High Volume Email accounts."
        ),
    ),
    "gmail": RelayReplies(
        "smtp.gmail.com",
        "ESMTP a1sm1 - gsmtp",
        _GOOGLE_FEATURES,
        hello="{host} at your service, [{peer}]",  # seen
        accepted="250 2.0.0 OK  1799999999 a1sm1 - gsmtp",
        anonymous=_GOOGLE_ANONYMOUS,
        at_once=_GOOGLE_AT_ONCE,
        day_over=RelayRefusal(  # doc: the words; seen: the reply to DATA
            "data", f"550-5.4.5 Daily user sending limit exceeded. For more information on Gmail{_GOOGLE_DAY}"
        ),
        login_refused=_GOOGLE_REFUSED,
        xoauth2_refused=_GOOGLE_REFUSED,
        explains_xoauth2=True,  # doc
        log_in_over=_GOOGLE_SESSION_OVER,  # assumed
        session_over=_GOOGLE_SESSION_OVER,
        welcome="235 2.7.0 Accepted",
    ),
    "google-relay": RelayReplies(
        "smtp-relay.gmail.com",
        "ESMTP a1sm1 - gsmtp",
        _GOOGLE_FEATURES,
        hello="{host} at your service, [{peer}]",  # seen
        accepted="250 2.0.0 OK  1799999999 a1sm1 - gsmtp",
        at_once=_GOOGLE_AT_ONCE,
        day_over=RelayRefusal(  # doc: the words; assumed: the phase
            "data",
            "550-5.4.5 Daily SMTP relay limit exceeded for user. For more information on SMTP relay\n"
            "550-5.4.5 sending limits please contact your administrator or review this article:\n"
            "550 5.4.5  https://support.google.com/a/answer/6140680 a1sm1 - gsmtp",
        ),
        login_refused=_GOOGLE_REFUSED,
        xoauth2_refused=_GOOGLE_REFUSED,
        explains_xoauth2=True,
        log_in_over=_GOOGLE_SESSION_OVER,
        session_over=_GOOGLE_SESSION_OVER,
        welcome="235 2.7.0 Accepted",
    ),
    "ses": RelayReplies(
        "email-smtp.amazonaws.com",
        "ESMTP SimpleEmailService-d-VCSHDP1YZ A1b2C3d4E5f6G7h8I9j0",  # doc
        ("8BITMIME", "SIZE 10485760", "AUTH PLAIN LOGIN", "Ok"),  # seen
        accepted="250 Ok 0100018f0000{number:04}",
        welcome="235 Authentication successful.",
        anonymous=RelayRefusal("mail", "530 Authentication required"),  # doc
        at_once=RelayRefusal("connect", "421 Too many concurrent SMTP connections"),  # assumed
        day_over=RelayRefusal(
            "dot", "454 Throttling failure: Daily message quota exceeded"
        ),  # doc; seen: after the dot
        login_refused="535 Authentication Credentials Invalid",  # doc
        session_over=RelayRefusal(  # seen
            "mail", "421 Connection closed by server. Maximum message count per session reached."
        ),
        too_fast=RelayRefusal("dot", "454 Throttling failure: Maximum sending rate exceeded"),  # doc
        unit=10.0,  # doc: the rate is so much a second, and short bursts may be above it
    ),
    "postfix": RelayReplies(
        "relay.example.com",
        "ESMTP Postfix",
        _POSTFIX_FEATURES,
        accepted="250 2.0.0 Ok: queued as 4Kq{number:07}",
        at_once=RelayRefusal("connect", "421 4.7.0 {host} Error: too many connections from {peer}"),  # doc
        # doc: the words of its rate limit; a limit of messages a day is a policy service's, and its words are free
        day_over=RelayRefusal("mail", "450 4.7.1 Error: too much mail from {peer}"),
        login_refused="535 5.7.8 Error: authentication failed: authentication failure",  # doc
        too_fast=RelayRefusal("mail", "450 4.7.1 Error: too much mail from {peer}"),  # doc
    ),
}
"""By name of the profile."""
