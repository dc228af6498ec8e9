"""Markdown in; HTML and plain text out. No raw HTML, no images, links only over https or to our own pages."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from commsengine.content.slots import OPEN, URL, holds_value, in_url, is_link_mark
from commsengine.errors import RenderError
from commsengine.text import UNSEEN_IN_A_LINE
from commsengine.translation import _

LONGEST = 32_000
"""Characters of one Markdown text. Beyond it, hostile nesting would take seconds to read."""

KEPT, LONGEST_KEPT = 128, 4_000
"""So many texts of at most so many characters are kept as they were read, those used last."""

Tokens = Sequence[Token]
WITH_TEXT = ("inline", "fence", "code_block")
"""Types of the tokens that hold text; the others open and close what is around it."""

_HTTPS = re.compile(rf"https://[^\s/?#@<>|%{OPEN}{URL}]+(?:[/?#][^\s<>|]*)?", re.IGNORECASE)


def link_allowed(url: str) -> bool:
    # Links go to our own pages, or to an https address with a host that the author wrote.
    return is_link_mark(url) or bool(_HTTPS.fullmatch(url))


def _reader() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False})
    normal = reader.normalizeLink

    def normalized(url: str) -> str:
        if is_link_mark(url):
            return url
        return in_url(url) if holds_value(url) else normal(url)

    reader.normalizeLink = normalized  # type: ignore[method-assign]
    reader.validateLink = link_allowed  # type: ignore[method-assign]
    reader.add_render_rule("image", _image)
    reader.parse("once")  # it gets its rules ready at its first text; a second thread would find them half ready
    return reader


def _image(_: RendererHTML, tokens: Tokens, index: int, _options: OptionsDict, _env: EnvType) -> str:
    # An image becomes its words: mail works without images, and nothing is fetched.
    return escapeHtml(tokens[index].content)


_READER = _reader()


def read(source: str, where: str = "") -> list[Token]:
    """The blocks of a Markdown text, not to be changed; raises ``RenderError`` when it is over-long."""
    if len(source) > LONGEST:
        raise RenderError(_("the text has more than {most:,} characters", most=LONGEST), _("Shorten it."), where=where)
    return [*(_kept(source) if len(source) <= LONGEST_KEPT else _read(source))]


@lru_cache(maxsize=KEPT)
def _kept(source: str) -> Tokens:
    # A footer, a page and what to say in a call are the same for many people: their values are marks here.
    return _read(source)


def _read(source: str) -> Tokens:
    tokens = _READER.parse(source)
    for token in itertools.chain.from_iterable(block.children or () for block in tokens):
        _make_visible(token)
    return tokens


def lowered(tokens: Iterable[Token]) -> list[Token]:
    """With the title as a heading of the second order, to stand below another title."""
    return [token.copy(tag="h2") if token.tag == "h1" else token for token in tokens]


def _make_visible(token: Token) -> None:
    # An entity such as &#x202e; becomes a character only here, so what is not visible goes once more.
    if token.content and not token.content.isprintable():
        token.content = UNSEEN_IN_A_LINE.sub(" ", token.content)
    title = token.attrs.get("title")
    if isinstance(title, str):
        token.attrs["title"] = UNSEEN_IN_A_LINE.sub(" ", title)


def to_html(tokens: Tokens) -> str:
    html: str = _READER.renderer.render(tokens, _READER.options, {})
    return html


def to_plain(tokens: Tokens, *, links: bool = True) -> str:
    """Plain text: paragraphs, lists with hyphens, quotes with >, and the address after the words of a link."""
    pieces = []
    for lead, token in lines(tokens):
        text = plain_inline(token.children or [], links) if token.type == "inline" else token.content.rstrip()
        pieces.append((lead, lead + text.replace("\n", "\n" + continued(lead))))
    return "\n\n".join(paragraphs(pieces)).strip()


def paragraphs(pieces: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Pieces with a lead stand on lines of one paragraph; the others are a paragraph each."""
    for lead, group in itertools.groupby(pieces, key=lambda piece: _kind(piece[0])):
        texts = [text for _, text in group]
        yield from ["\n".join(texts)] if lead else texts


def _kind(lead: str) -> str:
    return "quote" if lead.startswith(">") else "list" if lead.strip() else ""


def continued(lead: str) -> str:
    return lead if lead.strip() == ">" else " " * len(lead)


def lines(tokens: Tokens) -> Iterator[tuple[str, Token]]:
    """Each piece of text with what stands before it: list bullets and numbers, quote signs, indentation."""
    numbers: list[int | None] = []
    quotes, bullet = 0, False
    for token in tokens:
        if token.type in ("bullet_list_open", "ordered_list_open"):
            numbers.append(int(token.attrs.get("start", 1)) if token.type.startswith("ordered") else None)
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            numbers.pop()
        elif token.type == "list_item_open":
            bullet = True
        elif token.type.startswith("blockquote"):
            quotes += token.nesting
        elif token.type in WITH_TEXT:
            yield "> " * quotes + _bullet(numbers, bullet), token
            bullet = False


def _bullet(numbers: list[int | None], first: bool) -> str:
    if not numbers:
        return ""
    indent = "  " * (len(numbers) - 1)
    if not first:
        return indent + "  "
    number = numbers[-1]
    if number is None:
        return indent + "- "
    numbers[-1] = number + 1
    return f"{indent}{number}. "


def _with_address(words: str, address: str, behind: Token | None) -> str:
    # At the end of a line the address stands free: mail programs open all of it, so no mark of direction is near.
    if behind is not None and behind.type != "hardbreak":
        return f"{words} <{address}>"
    ends = words.endswith((".", ":", "!", "?", "…"))
    return f"{words} {address}" if ends else _("{title}: {text}").format(title=words, text=address)


def plain_inline(children: Tokens, links: bool = True) -> str:
    written, starts = "", [0]
    addresses: list[str] = []
    for token, behind in itertools.zip_longest(children, children[1:]):
        if token.type == "link_open":
            addresses.append(str(token.attrs["href"]))
            starts.append(len(written))
        elif token.type == "link_close":
            start, address = starts.pop(), addresses.pop()
            if links and (words := written[start:]) != address:
                written = written[:start] + _with_address(words, address, behind)
        elif token.type in ("softbreak", "hardbreak"):
            written += " " if token.type == "softbreak" else "\n"
        else:
            written += token.content
    return written
