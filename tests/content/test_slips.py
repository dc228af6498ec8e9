from __future__ import annotations

import pytest

from commsengine.content.slips import broken_links, unfinished
from commsengine.content.text_check import link_flaws

OF_OTHERS = [
    "[First Name]", "[NAME]", "[Your company]", "[insert link]", "[Vorname]", "[Prénom]", "*|FNAME|*", "{first_name}",
    "{Name}", "«Vorname»", "« Nom »", "%FIRSTNAME%", "%%FirstName%%", "<<Name>>", "[[name]]", "${name}", "<%= name %>",
    "{!Contact.FirstName}", "@@name@@", "[%first_name%]",
]  # fmt: skip
UNWRITTEN = [
    "Lorem ipsum dolor sit amet", "XX.XX.", "XX.XX.XXXX", "xx:xx", "XXX", "TBD", "TBC", "TODO", "???", "[…]", "[...]",
]  # fmt: skip
SOUND = [
    "Hello {{ person.first_name }}", "{% if person.job %}x{% endif %}", "50% of us, 20% of you",
    "[words](https://x.example.com)",
    "[Name](https://x.example.com)", "[optional]", "size XXL", "todo lists stay", "Really?!", "«oui»",
    "a < b and c > d",
    "{{ milestones.go_live }}", "[the link][1]", "{a, b}", "5 {3}", "desk #3",
]  # fmt: skip


@pytest.mark.parametrize("words", OF_OTHERS)
def test_a_placeholder_of_another_tool_is_told(words: str) -> None:
    (flaw,) = unfinished(f"One.\nHello {words}, welcome.")
    assert words in flaw.message
    assert (flaw.line, "{{ person.first_name }}" in flaw.fix) == (2, True)


@pytest.mark.parametrize("words", UNWRITTEN)
def test_a_text_still_to_be_written_is_told(words: str) -> None:
    assert "not written yet" in next(iter(unfinished(f"It starts {words} for all"))).message


@pytest.mark.parametrize("words", SOUND)
def test_a_finished_text_needs_no_advice(words: str) -> None:
    assert list(unfinished(words)) == []


@pytest.mark.parametrize(
    ("link", "told"),
    [
        ("[words]()", "has no address"),
        ("[words]( )", "has no address"),
        ("[words](https://x.example.com for all", "is not closed"),
        ("[words](https://x.example.com", "is not closed"),
        ("[words] (https://x.example.com)", "a space breaks"),
        ("(words)[https://x.example.com]", "the wrong way round"),
    ],
)
def test_a_broken_link_is_told_with_its_line(link: str, told: str) -> None:
    (flaw,) = link_flaws(f"One.\n{link}")
    assert (flaw.line, told in flaw.message) == (2, True)


@pytest.mark.parametrize(
    "link",
    [
        "[words](https://x.example.com/a_(b)?c=d)",
        '[words](https://x.example.com "a title")',
        "[words](https://x.example.com/{{ person.first_name }}/x)",
        "[a] or (b)",
        "[1]: https://x.example.com",
    ],
)
def test_a_sound_link_is_not_broken(link: str) -> None:
    assert list(broken_links(link)) == []


@pytest.mark.parametrize(
    ("address", "fix"),
    [
        ("mailto:ana@example.com", "Write the mail address as words"),
        ("tel:112", "Write the number as words"),
        ("http://x.example.com", "Write the whole address"),
    ],
)
def test_a_link_that_is_not_https_is_told_what_to_write(address: str, fix: str) -> None:
    (flaw,) = link_flaws(f"See [this]({address}).")
    assert flaw.fix.startswith(fix)
