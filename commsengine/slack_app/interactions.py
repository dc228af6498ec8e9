"""The Slack app: buttons and small forms on a touch's card, typed words, the Home tab; over signed HTTP or Socket Mode.

1. The press must be signed (HTTP) or come through our own socket, and its author must be the touch's recipient.
2. What was said is committed; only then is Slack answered, and only then is the card redrawn in place. If the commit
   fails, Slack shows the person that the press failed, and the card still has its buttons.
3. Slack delivers some things twice, late, or after newer ones: each press is kept with its answer, and one that is on
   record, or older than what is, changes nothing.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import structlog
from slack_bolt import Ack, App, BoltRequest, BoltResponse, Respond
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient
from slack_sdk.signature import Clock as SlackClock
from slack_sdk.signature import SignatureVerifier

from commsengine.answers.inbox import AnswerInbox, Evidence, UnknownTouchError
from commsengine.answers.review_copies import NOTE, InMemory, ReviewCopies
from commsengine.answers.touch_view import Card
from commsengine.answers.typed_words import TypedWords
from commsengine.cadence.people import ANYBODY
from commsengine.content.slack_card import CHECK
from commsengine.errors import InputError
from commsengine.reports.manager_desk import ManagerDesk
from commsengine.slack_app.accounts import Accounts, quietly, whisper
from commsengine.slack_app.conversation import Conversation
from commsengine.slack_app.copy_presses import CopyPresses, say_below
from commsengine.slack_app.forms import ENTRY, answer_form, entered, not_yet_form, question_form
from commsengine.slack_app.home import HomeTab
from commsengine.slack_app.manager_buttons import ManagerButtons
from commsengine.slack_app.redrawing import CardPlace, Picture, Redrawing
from commsengine.slack_app.silence import quiet
from commsengine.slack_app.socket import PING, Socket
from commsengine.store.store import Store
from commsengine.translation import N_, _, in_language

Body = Mapping[str, Any]
Act = Callable[[Card, Evidence, str], str | None]
"""What a press does, given its card, its evidence and the thread for an answer; returns what the person is to read."""

NOT_YOURS = N_("This message is for somebody else, so nothing was recorded. You get your own message directly.")
NOT_SURE = N_(
    "We could not check with Slack whether this message is yours, so nothing was recorded. "
    "Please press again in a minute, or open the message on its page."
)
GONE = N_("We no longer have this message. Please open your newest message.")
LATE = N_("You cannot undo this any more. If something is wrong, ask a question.")

TIMEOUT = 10
"""Seconds for a call that no answer depends on."""

AT_ONCE = 16
"""Presses that are recorded at a time, and as many calls back to Slack: where these hang, presses go on."""

log = structlog.get_logger(__name__)


class SlackApp:
    """Answers Slack on behalf of the inbox. ``signed_at`` judges the age of signatures, where it is not ``clock``.

    ``cards`` draws answered cards again; its worker must run beside the app. ``copies`` are cards for review.
    """

    def __init__(
        self,
        inbox: AnswerInbox,
        store: Store,
        desk: ManagerDesk,
        *,
        token: str,
        clock: Callable[[], dt.datetime],
        signing_secret: str = "",
        api_url: str = "https://slack.com/api/",
        signed_at: Callable[[], dt.datetime] | None = None,
        copies: ReviewCopies | None = None,
    ) -> None:
        self._inbox, self._clock = inbox, clock
        self._verifier = SignatureVerifier(signing_secret, _Clock(signed_at or clock)) if signing_secret else None
        # One attempt per call; what must be repeated waits as a row.
        self._client = WebClient(token, base_url=api_url, timeout=TIMEOUT, retry_handlers=[], logger=quiet)
        self._accounts = Accounts(store.people, store.slack_ids, self._client)
        self.cards = Redrawing(store.redraws, self._picture, self._client, clock, true_until=self._true_until)
        parts = (inbox, self._accounts, self.cards, self._client, clock)
        self._conversation = Conversation(TypedWords(store, inbox), *parts)
        self._home = HomeTab(inbox, self._accounts, self._client, clock)
        self._replies = ThreadPoolExecutor(AT_ONCE, "slack-reply")
        self.bolt = App(
            client=self._client,
            logger=quiet,
            listener_executor=ThreadPoolExecutor(AT_ONCE, "slack-press"),
            authorize=lambda enterprise_id, team_id: AuthorizeResult(
                enterprise_id=enterprise_id, team_id=team_id, bot_token=token
            ),
            request_verification_enabled=False,  # verified in http(), where a bad timestamp is answered too
        )
        self._copies = CopyPresses(copies, partial(_over, token, api_url, clock)) if copies is not None else None
        managers = ManagerButtons(desk, inbox, self._accounts, self._client, clock, self._later)
        managers.listen(self.bolt)
        self._listen()

    def _listen(self) -> None:
        if self._copies is not None:
            self.bolt.use(self._copies.take)
        self.bolt.use(self._event)
        for name in ("got_it", "commit", "kept", "snooze", "heard_enough", "explain", "undo"):
            self.bolt.action(name)(self._pressed(partial(self._do, name)))
        self.bolt.action(re.compile(f"^{CHECK}_"))(self._chosen)
        for name in ("question", "answer", "not_kept"):
            self.bolt.action(name)(self._opened(name))
            self.bolt.view(name)(self._submitted(name))
        self.bolt.error(_failed)
        self.bolt.action(re.compile(".*"))(_only_acknowledge)  # a link was followed: Slack tells us all the same

    # -- the two ways in --------------------------------------------------------------------------

    def http(self, body: bytes, headers: Mapping[str, str]) -> BoltResponse:
        """401 for a request that is forged, altered, or older than five minutes."""
        try:
            text = body.decode()
            valid = self._verifier is not None and self._verifier.is_valid_request(text, dict(headers))
        except (ValueError, TypeError, OverflowError):  # what is no text, no number or no ASCII trips the verifier
            valid = False
        if not valid:
            log.warning("slack_request_refused")
            return BoltResponse(status=401, body="")
        return self.bolt.dispatch(BoltRequest(body=text, headers=dict(headers)))

    def socket_mode(self, app_token: str, ping: float = PING) -> Socket:
        return Socket(self.bolt, app_token, ping=ping)

    # -- what people type, and their Home tab -----------------------------------------------------

    def _event(self, body: dict[str, Any], next: Callable[[], BoltResponse]) -> BoltResponse:
        # Bolt itself would answer 200 before anything is recorded.
        if body.get("type") != "event_callback":
            return next()
        event = body.get("event") or {}
        if event.get("type") == "app_home_opened" and event.get("tab") == "home":
            self._later(partial(self._home.show, str(event["user"])))
        elif self._copies is not None and self._copies.below(event):
            self._later(partial(say_below, self._client, event, _(NOTE)))
        elif (later := self._conversation.take(event, str(body.get("event_id", "")))) is not None:
            self._later(later)
        return BoltResponse(status=200, body="")

    def _later(self, work: Callable[[], None]) -> None:
        def surviving() -> None:
            try:
                work()
            except Exception as error:  # nothing waits for it: what matters is recorded
                log.error("slack_answer_failed", kind=type(error).__name__)

        self._replies.submit(surviving)

    # -- presses and forms ------------------------------------------------------------------------

    def _pressed(self, act: Act) -> Callable[..., None]:
        """``act`` returns what only the person who pressed is to read, if anything."""

        def handle(ack: Ack, body: dict[str, Any], respond: Respond) -> None:
            place, user = _place(body), body["user"]["id"]
            evidence = _evidence(body, _pressed_at(body))
            card = self._theirs(place, user)
            try:
                with self._speaking(card):
                    said = card if isinstance(card, str) else self._unless_known(card, place, evidence, act)
            except InputError as error:
                said = error.message
            ack()  # after the commit: had it failed, Slack would say so
            if isinstance(card, Card) and said is None:
                self._later(partial(self._shown, card, place, respond))
            else:
                self._later(partial(whisper, respond, said))

        return handle

    def _chosen(self, ack: Ack, body: dict[str, Any], respond: Respond) -> None:
        # The button's own name says which answer it is.
        name = body["actions"][0]["action_id"].removeprefix(f"{CHECK}_")
        self._pressed(lambda card, evidence, _place: self._check(card, name, evidence))(ack, body, respond)

    def _opened(self, name: str) -> Callable[..., None]:
        def handle(ack: Ack, body: dict[str, Any], respond: Respond) -> None:
            ack()
            place = _place(body)
            card = self._theirs(place, body["user"]["id"])
            if isinstance(card, str):
                whisper(respond, card)
                return
            with self._speaking(card):
                self._open(name, card, place, body["trigger_id"])

        return handle

    def _open(self, name: str, card: Card, place: CardPlace, trigger: str) -> None:
        if name == "answer" and card.ask == "check":  # a card of before checks had their answers on it
            self.cards.draw(place)
            return
        plain = {"question": question_form, "not_kept": not_yet_form}
        view = plain[name]() if name in plain else answer_form(card, self._inbox.text(card))
        view["private_metadata"] = json.dumps(place.packed())
        quietly(self._client, "views_open", trigger_id=trigger, view=view)

    def _submitted(self, name: str) -> Callable[..., None]:
        def handle(ack: Ack, body: dict[str, Any]) -> None:
            place = CardPlace(**json.loads(body["view"]["private_metadata"]))
            filled = body["view"]["state"]["values"]
            user, evidence = body["user"]["id"], _evidence(body, body.get("trigger_id", ""))

            def record(card: Card, evidence: Evidence, thread: str) -> None:
                self._take(name, card, entered(filled, card), evidence, thread)

            card = self._theirs(place, user)
            try:
                with self._speaking(card):
                    said = card if isinstance(card, str) else self._unless_known(card, place, evidence, record)
            except InputError as error:
                said = error.message
            if said is not None:
                ack(response_action="errors", errors={ENTRY: said})
                return
            ack()
            if isinstance(card, Card):
                self._later(partial(self._shown, card, place))

        return handle

    def _theirs(self, place: CardPlace, user: str) -> Card | str:
        """The card, if this user is the touch's recipient; else what is said to them."""
        try:
            card = self._inbox.card(place.key, self._clock())
        except UnknownTouchError:
            with in_language(self._inbox.language_of_pages(ANYBODY)):
                return _(GONE)
        with self._speaking(card):
            return self._unless_anothers(card, user)

    def _speaking(self, card: Card | str) -> AbstractContextManager[None]:
        return in_language(self._inbox.spoken(card)) if isinstance(card, Card) else nullcontext()

    def _unless_anothers(self, card: Card, user: str) -> Card | str:
        theirs = self._accounts.known_as(card.person)
        if user not in theirs:
            theirs = self._accounts.asked(card.person)
        if not theirs:
            return _(NOT_SURE)
        if user not in theirs:
            log.warning("slack_press_of_another", campaign=card.plan.campaign, message=card.message.id, key=card.key)
            return _(NOT_YOURS)
        return card

    def _unless_known(self, card: Card, place: CardPlace, evidence: Evidence, act: Act) -> str | None:
        if (own := _own(card, place)) is not None:
            self.cards.expect(own)
        known = self._inbox.overtaken(card, evidence.detail["press"])
        return None if known else act(card, evidence, place.thread)

    def _shown(self, card: Card, place: CardPlace, respond: Respond | None = None) -> None:
        own = _own(card, place)
        if own is not None:
            self.cards.draw(own)
        if own is not place and respond is not None:
            with self._speaking(card):
                whisper(respond, _("Recorded."))

    def _picture(self, key: str) -> Picture:
        return self._inbox.drawn(self._inbox.card(key, self._clock()), "slack")

    def _true_until(self, key: str) -> dt.datetime | None:
        try:
            return self._inbox.card(key, self._clock()).undo_ends
        except UnknownTouchError:  # erased since: the next drawing finds out
            return None

    # -- what each of them records ----------------------------------------------------------------

    def _do(self, name: str, card: Card, evidence: Evidence, thread: str) -> str | None:
        try:
            return self._done(name, card, evidence, thread)
        except InputError as error:  # a card of before this message asked for that
            return error.message

    def _done(self, name: str, card: Card, evidence: Evidence, thread: str) -> str | None:
        match name:
            case "got_it":
                self._inbox.got_it(card, evidence)
            case "commit":
                self._inbox.commit(card, "", evidence)
            case "kept":
                self._inbox.keep(card, "", evidence, kept=True)
            case "snooze":
                self._inbox.snooze(card)
            case "heard_enough":
                self._inbox.heard_enough(card, evidence)
            case "explain":
                self._inbox.explain(card, evidence, thread)
            case "undo" if card.latest is not None:  # else it was taken back on the page meanwhile
                return None if self._inbox.undo(card, evidence.detail["press"]) else _(LATE)
        return None

    def _check(self, card: Card, name: str, evidence: Evidence) -> str | None:
        # The first answer counts; a later one changes nothing, and the card says what stands since when.
        self._inbox.answer_named(card, name, evidence)
        return None

    def _take(self, form: str, card: Card, text: str, evidence: Evidence, thread: str) -> None:
        if form == "question":
            self._inbox.ask(card, text, evidence, thread)
        elif form == "not_kept":
            self._inbox.keep(card, text, evidence, kept=False)
        elif card.ask == "input":
            self._inbox.give_input(card, text, evidence)
        else:
            self._inbox.commit(card, text, evidence)


