"""After enough touches without an answer somebody has to talk: the days before are lived on a clock of their own."""

from __future__ import annotations

import datetime as dt

from commsengine.answers.inbox import Evidence
from commsengine.sandbox.time_lapse import Diary, TimeLapse, play
from commsengine.wiring import Wiring, now
from tests.stories.campaign import days_from_now, write_for
from tests.stories.program import Program
from tests.stories.relay import Relay

MINUTE = dt.timedelta(minutes=1)


def live(program: Program, relay: Relay, *, since: dt.datetime, until: dt.datetime) -> None:
    """Applied and started at ``since``; the first person answers an hour later, nobody else ever does."""
    clock, diary = TimeLapse(since), Diary()
    with program.environment(), Wiring(program.folder, clock.now) as wiring:
        people = wiring.read_people(program.folder / "people.csv").people
        plan = wiring.check(program.folder / "schedules/crm.yaml").plan
        assert plan is not None
        wiring.store.people.save(people, by="dana", now=since)
        wiring.store.campaigns.save_version(plan, wiring.templates, "", introduced={}, by="dana", now=since)
        wiring.store.campaigns.start("crm", by="dana", now=since)

        def answer() -> None:
            wiring.inbox.got_it(wiring.inbox.card(relay.of("p0000@example.com")[0].key, clock.now()), Evidence("link"))

        diary.note(since + 60 * MINUTE, answer)
        with wiring.engine() as engine:

            def tick() -> None:
                engine.tick()

            play(clock, until, diary, wiring.store.loading.next_wake, tick)


def test_who_never_answers_is_listed_with_why_and_what_to_say(program: Program, relay: Relay) -> None:
    write_for(program, 4, kickoff=days_from_now(-8))
    live(program, relay, since=now() - dt.timedelta(days=6) - MINUTE, until=now() - 2 * MINUTE)
    assert relay.copies == {f"p000{n}@example.com": 3 for n in range(4)}
    assert program.look("followups")["follow_ups"] == []
    assert program.done("tick") == "0 messages sent, 3 follow-ups opened, 0 skipped.\n"

    waiting = program.json("followups")["follow_ups"]
    assert [each["person"] for each in waiting] == [f"p000{n}@example.com" for n in (1, 2, 3)]
    for each in waiting:
        assert (each["rung"], each["reason"]) == (2, "No answer after 3 messages.")
        assert len(each["tried"]) == 3
        assert "Why we do this" in each["talking_points"]
        assert "You log each call once." in each["talking_points"]
    assert "\n3 follow-ups\n" in program.here("today")

    first = waiting[0]
    program.done("followup", first["id"], "--outcome", "understood", "--note", "By phone.")
    assert [each["person"] for each in program.look("followups")["follow_ups"]] == [
        each["person"] for each in waiting[1:]
    ]
    story = program.here("why", first["person"])
    assert "one-record: acknowledged" in story
    assert "call: understood" in story
    assert program.books("crm").counts["sent"] == 4 * 3 + 3
