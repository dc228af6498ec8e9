"""The bytes of an e-mail: laid out by hand, because the standard package takes a millisecond a message, then read back.

1. Every value from outside is checked before it comes near a header (control characters, line separators, addresses).
2. The bytes are laid out: fixed headers, a text part and an HTML part in quoted-printable, CRLF everywhere. No line
   begins with a dot, so they travel through SMTP as they are.
3. The finished headers are read again: exactly those we meant, once each, and nothing else between their lines.
"""

from __future__ import annotations

import base64
import datetime as dt
import re
from collections.abc import Mapping
from email.utils import format_datetime
from functools import cache, lru_cache
from typing import NamedTuple

from commsengine.channels.channel import PERMANENT, DeliveryError
from commsengine.content.message import RenderedMessage
from commsengine.text import BREAKS, CONTROLS, mail_address
from commsengine.translation import N_

_UNSAFE = re.compile(f"[{CONTROLS}{BREAKS}]")
_TOKEN = re.compile(r"[A-Za-z0-9._-]{1,200}")
_URL = re.compile(r"https?://[\x21-\x3b\x3d\x3f-\x7e]{1,900}")
_NAMED = re.compile(r"([^<>]*)<([^<>]*)>")
_BETWEEN = re.compile(r"[\s,;<>]+")
_QUOTED = re.compile(r'"[^"]*"')
_LIKE_AN_ADDRESS = re.compile(r"\S@\S")
_PART_HEADS = {
    subtype: f"\r\nContent-Type: text/{subtype}; charset=utf-8\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n\r\n".encode()
    for subtype in ("plain", "html")
}
_EACH = ("From", "To", "Subject", "Date", "Message-ID", "X-Commsengine-Touch")
_WORD = 45  # bytes in an encoded word
_LONGEST_PLAIN = 200  # characters of a header value that may stand on one line


class HeaderError(ValueError):
    """A value that must not travel in a header: says which field and why, never repeats the value.

    It may become a receipt and stays in English; ``what`` is shown through ``_``.
    """

    def __init__(self, field: str, what: str) -> None:
        super().__init__(f"{field} {what}")
        self.what = what


def laid_out(message: RenderedMessage, mail_from: str, date: dt.datetime | None = None) -> tuple[str, bytes]:
    """The recipient's address and what follows ``354``, without the final dot. ``date`` stands for the message's own.

    Raises ``DeliveryError`` for a message with a value that must not travel.
    """
    try:
        recipient = address(message.to_email, "the recipient")
    except HeaderError as bad:
        why = N_("no usable e-mail address") if message.to_email else N_("no e-mail address")
        raise DeliveryError(PERMANENT, "connect", str(bad), begun=False, unreachable=why) from None
    try:
        return recipient, _message_bytes(message, recipient, mail_from, date)
    except HeaderError as bad:
        raise DeliveryError(PERMANENT, "connect", str(bad), begun=False) from None


def message_bytes(message: RenderedMessage, mail_from: str, date: dt.datetime | None = None) -> bytes:
    """The finished message: CRLF, and no line begins with a dot. Raises ``HeaderError``."""
    return _message_bytes(message, address(message.to_email, "the recipient"), mail_from, date)


def _message_bytes(message: RenderedMessage, to: str, mail_from: str, date: dt.datetime | None) -> bytes:
    pieces = [_head(message, to, mail_from, date or message.date)]
    boundary = f"\r\n--=_{message.key}".encode()
    for subtype, part in message.body.parts():
        pieces += (boundary, _PART_HEADS[subtype], part)
    return b"".join([*pieces, boundary, b"--\r\n"])


def check_head(head: bytes, names: tuple[str, ...]) -> None:
    """Read finished headers back: these, once each, in this order, in lines of ASCII. Raises ``HeaderError``."""
    if not _head_of(names).fullmatch(head):
        raise HeaderError("the message", N_("would have other headers than intended"))


@cache
def _head_of(names: tuple[str, ...]) -> re.Pattern[bytes]:
    return re.compile("".join(rf"{name}: [\t -~]*(?:\r\n [\t -~]*)*\r\n" for name in names).encode())


def address(value: str, field: str) -> str:
    """A bare address, ready for the envelope and the headers; the domain in its ASCII form. Raises ``HeaderError``."""
    try:
        bare = mail_address(value)
    except UnicodeError:
        raise HeaderError(field, N_("has a domain that cannot be")) from None
    if not bare:
        raise HeaderError(field, N_("is not an e-mail address that mail can be sent to"))
    return bare


