"""A message that repeats until it is done: words do not end it, the deed does, told by a signed call or a file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx

from commsengine.answers.inbox import Evidence
from commsengine.sandbox.time_lapse import Diary, TimeLapse, play
from commsengine.web.facts_webhook import signed
from commsengine.wiring import Wiring, now
from tests.browsing import TRUST
from tests.stories.campaign import days_from_now, today, write_for
from tests.stories.program import Program
from tests.stories.relay import Relay
from tests.waiting import PATIENCE
from tests.web.conftest import served

DAY = dt.timedelta(days=1)
SECRET = "a secret that both sides know"
MESSAGES = """\
messages:
  - id: one-record
    key_point: Every customer conversation is logged in one record.
    from: kickoff
    until: go_live
    cadence: {every: 48h, times: 9}
    repeat_until: done
outcomes:
  first_call: {title: The first call is logged, by: go_live}
"""
P = [f"p000{n}@example.com" for n in range(4)]


@contextmanager
def lived(program: Program, clock: TimeLapse) -> Iterator[Wiring]:
    with program.environment(), Wiring(program.folder, clock.now) as wiring:
        yield wiring


def begin(wiring: Wiring, program: Program, at: dt.datetime) -> None:
    people = wiring.read_people(program.folder / "people.csv").people
    plan = wiring.check(program.folder / "schedules/crm.yaml").plan
    assert plan is not None
    wiring.store.people.save(people, by="dana", now=at)
    wiring.store.campaigns.save_version(plan, wiring.templates, "", introduced={}, by="dana", now=at)
    wiring.store.campaigns.start("crm", by="dana", now=at)


def told_by_the_system(wiring: Wiring, person: str) -> dict[str, object]:
    body = f'[{{"person": "{person}", "id": "call-1"}}]'.encode()
    stamp = str(int(wiring.clock().timestamp()))
    headers = {"X-Commsengine-Timestamp": stamp, "X-Commsengine-Signature": signed(SECRET.encode(), stamp, body)}
    with served(wiring.web_app) as address, httpx.Client(verify=TRUST, timeout=PATIENCE) as client:
        answer = client.post(f"{address}/facts/crm", content=body, headers=headers)
        again = client.post(f"{address}/facts/crm", content=body, headers=headers)
    assert (answer.status_code, again.status_code) == (200, 409)
    told: dict[str, object] = answer.json()
    return told


def test_an_outcome_ends_the_repeats_and_words_do_not(program: Program, relay: Relay) -> None:
    """All four confirm on the first day. The system tells of the first on the third day, a file of the second later;
    the others are reminded and called, though they confirmed."""
    program.settings["COMMSENGINE_FACTS_SECRET"] = SECRET  # type: ignore[index]
    write_for(program, 4, kickoff=days_from_now(-9), messages=MESSAGES)
    since = now() - 7 * DAY - dt.timedelta(minutes=1)
    clock, diary = TimeLapse(since), Diary()
    with lived(program, clock) as wiring:
        begin(wiring, program, since)

        def confirm() -> None:
            for person in P:
                card = wiring.inbox.card(relay.of(person)[0].key, clock.now())
                wiring.inbox.got_it(card, Evidence("link"))

        def first_does_it() -> None:
            assert told_by_the_system(wiring, P[0])["recorded"] == 1

        diary.note(since + dt.timedelta(hours=1), confirm)
        diary.note(since + 2 * DAY + dt.timedelta(hours=1), first_does_it)
        with wiring.engine() as engine:

            def tick() -> None:
                engine.tick()

            play(clock, now(), diary, wiring.store.loading.next_wake, tick)
    assert {person: relay.copies[person] for person in P} == {P[0]: 2, P[1]: 3, P[2]: 3, P[3]: 3}
    waiting = program.look("followups")["follow_ups"]
    assert [(one["person"], one["reason"]) for one in waiting] == [
        (person, "Confirmed, but not done yet: The first call is logged.") for person in P[1:]
    ]
    assert "Not done yet: The first call is logged." in waiting[0]["talking_points"]
    assert "What keeps you from doing it:" in waiting[0]["talking_points"]
    assert "has not answered" not in waiting[0]["talking_points"]

    program.write("calls.csv", f"email;date\n{P[1]};{today() - DAY}\n")
    assert program.here("facts", "import", "calls.csv") == "1 read: 1 new, 0 known already, 0 left out (crm).\n"
    assert [one["person"] for one in program.look("followups")["follow_ups"]] == P[2:]
    reasons = [
        (message["standing"], reason["code"], reason["waits_for"])
        for campaign in program.look("why", P[1])["campaigns"]
        for message in campaign["messages"]
        for reason in message["reasons"]
    ]
    assert reasons == [("acknowledged", "done", "never")]
    assert [one["person"] for one in program.look("facts", "crm")["outcomes"][0]["done"]] == P[:2]
    assert "Recorded as done: The first call is logged" in my_messages(program, relay.of(P[0])[0].key)
    simulated = program.look("simulate", "schedules/crm.yaml", "--done", "1")["summary"]
    assert simulated["done"] == 1.0
    assert simulated["touches"] < program.look("simulate", "schedules/crm.yaml")["summary"]["touches"]


def my_messages(program: Program, key: str) -> str:
    with program.environment(), Wiring(program.folder, now) as wiring, served(wiring.web_app) as address:
        person = wiring.inbox.card(key, now()).person
        path = urlsplit(wiring.fresh_links.make("mine", person.id, now(), campaign="crm")).path
        with httpx.Client(base_url=address, verify=TRUST, timeout=PATIENCE) as client:
            client.post(path)
            return client.get("/mine").text
