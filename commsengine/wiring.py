"""The wiring: the only place where the parts are put together, and the only clock.

Each part is made when it is first asked for, so that a command loads no more than it uses.
"""

from __future__ import annotations

import datetime as dt
import os
import pwd
import shlex
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Self
from zoneinfo import ZoneInfo

from commsengine.environment import load_settings, spare_proxies
from commsengine.errors import InputError, Problem
from commsengine.settings import JOURNAL, REHEARSED, Settings
from commsengine.translation import N_, NO_CATALOGS, Catalogs, _, look_for_catalogs

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.routing import BaseRoute

    from commsengine.answers.fresh_links import FreshLinks
    from commsengine.answers.inbox import AnswerInbox
    from commsengine.answers.replying import Replying
    from commsengine.answers.review_copies import ReviewCopies
    from commsengine.authoring.catalog_file import WorkspaceCatalogs
    from commsengine.authoring.check import CheckResult
    from commsengine.authoring.people.people_file import PeopleFile
    from commsengine.cadence.kinds_and_states import ChannelName
    from commsengine.cadence.people import Person
    from commsengine.cadence.plan import Plan, Workspace
    from commsengine.cadence.population import Population
    from commsengine.campaigns.restore_backup import Restore
    from commsengine.channels.access_tokens import AccessTokens
    from commsengine.channels.providers import ProviderProfile
    from commsengine.channels.refusal_rule import RefusalRule
    from commsengine.content.render import Renderer
    from commsengine.engine.daily_work import MorningMail
    from commsengine.engine.decisions import Decisions
    from commsengine.engine.engine import Engine
    from commsengine.engine.sending.senders import ChannelSetup
    from commsengine.engine.state_folder import StateFolder
    from commsengine.engine.worker import JobPeople
    from commsengine.links import Links
    from commsengine.people_feed import PeopleFeed
    from commsengine.planning.plan_on_disk import PlanningBasis
    from commsengine.planning.preview import PreviewBasis
    from commsengine.reports.manager_desk import ManagerDesk
    from commsengine.resolvers.imap import ImapArchive
    from commsengine.resolvers.postfix import PostfixLog
    from commsengine.resolvers.resolver import Resolver
    from commsengine.resolvers.slack import SlackHistory
    from commsengine.runner import Beating
    from commsengine.slack_app import SlackApp
    from commsengine.store.store import Store
    from commsengine.web.probes import Probes

HEARTBEAT = 10.0
"""Seconds between two beats of a running engine."""

MOST_RENDERERS = 16
SLACK_THREADS = 4

NOT_KNOWN_ELSEWHERE = (".local", ".localdomain", ".internal", ".lan", ".home.arpa")
"""Ends of names that a machine has for itself."""

LOCAL_TIME = Path("/etc/localtime")

LOCALE = "locale"
"""The folder of a workspace with catalogs of its own."""

SIGNS_OF_A_WORKSPACE = (".env", "workspace.yaml", "schedules", "people.csv", "message_templates")


def now() -> dt.datetime:
    # The only read of the clock.
    return dt.datetime.now(dt.UTC)


def _zone_of_this_machine() -> dt.tzinfo:
    # syslog writes the machine's local time, whatever ``TZ`` says in this process.
    try:
        with LOCAL_TIME.open("rb") as file:
            return ZoneInfo.from_file(file)
    except (OSError, ValueError):
        return dt.UTC


def with_their_ids(directory: Population, people: Sequence[Person]) -> Population:
    """The directory with the ids that ``people`` of a file have, where they are known by address only."""
    from commsengine.cadence.population import ListedPeople

    known, wanted = {each.id for each in directory}, {each.email.lower(): each.id for each in people}
    new = {email: each for email, each in wanted.items() if each not in known and each != email}
    return ListedPeople(tuple(replace(each, id=new.get(each.email.lower(), each.id)) for each in directory))


