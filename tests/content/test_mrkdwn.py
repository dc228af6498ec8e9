from __future__ import annotations

from commsengine.content.markdown import read
from commsengine.content.slack_card import title_of, to_mrkdwn
from commsengine.content.slots import SLACK, Skeleton, Slot, mark


def test_markdown_becomes_slack_markup() -> None:
    text = (
        "## Why\n\nA **b** *c* `d` [e](https://x.example.com/?a=1&b=2) < & >\n\n- f\n- g\n\n> h\n> i\n\n```\nj <k>\n```"
    )
    assert to_mrkdwn(read(text)) == [
        "*Why*\nA *b* _c_ `d` <https://x.example.com/?a=1&amp;b=2|e> &lt; &amp; &gt;",
        "• f\n• g",
        "> h i",
        "```\nj &lt;k&gt;\n```",
    ]


def test_the_title_is_the_first_heading_without_markup() -> None:
    title, rest = title_of(read("# One *record* & more\n\nText"))
    assert title == "One record &amp; more"
    assert to_mrkdwn(rest) == ["Text"]
    assert title_of(read("Text"))[0] == ""


def test_a_name_never_stands_in_link_syntax() -> None:
    name = mark(Slot("person.name", "x"))
    shown = Skeleton("".join(to_mrkdwn(read(f"[See {name}](https://x.example.com)"))), SLACK)
    assert shown.fill({"person.name": "A|B>"}) == "See A|B&gt; (<https://x.example.com>)"
