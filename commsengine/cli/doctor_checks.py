"""The examinations of ``doctor``, one function each. Loaded only when it runs."""

from __future__ import annotations

import datetime as dt
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from commsengine.cadence.time_notation import clock_text
from commsengine.cli.output import at_rest, n_messages, n_people, waits_for, when
from commsengine.errors import CommsError
from commsengine.loopback import is_loopback
from commsengine.settings import shown
from commsengine.translation import N_, _, counted

if TYPE_CHECKING:
    from commsengine.resolvers.imap import ImapArchive
    from commsengine.resolvers.postfix import PostfixLog
    from commsengine.wiring import Wiring

HISTORY = "im:history"
TIMEOUT = 10.0  # seconds
AHEAD = dt.timedelta(minutes=2)
OLD_LOG = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Finding:
    """``state`` is ok, note or problem."""

    about: str
    state: Literal["ok", "note", "problem"]
    text: str
    fix: str = ""


_ok = partial(Finding, "", "ok")
_note = partial(Finding, "", "note")
_problem = partial(Finding, "", "problem")
"""What an examination yields; what it is about is written once, in ``examine``."""


def examine(wiring: Wiring) -> list[Finding]:
    """Raises ``InputError`` for settings that cannot be read: nothing else could be examined."""
    examinations: dict[str, Callable[[Wiring], Iterator[Finding]]] = {
        N_("database"): _database,
        N_("state"): _state,
        N_("files"): _files,
        N_("clock"): _clock,
        N_("ticks"): _ticks,
        N_("mail"): _mail,
        N_("slack"): _slack,
        N_("uncertain"): _resolvers,
        N_("links"): _links,
        N_("channels"): _resting,
        N_("windows"): _windows,
    }
    findings = [replace(found, about=N_("settings")) for found in _settings(wiring)]
    for about, examination in examinations.items():
        try:
            findings += (replace(found, about=about) for found in examination(wiring))
        except CommsError as error:
            findings.append(Finding(about, "problem", error.message, error.fix))
    return findings


def _settings(wiring: Wiring) -> Iterator[Finding]:
    given = [name for name, value in shown(wiring.settings).items() if value != "not set"]
    yield _ok(_("{settings} are set, none is wrong.", settings=len(given)))
    if not wiring.settings.credentials:
        fix = _("Set COMMSENGINE_SMTP_URL or COMMSENGINE_SLACK_BOT_TOKEN.")
        yield _problem(_("Neither mail nor Slack is set up."), fix)