@lru_cache(maxsize=16)
def sender_address(mail_from: str) -> str:
    """The bare address of ``change@example.com`` or ``Change Team, HQ <change@example.com>``. Raises ``HeaderError``.

    The name may hold anything but a second address. Quotes around the whole are those that a tool left there.
    """
    written = _safe(mail_from.strip(), "the sender")
    if len(written) > 1 and written[0] == written[-1] in "\"'":
        written = written[1:-1].strip()
    named = _NAMED.fullmatch(written)
    bare = named[2].strip() if named else written
    if len({each for each in _BETWEEN.split(_QUOTED.sub("", written).lower()) if "@" in each}) > 1:
        raise HeaderError("the sender", N_("names more than one address"))
    return address(bare, "the sender")


class _Letterhead(NamedTuple):
    """The headers that a campaign's letters from one person have in common, laid out around those of each letter."""

    above: str
    below: str
    names: tuple[str, ...]
    domain: str


@lru_cache(maxsize=256)
def _letterhead(mail_from: str, sender_name: str, title: str, campaign: str, reply_to: str) -> _Letterhead:
    sender = sender_address(mail_from)
    domain = sender.rpartition("@")[2]
    name = mailbox(_sender_name(sender_name, title), sender, "the sender's name")
    below = {
        "Auto-Submitted": "auto-generated",
        "List-Id": f"<{_token(campaign, 'the campaign')}.{domain}>",
        "MIME-Version": "1.0",
        **({"Reply-To": address(reply_to, "the reply address")} if reply_to else {}),
    }
    return _Letterhead(_lines({"From": name}), _lines(below), (*_EACH, *below), domain)


def _lines(headers: Mapping[str, str]) -> str:
    return "".join([f"{name}: {value}\r\n" for name, value in headers.items()])


def _head(message: RenderedMessage, to: str, mail_from: str, date: dt.datetime) -> bytes:
    shared = _letterhead(mail_from, message.sender_name, message.campaign_title, message.campaign, message.reply_to)
    key, leaving = _token(message.key, "the key"), _unsubscribing(message.unsubscribe_url)
    person, subject = mailbox(message.to_name, to, "the recipient's name"), text(message.subject, "the subject")
    head = (
        f"{shared.above}To: {person}\r\nSubject: {subject}\r\nDate: {_date(date.replace(microsecond=0))}\r\n"
        f"Message-ID: <{key}@{shared.domain}>\r\nX-Commsengine-Touch: {key}\r\n{shared.below}{_lines(leaving)}"
        f'Content-Type: multipart/alternative; boundary="=_{key}"\r\n'  # "=_" cannot stand in quoted-printable
    ).encode()
    check_head(head, (*shared.names, *leaving, "Content-Type"))
    return head


def _unsubscribing(url: str) -> Mapping[str, str]:
    if not url:
        return {}
    header = {"List-Unsubscribe": f"<{_url(url)}>"}
    if url.startswith("https:"):  # RFC 8058 asks for it; no mail program calls this machine
        header["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return header


@lru_cache(maxsize=64)
def _date(second: dt.datetime) -> str:
    return format_datetime(second)


def _sender_name(name: str, title: str) -> str:
    # Filters take a name that is another address than the sender's for a forgery.
    name = _safe(name, "the sender's name")
    return title if not name or _LIKE_AN_ADDRESS.search(name) else f"{name} ({title})"


def mailbox(name: str, bare: str, field: str) -> str:
    """``"Name" <address>``, the name quoted or encoded so that it can mean nothing else."""
    name = _safe(name, field)
    if not name:
        return bare
    if _plain(name):
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{quoted}" <{bare}>'
    return f"{_encoded(name)} <{bare}>"


def text(value: str, field: str) -> str:
    """Free text as a header value. Raises ``HeaderError`` for control characters and line separators."""
    value = _safe(value, field)
    return value if _plain(value) else _encoded(value)


def _plain(value: str) -> bool:
    # An encoded word in the data must arrive as text, so it is encoded again.
    return value.isascii() and "=?" not in value and len(value) <= _LONGEST_PLAIN


def _safe(value: str, field: str) -> str:
    if not value.isprintable() and _UNSAFE.search(value):
        raise HeaderError(field, N_("holds a control character or a line break"))
    return value.strip()


def _token(value: str, field: str) -> str:
    if not _TOKEN.fullmatch(value):
        raise HeaderError(field, N_("holds a character that does not belong in a name"))
    return value


def _url(value: str) -> str:
    if not _URL.fullmatch(value):
        raise HeaderError("the unsubscribe link", N_("is not a web address"))
    return value


def _encoded(value: str) -> str:
    """RFC 2047 words of at most 75 characters, cut between letters, one a line."""
    encoded = value.encode()
    if len(encoded) <= _WORD:
        return _word(encoded)
    words, chunk = [], b""
    for letter in value:
        encoded = letter.encode()
        if len(chunk) + len(encoded) > _WORD:
            words.append(chunk)
            chunk = b""
        chunk += encoded
    return "\r\n ".join(map(_word, [*words, chunk]))


def _word(encoded: bytes) -> str:
    return f"=?utf-8?b?{base64.b64encode(encoded).decode()}?="
