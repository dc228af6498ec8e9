"""The page of calls, for who leads a campaign: all its calls, and what came of each."""

from __future__ import annotations

import pytest

from commsengine.cadence.people import Person, by_address
from commsengine.cadence.plan import Workspace
from commsengine.content.render import Renderer
from commsengine.errors import InputError
from commsengine.links import Links
from commsengine.reports.followups import open_followups
from commsengine.reports.manager_desk import ManagerDesk
from commsengine.store.store import Store
from tests.answering import TEMPLATES
from tests.builders import MIA, a_message, a_plan, someone, utc
from tests.engine.conftest import MakeEngine, run
from tests.fakes import Clock
from tests.reports.test_followups import live

DANA = by_address("dana@example.com")
CALLED = [{"after": "1 touches", "do": "personal", "by": "manager"}]


@pytest.fixture
def desk(store: Store, engine: MakeEngine, clock: Clock) -> ManagerDesk:
    """Person 1 is Mia's; person 2 has no manager. Dana leads the campaign and is in no directory."""
    people = [someone(1), someone(2, manager=""), MIA]
    run(store, people, a_plan(a_message(to=["sales"]), follow_up=CALLED, audience={"roles": {"sales": {"job": ""}}}))
    live(store, engine, clock, "2027-01-16")
    links = Links("https://comms.example.com", ["a key for the tests only"])
    return ManagerDesk(store, lambda plan, _templates: Renderer(plan, TEMPLATES, links, Workspace()))


def names(desk: ManagerDesk, person: Person, clock: Clock) -> list[str]:
    return [one.person.name for one in desk.calls(person, clock.now)]


def test_the_lead_sees_all_calls_their_own_first_and_a_manager_only_theirs(desk: ManagerDesk, clock: Clock) -> None:
    lead = desk.manager(DANA.email, clock.now)
    assert lead
    assert (desk.leads(lead), desk.leads(MIA)) == (True, False)
    assert names(desk, lead, clock) == ["Person 2", "Person 1"]
    assert names(desk, MIA, clock) == ["Person 1"]
    assert all(one.talk.parts for one in desk.calls(lead, clock.now))


def test_the_lead_records_for_anybody_and_reads_it_again(desk: ManagerDesk, store: Store, clock: Clock) -> None:
    wanted = {one.person.name: one.id for one in open_followups(store, clock.now)}
    with pytest.raises(InputError, match="does not report to you"):
        desk.record(MIA, wanted["Person 2"], "objects", now=clock.now)
    came = desk.record(DANA, wanted["Person 1"], "objects", unclear="skill", note="a course", now=clock.now)
    assert (came.name, came.first) == ("Person 1", True)
    assert desk.record(DANA, wanted["Person 1"], "objects", now=clock.now).first is False
    (told,) = desk.recorded(DANA, clock.now)
    assert (told.by, told.unclear, told.note) == (DANA.email, "skill", "a course")
    assert names(desk, DANA, clock) == ["Person 2"]


def test_somebody_who_leads_nothing_and_is_in_no_directory_has_no_desk(
    desk: ManagerDesk, store: Store, clock: Clock
) -> None:
    assert desk.manager("eve@example.com", clock.now) is None
    store.campaigns.cancel("crm", by="dana", now=utc("2027-01-20"))
    assert desk.manager(DANA.email, clock.now) is None
