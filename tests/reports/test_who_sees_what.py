"""What a message says about who sees what is what happens: each claim, for each way to ask and to chase."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from commsengine.cadence.history import Touch
from commsengine.cadence.people import Person
from commsengine.content.message import RenderedMessage
from commsengine.engine.directory import SignerLookup
from commsengine.reports.followups import FollowUp, open_followups
from commsengine.reports.input_answers import recent_inputs
from commsengine.reports.outcomes_recorded import recorded_outcomes
from tests.answering import BY_LINK, TEMPLATES, Answering, answering
from tests.builders import ANA, MIA, a_message

ALONE = replace(ANA, manager="")
ASKS: dict[str, dict[str, Any]] = {
    "acknowledge": {},
    "input": {"input": {"question": "What is missing?"}},
    "commit": {"commit": "Log each call"},
    "check": {"checks": [{"question": "Where?", "answers": ["Here", "There"], "right": "Here", "because": "So."}]},
    "nothing": {},
}
LADDERS: dict[str, list[dict[str, str]]] = {
    "nobody": [{"after": "2 touches", "do": "remind"}],
    "manager": [{"after": "2 touches", "do": "remind"}, {"after": "1 touch", "do": "personal", "by": "manager"}],
    "lead": [{"after": "2 touches", "do": "remind"}, {"after": "1 touch", "do": "personal", "by": "lead"}],
}


def footer(house: Answering, person: Person) -> str:
    record = house.store.campaigns.get("crm")
    assert record
    now = house.clock()
    touch = Touch("crm", "one-record", person.id, "others", 0, "message", "email", now.date(), now, now)
    renderer = house.renderer(record.plan, TEMPLATES)
    mail: RenderedMessage = renderer.touch(touch, person, SignerLookup(house.store).of(person, record.plan, now.date()))
    return mail.text.split("----")[1]


def on_the_page(house: Answering, person: Person) -> tuple[str, ...]:
    return house.inbox.text(house.inbox.card(house.touch(person), house.clock())).why_me


def chased(house: Answering, person: Person) -> list[FollowUp]:
    """The ladder as far as the plan has it: the open calls about the person."""
    ladder = house.plan.ladder(house.plan.message("one-record"))
    for number, rung in enumerate(ladder, 1):
        if rung.do == "personal":
            house.touch(person, channel="personal", kind="personal", rung=number)
    return open_followups(house.store, house.clock())


@pytest.mark.parametrize("person", [ANA, ALONE], ids=["a manager", "no manager"])
@pytest.mark.parametrize("by", LADDERS)
@pytest.mark.parametrize("ask", ASKS)
def test_each_claim_is_what_happens(tmp_path: Path, ask: str, by: str, person: Person) -> None:
    house = answering(tmp_path, a_message(ask=ask, **ASKS[ask]), follow_up=LADDERS[by])
    house.store.people.save([person], by="test", now=house.clock())
    said, page = footer(house, person), " ".join(on_the_page(house, person))
    calls = chased(house, person)
    asked_of_manager = [one.person.id for one in house.desk.calls(MIA, house.clock())]

    # "if you do not, your manager is asked to talk to you"
    hears = by == "manager" and ask != "nothing" and person is ANA
    assert ("your manager" in said) == ("your manager" in page) == bool(asked_of_manager) == hears
    # "and may call you if you do not"
    assert ("may call you" in said) == ("may call you" in page) == any(one.by_lead for one in calls)
    # "no answer is needed"
    assert ("no answer is needed" in said) == ("No answer is needed" in page) == (ask == "nothing")
    assert "no answer is needed" not in said or not calls
    # "dana reads the result"
    if asked_of_manager:
        house.desk.record(MIA, calls[0].id, "objects", note="She fears for her list.", now=house.clock())
        assert "dana reads the result" in page
        assert [one.note for one in recorded_outcomes(house.store)] == ["She fears for her list."]


@pytest.mark.parametrize("ask", ["input", "commit"])
def test_what_is_written_is_read_by_the_lead_and_by_no_manager(tmp_path: Path, ask: str) -> None:
    house = answering(tmp_path, a_message(ask=ask, **ASKS[ask]), follow_up=LADDERS["manager"])
    said = footer(house, ANA)
    calls = chased(house, ANA)
    talk = str([one.as_json() for one in house.desk.calls(MIA, house.clock())])
    assert calls
    assert "secret" not in talk
    card = house.card(house.touch(ANA))
    give = house.inbox.give_input if ask == "input" else house.inbox.commit
    give(card, "A secret of mine", BY_LINK)
    record = house.store.campaigns.get("crm")
    assert record
    assert "dana reads your answer with your name" in said
    assert [(one.name, one.text) for one in recent_inputs(house.store, record, None, house.clock())] == [
        (ANA.name, "A secret of mine")
    ]
    assert house.desk.calls(MIA, house.clock()) == []  # they have answered: the manager hears nothing of it
