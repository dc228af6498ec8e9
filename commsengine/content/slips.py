"""Slips of an author that any reader sees: a placeholder of another tool, a text still to be written, a broken link."""

from __future__ import annotations

import re
from collections.abc import Iterator

from commsengine.content.grammar import Flaw
from commsengine.text import cut_short, place_of
from commsengine.translation import N_, _

_WORD = (
    r"(?:(?:first|last|given|full|user|your|their|recipient|employee|manager|company|team|insert)[ _.-]?)*"
    r"(?:name|firstname|lastname|surname|e-?mail|company|department|job ?title|vorname|nachname|anrede|firma|abteilung|"
    r"pr[ée]nom|nom|nombre|apellidos?|empresa|date|datum|link|url|here|hier)"
)
_OF_OTHERS = re.compile(
    rf"\*\|[^|\n]+\|\*|<<\s*\w[^<>\n]*>>|\[\[\s*\w[^\[\]\n]*\]\](?!\()|«\s*{_WORD}\s*»|\[\s*{_WORD}\s*\](?![(\[:])"
    r"|<%.*?%>|%%[\w.]+%%|%[A-Za-z_]{3,}%|\[%[\w. ]+%\]|\$\{\s*[\w.]+\s*\}|\{![\w.]+\}|@@\w+@@"
    r"|(?<![{$%#])\{\s*[A-Za-z_][\w. ]{0,40}\}(?!\})",
    re.IGNORECASE,
)
"""As Mailchimp, Word, Outlook, Salesforce, Marketo and others write what they fill in; here it is sent as it stands."""

_UNWRITTEN = re.compile(
    r"\blorem ipsum\b|\bxx(?:xx)?[./:-]xx(?:[./:-](?:xx(?:xx)?)?)?|\bxxx+\b|\[\s*(?:\.{3}|…)\s*\]|\?{3,}"
    r"|(?-i:\b(?:TBD|TBC|TBA|TODO|FIXME)\b)",
    re.IGNORECASE,
)
_BROKEN: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (re.compile(r"(?<!!)\[[^\[\]\n]*\]\(\s*\)"), N_("the link '{words}' has no address"),
     N_("Write the address between the round brackets.")),
    (re.compile(r"\[[^\[\]\n]+\]\((?:https?:|mailto:|www\.)(?:\{\{.*?\}\}|\([^()\s]*\)|[^()\s{])*(?=\s|$)(?!\s+[\"'(])"),
     N_("the link '{words}' is not closed"), N_("Close it with ')'.")),
    (re.compile(r"\[[^\[\]\n]+\][ \t]+\(https?:[^)\n]*\)"), N_("a space breaks the link '{words}'"),
     N_("Take out the space between ']' and '('.")),
    (re.compile(r"\([^()\n]+\)\[https?:[^\]\n]*\]"), N_("the brackets of the link '{words}' are the wrong way round"),
     N_("Write [words](https://…).")),
)  # fmt: skip
"""Links of Markdown that people would read as brackets."""


def unfinished(source: str) -> Iterator[Flaw]:
    """What looks as if the text were not ready: advice, as only the author knows."""
    for found in _OF_OTHERS.finditer(source):
        cause = _("'{words}' looks like a placeholder of another tool; people would see it like this", words=found[0])
        yield _flaw(source, found, cause, _("Write for example {{ person.first_name }}, or take it out."))
    for found in _UNWRITTEN.finditer(source):
        cause = _("'{words}' looks like a text that is not written yet", words=found[0])
        yield _flaw(source, found, cause, _("Write what people should read."))


def broken_links(source: str) -> Iterator[Flaw]:
    for pattern, cause, fix in _BROKEN:
        for found in pattern.finditer(source):
            yield _flaw(source, found, _(cause, words=cut_short(found[0])), _(fix))


def _flaw(source: str, found: re.Match[str], cause: str, fix: str) -> Flaw:
    return Flaw(place_of(source, found.start())[0], cause, fix)
