"""Messages to look at before they are sent, with pages and buttons that work and record nothing.

A review copy is answered by the same parts as a real message, over a database in memory that has one person, one
campaign and what was sent to them. It is filled when the copy is first opened, and thrown away.
"""

from __future__ import annotations

import datetime as dt
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from commsengine.answers.fresh_links import FreshLinks
from commsengine.answers.inbox import AnswerInbox
from commsengine.answers.own_mail import OwnMail
from commsengine.answers.touch_text import Blocks
from commsengine.answers.touch_view import Card
from commsengine.cadence.history import Decision, Touch
from commsengine.cadence.kinds_and_states import CHANNELS, ChannelName
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Plan, Workspace
from commsengine.content.message import RenderedMessage
from commsengine.content.render import Renderer, RendererFor
from commsengine.engine.directory import SignerLookup
from commsengine.links import Links
from commsengine.store.records import Lease, ReviewCopy
from commsengine.store.store import Store
from commsengine.translation import N_, _, in_language

OPEN = dt.timedelta(days=30)
"""So long a review copy can be opened."""

MOST_OPEN = 20
"""Copies that are kept in memory at a time."""

NOTE = N_("Review copy: nothing you press is recorded.")

_BY = "review"


@dataclass(frozen=True, eq=False, slots=True, weakref_slot=True)
class InMemory:
    """The parts that answer people, over a database in memory. ``rules`` are those of the workspace."""

    store: Store
    inbox: AnswerInbox
    links: Links
    fresh_links: FreshLinks
    renderer: RendererFor
    rules: Workspace

    def message(self, touch: Touch, person: Person, plan: Plan, templates: Mapping[str, str]) -> RenderedMessage:
        """Raises ``RenderError``."""
        signers = SignerLookup(self.store).of(person, plan, touch.due_at.date())
        return self.renderer(plan, templates).touch(touch, person, signers)


class ReviewInbox(AnswerInbox):
    """Says on each card that it is a copy; the log hears of no answer."""

    def _note(self, event: str, **about: str) -> None: ...

    def drawn(self, card: Card, channel: ChannelName) -> tuple[str, Blocks]:
        text, blocks = super().drawn(card, channel)
        with in_language(self.spoken(card)):
            return text, noted(blocks)


def noted(blocks: Blocks) -> Blocks:
    return [{"type": "context", "elements": [{"type": "plain_text", "text": _(NOTE)}]}, *blocks]


def in_memory(
    plan: Plan,
    templates: Mapping[str, str],
    people: Sequence[Person],
    touches: Iterable[Touch],
    links: Links,
    rules: Workspace,
    now: dt.datetime,
) -> InMemory:
    """The campaign runs since ``now``, and the first of ``people`` has got these touches."""
    store = Store.in_memory()
    _put_on_record(store, plan, templates, people, tuple(touches), now)

    def renderer(plan: Plan, templates: Mapping[str, str]) -> Renderer:
        return Renderer(plan, templates, links, rules)

    fresh_links = FreshLinks(store, links.base_url, OwnMail(store, renderer, tuple(CHANNELS)))
    return InMemory(store, ReviewInbox(store, renderer, recall=rules.recall), links, fresh_links, renderer, rules)


def _put_on_record(
    store: Store,
    plan: Plan,
    templates: Mapping[str, str],
    people: Sequence[Person],
    touches: Sequence[Touch],
    now: dt.datetime,
) -> None:
    person, known = people[0], {each.email.lower(): each for each in reversed(people)}
    store.people.save(list(known.values()), by=_BY, now=now)
    store.campaigns.save_version(plan, templates, "", introduced={}, by=_BY, now=now)
    store.campaigns.start(plan.campaign, by=_BY, now=now)
    record = store.campaigns.get(plan.campaign)
    assert record is not None, "saved above"  # noqa: S101 - a defect of ours
    seq, lease = store.loading.histories([person.id])[person.id].facts_seq, Lease(_BY, 1, now + OPEN)
    epochs, versions = {record.id: record.epoch}, {record.id: record.version}
    decisions = [(Decision(person.id, tuple(touches)), seq)]
    store.outbox.claim(decisions, lease, epochs=epochs, versions=versions, now=now)
    for touch in touches:
        if touch.kind == "commitment":  # it asks what became of what they said
            about = (person.id, touch.campaign, touch.message, f"before {touch.key}")
            store.answers.record(*about, "commit", evidence="link", by=person.id, now=now)


