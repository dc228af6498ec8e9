"""A store in which Ana, Ben and Mia have touches, a clock that stands still, and the hall that takes their answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from commsengine.answers.fresh_links import FreshLinks
from commsengine.answers.inbox import AnswerInbox, Evidence
from commsengine.answers.own_mail import OwnMail
from commsengine.answers.touch_view import Card
from commsengine.cadence.audience import role_of
from commsengine.cadence.history import Decision, Touch
from commsengine.cadence.kinds_and_states import BY_HAND, Asked
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Plan, Workspace
from commsengine.content.render import Renderer, RendererFor
from commsengine.content.shipped import shipped_folder
from commsengine.content.templates import load_templates
from commsengine.links import Links
from commsengine.reports.followups import followup_id
from commsengine.reports.manager_desk import ManagerDesk
from commsengine.store.records import Lease, Receipt
from commsengine.store.store import Store
from tests import fresh, outbox
from tests.builders import ANA, BEN, MIA, a_message, a_plan, translated, utc

KEYS = ("a key for the tests only",)
BY_LINK = Evidence("link", {"method": "POST"})
MONDAY = utc("2027-01-11 09:00")
TEMPLATES = load_templates(shipped_folder(), None)


class Clock:
    """Stands still until it is moved."""

    def __init__(self, now: dt.datetime) -> None:
        self.now = now

    def __call__(self) -> dt.datetime:
        return self.now

    def pass_(self, **span: float) -> None:
        self.now += dt.timedelta(**span)


@dataclass
class Answering:
    """One campaign that runs, and what it takes to answer it."""

    store: Store
    inbox: AnswerInbox
    links: Links
    fresh_links: FreshLinks
    desk: ManagerDesk
    renderer: RendererFor
    clock: Clock
    plan: Plan

    def touch(
        self,
        person: Person = ANA,
        message: str = "one-record",
        *,
        number: int = 1,
        channel: str = "email",
        kind: str = "message",
        rung: int = 0,
        asks: Asked | None = None,
    ) -> str:
        """Claims and sends one touch; returns its key."""
        now = self.clock()
        touch = Touch(
            self.plan.campaign, message, person.id, role_of(self.plan, person) or "", rung, kind, channel,
            now.date() + dt.timedelta(days=number), now, now + dt.timedelta(hours=5), number,
            again_at=now + dt.timedelta(days=2), asks=asks,
        )  # fmt: skip
        record = self.store.campaigns.get(self.plan.campaign)
        assert record is not None
        seq = self.store.loading.histories([person.id])[person.id].facts_seq
        lease = Lease("test", 1, now + dt.timedelta(hours=1))
        epochs, versions = {record.id: record.epoch}, {record.id: record.version}
        decisions = [(Decision(person.id, (touch,)), seq)]
        self.store.outbox.claim(decisions, lease, epochs=epochs, versions=versions, now=now)
        if kind in BY_HAND:
            return touch.key
        assert outbox.mark(self.store, [touch.key], lease, now) == {touch.key}
        outbox.settle(self.store, [Receipt(touch.key, "sent", now)], lease, now)
        return touch.key

    def call(self, person: Person = ANA, message: str = "one-record") -> str:
        """Somebody is to talk to the person; returns the id of the follow-up."""
        self.touch(person, message, channel="personal", kind="personal", rung=2)
        return followup_id(self.plan.campaign, person.id, "personal")

    def card(self, key: str) -> Card:
        return self.inbox.card(key, self.clock())

    def token(self, purpose: str, key: str) -> str:
        return self.url(purpose, key).rpartition("/")[2]

    def url(self, purpose: str, key: str) -> str:
        return self.links.url(purpose, key, self.clock() + dt.timedelta(days=60))

    def kinds(self, person: Person = ANA) -> list[str]:
        """What the person has said and not taken back."""
        return [answer.kind for answer in self.store.loading.histories([person.id])[person.id].history.answers]


def answering(
    folder: Path,
    *messages: Mapping[str, object],
    people: Sequence[Person] = (ANA, BEN, MIA),
    workspace: Workspace | None = None,
    language: str = "",
    **changes: object,
) -> Answering:
    """Monday 09:00 UTC of the week of kickoff, the campaign running.

    With a ``language`` the plan is there in it, too, each text in ⟦ ⟧, and Ana and Mia read it.
    """
    rules = workspace or Workspace()
    clock = Clock(MONDAY)
    store = fresh.a_store(folder / "answers.db")
    plan = a_plan(*(messages or (a_message(),)), **changes)
    if language:
        plan = translated(plan, language, "⟦{}⟧".format)
        people = [replace(one, language=language) if one.id in ("ana", "mia") else one for one in people]
    store.people.save(people, by="test", now=utc("2027-01-04"))
    introduced = {message.id: utc("2027-01-04") for message in plan.messages}
    store.campaigns.save_version(plan, TEMPLATES, "", introduced=introduced, by="test", now=utc("2027-01-04"))
    store.campaigns.start(plan.campaign, by="test", now=utc("2027-01-04"))
    links = Links("http://127.0.0.1:8080", KEYS)

    def renderer(plan: Plan, templates: Mapping[str, str]) -> Renderer:
        return Renderer(plan, templates, links, rules)

    fresh_links = FreshLinks(store, links.base_url, OwnMail(store, renderer, ["email", "slack"]))
    return Answering(
        store, AnswerInbox(store, renderer), links, fresh_links, ManagerDesk(store, renderer), renderer, clock, plan
    )
