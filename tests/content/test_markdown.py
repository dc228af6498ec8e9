from __future__ import annotations

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from markdown_it import MarkdownIt

from commsengine.content.markdown import LONGEST, _reader, link_allowed, lowered, read, to_html, to_plain
from commsengine.content.slots import HTML, Skeleton, Slot, mark
from commsengine.errors import RenderError

TEXT = """# Title

One *two* **three** `four`
five [six](https://x.example.com/a?b=c&d=e).

- a
- b
  1. c
  2. d

> quoted
> twice

    code
"""


def test_plain_text_of_everything() -> None:
    assert to_plain(read(TEXT)) == (
        "Title\n\nOne two three four five six <https://x.example.com/a?b=c&d=e>.\n\n- a\n- b\n  1. c\n  2. d\n\n"
        "> quoted twice\n\ncode"
    )


def test_html_has_no_raw_html_and_no_images() -> None:
    html = to_html(read("<b>x</b> ![a dog](https://x.example.com/pixel.gif) <script>alert(1)</script>"))
    assert html == "<p>&lt;b&gt;x&lt;/b&gt; a dog &lt;script&gt;alert(1)&lt;/script&gt;</p>\n"


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "http://x.y", "//x.y", "/x", "mailto:a@b.c", "x"]
)
def test_other_addresses_than_https_are_no_links(url: str) -> None:
    assert "<a" not in to_html(read(f"[x]({url}) <{url}>\n\n[y]: {url}\n\n[y]"))


def test_a_value_in_an_address_is_percent_encoded_and_never_the_host() -> None:
    value = mark(Slot("person.job", "x"))
    html = to_html(read(f"[a](https://x.example.com/{value}) [b](https://{value}/) [c]({value})"))
    filled = Skeleton(html, HTML).fill({"person.job": 'evil.example/"><b>'})
    assert filled.count("<a ") == 1
    assert '<a href="https://x.example.com/evil.example%2F%22%3E%3Cb%3E">a</a>' in filled


def test_our_own_pages_may_be_linked() -> None:
    assert link_allowed(mark(Slot("links.answer", "")))
    assert not link_allowed(mark(Slot("person.links.answer", "")))
    assert not link_allowed(mark("https://x.example.com"))


def test_over_long_text_is_refused() -> None:
    with pytest.raises(RenderError, match="32,000"):
        read("x" * (LONGEST + 1))


@pytest.mark.parametrize("bomb", ["[", "![", "*a **a ", "> ", "- ", "[a](", "`", "<", "**a", "[a]: x\n"])
def test_markdown_bombs_are_read_in_time(bomb: str) -> None:
    began = time.process_time()
    to_html(read((bomb * LONGEST)[:LONGEST]))
    assert time.process_time() - began < 10


def test_threads_may_read_their_first_texts_at_once() -> None:
    """A sender for each connection begins at the same instant; each needs all rules from the first text on."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(50):
            reader, together = _reader(), threading.Barrier(8)

            def first(_: int, reader: MarkdownIt = reader, together: threading.Barrier = together) -> str:
                together.wait()
                return str(reader.render("- *a*\n"))

            with ThreadPoolExecutor(8) as threads:
                assert set(threads.map(first, range(8))) == {"<ul>\n<li><em>a</em></li>\n</ul>\n"}
    finally:
        sys.setswitchinterval(before)


def test_an_address_at_the_end_of_a_line_stands_free() -> None:
    link = "[See more](https://x.example.com)"
    assert to_plain(read(f"{link}\n\n- {link}\n\n[Well?](https://x.example.com)\\\n{link} or not")) == (
        "See more: https://x.example.com\n\n- See more: https://x.example.com\n\n"
        "Well? https://x.example.com\nSee more <https://x.example.com> or not"
    )


def test_a_text_that_is_read_again_is_as_it_was_whatever_became_of_the_first() -> None:
    source = "# Title\n\nOne [link](https://x.example.com)."
    first, before = read(source), to_html(read(source))
    lowered(first)
    first.clear()
    assert to_html(read(source)) == before
