"""Asks a mailbox that gets a copy of all our mail whether an uncertain message is in it, by its Message-ID.

An absence is believed only of an archive that proves itself in the same visit
1. It goes on: its newest message came after the send.
2. It gets our mail: among its last ten thousand messages is one of ours.
3. It can be searched: that message is found by its own Message-ID.
"""

from __future__ import annotations

import datetime as dt
import imaplib
import re
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import unquote

import structlog

from commsengine.channels.access_tokens import AccessToken, AccessTokens, TokenError, in_one_line
from commsengine.channels.server_url import ServerUrl
from commsengine.channels.smtp_login import xoauth2
from commsengine.loopback import is_loopback
from commsengine.resolvers.resolver import CLOCK_SLACK, Sending, Sighting
from commsengine.translation import N_, _

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TOKEN = re.compile(r"[A-Za-z0-9._-]{1,200}")
_INTERNALDATE = re.compile(rb'INTERNALDATE "\s*(\d{1,2})-([A-Z][a-z]{2})-(\d{4}) (\d\d:\d\d:\d\d) ([+-]\d{4})"')
_MESSAGE_ID = re.compile(rb"message-id:\s*<([^@>\s]+)@", re.IGNORECASE)
_LISTED = re.compile(rb'\(([^)]*)\) (?:"(?:[^"\\]|\\.)*"|NIL) (.+)', re.DOTALL)
_LATEST = 10_000
_EARLIER = dt.timedelta(days=2)  # SINCE goes by the server's own days
# imaplib reads what is no IMAP as it comes
_BROKEN = (imaplib.IMAP4.error, OSError, ValueError, LookupError, TypeError)

SENT_FOLDERS = {"outlook.office365.com": "Sent Items", "imap.gmail.com": "[Gmail]/Sent Mail"}
"""Servers that keep a copy of what their users send, and the folder, in English, of those that do not say it."""

