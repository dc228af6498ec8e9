"""A message as e-mail: the layout around body and footer, styles inlined, and the plain text that says the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import css_inline
from markdown_it.token import Token
from markupsafe import Markup

from commsengine.content.markdown import to_html, to_plain
from commsengine.content.slots import HTML, PLAIN, Prose, Skeleton
from commsengine.content.templates import Text

_INLINER = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


def html_letter(layout: Text, body: Sequence[Token], footer: Sequence[Token], context: Mapping[str, Any]) -> Skeleton:
    """The HTML part. Everything is in the file: no image, no outside asset, nothing that reports back."""
    pieces = {"body": Markup(to_html(body)), "footer": Markup(to_html(footer))}  # noqa: S704 - both hold marks, no values
    inlined = _INLINER.inline(layout.render({**context, **pieces}))
    return Skeleton(_charset_first(inlined), HTML)


def text_letter(layout: Text, body: Sequence[Token], footer: Sequence[Token], context: Mapping[str, Any]) -> Skeleton:
    """The plain text part; its first link is the answer page, before anything that an author or a person wrote."""
    pieces = {"body": Prose(to_plain(body)), "footer": Prose(to_plain(footer))}
    return Skeleton(layout.render({**context, **pieces}).strip() + "\n", PLAIN)


_CHARSET = '<meta charset="utf-8">'


def _charset_first(html: str) -> str:
    """The inliner puts the styles first, but a browser looks for the encoding in the first 1,024 bytes."""
    return html.replace(_CHARSET, "", 1).replace("<head>", f"<head>{_CHARSET}", 1) if _CHARSET in html else html
