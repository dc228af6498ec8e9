from __future__ import annotations

from typing import Any

from commsengine.content.slack_card import answered_card, fit
from tests.builders import BEN, a_message, a_plan
from tests.content.desk import CAST, MESSAGES, a_renderer, a_touch, written


def card(message: str = "one-record", **changes: Any) -> list[Any]:
    return list(written(message, channel="slack", **changes).blocks)


def kinds(blocks: list[Any]) -> list[str]:
    return [block["type"] for block in blocks]


def buttons(blocks: list[Any]) -> list[tuple[str, str]]:
    actions = next(block for block in blocks if block["type"] == "actions")
    return [(button["action_id"], button["text"]["text"]) for button in actions["elements"]]


def test_a_card_has_title_text_buttons_and_footer() -> None:
    blocks = card()
    assert kinds(blocks) == ["header", "section", "actions", "context", "context"]
    assert blocks[0]["text"] == {"type": "plain_text", "text": "Every customer conversation is logged in one record."}
    assert blocks[1]["text"]["text"] == (
        "*Why*\nTwo lists cost us orders.\n\n*What changes for you*\nYou log each call once."
    )


def test_the_buttons_carry_the_touch_key() -> None:
    blocks = card()
    assert buttons(blocks) == [
        ("got_it", "Got it"),
        ("question", "I have a question"),
        ("snooze", "Remind me tomorrow"),
        ("heard_enough", "I've heard enough"),
    ]
    assert {button["value"] for button in blocks[2]["elements"]} == {a_touch().key}


def test_a_card_stays_under_eighty_words() -> None:
    said = [block["text"]["text"] for block in card() if "text" in block]
    assert len(" ".join(said).split()) <= 80


def test_an_answer_in_words_is_given_on_the_page() -> None:
    blocks = card("input")
    assert ("got_it", "Got it") not in buttons(blocks)
    assert "|Give your answer>*" in blocks[2]["text"]["text"]


def test_the_context_links_the_page_and_the_settings() -> None:
    blocks = card()
    assert blocks[3]["elements"][0]["text"].startswith(
        '*Dana Reyes* · You get this as "Sales" in One customer record; '
    )
    assert "|My messages and settings>" in blocks[3]["elements"][0]["text"]
    assert blocks[4]["elements"][0]["text"].startswith("<https://comms.example.com/a/")


def test_the_fallback_text_says_it_all_and_links_the_page() -> None:
    text = written(channel="slack").text
    assert text.startswith("Every customer conversation is logged in one record.")
    assert text.splitlines()[-1].startswith("https://comms.example.com/a/")


def test_an_answered_card_has_no_buttons_but_undo() -> None:
    blocks = answered_card(card(), "You confirmed Tue 10:14", "abc")
    assert kinds(blocks) == ["header", "section", "section", "context", "context"]
    assert blocks[2]["text"]["text"] == "✓ You confirmed Tue 10:14"
    assert blocks[2]["accessory"]["action_id"] == "undo"
    assert blocks[2]["accessory"]["value"] == "abc"
    assert "accessory" not in answered_card(card(), "You confirmed Tue 10:14", "abc", undo=False)[2]


def test_answering_an_answered_card_again_still_says_it() -> None:
    once = answered_card(card(), "You confirmed Tue 10:14", "abc")
    assert answered_card(once, "You confirmed Tue 10:14", "abc") == once


def within_limits(blocks: list[Any]) -> bool:
    texts = {"header": 150, "section": 3000}
    return len(blocks) <= 50 and all(
        len(block["text"]["text"]) <= texts[block["type"]] for block in blocks if block["type"] in texts
    ) and all(
        len(element["text"]["text"]) <= 75 and len(element["value"]) <= 2000
        for block in blocks if block["type"] == "actions" for element in block["elements"]
    )  # fmt: skip


def test_every_card_is_within_slacks_limits() -> None:
    assert all(within_limits(card(message, number=number)) for message in MESSAGES for number in (1, 2, 3))


def test_a_huge_text_still_fits() -> None:
    paragraphs = "\n\n".join(f"Paragraph {n} & <{'word ' * 60}>" for n in range(80))
    plan = a_plan(a_message(key_point="long " * 60, text=paragraphs + "\n\n" + "x&" * 3000))
    shown = a_renderer(plan).touch(a_touch(channel="slack"), BEN, CAST)
    assert within_limits(list(shown.blocks))
    assert len(shown.text) <= 40_000
    assert kinds(list(shown.blocks))[-3:] == ["actions", "context", "context"]


def test_a_cut_never_breaks_an_entity_or_a_link() -> None:
    for text in ("x" * 2997 + "&amp;" * 9, "x" * 2950 + "<https://x.example.com/a-long-path|and a label for it>"):
        block: Any = {"type": "section", "text": {"type": "mrkdwn", "text": text}}
        cut = fit([block])[0]["text"]["text"]
        assert len(cut) <= 3000
        assert cut.rstrip("…").endswith("x")
