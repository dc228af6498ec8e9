"""A manager's page, as a browser without script uses it."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx
import pytest

from tests.builders import ANA, BEN, MIA, a_message
from tests.web.conftest import Site

NAMED = a_message(sender="manager", managers_first="2 working days", **{"from": "2027-01-13"})


def opened(site: Site, about: str = MIA.id) -> httpx.Response:
    """The manager's page, by the link in their mail."""
    url = site.house.fresh_links.make("calls", about, site.house.clock(), campaign="crm")
    return site.client.post(urlsplit(url).path, follow_redirects=True)


def said(site: Site, page: httpx.Response, **fields: str) -> httpx.Response:
    note = re.search(r'name="seen" value="([^"]+)"', page.text)
    return site.client.post("/calls", data={"seen": note[1] if note else "", **fields}, follow_redirects=True)


def test_a_managers_page_lists_their_calls_and_takes_the_outcome(site: Site) -> None:
    call = site.house.call()
    page = opened(site)
    assert page.status_code == 200
    for words in ("Ana Kim", "tel:+8221234", "What to say, and what not", "How did it go?"):
        assert words in page.text
    done = said(site, page, do="outcome", id=call, outcome="objects", unclear="role", note="She fears <b>it</b>.")
    assert "Recorded. Thank you" in done.text
    assert "No one needs a call from you now" in done.text
    assert "She fears &lt;b&gt;it&lt;/b&gt;." in done.text
    (one,) = site.house.store.answers.outcomes()
    assert (one.outcome, one.unclear, one.by) == ("objects", "role", MIA.email)
    again = said(site, page, do="outcome", id=call, outcome="objects")
    assert "recorded already" in again.text
    other = said(site, page, do="outcome", id=call, outcome="declines")
    assert (other.status_code, "This call is closed" in other.text) == (422, True)
    assert len(site.house.store.answers.outcomes()) == 1


def test_looking_changes_nothing(site: Site) -> None:
    site.house.call()
    opened(site)
    for _ in range(2):
        assert site.client.get("/calls").status_code == 200
    assert site.house.store.answers.outcomes() == []


def test_only_ones_own_people_and_only_behind_the_link(site: Site) -> None:
    call = site.house.call()
    assert site.client.get("/calls").status_code == 403
    page = opened(site, BEN.id)
    assert "Ana Kim" not in page.text
    refused = said(site, page, do="outcome", id=call, outcome="understood")
    assert refused.status_code == 400  # there was no form on that page
    assert site.house.store.answers.outcomes() == []


@pytest.mark.parametrize("fields", [{"do": "x"}, {"do": "hold", "campaign": "crm", "message": "one-record"}, {}])
def test_a_form_that_says_nothing_we_know_is_refused(site: Site, fields: dict[str, str]) -> None:
    assert said(site, opened(site), **fields).status_code in (400, 422)


def test_what_goes_out_in_their_name_can_be_held_and_gets_a_line(open_site: Callable[..., Site]) -> None:
    site = open_site(NAMED)
    page, about = opened(site), {"campaign": "crm", "message": "one-record"}
    assert "What is sent in your name" in page.text
    held = said(site, page, do="hold", until="2027-01-15", **about)
    assert "You hold this message. It is sent on" in held.text
    added = said(site, page, do="line", text="Ask me on <Thursday>.", **about)
    assert "Mia adds: Ask me on &lt;Thursday&gt;." in added.text
    theirs = site.get(site.house.touch(ANA))
    assert "Mia adds: Ask me on &lt;Thursday&gt;." in theirs.text
    gone = said(site, page, do="let_go", **about)
    assert "It is sent from now on." in gone.text
    too_long = said(site, page, do="hold", until="2027-03-01", **about)
    assert (too_long.status_code, "at most 5 working days" in too_long.text) == (422, True)


def test_a_briefings_own_page_asks_nothing_and_can_hold(open_site: Callable[..., Site]) -> None:
    site = open_site({**NAMED, "to": ["others"]})  # Ana; Mia is in sales
    key = site.house.touch(MIA, kind="briefing")
    page = site.get(key)
    assert "Your people get this on" in page.text
    assert "You need not answer" in page.text
    assert 'value="got_it"' not in page.text
    about = {"campaign": "crm", "message": "one-record"}
    held = site.post(key, do="hold", until="2027-01-15", **about).text
    assert "Held. It is sent on" in held
    assert 'Your people get this on <time datetime="2027-01-15">' in held
    (hold,) = site.house.store.manager_words.holds("crm")
    assert (hold.person_id, str(hold.until)) == (MIA.id, "2027-01-15")
    assert site.post(key, do="hold", until="2027-01-15", campaign="crm", message="other").status_code == 400
    assert site.post(site.house.touch(ANA), do="hold", until="2027-01-15", **about).status_code == 400
