"""The review of a phase as a page, behind a link that works once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.answering import Answering, answering
from tests.browsing import TRUST
from tests.builders import ANA, MIA, a_message, utc
from tests.waiting import PATIENCE
from tests.web.conftest import app_of, served

PHASES = {
    "listen": {
        "until": "2027-01-20", "goal": "Half of us have said.", "gate": "true",
        "reach": {"one-record": {"acknowledged": "0.5"}},
    },
    "learn": {"until": "2027-03-01"},
}  # fmt: skip
LATER = a_message(id="later", **{"from": "2027-02-01"})


class House:
    """The page, opened by the link of one who leads the campaign, or by another's."""

    def __init__(self, hall: Answering, client: httpx.Client) -> None:
        self.hall, self.client = hall, client

    def enter(self, person: str = MIA.id) -> httpx.Response:
        url = self.hall.fresh_links.make("review", "crm", self.hall.clock(), campaign="crm", person=person)
        return self.client.post(urlsplit(url).path, follow_redirects=True)

    def post(self, shown: httpx.Response, **fields: str) -> httpx.Response:
        note = re.search(r'name="seen" value="([^"]*)"', shown.text)
        return self.client.post("/review", data={"seen": note[1] if note else "", **fields}, follow_redirects=True)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    hall = answering(tmp_path, a_message(), LATER, phases=PHASES, owner=[MIA.email, "dana@example.com"])
    hall.clock.now = utc("2027-01-20 09:00")
    with served(app_of(hall)) as address, httpx.Client(base_url=address, verify=TRUST, timeout=PATIENCE) as client:
        yield House(hall, client)
    hall.store.close()


def test_it_says_what_was_not_reached_and_what_waits(house: House) -> None:
    shown = house.enter()
    assert shown.status_code == 200
    assert "has not reached its goal" in shown.text
    assert "These messages do not start until you open it: later." in shown.text
    assert "0% confirmed" in shown.text
    assert house.hall.store.gates.of("crm") == {}


def test_its_button_opens_the_gate_once_in_the_name_of_who_pressed(house: House) -> None:
    shown = house.enter()
    said = house.post(shown, do="open", phase="listen", because="Enough have answered.")
    assert "The gate is open" in said.text
    word = house.hall.store.gates.of("crm")["listen"]
    assert (word.by, word.because, word.opened_at) == (MIA.email, "Enough have answered.", house.hall.clock())
    again = house.post(shown, do="open", phase="listen", because="Another.")
    assert "was open already" in again.text
    assert house.hall.store.gates.of("crm")["listen"] == word


def test_a_phase_without_a_gate_or_an_unknown_one_is_refused_in_words(house: House) -> None:
    shown = house.enter()
    for phase, told in (("learn", "has no gate"), ("nonesuch", "nonesuch")):
        refused = house.post(shown, do="open", phase=phase)
        assert (refused.status_code, told in refused.text) == (422, True)
    assert house.post(shown, do="shut", phase="listen").status_code == 400
    assert house.hall.store.gates.of("crm") == {}


def test_who_does_not_lead_the_campaign_any_more_sees_nothing(house: House) -> None:
    shown = house.enter(ANA.id)
    assert shown.status_code == 403
    assert "listen" not in shown.text
    shown = house.enter()
    plan = house.hall.plan.model_copy(update={"owner": ("dana@example.com",)})
    house.hall.store.campaigns.save_version(plan, {}, "", introduced={}, by="dana", now=house.hall.clock())
    assert house.client.get("/review").status_code == 403
    assert house.post(shown, do="open", phase="listen").status_code == 403
    assert house.hall.store.gates.of("crm") == {}


def test_an_owner_who_is_not_in_the_directory_signs_by_address(house: House) -> None:
    house.post(house.enter("dana@example.com"), do="open", phase="listen")
    assert house.hall.store.gates.of("crm")["listen"].by == "dana@example.com"


def test_all_phases_can_be_looked_at(house: House) -> None:
    house.enter()
    other = house.client.get("/review?phase=learn")
    assert "It is not known yet whether the phase &#39;learn&#39; reaches its goal" in other.text
    assert house.client.get("/review?phase=nonesuch").status_code == 200


def test_looking_changes_nothing(house: House) -> None:
    house.enter()
    before = house.hall.store.gates.of("crm")
    for _ in range(2):
        house.client.get("/review?phase=listen&do=open")
    assert house.hall.store.gates.of("crm") == before == {}
