"""Messages, cards, digests and errors of texts in a language in which every text is marked: no word is left out."""

from __future__ import annotations

from dataclasses import replace
from html import unescape
from itertools import product
from typing import Any

import pytest

from commsengine.cadence.plan import ANGLES, Cadence
from commsengine.content.message import RenderedMessage
from commsengine.content.person_values import Signers
from commsengine.content.phrases import often
from commsengine.content.templates import html_flaws, parse
from commsengine.content.text_check import check_texts
from commsengine.errors import RenderError
from commsengine.translation import in_language
from tests.builders import BEN, a_message, a_plan, translated
from tests.content.desk import SHIPPED, a_renderer, a_touch
from tests.content.test_digest_facts import ANA, FACTS
from tests.content.test_grammar import BOMBS, NAMES
from tests.pseudo import LANGUAGE, in_pseudo, untranslated, untranslated_html, value

LEAD = replace(BEN, id="lead", name=value("Lead"), email="lead@example.com")
PERSON = replace(BEN, name=value("Person"), language=LANGUAGE)
CAST = Signers(LEAD, LEAD, LEAD)
CHECK = {"question": value("q"), "answers": [value("a"), value("b")], "right": value("a"), "because": value("c")}
WIIFM = {angle: value(angle) for angle in ANGLES}
ASKS: tuple[dict[str, Any], ...] = (
    {}, {"ask": "nothing"}, {"ask": "commit", "commit": value("commit")}, {"ask": "check", "checks": [CHECK]},
    {"checks": [CHECK], "check_every": 2}, {"ask": "input", "input": {"question": value("question")}},
    {"ask": "input", "input": {"question": value("question")}, "checks": [CHECK], "check_every": 2},
)  # fmt: skip
PLAN = a_plan(
    *(a_message(id=f"m{place}", key_point=value("key point"), **asks) for place, asks in enumerate(ASKS)),
    a_message(id="fixed", corrects="m0", key_point=value("key point")),
    title=value("title"), wiifm={"sales": WIIFM, "others": WIIFM}, optional=True,
)  # fmt: skip


def strays(message: RenderedMessage) -> list[str]:
    found = untranslated(message.subject) + untranslated(unescape(message.text)) + untranslated_html(message.html)
    for block in message.blocks:
        shown = [block.get("text"), *block.get("elements", ())]
        for text in (each.get("text") for each in shown if each):
            found += untranslated(text if isinstance(text, str) else text["text"])
    return [word for word in found if "https://" not in word]


def test_every_word_of_a_message_is_in_the_catalog() -> None:
    with in_pseudo(), in_language("en"):
        renderer = a_renderer(translated(PLAN, LANGUAGE))
        for message, channel, kind, number in product(PLAN.messages, ("email", "slack"), ("message", "remind"), (1, 2)):
            touch = a_touch(message.id, number, channel=channel, kind=kind)
            assert strays(renderer.touch(touch, PERSON, CAST)) == [], touch


@pytest.mark.parametrize("channel", ["email", "slack"])
def test_every_word_of_a_digest_is_in_the_catalog(channel: Any) -> None:
    facts = replace(FACTS, calls=(), questions=(), answers=(), held=(), figures=())
    with in_pseudo(), in_language("en"):
        renderer = a_renderer(translated(PLAN, LANGUAGE))
        lead = replace(LEAD, language=LANGUAGE)
        assert strays(renderer.digest(lead, facts, channel)) == []
        assert strays(renderer.digest(lead, replace(facts, answered=0), channel)) == []
        call = replace(
            ANA, name=value("name"), role="", phone="", reason=value("why"), talk=replace(ANA.talk, parts=())
        )
        told = renderer.manager_list(lead, LEAD, replace(facts, calls=(call,)), channel)
        assert strays(told) == []


@pytest.mark.parametrize(
    ("cadence", "said"),
    [
        ({"every": 72 * 60, "times": 3}, "⟦You get this every 3 days, at most 3 times.⟧"),
        ({"every": 24 * 60}, "⟦You get this every day until it ends.⟧"),
        ({"every": 7 * 24 * 60}, "⟦You get this every week until it ends.⟧"),
        ({"every": 14 * 24 * 60}, "⟦You get this every 2 weeks until it ends.⟧"),
        ({"every": 25 * 60}, "⟦You get this every 25 hours until it ends.⟧"),
        ({"every": 24 * 60 + 1}, "⟦You get this every 1441 minutes until it ends.⟧"),
        ({"every": 24 * 60, "times": 1}, "⟦This is sent once.⟧"),
        ({"recall_floor": 0.3}, "⟦You get this often at first, then less and less.⟧"),
    ],
)
def test_how_often_a_message_comes_is_in_the_catalog(cadence: dict[str, Any], said: str) -> None:
    with in_pseudo():
        assert often(Cadence(**cadence)) == said


def test_what_is_wrong_with_a_text_is_in_the_catalog() -> None:
    sources = [
        *BOMBS,
        "{{ milestones }}",
        "{{ person.name | lowr }}",
        "{{ _('a {b}') }}",
        "{{ _('{1}') }}",
        "{{ _(1) }}",
    ]
    with in_pseudo():
        flaws = [flaw for source in sources for flaw in parse(source, NAMES).flaws]
        flaws += html_flaws("<script>x</script><a onclick=1 style='url(x)' href={{ x }}>y</a>")
        ours = [flaw for flaw in flaws if "{{ }} and" not in flaw.fix]  # the others are in the words of Jinja2
        assert {flaw.message: strays for flaw in ours if (strays := untranslated(f"{flaw.message} {flaw.fix}"))} == {}
        told = check_texts(
            a_plan(a_message(text="[a](http://x) ![b](https://c) {{ person.depo }}")), SHIPPED, ["email"]
        )
        assert len(told) == 3
        assert [word for problem in told for word in untranslated(f"{problem.message} {problem.fix}")] == []


@pytest.mark.parametrize(("theirs", "ours"), [(LANGUAGE, "en"), ("en", LANGUAGE)])
def test_an_error_is_in_the_language_of_those_who_send(theirs: str, ours: str) -> None:
    broken = {**SHIPPED, "wiifm": "# {{ person.depot }}"}
    with in_pseudo(), in_language(ours):
        renderer = a_renderer(translated(a_plan(), LANGUAGE), broken)
        with pytest.raises(RenderError) as raised:
            renderer.touch(a_touch(), replace(BEN, language=theirs), CAST)
    assert raised.value.what.startswith("⟦'person.depot'") == (ours == LANGUAGE)
