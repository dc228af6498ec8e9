"""The examinations of ``doctor``, one function each. Loaded only when it runs."""

from __future__ import annotations

import datetime as dt
import os
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from commsengine.cadence.time_notation import clock_text
from commsengine.cli.doctor.finding import TIMEOUT, Finding, note, ok, problem
from commsengine.cli.doctor.mail import mail, rest_remedy
from commsengine.cli.doctor.slack import slack, slack_dm
from commsengine.cli.doctor.uncertain import resolvers
from commsengine.cli.output import at_rest, n_people, waits_for, what_helps, when_where
from commsengine.cli.workspace import zone_of
from commsengine.environment import names_set, odd_variables
from commsengine.errors import CommsError
from commsengine.loopback import is_loopback
from commsengine.translation import N_, TO_TRANSLATE, _, counted, has_catalog

if TYPE_CHECKING:
    from commsengine.wiring import Wiring

AHEAD = dt.timedelta(minutes=2)

_START = N_("Start the engine, or check the web server.")


def examine(wiring: Wiring) -> list[Finding]:
    """Raises ``InputError`` for settings that cannot be read: nothing else could be examined."""
    examinations: dict[str, Callable[[Wiring], Iterator[Finding]]] = {
        N_("database"): _database,
        N_("state"): _state,
        N_("files"): _files,
        N_("clock"): _clock,
        N_("ticks"): _ticks,
        N_("people"): _people,
        N_("mail"): mail,
        N_("slack"): slack,
        N_("uncertain"): resolvers,
        N_("links"): _links,
        N_("languages"): _languages,
        N_("channels"): _resting,
        N_("refusals"): _refusals,
        N_("windows"): _windows,
    }
    findings = [replace(found, about=N_("settings")) for found in _settings(wiring)]
    for about, examination in examinations.items():
        try:
            findings += (replace(found, about=about) for found in examination(wiring))
        except CommsError as error:
            findings.append(Finding(about, "problem", error.message, error.fix))
    return findings


def message_in_slack(wiring: Wiring, email: str) -> list[Finding]:
    return [replace(found, about=N_("slack")) for found in slack_dm(wiring, email)]


def _settings(wiring: Wiring) -> Iterator[Finding]:
    names = names_set(wiring.settings)
    made = counted(len(names), "setting is made", "settings are made")
    which = f": {', '.join(names)}" if names else ""
    yield ok(_("{settings}{names}. None is wrong.", settings=made, names=which))
    yield from (note(odd.message, odd.fix) for odd in odd_variables())
    if wiring.settings.rehearsed:
        yield note(_("This is the workspace of a rehearsal: nothing is sent from it."))
    elif not wiring.settings.credentials:
        fix = _("Set COMMSENGINE_SMTP_URL or COMMSENGINE_SLACK_BOT_TOKEN.")
        yield problem(_("Neither mail nor Slack is set up."), fix)


