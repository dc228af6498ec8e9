"""Cards drawn again after an answer: through the press's own ``response_url``, else by a queued ``chat.update``.

1. That a card changes is on record before the answer is, so that a crash between answer and picture leaves none stale.
2. A ``response_url`` takes five calls within thirty minutes and counts in no limit of the workspace. Where it is used
   up, over, or there is none (typed words), the card waits as a row for the worker of ``run``.
3. A card that time alone changes (its *Undo* goes after five minutes) waits as a row, too.
4. The worker keeps within what Slack allows ``chat.update``, waits longer after each failure, and goes on after a
   restart. Every drawing shows what stands on record at that moment.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient

from commsengine.answers.inbox import UnknownTouchError
from commsengine.channels.channel import PERMANENT, DeliveryError
from commsengine.channels.slack import EVENT_TYPE, broken, refused
from commsengine.errors import CommsError, RenderError
from commsengine.slack_app.silence import quiet
from commsengine.store.records import Redraw
from commsengine.store.slack.redraws import Redraws

USES = 4
"""Calls to one ``response_url``; Slack takes five, and one stays for a word to the person."""

PATIENCE = 8
"""Seconds for a call to a ``response_url``: after that the worker has its turn."""

GIVEN_UP = dt.timedelta(seconds=30)
"""So long after it began, a drawing of which nothing was heard counts as ended: its process has died."""

APART = 1.25
"""Seconds between two calls of ``chat.update``: Slack takes 50 a minute."""

LOOK = 5.0
"""Seconds between two looks for cards that other processes have left."""

FIRST_WAIT, LONGEST_WAIT = 2.0, 3600.0  # seconds, before a card that could not be drawn is tried again

Picture = tuple[str, Sequence[Mapping[str, Any]]]
"""Notification text and blocks."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class CardPlace:
    """A touch's card in a conversation, the ``ts`` of the thread it stands in, and where a press on it is answered."""

    key: str
    conversation: str
    ts: str
    response_url: str = ""
    below: str = ""

    @property
    def remote_id(self) -> str:
        return f"{self.conversation}:{self.ts}" if self.ts else ""

    @property
    def thread(self) -> str:
        """The ``remote_id`` of the message below which what is asked here is answered."""
        return f"{self.conversation}:{self.below or self.ts}" if self.ts else ""

    def packed(self) -> dict[str, str]:
        return asdict(self)


class Redrawing:
    """``picture`` draws the touch of a key as it stands now; it raises ``UnknownTouchError`` where there is none.
    ``true_until`` says until when that holds, ``None`` where time alone does not change it.

    Safe to share between threads. Between ``connect`` and ``close`` the worker is at work; ``seconds`` measures its
    pace, which no jump of the clock may change.
    """

    def __init__(
        self,
        queue: Redraws,
        picture: Callable[[str], Picture],
        client: WebClient,
        clock: Callable[[], dt.datetime],
        seconds: Callable[[], float] = time.monotonic,
        true_until: Callable[[str], dt.datetime | None] = lambda _key: None,
    ) -> None:
        self._queue, self._picture, self._client, self._clock = queue, picture, client, clock
        self._seconds, self._free_at = seconds, 0.0
        self._true_until = true_until
        self._wake, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="slack-redraw", daemon=True)

    # -- after an answer --------------------------------------------------------------------------

    def expect(self, place: CardPlace) -> None:
        """Before the answer is recorded."""
        self._queue.want(place.remote_id, place.key, self._clock() + GIVEN_UP)

    def draw(self, place: CardPlace) -> None:
        """After it is. Who draws this card already draws it once more."""
        now = self._clock()
        version = self._queue.begin(place.remote_id, place.key, until=now + GIVEN_UP, now=now)
        uses = USES if place.response_url else 0
        try:
            while version and uses and self._by_url(place):
                version, uses = self._done(place.remote_id, place.key, version), uses - 1
        finally:
            if version:
                self._queue.put_off(place.remote_id, self._clock(), failed=False)
                self._wake.set()

    def _done(self, remote_id: str, key: str, version: int) -> int:
        return self._queue.done(remote_id, version, self._true_until(key))

    def _by_url(self, place: CardPlace) -> bool:
        client = WebhookClient(place.response_url, timeout=PATIENCE, retry_handlers=[], logger=quiet)
        card = self._card(place.key)
        try:
            status = client.send(replace_original=True, **card).status_code
        except Exception as error:  # the SDK has no closed list of what it raises
            log.warning("slack_redraw_by_url_failed", cause=type(error).__name__)
            return False
        if status != 200:
            log.info("slack_redraw_by_url_refused", status=status)
        return status == 200

    def _card(self, key: str) -> dict[str, Any]:
        # With its metadata, by which the Slack history knows a card.
        text, blocks = self._picture(key)
        metadata = {"event_type": EVENT_TYPE, "event_payload": {"key": key}}
        return {"text": text, "blocks": [dict(block) for block in blocks], "metadata": metadata}

    # -- the worker -------------------------------------------------------------------------------

    def connect(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(PATIENCE)

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                wait = self.step()
            except CommsError as trouble:  # the database is away
                log.warning("slack_redraw_failed", cause=trouble.message)
                wait = LOOK
            self._wake.wait(wait)
            self._wake.clear()

    def step(self) -> float:
        """Draws the card that has waited longest; returns the seconds until another can be drawn."""
        if (early := self._free_at - self._seconds()) > 0:
            return min(early, LOOK)
        now = self._clock()
        card = self._queue.take(until=now + GIVEN_UP, now=now)
        if card is None:
            return LOOK
        self._free_at = self._seconds() + APART
        error = self._update(card)
        if error is None:
            if self._done(card.remote_id, card.key, card.version):
                self._queue.put_off(card.remote_id, self._clock(), failed=False)
        else:
            self._fail(card, error)
        return APART

    def _update(self, card: Redraw) -> DeliveryError | None:
        channel, _, ts = card.remote_id.partition(":")
        try:
            self._client.chat_update(channel=channel, ts=ts, **self._card(card.key))
        except (UnknownTouchError, RenderError) as gone:  # the person was erased, or a column that the card needs
            return DeliveryError(PERMANENT, "render", gone.message)
        except SlackApiError as failure:
            return refused(failure, marked=False)
        except Exception as failure:  # as above
            return broken(failure, marked=False)
        return None

    def _fail(self, card: Redraw, error: DeliveryError) -> None:
        log.warning("slack_redraw_failed", cause=error.reply, key=card.key)
        if error.verdict == PERMANENT or error.fault in ("person", "message"):  # gone, or Slack will never take it
            self._queue.drop(card.remote_id)
        elif error.retry_after is not None:
            self._free_at = self._seconds() + error.retry_after
            self._queue.put_off(card.remote_id, self._clock(), failed=False)
        else:
            wait = min(FIRST_WAIT * 2 ** min(card.tries, 20), LONGEST_WAIT)
            self._queue.put_off(card.remote_id, self._clock() + dt.timedelta(seconds=wait))
