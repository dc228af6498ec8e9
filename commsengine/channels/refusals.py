"""What a mail server's refusal is about: the person, the message, us, a quota of ours, or only this moment.

The table is read from above, and the first row that fits counts. A row fits when all that it names does: the phase,
the code, the enhanced code (whole) and the words (anywhere in the reply). To teach it another reply, add a row.
"""

from __future__ import annotations

import re
from typing import NamedTuple

GONE = "gone"
"""No such mailbox: the person is not to be reached here."""
PERSON = "person"
"""No for good to this person."""
UNCLEAR = "unclear"
"""No for good, and only what the others get can tell: to one it is about them or their message, to all it is us."""
LATER = "later"
"""Not now for this person."""
US = "us"
"""Our sender, log-in or machine is refused to everybody, until somebody sees to it."""
QUOTA = "quota"
"""We have sent as much as we may; it passes by itself."""
CONNECTIONS = "connections"
"""We have more connections open than we may."""
BUSY = "busy"
"""We are too fast, or the server is too busy: a moment's patience."""
DOWN = "down"
"""Not now for everybody."""

CONNECT, MAIL, RCPT, DATA, DOT = "connect", "mail", "rcpt", "data", "reply"


class RefusalRule(NamedTuple):
    """Empty stands for anything. All but ``about`` and ``phase`` are regular expressions."""

    about: str
    phase: str = ""
    code: str = ""
    enhanced: str = ""
    words: str = ""

    def fits(self, phase: str, code: int, enhanced: str, words: str) -> bool:
        return (
            self.phase in ("", phase)
            and (not self.code or re.fullmatch(self.code, str(code)) is not None)
            and (not self.enhanced or re.fullmatch(self.enhanced, enhanced) is not None)
            and (not self.words or re.search(self.words, words, re.IGNORECASE) is not None)
        )


_CONNECTIONS = (
    r"too many (?:\w+ ){0,3}(?:connections|sessions)|concurrent (?:\w+ ){0,2}connections?"
    r"|connections? (?:rate )?limit|maximum (?:\w+ ){0,3}connections|sender thread limit"
)
_LIMIT = (
    r"(?:limit|quota|credits)s?(?: \w+){0,3} (?:exceeded|reached)|exceed\w*(?: \w+){0,6} (?:limit|quota)"
    r"|SubmissionQuotaExceeded|too many (?:messages|recipients) (?:today|per day)"
)
_NOBODY = (
    r"unknown|no such|not found|does(?: not|n't) exist|invalid (?:recipient|mailbox|user)|no mailbox"
    r"|mailbox (?:is )?(?:unavailable|disabled)|(?:user|account|mailbox) (?:is )?(?:disabled|inactive)"
)
_OUR_CODES = r"5\.1\.[78]|5\.2\.252|5\.7\.(?:3|8|9|30|57|60|68|139|50[1-3]|511|6[0-4]\d|7\d\d)"
_OURS = r"(?:sender address|client host|helo command|ehlo command) rejected"

TABLE = (
    # -- how we come: any phase, any code
    RefusalRule(CONNECTIONS, words=_CONNECTIONS),
    RefusalRule(CONNECTIONS, CONNECT, words=r"too many(?! (?:log|auth|fail|error|mess))"),
    # -- their mailbox
    RefusalRule(LATER, words=r"receiving mail (?:too quickly|at a rate)"),
    RefusalRule(LATER, code="4..", enhanced=r"4\.2\..*"),
    RefusalRule(PERSON, enhanced=r"5\.2\.2"),
    RefusalRule(PERSON, RCPT, code="552", words=r"mailbox|over ?quota"),
    # -- what we may send
    RefusalRule(UNCLEAR, code="5..", enhanced=r"5\.3\.4"),
    RefusalRule(UNCLEAR, code="5..", words=r"message (?:size|length|too)"),
    RefusalRule(QUOTA, code="5..", enhanced=r"5\.4\.5|5\.1\.90"),
    RefusalRule(QUOTA, words=_LIMIT),
    RefusalRule(BUSY, code="4..", words=r"throttl|sending rate|too much mail|server (?:is )?(?:too )?busy"),
    # -- who we are
    RefusalRule(US, code="530"),
    RefusalRule(US, code="5..", enhanced=_OUR_CODES),
    RefusalRule(US, code="5..", words=r"SendAsDenied|OutboundSpam|not authenticated|authentication (?:is )?required"),
    RefusalRule(US, code="5..", words=_OURS),
    RefusalRule(DOWN, code="4..", words=_OURS),
    RefusalRule(US, MAIL, code="5.."),  # no recipient has been named yet
    RefusalRule(BUSY, MAIL, code="421"),
    RefusalRule(DOWN, MAIL, code="4.."),
    # -- the person
    RefusalRule(GONE, RCPT, code="5..", enhanced=r"5\.1\.(?:1|2|3|6|10)|5\.2\.1"),
    RefusalRule(GONE, RCPT, code="550", enhanced=r"5\.4\.1"),  # Exchange Online has no such mailbox
    RefusalRule(GONE, RCPT, code="55[013]", enhanced="none", words=_NOBODY),
    RefusalRule(PERSON, code="5..", enhanced=r"5\.1\..*"),
    RefusalRule(PERSON, RCPT, code="501"),  # the address is malformed
    # -- the rest
    RefusalRule(UNCLEAR, code="5.."),
    RefusalRule(LATER),
)

_ENHANCED = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)")


def about(phase: str, code: int, words: str) -> str:
    """``words`` is the reply without its code."""
    enhanced = enhanced_code(words) or "none"
    return next(row.about for row in TABLE if row.fits(phase, code, enhanced, words))


def enhanced_code(words: str) -> str:
    """The enhanced status code of a reply (RFC 3463), such as ``5.1.1``; empty without one."""
    found = _ENHANCED.search(words)
    return found[1] if found else ""