def _state(wiring: Wiring) -> Iterator[Finding]:
    folder, database = wiring.settings.state_dir.absolute(), wiring.settings.database_file
    there = next(each for each in (folder, *folder.parents) if each.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        fix = _("Set COMMSENGINE_STATE_DIR to a folder of this user that is kept after a restart.")
        yield problem(_("The state folder {folder} cannot be written.", folder=folder), fix)
    elif database and folder.is_relative_to(database.absolute().parent):
        text = N_(
            "The state folder {folder} is beside the database: if both are restored together, the engine "
            "cannot notice it."
        )
        fix = _("Set COMMSENGINE_STATE_DIR to a folder outside of the workspace.")
        yield note(_(text, folder=folder), fix)
    else:
        yield ok(_("The sent-journal is kept in {folder}.", folder=folder))


def _files(wiring: Wiring) -> Iterator[Finding]:
    # Files that people put there themselves are a note.
    from commsengine.cli.doctor.file_rights import EVERYBODY, open_files

    found = list(open_files(wiring.settings))
    for each in found:
        grave = each.guarded and each.reader == EVERYBODY
        yield (problem if grave else note)(each.text, each.fix)
    if not any(each.guarded for each in found):
        yield ok(_("Only this account can read the database, backups and state."))


def _database(wiring: Wiring) -> Iterator[Finding]:
    from commsengine.engine.state_folder import STOPPED

    people = n_people(wiring.store.people.count())
    campaigns = counted(len(wiring.store.campaigns.all()), "campaign", "campaigns")
    yield ok(f"{wiring.store.database.dialect}, {people}, {campaigns}.")
    if left_out := wiring.store.database.examine():
        yield note(f"{left_out}.", _("Once in a while: sqlite3 FILE 'PRAGMA quick_check'"))
    if wiring.stop_is_there():
        yield problem(_(STOPPED), _("Remove it when sending may go on."))
    held = wiring.store.engine.open_hold()
    if held:
        yield problem(_("The engine is on hold: {reason}", reason=_(held.reason)), _("Then: commsengine release"))


def _languages(wiring: Wiring) -> Iterator[Finding]:
    for each in wiring.review_catalogs():
        yield (problem if each.severity == "error" else note)(f"{each.file}:{each.line}: {each.message}", each.fix)
    if missing := [each for each in wiring.rules.languages if not has_catalog(each)]:
        text = N_("These languages of workspace.yaml have no buttons and pages yet: {languages}.")
        fix = _("Copy {file} into 'locale' of the workspace: docs/languages.md.", file=TO_TRANSLATE)
        yield note(_(text, languages=", ".join(missing)), fix)
    else:
        yield ok(
            _("Buttons and pages are there in these languages: {languages}.", languages=", ".join(wiring.languages()))
        )


def _resting(wiring: Wiring) -> Iterator[Finding]:
    from commsengine.reports.status import channels

    now = wiring.clock()
    for rest in channels(wiring.store, wiring.decisions, now):
        told = f"{at_rest(rest, now, zone_of(wiring))} {waits_for(rest)}"
        if rest["fault"] == "quota":
            yield note(told, what_helps(rest))
        else:
            yield problem(
                told,
                rest_remedy(wiring, str(rest["because"])) or _("Then the engine tries it again with a single message."),
            )


def _refusals(wiring: Wiring) -> Iterator[Finding]:
    for each in wiring.store.refusals.open():
        known = {"people": n_people(each.people), "channel": each.channel, "words": each.words}
        fix = _(
            "Say what it is about: commsengine refusal {number} --person, --us, --message or --again", number=each.id
        )
        yield problem(_("{people} refused by {channel}: {words}", **known), fix)


def _people(wiring: Wiring) -> Iterator[Finding]:
    from commsengine.people_feed import people_files
    from commsengine.reports.held_files import held_files, held_text

    place = wiring.settings.feed
    if place is None:
        return
    try:
        found = [place] if place.is_file() else people_files(place)
        if place.is_file():
            place.open("rb").close()
    except OSError as error:
        fix = _("Make the folder, or let this account read it; or correct COMMSENGINE_PEOPLE_FEED.")
        yield problem(_("People files are looked for at {place}: {reason}.", place=place, reason=error.strerror), fix)
        return
    files = counted(len(found), "file is there", "files are there")
    yield ok(_("People files are taken from {place}; {files}.", place=place, files=files))
    for held in held_files(wiring.store):
        if held["source"] == "feed":
            yield note(held_text(held))


def _clock(wiring: Wiring) -> Iterator[Finding]:
    beats = wiring.store.engine.heartbeats()
    if beats and beats[0].beat_at > wiring.clock() + AHEAD:
        text = N_("The last heartbeat on record is in the future ({instant:%Y-%m-%d %H:%M} UTC).")
        yield problem(_(text, instant=beats[0].beat_at), _("Check this machine's clock: it may have gone back."))
    else:
        yield ok(_("{instant:%Y-%m-%d %H:%M} UTC.", instant=wiring.clock()))


def _ticks(wiring: Wiring) -> Iterator[Finding]:
    from commsengine.cli.run import remedy, too_rarely
    from commsengine.engine.waiting_messages import count_missed_windows

    last, rarely = wiring.store.engine.heartbeat(), too_rarely(wiring)
    if last is None or not rarely:
        return
    if unreached := count_missed_windows(wiring.store, wiring.decisions, last.beat_at):
        text = N_("At the last call, {instant}, something was due for {people} whose send window was closed.")
        closed = _(text, instant=when_where(zone_of(wiring), last.beat_at), people=n_people(unreached))
        yield problem(f"{rarely} {closed}", remedy(wiring))
    else:
        yield note(f"{rarely} {_('What falls due waits for the next call.')}", remedy(wiring))


LONGEST_REASON = 1000  # bytes


def _links(wiring: Wiring) -> Iterator[Finding]:
    base = wiring.links.base_url
    trouble = pages_trouble(base)
    if is_loopback(urlsplit(base).hostname):
        fix = _("Set COMMSENGINE_BASE_URL before real people get them.")
        yield note(_("Links lead to {address}, which only this machine can open.", address=base), fix)
        if trouble:
            yield note(trouble[0], _("Links and review copies open while the engine runs: commsengine run"))
    elif trouble:
        yield problem(*trouble)
    else:
        yield ok(_("{address} answers.", address=base))


def pages_trouble(base: str) -> tuple[str, str] | None:
    """Why the pages of the engine do not answer at their address, and what helps; ``None`` if they do."""
    local = [urllib.request.ProxyHandler({})] if is_loopback(urlsplit(base).hostname) else []
    try:
        urllib.request.build_opener(*local).open(f"{base}/readyz", timeout=TIMEOUT).close()
    except urllib.error.HTTPError as error:
        if b"on hold" in error.read(LONGEST_REASON):  # an engine is there, and today says why it sends nothing
            return None
        text = N_("{address} answers, but no engine runs behind it ({status}).")
        return _(text, address=base, status=error.code), _(_START)
    except OSError as error:
        why = getattr(error, "reason", error)
        reason = getattr(why, "verify_message", "") or getattr(why, "strerror", None) or why
        text = N_("{address} does not answer: {error}.")
        return _(text, address=base, error=str(reason).rstrip(".")), _link_remedy(why)
    return None


def _link_remedy(why: object) -> str:
    if isinstance(why, ssl.SSLError):
        return _("Renew the certificate of the web server; people's browsers would warn of it.")
    if isinstance(why, socket.gaierror):
        return _("Check the host in COMMSENGINE_BASE_URL.")
    return _(_START)


def _windows(wiring: Wiring) -> Iterator[Finding]:
    running = [record for record in wiring.store.campaigns.all() if record.state == "running"]
    for record in running:
        window = record.plan.send.window
        days, start, end = ", ".join(window.days), clock_text(window.start), clock_text(window.end)
        text = N_("{campaign}: {days}, {start} to {end} in each person's local time.")
        yield ok(_(text, campaign=record.id, days=days, start=start, end=end))
    due = wiring.store.loading.next_wake()
    if running and due:
        yield ok(
            _("The next decision is due {instant}.", instant=when_where(zone_of(wiring), max(due, wiring.clock())))
        )
