"""What a YAML parser's complaint means, in words for somebody who does not know YAML."""

from __future__ import annotations

from ruamel.yaml.error import MarkedYAMLError

_INDENT = "Line it up with the lines above that belong together."
_WORDS = (
    ("mapping values are not allowed", "A colon stands here where none is expected.",
     "If it is part of a text, put the whole text in quotes; else check the indentation."),
    ("unexpected end of stream", "A quotation mark is opened here and never closed.", "Close it."),
    ("found unexpected document separator", "A quotation mark is opened and not closed before '---'.", "Close it."),
    ("could not find expected ':'", "This line has no colon.",
     "Write 'key: value', or indent it if it continues the text above."),
    ("cannot start any token", "A value cannot begin with this character.", "Put the text in quotes."),
    ("expected ',' or ']'", "A list opened with '[' is not closed.",
     "Close it with ']', with commas between its items."),
    ("expected ',' or '}'", "A mapping opened with '{' is not closed.",
     "Close it with '}', with commas between its entries."),
    ("expected the node content", "A value is missing here, or a bracket is not closed.",
     "Write the value, or close the bracket."),
    ("expected <block end>, but found '<scalar>'", "Text goes on after the end of a quoted text.",
     "Put the whole text in one pair of quotes."),
    ("expected <block end>", "This line does not fit the indentation of the lines above.", _INDENT),
    ("sequence entries are not allowed", "A list item cannot begin here.", "Begin the list on a new line."),
    ("block sequence entries", "A list item cannot begin here.", "Begin the list on a new line."),
    ("unknown escape character", "A backslash in double quotes needs a known letter after it.",
     "Write two backslashes, or use single quotes."),
    ("expected '<document start>'", "This line does not belong to what stands above.", _INDENT),
    ("found undefined tag handle", "A YAML tag is not allowed here.", "Take it out, or put the text in quotes."),
    ("while scanning a directive", "A line that begins with '%' is not allowed here.", "Put the text in quotes."),
)  # fmt: skip


def fault_of(error: MarkedYAMLError, source: str) -> tuple[tuple[int, int], str, str]:
    """Place, cause and remedy of a parser's error. An unclosed quote is shown where it opens."""
    told = f"{error.context or ''} {error.problem or ''}"
    mark = error.problem_mark or error.context_mark
    opened = "quoted scalar" in told and error.context_mark is not None
    if opened or "could not find expected ':'" in told:
        mark = error.context_mark or mark
    place = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    last = source.count("\n") + 1
    for words, cause, fix in _WORDS:
        if words in told:
            return (min(place[0], last), place[1]), cause, fix
    return place, "This is not valid YAML here.", "Check the quotes and the indentation of this line and the one above."
