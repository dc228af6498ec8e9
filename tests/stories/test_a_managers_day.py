"""A manager's day: the message before their people, a hold, the list at eight and the outcome; by mail and in Slack."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from commsengine.cadence.plan import Workspace
from commsengine.engine.decisions import Decisions
from commsengine.engine.engine import Engine
from commsengine.reports.followups import open_followups
from commsengine.reports.morning.manager_lists import ManagerLists
from commsengine.reports.morning.morning_mail import morning_mail
from commsengine.reports.morning.morning_time import MorningBasis
from commsengine.reports.today import today
from commsengine.reports.why import why
from commsengine.sandbox.sandbox import Serving
from commsengine.store.tables import touch
from commsengine.web.app import create_app
from tests.answering import KEYS, Answering, answering
from tests.builders import ANA, BEN, MIA, a_message, utc
from tests.fakes import Clock, Mailbag, a_channel
from tests.slack_house import serve_team
from tests.waiting import expect

PLAN = a_message(
    to=["others"],  # Ana; Ben and Mia are in sales
    sender="manager",
    managers_first="2 working days",
    cadence={"every": "48h", "times": "2"},
    **{"from": "2027-01-13"},
)
CALLED = [{"after": "2 touches", "do": "personal", "by": "manager"}]
SEND = {"channels": ["email"], "holidays": "false", "time_zone": "Europe/Berlin"}


@dataclass
class Weeks:
    """The house with an engine that is called, and what arrived by mail."""

    house: Answering
    engine: Engine
    clock: Clock
    bag: Mailbag
    client: httpx.Client

    def at(self, *moments: str) -> None:
        for moment in moments:
            self.clock.now = self.house.clock.now = utc(moment)
            self.engine.tick()

    def live(self, until: str) -> None:
        while (wake := self.house.store.loading.next_wake()) and wake < utc(until):
            self.clock.now = self.house.clock.now = max(wake, self.clock.now)
            self.engine.tick()

    def mail(self, email: str) -> list[str]:
        return [message.text for message in self.bag.arrived if message.to_email == email]

    @property
    def decisions(self) -> Decisions:
        return Decisions(self.house.store, Workspace(), frozenset({"email"}))


@pytest.fixture
def weeks(tmp_path: Path) -> Iterator[Weeks]:
    with ExitStack() as opened:
        house = answering(tmp_path, PLAN, follow_up=CALLED, send=SEND)
        opened.callback(house.store.close)
        clock, bag = Clock(utc("2027-01-11 07:00")), Mailbag()
        ways = {"email": a_channel(bag)}
        decisions = Decisions(house.store, Workspace(), frozenset(ways))
        basis = MorningBasis(house.store, decisions, house.renderer, list(ways), house.fresh_links.make)
        engine = Engine(
            house.store,
            ways,
            house.renderer,
            workspace=Workspace(),
            clock=clock,
            sleep=clock.sleep,
            interval=10.0,
            morning_mail=morning_mail(basis, clock),
        )
        engine.start()
        opened.callback(engine.stop)
        parts = (house.inbox, house.links, house.fresh_links, house.desk)
        app = create_app(*parts, store=house.store, keys=KEYS, clock=house.clock)
        url = opened.enter_context(Serving(app)).url
        yield Weeks(house, engine, clock, bag, opened.enter_context(httpx.Client(base_url=url)))


def path_in(text: str, page: str) -> str:
    return urlsplit(re.findall(rf"http://\S+/{page}/[\w.-]+", text)[0]).path


def test_a_managers_day_by_mail(weeks: Weeks) -> None:
    # Two working days before her people, Mia gets a briefing; nobody else hears anything yet.
    weeks.at("2027-01-11 08:00")
    (briefing,) = weeks.mail(MIA.email)
    assert "Your people get this on Wednesday, 13 January 2027." in briefing
    assert "One list for all of us." in briefing
    assert weeks.mail(ANA.email) == weeks.mail(BEN.email) == []

    # From its page she adds a line, and holds it until Thursday.
    about = {"campaign": "crm", "message": "one-record"}
    for form in ({"do": "line", "text": "Ask me at the coffee corner."}, {"do": "hold", "until": "2027-01-14"}):
        assert weeks.client.post(path_in(briefing, "a"), data={**form, **about}).status_code == 303
    weeks.at("2027-01-13 05:00")
    assert weeks.mail(ANA.email) == []
    told = why(weeks.house.store, weeks.decisions, ANA.email, utc("2027-01-13 05:00"))
    (waits,) = told["campaigns"][0]["messages"]
    assert (waits["reasons"][0]["code"], waits["next_at"]) == ("held_by_manager", "2027-01-14T00:00:00+00:00")

    # Then it goes out in her name, with her line.
    weeks.live("2027-01-15")
    (first,) = weeks.mail(ANA.email)
    assert "Mia adds: Ask me at the coffee corner." in first

    # Two messages bring no answer: on her next morning she gets the list.
    weeks.live("2027-01-21")
    assert len(weeks.mail(ANA.email)) == 2
    weeks.at("2027-01-21 07:00")
    listed = weeks.mail(MIA.email)[-1]
    for said in ("Ana Kim", "+82 2 1234", "No answer after 2 messages.", "Say that their knowledge is needed"):
        assert said in listed

    # Its link opens her page, where one press records how it went.
    opened = weeks.client.post(path_in(listed, "p"), follow_redirects=True)
    (call,) = open_followups(weeks.house.store, weeks.clock.now)
    note = re.findall(r'name="seen" value="([^"]+)"', opened.text)[0]
    form = {"do": "outcome", "seen": note, "id": call.id, "outcome": "objects", "unclear": "role", "note": "Her list."}
    assert "Recorded." in weeks.client.post("/calls", data=form, follow_redirects=True).text

    # The lead sees it, with the note; the list of the next morning stays away.
    (recorded,) = today(weeks.house.store, weeks.decisions, weeks.house.renderer, weeks.clock.now)["recorded"]
    assert [recorded[name] for name in ("person", "by", "outcome", "unclear", "note")] == [
        ANA.email, MIA.email, "objects", "role", "Her list.",
    ]  # fmt: skip
    before = len(weeks.mail(MIA.email))
    weeks.at("2027-01-22 07:00")
    assert len(weeks.mail(MIA.email)) == before


def test_a_managers_day_in_slack(tmp_path: Path) -> None:
    # The card of the morning, as it is written for her, and one press on it.
    ladder = [{"after": "1 touch", "do": "remind"}, *CALLED]
    house = answering(tmp_path, PLAN, follow_up=ladder, send={**SEND, "channels": ["slack", "email"]})
    with ExitStack() as opened:
        opened.callback(house.store.close)
        call = house.call(ANA)
        house.clock.now = utc("2027-01-18 07:00")  # Monday, eight in Berlin; the call waits for a week
        slack = serve_team(opened, house, worker=False).slack
        decisions = Decisions(house.store, Workspace())
        basis = MorningBasis(house.store, decisions, house.renderer, ["slack"], house.fresh_links.make)
        assert ManagerLists(basis).send(house.store.campaigns.all(), house.clock()) == 1
        with house.store.database.read() as connection:
            payload = connection.execute(touch.select().where(touch.c.message == "manager_list")).one().payload
        user = slack.team.user(MIA.email)
        assert user
        slack.team.opened.add(user.dm)
        card = slack.team.post(user, payload["text"], [dict(block) for block in payload["blocks"]], {})
        assert slack.click(MIA.email, "outcome_understood", call, post=card).status == 200
        expect(lambda: "Ana Kim: It is clear now" in json.dumps(card.blocks))
        assert house.kinds() == ["acknowledged"]