class Wiring:
    """One workspace. ``clock`` gives the time and ``sleep`` waits by it; a rehearsal brings its own."""

    def __init__(
        self,
        folder: Path,
        clock: Callable[[], dt.datetime] | None = None,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self.folder, self.clock, self.sleep = folder.absolute(), clock or self._now, sleep
        look_for_catalogs(self._catalogs)
        spare_proxies()
        self._renderers: dict[tuple[int, bool], Renderer] = {}
        self._profile: ProviderProfile | None = None
        self._server_clock: Callable[[], dt.datetime] = now
        self._beat = self._since_the_beat
        self._banner = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        for resolver in [one for several in self.__dict__.get("resolvers", {}).values() for one in several]:
            resolver.close()
        if "review_copies" in self.__dict__:
            self.review_copies.close()
        if "store" in self.__dict__:
            self.store.close()

    def _now(self) -> dt.datetime:
        return self.as_of or self._server_clock()

    @cached_property
    def as_of(self) -> dt.datetime | None:
        """Where the clock stands in the workspace of a rehearsal; ``None`` in any other."""
        return self.store.engine.rehearsed_until() if (self.folder / REHEARSED).exists() else None

    def _catalogs(self) -> Catalogs:
        # Most workspaces have none: then nothing that reads one is loaded.
        return self._own_catalogs() if self._locale.is_dir() else NO_CATALOGS

    @cached_property
    def _locale(self) -> Path:
        return self.folder / LOCALE

    @cached_property
    def _own_catalogs(self) -> WorkspaceCatalogs:
        from commsengine.authoring.catalog_file import WorkspaceCatalogs

        return WorkspaceCatalogs(self._locale)

    @cached_property
    def settings(self) -> Settings:
        return load_settings(self.folder)

    @cached_property
    def operator(self) -> str:
        """The account's name, kept with everything it does."""
        try:
            return pwd.getpwuid(os.getuid()).pw_name
        except KeyError:
            return f"user {os.getuid()}"

    # -- what is on record ------------------------------------------------------------------------

    @property
    def has_database(self) -> bool:
        file = self.settings.database_file
        return file is None or file.exists()

    @cached_property
    def store(self) -> Store:
        """Raises ``CommsError`` where the database cannot be used. A SQLite file is made when it is first needed."""
        from commsengine.store.store import Store

        if not self.has_database and not any((self.folder / sign).exists() for sign in SIGNS_OF_A_WORKSPACE):
            fix = _("Go into one, name it with --workspace, or make one: commsengine init DIR")
            raise InputError(_("{folder} is not a workspace.", folder=self.folder), fix)
        self.refuse_misplaced()
        return Store.create(self.settings.database)

    def refuse_misplaced(self) -> None:
        # Else a new, empty database would be made beside the one that an earlier version put elsewhere.
        from commsengine.store.database import misplaced

        file = self.settings.database_file
        if file is None or not (found := misplaced(file)):
            return
        parts = [(Path(f"{found}{end}"), Path(f"{file}{end}")) for end in ("", "-wal", "-shm")]
        moves = [shlex.join(["mv", str(old), str(new)]) for old, new in parts if old.exists()]
        text = N_(
            "The database of this workspace is {file}: version 0.1.0 read the ? or % in its path as part of a URL."
        )
        fix = _("Stop the engine, then move it into its place: {commands}", commands=" && ".join(moves))
        raise InputError(_(text, file=found), fix)

    def upgrade(self) -> Path | None:
        """Returns the copy of a SQLite file as it was, if one was made."""
        from commsengine.store import schema
        from commsengine.store.copies import sqlite_copies
        from commsengine.store.database import Database
        from commsengine.store.store import Store

        self.refuse_misplaced()
        kept: Path | None = None
        with closing(Database(self.settings.database)) as database:
            found = schema.revision(database)
            if found and found < schema.HEAD and database.path is not None:
                kept = self.folder / "backup" / f"before-upgrade-{self.clock():%Y-%m-%d-%H%M%S}.db"
                sqlite_copies.copy_to(database, kept)
        Store.upgrade(self.settings.database).close()
        return kept

    # -- what the author wrote --------------------------------------------------------------------

    @cached_property
    def rules(self) -> Workspace:
        from commsengine.authoring.workspace_file import load_workspace

        return load_workspace(self.folder / "workspace.yaml")

    @cached_property
    def providers(self) -> tuple[ProviderProfile, ...]:
        from commsengine.authoring.providers_file import FILE, load_providers

        return load_providers(self.folder / FILE)

    @cached_property
    def refusals(self) -> tuple[RefusalRule, ...]:
        """The workspace's own rows."""
        from commsengine.authoring.providers_file import FILE, load_refusals

        return load_refusals(self.folder / FILE)

    @cached_property
    def templates(self) -> Mapping[str, str]:
        # The workspace's own come in place of shipped ones of the same name.
        from commsengine.content.shipped import shipped_folder
        from commsengine.content.templates import load_templates

        own = self.folder / "message_templates"
        return load_templates(shipped_folder(), own if own.is_dir() else None)

    def read_people(
        self,
        file: Path,
        *,
        columns: Mapping[str, str] | None = None,
        rekey: bool = False,
        encoding: str = "",
        sheet: str = "",
        guests: bool = False,
    ) -> PeopleFile:
        """As ``load_people``. ``columns`` come in place of those of the workspace; with ``rekey`` people who are known
        by address are read as if the directory had them by the file's ids.
        """
        from commsengine.authoring.people.people_file import load_people
        from commsengine.cadence.population import NOBODY

        today, mapping = self.clock().date(), self.people_columns if columns is None else columns

        def read(directory: Population) -> PeopleFile:
            how = {"encoding": encoding, "sheet": sheet}
            return load_people(file, directory=directory, mapping=mapping, guests=guests, today=today, **how)

        directory = self.store.people.population() if self.has_database else NOBODY
        found = read(directory)
        return read(with_their_ids(directory, found.people)) if rekey else found

    @cached_property
    def people_columns(self) -> Mapping[str, str]:
        """What headings of people files mean, as this workspace has said before."""
        from commsengine.authoring.people.columns_file import FILE, load_columns

        return load_columns(self.folder / FILE)

    def check(self, plan: Path) -> CheckResult:
        from commsengine.authoring.check import check
        from commsengine.content.shipped import shipped_folder
        from commsengine.content.templates import review_templates

        templates, beside = review_templates(shipped_folder(), self.folder / "message_templates")
        beside += self.review_catalogs()
        people: Population | None = self.store.people.population() if self._anybody_imported else None
        try:
            people = self._people_on_disk() if people is None else people
        except InputError as error:
            if not error.problems:
                raise
            beside += error.problems
        return check(
            plan,
            root=self.folder,
            people=people,
            templates=templates,
            beside=beside,
            columns=self.people_columns,
            today=self.clock().date(),
        )

    def review_catalogs(self) -> list[Problem]:
        """What is wrong with the languages that the workspace adds."""
        from commsengine.authoring.catalog_file import review_catalogs

        return review_catalogs(self._locale)

    def languages(self) -> list[str]:
        """Those that buttons, footers and pages are there in."""
        from commsengine.authoring.catalog_file import languages_known

        return languages_known(self._locale)

    @property
    def _anybody_imported(self) -> bool:
        return self.has_database and self.store.people.count() > 0

    def _people_on_disk(self) -> Population | None:
        from commsengine.cadence.population import ListedPeople

        file = self.folder / "people.csv"
        return ListedPeople(tuple(self.read_people(file).people)) if file.exists() else None

    # -- before anything is sent ------------------------------------------------------------------

    @property
    def planning_basis(self) -> PlanningBasis:
        from commsengine.planning.plan_on_disk import PlanningBasis

        on_record = (self.store, self.decisions) if self.has_database else None
        ready: dict[ChannelName, Callable[[int], float]] = {"slack": self._seconds_to_read_slack}
        return PlanningBasis(self.rules, self.settings.credentials, on_record, self.clock(), self.profiles, ready)

    def _seconds_to_read_slack(self, people: int) -> float:
        from commsengine.channels.slack_users import hashed, seconds_to_get_ready

        workspaces = self.store.slack_workspaces.of(hashed(self.settings.slack_token)) if self.has_database else ()
        return seconds_to_get_ready(workspaces, people)

    @property
    def preview_basis(self) -> PreviewBasis:
        from commsengine.planning.preview import PreviewBasis

        store = self.store if self.has_database else None
        given = self.settings
        return PreviewBasis(self.rules, self.templates, given.links_base, given.credentials, store)

    # -- what is sent -----------------------------------------------------------------------------

    @cached_property
    def links(self) -> Links:
        from commsengine.links import Links

        return Links(self.settings.links_base, self.settings.keys)

    def renderer(self, plan: Plan, templates: Mapping[str, str] | None = None) -> Renderer:
        # The same one for the same plan: its templates are compiled once.
        from commsengine.content.render import Renderer

        key = (id(plan), templates is None)  # the renderer keeps the plan, so that its id is not given away again
        if key not in self._renderers:
            if len(self._renderers) >= MOST_RENDERERS:
                self._renderers.clear()
            # A plan that was applied before a template came with the program has not frozen that one.
            given = self.templates if templates is None else {**self.shipped_templates, **templates}
            self._renderers[key] = Renderer(plan, given, self.links, self.rules)
        return self._renderers[key]

    @cached_property
    def shipped_templates(self) -> Mapping[str, str]:
        from commsengine.content.shipped import shipped_folder
        from commsengine.content.templates import load_templates

        return load_templates(shipped_folder(), None)

    @cached_property
    def channels(self) -> dict[ChannelName, ChannelSetup]:
        ready = self.settings.credentials
        setups: dict[ChannelName, Callable[[], ChannelSetup]] = {"email": self._email, "slack": self._slack}
        return {name: setup() for name, setup in setups.items() if name in ready}

    def _email(self) -> ChannelSetup:
        from commsengine.channels.email import EmailChannel
        from commsengine.channels.smtp import parse_smtp_url
        from commsengine.engine.sending.senders import ChannelSetup

        server, sender = parse_smtp_url(self.settings.smtp), self.mail_from

        def opened() -> EmailChannel:
            most = self.mail_profile.limits.per_connection
            return EmailChannel(
                server,
                sender,
                hello=self.hello,
                tokens=self.access_tokens,
                per_connection=most,
                greeted=self.heard_greeting,
                refusals=self.refusals,
            )

        return ChannelSetup(opened, known=lambda: self.mail_profile)

    @cached_property
    def hello(self) -> str:
        """The name in EHLO; empty where this machine has none that others know."""
        name = self.settings.smtp_ehlo or socket.getfqdn()
        return "" if "." not in name or name.endswith(NOT_KNOWN_ELSEWHERE) else name

    @cached_property
    def access_tokens(self) -> AccessTokens | None:
        """One for all connections of this process; ``None`` where no server asks for one."""
        from commsengine.channels.access_tokens import AccessTokens, by_command
        from commsengine.channels.token_providers import by_google, by_microsoft

        given = self.settings
        if given.tokens_from == "command" and given.oauth_token_command:
            return AccessTokens(by_command(given.oauth_token_command.get_secret_value(), self.folder), self.clock)
        if given.tokens_from == "microsoft":
            app = (given.microsoft_tenant, given.microsoft_client_id, given.microsoft_credential)
            return AccessTokens(by_microsoft(*app, given.microsoft_authority), self.clock)
        if given.tokens_from == "google":
            return AccessTokens(by_google(self.folder / given.google_credentials, given.google_user), self.clock)
        return None

    # -- what may be sent -------------------------------------------------------------------------

    @property
    def mail_profile(self) -> ProviderProfile:
        """What the mail server allows, by its host or by what it greeted with last, as far as settings do not say."""
        if self._profile is None:
            self._profile = self._known_profile()
        return self._profile

    def _known_profile(self) -> ProviderProfile:
        from commsengine.channels.providers import NO_SERVER, profile_of
        from commsengine.channels.smtp import parse_smtp_url

        given, found = self.settings, NO_SERVER
        if given.smtp:
            host = parse_smtp_url(given.smtp).host
            if not self._banner and self.has_database:
                self._banner = self.store.channels.banner(host)
            found = profile_of(host, self._banner, self.providers)
        limits = found.limits.overridden(given.smtp_connections, given.smtp_rate, given.smtp_daily)
        return replace(found, limits=limits)

    def heard_greeting(self, banner: str) -> None:
        """The mail server has greeted: kept for ``simulate``, which opens no connection."""
        from commsengine.channels.smtp import parse_smtp_url

        host = parse_smtp_url(self.settings.smtp).host
        if banner == self._banner:
            return
        self._banner, self._profile = banner, None
        if self.has_database and banner != self.store.channels.banner(host):
            self.store.channels.greeted(host, banner, self.clock())

    @property
    def profiles(self) -> Mapping[ChannelName, ProviderProfile]:
        """Of all channels, also of those without credentials here."""
        from commsengine.channels.providers import ProviderProfile, SendingLimits

        found: dict[ChannelName, ProviderProfile] = {
            name: ProviderProfile("", "", SendingLimits(per_minute=rate)) for name, rate in self.settings.rates.items()
        }
        return {**found, "email": self.mail_profile}

    def _slack(self) -> ChannelSetup:
        from commsengine.channels.slack import SlackChannel
        from commsengine.channels.slack_users import LookUpPace, SlackUsers
        from commsengine.engine.sending.senders import ChannelSetup

        token, url, ids = self.settings.slack_token, self.settings.slack_api_url, self.store.slack_ids
        pace, users = LookUpPace().wait, SlackUsers(token, self.store.slack_workspaces, api_url=url)
        rate = self.settings.slack_rate
        own = self.refusals

        def opened() -> SlackChannel:
            return SlackChannel(token, ids, api_url=url, look_ups=pace, refusals=own)

        return ChannelSetup(opened, SLACK_THREADS, rate, users)

    @cached_property
    def resolvers(self) -> dict[str, list[Resolver]]:
        """By channel, in the order in which they are asked."""
        mail = [resolver for resolver in (self.postfix_log, self.imap_archive) if resolver and self.settings.smtp]
        return {"email": [*mail], "slack": [self.slack_history] if self.slack_history else []}

    @cached_property
    def postfix_log(self) -> PostfixLog | None:
        from commsengine.resolvers.mail_log import LogFiles, SystemJournal
        from commsengine.resolvers.postfix import PostfixLog

        named = self.settings.postfix_log
        if not named:
            return None
        return PostfixLog(SystemJournal() if named == JOURNAL else LogFiles(Path(named), _zone_of_this_machine()))

    @cached_property
    def imap_archive(self) -> ImapArchive | None:
        from commsengine.resolvers.imap import ImapArchive, parse_imap_url

        if not self.settings.imap:
            return None
        return ImapArchive(parse_imap_url(self.settings.imap), tokens=self.access_tokens)

    @cached_property
    def slack_history(self) -> SlackHistory | None:
        from commsengine.resolvers.slack import SlackHistory

        token, url = self.settings.slack_token, self.settings.slack_api_url
        return SlackHistory(token, self.store.slack_ids, api_url=url) if token else None

    @property
    def mail_from(self) -> str:
        """As set, else the first owner of the newest plan."""
        if self.settings.mail_from:
            return self.settings.mail_from
        applied = max(self.store.campaigns.all(), key=lambda record: record.applied_at, default=None)
        return applied.plan.owner[0] if applied else f"commsengine@{socket.getfqdn()}"

    def must_send(self) -> None:
        """Raises ``InputError`` when nothing could be sent at all."""
        if self.settings.rehearsed:
            fix = _("Go back to the workspace of its plan.")
            raise InputError(_("This is the workspace of a rehearsal: nothing is sent from it."), fix)
        if not self.settings.credentials:
            fix = _(
                "Set COMMSENGINE_SMTP_URL or COMMSENGINE_SLACK_BOT_TOKEN, or try it without: commsengine rehearse PLAN"
            )
            raise InputError(_("Neither mail nor Slack is set up, so nothing can be sent."), fix)
        self.settings.require_key()

    def left_out(self, plan: Plan) -> list[str]:
        if not self.channels:
            text = N_("{campaign}: neither mail nor Slack is set up, so it can be rehearsed, but not started.")
            return [_(text, campaign=plan.campaign)]
        used = [name for name in plan.send.channels if name in self.channels]
        unused = [name for name in plan.send.channels if name not in used]
        others = f" {_('and')} ".join(used) or _("no channel: people are called")
        text = N_("{campaign}: {channel} has no credentials here, so it is left out; it uses {others}.")
        return [_(text, campaign=plan.campaign, channel=name, others=others) for name in unused]

    @cached_property
    def decisions(self) -> Decisions:
        from commsengine.engine.decisions import Decisions

        # Where nothing is set up, as on a lead's own machine, they are those of an engine that has every channel.
        return Decisions(self.store, self.rules, frozenset(self.channels) or None)

    def _take_the_servers_time(self) -> None:
        # the hosts of several engines may be minutes apart
        from commsengine.store.workers.server_clock import ServerClock

        if self.settings.database_file is None:
            self._server_clock = ServerClock(self.store.database)

    @property
    def _hosts_clock(self) -> Callable[[], dt.datetime]:
        # by which APScheduler goes
        return self.clock if self.settings.database_file else now

    def engine(self, *, interval: float | None = None, jobs: JobPeople | None = None) -> Engine:
        """To be used as a context. ``interval`` is in seconds; ``None`` when cron calls. A worker decides the
        people of its ``jobs``, and leaves the mail of the morning to the scheduler.
        """
        from commsengine.engine.engine import Engine
        from commsengine.engine.free_places import BATCH
        from commsengine.engine.uncertain_sends import Resolution
        from commsengine.store.workers.jobs import SIZE

        self._take_the_servers_time()
        return Engine(
            self.store,
            self.channels,
            self.renderer,
            workspace=self.rules,
            clock=self.clock,
            sleep=self.sleep,
            interval=interval,
            admin=self.settings.admin_email,
            state=self.state_folder,
            resolution=Resolution(self.store, self.resolvers),
            morning_mail=self._morning_mail() if jobs is None else lambda _: None,
            due=jobs.next if jobs else None,
            batch=SIZE if jobs else BATCH,
        )

    def _morning_mail(self) -> MorningMail:
        from commsengine.engine.decisions import Decisions
        from commsengine.reports.morning.morning_mail import morning_mail
        from commsengine.reports.morning.morning_time import MorningBasis

        decisions = Decisions(self.store, self.rules, frozenset(self.channels))
        basis = MorningBasis(self.store, decisions, self.renderer, list(self.channels), self.fresh_links.make)
        return morning_mail(basis, self.clock)

    def state_folder(self, database: str) -> StateFolder:
        """Raises ``CommsError`` where it cannot be written."""
        from commsengine.engine.state_folder import StateFolder

        return StateFolder(self.settings.state_dir.absolute(), database)

    def stop_is_there(self) -> bool:
        from commsengine.engine.state_folder import stop_is_there

        return stop_is_there(self.settings.state_dir.absolute(), self.store.engine.database_id())

    @cached_property
    def rescue(self) -> Restore:
        from commsengine.campaigns.restore_backup import Restore
        from commsengine.engine.decisions import Decisions

        carriers = frozenset(self.settings.credentials) or None
        return Restore(self.state_folder, lambda store: Decisions(store, self.rules, carriers))

    def engine_lock(self) -> AbstractContextManager[object]:
        # A database server needs none.
        from commsengine.engine.owner_lock import EngineLock

        file = self.settings.database_file
        return EngineLock(file) if file else nullcontext()

    @cached_property
    def inbox(self) -> AnswerInbox:
        from commsengine.answers.inbox import AnswerInbox
        from commsengine.cadence.kinds_and_states import CHANNELS

        # Where nothing is set up, as on a lead's own machine, all channels are supposed.
        carriers = self.settings.credentials or tuple(CHANNELS)
        return AnswerInbox(self.store, self.renderer, carriers, self.rules.recall)

    @cached_property
    def desk(self) -> ManagerDesk:
        from commsengine.reports.manager_desk import ManagerDesk

        return ManagerDesk(self.store, self.renderer)

    @cached_property
    def fresh_links(self) -> FreshLinks:
        from commsengine.answers.fresh_links import FreshLinks
        from commsengine.answers.own_mail import OwnMail

        mail = OwnMail(self.store, self.renderer, list(self.channels))
        return FreshLinks(self.store, self.settings.links_base, mail)

    @cached_property
    def review_copies(self) -> ReviewCopies:
        from commsengine.answers.review_copies import ReviewCopies

        given = self.settings
        return ReviewCopies(self.store, given.links_base, given.keys, self.rules, self.clock)

    @cached_property
    def replying(self) -> Replying:
        from commsengine.answers.replying import Replying

        return Replying(self.store, self.inbox)

    @cached_property
    def slack_app(self) -> SlackApp | None:
        """``None`` where Slack cannot reach us."""
        from commsengine.slack_app import SlackApp

        given = self.settings
        secret = given.slack_signing_secret.get_secret_value() if given.slack_signing_secret else ""
        if not given.slack_token or not (secret or given.slack_app_token):
            return None
        # The age of a signature is judged in real time, for Slack lives in it, whatever the clock of a rehearsal says.
        return SlackApp(
            self.inbox,
            self.store,
            self.desk,
            token=given.slack_token,
            clock=self.clock,
            signing_secret=secret,
            api_url=given.slack_api_url,
            signed_at=now,
            copies=self.review_copies,
        )

    @cached_property
    def web_app(self) -> Starlette:
        from commsengine.web.app import create_app

        return create_app(
            self.inbox,
            self.links,
            self.fresh_links,
            self.desk,
            store=self.store,
            keys=self.settings.keys,
            clock=self.clock,
            slack=self.slack_app,
            copies=self.review_copies,
            more=[*self._webhooks(), *self.probes.routes()],
            language=self.rules.language,
        )

    def _webhooks(self) -> list[BaseRoute]:
        from commsengine.web.facts_webhook import FactsWebhook

        secret = self.settings.facts_secret
        return [FactsWebhook(self.store, secret.get_secret_value(), self.clock).route()] if secret else []

    def run(self, ready: Callable[[], None]) -> bool:
        """Until a signal comes; returns whether everything that was leaving has arrived."""
        return self._run(self.engine(interval=HEARTBEAT), HEARTBEAT, ready, self.look_at_feed)

    def schedule(self, ready: Callable[[], None]) -> bool:
        """As ``run``, but what is due is handed to workers."""
        from commsengine.engine.scheduler import LOOKS, Scheduler

        self._take_the_servers_time()
        scheduler = Scheduler(
            self.store, self.decisions, clock=self.clock, stopped=self.stop_is_there, morning_mail=self._morning_mail()
        )
        self._beat = self._since_the_lead
        return self._run(scheduler, LOOKS, ready, lambda: self.look_at_feed() if scheduler.leads else None)

    def work(self, ready: Callable[[], None]) -> bool:
        """A worker, until a signal comes; returns whether everything that was leaving has arrived."""
        from commsengine import runner
        from commsengine.engine.worker import LOOKS, JobPeople, Worker

        people = JobPeople(self.store.jobs, self.clock)
        worker = Worker(self.engine(interval=HEARTBEAT, jobs=people), people)
        web = runner.Web(self.probes.app(), *self.settings.bind)
        return runner.run(worker, clock=self._hosts_clock, every=LOOKS, web=web, ready=ready)

    def _run(self, engine: Beating, every: float, ready: Callable[[], None], look: Callable[[], None]) -> bool:
        from commsengine import runner
        from commsengine.ping import Ping

        token = self.settings.slack_app_token
        socket_mode = self.slack_app.socket_mode(token.get_secret_value()) if self.slack_app and token else None
        return runner.run(
            engine,
            clock=self._hosts_clock,
            every=every,
            lock=self.engine_lock(),
            web=runner.Web(self.web_app, *self.settings.bind),
            slack=socket_mode,
            redraws=self.slack_app.cards if self.slack_app else None,
            ready=ready,
            ping=Ping(self.settings.heartbeat_url),
            look=look,
        )

    def look_at_feed(self) -> None:
        """Takes a new file of the watched folder, or holds it."""
        if self.people_feed is not None:
            self.people_feed.look(self.clock())

    @cached_property
    def people_feed(self) -> PeopleFeed | None:
        """``None`` where no folder is watched."""
        from commsengine.people_feed import PeopleFeed

        place, everybody = self.settings.feed, self.settings.people_feed_complete
        if place is None:
            return None
        return PeopleFeed(place, self.store, self.read_people, complete=everybody, tell=self._tell_of_held_files)

    def _tell_of_held_files(self, now: dt.datetime) -> None:
        from commsengine.engine.alerts import Alerts
        from commsengine.reports.held_files import held_files, held_text

        alerts = Alerts(self.store, self.settings.admin_email, self.channels, self.rules.language)
        for held in held_files(self.store):
            if held["source"] == "feed":
                alerts.file_held(held_text(held), partial(held_text, held), now)

    @cached_property
    def probes(self) -> Probes:
        from commsengine.web.probes import Probes

        return Probes(self.store, self.clock, self._beat)

    def _since_the_beat(self) -> dt.timedelta | None:
        last = self.store.engine.heartbeat()
        return self.clock() - last.beat_at if last else None

    def _since_the_lead(self) -> dt.timedelta | None:
        from commsengine.store.workers.leadership import LENGTH

        lead = self.store.leadership.current()
        return self.clock() - lead.until + LENGTH if lead else None
