"""Where the archive of sent mail is read: one IMAP URL, read strictly, told plainly when it is wrong.

    imaps://user:password@host:993/Folder

TLS is verified; ``imap://``, which is plain, is for this very machine only. No message ever shows the URL itself: it
holds a password.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

from commsengine.channels.loopback import is_loopback
from commsengine.errors import InputError

_FORM = "Write it as imaps://user:password@host/Folder."


@dataclass(frozen=True, slots=True)
class ImapServer:
    """An account and the folder in it; ``tls`` is off on loopback only."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    folder: str = "INBOX"
    tls: bool = True


def parse_imap_url(url: str) -> ImapServer:
    """The folder an IMAP URL names. Raises ``InputError`` with the remedy."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _wrong(
            "has no usable port",
            "A port is a number from 1 to 65535; write /, ?, # and @ in a password as %2F, %3F, %23, %40.",
        ) from None
    if parts.scheme not in ("imaps", "imap"):
        raise _wrong("does not start with imaps://")
    if not parts.hostname or " " in parts.hostname:
        raise _wrong("names no host")
    if parts.scheme == "imap" and not is_loopback(parts.hostname):
        raise _wrong("uses imap://, which anybody on the way can read", "Write imaps://…")
    if parts.query or parts.fragment:
        raise _wrong("holds '?' or '#' where it must not", "Write ? as %3F and # as %23.")
    if port == 0:
        raise _wrong("names port 0", "Leave the port out for the usual 993.")
    tls = parts.scheme == "imaps"
    user, password = _credentials(parts)
    return ImapServer(parts.hostname, port or (993 if tls else 143), user, password, _folder(parts), tls)


def _credentials(parts: SplitResult) -> tuple[str, str]:
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not user or not password:
        raise _wrong("has no user, or no password", _FORM)
    if not (user + password).isascii() or not (user + password).isprintable():
        raise _wrong(
            "holds a letter that IMAP log-in cannot send in its user name or password",
            "Use letters, digits and signs of plain ASCII only.",
        )
    return user, password


def _folder(parts: SplitResult) -> str:
    folder = unquote(parts.path.removeprefix("/")) or "INBOX"
    if not folder.isascii() or not folder.isprintable():
        raise _wrong(
            "names a folder with letters beyond plain ASCII",
            "Write it as the server lists it (Archivé is Archiv&AOk-), or make a folder with a plain name.",
        )
    return folder


def _wrong(what: str, fix: str = _FORM) -> InputError:
    return InputError(f"The IMAP URL {what}.", fix)
