"""A rehearsal: the real engine, channels, SMTP, HTTP and answers against the sandbox, weeks in seconds.

1. A workspace of its own: a fresh database, the sandbox as mail server and Slack, people who answer as supposed.
2. The clock jumps from one event to the next; at each the engine ticks as it would in life.
3. In the second busiest morning the campaign is paused for two hours and resumed, as a lead would do it.
4. What was made is held against what ``simulate`` says for the same suppositions, touch by touch.
"""

from __future__ import annotations

import datetime as dt
import secrets
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Self

from pydantic import SecretStr
from starlette.types import Receive, Scope, Send

from commsengine.cadence.forecast import Supposition, forecast_together
from commsengine.cadence.history import Campaign, Campaigns, History, Standstill, Touch
from commsengine.cadence.kinds_and_states import CARRIED, Carrier, ChannelName, TouchKind
from commsengine.cadence.managers_first import reports_of
from commsengine.cadence.people import Person
from commsengine.cadence.phases import opened_in_time
from commsengine.cadence.plan import Plan, Workspace
from commsengine.campaigns import control
from commsengine.channels.access_tokens import AccessTokens
from commsengine.channels.providers import ProviderProfile, SendingLimits
from commsengine.engine.sending.senders import ChannelSetup
from commsengine.engine.state_folder import StateFolder
from commsengine.planning.departures import departures
from commsengine.planning.simulation import queue_of
from commsengine.reports.followups import FollowUp, followups
from commsengine.sandbox.as_if import PLAIN, AsIf
from commsengine.sandbox.as_if_report import AsIfReport, report_of
from commsengine.sandbox.mail_account import MailAccount
from commsengine.sandbox.rehearsal_people import BY, PeopleAtPlay
from commsengine.sandbox.relay import RelayStandIn
from commsengine.sandbox.sandbox import Sandbox, Serving
from commsengine.sandbox.slack_tiers import PUBLISHED
from commsengine.sandbox.time_lapse import Diary, TimeLapse, play
from commsengine.settings import MICROSOFT_APP, MICROSOFT_CREDENTIALS, PREFIX, REHEARSED, Settings
from commsengine.store.records import TouchRecord
from commsengine.store.store import Store
from commsengine.wiring import Wiring

LOOPBACK = "127.0.0.1"
NO_COMMAND = "true"
"""Never run: the account of the rehearsal makes its own tokens."""

REAL_LOG_INS: dict[str, Any] = {
    name: Settings.model_fields[name].default
    for name in (*MICROSOFT_APP, *MICROSOFT_CREDENTIALS, "google_credentials", "google_subject")
}
"""They are set on this machine, and no affair of a rehearsal."""
PAUSE = dt.timedelta(hours=2)
LOOKED_AT = 40
"""How many people are enough to find a busy morning."""

Fingerprint = tuple[str, str, int, TouchKind, Carrier, dt.datetime, str]
"""What is compared of a touch: person, message, rung, kind, channel, due instant, reason of a skip."""


@dataclass(frozen=True)
class Script:
    """What is rehearsed: instants are aware UTC; ``pause`` is what the lead does, if anything.

    ``supposing`` gives new people who answer on each call: they remember what they had. ``as_if`` is who carries the
    messages."""

    plan: Plan
    people: Sequence[Person]
    rules: Workspace
    templates: Mapping[str, str]
    start: dt.datetime
    until: dt.datetime
    supposing: Callable[[], Supposition]
    pause: Standstill | None = None
    as_if: AsIf = PLAIN

    def campaigns(self) -> Campaigns:
        campaign = Campaign(self.plan, self.start, opened=self.opened)
        return Campaigns((campaign,), self.rules, carriers=self.as_if.channels)

    @property
    def opened(self) -> dict[str, dt.datetime]:
        """When the lead opens each gate: in time, so that no one waits."""
        return opened_in_time(self.plan, {}, self.start)

    def foreseen(self, each: int = 1) -> list[Touch]:
        """Every touch that ``simulate`` says; with ``each`` about those of every n-th person."""
        return [touch for _, touches in self._forecasts(each) for touch in touches]

    def _forecasts(self, each: int = 1) -> Iterator[tuple[Person, Sequence[Touch]]]:
        pauses = {self.plan.campaign: [self.pause]} if self.pause else {}
        rosters, led = {self.plan.campaign: self.start}, reports_of(self.plan, self.people)
        some = [
            (replace(person, since=self.start), History(rosters=rosters, reports=led.get(person.id, ())))
            for person in self.people[::each]
        ]
        seen = forecast_together(self.campaigns(), some, self.start, self.until, self.supposing(), pauses)
        return ((person, one.touches) for (person, _), one in zip(some, seen, strict=True))

    def announced(self, limits: Mapping[Carrier, SendingLimits]) -> dict[str, dt.datetime | None]:
        """When each touch leaves, as ``simulate`` says, by its key; ``None`` for what a newer one overtakes."""
        campaigns = self.campaigns()
        queue = (one for person, touches in self._forecasts() for one in queue_of(campaigns, person, touches))
        return departures(queue, limits, {})


