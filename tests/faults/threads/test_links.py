"""Links: threads in which a machine that reads mail acknowledged, unsubscribed or used up what a person was to press.

Our rule: GET and HEAD never change anything, however often; a link is not used up. One plain form with a button
records, nothing presses it by script, and what pressed it is kept beside the answer. A header gives nobody a name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
import pytest

from tests.builders import ANA, BEN, MIA
from tests.web.conftest import Site
from tests.web.test_answer_page import SCANNERS, first_form
from tests.web.test_unsubscribe_page import ONE_CLICK

OpenSite = Callable[..., Site]
STAFF = (ANA, BEN, MIA)


def scanned(site: Site, path: str, times: int = 1) -> list[httpx.Response]:
    """Scanners look at it, by GET and by HEAD."""
    return [
        site.client.request(verb, path, headers={"User-Agent": agent}, follow_redirects=True)
        for agent in SCANNERS[:4]
        for verb in ("GET", "HEAD")
        for _ in range(times)
    ]


@pytest.fixture
def optional(open_site: OpenSite) -> Site:
    """A campaign that people may leave, with room for many looks."""
    return open_site(optional=True, per_minute=10_000)


@pytest.mark.parametrize("purpose", ["unsubscribe", "answer"])
def test_rock_7034_the_scanner_unsubscribed_a_whole_staff(optional: Site, purpose: str) -> None:
    """They: a mail scanner followed each person's own link, and a whole staff was unsubscribed within minutes.

    Here: looking at a link, by whatever machine, neither unsubscribes nor acknowledges anybody.
    """
    for person in STAFF:
        assert {
            seen.status_code for seen in scanned(optional, optional.path(purpose, optional.house.touch(person)))
        } == {200}
    assert [optional.house.kinds(person) for person in STAFF] == [[], [], []]


def test_emailflare_190_the_scanner_opted_out_and_used_up_the_link(optional: Site) -> None:
    """They: a GET opted the person out and used up the link; their own click then met "invalid or expired".

    Here: after the scanners have been there the person is still in, and their own press works.
    """
    key = optional.house.touch()
    scanned(optional, optional.path("unsubscribe", key))
    assert optional.house.kinds() == []
    assert optional.client.post(optional.path("unsubscribe", key), data=ONE_CLICK).status_code == 200
    assert optional.house.kinds() == ["not_for_me"]


def test_ghost_12347_fusionauth_629_onetimesecret_359_the_link_was_spent_before_the_person_came(optional: Site) -> None:
    """They: a link for one use was opened by the scanner first; for the person it had expired.

    Here: a link stays good until the campaign is over; it is the answer that counts one time.
    """
    key = optional.house.touch()
    scanned(optional, optional.path("answer", key), times=4)
    optional.house.clock.pass_(days=3)
    for _ in range(2):
        assert optional.post(key, **first_form(optional.get(key).text)).status_code == 200
    assert len(optional.house.store.answers.of_person(ANA.id)) == 1


def test_next_auth_1840_the_bot_pressed_the_button_as_well(site: Site) -> None:
    """They: a button was put before the link, and the scanner pressed the button.

    Here: a press without its page is kept as suspect, and counts nowhere; one with its page carries what pressed it and
    how soon.
    """
    bare = site.house.touch()
    site.client.post(site.path("answer", bare), headers={"User-Agent": SCANNERS[0]})
    assert [one.key for one in site.house.store.answers.suspects(campaign="crm")] == [bare]
    assert site.house.kinds() == []
    key = site.house.touch(number=2)
    fields = first_form(site.get(key).text)
    site.client.post(site.path("answer", key), data=fields, headers={"User-Agent": SCANNERS[0]})
    told: Any = site.house.store.answers.of_person(ANA.id)[-1].detail
    assert (told["ms_since_get"], told["user_agent"]) == ("0", SCANNERS[0])


def test_outline_9227_the_scanner_ran_the_script_that_pressed_for_the_person(optional: Site) -> None:
    """They: the page forwarded by script, and the scanner ran scripts.

    Here: there is no script, no forwarding and nothing to fetch that records; the browser is told to run none.
    """
    path = optional.path("answer", optional.house.touch())
    page = optional.client.get(path)
    assert not re.search(r"<script|http-equiv|\son\w+=|javascript:", page.text, re.IGNORECASE)
    assert "script-src" not in page.headers["content-security-policy"]
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for link in re.findall(r'(?:href|src|action)="([^"]*)"', page.text):
        optional.client.get(urlsplit(urljoin(path, link)).path, follow_redirects=True)
    assert optional.house.kinds() == []


def test_oauth2_proxy_3506_everybody_was_believed_who_they_said_they_are(site: Site) -> None:
    """They: headers that only the proxy may set were believed of every client, and made anybody anybody.

    Here: no header says who answers or where a link leads; only the signed link does.
    """
    forged = {
        "X-Forwarded-User": BEN.email, "X-Forwarded-Email": BEN.email, "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https", "X-Auth-Request-Email": BEN.email, "Forwarded": "host=evil.example",
    }  # fmt: skip
    assert site.client.get("/a/not-a-token", headers=forged).status_code == 404
    key = site.house.touch()
    assert "evil.example" not in site.client.get(site.path("answer", key), headers=forged).text
    done = site.client.post(site.path("answer", key), data=first_form(site.get(key).text), headers=forged)
    assert "evil.example" not in done.headers["location"]
    assert (site.house.kinds(ANA), site.house.kinds(BEN)) == (["acknowledged"], [])
