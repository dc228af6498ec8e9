"""A commitment on its page: "I will", then once "is it done?", kept or not, and what is no answer to it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.builders import ANA, a_message
from tests.replies import answer_question
from tests.web.conftest import Site

PROMISE = "I log each call."
COMMIT = a_message(ask="commit", commit={"text": PROMISE, "by": "2027-01-20"})


@pytest.fixture
def site(open_site: Callable[..., Site]) -> Site:
    return open_site(COMMIT)


def promised(site: Site) -> str:
    """Ana said that she will, and is asked whether it is done; the key of that question."""
    first = site.house.touch()
    site.post(first, do="commit", value="")
    site.house.clock.pass_(days=9)
    return site.house.touch(kind="commitment")


def test_it_asks_i_will_and_never_got_it(site: Site) -> None:
    key = site.house.touch()
    shown = site.get(key).text
    assert PROMISE in shown
    assert "I will</button>" in shown
    assert "Got it" not in shown
    assert "We ask you on Wednesday, 20 January 2027 whether it is done." in shown
    for fields in ({}, {"do": "got_it"}):
        refused = site.post(key, **fields)
        assert (refused.status_code, "asks you for an answer" in refused.text) == (422, True)
    assert site.house.kinds() == []
    site.post(key, do="commit", value="From Monday on.")
    assert site.house.kinds() == ["commit"]


def test_afterwards_it_says_what_was_promised_and_when_it_is_asked(site: Site) -> None:
    key = site.house.touch()
    said = site.post(key, do="commit", value="").text
    assert f"<blockquote>{PROMISE}</blockquote>" in said
    assert "We ask you on Wednesday, 20 January 2027 whether it is done." in said


@pytest.mark.parametrize(
    ("state", "said"), [("kept", "You said it is done"), ("not_kept", "You said it is not done yet")]
)
def test_on_its_day_either_answer_is_taken_with_a_line(site: Site, state: str, said: str) -> None:
    key = promised(site)
    shown = site.get(key).text
    assert "Is it done?" in shown
    assert PROMISE in shown
    assert "Got it" not in shown
    after = site.post(key, do="kept", state=state, value="The mask is too slow.")
    assert said in after.text
    assert "The mask is too slow." in after.text
    assert site.house.kinds() == ["commit", state]


def test_not_yet_may_become_done(site: Site) -> None:
    key = promised(site)
    assert "Say whether it is done" in site.post(key, do="kept", state="not_kept").text
    site.house.clock.pass_(days=2)
    assert "You said it is done" in site.post(key, do="kept", state="kept").text
    assert site.house.kinds() == ["commit", "not_kept", "kept"]
    assert "Say whether it is done" not in site.get(key).text


def test_a_form_without_an_answer_records_nothing(site: Site) -> None:
    key = promised(site)
    assert site.post(key, do="kept").status_code == 422
    assert site.post(key, do="kept", state="perhaps").status_code == 422
    assert site.house.kinds() == ["commit"]


def test_who_never_said_so_cannot_have_kept_it(site: Site) -> None:
    key = site.house.touch()
    assert site.post(key, do="kept", state="kept").status_code == 422
    assert site.house.kinds() == []


def test_it_can_be_done_before_its_day_on_the_page_of_the_message(site: Site) -> None:
    key = site.house.touch()
    site.post(key, do="commit")
    assert "Say whether it is done" in site.get(key).text
    site.post(key, do="kept", state="kept")
    assert site.house.kinds() == ["commit", "kept"]


def test_an_objection_is_shown_without_the_note_and_with_its_answer(site: Site) -> None:
    key = site.house.touch()
    number = site.house.store.answers.outcome(
        ANA.id,
        "crm",
        ["one-record"],
        "objects",
        note="She fears for her bonus.",
        objection=("one-record", key),
        by="mia",
        now=site.house.clock(),
    )
    assert number
    shown = site.get(key).text
    assert "We have your objection" in shown
    assert "bonus" not in shown
    answer_question(site.house.store, site.house.inbox, number, "Nobody counts calls.", "dana", site.house.clock())
    shown = site.get(key).text
    assert "Nobody counts calls." in shown
    assert "bonus" not in shown
    record = site.house.inbox.record_of(ANA.id, site.house.clock())
    told = [line.text for part in record.campaigns for message in part.messages for line in message.lines]
    assert "You objected, as recorded after a talk with you" in told
    assert "bonus" not in str(record.export["question"])
