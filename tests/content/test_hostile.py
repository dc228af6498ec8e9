"""Hostile values, everywhere a person's value can stand, in all three outputs: text they stay."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from commsengine.cadence.people import Person
from commsengine.content.person_values import Signers
from tests.builders import BEN, utc
from tests.content.desk import DANA, MESSAGES, RENDERER, a_touch

HOSTILE = [
    "**x**", "_x_ ~x~ `x`", "<b>x</b>", "<script>alert(1)</script>", "[a](javascript:alert(1))",
    "![a](https://evil.example.com/p.gif)", "<https://evil.example.com|click>", "https://evil.example.com", "# x",
    "- x", "1. x", "> x", "---", "```", "    x", "\\", "&amp;", "&lt;b&gt;", '"><img src=x onerror=alert(1)>',
    "' onmouseover='x", "{{ 7*7 }}", "{% for %}", "{# x", "<!channel>", "<@U012AB>", "<!subteam^S1>", "@here",
    "@everyone", "a\r\nBcc: evil@example.com", "a\nb\n\nc", "\x00\x07\x1b[31m", "\u202eabc", "\u2028x\u2029",
    "=?utf-8?q?hi=0D=0ABcc=3A_x?=", ".", "..\n.", "=", "%s %(x)s %n", "$x ${x}", "\ue000sx\ue002",
    "\ue000s706572736f6e2e6e616d65\ue002", "\u674e \u660e \U0001f469\u200d\U0001f4bb", "x" * 5000, "\ud800", "|x|",
    "]]>", "-->", "</td></table>", "=cmd|' /C calc'!A0", "",
]  # fmt: skip


class Shape(HTMLParser):
    """The DOM as tags and attribute names; the values of links are left out."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[object] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, [name if name == "href" else (name, value) for name, value in attrs]))

    def handle_endtag(self, tag: str) -> None:
        self.seen.append(f"/{tag}")

    def handle_comment(self, data: str) -> None:
        self.seen.append(f"!{data}")


def named(value: str) -> tuple[Person, Signers]:
    person = replace(BEN, name=value, job=value, department=value, phone=value)
    return person, Signers(replace(DANA, name=value), replace(DANA, name=value), replace(DANA, name=value))


ANN = named("Ann")
KINDS = [(message, "message") for message in MESSAGES] + [("one-record", "remind"), ("input", "remind")]
PLAIN = {
    (message, kind, channel): RENDERER.touch(a_touch(message, kind=kind, channel=channel), *ANN)
    for message, kind in KINDS
    for channel in ("email", "slack")
}

SHAPES = {touch: Shape(shown.html).seen for touch, shown in PLAIN.items()}


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_html_keeps_its_shape(value: str) -> None:
    for message, kind in KINDS:
        shown = RENDERER.touch(a_touch(message, kind=kind), *named(value))
        assert Shape(shown.html).seen == SHAPES[message, kind, "email"]
        assert not re.search(r'href="(?!https://)', shown.html)


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_text_keeps_its_lines(value: str) -> None:
    for message, kind in KINDS:
        shown = RENDERER.touch(a_touch(message, kind=kind), *named(value)).text
        assert len(shown.splitlines()) == len(PLAIN[message, kind, "email"].text.splitlines())
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202e\ue000-\ue002]", shown)


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_slack_blocks_keep_their_shape_and_mention_nobody(value: str) -> None:
    for message, kind in KINDS:
        shown = RENDERER.touch(a_touch(message, kind=kind, channel="slack"), *named(value))
        plain = PLAIN[message, kind, "slack"]
        blocks = [block["type"] for block in shown.blocks]
        # A name of a thousand letters moves a title from the header to a section; nothing else may change.
        assert [kind.replace("header", "section") for kind in blocks] == [
            block["type"].replace("header", "section") for block in plain.blocks
        ]
        written = json.dumps([*shown.blocks, shown.text], ensure_ascii=False)
        assert not re.search(r"<[!@#]|@here|@channel|@everyone", written)
        assert all(link.startswith("https://") and "evil" not in link.partition("/x.example.com/")[0]
                   for link in re.findall(r"<([^>|]*)[|>]", written))  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_headers_are_safe(value: str) -> None:
    shown = RENDERER.touch(a_touch("personal"), *named(value))
    for header in (shown.subject, shown.sender_name, shown.to_name, shown.campaign_title):
        assert header.isprintable() or "👩" in header
        assert "=?" not in header


@pytest.mark.parametrize("value", [value for value in HOSTILE if value.isprintable() and 0 < len(value) < 900])
def test_a_value_comes_out_as_it_is(value: str) -> None:
    value = value.strip()
    person, signers = named(value)
    shown = RENDERER.touch(a_touch("personal"), person, signers)
    assert f"From {value} to {value}" in shown.text
    slack = RENDERER.touch(a_touch("personal", channel="slack"), person, signers)
    said = json.dumps(slack.blocks, ensure_ascii=False).replace("\u2060", "")
    escaped = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert json.dumps(escaped, ensure_ascii=False)[1:-1] in said


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_talking_points_and_service_mail_keep_their_lines(value: str) -> None:
    person, signers = named(value)
    points, usual = (
        RENDERER.talking_points("input", "sales", *who, [said])
        for who, said in (((person, signers), value), (ANN, "x"))
    )
    assert len(points.text.splitlines()) == len(usual.text.splitlines())
    assert [len(part.lines) for part in points.parts] == [len(part.lines) for part in usual.parts]
    for template in ("answer", "correction"):
        shown, plain = (
            RENDERER.service(
                template, "k", who, by, utc("2027-01-12"), message="input", role="sales", question=said, answer=said
            )
            for who, by, said in ((person, signers, value or "-"), (*ANN, "x"))
        )  # fmt: skip
        assert Shape(shown.html).seen == Shape(plain.html).seen