@dataclass(frozen=True)
class PausedMoment:
    """What a pause held back, and what came after it."""

    since: dt.datetime
    until: dt.datetime
    due_meanwhile: int
    sent_meanwhile: int


@dataclass(frozen=True)
class Story:
    """What came of a rehearsal. ``missing`` and ``unforeseen`` are empty if run and simulation agree.

    ``first_call`` is the first follow-up that a person made; ``calls`` are those open at the end. ``report`` is made as
    if by a certain provider.
    """

    script: Script
    touches: Sequence[Fingerprint]
    missing: Sequence[Fingerprint]
    unforeseen: Sequence[Fingerprint]
    answers: Counter[str]
    states: Counter[str]
    first_call: FollowUp | None
    calls: Sequence[FollowUp]
    paused: PausedMoment | None
    seconds: float
    ticks: int
    report: AsIfReport | None = None

    @property
    def agrees(self) -> bool:
        return not self.missing and not self.unforeseen


def with_pause(script: Script) -> Script:
    # The pause is laid over the morning on which most touches of a later week fall due.
    each = max(1, len(script.people) // LOOKED_AT)
    automatic = [touch for touch in script.foreseen(each) if touch.kind in CARRIED]
    later = [touch.due_at for touch in automatic if touch.due_at > script.start + dt.timedelta(days=7)]
    if not later:
        return script
    busiest = max(Counter(later).items(), key=lambda item: (item[1], item[0]))[0]
    return replace(script, pause=Standstill(busiest - dt.timedelta(minutes=10), busiest + PAUSE, "latest"))


class RehearsalWiring(Wiring):
    """A workspace with the sandbox as mail server and Slack, and a database of its own."""

    def __init__(
        self, folder: Path, clock: TimeLapse, settings: Settings, script: Script, account: MailAccount | None = None
    ) -> None:
        super().__init__(folder, clock.now, clock.sleep if script.as_if else None)
        self._given, self._script, self._account, self._time_lapse = settings, script, account, clock

    @cached_property
    def settings(self) -> Settings:
        return self._given

    @cached_property
    def store(self) -> Store:
        return Store.create(self.settings.database, durable=False)

    def state_folder(self, database: str) -> StateFolder:
        return StateFolder(self.settings.state_dir, database, durable=False)

    @cached_property
    def channels(self) -> dict[ChannelName, ChannelSetup]:
        # Any other one that is set up on this machine would carry to real people.
        lapse = self._time_lapse.move_to if self._script.as_if else None
        # Slack's list of users is read every day: in weeks that pass in seconds only where a message goes by Slack.
        used = self._script.as_if.channels & {"email", *self._script.plan.send.channels}
        return {name: replace(setup, lapse=lapse) for name, setup in super().channels.items() if name in used}

    @cached_property
    def providers(self) -> tuple[ProviderProfile, ...]:
        # the sandbox is known by its host: the banners of two providers may be the same
        mail = self._script.as_if.mail
        return (replace(mail, hosts=(LOOPBACK,)),) if mail else super().providers

    @cached_property
    def access_tokens(self) -> AccessTokens | None:
        return self._account.tokens() if self._account and self._account.by_token else None

    @cached_property
    def rules(self) -> Workspace:
        return self._script.rules

    @cached_property
    def templates(self) -> Mapping[str, str]:
        return self._script.templates


class Rehearsal:
    """One rehearsal in ``folder``. Use it as a context: the pages stay up until it is left.

    ``port`` is the sandbox page's, and the one after it that of the answer pages; 0 takes free ones.
    """

    def __init__(self, script: Script, folder: Path, *, port: int = 0) -> None:
        self.script, self.folder, self._port = script, folder, port
        self.clock = TimeLapse(script.start)
        self._stack = ExitStack()
        self._ticks, self._key = 0, secrets.token_hex(32)

    def __enter__(self) -> Self:
        self.diary = self._stack.enter_context(Diary())
        (self.folder / REHEARSED).unlink(missing_ok=True)
        shutil.rmtree(self.folder / "state", ignore_errors=True)  # its journal would know more than the new database
        pages = self._stack.enter_context(Serving(self._answer_pages, port=self._port + 1 if self._port else 0))
        mail = self.script.as_if.mail
        self.account = MailAccount(mail, self.script.plan.owner[0], self.clock.now) if mail else None
        events = f"{pages.url}/slack/events"
        self.sandbox = self._stack.enter_context(
            Sandbox(
                self.script.people,
                clock=self.clock.now,
                request_url=events,
                port=self._port,
                mailbox=self.relay,
                slack_tiers=PUBLISHED if self.script.as_if.slack_cold else None,
            )
        )
        settings = self._settings(pages.url)
        self.wiring = self._stack.enter_context(
            RehearsalWiring(self.folder, self.clock, settings, self.script, self.account)
        )
        if (slack := self.wiring.slack_app) is not None:
            slack.cards.connect()
            self._stack.callback(slack.cards.close)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    async def _answer_pages(self, scope: Scope, receive: Receive, send: Send) -> None:
        # They are made when the first visitor comes, for they need the address they are served under.
        await self.wiring.web_app(scope, receive, send)

    @property
    def relay(self) -> RelayStandIn | None:
        return self.account.relay if self.account else None

    def _settings(self, pages: str) -> Settings:
        slack, account = self.sandbox.slack, self.account
        return Settings(
            workspace=self.folder.absolute(),
            state_dir=self.folder.absolute() / "state",
            database_url=SecretStr(f"sqlite:///{REHEARSED}"),
            smtp_url=SecretStr(account.url if account else self.sandbox.mailbox.url),
            oauth_token_command=SecretStr(NO_COMMAND) if account and account.by_token else None,
            **REAL_LOG_INS,
            postfix_log="",  # what the real relay and archive know is no affair of a rehearsal
            imap_url=None,
            people_feed=None,
            slack_bot_token=SecretStr(slack.bot_token),
            slack_signing_secret=SecretStr(slack.signing_secret),
            slack_api_url=slack.api_url,
            slack_rate=Settings.model_fields["slack_rate"].default if self.script.as_if else 1_000_000,
            base_url=pages,
            secret_key=(SecretStr(self._key),),
            _env_file=None,
        )

    # -- the weeks --------------------------------------------------------------------------------

    def run(self, progress: Callable[[dt.datetime], object] = bool) -> Story:
        began, script, store = time.monotonic(), self.script, self.wiring.store
        self._apply()
        suppose, now = script.supposing(), self.clock.now
        people = PeopleAtPlay(script.plan, store, self.sandbox, suppose, self.diary, now, self._calls)
        paused = self._plan_pause()
        self._plan_gates()

        def tick() -> None:
            made = engine.tick()
            people.look(calls=made.by_hand > 0)
            self._ticks += 1
            progress(now())

        with self.wiring.engine() as engine:
            play(self.clock, script.until, self.diary, store.loading.next_wake, tick)
        self._keep()
        return self._story(people, paused, time.monotonic() - began)

    def _keep(self) -> None:
        # For commands that look into it later: where its clock stands, and the key of its links.
        self.wiring.store.engine.rehearsed(self.clock.now())
        file = self.folder / ".env"
        file.touch(mode=0o600)
        file.write_text(f"{PREFIX}SECRET_KEY={self._key}\n", encoding="utf-8")

    def _calls(self) -> list[FollowUp]:
        wiring = self.wiring
        return followups(wiring.store, wiring.decisions, wiring.renderer, self.clock.now(), self.script.plan.campaign)

    def _apply(self) -> None:
        script, store = self.script, self.wiring.store
        people = [replace(each, channel=each.preferred_channel) for each in script.people]
        store.people.save(people, by=BY, now=script.start)
        store.campaigns.save_version(script.plan, script.templates, "", introduced={}, by=BY, now=script.start)
        if script.plan.audience.people:
            store.people.set_roster(script.plan.campaign, [person.id for person in people], script.start)
        store.campaigns.start(script.plan.campaign, by=BY, now=script.start)

    def _plan_pause(self) -> list[PausedMoment]:
        """Notes pause and resume in the diary; the list gets what came of it."""
        pause, campaign, store = self.script.pause, self.script.plan.campaign, self.wiring.store
        moments: list[PausedMoment] = []
        if pause is None:
            return moments
        before = Counter[str]()

        def stop() -> None:
            control.stop(store, [campaign], by=BY, clock=self.clock.now, sleep=self.clock.sleep)
            before["out"] = self._out()

        def go_on() -> None:
            out = self._out() - before["out"]
            store.campaigns.resume(campaign, backlog=pause.backlog, by=BY, now=self.clock.now())
            moments.append(PausedMoment(pause.since, pause.until, 0, out))

        self.diary.note(pause.since, stop)
        self.diary.note(pause.until, go_on)
        return moments

    def _plan_gates(self) -> None:
        for phase, at in self.script.opened.items():
            self.diary.note(at, partial(self._open_gate, phase))

    def _open_gate(self, phase: str) -> None:
        now, campaign = self.clock.now(), self.script.plan.campaign
        self.wiring.store.gates.open(campaign, phase, because="", by=BY, now=now)

    def _out(self) -> int:
        return len(self.sandbox.mailbox.arrived) + len(self.sandbox.slack.posts)

    # -- what came of it --------------------------------------------------------------------------

    def _story(self, people: PeopleAtPlay, moments: Sequence[PausedMoment], seconds: float) -> Story:
        records = list(self.wiring.store.touches.list(self.script.plan.campaign))
        made = Counter(map(fingerprint_of_record, records))
        said = Counter(map(fingerprint, self.script.foreseen()))
        return Story(
            self.script,
            sorted(made.elements()),
            sorted((said - made).elements()),
            sorted((made - said).elements()),
            people.done,
            Counter(r.state for r in records),
            people.first_call,
            self._calls(),
            self._moment(moments, made),
            seconds,
            self._ticks,
            self._report(records),
        )

    def _report(self, records: Sequence[TouchRecord]) -> AsIfReport | None:
        script = self.script
        if not script.as_if:
            return None
        announced = script.announced({name: setup.profile().limits for name, setup in self.wiring.channels.items()})
        slack, rate = self.sandbox.slack, self.wiring.settings.slack_rate
        return report_of(script, announced, self.relay, slack, rate, records)

    def _moment(self, moments: Sequence[PausedMoment], made: Iterable[Fingerprint]) -> PausedMoment | None:
        if not moments:
            return None
        return replace(moments[0], due_meanwhile=sum(due == moments[0].until for *_, due, _skip in made))


def fingerprint(touch: Touch) -> Fingerprint:
    return touch.person, touch.message, touch.rung, touch.kind, touch.channel, touch.due_at, touch.skip


def fingerprint_of_record(record: TouchRecord) -> Fingerprint:
    person, rung, skip = record.person_id or "", record.rung or 0, record.reason if record.state == "skipped" else ""
    return person, record.message, rung, record.kind, record.channel, record.due_at, skip
