"""What phases have reached by role, their review, and the gate that waits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from commsengine.cadence.people import Person
from commsengine.campaigns.control import open_gate
from commsengine.campaigns.known_campaign import known
from commsengine.errors import InputError
from commsengine.reports.phases.measures import PhaseView, phases
from commsengine.reports.phases.phase_review import PhaseReview, review, to_review
from commsengine.reports.status import status
from commsengine.store.records import CampaignRecord
from commsengine.store.store import Store
from tests import fresh
from tests.answering import TEMPLATES
from tests.builders import a_message, a_plan, someone, utc
from tests.on_record import NOW, Given, a_recalled_plan, put_on_record

LISTEN: dict[str, Any] = {"until": "2027-01-20", "goal": "Half of us have said.", "gate": "true"}
BEFORE, AFTER = utc("2027-01-15"), utc("2027-01-20 09:00")


def listening(folder: Path, reach: dict[str, dict[str, str]], people: int = 4, **changes: Any) -> Store:
    store = fresh.a_store(folder / "phases.db")
    plan = a_plan(
        a_message(id="ask", ask="input", input={"question": "What must stay?"}),
        a_message(id="later", **{"from": "2027-01-25"}),
        phases={"listen": {**LISTEN, "reach": reach}, "learn": {"until": "2027-03-01"}},
        **changes,
    )
    everybody = [someone(n, department="Sales" if n % 2 else "Support") for n in range(people)]
    store.people.save(everybody, by="dana", now=utc("2027-01-04"))
    store.campaigns.save_version(plan, TEMPLATES, SOURCE, introduced={}, by="dana", now=utc("2027-01-04"))
    store.campaigns.start("crm", by="dana", now=utc("2027-01-04"))
    return store


SOURCE = """campaign: crm
messages:
  - id: ask
    until: go_live
    input: {question: What must stay?}
  - id: later
    text: Read this.
