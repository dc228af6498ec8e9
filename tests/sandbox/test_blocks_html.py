"""Slack's markup as HTML."""

from __future__ import annotations

import pytest

from commsengine.content.slots import slack_text
from commsengine.sandbox.blocks_html import block_html, mrkdwn
from commsengine.sandbox.card_page import card_page


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("plain", "plain"),
        ("*bold* and _italic_ and ~gone~", "<strong>bold</strong> and <em>italic</em> and <s>gone</s>"),
        ("2 * 3 * 4, snake_case_name", "2 * 3 * 4, snake_case_name"),
        ("a\nb", "a<br>b"),
        ("`code`", "<code>code</code>"),
        ("&lt;b&gt; &amp; <x", "&lt;b&gt; &amp; &lt;x"),
        ("\"quotes\" 'too'", "&#34;quotes&#34; &#39;too&#39;"),
        (
            "<https://a.example/?x=1&amp;y=2|the page>",
            '<a href="https://a.example/?x=1&amp;y=2" target="_blank" rel="noopener noreferrer">the page</a>',
        ),
        (
            '<https://a.example/"onclick=x|x>',
            '<a href="https://a.example/&#34;onclick=x" target="_blank" rel="noopener noreferrer">x</a>',
        ),
        ("<!channel> <@U1|ana>", "<mark>!channel</mark> <mark>ana</mark>"),
        ("<javascript:alert(1)|x>", "<mark>x</mark>"),
    ],
)  # fmt: skip
def test_marks_become_tags_and_everything_else_stays_text(text: str, html: str) -> None:
    assert str(mrkdwn(text)) == html


@pytest.mark.parametrize("text", ["**May**", "*May*", "_x_", "`x`", "~x~"])
def test_signs_that_a_card_has_made_mere_signs_stay_signs(text: str) -> None:
    assert str(mrkdwn(slack_text(text))).replace("\u2060", "") == text


def test_headings_leave_no_level_out() -> None:
    header = {"type": "header", "text": {"type": "plain_text", "text": "New"}}
    assert str(block_html(header, lambda _: mrkdwn(""))) == "<h3>New</h3>"
    assert "<h1>New</h1>" in card_page("New", [header])


def test_a_block_that_is_not_known_is_named() -> None:
    assert str(block_html({"type": "vid<eo>"}, lambda _: mrkdwn(""))) == '<p class="context">[vid&lt;eo&gt;]</p>'


def test_quotes_and_bold_links_look_like_it() -> None:
    assert str(mrkdwn("Before\n> one\n> two\nafter")) == "Before<span class=quote>one<br>two</span>after"
    assert str(mrkdwn("*<https://x.example.com|Go>*")).startswith("<strong><a ")
    assert "quote" not in str(mrkdwn("&gt; a value"))