Phase = Literal["", "token", "login", "folder"]
CANNOT_BE_REACHED, BROKE_OFF = N_("cannot be reached"), N_("closed the connection")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ImapServer:
    """An account and the folder in it; ``tls`` is off on loopback only.

    Without a ``folder`` it is the one that the server calls that of sent mail. ``by_token``: no password, but an access
    token.
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    folder: str = "INBOX"
    tls: bool = True
    by_token: bool = False


def parse_imap_url(url: str) -> ImapServer:
    """The folder an IMAP URL names. Raises ``InputError`` with the remedy."""
    given = ServerUrl("IMAP", url, _("Write it as imaps://user:password@host/Folder."))
    parts, port = given.split()
    if parts.scheme not in ("imaps", "imap"):
        raise given.wrong(_("does not start with imaps://"))
    if not parts.hostname or " " in parts.hostname:
        raise given.wrong(_("names no host"))
    if parts.scheme == "imap" and not is_loopback(parts.hostname):
        raise given.wrong(_("uses imap://, which anybody on the way can read"), _("Write imaps://…"))
    if parts.fragment:
        raise given.wrong(_("holds '#' where it must not"), _("Write ? as %3F and # as %23."))
    by_token = "auth" in given.options(parts, {"auth": "auth=xoauth2"})
    if port == 0:
        raise given.wrong(_("names port 0"), _("Leave the port out for the usual 993."))
    user, password = (given.user_of_token(parts), "") if by_token else given.log_in(parts)
    if not by_token and not (user and password):
        raise given.wrong(_("has no user, or no password"))
    keeps_sent = by_token or parts.hostname.lower() in SENT_FOLDERS
    folder = unquote(parts.path.removeprefix("/")) or ("" if keeps_sent else "INBOX")
    if not folder.isascii() or not folder.isprintable():
        fix = _("Write it as the server lists it (Archivé is Archiv&AOk-), or make a folder with a plain name.")
        raise given.wrong(_("names a folder with letters beyond plain ASCII"), fix)
    tls = parts.scheme == "imaps"
    return ImapServer(parts.hostname, port or (993 if tls else 143), user, password, folder, tls, by_token)


class ArchiveError(Exception):
    """The archive cannot be read at present: says why, without the account. ``phase`` says how far we came."""

    def __init__(self, why: str, phase: Phase = "") -> None:
        super().__init__(why)
        self.phase = phase


class ImapArchive:
    """Reads one folder, never changing it. ``timeout`` and ``settle`` are in seconds; copies may be slow to come.

    ``context`` verifies the server's certificate; the default trusts what the system trusts.
    """

    name = "imap-archive"

    def __init__(
        self,
        server: ImapServer,
        *,
        tokens: AccessTokens | None = None,
        context: ssl.SSLContext | None = None,
        timeout: float = 30.0,
        settle: float = 600.0,
    ) -> None:
        self._server, self._context, self._timeout, self.settle = server, context, timeout, settle
        self._tokens = tokens if server.by_token else None

    def look(self, sendings: Sequence[Sending]) -> Mapping[str, Sighting]:
        known: dict[str, Sighting] = {}
        if not sendings:
            return known
        try:
            with self._opened() as folder:
                for sending in sendings:
                    if uid := folder.uid_of(sending.key, f"SINCE {_day(sending.since - _EARLIER)}"):
                        known[sending.key] = Sighting(True, f"the archive holds it as message {uid}")
                missing = [sending for sending in sendings if sending.key not in known]
                newest = folder.newest() if missing and folder.proves_itself() else None
                for sending in missing:
                    if newest and newest > sending.since + CLOCK_SLACK and _TOKEN.fullmatch(sending.key):
                        evidence = f"the archive does not hold it, but mail of {newest:%Y-%m-%d %H:%M:%S} UTC"
                        known[sending.key] = Sighting(False, evidence)
        except ArchiveError as error:
            log.warning("archive unreadable", error=str(error))
        return known

    def close(self) -> None:
        """Nothing stays open between two looks."""

    def examined(self) -> tuple[int, bool]:
        """How many messages the folder holds, and whether an absence from it could be believed.

        Raises ``ArchiveError``.
        """
        with self._opened() as folder:
            return folder.count, folder.proves_itself()

    @contextmanager
    def _opened(self) -> Iterator[_Folder]:
        imap = self._logged_in()
        try:
            with _explained("folder", N_("has no such folder")):
                folder = _Folder.examined(imap, self._server.folder or _sent_folder(imap, self._server.host))
            with _explained("", BROKE_OFF):
                yield folder
        finally:
            _left(imap)

    def _logged_in(self) -> imaplib.IMAP4:
        if self._tokens is None:
            return self._let_in(lambda imap: imap.login(self._server.user, self._server.password))
        try:
            token = self._tokens.current()
            try:
                return self._let_in_by(token)
            except ArchiveError as refused:
                if refused.phase != "login":
                    raise
            return self._let_in_by(self._tokens.another_than(token))
        except TokenError as error:
            raise ArchiveError(error.because, "token") from None

    def _let_in_by(self, token: AccessToken) -> imaplib.IMAP4:
        # A refusal is asked for with an empty line, after the first answer has given the reason.
        answers = [xoauth2(self._server.user, token.text)]
        return self._let_in(lambda imap: imap.authenticate("XOAUTH2", lambda _said: answers.pop() if answers else b""))

    def _let_in(self, way: Callable[[imaplib.IMAP4], object]) -> imaplib.IMAP4:
        with _explained("", CANNOT_BE_REACHED):
            imap = self._connected()
        try:
            with _explained("login", N_("refuses the log-in")):
                way(imap)
        except ArchiveError:
            _left(imap)
            raise
        return imap

    def _connected(self) -> imaplib.IMAP4:
        server = self._server
        if not server.tls:
            return imaplib.IMAP4(server.host, server.port, self._timeout)
        context = self._context or ssl.create_default_context()
        return imaplib.IMAP4_SSL(server.host, server.port, ssl_context=context, timeout=self._timeout)


@contextmanager
def _explained(phase: Phase, doing: str) -> Iterator[None]:
    """What fails is an ``ArchiveError`` that says what the server does: in its own words, where it refuses."""
    try:
        yield
    except _BROKEN as error:
        refused = isinstance(error, imaplib.IMAP4.error) and not isinstance(error, imaplib.IMAP4.abort)
        if not refused and doing != CANNOT_BE_REACHED:
            phase, doing = "", BROKE_OFF
        why = (phase and _own_words(error)) or type(error).__name__
        raise ArchiveError(_("the IMAP server {what} ({error})", what=_(doing), error=why), phase) from None


def _own_words(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    return in_one_line(said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said))


def _left(imap: imaplib.IMAP4) -> None:
    with suppress(*_BROKEN):
        imap.logout()
    with suppress(*_BROKEN):  # a log-out that breaks leaves the socket open
        imap.shutdown()


def _sent_folder(imap: imaplib.IMAP4, host: str) -> str:
    """The folder that the server marks as that of sent mail (RFC 6154), in whatever language."""
    for line in _data(imap.list()):
        found = _LISTED.fullmatch(_one_line_of(line))
        if found and b"\\sent" in found[1].lower().split():
            return _unquoted(found[2].decode("ascii"))
    if host.lower() in SENT_FOLDERS:
        return SENT_FOLDERS[host.lower()]
    raise imaplib.IMAP4.error("no folder is marked as that of sent mail")


def _one_line_of(line: bytes | tuple[bytes, bytes] | None) -> bytes:
    # A name may come as a literal: its length, then the name itself.
    return line[0][: line[0].rindex(b"{")] + line[1] if isinstance(line, tuple) else line or b""


def _unquoted(name: str) -> str:
    return re.sub(r"\\(.)", r"\1", name[1:-1]) if name.startswith('"') else name


class _Folder:
    """An open folder. Raises what is in ``_BROKEN``."""

    def __init__(self, imap: imaplib.IMAP4, count: int) -> None:
        self._imap, self.count = imap, count
        self._latest = f"{max(1, count - _LATEST + 1)}:*"

    @classmethod
    def examined(cls, imap: imaplib.IMAP4, name: str) -> _Folder:
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        return cls(imap, int(_data(imap.select(f'"{quoted}"', readonly=True))[0]))

    def uid_of(self, key: str, among: str) -> str:
        # The Message-ID is read back: a server may take a search loosely.
        if not _TOKEN.fullmatch(key):
            return ""
        for uid in reversed(self._search(f'{among} HEADER Message-ID "<{key}@"')):
            if self._local_part(uid) == key:
                return uid
        return ""

    def proves_itself(self) -> bool:
        ours = self._search(f'{self._latest} HEADER X-Commsengine-Touch ""') if self.count else []
        local = self._local_part(ours[-1]) if ours else ""
        return bool(local) and bool(self.uid_of(local, self._latest))

    def newest(self) -> dt.datetime | None:
        answer = _text(_data(self._imap.fetch("*", "(INTERNALDATE)"))) if self.count else b""
        found = _INTERNALDATE.search(answer)
        if not found:
            return None
        day, month, year, time, zone = (part.decode("ascii") for part in found.groups())
        moment = f"{year}-{_MONTHS.index(month) + 1:02d}-{int(day):02d}T{time}{zone}"
        return dt.datetime.fromisoformat(moment).astimezone(dt.UTC)

    def _search(self, criteria: str) -> list[str]:
        return [uid.decode("ascii") for uid in _text(_data(self._imap.uid("SEARCH", criteria))).split()]

    def _local_part(self, uid: str) -> str:
        header = _text(_data(self._imap.uid("FETCH", uid, "(BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])")))
        found = _MESSAGE_ID.search(header)
        return found[1].decode("ascii", "replace") if found else ""


def _data(answer: tuple[str, Any]) -> list[Any]:
    kind, data = answer
    if kind != "OK":
        raise imaplib.IMAP4.error(data[-1] if data else "")
    return list(data)


def _text(data: list[Any]) -> bytes:
    return b" ".join(b" ".join(part) if isinstance(part, tuple) else part for part in data if part)


def _day(time: dt.datetime) -> str:
    return f"{time.day}-{_MONTHS[time.month - 1]}-{time.year}"
