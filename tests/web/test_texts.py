"""What the pages say beside their templates, in a language in which every text is marked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from commsengine.translation import ENGLISH
from commsengine.web import answer_page, my_messages_page, rendering
from tests.builders import a_message
from tests.pseudo import in_pseudo, untranslated, untranslated_html
from tests.web.conftest import Site

INPUT = {"question": "What must stay?"}


@pytest.fixture(autouse=True)
def _pseudo() -> Iterator[None]:
    with in_pseudo(ENGLISH):
        yield


@pytest.mark.parametrize("status", rendering.NOTICES)
def test_notices(status: int) -> None:
    assert untranslated_html(bytes(rendering.notice(status).body).decode()) == []


def test_a_link_that_does_not_work(site: Site) -> None:
    assert untranslated_html(site.client.get("/a/forged").text) == []


@pytest.mark.parametrize("word", answer_page.NOTICES)
def test_what_the_answer_page_says_after_a_form(site: Site, word: str) -> None:
    page = site.client.get(f"{site.path('answer', site.house.touch())}?note={word}").text
    assert f"⟦{answer_page.NOTICES[word]}⟧" in page


@pytest.mark.parametrize("word", my_messages_page.NOTICES)
def test_what_my_messages_say_after_a_form(site: Site, word: str) -> None:
    page = site.mine(note=word).text
    assert f"⟦{my_messages_page.NOTICES[word]}⟧" in page
    assert "⟦E-mail⟧" in page


def test_what_the_answer_page_asks_for(open_site: Callable[..., Site]) -> None:
    site = open_site(a_message(ask="input", input=INPUT))
    assert f"⟦{answer_page.ASKS['input']}⟧" in site.get(site.house.touch()).text


WRONG: list[dict[str, Any]] = [{"channel": "fax"}, {"from": "09:30"}, {"from": "15:00", "to": "09:30"}]


@pytest.mark.parametrize("wish", WRONG)
def test_a_wish_that_cannot_be(site: Site, wish: dict[str, str]) -> None:
    page = site.send_mine(do="preferences", **wish).text
    said = page.partition('<p class="note bad" role="alert">')[2].partition("</p>")[0]
    assert said
    assert untranslated(said) == []


def test_leaving_by_one_click(open_site: Callable[..., Site]) -> None:
    site = open_site(optional=True)
    said = site.post(site.house.touch(), "unsubscribe", **{"List-Unsubscribe": "One-Click"}).text
    assert untranslated(said) == []
