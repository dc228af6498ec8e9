"""Leaving an optional campaign: by the page or the one click of RFC 8058; never by looking, never as having read."""

from __future__ import annotations

from collections.abc import Callable

from tests.builders import ANA
from tests.web.conftest import Site

ONE_CLICK = {"List-Unsubscribe": "One-Click"}

OpenSite = Callable[..., Site]


def test_looking_leaves_nothing(open_site: OpenSite) -> None:
    site = open_site(optional=True)
    shown = site.get(site.house.touch(), "unsubscribe")
    assert (shown.status_code, site.house.kinds()) == (200, [])


def test_one_click_leaves_without_a_redirect_and_acknowledges_nothing(open_site: OpenSite) -> None:
    site = open_site(optional=True)
    done = site.client.post(site.path("unsubscribe", site.house.touch()), data=ONE_CLICK)
    assert (done.status_code, done.headers.get("location"), "set-cookie" in done.headers) == (200, None, False)
    assert site.house.kinds() == ["not_for_me"]


def test_the_button_leaves_and_says_so(open_site: OpenSite) -> None:
    site = open_site(optional=True)
    key = site.house.touch()
    assert "You hear nothing more of this" in site.post(key, "unsubscribe", do="not_for_me").text
    (answer,) = site.house.store.facts.answers_of(ANA.id)
    assert answer.whole_campaign


def test_a_campaign_that_is_not_optional_cannot_be_left_so(site: Site) -> None:
    key = site.house.touch()
    assert site.client.post(site.path("unsubscribe", key), data=ONE_CLICK).status_code == 404
    assert site.house.kinds() == []