"""


def says(store: Store, person: Person, kind: str = "input", value: str = "The phone list.") -> None:
    store.answers.record(
        person.id, "crm", "ask", "k", kind, value=value, evidence="link", by=person.id, now=utc("2027-01-12")
    )  # type: ignore[arg-type]


def record(store: Store) -> CampaignRecord:
    return known(store, "crm")


def seen(store: Store, now: Any = AFTER) -> PhaseView:
    return phases(store, record(store), now)[0]


def test_a_phase_is_measured_by_role_and_in_all(tmp_path: Path) -> None:
    store = listening(tmp_path, {"ask": {"answered": "0.5"}})
    for n in (1, 3, 0):
        says(store, someone(n))
    (measure,) = seen(store).measures
    assert [(role.role, role.count, role.of) for role in measure.roles] == [("sales", 2, 2), ("others", 1, 2)]
    assert (measure.total.count, measure.total.of, measure.reached) == (3, 4, True)
    assert [measure.meets(role) for role in measure.roles] == [True, True]


def test_what_is_answered_is_what_the_message_asks_for(tmp_path: Path) -> None:
    store = listening(tmp_path, {"ask": {"answered": "0.5", "acknowledged": "0.5"}})
    for n in range(4):
        says(store, someone(n), "acknowledged", "")
    assert [measure.reached for measure in seen(store).measures] == [False, True]
    assert seen(store).reached is False


def test_a_share_that_is_not_known_yet_decides_nothing(tmp_path: Path) -> None:
    store = listening(tmp_path, {"ask": {"answered": "0.1", "done": "0.5"}})
    says(store, someone(0))
    assert [measure.reached for measure in seen(store).measures] == [True, None]
    assert seen(store).reached is None


def test_states_follow_the_clock_and_the_start(tmp_path: Path) -> None:
    store = listening(tmp_path, {})
    for now, states in ((BEFORE, ["going on", "to come"]), (AFTER, ["over", "going on"]), (NOW, ["over", "going on"])):
        assert [view.state for view in phases(store, record(store), now)] == states


def test_right_answers_of_few_people_are_hidden(tmp_path: Path) -> None:
    plan = a_recalled_plan(phases={"learn": {"until": "2027-01-30", "reach": {"one-record": {"right": "0.4"}}}})
    few = Given({"managers": 9, "sales": 120}, {"managers": 4, "sales": 2}, {"managers": 0.9, "sales": 0.5})
    store = put_on_record(tmp_path, few, plan)
    (measure,) = phases(store, record(store), NOW)[0].measures
    managers, sales = (role for role in measure.roles if role.role in ("managers", "sales"))
    assert (managers.hidden, managers.count, managers.of) == (True, None, 0)
    assert sales.count
    assert (measure.total.count, measure.total.of) == (sales.count, sales.of)


# -- the review -----------------------------------------------------------------------------------


def the_review(store: Store, now: Any = AFTER) -> PhaseReview:
    return review(store, record(store), "listen", now)


def test_bad_news_comes_first_with_the_lines_worth_changing(tmp_path: Path) -> None:
    store = listening(tmp_path, {"ask": {"answered": "0.5", "reached": "0.5"}})
    says(store, someone(0))
    for n in range(3):
        store.questions.ask(someone(n).id, "crm", "ask", f"k{n}", "Why?", evidence="link", now=utc("2027-01-13"))
    found = the_review(store)
    assert [part.title for part in found.parts] == [
        "Goals not reached", "Open questions and objections", "Suggested changes to the plan",
    ]  # fmt: skip
    assert found.headline == "The phase 'listen' has ended and has not reached its goal"
    assert [(change.message, change.key, change.line) for change in found.changes] == [
        ("ask", "input", 5), ("ask", "until", 4), ("ask", "text", 3),
    ]  # fmt: skip
    assert "3 people ask about it or object" in found.changes[2].why
    assert "25% answered 'ask' (1 of 4; wanted: 50%). By role: Sales 0%, Others 50%." in found.parts[0].lines


def test_what_talks_found_unclear_names_the_line(tmp_path: Path) -> None:
    store = listening(tmp_path, {}, people=24)
    for n in (0, 2, 4):
        store.answers.outcome(
            someone(n).id, "crm", ["ask"], "objects", unclear="procedure", by="mia", now=utc("2027-01-13")
        )
    found = the_review(store)
    assert [(change.message, change.key) for change in found.changes] == [("ask", "text")]
    assert found.changes[0].why.endswith("(3 talks)")
    assert [role.talks for role in found.unclear if role.role == "others"] == [{"procedure": 3}]


def test_a_role_of_few_people_has_no_line_about_what_is_unclear(tmp_path: Path) -> None:
    store = listening(tmp_path, {}, people=19)  # nine of them in sales
    store.answers.outcome(someone(1).id, "crm", ["ask"], "objects", unclear="why", by="mia", now=BEFORE)
    sales, others = the_review(store).unclear
    assert (sales.hidden, sales.talks, others.hidden) == (True, {}, False)


def test_a_phase_that_is_not_there_is_named_with_the_near_ones(tmp_path: Path) -> None:
    store = listening(tmp_path, {})
    with pytest.raises(InputError, match="listen"):
        review(store, record(store), "lisen", AFTER)


# -- the gate -------------------------------------------------------------------------------------


def test_a_gate_waits_until_its_word_and_then_no_more(tmp_path: Path) -> None:
    store = listening(tmp_path, {})
    assert [view.waits for view in phases(store, record(store), BEFORE)] == [False, False]
    assert seen(store).waits
    assert to_review(phases(store, record(store), AFTER)) == "listen"
    assert open_gate(store, record(store), "listen", because="Enough.", by="dana", now=AFTER)
    assert not open_gate(store, record(store), "listen", because="Again.", by="tom", now=NOW)
    gate = seen(store).gate
    assert gate
    assert gate.word
    assert (gate.word.by, gate.word.because, gate.waiting) == ("dana", "Enough.", ("later",))
    assert record(store).opened == {"listen": AFTER}
    assert store.campaigns.running().running[0].opened == {"listen": AFTER}


def test_a_phase_without_a_gate_has_none_to_open(tmp_path: Path) -> None:
    store = listening(tmp_path, {})
    with pytest.raises(InputError, match="has no gate"):
        open_gate(store, record(store), "learn", because="", by="dana", now=AFTER)


def test_the_word_makes_everybody_due(tmp_path: Path) -> None:
    store = listening(tmp_path, {})
    with store.database.write() as connection:
        connection.exec_driver_sql("UPDATE person SET wake_at = NULL")
    store.gates.open("crm", "listen", because="", by="dana", now=AFTER)
    assert store.loading.due_count(AFTER) == 4


def test_status_says_that_it_waits(tmp_path: Path) -> None:
    store = listening(tmp_path, {"ask": {"answered": "0.5"}})
    (campaign,) = status(store, AFTER, recall=True)["campaigns"]
    assert [(view["phase"], view["state"], view["gate"] and view["gate"]["open"]) for view in campaign["phases"]] == [
        ("listen", "over", False), ("learn", "going on", None),
    ]  # fmt: skip