class ReviewCopies:
    """Safe to share between threads. ``base_url`` and ``keys`` are those of all links, ``rules`` the workspace's."""

    def __init__(
        self,
        store: Store,
        base_url: str,
        keys: Sequence[str],
        rules: Workspace,
        clock: Callable[[], dt.datetime],
        most_open: int = MOST_OPEN,
    ) -> None:
        self._store, self._base, self._keys, self._rules, self._clock = store, base_url, keys, rules, clock
        self._most_open = most_open
        self._opened: OrderedDict[str, InMemory] = OrderedDict()
        self._lock = threading.Lock()

    def make(
        self, plan: Plan, templates: Mapping[str, str], touch: Touch, people: Sequence[Person], *, to: str, by: str
    ) -> tuple[str, RenderedMessage]:
        """A copy of what the first of ``people`` gets by this touch, addressed to ``to``, and its key.

        The others sign it, or are those whom the person leads. Raises ``RenderError``, and nothing is kept.
        """
        now = self._clock()
        # An id of its own gives it a key of its own: what is pressed on it can never be taken for the person's answer.
        person = replace(people[0], id=f"review-{secrets.token_hex(12)}", revoked=0, left=None, leave=())
        touch = replace(touch, person=person.id)
        copy = ReviewCopy(touch.key, to, plan, templates, (person, *people[1:]), touch, now, now + OPEN, by)
        parts = self._filled(copy)
        message = parts.message(touch, person, plan, templates)
        self._store.review_copies.remove_expired(now)
        self._store.review_copies.add(copy)
        self._keep(copy.key, parts)
        with in_language(parts.inbox.spoken(parts.inbox.card(touch.key, now))):
            subject = _("Test: {subject}", subject=message.subject)
            blocks = noted(message.blocks) if message.blocks else ()
        copied = message._replace(to_email=to, to_name="", slack_id="", subject=subject, blocks=blocks, date=now)
        return copy.key, copied

    def open(self, key: str) -> InMemory | None:
        """What answers a copy; ``None`` for one that is unknown or expired."""
        now = self._clock()
        with self._lock:
            known = self._opened.get(key)
        if known is not None:
            return known if self._store.review_copies.is_open(key, now) else None
        copy = self._store.review_copies.find(key, now)
        return None if copy is None else self._keep(key, self._filled(copy))

    def again(self, key: str) -> str:
        """Forgets what was pressed on this copy; returns the address of its page, empty if there is none."""
        self._forget(key)
        copy = self._store.review_copies.find(key, self._clock())
        return self._links(key).url("answer", key, copy.expires_at) if copy else ""

    def is_copy(self, remote_id: str) -> bool:
        """Whether the message with this name on the other side is a review copy."""
        return self._store.review_copies.sent_as(remote_id)

    def sent(self, key: str, remote_id: str) -> None:
        """It has this name on the other side."""
        self._store.review_copies.sent(key, remote_id)
        self._forget(key)  # the reviewer's account may be known only now

    def drop(self, key: str) -> None:
        """It was not sent."""
        self._forget(key)
        self._store.review_copies.remove(key)

    def _links(self, key: str) -> Links:
        return Links(f"{self._base}/r/{key}", self._keys)

    def _filled(self, copy: ReviewCopy) -> InMemory:
        # in Slack, the reviewer is the person
        person, *others = copy.people
        person = replace(person, slack_id=self._slack_id(copy.recipient))
        people, links = (person, *others), self._links(copy.key)
        return in_memory(copy.plan, copy.templates, people, (copy.touch,), links, self._rules, self._clock())

    def _slack_id(self, email: str) -> str:
        person = self._store.people.by_email(email)
        return (person.slack_id if person else "") or (self._store.slack_ids.get(email) or ("",))[0]

    def _keep(self, key: str, parts: InMemory) -> InMemory:
        with self._lock:
            kept = self._opened.setdefault(key, parts)
            self._opened.move_to_end(key)
            oldest = next(iter(self._opened)) if len(self._opened) > self._most_open else ""
        self._forget(oldest)
        return kept

    def _forget(self, key: str) -> None:
        with self._lock:
            known = self._opened.pop(key, None)
        if known is not None:
            known.store.close()

    def close(self) -> None:
        for key in list(self._opened):
            self._forget(key)
