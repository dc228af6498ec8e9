"""The page of a link that works once, and the cookie it sets."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from commsengine.answers.fresh_links import Visitor
from commsengine.answers.inbox import Evidence
from commsengine.cadence.kinds_and_states import PURPOSES, Purpose
from commsengine.web.link_page import Form
from commsengine.web.protection import RateLimit
from commsengine.web.requests import Notes
from commsengine.web.visits import VisitPage, Visits
from tests.answering import KEYS, Answering, answering
from tests.browsing import WEB
from tests.builders import ANA, BEN
from tests.web.conftest import app_of, served


class Desk(VisitPage):
    """A page of calls that shows who came."""

    purpose: Purpose = "calls"

    def _show(self, request: Request, visitor: Visitor, now: dt.datetime) -> Response:
        return PlainTextResponse(f"{visitor.about} {visitor.person} note={self.note(visitor, now)}")

    def _take(
        self,
        request: Request,
        visitor: Visitor,
        form: Form,
        evidence: Evidence,
        now: dt.datetime,
    ) -> Response:
        return PlainTextResponse(f"taken: {form['do']} {'suspect' in evidence.detail}")


class Other(Desk):
    purpose: Purpose = "review"


class House:
    """A hall with a page of calls and a review."""

    def __init__(self, hall: Answering, address: str, client: httpx.Client) -> None:
        self.hall, self.address, self.client = hall, address, client

    def link(self, purpose: Purpose = "calls", about: str = ANA.id, person: str = "") -> str:
        url = self.hall.fresh_links.make(purpose, about, self.hall.clock(), campaign="crm", person=person)
        return urlsplit(url).path

    def mails(self) -> list[dict[str, str]]:
        return [dict(row.payload or {}) for row in self.hall.store.service_mail.due(self.hall.clock())]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    hall = answering(tmp_path)
    visits = visits_of(hall)
    pages = [page(visits).route() for page in (Desk, Other)]
    app = app_of(hall, per_minute=20)
    app.router.routes[:0] = pages  # before the real ones
    with served(app) as address, httpx.Client(base_url=address) as client:
        yield House(hall, address, client)
    hall.store.close()


def visits_of(hall: Answering, base: str = "http://127.0.0.1:8080") -> Visits:
    return Visits(hall.fresh_links, KEYS, base, Notes(KEYS), RateLimit(20), hall.clock, hall.inbox)


def test_looking_burns_nothing_and_the_button_opens_the_page_once(house: House) -> None:
    link = house.link()
    for method in ("HEAD", "GET", "GET"):
        assert house.client.request(method, link).status_code == 200
    assert "the people you are asked to call" in house.client.get(link).text
    opened = house.client.post(link)
    assert (opened.status_code, opened.headers["location"]) == (303, "../calls")
    assert house.client.get("/calls").text.startswith(f"{ANA.id} {ANA.id}")
    again = house.client.post(link)
    assert (again.status_code, "set-cookie" in again.headers) == (410, False)
    assert "Send me a new link" in again.text


def test_the_cookie_is_for_that_page_alone_for_an_hour_and_out_of_reach_of_scripts(house: House) -> None:
    cookie = SimpleCookie(house.client.post(house.link()).headers["set-cookie"])["commsengine_calls"]
    assert [cookie[name] for name in ("path", "max-age", "httponly", "samesite")] == ["/calls", "3600", True, "lax"]
    assert cookie["secure"] == ""


def test_over_https_and_behind_a_prefix_the_cookie_is_secure_and_bears_the_path(house: House) -> None:
    response = visits_of(house.hall, "https://x.example.com/comms")._open(
        "mine", Visitor("a", "a", "crm"), house.hall.clock()
    )
    cookie = SimpleCookie(response.headers["set-cookie"])["commsengine_mine"]
    assert (cookie["path"], cookie["secure"]) == ("/comms/mine", True)


def test_who_the_link_was_sent_to_is_known_beside_whose_page_it_is(house: House) -> None:
    house.client.post(house.link("review", "crm", ANA.id))
    assert house.client.get("/review").text.startswith(f"crm {ANA.id}")


def test_without_a_cookie_the_page_shows_nothing_and_records_nothing(house: House) -> None:
    for answer in (house.client.get("/calls"), house.client.post("/calls", data={"do": "x"})):
        assert (answer.status_code, ANA.id in answer.text) == (403, False)
        assert "Please ask for a new link" in answer.text
        assert answer.headers["cache-control"] == "no-store"


def test_after_an_hour_the_page_is_closed(house: House) -> None:
    house.client.post(house.link())
    house.hall.clock.pass_(minutes=60)
    assert house.client.get("/calls").status_code == 200
    house.hall.clock.pass_(seconds=1)
    assert house.client.get("/calls").status_code == 403


def test_a_cookie_opens_no_other_page_and_no_changed_one_opens_any(house: House) -> None:
    value = SimpleCookie(house.client.post(house.link()).headers["set-cookie"])["commsengine_calls"].value
    tried = {"commsengine_review": value, "commsengine_calls": value[:-2] + ("AA" if value[-2:] != "AA" else "BB")}
    for page in ("/review", "/calls"):
        assert WEB.get(house.address + page, headers={"Cookie": _cookies(tried)}).status_code == 403
    assert WEB.get(house.address + "/calls", headers={"Cookie": _cookies({"commsengine_calls": value})}).is_success


def _cookies(values: dict[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in values.items())


def test_a_form_needs_the_note_of_its_own_page(house: House) -> None:
    house.client.post(house.link())
    note = house.client.get("/calls").text.partition("note=")[2]
    assert house.client.post("/calls", data={"do": "x"}).status_code == 400
    assert house.client.post("/calls", data={"do": "x", "seen": note + "x"}).status_code == 400
    assert house.client.post("/calls", data={"do": "x", "seen": note}).text == "taken: x False"
    house.client.post(house.link("calls", BEN.id))
    assert house.client.post("/calls", data={"do": "x", "seen": note}).status_code == 400


def test_a_week_unused_it_is_too_old(house: House) -> None:
    link = house.link()
    house.hall.clock.pass_(days=7)
    assert (house.client.get(link).status_code, house.client.post(link).status_code) == (410, 410)


def test_a_forged_link_looks_like_one_that_is_used(house: House) -> None:
    used = house.link()
    house.client.post(used)
    forged = house.client.get("/p/forged")
    assert (forged.status_code, forged.text) == (410, house.client.get(used).text)
    sent = [house.client.post(link, data={"do": "renew"}).text for link in ("/p/forged", used)]
    assert sent[0] == sent[1]
    assert len(house.mails()) == 1


def test_a_new_link_goes_where_the_old_one_was_sent(house: House) -> None:
    link = house.link()
    house.client.post(link)
    told = house.client.post(link, data={"do": "renew"})
    assert (told.status_code, "/p/" in told.text) == (200, False)
    (mail,) = house.mails()
    assert (mail["to_email"], mail["subject"]) == (
        ANA.email,
        "Your link to the people to call",
    )
    fresh = "/p/" + mail["text"].partition("/p/")[2].split()[0].rstrip(")")
    assert house.client.post(fresh).headers["location"] == "../calls"


def test_three_new_links_an_hour_are_enough(house: House) -> None:
    link = house.link()
    for _ in range(6):
        house.client.post(link, data={"do": "renew"})
    assert len(house.mails()) == 3
    house.hall.clock.pass_(minutes=61)
    house.client.post(link, data={"do": "renew"})
    assert len(house.mails()) == 4


def test_who_leads_need_not_be_in_the_directory(house: House) -> None:
    link = house.link("review", "crm", "dana@example.com")
    house.client.post(link, data={"do": "renew"})
    assert house.mails()[0]["to_email"] == "dana@example.com"
    house.client.post(link)
    assert house.client.get("/review").text.startswith("crm dana@example.com")


def test_the_links_of_who_has_left_are_closed(house: House) -> None:
    link, other = house.link(), house.link()
    house.client.post(other)
    gone = replace(ANA, left=dt.date(2027, 1, 10))
    house.hall.store.people.save([gone], by="test", now=house.hall.clock())
    assert house.client.get("/calls").status_code == 403
    assert [house.client.request(method, link).status_code for method in ("GET", "POST")] == [410, 410]
    house.client.post(link, data={"do": "renew"})
    assert house.mails() == []


def test_of_many_presses_at_one_time_one_opens_the_page(house: House) -> None:
    link = house.address + house.link()
    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(lambda _: httpx.post(link).status_code, range(8)))
    assert statuses == [303] + [410] * 7


def test_one_link_may_be_tried_so_often_a_minute(house: House) -> None:
    statuses = [house.client.post("/p/forged").status_code for _ in range(21)]
    assert (statuses[-2:], house.client.get("/p/other").status_code) == ([410, 429], 410)


def test_nothing_leads_anywhere_else(house: House) -> None:
    for asked in ("?next=https://evil.example.com", "?to=//evil.example.com"):
        assert house.client.post(house.link() + asked).headers["location"] == "../calls"


@pytest.mark.parametrize("purpose", PURPOSES)
def test_every_purpose_has_a_path_of_its_own(house: House, purpose: Purpose) -> None:
    assert house.client.post(house.link(purpose)).headers["location"] == f"../{purpose}"
