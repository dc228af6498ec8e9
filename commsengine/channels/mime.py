"""The bytes of an e-mail: laid out by hand, because the standard package takes a millisecond a message, then read back.

1. Every value from outside is checked before it comes near a header (control characters, line separators, addresses).
2. The bytes are laid out: fixed headers, a text part and an HTML part in quoted-printable, CRLF everywhere.
3. The finished bytes are read again: exactly the headers we meant, once each, and not one bare CR or LF.
"""

from __future__ import annotations

import base64
import binascii
import re
from email.utils import format_datetime
from functools import lru_cache

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
_LONGEST_PLAIN = 200  # characters of a header value that may stand on one line
_HEADER = re.compile(rb"([A-Za-z-]+): [^\r\n]*(?:\r\n [^\r\n]*)*\r\n")


class HeaderError(ValueError):
    """A value that must not travel in a header: says which field and why, never repeats the value.

    It may become a receipt and stays in English; ``what`` is shown through ``_``.
    """

    def __init__(self, field: str, what: str) -> None:
        super().__init__(f"{field} {what}")
        self.what = what


def message_bytes(message: RenderedMessage, mail_from: str) -> bytes:
    """The finished message, CRLF, not yet dot-stuffed. Raises ``HeaderError``."""
    headers = _headers(message, mail_from)
    boundary = f"=_{headers['X-Commsengine-Touch']}"  # "=_" cannot stand in quoted-printable
    headers["Content-Type"] = f'multipart/alternative; boundary="{boundary}"'
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    parts = [_part("plain", message.text)] + ([_part("html", message.html)] if message.html else [])
    opened = f"\r\n--{boundary}\r\n".encode()
    finished = head.encode() + b"".join(opened + part for part in parts) + f"\r\n--{boundary}--\r\n".encode()
    check_bytes(finished, tuple(headers))
    return finished


def dot_stuffed(data: bytes) -> bytes:
    """What follows ``354``: lines that begin with a dot get another, the end is CRLF, the final dot is not in it."""
    stuffed = data.replace(b"\r\n.", b"\r\n..")
    return b"." + stuffed if stuffed.startswith(b".") else stuffed


def check_bytes(data: bytes, names: tuple[str, ...]) -> None:
    """Read finished bytes back: these headers, once each, in this order; CRLF only; ASCII. Raises ``HeaderError``."""
    head, blank, _ = data.partition(b"\r\n\r\n")
    found, at = [], 0
    while header := _HEADER.match(head + b"\r\n", at):
        found.append(header[1].decode())
        at = header.end()
    if not blank or at != len(head) + 2 or tuple(found) != names or len(set(found)) != len(found):
        raise HeaderError("the message", N_("would have other headers than intended"))
    if not data.count(b"\r") == data.count(b"\n") == data.count(b"\r\n") or b"\x00" in data or not data.isascii():
        raise HeaderError("the message", N_("would have bytes that mail must not have"))


@lru_cache(maxsize=256)
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


def _headers(message: RenderedMessage, mail_from: str) -> dict[str, str]:
    sender, to = sender_address(mail_from), address(message.to_email, "the recipient")
    domain, key = sender.rpartition("@")[2], _token(message.key, "the key")
    headers = {
        "From": mailbox(_sender_name(message), sender, "the sender's name"),
        "To": mailbox(message.to_name, to, "the recipient's name"),
        "Subject": text(message.subject, "the subject"),
        "Date": format_datetime(message.date),
        "Message-ID": f"<{key}@{domain}>",
        "X-Commsengine-Touch": key,
        "Auto-Submitted": "auto-generated",
        "List-Id": f"<{_token(message.campaign, 'the campaign')}.{domain}>",
        "MIME-Version": "1.0",
    }
    if message.reply_to:
        headers["Reply-To"] = address(message.reply_to, "the reply address")
    if message.unsubscribe_url:
        headers["List-Unsubscribe"] = f"<{_url(message.unsubscribe_url)}>"
        if message.unsubscribe_url.startswith("https:"):  # RFC 8058 asks for it; no mail program calls this machine
            headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers


def _sender_name(message: RenderedMessage) -> str:
    # Filters take a name that is another address than the sender's for a forgery.
    name = _safe(message.sender_name, "the sender's name")
    return message.campaign_title if not name or _LIKE_AN_ADDRESS.search(name) else f"{name} ({message.campaign_title})"


@lru_cache(maxsize=256)
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
    if _UNSAFE.search(value):
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
    words, chunk = [], b""
    for letter in value:
        encoded = letter.encode()
        if len(chunk) + len(encoded) > 45:
            words.append(chunk)
            chunk = b""
        chunk += encoded
    return "\r\n ".join(f"=?utf-8?b?{base64.b64encode(word).decode()}?=" for word in [*words, chunk])


def _part(subtype: str, content: str) -> bytes:
    # b2a_qp takes its line ends from the first one it meets: the text ends with one, so there always is one.
    lines = content.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n") + "\n"
    body = binascii.b2a_qp(lines.replace("\n", "\r\n").encode("utf-8", "replace"))
    head = f"Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    return head.encode() + body
