"""The people of a rehearsal: they read what arrived and answer as supposed, by link, by Slack button and by phone."""

from __future__ import annotations

import datetime as dt
import time
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from html.parser import HTMLParser

from commsengine.cadence.check_questions import answer_id, check_of
from commsengine.cadence.forecast import Fact, Supposition, turn_of
from commsengine.cadence.history import Answer, Deed, OutreachOutcome, Touch
from commsengine.cadence.kinds_and_states import WORD_GIVEN, AnswerKind, ChannelName, HandKind
from commsengine.cadence.plan import Plan
from commsengine.content.slack_card import CHECK
from commsengine.errors import CommsError
from commsengine.reports.followups import FollowUp, followup_id, record_outcome
from commsengine.sandbox.mailbox import Mail
from commsengine.sandbox.sandbox import Sandbox
from commsengine.sandbox.slack_team import Dialog
from commsengine.sandbox.time_lapse import Diary
from commsengine.slack_app.forms import ENTRY
from commsengine.store.campaign_facts.deeds import NewDeed
from commsengine.store.records import TouchRecord
from commsengine.store.store import Store
from commsengine.translation import _

STOOD_IN_FOR: frozenset[ChannelName] = frozenset({"email", "slack"})
"""The channels of a rehearsal: of them the sandbox has the other side."""

PATIENCE = 10.0
"""Real seconds until a form must have opened."""

BY = "rehearsal"

WORDS = "The phone number and the last order, on one screen."
"""What people in a rehearsal write when they are asked for their own words."""

BUTTONS: Mapping[AnswerKind, str] = {"acknowledged": "got_it", "commit": "commit", "kept": "kept"}
"""The button in Slack that gives this answer."""

FORMS: Mapping[AnswerKind, str] = {"input": "answer", "not_kept": "not_kept"}
"""The button that opens the form for it."""

IN_THEIR_NAME = frozenset({"let_go", "line", "hold"})
"""What a manager may do on the page of a briefing, besides answering it."""

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback never goes through a proxy


class PeopleAtPlay:
    """Looks for news after every tick and notes in the diary what each touch is supposed to bring about."""

    def __init__(
        self,
        plan: Plan,
        store: Store,
        sandbox: Sandbox,
        suppose: Supposition,
        diary: Diary,
        now: Callable[[], dt.datetime],
        briefing: Callable[[], Sequence[FollowUp]],
    ) -> None:
        self._plan, self._store, self._sandbox = plan, store, sandbox
        self._suppose, self._diary, self._now, self._briefing = suppose, diary, now, briefing
        self._mails = self._posts = 0
        self._inbox: dict[str, Mail] = {}
        self._outreach: set[str] = set()
        self.done: Counter[str] = Counter()
        self.first_call: FollowUp | None = None

    def look(self, *, calls: bool) -> None:
        # Only where there are calls to make are follow-ups read: it costs a query.
        by_hand = {rung.key for rung in self._store.counts.open_rungs()} - self._outreach if calls else set()
        self._outreach |= by_hand
        news = self._store.touches.rows([*self._new_mail(), *self._new_posts(), *sorted(by_hand)])
        for record in news.values():
            if record.person_id is not None and record.local_date is not None:
                self._consider(record)

    def _new_mail(self) -> list[str]:
        arrived = self._sandbox.mailbox.arrived[self._mails :]
        self._mails += len(arrived)
        self._inbox |= {mail.key: mail for mail in arrived}
        return [mail.key for mail in arrived if mail.key]

    def _new_posts(self) -> list[str]:
        posts = self._sandbox.slack.posts[self._posts :]
        self._posts += len(posts)
        return [post.key for post in posts if post.key]

    def _consider(self, record: TouchRecord) -> None:
        touch = _touch(record)
        for fact in self._suppose(touch):
            self._diary.note(fact.at, partial(self._do, record, fact), who=touch.person, key=turn_of(touch))

    # -- what they do -----------------------------------------------------------------------------

    def _do(self, record: TouchRecord, fact: Fact) -> None:
        if isinstance(fact, OutreachOutcome):
            self._talk(record, fact)
        elif isinstance(fact, Deed):
            new = NewDeed(record.person_id or "", fact.outcome, fact.at)
            self._store.deeds.record(fact.campaign, [new], source="system", by="rehearsal", now=fact.at)
        else:
            self._press(record, fact) if record.channel == "slack" else self._follow_link(record, fact)
            self.done[fact.kind] += 1

    def _follow_link(self, record: TouchRecord, fact: Answer) -> None:
        form = first_form(self._inbox[record.key].links[0], skip=IN_THEIR_NAME)
        _fill(form, self._choice(record, fact))
        send(form)

    def _press(self, record: TouchRecord, fact: Answer) -> None:
        slack, person = self._sandbox.slack, self._store.people.by_id(record.person_id or "")
        email, message = person.email if person else "", self._plan.message(record.message)
        if fact.kind == "check":
            slack.click(email, f"{CHECK}_{answer_id(self._choice(record, fact))}", record.key)
        elif fact.kind in FORMS:
            slack.click(email, FORMS[fact.kind], record.key)
            slack.submit(self._dialog(email), _form_of(message.input.choices if message.input else ()))
        else:
            slack.click(email, BUTTONS[fact.kind], record.key)

    def _choice(self, record: TouchRecord, fact: Answer) -> str:
        if fact.kind in WORD_GIVEN:
            return fact.kind
        check = check_of(self._plan.message(record.message), record.number, record.asks)
        if check is None:
            return ""
        return check.right if fact.right else next(answer for answer in check.answers if answer != check.right)

    def _dialog(self, email: str) -> Dialog:
        # Slack opens the form a moment after the press.
        until = time.monotonic() + PATIENCE
        while not (dialogs := self._sandbox.slack.team.dialogs_of(email)):
            if time.monotonic() > until:
                raise CommsError(_("The form behind a Slack button did not open."), _("See the log above."))
            time.sleep(0.005)
        return dialogs[-1]

    def _talk(self, record: TouchRecord, fact: OutreachOutcome) -> None:
        now, campaign = self._now(), record.campaign
        if not any(rung.key == record.key and rung.open_at(now) for rung in self._store.counts.open_rungs(campaign)):
            return
        kind: HandKind = "sponsor" if record.kind == "sponsor" else "personal"
        number = followup_id(campaign, record.person_id or "", kind)
        if self.first_call is None:
            self.first_call = next((each for each in self._briefing() if each.id == number), None)
        record_outcome(self._store, number, fact.outcome, by=BY, now=now)
        self.done[fact.outcome] += 1


