"""Markdown in, Slack's own markup out: a title and sections, everything escaped, nothing that could mention anybody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markdown_it.token import Token

from commsengine.content.markdown import continued, lines, paragraphs, plain_inline
from commsengine.content.slots import escape_slack, holds_value, is_link_mark, slack_text

_SIGNS = {"strong_open": "*", "strong_close": "*", "em_open": "_", "em_close": "_"}


def title_of(tokens: Sequence[Token]) -> tuple[str, Sequence[Token]]:
    """The first heading as plain, escaped text, and the blocks without it."""
    for place, token in enumerate(tokens):
        if token.type == "heading_open" and token.tag == "h1":
            words = slack_text(plain_inline(tokens[place + 1].children or [], links=False))
            return words.replace("\n", " "), [*tokens[:place], *tokens[place + 3 :]]
    return "", tokens


def to_mrkdwn(tokens: Sequence[Token]) -> list[str]:
    """One text per paragraph, list or quote; a heading stands above the text that follows it."""
    pieces: list[tuple[str, str]] = []
    heading, headings = "", _headings(tokens)
    for place, (lead, token) in enumerate(lines(tokens)):
        text = "".join(_inline(token.children or [])) if token.type == "inline" else _code(token)
        if place in headings:
            heading = f"*{text.replace('*', '')}*\n"
            continue
        bullet = lead.replace("- ", "• ")
        pieces.append((lead, heading + bullet + text.replace("\n", "\n" + continued(bullet))))
        heading = ""
    return list(paragraphs(pieces))


def _headings(tokens: Sequence[Token]) -> frozenset[int]:
    before = [
        tokens[place - 1].type for place, token in enumerate(tokens) if token.type in ("inline", "fence", "code_block")
    ]
    return frozenset(number for number, kind in enumerate(before) if kind == "heading_open")


def _code(token: Token) -> str:
    return f"```\n{escape_slack(token.content.rstrip())}\n```"


def _inline(children: Sequence[Token]) -> Iterator[str]:
    place = 0
    while place < len(children):
        token = children[place]
        if token.type == "link_open":
            end = next(i for i in range(place, len(children)) if children[i].type == "link_close")
            yield _link(str(token.attrs["href"]), children[place + 1 : end])
            place = end
        elif token.type in _SIGNS:
            yield _SIGNS[token.type]
        elif token.type == "code_inline":
            yield f"`{escape_slack(token.content.replace('`', ''))}`"
        elif token.type in ("softbreak", "hardbreak"):
            yield " " if token.type == "softbreak" else "\n"
        else:
            yield slack_text(token.content)
        place += 1


def _link(href: str, label: Sequence[Token]) -> str:
    """A link; a label with somebody's value in it stays outside of Slack's link syntax."""
    address = href if is_link_mark(href) else escape_slack(href)
    words = slack_text(plain_inline(label).replace("|", "/").replace("\n", " "))
    return f"{words} (<{address}>)" if holds_value(words) else f"<{address}|{words}>"
