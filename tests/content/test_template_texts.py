"""Every shipped template in a language in which every text is marked: no word is left out of the catalog."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from html import escape
from random import Random
from typing import Any

import pytest

from commsengine.cadence.kinds_and_states import ENDINGS, OFFERS, ChannelName
from commsengine.content.grammar import ANY, layout_names, template_names
from commsengine.content.markdown import read, to_html, to_plain
from commsengine.content.slots import HTML, PLAIN, Prose, Skeleton, Slot
from commsengine.content.templates import compiled
from commsengine.translation import in_language
from tests.builders import BEN, a_plan, translated
from tests.content.desk import CAST, SHIPPED, a_full_plan, a_renderer, a_touch
from tests.pseudo import LANGUAGE, in_pseudo, texts_of, untranslated, untranslated_html, value

TIMES = 300
"""Contexts of chance a template: enough that each of its texts comes up."""

PLAN = a_plan()
Pick = Callable[[Any], Any]


def context(pick: Pick) -> dict[str, Any]:
    found = {name: made(kind, name, pick) for name, kind in layout_names(PLAN).items()}
    touch = {
        "number": pick([1, 1, 2, 3, 4, 5]),
        "variant": pick([0, 1, 2, 3]),
        "kind": pick(["message", "remind", "commitment", "digest", "review", "answer"]),
    }
    touch |= {"unclear": pick([True, False]), "asks": pick(["", "recall", "baseline", "transfer"])}
    choices = {"ask": pick(["acknowledge", "commit", "input", "check", "nothing"]), "channel": pick(["email", "slack"])}
    choices |= {
        "given": pick(["question", "input", "objection"]),
        "ending": pick(list(ENDINGS)),
        "input": pick(["", *OFFERS]),
    }
    for reply in found["replies"]:
        reply["ending"] = pick(list(ENDINGS))
    return {**found, "touch": touch, **choices, "body": Prose(value("body")), "footer": Prose(value("footer"))}


def made(kind: Any, name: str, pick: Pick) -> Any:
    if isinstance(kind, Mapping):
        return {field: made(inner, field, pick) for field, inner in kind.items()}
    if isinstance(kind, list):
        return [made(kind[0], name, pick) for _ in range(pick([0, 1, 2]))]
    return Columns(pick) if kind == ANY else pick([value(name), value(name), ""])


class Columns(dict[str, str]):
    """Any column, filled or empty."""

    def __init__(self, pick: Pick) -> None:
        super().__init__()
        self._pick = pick

    def __missing__(self, name: str) -> str:
        self[name] = self._pick([value(name), ""])
        return self[name]


def rendered(name: str) -> Iterator[str]:
    names = layout_names(PLAN) if name.startswith("layout") else template_names(PLAN)
    text = compiled(SHIPPED[name], name, names, html=name.endswith(".html"))
    for number in range(TIMES):
        pick = Random(number).choice  # noqa: S311 - dice
        yield Skeleton(text.render(context(pick)), PLAIN).fill({})


@pytest.mark.parametrize("name", SHIPPED)
def test_every_word_of_a_template_is_in_the_catalog(name: str) -> None:
    strays = untranslated_html if name.endswith(".html") else untranslated
    with in_pseudo() as texts:
        for text in rendered(name):
            assert strays(text) == []
    found = texts_of("message_templates", name if "." in name else f"{name}.md")
    assert found
    assert found - texts.asked == set(), "these did not come up"


@pytest.mark.parametrize("channel", ["email", "slack"])
def test_what_is_sent_is_in_the_language_of_its_person(channel: ChannelName) -> None:
    with in_pseudo():
        renderer = a_renderer(translated(a_full_plan(), LANGUAGE))
        with in_language("en"):
            theirs = renderer.touch(a_touch(channel=channel), replace(BEN, language=LANGUAGE), CAST)
            ours = renderer.touch(a_touch(channel=channel), BEN, CAST)
    assert "⟦My messages and settings⟧" in theirs.html + str(theirs.blocks)
    assert "⟦" not in str(ours)


def test_talking_points_and_answers_are_in_the_language_of_their_person() -> None:
    person = replace(BEN, language=LANGUAGE)
    with in_pseudo(), in_language("en"):
        renderer = a_renderer(translated(a_full_plan(), LANGUAGE))
        points = renderer.talking_points("one-record", "sales", person, CAST)
        answer = renderer.service("answer", "key", person, CAST, a_touch().due_at, question="Q?", answer="A.", others=0)
    assert "⟦Why we do this⟧" in points.text
    assert "⟦If this does not answer it, please ask again.⟧" in answer.text


@pytest.mark.parametrize("column", ["**Ops** & <b>", "{name}", "%(name)s", "[x](https://x.example.com)"])
def test_a_value_in_a_text_is_shown_as_it_is(column: str) -> None:
    text = compiled('{{ _("Depot *{depot}*", depot=person.depot) }}', "x.md", template_names(PLAN))
    marked = text.render({"person": {"depot": Slot("person.depot", column)}})
    assert Skeleton(to_plain(read(marked)), PLAIN).fill({"person.depot": column}) == f"Depot {column}"
    assert Skeleton(to_html(read(marked)), HTML).fill({"person.depot": column}) == (
        f"<p>Depot <em>{escape(column)}</em></p>\n"
    )