def _state(wiring: Wiring) -> Iterator[Finding]:
    folder, database = wiring.settings.state_dir.absolute(), wiring.settings.database_file
    there = next(each for each in (folder, *folder.parents) if each.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        fix = _("Let COMMSENGINE_STATE_DIR name a folder of this user that outlives a restart.")
        yield _problem(_("The state folder {folder} cannot be written.", folder=folder), fix)
    elif database and folder.is_relative_to(database.absolute().parent):
        text = N_("The state folder {folder} lies beside the database: restored together, none can tell.")
        fix = _("Set COMMSENGINE_STATE_DIR to a folder outside of the workspace.")
        yield _note(_(text, folder=folder), fix)
    else:
        yield _ok(_("The sent-journal is kept in {folder}.", folder=folder))


def _files(wiring: Wiring) -> Iterator[Finding]:
    # Files that people put there themselves are a note.
    from commsengine.cli.file_rights import EVERYBODY, open_files

    found = list(open_files(wiring.settings))
    for each in found:
        grave = each.guarded and each.reader == EVERYBODY
        yield (_problem if grave else _note)(each.text, each.fix)
    if not any(each.guarded for each in found):
        yield _ok(_("By their modes, this account alone reads database, backups and state."))


def _database(wiring: Wiring) -> Iterator[Finding]:
    from commsengine.engine.state_folder import STOPPED

    people = n_people(wiring.store.people.count())
    campaigns = counted(len(wiring.store.campaigns.all()), "campaign", "campaigns")
    yield _ok(f"{wiring.store.database.dialect}, {people}, {campaigns}.")
    if left_out := wiring.store.database.examine():
        yield _note(f"{left_out}.", _("Once in a while: sqlite3 FILE 'PRAGMA quick_check'"))
    if wiring.stop_is_there():
        yield _problem(_(STOPPED), _("Remove it when sending may go on."))
    held = next((hold for hold in wiring.store.engine.holds() if hold.until is None), None)
    if held:
        yield _problem(_("The engine is on hold: {reason}", reason=_(held.reason)), _("Then: commsengine release"))


def _resting(wiring: Wiring) -> Iterator[Finding]:
    from commsengine.reports.status import channels

    now = wiring.clock()
    for rest in channels(wiring.store, wiring.decisions, now):
        yield _problem(f"{at_rest(rest, now)} {waits_for(rest)}", _("Then a single message tries it again."))


def _clock(wiring: Wiring) -> Iterator[Finding]:
    beats = wiring.store.engine.heartbeats()
    if beats and beats[0].beat_at > wiring.clock() + AHEAD:
        text = N_("The last beat on record is in the future ({instant:%Y-%m-%d %H:%M} UTC).")
        yield _problem(_(text, instant=beats[0].beat_at), _("Set this machine's clock; has it gone back?"))
    else:
        yield _ok(_("{instant:%Y-%m-%d %H:%M} UTC.", instant=wiring.clock()))


def _ticks(wiring: Wiring) -> Iterator[Finding]:
    from commsengine.cli.run import remedy, too_rarely
    from commsengine.engine.waiting_messages import count_missed_windows

    last, rarely = wiring.store.engine.heartbeat(), too_rarely(wiring)
    if last is None or not rarely:
        return
    if unreached := count_missed_windows(wiring.store, wiring.decisions, last.beat_at):
        text = N_("At the last call, {instant}, something was due for {people} whose send window was closed.")
        closed = _(text, instant=when(last.beat_at), people=n_people(unreached))
        yield _problem(f"{rarely} {closed}", remedy(wiring))
    else:
        yield _note(f"{rarely} {_('What falls due waits for the next call.')}", remedy(wiring))


def _mail(wiring: Wiring) -> Iterator[Finding]:
    if not wiring.settings.smtp:
        yield _note(_("Not set up: no e-mail is sent."))
        return
    from commsengine.channels.channel import DeliveryError
    from commsengine.channels.smtp import AUTH, HELLO, SmtpConnection, parse_smtp_url

    server = parse_smtp_url(wiring.settings.smtp)
    place = f"{server.host}:{server.port}"
    domain = wiring.mail_from.rstrip(">").rpartition("@")[2]
    relay = SmtpConnection(server, domain, None, connect=TIMEOUT, reply=TIMEOUT)
    try:
        relay.connect()
        relay.command("mail", "NOOP", 250)
    except DeliveryError as error:
        said = error.reply if server.host in error.reply else f"{place}: {error.reply}"
        fix = {
            AUTH: _(
                "What the server says comes after the code. Look at user and password in COMMSENGINE_SMTP_URL, and "
                "whether this account may log in and send by SMTP."
            ),
            HELLO: _("What the server says comes after the code. Ask those who run it whether this machine may send."),
        }.get(error.phase, _("Look whether the relay runs, and at host and port in COMMSENGINE_SMTP_URL."))
        yield _problem(f"{said.rstrip('.')}.", fix)
        return
    finally:
        relay.quit()
    secured = _("without TLS") if server.tls == "off" else _("over verified TLS")
    logged_in = _(", logged in") if server.user else ""
    text = N_("{server} answers {secured}{logged_in}; from {sender}.")
    yield _ok(_(text, server=place, secured=secured, logged_in=logged_in, sender=wiring.mail_from))


def _slack(wiring: Wiring) -> Iterator[Finding]:
    settings = wiring.settings
    if not settings.slack_token:
        yield _note(_("Not set up: nothing is sent to Slack."))
        return
    from slack_sdk import WebClient
    from slack_sdk.errors import SlackApiError

    client = WebClient(settings.slack_token, base_url=settings.slack_api_url, timeout=int(TIMEOUT), retry_handlers=[])
    try:
        answer = client.auth_test()
    except (SlackApiError, OSError) as error:
        why = error.response.get("error") if isinstance(error, SlackApiError) else error
        yield _problem(_("Slack does not accept us: {why}.", why=why), _("Copy the bot token again (xoxb-…)."))
        return
    team, user = answer.get("team", _("the workspace")), answer.get("user", _("the app"))
    look = _("Whether its Messages Tab is on shows with: commsengine send-test PLAN --to EMAIL --channel slack")
    yield _ok(_("Connected to {team} as {user}.", team=team, user=user), look)
    yield from _scopes(str(answer.headers.get("x-oauth-scopes", "")))
    if not (settings.slack_app_token or settings.slack_signing_secret):
        fix = _("Set COMMSENGINE_SLACK_APP_TOKEN (Socket Mode) or COMMSENGINE_SLACK_SIGNING_SECRET (HTTP).")
        yield _note(_("Buttons do not work yet; the links in the messages do."), fix)


def _scopes(granted: str) -> Iterator[Finding]:
    if not granted:
        return
    from commsengine.channels.slack_manifest import MANIFEST, scopes_of

    scopes = {scope.strip() for scope in granted.split(",")}
    if missing := sorted({*scopes_of(MANIFEST)} - scopes - {HISTORY}):
        text = _("Scopes are missing: {scopes}.", scopes=", ".join(missing))
        yield _problem(text, _("Use slack-manifest.json of init."))
    if HISTORY not in scopes:
        text = _("Without the scope {scope} nobody can say whether an uncertain message arrived.", scope=HISTORY)
        yield _note(text, _("Add it to the app and install it again."))


def _resolvers(wiring: Wiring) -> Iterator[Finding]:
    if wiring.postfix_log:
        yield _postfix_log(wiring, wiring.postfix_log)
    if wiring.imap_archive:
        yield _imap_archive(wiring.imap_archive)


def _postfix_log(wiring: Wiring, postfix: PostfixLog) -> Finding:
    from commsengine.resolvers.mail_log import UNREADABLE

    named = wiring.settings.postfix_log
    try:
        newest = postfix.newest()
    except UNREADABLE as error:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        fix = _("The account of the engine must be in the group adm, or systemd-journal for the journal.")
        return _problem(_("The mail log ({log}) cannot be read: {why}.", log=named, why=why), fix)
    fix = _("Is this where the relay of COMMSENGINE_SMTP_URL writes?")
    if newest is None:
        return _note(_("The mail log ({log}) shows no line of Postfix.", log=named), fix)
    if newest < wiring.clock() - OLD_LOG:
        at = f"{newest:%Y-%m-%d %H:%M} UTC"
        return _note(_("The last line in the mail log ({log}) is of {instant}.", log=named, instant=at), fix)
    at = f"{newest:%H:%M} UTC"
    return _ok(_("The mail log ({log}) can be read; its last line is of {instant}.", log=named, instant=at))


def _imap_archive(archive: ImapArchive) -> Finding:
    from commsengine.resolvers.imap import ArchiveError

    try:
        messages, proves_itself = archive.examined()
    except ArchiveError as error:
        return _problem(_("The archive: {error}.", error=error), _("See COMMSENGINE_IMAP_URL."))
    if not proves_itself:
        until = _("Until it gets copies of what is sent, nothing is taken for missing because it is not there.")
        return _note(_("The archive can be read, but none of our messages is found in it."), until)
    return _ok(_("The archive can be read; it holds {messages}, ours among them.", messages=n_messages(messages)))


def _links(wiring: Wiring) -> Iterator[Finding]:
    base = wiring.links.base_url
    if is_loopback(urlsplit(base).hostname):
        fix = _("Set COMMSENGINE_BASE_URL before real people get them.")
        yield _note(_("Links lead to {address}, which only this machine can open.", address=base), fix)
        return
    try:
        with urllib.request.urlopen(f"{base}/healthz", timeout=TIMEOUT) as answer:  # noqa: S310 - checked to be http(s)
            yield _ok(_("{address} answers ({status}).", address=base, status=answer.status))
    except urllib.error.HTTPError as error:
        yield _note(_("{address} answers, but no engine runs behind it ({status}).", address=base, status=error.code))
    except OSError as error:
        fix = _("Start the engine, look at the web server.")
        yield _problem(_("{address} does not answer: {error}.", address=base, error=error), fix)


def _windows(wiring: Wiring) -> Iterator[Finding]:
    running = [record for record in wiring.store.campaigns.all() if record.state == "running"]
    for record in running:
        window = record.plan.send.window
        days, start, end = ", ".join(window.days), clock_text(window.start), clock_text(window.end)
        text = N_("{campaign}: {days}, {start} to {end} in each person's own time.")
        yield _ok(_(text, campaign=record.id, days=days, start=start, end=end))
    due = wiring.store.loading.next_wake()
    if running and due:
        yield _ok(_("The next person is looked at {instant}.", instant=when(max(due, wiring.clock()))))
