"""A check in letter and card: the same question for a touch everywhere, in an order of each person's own."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commsengine.cadence.check_questions import answer_id, check_of, offered_turn, order_of, turn_of
from commsengine.cadence.plan import ANGLES, Message
from commsengine.content.message import RenderedMessage as Written
from commsengine.content.render import Renderer
from commsengine.errors import RenderError
from tests.builders import BEN, a_message, a_plan, someone
from tests.content.desk import CAST, CHECK, SHIPPED, WIIFM, a_renderer, a_touch

FOUR = [
    {"question": f"Where is list {n}?", "answers": ["Here", "There", "R&D", "Gone"], "right": "R&D",
     "because": f"List {n} lives in R&D."}
    for n in (1, 2)
]  # fmt: skip
LONG = "In the notebook that I have kept ever since the first customer called me on a Sunday."
PLAN = a_plan(
    a_message(checks=FOUR),
    a_message(id="asks", ask="check", checks=FOUR),
    a_message(id="input", ask="input", input={"question": "What must stay easy?"}, checks=FOUR),
    a_message(id="long", checks=[FOUR[0] | {"answers": [LONG, "There", "C", "D", "E", "F"], "right": "There"}]),
    wiifm={"sales": WIIFM, "others": WIIFM},
)
DESK = a_renderer(PLAN)


def shown(
    message: str = "one-record",
    number: int = 2,
    person: Any = BEN,
    desk: Renderer = DESK,
    told: bool = False,
    **more: Any,
) -> Written:
    return desk.touch(a_touch(message, number, person=person.id, **more), person, CAST, answered=told)


def labels(card: Written) -> list[tuple[str, str]]:
    elements = [one for block in card.blocks if block["type"] == "actions" for one in block["elements"]]
    return [(one["action_id"], one["text"]["text"]) for one in elements]


def test_the_question_stands_alone_and_the_button_leads_to_it() -> None:
    letter = shown()
    assert letter.text.index("One quick question") < letter.text.index("> Where is list 1?")
    assert not [words for words in (*GIVE_AWAY, *WIIFM.values()) if words in letter.text + letter.html]
    assert letter.subject == "One question about One customer record"
    assert "This is not a test: only you see your answer." in letter.text
    assert ">Answer the question</a>" in letter.html
    assert re.search(
        r"Answer the question, or ask a question, on your page:\nhttps://comms\.example\.com/a/", letter.text
    )


def test_the_touches_between_carry_none() -> None:
    for number in (1, 3):
        letter = shown(number=number)
        assert "One quick question" not in letter.text
        assert ">Got it</a>" in letter.html


def test_a_request_for_input_keeps_its_own_button() -> None:
    letter = shown("input")
    assert ">Give your answer</a>" in letter.html
    assert letter.text.count("- R&D") == 1  # an answer to the check is none to what is asked for
    assert "> Where is list 1?" in letter.text


@pytest.mark.parametrize("message", ["one-record", "asks"])
def test_letter_and_card_show_the_answers_in_the_order_of_the_person(message: str) -> None:
    orders = set()
    for person in (someone(n) for n in range(12)):
        check, turn = check_of(PLAN.message(message), 2), offered_turn(PLAN.message(message), 2)
        assert check is not None
        assert turn is not None
        places = order_of(PLAN.message(message), turn, "crm", person.id)
        order = [check.answers[place] for place in places]
        orders.add(places)
        letter = shown(message, person=person)
        assert re.findall(r"^- (.*)$", letter.text, re.MULTILINE) == order
        assert re.findall(r"<li[^>]*>(.*?)</li>", letter.html, re.DOTALL) == [a.replace("&", "&amp;") for a in order]
        buttons = labels(shown(message, person=person, channel="slack"))[:5]
        expected = [(f"check_{answer_id(answer)}", answer.replace("&", "&amp;")) for answer in order]
        assert buttons == [*expected, ("got_it", "Skip the question – got it")]
    assert len(orders) > 4


def test_one_sheet_serves_every_order() -> None:
    desk = a_renderer(PLAN)
    for person in (someone(n) for n in range(30)):
        shown(person=person, desk=desk)
    assert len(desk.in_language("en")._sheets) == 1


def test_an_answer_may_speak_of_the_person() -> None:
    check = CHECK | {"answers": ["The list of {{ person.department }}", "*None*"], "right": "*None*"}
    desk = a_renderer(a_plan(a_message(checks=[check])))
    for person in (BEN, replace(BEN, department="<b>R&D</b>")):
        letter = shown(person=person, desk=desk)
        assert f"- The list of {person.department}\n" in letter.text
        assert "- None\n" in letter.text
    assert "The list of &lt;b&gt;R&amp;D&lt;/b&gt;" in letter.html


def test_an_answer_that_lacks_a_column_is_an_error_with_its_place() -> None:
    check = CHECK | {"answers": ["{{ person.depot }}", "Gone"], "right": "Gone"}
    desk = a_renderer(a_plan(a_message(checks=[check])))
    shown(number=1, desk=desk)
    with pytest.raises(RenderError, match=r"messages\[0\]\.checks\[0\]\.answers\[0\]:1: 'person\.depot'"):
        shown(desk=desk)


def test_where_an_answer_is_too_long_for_a_button_all_are_letters() -> None:
    card = shown("long", channel="slack")
    check = PLAN.message("long").checks[0]
    order = [check.answers[place] for place in order_of(PLAN.message("long"), 0, "crm", "ben")]
    asked, listed = [block["text"]["text"] for block in card.blocks if block["type"] == "section"][:2]
    assert asked == "> Where is list 1?"
    assert listed.split("\n") == [f"*{letter}*  {answer}" for letter, answer in zip("ABCDEF", order, strict=True)]
    assert labels(card)[:7] == [
        *((f"check_{answer_id(answer)}", letter) for letter, answer in zip("ABCDEF", order, strict=True)),
        ("got_it", "Skip the question – got it"),
    ]
    rows = [block for block in card.blocks if block["type"] == "actions"]
    assert [len(row["elements"]) for row in rows] == [5, 2, 3]
    assert len({row.get("block_id", "") for row in rows}) == 3


def test_six_answers_of_a_thousand_characters_fit_a_card() -> None:
    answers = [f"{n}{'x' * 2000}" for n in range(6)]
    desk = a_renderer(a_plan(a_message(checks=[CHECK | {"answers": answers, "right": answers[0]}])))
    card = shown(desk=desk, channel="slack")
    assert all(len(block["text"]["text"]) <= 3000 for block in card.blocks if block["type"] == "section")
    assert [label for _, label in labels(card)][:6] == list("ABCDEF")
    listed = [block["text"]["text"] for block in card.blocks if block["type"] == "section"][1]
    assert [line[:3] for line in listed.split("\n")] == [f"*{letter}*" for letter in "ABCDEF"]


GIVE_AWAY = ("Every customer conversation", "A one-hour course.", "List 1 lives in R&", "List 2 lives in R&")
"""What the messages of the plan say that answers their checks, or what explains these."""


def above_the_buttons(card: Written) -> list[Any]:
    kinds = [block["type"] for block in card.blocks]
    return list(card.blocks[: kinds.index("actions")])


EVERYWHERE = pytest.mark.parametrize(
    ("message", "number", "unclear", "kind"),
    list(itertools.product(["one-record", "asks", "input"], [2, 4], [None, 0], ["message", "remind"])),
)


@EVERYWHERE
def test_a_card_has_the_question_its_buttons_and_nothing_that_answers_it(
    message: str, number: int, unclear: int | None, kind: str
) -> None:
    card = shown(message, number=number, kind=kind, unclear=unclear, channel="slack")
    header, asked = above_the_buttons(card)
    assert (header["type"], asked["text"]["text"]) == (
        "header",
        f"> Where is list {offered_turn(PLAN.message(message), number) + 1}?",  # type: ignore[operator]
    )
    assert labels(card)[4] in [("got_it", "Skip the question – got it"), ("answer", "Answer")]
    assert not [words for words in GIVE_AWAY if words in f"{card.blocks}{card.text}{card.subject}"]


@EVERYWHERE
def test_no_letter_says_anything_that_answers_its_question(
    message: str, number: int, unclear: int | None, kind: str
) -> None:
    letter = shown(message, number=number, kind=kind, unclear=unclear)
    assert not [words for words in GIVE_AWAY if words in letter.text + letter.html + letter.subject]


@EVERYWHERE
def test_once_answered_the_card_has_the_message_below_the_question(
    message: str, number: int, unclear: int | None, kind: str
) -> None:
    card = shown(message, number=number, kind=kind, unclear=unclear, channel="slack", told=True)
    assert above_the_buttons(card)[-1]["text"]["text"].startswith("> Where is list ")
    assert "Every customer conversation" in str(card.blocks)
    assert ("List 1 lives in R&" in str(card.blocks)) == (unclear is not None)


OWN = {
    "asks-late": "# A question\n\nEvery call is logged.\n\n{{ question }}\n\n{{ key_point }}",
    "never-asks": "# A question\n\nEvery call is logged.",
}


@pytest.mark.parametrize("template", sorted(OWN))
def test_a_template_of_the_workspace_cannot_give_the_answer_away(template: str) -> None:
    desk = a_renderer(a_plan(a_message(ask="check", checks=FOUR, template=template)), {**SHIPPED, **OWN})
    for channel in ("email", "slack"):
        written = shown(number=1, desk=desk, channel=channel)
        said = f"{written.text}{written.html}{written.blocks}"
        assert "Where is list 1?" in said
        assert "Every c" not in said


def test_the_authors_subject_waits_for_a_touch_without_a_question() -> None:
    desk = a_renderer(a_plan(a_message(subject="All of it in one record", checks=FOUR)))
    for channel in ("email", "slack"):
        assert shown(number=1, desk=desk, channel=channel).subject == "All of it in one record"
        assert shown(number=2, desk=desk, channel=channel).subject == "One question about One customer record"
    asks = a_renderer(a_plan(a_message(subject="A question on records", ask="check", checks=FOUR)))
    assert shown(number=1, desk=asks).subject == "A question on records"


@pytest.mark.parametrize("channel", ["email", "slack"])
@pytest.mark.parametrize("message", ["one-record", "asks", "input"])
@pytest.mark.parametrize("kind", ["message", "remind"])
def test_what_was_not_clear_is_said_again_and_nobody_is_told_that_they_were_wrong(
    message: str, kind: str, channel: str
) -> None:
    number = 5 if message != "asks" else 4
    letter = shown(message, number=number, kind=kind, channel=channel, unclear=0, told=message == "asks")
    told = letter.text + letter.html + str(letter.blocks)
    assert "List 1 lives in R&" in told
    assert "mix" in told
    assert not re.search(r"(were|was|is|answered) wrong|mistake|not quite|incorrect|last time", told, re.IGNORECASE)
    assert "List 1 lives in R&" not in str(shown(message, number=number, kind=kind, channel=channel))


def test_what_was_not_clear_takes_the_place_of_the_angle() -> None:
    text = shown(number=3, unclear=0).text
    assert "A one-hour course." not in text
    assert "List 1 lives in R&D." in text


def test_no_side_of_a_message_falls_to_a_touch_that_only_asks() -> None:
    told = [shown(number=number).text for number in (1, 3, 5, 7)]
    sides = [[words for words in WIIFM.values() if words in text] for text in told]
    assert sides == [[WIIFM["why"], WIIFM["your_job"]], [WIIFM["skills"]], [WIIFM["measures"]], [WIIFM["results"]]]


def test_a_check_that_the_plan_has_lost_since_leaves_the_usual_angle() -> None:
    assert "A one-hour course." in shown(number=3, unclear=7).text


def test_a_workspace_may_write_the_question_its_own_way() -> None:
    own = {**SHIPPED, "one_question": "## Eine kurze Frage\n\n{{ question }}\n\n{{ choices|join(' / ') }}"}
    assert "Eine kurze Frage\n\nWhere is list 1?" in shown(desk=a_renderer(PLAN, own)).text


# -- never the same twice in a row ----------------------------------------------------------------


@pytest.mark.parametrize("again", [False, True])
def test_twelve_touches_of_a_message_with_two_texts_and_two_checks_differ_from_touch_to_touch(again: bool) -> None:
    asks = ("acknowledge", "check", "input", "commit", "nothing")
    plan = a_plan(
        *(
            a_message(id=f"{ask}{number}", ask=ask, checks=TWO, text=TEXTS, **({"corrects": "old"} if number else {}),
                      **({"input": {"question": "What must stay easy?"}} if ask == "input" else {}))
            for ask in asks for number in (0, 1)
        ),
        a_message(id="old", text=TEXTS),
        wiifm={"sales": {"why": WIIFM["why"]}, "others": WIIFM},
    )  # fmt: skip
    desk = a_renderer(plan)
    for message in plan.messages:
        told = [
            said(shown(message.id, number, unclear=0 if again and number % 4 == 3 else None, desk=desk))
            for number in range(1, 13)
        ]
        assert all(one != next_ for one, next_ in itertools.pairwise(told)), message.id
        told_again = [text for text in told if CHECK["because"] in text]
        assert len(told_again) == (3 if again and message.checks and message.ask != "check" else 0)


TWO = [CHECK, CHECK | {"question": "And list 2?"}]
TEXTS = ["Think of a busy day.", "Name one thing that works."]

stories = st.fixed_dictionaries({
    "angles": st.lists(st.sampled_from(ANGLES), min_size=1, max_size=5, unique=True),
    "checks": st.integers(2, 3),
    "ask": st.sampled_from(["acknowledge", "check", "input", "commit", "nothing"]),
    "corrects": st.booleans(),
    "kinds": st.lists(st.sampled_from(["message"]), min_size=2, max_size=12),
    "unclear": st.lists(st.booleans(), min_size=12, max_size=12),
})  # fmt: skip


def said(card: Written) -> str:
    """What stands between head and foot."""
    words = [block.get("text", {}).get("text", "") for block in card.blocks]
    text = "\n".join(words) or card.text.split("records nothing.", 1)[1].split("\n----\n", 1)[0]
    return text.rstrip("*\n ")


@settings(max_examples=15)
@given(story=stories)
def test_two_touches_in_a_row_never_say_the_same(story: Any) -> None:
    checks = [CHECK | {"question": f"Question {n}?", "because": f"Because {n}."} for n in range(story["checks"])]
    more: dict[str, Any] = {"text": TEXTS}
    more |= {"input": {"question": "What must stay easy?"}} if story["ask"] == "input" else {}
    more |= {"corrects": "old"} if story["corrects"] else {}
    wiifm = {angle: WIIFM[angle] for angle in story["angles"]}
    plan = a_plan(
        a_message(ask=story["ask"], checks=checks, **more), a_message(id="old"),
        wiifm={"sales": wiifm, "others": wiifm},
    )  # fmt: skip
    desk = a_renderer(plan)
    for channel in ("email", "slack"):
        told = []
        for number, kind in enumerate(story["kinds"], 1):
            again = unclear(plan.messages[0], number) if story["unclear"][number - 1] else None
            told.append(said(shown(number=number, kind=kind, channel=channel, unclear=again, desk=desk)))
        assert all(one != next_ for one, next_ in itertools.pairwise(told))


def unclear(message: Message, number: int) -> int | None:
    """As if the question of the touch before had been answered wrong."""
    return turn_of(message, number - 1) if number > 1 else None
