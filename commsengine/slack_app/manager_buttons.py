"""What managers press on their list and their briefings: only they, only for their own people, and each call once."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

from slack_bolt import Ack, App, Respond
from slack_sdk import WebClient

from commsengine.answers.inbox import AnswerInbox, UnknownTouchError
from commsengine.cadence.kinds_and_states import OUTCOME_WORDS, UNCLEAR_WORDS
from commsengine.cadence.people import ANYBODY, Person
from commsengine.content.manager_card import HOLD, LINE, MORE, OUTCOME, calls_on, with_closed
from commsengine.content.phrases import day_text, headed
from commsengine.errors import CommsError, InputError
from commsengine.reports.manager_desk import LONGEST_LINE, LONGEST_NOTE, NOT_THEIRS, InTheirName, ManagerDesk
from commsengine.slack_app.accounts import Accounts, quietly, whisper
from commsengine.translation import N_, _, in_language

Body = Mapping[str, Any]
Block = dict[str, Any]
Later = Callable[[Callable[[], None]], None]

NOT_SURE = N_("We could not check with Slack who you are, so nothing was recorded. Please press again in a minute.")


class ManagerButtons:
    """``later`` does what no answer to Slack depends on."""

    def __init__(
        self,
        desk: ManagerDesk,
        inbox: AnswerInbox,
        accounts: Accounts,
        client: WebClient,
        clock: Callable[[], dt.datetime],
        later: Later,
    ) -> None:
        self._desk, self._inbox, self._accounts, self._client = desk, inbox, accounts, client
        self._clock, self._later = clock, later

    def listen(self, bolt: App) -> None:
        bolt.action(re.compile(f"^{OUTCOME}_"))(self._pressed)
        bolt.action(MORE)(self._asked_for_more)
        bolt.view(OUTCOME)(self._submitted)
        for name, view in ((HOLD, _hold_form), (LINE, _line_form)):
            bolt.action(name)(self._opening(view))
        bolt.view(HOLD)(self._submitting(self._held))
        bolt.view(LINE)(self._submitting(self._added))

    # -- how a call went --------------------------------------------------------------------------

    def _pressed(self, ack: Ack, body: Body, respond: Respond) -> None:
        with self._speaking(body):
            self._take(ack, body, respond)

    def _take(self, ack: Ack, body: Body, respond: Respond) -> None:
        action = body["actions"][0]
        outcome = str(action["action_id"]).removeprefix(f"{OUTCOME}_")
        said = self._record(body, str(action.get("value", "")), outcome, "", "")
        ack()  # after the commit: had it failed, Slack would say so
        if isinstance(said, str):
            self._later(partial(whisper, respond, said))
        else:
            self._later(partial(self._draw, said, _place(body), body["message"]["blocks"]))

    def _asked_for_more(self, ack: Ack, body: Body) -> None:
        ack()
        call, blocks = str(body["actions"][0].get("value", "")), body["message"]["blocks"]
        with self._speaking(body):
            view = _outcome_form()
        view["private_metadata"] = json.dumps([call, *_place(body), calls_on(blocks)])
        quietly(self._client, "views_open", trigger_id=body["trigger_id"], view=view)

    def _submitted(self, ack: Ack, body: Body) -> None:
        call, channel, ts, _calls = json.loads(body["view"]["private_metadata"])
        outcome, unclear, note = (_filled(body, name) for name in ("outcome", "unclear", "note"))
        with self._speaking(body):
            said = self._record(body, call, outcome, unclear, note)
        if isinstance(said, str):
            ack(response_action="errors", errors={"outcome": said})
            return
        ack()
        self._later(partial(self._draw_again, said, (channel, ts)))

    def _record(self, body: Body, call: str, came_of_it: str, unclear: str, note: str) -> Person | str:
        """The manager; or what they are to read instead."""
        manager = self._who(body)
        if isinstance(manager, str):
            return manager
        try:
            self._desk.record(manager, call, came_of_it, unclear=unclear, note=note, now=self._clock())
        except InputError as error:
            return error.message
        return manager

    def _who(self, body: Body) -> Person | str:
        try:
            found = self._accounts.person(str(body["user"]["id"]))
        except CommsError:
            return self._unknown(NOT_SURE)
        return found if found is not None and found.left is None else self._unknown(NOT_THEIRS)

    def _unknown(self, text: str) -> str:
        with in_language(self._inbox.language_of_pages(ANYBODY)):
            return _(text)

    def _speaking(self, body: Body) -> AbstractContextManager[None]:
        who = self._who(body)
        return in_language(self._inbox.language_of_pages(who if isinstance(who, Person) else ANYBODY))

    def _draw_again(self, manager: Person, place: tuple[str, str]) -> None:
        # a form does not bring the card along
        found = quietly(
            self._client, "conversations_history", channel=place[0], latest=place[1], inclusive=True, limit=1
        )
        messages = found["messages"] if found else []
        if messages and messages[0].get("ts") == place[1]:
            self._draw(manager, place, messages[0].get("blocks", ()))

    def _draw(self, manager: Person, place: tuple[str, str], blocks: Sequence[Mapping[str, Any]]) -> None:
        with in_language(self._inbox.language_of_pages(manager)):
            self._draw_closed(manager, place, blocks)

    def _draw_closed(self, manager: Person, place: tuple[str, str], blocks: Sequence[Mapping[str, Any]]) -> None:
        closed = {call: said for call in calls_on(blocks) if (said := self._told(manager, call))}
        text = _("Recorded. Thank you for taking the time.")
        quietly(
            self._client, "chat_update", channel=place[0], ts=place[1], text=text, blocks=with_closed(blocks, closed)
        )

    def _told(self, manager: Person, call: str) -> str:
        if any(one.id == call for one in self._desk.calls(manager, self._clock())):
            return ""
        last = self._desk.closed(manager, call)
        if last is None:
            return ""
        note = f" – {last.note}" if last.note else ""
        return f"{headed(last.name or last.person, _(OUTCOME_WORDS[last.outcome]))}{note}"[:2900]

    # -- what goes out in their name --------------------------------------------------------------

    def _opening(self, view: Callable[[InTheirName], Block]) -> Callable[..., None]:
        def handle(ack: Ack, body: Body, respond: Respond) -> None:
            ack()
            try:
                with self._speaking(body):
                    one = self._named(body, str(body["actions"][0].get("value", "")))
                    form = view(one)
            except InputError as error:
                whisper(respond, error.message)
                return
            form["private_metadata"] = json.dumps([one.campaign, one.message])
            quietly(self._client, "views_open", trigger_id=body["trigger_id"], view=form)

        return handle

    def _named(self, body: Body, key: str) -> InTheirName:
        manager, now = self._who(body), self._clock()
        if isinstance(manager, str):
            raise InputError(manager)
        try:
            touch = self._inbox.card(key, now).touch
        except UnknownTouchError as error:
            raise InputError(error.message) from None
        return self._desk.one(manager, touch.campaign, touch.message, now)

    def _submitting(self, act: Callable[[Person, list[str], Body], str]) -> Callable[..., None]:
        def handle(ack: Ack, body: Body) -> None:
            manager, about = self._who(body), json.loads(body["view"]["private_metadata"])
            try:
                with self._speaking(body):
                    told = _told_form(manager if isinstance(manager, str) else act(manager, about, body))
            except InputError as error:
                ack(response_action="errors", errors={"entry": error.message})
                return
            ack(response_action="update", view=told)

        return handle

    def _held(self, manager: Person, about: list[str], body: Body) -> str:
        chosen = _filled(body, "entry")
        if not chosen:
            self._desk.let_go(manager, about[0], about[1], self._clock())
            return _("It is sent from now on.")
        until = self._desk.hold(manager, about[0], about[1], chosen, self._clock()).held_until
        return _("Held. It is sent on {day}.", day=day_text(until) if until else "")

    def _added(self, manager: Person, about: list[str], body: Body) -> str:
        text = _filled(body, "entry")
        kept = self._desk.add_line(manager, about[0], about[1], text, self._clock()).line
        gone = N_("Your line is removed from messages sent from now on.")
        return _(N_("Your line is in the messages sent from now on.") if kept else gone)


def _place(body: Body) -> tuple[str, str]:
    return str(body["channel"]["id"]), str(body["message"]["ts"])


def _filled(body: Body, name: str) -> str:
    given = body["view"]["state"]["values"].get(name, {}).get(name, {})
    option = given.get("selected_option") or {}
    return str(option.get("value") or given.get("selected_date") or given.get("value") or "")


# -- the forms ------------------------------------------------------------------------------------


def _outcome_form() -> Block:
    outcomes = [_option(_(words), name) for name, words in OUTCOME_WORDS.items()]
    unclear = [_option(_(words), name) for name, words in UNCLEAR_WORDS.items()]
    note = {"type": "plain_text_input", "action_id": "note", "multiline": True, "max_length": LONGEST_NOTE}
    readers = _("The people who lead the campaign read it with your name; the person gets it if they ask for it.")
    return _form(
        OUTCOME,
        _("How did it go?"),
        _("Record it"),
        [
            _entry(
                "outcome", _("How did it go?"), {"type": "radio_buttons", "action_id": "outcome", "options": outcomes}
            ),
            _entry(
                "unclear",
                _("What was unclear?"),
                {"type": "static_select", "action_id": "unclear", "options": unclear},
                optional=True,
            ),
            _entry("note", _("Note"), note, optional=True, hint=readers),
        ],
    )


def _hold_form(one: InTheirName) -> Block:
    picker: Block = {"type": "datepicker", "action_id": "entry"}
    if one.held_until:
        picker["initial_date"] = one.held_until.isoformat()
    most = one.hold_to
    hint = _("At most five working days. The people who lead the campaign see this and can send it earlier.")
    if most is not None:
        hint = _("Until {day} at most. {hint}", day=day_text(most), hint=hint)
    if one.held_until:
        hint = _("{hint} Leave it empty to send it now.", hint=hint)
    entry = _entry("entry", _("Send it on"), picker, optional=bool(one.held_until), hint=hint)
    return _form(HOLD, _("Hold it for some days"), _("Hold it"), [entry])


def _line_form(one: InTheirName) -> Block:
    field: Block = {"type": "plain_text_input", "action_id": "entry", "multiline": True, "max_length": LONGEST_LINE}
    if one.line:
        field["initial_value"] = one.line
    hint = _("Leave it empty to remove your line. The people who lead the campaign see it, too.")
    entry = _entry("entry", _("Your line, below the message and with your name"), field, optional=True, hint=hint)
    return _form(LINE, _("Add a line of your own"), _("Save"), [entry])


def _told_form(said: str) -> Block:
    text = {"type": "section", "text": {"type": "plain_text", "text": said, "emoji": False}}
    return {"type": "modal", "title": _text(_("Recorded"), 24), "close": _text(_("Close"), 24), "blocks": [text]}


def _form(name: str, title: str, send: str, blocks: Sequence[Block]) -> Block:
    head = {"type": "modal", "callback_id": name, "title": _text(title, 24), "submit": _text(send, 24)}
    return {**head, "close": _text(_("Cancel"), 24), "blocks": list(blocks)}


def _entry(name: str, label: str, field: Block, *, optional: bool = False, hint: str = "") -> Block:
    entry = {"type": "input", "block_id": name, "label": _text(label, 2000), "element": field, "optional": optional}
    return {**entry, "hint": _text(hint, 2000)} if hint else entry


def _option(text: str, value: str) -> Block:
    return {"text": _text(text, 75), "value": value}


def _text(text: str, limit: int) -> Block:
    return {"type": "plain_text", "text": text if len(text) <= limit else text[: limit - 1] + "…", "emoji": False}
