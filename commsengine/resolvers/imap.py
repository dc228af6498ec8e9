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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import structlog

from commsengine.channels.server_url import ServerUrl
from commsengine.loopback import is_loopback
from commsengine.resolvers.resolver import CLOCK_SLACK, Sending, Sighting
from commsengine.translation import N_, _

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TOKEN = re.compile(r"[A-Za-z0-9._-]{1,200}")
_INTERNALDATE = re.compile(rb'INTERNALDATE "\s*(\d{1,2})-([A-Z][a-z]{2})-(\d{4}) (\d\d:\d\d:\d\d) ([+-]\d{4})"')
_MESSAGE_ID = re.compile(rb"message-id:\s*<([^@>\s]+)@", re.IGNORECASE)
_LATEST = 10_000
_EARLIER = dt.timedelta(days=2)  # SINCE goes by the server's own days
# imaplib reads what is no IMAP as it comes
_BROKEN = (imaplib.IMAP4.error, OSError, ValueError, LookupError, TypeError)

log = structlog.get_logger(__name__)


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
    given = ServerUrl("IMAP", url, _("Write it as imaps://user:password@host/Folder."))
    parts, port = given.split()
    if parts.scheme not in ("imaps", "imap"):
        raise given.wrong(_("does not start with imaps://"))
    if not parts.hostname or " " in parts.hostname:
        raise given.wrong(_("names no host"))
    if parts.scheme == "imap" and not is_loopback(parts.hostname):
        raise given.wrong(_("uses imap://, which anybody on the way can read"), _("Write imaps://…"))
    if parts.query or parts.fragment:
        raise given.wrong(_("holds '?' or '#' where it must not"), _("Write ? as %3F and # as %23."))
    if port == 0:
        raise given.wrong(_("names port 0"), _("Leave the port out for the usual 993."))
    user, password = given.log_in(parts)
    if not user or not password:
        raise given.wrong(_("has no user, or no password"))
    folder = unquote(parts.path.removeprefix("/")) or "INBOX"
    if not folder.isascii() or not folder.isprintable():
        fix = _("Write it as the server lists it (Archivé is Archiv&AOk-), or make a folder with a plain name.")
        raise given.wrong(_("names a folder with letters beyond plain ASCII"), fix)
    tls = parts.scheme == "imaps"
    return ImapServer(parts.hostname, port or (993 if tls else 143), user, password, folder, tls)


class ArchiveError(Exception):
    """The archive cannot be read at present: says why, without the account."""


class ImapArchive:
    """Reads one folder, never changing it. ``timeout`` and ``settle`` are in seconds; copies may be slow to come.

    ``context`` verifies the server's certificate; the default trusts what the system trusts.
    """

    name = "imap-archive"

    def __init__(
        self, server: ImapServer, *, context: ssl.SSLContext | None = None, timeout: float = 30.0, settle: float = 600.0
    ) -> None:
        self._server, self._context, self._timeout, self.settle = server, context, timeout, settle

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
        doing, broke_off = N_("cannot be reached"), N_("broke off")
        try:
            imap = self._connected()
            try:
                doing = N_("refuses the log-in")
                imap.login(self._server.user, self._server.password)
                doing = N_("has no such folder")
                folder = _Folder.examined(imap, self._server.folder)
                doing = broke_off
                yield folder
            finally:
                with suppress(*_BROKEN):
                    imap.logout()
                with suppress(*_BROKEN):  # a log-out that breaks leaves the socket open
                    imap.shutdown()
        except _BROKEN as error:
            refused = isinstance(error, imaplib.IMAP4.error) and not isinstance(error, imaplib.IMAP4.abort)
            what = doing if refused or doing == "cannot be reached" else broke_off
            cause = _("the IMAP server {what} ({error})", what=_(what), error=type(error).__name__)
            raise ArchiveError(cause) from None

    def _connected(self) -> imaplib.IMAP4:
        server = self._server
        if not server.tls:
            return imaplib.IMAP4(server.host, server.port, self._timeout)
        context = self._context or ssl.create_default_context()
        return imaplib.IMAP4_SSL(server.host, server.port, ssl_context=context, timeout=self._timeout)


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
        raise imaplib.IMAP4.error("the server says no")
    return list(data)


def _text(data: list[Any]) -> bytes:
    return b" ".join(b" ".join(part) if isinstance(part, tuple) else part for part in data if part)


def _day(time: dt.datetime) -> str:
    return f"{time.day}-{_MONTHS[time.month - 1]}-{time.year}"
