"""A letter filled from what was encoded once reads as the same letter laid out as a whole, whatever stands in it."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commsengine.channels.mime import message_bytes
from commsengine.content.digest_facts import ReviewFacts, ReviewPart
from commsengine.content.message import RenderedMessage, WrittenBody
from commsengine.content.person_values import Signers
from commsengine.content.render import Renderer
from commsengine.translation import in_language
from tests.builders import BEN, MIA, translated, utc
from tests.content.desk import DANA, a_renderer, written
from tests.content.test_digest_facts import FACTS
from tests.content.test_hostile import HOSTILE, named
from tests.content.test_languages import PLAN, REPLY, touches
from tests.pseudo import FROM_THE_RIGHT, in_pseudo

SENDER = "change@example.com"
OURS = ("de", *(pytest.param(language, marks=pytest.mark.slow) for language in ("en", "es", "fr")))
SERVICE = ("answer", "link", "settings")
REVIEW = ReviewFacts("What the phase says", "Two people wait.", (ReviewPart("Reach", ("a = b", ".dot", "é")),))
LONG = ".李明 <b> = Zoë Ångström " * 12


def read(message: RenderedMessage) -> dict[str, str]:
    """The text of each part, as a mail program shows it."""
    mail = email.message_from_bytes(message_bytes(message, SENDER), policy=email.policy.SMTP)
    parts = list(mail.walk())
    assert [defect for part in parts for defect in part.defects] == []
    return {part.get_content_subtype(): as_text(part) for part in parts[1:]}


def as_text(part: Any) -> str:
    return str(part.get_content()).replace("\r\n", "\n")


def reads_the_same(message: RenderedMessage) -> bool:
    whole = message._replace(body=WrittenBody(message.text, message.html))
    told = read(message)
    assert told == read(whole)
    return told == {"plain": message.text, "html": message.html}


def letters(renderer: Renderer, language: str, name: str) -> Iterator[RenderedMessage]:
    """One of every template that goes by mail."""
    ben, lead = replace(BEN, name=name, job=name, language=language), replace(DANA, name=name, language=language)
    cast, at = Signers(lead, MIA, lead, {"one-record": name}), utc("2027-01-12")
    for touch in touches():
        if touch.channel == "email" and touch.number == 1:
            yield renderer.touch(touch, ben, cast, (REPLY,))
    for template in SERVICE:
        fields: dict[str, Any] = {"question": name, "answer": name, "others": "", "given": "question", "ending": "done"}
        yield renderer.service(template, "k", ben, cast, at, message="text", role="sales", **fields, promised="")
    yield renderer.digest(lead, FACTS)
    yield renderer.review(lead, "k", REVIEW, at, "email", "https://comms.example.com/r/x")
    yield renderer.manager_list(replace(MIA, language=language), lead, FACTS, "email")


def plan_in(language: str) -> Any:
    return translated(PLAN, language, lambda text: f"{text} é=.")


@pytest.mark.parametrize("language", OURS)
def test_every_shipped_letter_reads_as_if_it_was_laid_out_whole(language: str) -> None:
    renderer = a_renderer(plan_in(language))
    for message in letters(renderer, language, LONG):
        assert reads_the_same(message), message.subject
        assert not isinstance(message.body, WrittenBody)


def test_so_does_one_from_the_right() -> None:
    with in_pseudo(FROM_THE_RIGHT), in_language("en"):
        renderer = a_renderer(plan_in(FROM_THE_RIGHT))
        for message in letters(renderer, FROM_THE_RIGHT, "Ana שלום Kim"):
            assert reads_the_same(message), message.subject


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_values_read_as_they_are(value: str) -> None:
    assert reads_the_same(written("personal", person=named(value)[0], signers=named(value)[1]))


@given(st.text(max_size=400))
def test_any_value_reads_as_it_is(value: str) -> None:
    person, signers = named(value)
    assert reads_the_same(written("personal", person=person, signers=signers))
