"""Whether it can be found out what became of uncertain sends."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING

from commsengine.cli.doctor.finding import Finding, note, ok, problem
from commsengine.cli.doctor.log_in import access_token, login_remedy
from commsengine.cli.output import n_messages
from commsengine.translation import _

if TYPE_CHECKING:
    from commsengine.resolvers.imap import ArchiveError, ImapArchive
    from commsengine.resolvers.postfix import PostfixLog
    from commsengine.wiring import Wiring

OLD_LOG = dt.timedelta(days=1)


def resolvers(wiring: Wiring) -> Iterator[Finding]:
    if wiring.postfix_log:
        yield _postfix_log(wiring, wiring.postfix_log)
    if wiring.imap_archive:
        yield _imap_archive(wiring, wiring.imap_archive)


def _postfix_log(wiring: Wiring, postfix: PostfixLog) -> Finding:
    from commsengine.resolvers.mail_log import UNREADABLE

    named = wiring.settings.postfix_log
    try:
        newest = postfix.newest()
    except UNREADABLE as error:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        fix = _("The account of the engine must be in the group adm, or systemd-journal for the journal.")
        return problem(_("The mail log ({log}) cannot be read: {why}.", log=named, why=why), fix)
    fix = _("Is this where the relay of COMMSENGINE_SMTP_URL writes?")
    if newest is None:
        return note(_("The mail log ({log}) shows no line of Postfix.", log=named), fix)
    if newest < wiring.clock() - OLD_LOG:
        at = f"{newest:%Y-%m-%d %H:%M} UTC"
        return note(_("The last line in the mail log ({log}) is of {instant}.", log=named, instant=at), fix)
    at = f"{newest:%H:%M} UTC"
    return ok(_("The mail log ({log}) can be read; its last line is of {instant}.", log=named, instant=at))


def _imap_archive(wiring: Wiring, archive: ImapArchive) -> Finding:
    from commsengine.resolvers.imap import ArchiveError

    try:
        messages, proves_itself = archive.examined()
    except ArchiveError as error:
        return problem(_("The archive: {error}.", error=error), _archive_remedy(wiring, error))
    if not proves_itself:
        until = _("Until it gets copies of what is sent, a message that is not there does not count as missing.")
        return note(_("The archive can be read, but none of our messages is found in it."), until)
    return ok(_("The archive can be read; it holds {messages}, ours among them.", messages=n_messages(messages)))


def _archive_remedy(wiring: Wiring, error: ArchiveError) -> str:
    from commsengine.resolvers.imap import parse_imap_url

    server, tokens = parse_imap_url(wiring.settings.imap), wiring.access_tokens
    if error.phase == "token" and tokens:
        return next((found.fix for found in access_token(wiring, tokens) if found.fix), "")
    if error.phase == "login" and server.by_token and tokens:
        return login_remedy(str(error), "IMAP", server.user, server.host, tokens.current())
    if error.phase == "login":
        return _("Check user and password in COMMSENGINE_IMAP_URL, and whether this account may log in by IMAP.")
    if error.phase == "folder":
        return _("Name the folder as the server lists it: imaps://…/Sent%20Items. See COMMSENGINE_IMAP_URL.")
    return _("See COMMSENGINE_IMAP_URL.")
