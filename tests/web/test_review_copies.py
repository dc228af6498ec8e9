"""Pages of a review copy: they look and work like the real ones, and record nothing."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from commsengine.answers.review_copies import NOTE, OPEN, ReviewCopies
from commsengine.cadence.history import Touch
from commsengine.cadence.kinds_and_states import TouchKind
from commsengine.cadence.people import by_address
from commsengine.cadence.plan import Workspace
from commsengine.content.message import RenderedMessage
from commsengine.store.store import Store
from commsengine.store.tables import metadata
from commsengine.translation import in_language
from commsengine.web.answer_page import NOTICES
from tests.answering import KEYS, TEMPLATES, Answering, answering
from tests.browsing import TRUST
from tests.builders import ANA, BEN, MIA, a_message, translated
from tests.pseudo import LANGUAGE, in_pseudo
from tests.waiting import PATIENCE
from tests.web.conftest import app_of, served

CHECK = {
    "question": "Where do you log a call?",
    "answers": ["My notebook", "The record"],
    "right": "The record",
    "because": "Your colleague sees it there.",
}


@dataclass
class Review:
    """A campaign that runs, and the pages of its review copies."""

    house: Answering
    copies: ReviewCopies
    client: httpx.Client

    def copy(self, *, kind: TouchKind = "message", **more: Any) -> RenderedMessage:
        now = self.house.clock()
        when = (now.date(), now, now + dt.timedelta(hours=5))
        whom = more.pop("whom", ANA)
        more.setdefault("again_at", now + dt.timedelta(days=2))
        touch = Touch("crm", "one-record", ANA.id, "others", 0, kind, more.pop("channel", "email"), *when, **more)
        people = (whom, by_address(self.house.plan.owner[0]), MIA)
        return self.copies.make(self.house.plan, TEMPLATES, touch, people, to=BEN.email, by="dana")[1]

    def get(self, url: str) -> httpx.Response:
        return self.client.get(urlsplit(url).path)

    def post(self, url: str, **fields: str) -> httpx.Response:
        """A form of the page as it is now."""
        note = re.search(r'name="seen" value="([^"]+)"', self.get(url).text)
        assert note
        return self.client.post(urlsplit(url).path, data={"seen": note[1], **fields}, follow_redirects=True)

    def url(self, message: RenderedMessage) -> str:
        found = re.search(r"http\S+/r/\w+/a/[\w.-]+", message.text)
        assert found
        return found[0]


@pytest.fixture
def open_review(tmp_path: Path) -> Iterator[Callable[..., Review]]:
    with ExitStack() as opened:

        def open_(*messages: Any, **limits: int) -> Review:
            house = answering(tmp_path, *messages)
            opened.callback(house.store.close)
            copies = ReviewCopies(house.store, house.links.base_url, KEYS, Workspace(), house.clock, **limits)
            opened.callback(copies.close)
            address = opened.enter_context(served(app_of(house, copies=copies)))
            return Review(
                house, copies, opened.enter_context(httpx.Client(base_url=address, verify=TRUST, timeout=PATIENCE))
            )

        yield open_


def rows(store: Store) -> dict[str, list[Any]]:
    """Everything on record."""
    return {table.name: sorted(map(str, store.database.rows(table.select()))) for table in metadata.sorted_tables}


def test_its_page_looks_like_the_real_one_and_says_what_it_is(open_review: Callable[..., Review]) -> None:
    review = open_review()
    real = review.client.get(urlsplit(review.house.url("answer", review.house.touch())).path).text
    shown = review.get(review.url(review.copy()))
    assert (shown.status_code, NOTE in shown.text, NOTE in real) == (200, True, False)

    def alone(page: str) -> str:
        page = re.sub(r'(?s)<p class="review".*?</p>\n|<form method="post" action="../again".*?</form>\n', "", page)
        return re.sub(r'(http|webcal)[^"]*|[\w-]{40,}(\.[\w-]+)*|value="[^"]+"', "", page)

    ours, theirs = alone(shown.text).splitlines(), alone(real).splitlines()
    assert [pair for pair in zip(ours, theirs, strict=True) if pair[0] != pair[1]] == []
    assert review.client.get(f"{urlsplit(str(shown.url)).path.rpartition('/a/')[0]}/style.css").status_code == 200


def test_what_is_pressed_on_it_is_shown_and_recorded_nowhere(open_review: Callable[..., Review]) -> None:
    review = open_review()
    url = review.url(review.copy())
    before = rows(review.house.store)
    assert "You confirmed" in review.post(url, do="got_it").text
    assert "You confirmed" in review.get(url).text
    assert "Undone." in review.post(url, do="undo").text
    assert "<blockquote>When?</blockquote>" in review.post(url, do="question", text="When?").text
    assert NOTICES["snoozed"] in review.post(url, do="snooze").text
    assert "Your link is on its way" in review.post(url, do="mine").text
    review.post(url, do="heard_enough", scope="campaign")
    heard = re.search(r'href="([^"]+/h/[^"]+)"', review.get(url).text)
    assert heard
    assert review.get(heard[1]).status_code == 200
    after = rows(review.house.store)
    assert {name: found for name, found in after.items() if name != "review_copy"} == {
        name: found for name, found in before.items() if name != "review_copy"
    }
    assert review.house.kinds() == []


def test_a_check_is_answered_and_explained(open_review: Callable[..., Review]) -> None:
    review = open_review(a_message(ask="check", checks=[CHECK]))
    url = review.url(review.copy(asks="recall"))
    assert "Where do you log a call?" in review.get(url).text
    told = review.post(url, do="check", choice="My notebook").text
    assert ("Your colleague sees it there." in told, "Every customer conversation" in told) == (True, True)


def test_what_was_promised_is_asked_about(open_review: Callable[..., Review]) -> None:
    review = open_review(a_message(ask="commit", commit={"text": "I log each call.", "by": "kickoff + 7d"}))
    url = review.url(review.copy(kind="commitment"))
    assert "Is it done?" in review.get(url).text
    assert "You said it is done" in review.post(url, do="kept", state="kept").text


def test_a_copy_is_in_the_language_of_its_person(open_review: Callable[..., Review]) -> None:
    review = open_review()
    review.house.plan = translated(review.house.plan, LANGUAGE, "⟦{}⟧".format)
    with in_pseudo(), in_language("en"):
        message = review.copy(whom=replace(ANA, language=LANGUAGE))
        shown = review.get(review.url(message)).text
    assert (message.subject.startswith("⟦"), f'lang="{LANGUAGE}"' in shown, NOTE in shown) == (True, True, True)
    assert f"⟦{NOTE}⟧" in shown


def test_it_starts_again(open_review: Callable[..., Review]) -> None:
    review = open_review()
    url = review.url(review.copy())
    review.post(url, do="got_it")
    again = review.client.post(f"{urlsplit(url).path.rpartition('/a/')[0]}/again")
    assert again.status_code == 303
    assert "You confirmed" not in review.get(again.headers["location"]).text


def test_an_expired_copy_is_closed_and_forgotten(open_review: Callable[..., Review]) -> None:
    review = open_review()
    message = review.copy()
    url = review.url(message)
    review.house.clock.pass_(seconds=OPEN.total_seconds() - 1)
    assert review.get(url).status_code == 200
    review.house.clock.pass_(seconds=1)
    shown = review.get(url)
    assert (shown.status_code, "This review copy is closed" in shown.text) == (410, True)
    assert review.copies.again(message.key) == ""
    review.house.store.review_copies.remove_expired(review.house.clock())
    assert rows(review.house.store)["review_copy"] == []


def test_an_unknown_copy_and_a_foreign_token_open_nothing(open_review: Callable[..., Review]) -> None:
    review = open_review()
    url = urlsplit(review.url(review.copy())).path
    real = urlsplit(review.house.url("answer", review.house.touch())).path
    assert review.client.get(f"/r/{'0' * 24}{real}").status_code == 410
    assert review.client.get(url.rpartition("/a/")[0] + real).status_code == 404
    assert review.client.get(f"/a/{url.rpartition('/')[2]}").status_code == 404


def test_erasing_somebody_removes_the_copies_they_are_in(open_review: Callable[..., Review]) -> None:
    review = open_review()
    url = review.url(review.copy())
    review.house.store.people.erase(BEN.id, by="dana", now=review.house.clock())
    assert review.get(url).status_code == 410
    url = review.url(review.copy())
    review.house.store.people.erase(ANA.id, by="dana", now=review.house.clock())
    assert (review.get(url).status_code, rows(review.house.store)["review_copy"]) == (410, [])


def test_more_copies_than_fit_in_memory_all_open(open_review: Callable[..., Review]) -> None:
    review = open_review(most_open=2)
    urls = [review.url(review.copy()) for _each in range(4)]
    assert [review.get(url).status_code for url in urls] == [200] * 4