def _touch(record: TouchRecord) -> Touch:
    assert record.local_date is not None, "service mail is no touch"  # noqa: S101 - a defect of ours
    return Touch(
        record.campaign,
        record.message,
        record.person_id or "",
        record.role,
        record.rung or 0,
        record.kind,
        record.channel,
        record.local_date,
        record.due_at,
        record.not_after or record.due_at,
        record.number,
        asks=record.asks,
    )


def _form_of(choices: Sequence[str]) -> dict[str, str]:
    # The first choice; where an order is asked for, that of the plan.
    places = {f"{ENTRY}-{number}": str(number) for number in range(1, len(choices))}
    return {ENTRY: "0", **places} if choices else {ENTRY: WORDS}


def _fill(form: Form, choice: str) -> None:
    for place, name in enumerate(form.orders, 1):
        form.fields[name] = str(place)
    for name, choices in form.choices.items():
        form.fields[name] = choice if choice in choices else choices[0]
    for name in form.texts:
        form.fields[name] = WORDS


@dataclass
class Form:
    """``fields`` are what is sent unless changed; ``choices`` are the values of radio buttons, by name.

    ``orders`` are the names of lists to choose a place from.
    """

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)


def first_form(url: str, skip: Collection[str] = ()) -> Form:
    """The first form of a page that does none of ``skip``. Raises ``ValueError`` if there is none."""
    reader = _Reader(url)
    reader.feed(open_page(url))
    form = next((form for form in reader.forms if form.fields.get("do") not in skip), None)
    if form is None:
        raise ValueError("the page has no form")
    return form


def send(form: Form) -> str:
    """Returns the page that comes back."""
    body = urllib.parse.urlencode(form.fields).encode()
    return open_page(urllib.request.Request(form.action, body))  # noqa: S310 - a loopback page


def open_page(url: str | urllib.request.Request) -> str:
    with _direct.open(url, timeout=30) as answer:
        text: str = answer.read().decode()
    return text


class _Reader(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self._page, self._inside = page, False
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = True
            self.forms.append(Form(urllib.parse.urljoin(self._page, given.get("action", ""))))
        elif self._inside:
            self._entry(tag, given)

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "form"

    def _entry(self, tag: str, given: dict[str, str]) -> None:
        name, form = given.get("name", ""), self.forms[-1]
        if not name:
            return
        if given.get("type") == "radio":
            form.choices.setdefault(name, []).append(given.get("value", ""))
        elif tag == "select":
            form.orders.append(name)
        elif tag == "textarea" or given.get("type") == "text":
            form.texts.append(name)
        elif tag in ("input", "button") and name not in form.fields:
            form.fields[name] = given.get("value", "")
