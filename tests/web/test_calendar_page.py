"""The calendar of the milestones: what a calendar program is given, and when it is told that nothing has changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx
from icalendar import Calendar

from commsengine.content.render import FOR_GOOD
from tests.builders import a_message, a_plan, utc
from tests.web.conftest import Site

MILESTONES = {
    "kickoff": "2027-01-11",
    "go_live": {"date": "2027-03-17", "firm": "false", "because": "The pilot lost calls."},
}


def feed(site: Site, **headers: str) -> httpx.Response:
    return site.client.get(urlsplit(address(site)).path, headers=headers)


def address(site: Site) -> str:
    return f"{site.house.links.url('calendar', 'crm', FOR_GOOD)}.ics"


def events(response: httpx.Response) -> dict[str, dict[str, object]]:
    return {
        str(event["uid"]).partition(".")[0]: {
            "summary": str(event["summary"]),
            "from": event.decoded("dtstart"),
            "to": event.decoded("dtend"),
            "status": str(event["status"]),
            "sequence": int(event["sequence"]),
        }
        for event in Calendar.from_ical(response.content).walk("VEVENT")
    }


def test_each_milestone_is_a_day_or_while_it_is_planned_a_week(open_site: Callable[..., Site]) -> None:
    response = feed(open_site(a_message(), milestones=MILESTONES))
    assert response.headers["content-type"].startswith("text/calendar")
    assert events(response) == {
        "kickoff": {
            "summary": "Kickoff – One customer record", "status": "CONFIRMED", "sequence": 1,
            "from": dt.date(2027, 1, 11), "to": dt.date(2027, 1, 12),
        },
        "go_live": {
            "summary": "Go live, planned for the week of 15 March 2027 – One customer record",
            "status": "TENTATIVE", "sequence": 1, "from": dt.date(2027, 3, 15), "to": dt.date(2027, 3, 22),
        },
    }  # fmt: skip
    assert b"The pilot lost calls." in response.content
    assert b"example.com" not in response.content


def test_a_moved_date_is_the_same_event_with_a_higher_sequence(site: Site) -> None:
    before, store = events(feed(site)), site.house.store
    moved = a_plan(milestones={"kickoff": "2027-01-11", "go_live": "2027-04-05"})
    store.campaigns.save_version(moved, {}, "", introduced={}, by="dana", now=utc("2027-01-12 10:00"))
    after = events(feed(site))
    assert after["go_live"] == before["go_live"] | {
        "from": dt.date(2027, 4, 5),
        "to": dt.date(2027, 4, 6),
        "sequence": 2,
    }


def test_a_cancelled_campaign_says_so(site: Site) -> None:
    site.house.store.campaigns.cancel("crm", by="dana", now=utc("2027-01-12 10:00"))
    assert {(event["status"], event["sequence"]) for event in events(feed(site)).values()} == {("CANCELLED", 2)}


def test_what_has_not_changed_is_not_sent_again(site: Site) -> None:
    first = feed(site)
    again = feed(site, **{"If-None-Match": first.headers["etag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    assert first.headers["cache-control"] == "private, max-age=900"
    assert feed(site, **{"If-None-Match": '"other"'}).status_code == 200


def test_a_forged_link_opens_nothing(site: Site) -> None:
    url = urlsplit(address(site)).path
    assert site.client.get(url.replace("/c/", "/c/x")).status_code == 404
    assert site.client.get("/a/" + url.removeprefix("/c/").removesuffix(".ics")).status_code == 404
    assert site.client.post(url).status_code == 405


def test_many_calendars_ask_by_one_link(open_site: Callable[..., Site]) -> None:
    site = open_site(per_minute=2)
    assert {feed(site).status_code for _ in range(5)} == {200}


def test_the_answer_page_offers_it(site: Site) -> None:
    html, url = site.get(site.house.touch()).text, address(site)
    assert f'href="{url}"' in html
    assert f'href="webcal:{url.partition(":")[2]}"' in html


def test_what_stands_behind_the_address_in_a_text_is_no_part_of_it(open_site: Callable[..., Site]) -> None:
    site = open_site(a_message(), milestones=MILESTONES)
    path = urlsplit(address(site)).path
    assert [site.client.get(f"{path}{tail}").status_code for tail in (")", ".", ">.", ",", ").")] == [200] * 5
    assert site.client.get(f"{path}x").status_code == 404
