"""Links as they are pasted and recognised: what a sentence puts behind one does not break it."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest

from tests.web.conftest import Site
from tests.web.test_answer_page import first_form

BEHIND = [")", ".", ").", ">", ",", ";", ":", "!", '"', "'", "’", "”", "»", "]", "*", "…", "\n", "\u200b", ").>\n"]


@pytest.mark.parametrize("purpose", ["answer", "mine", "unsubscribe"])
def test_a_link_opens_whatever_stands_behind_it(open_site: Callable[..., Site], purpose: str) -> None:
    site = open_site(optional=True)
    path = site.path(purpose, site.house.touch())
    statuses = [site.client.get(path + quote(behind, safe="").replace("%29", ")")).status_code for behind in BEHIND]
    assert statuses == [200] * len(BEHIND)
    assert site.house.kinds() == []


@pytest.mark.parametrize("behind", BEHIND)
def test_an_answer_given_there_counts(site: Site, behind: str) -> None:
    path = site.path("answer", site.house.touch()) + quote(behind, safe="")
    given = site.client.post(path, data=first_form(site.client.get(path).text), follow_redirects=True)
    assert (given.status_code, site.house.kinds()) == (200, ["acknowledged"])


def test_a_link_that_is_broken_itself_does_not_open(site: Site) -> None:
    path = site.path("answer", site.house.touch())
    broken = [path[:-1], path[:-1] + ")", path + "x)", path + "A", path.replace(".", "", 1), path + "/a"]
    assert [site.client.get(each).status_code for each in broken] == [404] * len(broken)
