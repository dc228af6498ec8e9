"""The engine: due people → decide → claim → render → deliver → receipt, over and over until no person is due.

One beat
1. The beat is recorded; a hold ends it here. Uncertain sends are settled where somebody knows.
2. No more due people than the channels have room for, and at most a thousand, are loaded and decided.
3. What their channels have no room for is left out of the decision; they wait for a place (``free_places``).
4. One transaction claims the rest and moves the bookmarks.
5. The claimed touches go to the senders of their channels; the next beat need not wait for them.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Self

import structlog

from commsengine.cadence.decide import missed_window
from commsengine.cadence.history import Touch
from commsengine.cadence.kinds_and_states import HUMAN, Carrier, ChannelName
from commsengine.cadence.plan import Workspace
from commsengine.content.render import RendererFor
from commsengine.engine.alerts import Alerts
from commsengine.engine.daily_work import LOOKS_EVERY, DailyWork, MorningMail
from commsengine.engine.decisions import Decisions
from commsengine.engine.dispatch import Dispatch
from commsengine.engine.free_places import BATCH, SHORT_WAIT, FreePlaces, WaitingPeople
from commsengine.engine.heartbeat import LEASE, Heartbeat, at_night, finish_what_is_over, is_past
from commsengine.engine.owner_lock import Owner
from commsengine.engine.restored_database import look_back
from commsengine.engine.sending.recorder import Recorder
from commsengine.engine.sending.refusal_guard import RefusalGuard
from commsengine.engine.sending.senders import ChannelSetup, SenderPool
from commsengine.engine.sending.shared_limits import SharedLimits
from commsengine.engine.startup import Reconciled
from commsengine.engine.state_folder import STOPPED, StateFolder
from commsengine.engine.uncertain_sends import Resolution
from commsengine.engine.waiting_messages import waiting
from commsengine.errors import DiskError
from commsengine.store.records import JudgedReceipt, Lease
from commsengine.store.store import Store
from commsengine.translation import N_

SETTLES_SOON = 15.0  # seconds a tick waits out until somebody can look for an uncertain send
LOOKS_UP = 0.5  # seconds after which a tick looks again at what it waits for, at the latest
SETTLES_IN = 10.0  # seconds a pause of ours waits for what is under way
ROUNDS_WITHOUT_PROGRESS = 20
log = structlog.get_logger(__name__)

DuePeople = Callable[[dt.datetime, int], Sequence[str]]
"""The ids of people who are due, the longest due first: at an instant, and at most so many."""


@dataclass(frozen=True, slots=True)
class BeatReport:
    """What one beat, or all beats of a tick, did. ``crowded`` are touches their channel had no place for just now,
    ``late`` those of the ``skipped`` that fell due too long ago.

    Known of a whole tick only: of what was ``claimed``, ``sent`` has arrived and ``failed`` never will; ``waiting`` are
    people with a due touch and a closed send window; ``held`` touches were refused, and it is not known why: for
    ``waits_for_a_word`` people in all, of earlier ticks too. ``refused`` are the channels that refuse us until a person
    sees to it. ``unreachable`` touches are skipped, for no channel reaches their person.
    """

    due: int = 0
    claimed: int = 0
    skipped: int = 0
    by_hand: int = 0
    crowded: int = 0
    service: int = 0
    hold: str = ""
    sent: int = 0
    waiting: int = 0
    failed: int = 0
    refused: tuple[str, ...] = ()
    late: int = 0
    held: int = 0
    waits_for_a_word: int = 0
    unreachable: int = 0

    @property
    def needs_a_person(self) -> bool:
        lost = self.failed + self.unreachable > 0 and not (self.sent or self.by_hand)
        return bool(self.refused or self.waits_for_a_word) or lost

    def __add__(self, other: BeatReport) -> BeatReport:
        sums = {each.name: getattr(self, each.name) + getattr(other, each.name) for each in fields(self)}
        return BeatReport(**{**sums, "hold": self.hold or other.hold})


class Engine:
    """One engine of one process. Use it as a context: entering reconciles, leaving gives back what has not begun.

    ``renderer`` makes the renderer of a plan version; ``clock`` tells the time (aware UTC) and ``sleep`` waits on it;
    ``interval`` is the time between two ticks in seconds, ``None`` when somebody else (cron) calls them. ``admin`` is
    the e-mail address that hears when nothing goes on without a person. ``state`` opens the state folder of a
    database; without one nothing is kept outside the database. ``resolution`` looks for what became of uncertain
    sends. While ``stopped`` says so, or a ``STOP`` lies in the state folder, nothing is claimed and nothing
    leaves, whatever the database says. ``morning_mail`` writes down what people get in the morning. ``due`` gives the
    people to decide, where it is not the engine's own affair who is due; where it gives fewer than ``batch``, no one
    else is due.
    """

    def __init__(
        self,
        store: Store,
        channels: Mapping[ChannelName, ChannelSetup],
        renderer: RendererFor,
        *,
        workspace: Workspace,
        clock: Callable[[], dt.datetime],
        sleep: Callable[[float], object] | None = None,
        interval: float | None = None,
        owner: Owner | None = None,
        admin: str = "",
        state: Callable[[str], StateFolder] | None = None,
        resolution: Resolution | None = None,
        stopped: Callable[[], bool] = lambda: False,
        morning_mail: MorningMail = lambda _: None,
        due: DuePeople | None = None,
        batch: int = BATCH,
    ) -> None:
        self._open_state = state
        self._state: StateFolder | None = None
        self._resolution = resolution or Resolution(store, {})
        self._look_again: dt.datetime | None = None
        self._store, self._setups, self._renderer, self._clock = store, channels, renderer, clock
        self._stop_asked = stopped
        self.owner = owner or Owner.this_process()
        self.decisions = Decisions(store, workspace, frozenset(channels))
        self._daily_work = DailyWork(store, workspace, morning_mail)
        self._alerts = Alerts(store, admin, channels, workspace.language)
        self._guard = RefusalGuard(store, self._alerts)
        self._due, self._batch = due or store.loading.due, batch
        self._pools: dict[Carrier, SenderPool] = {}
        self._progress = threading.Event()
        self._stopping = threading.Event()
        self._sleep = sleep or self._stopping.wait
        self._ticking = threading.Lock()
        self._stumbled = self._stop_logged = self._text_refused = self._stuck = False
        self._heartbeat = Heartbeat(store, self.decisions, self.owner, interval)
        self._cron = interval is None
        self._waiting = WaitingPeople()
        self._full: dict[str, dt.datetime] = {}
        self._waited_for: dict[Carrier, SenderPool] = {}
        self._due_before: list[str] = []

    # -- life -------------------------------------------------------------------------------------

    def start(self) -> Reconciled:
        """Set right what others left open, look at the brake, and get the senders ready.

        Raises ``DiskError`` when the database is damaged.
        """
        now = self._clock()
        if left_out := self._store.database.examine():
            log.warning("not_examined", because=left_out)
        hold, poison = self._look_back(now)
        found = self._heartbeat.begin(now, poison, hold)
        journal, suspects = (self._state.journal, self._state.suspects) if self._state else (None, None)
        self._recorder = Recorder(self._store.outbox, clock=self._clock, journal=journal, heed=self._heed)
        self._pools = {
            name: SenderPool(
                name,
                setup,
                self._recorder,
                clock=self._clock,
                lease=LEASE,
                progress=self._progress,
                suspects=suspects,
                guard=self._guard,
                shared=SharedLimits(self._store, name, setup.profile, cron=self._cron),
                stopped=self._stopped,
            )
            for name, setup in self._setups.items()
        }
        self._dispatch = Dispatch(self._store, self._renderer, self._pools)
        return found

    def _heed(self, judged: JudgedReceipt) -> None:
        self._pools[judged.channel].heed(judged)
        self._text_refused = self._text_refused or judged.receipt.fault == "message"

    def _stopped(self) -> bool:
        return self._stop_asked() or (self._state is not None and self._state.stopped())

    def _look_back(self, now: dt.datetime) -> tuple[str, frozenset[str]]:
        """Why to hold by what the state folder knows, and the messages that have killed an engine too often."""
        if self._open_state is None:
            return "", frozenset()
        database = self._store.engine.database_id()
        state = self._open_state(database)
        hold = look_back(self._store, state, now)
        if self._store.engine.database_id() != database:  # a copy: it has got an id, and so a folder, of its own
            state.close()
            state = self._open_state(self._store.engine.database_id())
        self._state = state
        return hold, state.suspects.poison()

    def stop(self, timeout: float = 25.0) -> bool:
        """Begin nothing more, let open sends finish for ``timeout`` real seconds, give back the rest.

        ``False`` when a send was still open: it stays ``sending`` and is uncertain at the next start.
        """
        self._stopping.set()
        self._progress.set()
        for pool in self._pools.values():
            pool.stop()
        until = time.monotonic() + timeout
        if self._ticking.acquire(timeout=timeout):  # a beat under way may still be claiming
            self._ticking.release()
        done = [pool.join(max(0.0, until - time.monotonic())) for pool in self._pools.values()]
        self._recorder.close()
        now = self._clock()
        self._store.outbox.release(now=now, owner=self.owner.name)
        for pool in self._pools.values():
            pool.write(now)
        self._store.engine.end(self.owner.name, now)
        if self._state:
            self._state.close()
        log.info("engine_stopped", clean=all(done))
        return all(done)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def shut_channels(self) -> dict[str, tuple[dt.datetime, str]]:
        """The channels that rest at present: until when, and why."""
        now = self._clock()
        breakers = {name: pool.breaker for name, pool in self._pools.items()}
        return {name: (b.until, b.because) for name, b in breakers.items() if b.until is not None and b.shut(now)}

    def night(self) -> None:
        at_night(self._store, self.decisions.workspace, self._clock())

    # -- ticks ------------------------------------------------------------------------------------

    def tick(self) -> BeatReport:
        """Beats until no person is due and nothing is under way; short waits that a channel asks for are waited out.

        One tick at a time: a call while another is at work leaves it to that one.
        """
        if not self._ticking.acquire(blocking=False):
            return BeatReport()
        try:
            return self._tick()
        except BaseException:
            self._stumbled = True
            raise
        finally:
            self._ticking.release()

    def _tick(self) -> BeatReport:
        self._pick_up()
        running, looked = self._daily_work.do(self._clock), self._clock()
        total, idle_rounds, before = BeatReport(), 0, self._counts()
        while not self._stopping.is_set():
            if self._clock() - looked >= LOOKS_EVERY:  # a slow channel may take hours, over the morning
                running, looked = self._daily_work.do(self._clock), self._clock()
            settled = self._settled()
            self._refuse_a_failing_disk()
            report = self.beat()
            total += report
            over = bool(report.hold) and settled and not report.service  # alerts that say so pass a hold
            if over or idle_rounds > ROUNDS_WITHOUT_PROGRESS:
                break
            if report.claimed or report.service:
                idle_rounds = 0
                if report.due < self._batch:  # no one else is due by now: let the senders get somewhere first
                    self._wait_for_progress()
            elif report.due:
                idle_rounds += self._stuck  # bookmarks move on; the same people over and over would be a defect
            elif not settled:
                self._wait_for_progress()
            elif not self._waited_out():
                break
        if idle_rounds > ROUNDS_WITHOUT_PROGRESS:
            log.error("tick_without_progress", due=report.due)
        self._refuse_a_failing_disk()
        if not total.hold and any(is_past(record, self._clock()) for record in running):  # a held clock may be wrong
            finish_what_is_over(self._store, self._clock())
        sent, failed, held = (count - earlier for count, earlier in zip(self._counts(), before, strict=True))
        now = self._clock()
        breakers = {name: pool.breaker for name, pool in self._pools.items()}
        refused = tuple(name for name, breaker in breakers.items() if breaker.fault == "us" and breaker.shut(now))
        waits = self._store.refusals.people_waiting()
        return replace(total, sent=sent, failed=failed, held=held, refused=refused, waits_for_a_word=waits)

    def _pick_up(self) -> None:
        # after a tick that failed: what it had claimed and not handed over is given back
        if self._stumbled and self._settled():
            self._store.outbox.release(now=self._clock(), owner=self.owner.name)
            self._stumbled = False

    def _refuse_a_failing_disk(self) -> None:
        # a disk that has failed to keep a mark or a receipt ends the tick; a database that was away does not
        trouble = self._recorder.take_trouble()
        if isinstance(trouble, DiskError):
            raise trouble

    def _counts(self) -> tuple[int, int, int]:
        pools = self._pools.values()
        return sum(pool.sent for pool in pools), sum(pool.failed for pool in pools), sum(pool.held for pool in pools)

    def _settled(self) -> bool:
        return self._idle and self._recorder.flush(0.0)

    @property
    def _idle(self) -> bool:
        return all(pool.idle for pool in self._pools.values())

    def _wait_for_progress(self) -> None:
        # until there is something to do; when nothing is under way, a moment for the last receipts to be kept
        until = time.monotonic() + LOOKS_UP
        self._progress.clear()
        while not (self._idle or self._is_wanted()) and (left := until - time.monotonic()) > 0:
            self._progress.wait(left)
            self._progress.clear()
        if self._idle:
            self._recorder.flush(1.0)

    def _is_wanted(self) -> bool:
        """A channel that people wait for has a place again, or something is to be stopped."""
        if self._stopping.is_set() or self._guard.to_pause():
            return True
        return bool(FreePlaces(self._waited_for, self._waiting, self._clock()).places())

    def _waited_out(self) -> bool:
        """Sleeps until a channel that asked for a short patience is open again, or an uncertain send can be looked for.

        ``False`` if there is nothing to wait for.
        """
        now = self._clock()
        waits = [pool.breaker.patience(now) for pool in self._pools.values()]
        short = [wait for wait in waits if 0 < wait <= SHORT_WAIT.total_seconds()]
        if short and not (self._waiting or self._store.loading.due(now + dt.timedelta(seconds=min(short)), 1)):
            short = []
        look_again = (self._look_again - now).total_seconds() if self._look_again else 0.0
        if 0 < look_again <= SETTLES_SOON:
            short.append(look_again)
        if not short:
            return False
        self._sleep(min(short))
        return True

    def _let_settle(self) -> None:
        """A pause gives back what is claimed: a refusal that is not on record by then would be lost.

        What other campaigns have under way may take longer than that.
        """
        until = time.monotonic() + SETTLES_IN
        for pool in self._pools.values():
            pool.wait(max(0.0, until - time.monotonic()))
        self._recorder.flush(max(1.0, until - time.monotonic()))

    # -- one beat ---------------------------------------------------------------------------------

    def beat(self) -> BeatReport:
        now = self._clock()
        self._share(now)
        self._heartbeat.keep(now, set(self.shut_channels()), self._full, sending=not self._idle, state=self._state)
        if self._stop_is_there():
            return BeatReport(hold=STOPPED)
        if self._guard.to_pause():
            self._let_settle()
            self._guard.act(now)
        hold = self._look_at_holds(now)
        self._prepare_channels(now)
        self._look_again = self._resolution.settle(now)
        free_places = FreePlaces(self._pools, self._waiting, now)
        service = self._serve(free_places, now)
        ids = [] if hold or self._stopping.is_set() else self._next(free_places, now)
        self._stuck, self._due_before = ids == self._due_before, ids
        report = self._claim(ids, free_places, now) if ids else BeatReport()
        self._waited_for = {name: self._pools[name] for name in free_places.full()}
        self._full |= dict.fromkeys(self._waited_for, now)
        return replace(report, service=service, hold=hold)

    def _share(self, now: dt.datetime) -> None:
        rests = self._store.channels.rests() if self._pools else {}
        for pool in self._pools.values():
            pool.share(now, rests, self._heartbeat.place)

    def _stop_is_there(self) -> bool:
        there = self._stopped()
        if there != self._stop_logged:
            log.warning("stop_file" if there else "stop_file_is_gone")
        self._stop_logged = there
        return there

    def _look_at_holds(self, now: dt.datetime) -> str:
        """Why nothing may be sent at all, if so. The admin hears of that, and of channels that are refused."""
        hold = self._store.engine.open_hold()
        if hold:
            self._alerts.held(hold, now)
        if self._text_refused:
            self._text_refused = False
            self._tell_of_refused_texts(now)
        for name, pool in self._pools.items():
            refused = pool.breaker.shut(now) and pool.breaker.fault in ("us", "quota")
            if refused and pool.idle and self._recorder.flush(1.0):  # what was under way counts among those who wait
                provider = self._setups[pool.name].profile().whose
                self._alerts.shut(name, pool.breaker, provider, partial(self._waiting_for, name, now), now)
        return hold.reason if hold else ""

    def _prepare_channels(self, now: dt.datetime) -> None:
        # what a channel needs before it can send, such as its address book; the others go on meanwhile
        for name, setup in self._setups.items():
            breaker = self._pools[name].breaker
            if not breaker.shut(now) and (wait := setup.prepare(now)) > 0:
                breaker.later(wait, now, N_("its list of users is read first"))

    def _tell_of_refused_texts(self, now: dt.datetime) -> None:
        for refusal in self._store.refusals.open():
            record = self._store.campaigns.get(refusal.campaign) if refusal.holds else None
            if record is not None:
                self._alerts.refused(record, refusal, now)

    def _next(self, free_places: FreePlaces, now: dt.datetime) -> list[str]:
        # those who waited for a place that there is now come before those who are due
        waited = free_places.next()
        more = free_places.most() - len(waited)
        due = self._due(now, more) if more > 0 else []
        return list(dict.fromkeys([*waited, *due]))

    def _waiting_for(self, channel: Carrier, now: dt.datetime) -> int:
        until = self._pools[channel].breaker.until or now
        return waiting(self._store, self.decisions, until, now).get(channel, 0)

    def _claim(self, ids: Sequence[str], free_places: FreePlaces, now: dt.datetime) -> BeatReport:
        still = free_places.still_waiting(ids)
        asked = [person for person in ids if person not in still]
        self._waiting.leave(asked)
        campaigns = self.decisions.campaigns(now)
        decided = [
            replace(one, decision=free_places.fit(one.decision, one.facts_seq))
            for one in self.decisions.of(asked, campaigns, now)
        ]
        touches = [touch for one in decided for touch in one.decision.touches]
        lease = Lease(self.owner.name, self._next_fence(now) if touches else 0, now + LEASE)
        claimed = self._store.outbox.claim(
            [*((one.decision, one.facts_seq) for one in decided), *still.values()],
            lease,
            epochs={campaign.id: campaign.epoch for campaign in campaigns.running},
            versions={campaign.id: campaign.version for campaign in campaigns.running},
            now=now,
        )
        self._guard.watch(campaigns, claimed)
        if claimed:
            self._dispatch.touches(claimed, decided, campaigns, lease, now)
        _log_skipped(touches)
        skipped = sum(bool(touch.skip) for touch in touches)
        by_hand = sum(touch.channel == HUMAN and not touch.skip for touch in touches)
        waiting = sum(missed_window(one.decision) for one in decided)
        late = sum(touch.skip == "late" for touch in touches)
        lost = sum(touch.skip == "unreachable" for touch in touches)
        counts = (len(ids), len(claimed), skipped, by_hand, free_places.crowded)
        return BeatReport(*counts, waiting=waiting, late=late, unreachable=lost)

    def _next_fence(self, now: dt.datetime) -> int:
        # announced in the journal first: where that cannot be written, nothing is claimed
        fence = self._store.engine.next_fence()
        if self._state:
            self._state.journal.announce(fence, now)
        return fence

    def _serve(self, free_places: FreePlaces, now: dt.datetime) -> int:
        # service mail has no window, no budget and no ladder
        waiting = [] if self._stopping.is_set() else self._store.service_mail.due(now)
        keys = [record.key for record in waiting if free_places.take(record.channel)]
        if not keys:
            return 0
        lease = Lease(self.owner.name, self._next_fence(now), now + LEASE)
        claimed = self._store.service_mail.claim(keys, lease, now)
        self._dispatch.service(claimed, lease)
        return len(claimed)


def _log_skipped(touches: Sequence[Touch]) -> None:
    reasons: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for touch in touches:
        if touch.skip:
            reasons[touch.campaign][touch.skip] += 1
    for campaign, counts in reasons.items():
        log.info("skipped", campaign=campaign, **counts)
