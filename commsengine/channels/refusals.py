"""What a refusal is about: the person, the message, us, a quota of ours, or only this moment. One table for all.

The table is read from above, and the first row that fits counts. A row fits when all that it names does: the channel,
the phase, the code, the enhanced code (whole), the words (anywhere in the reply) and the word (the whole reply).
To teach it another reply, add a row here (for Slack in ``slack_refusals``), or one to ``refusals`` in the
``providers.yaml`` of a workspace.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from commsengine.cadence.kinds_and_states import ChannelName, Fault, RefusalKind
from commsengine.channels.refusal_rule import RefusalRule
from commsengine.channels.slack_refusals import SLACK_REFUSALS

CONNECT, AUTH, MAIL, RCPT, DATA, DOT = "connect", "auth", "mail", "rcpt", "data", "reply"
"""The phases of SMTP; Slack has ``connect``, and ``reply`` for the answer to a post."""


class Judgement(NamedTuple):
    """``alike`` is what makes two refusals of one channel equal."""

    fault: Fault
    kind: RefusalKind
    alike: str
    remedy: str = ""


def _smtp(fault: Fault, kind: RefusalKind = "", phase: str = "", **what: str) -> RefusalRule:
    return RefusalRule(fault, kind, "email", phase, **what)


_CONNECTIONS = (
    r"too many (?:\w+ ){0,3}(?:connections|sessions)|concurrent (?:\w+ ){0,2}connections?"
    r"|connections? (?:rate )?limit|maximum (?:\w+ ){0,3}connections|sender thread limit"
)
_LIMIT = (
    r"(?:limit|quota|credits)s?(?: \w+){0,3} (?:exceeded|reached)|exceed\w*(?: \w+){0,6} (?:limit|quota)"
    r"|reached (?:\w+ ){0,3}(?:limit|quota)|SubmissionQuotaExceeded|too many (?:messages|recipients) (?:today|per day)"
)
_MOMENT = (
    r"throttl|sending rate|peak \w+ relay limit|too much mail|server (?:is )?(?:too )?busy|too many recipients from"
    r"|too many (?:messages|recipients) (?:received )?(?:this|per|in) (?:minute|hour)"
)
_CONTENT = (
    r"spam (?:content|message|score)|(?:as|is|likely|suspected|considered) (?:to be )?(?:spam|unsolicited|junk)"
    r"|virus|malware|phish|attachment|content (?:filter|restriction|presents|identified|reject)|banned content"
    r"|(?:its|the) content|unsolicited mail|RFC ?(?:\d+ )?(?:section [\d.]+ )?compliant"
)
_SIZE = r"message (?:size|length|(?:is )?too (?:large|long|big))|exceeds? (?:\w+ ){0,3}(?:message|size)"
_WHO = r"(?:user|addressee|recipient|mailbox|account|address)"
_NOBODY = (
    rf"{_WHO} (?:\w+ )?unknown|unknown (?:local )?{_WHO}|no such (?:user|person|recipient|mailbox|address|account)"
    rf"|{_WHO} (?:was |is )?not (?:found|listed)|{_WHO} does(?: not|n't) exist|does(?: not|n't) have an? \S* ?account"
    rf"|invalid[- ](?:recipient|mailbox|user)|no mailbox|mailbox (?:is )?disabled|unrouteable"
    rf"|(?:user|account|mailbox) (?:is )?(?:disabled|inactive)|marked as invalid"
)
_SUPPRESSED = r"suppression list|address (?:is )?black[- ]?listed|inactive ?recipient|marked as inactive"
_OUR_CODES = r"5\.1\.[78]|5\.2\.252|5\.7\.(?:3|8|2[3-9]|30|57|60|68|13[39]|5\d\d|6[0-4]\d|7\d\d)"
_OURS = r"(?:sender address|client host|helo command|ehlo command) rejected|sender verify failed"
_NOT_ALLOWED = (
    r"SendAsDenied|OutboundSpam|not authenticated|unauthenticated|authentication (?:is )?required|credentials"
    r"|(?:not|n't) (?:authorized|allowed|permitted) to (?:perform|send)|permissions? to send as|verified sender"
    r"|address is not verified|(?:account|sending) (?:is )?(?:disabled|suspended|paused|blocked)"
    r"|relaying disallowed|unusual sending|anti-spoofing|blocked senders?"
)
_OUR_NAME = (
    r"blocked using|block(?:ed)? by|black[- ]?list|deny ?list|is listed (?:in|on|by)|low reputation|poor reputation"
    r"|(?:client|your) (?:host|ip)(?: address)? .*(?:block|reject)|\bPTR\b|reverse dns|\bDMARC\b|\bSPF\b|\bDKIM\b"
)
_OUR_STANDING = (
    r"(?:your|an?|the) IP(?: address)?\b.*(?:block|limit)|^(?!.*\bmessages to\b).*temporarily deferred"
    r"|IP .*temporarily|low reputation"
)

_SMTP = (
    # -- how we come: any phase, any code
    _smtp("later", "connections", words=_CONNECTIONS),
    _smtp("later", "connections", CONNECT, words=r"too many(?! (?:log|auth|fail|error|mess))"),
    # -- their mailbox
    _smtp("later", code="4..", words=r"gr[ae]y[- ]?list"),
    _smtp(
        "later", "full", words=r"receiving mail (?:too quickly|at a rate)|recipient has exceeded|messages to .* volume"
    ),
    # -- what we may send
    _smtp("quota", words=r"daily (?:\w+ ){0,3}(?:limit|quota)"),
    _smtp("later", "busy", code="4..", words=_MOMENT),
    _smtp("quota", code="5..", enhanced=r"5\.4\.5|5\.1\.90"),
    _smtp("quota", words=r"(?:submission|sending|relay|request) (?:limit|quota)"),
    # -- their mailbox is full
    _smtp("later", "full", code="4..", enhanced=r"4\.2\..*"),
    _smtp("later", "full", enhanced=r"5\.2\.2"),
    _smtp("later", "full", RCPT, code="552", words=r"mailbox|over ?quota"),
    # -- the message
    _smtp("message", code="5..", enhanced=r"5\.3\.4|5\.2\.3|5\.6\..*|5\.7\.512"),
    _smtp("message", code="5..", words=_SIZE),
    _smtp("quota", words=_LIMIT),
    # -- no such person: said in so many words
    _smtp("person", "gone", RCPT, code="55[0134]", words=_NOBODY),
    _smtp("person", "gone", RCPT, code="550", words=r"mailbox (?:is )?unavailable"),
    _smtp("person", code="5..", words=_SUPPRESSED),
    # -- who we are
    _smtp("us", code="530"),
    _smtp("person", code="5..", enhanced=r"5\.7\.124"),  # they take mail of some senders only
    _smtp("us", code="5..", enhanced=_OUR_CODES),
    _smtp("us", words=_NOT_ALLOWED),
    _smtp("us", code="5..", words=_OURS),
    _smtp("us", code="5..", words=_OUR_NAME),
    _smtp("later", "down", code="4..", words=_OURS),
    _smtp("later", "down", code="4..", words=_OUR_STANDING),
    _smtp("later", "down", code="4..", enhanced=r"4\.3\.[15]"),
    _smtp("us", "", CONNECT, code="5.."),
    _smtp("us", "", AUTH, code="5.."),
    _smtp("us", "", MAIL, code="5.."),  # no recipient has been named yet
    _smtp("later", "down", CONNECT),
    _smtp("later", "down", AUTH),
    _smtp("later", "busy", MAIL, code="421"),
    _smtp("later", "down", MAIL),
    # -- the message, by its words: a bad sender is said in them too
    _smtp("message", code="5..", words=_CONTENT),
    _smtp("message", "", DOT, code="5..", words=r"\bspam\b"),
    # -- the person
    _smtp("person", "gone", RCPT, code="5..", enhanced=r"5\.1\.(?:1|2|3|6|10)|5\.2\.1"),
    _smtp("person", "gone", RCPT, code="550", enhanced=r"5\.4\.1"),  # Exchange Online has no such mailbox
    _smtp("person", code="5..", enhanced=r"5\.1\..*|5\.5\.105"),
    _smtp("person", "", DOT, code="55.", words=_NOBODY),
    _smtp("person", "", RCPT, code="501"),  # the address is malformed
    # -- the rest
    _smtp("unknown", code="5.."),
    _smtp("later"),
)

TABLE = (*_SMTP, *SLACK_REFUSALS, RefusalRule("unknown"))

_ENHANCED = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)")
_VARIABLE = re.compile(r"<[^>]*>|\[[^\]]*\]|\([^)]*\)|\"[^\"]*\"|'[^']*'|\S*[\d@/:._=]\S*")
"""What differs from one refusal to the next: addresses, hosts, numbers, links, what stands in quotes or brackets."""
LONGEST_ALIKE = 80  # characters


def judge(
    channel: ChannelName, phase: str, code: int, reply: bytes | str, *, own: Sequence[RefusalRule] = ()
) -> Judgement:
    """``reply`` is the other side's, without its code; ``own`` rows come before those of the table."""
    words = in_one_line(reply)
    enhanced = enhanced_code(words) or "none"
    rule = next(row for row in (*own, *TABLE) if row.fits(channel, phase, code, enhanced, words))
    return Judgement(rule.fault, rule.kind, alike(code, words) if channel == "email" else words, rule.remedy)


def in_one_line(reply: bytes | str) -> str:
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return " ".join(text.split())


def enhanced_code(words: str) -> str:
    """The enhanced status code of a reply (RFC 3463), such as ``5.1.1``; empty without one."""
    found = _ENHANCED.search(words)
    return found[1] if found else ""


def alike(code: int, words: str) -> str:
    """What a reply shares with its equals: code, enhanced code, and the words that name no person, host or number."""
    said = " ".join(re.findall(r"[^\W\d_]+", _VARIABLE.sub(" ", words))).lower()
    return " ".join(f"{code} {enhanced_code(words)} {said}".split())[:LONGEST_ALIKE]