def _over(token: str, api_url: str, clock: Callable[[], dt.datetime], parts: InMemory) -> App:
    """Takes the presses on a review copy."""
    desk = ManagerDesk(parts.store, parts.renderer)
    return SlackApp(parts.inbox, parts.store, desk, token=token, clock=clock, api_url=api_url).bolt


class _Clock(SlackClock):
    """Our clock in the shape that Slack's verifier asks for."""

    def __init__(self, clock: Callable[[], dt.datetime]) -> None:
        self._clock = clock

    def now(self) -> float:
        return self._clock().timestamp()


def _only_acknowledge(ack: Ack) -> None:
    ack()


def _own(card: Card, place: CardPlace) -> CardPlace | None:
    """The card of the touch itself, which is drawn again: a press may also come from that of an answer, which stays."""
    if card.carried_as != "card":
        return None
    channel, _colon, ts = card.touch.remote_id.partition(":")
    return CardPlace(card.key, channel, ts) if ts and place.remote_id != card.touch.remote_id else place


def _failed(error: Exception) -> BoltResponse:
    # Not answered with 200: Slack shows the person that it did not work.
    log.error("slack_press_failed", kind=type(error).__name__)
    return BoltResponse(status=500, body="")


def _place(body: Body) -> CardPlace:
    container = body.get("container", {})
    ts = body.get("message", {}).get("ts") or container.get("message_ts", "")
    channel = body.get("channel", {}).get("id") or container.get("channel_id", "")
    below = str(body.get("message", {}).get("thread_ts") or "")
    return CardPlace(body["actions"][0].get("value", ""), channel, ts, str(body.get("response_url") or ""), below)


def _pressed_at(body: Body) -> str:
    # By Slack's clock: the same however often Slack delivers the press.
    return str(body["actions"][0].get("action_ts", ""))


def _evidence(body: Body, press: str) -> Evidence:
    team = (body.get("team") or {}).get("id", "")
    return Evidence("slack", {"user": body["user"]["id"], "team": team, "press": press})
