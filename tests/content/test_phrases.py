from __future__ import annotations

import datetime as dt
import re

import pytest

from commsengine.cadence.plan import Cadence, Milestone
from commsengine.content.kept_words import KEPT, Kept, kept, retold
from commsengine.content.phrases import (
    EXPLAIN,
    brief_day_text,
    day_text,
    moment_text,
    month_day_text,
    often,
    question_text,
    time_text,
    weekday_text,
    with_dates,
)
from commsengine.content.sheet import header, shortened
from commsengine.content.slots import clean
from commsengine.translation import _, aligned, chosen, counted, in_language, number_text, percent_text
from tests.builders import a_message, a_plan, translated
from tests.content.test_languages import CHECK
from tests.pseudo import LANGUAGE, in_pseudo

DAY = dt.date(2027, 3, 15)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Monday, 15 March 2027"),
        ("en_US", "Monday, March 15, 2027"),
        ("de", "Montag, 15. März 2027"),
        ("ko", "2027년 3월 15일 월요일"),
        ("", "Monday, 15 March 2027"),
        ("klingon!", "Monday, 15 March 2027"),
    ],
)
def test_a_date_in_the_persons_language(language: str, text: str) -> None:
    assert day_text(DAY, language) == text


@pytest.mark.parametrize(
    ("cadence", "text"),
    [
        ({"every": "48h", "times": 3}, "You get this every 2 days, at most 3 times."),
        ({"every": "24h"}, "You get this every day until it ends."),
        ({"every": "2 weeks", "times": 2}, "You get this every 2 weeks, at most 2 times."),
        ({"every": "36h", "times": 1}, "This is sent once."),
        ({"every": "36h", "times": 2}, "You get this every 36 hours, at most 2 times."),
        ({"recall_floor": 0.35}, "You get this often at first, then less and less."),
    ],
)
def test_a_cadence_in_words(cadence: dict[str, object], text: str) -> None:
    assert often(Cadence.model_validate(cadence)) == text


def test_a_header_is_one_harmless_line() -> None:
    assert header("Hi\r\nBcc: evil@x.example") == "Hi Bcc: evil@x.example"
    assert header("=?utf-8?q?hi=0D=0ABcc=3A_x?=") == "= ?utf-8?q?hi=0D=0ABcc=3A_x?="


def test_a_long_subject_is_cut_at_a_word() -> None:
    assert shortened("one two three", 13) == "one two three"
    assert shortened("one two three four", 13) == "one two…"
    assert shortened("x" * 20, 10) == "x" * 9 + "…"


NINE = dt.datetime(2027, 3, 15, 9, 5, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ["Monday", "Mon 15 Mar", "Mon 15 Mar 2027", "15 March", "15 Mar", "09:05", "Mon 15 Mar 09:05"]),
        (
            "de",
            ["Montag", "Mo., 15. März", "Mo., 15. März 2027", "15. März", "15. März", "09:05", "Mo., 15. März, 09:05"],
        ),
        (
            "he",
            [
                "יום שני",
                "יום ב׳, 15 במרץ",
                "יום ב׳, 15 במרץ 2027",
                "15 במרץ",
                "15 במרץ",
                "9:05",
                "יום ב׳, 15 במרץ 9:05",
            ],
        ),
    ],
)
def test_days_and_times_are_written_as_the_language_writes_them(language: str, said: list[str]) -> None:
    with in_language(language):
        days = [weekday_text(NINE), brief_day_text(NINE), brief_day_text(NINE, year=True), month_day_text(NINE)]
        assert [*days, month_day_text(NINE, short=True), time_text(NINE), moment_text(NINE)] == said


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ["1,234", "35 %", "35%", "1,234.5", "1,234 people"]),
        ("de", ["1.234", "35\u00a0%", "35\u00a0%", "1.234,5", "1.234 Personen"]),
        ("fr", ["1\u202f234", "35\u00a0%", "35\u00a0%", "1\u202f234,5", "1\u202f234 personnes"]),
        ("tr", ["1.234", "%35", "%35", "1.234,5", "1.234 people"]),
    ],
)
def test_numbers_are_written_as_the_language_writes_them(language: str, said: list[str]) -> None:
    with in_language(language):
        people = counted(1234, "person", "people")
        assert [number_text(1234), percent_text(0.35), _("{s:.0%}", s=0.35), _("{n:,.1f}", n=1234.5), people] == said


def test_a_value_of_the_other_direction_stands_apart() -> None:
    with in_language("he"):
        assert _("{name} שלום", name="Ana (C++)") == "\u2068Ana (C++)\u2069 שלום"
        assert _("{name} שלום", name="Ana") == "Ana שלום"  # a single word turns nothing
        assert _("`run {id}` שלום", id="a b") == "`run a b` שלום"  # a command is copied
        assert _("{url} שלום", url="https://x.example/a b") == "https://x.example/a b שלום"
        assert aligned("CRM שלום\nשלום CRM\nCRM") == "\u200fCRM שלום\nשלום CRM\nCRM"
    assert _("{name} says", name="Ana (C++)") == "Ana (C++) says"
    assert clean("a\u2068b\u2069, c") == "ab, c"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("", "nl"), ("sv, nb;q=0.9", "nl"), ("he-IL;q=0.8, el", "el"), ("el;q=0.5, he-IL;q=0.7", "he-IL"),
     ("he;q=0", "nl"), ("he;q=x", "nl"), (", ;", "nl"), ("tlh, el-GR", "el-GR")],
)  # fmt: skip
def test_the_browser_chooses_among_known_languages(accepted: str, language: str) -> None:
    with in_pseudo("he"), in_pseudo("el"):
        assert chosen(accepted, "nl") == language


@pytest.mark.parametrize("name", KEPT)
def test_what_is_kept_in_english_is_told_in_the_language_in_use(name: Kept) -> None:
    values = {found: f"«{found}»" for found in re.findall(r"\{(\w+)\}", KEPT[name])}
    with in_pseudo():
        assert retold(kept(name, **values)) == f"⟦{KEPT[name].format(**{n: f'⟦{v}⟧' for n, v in values.items()})}⟧"
    assert retold(kept(name, **values)) == kept(name, **values)


def test_what_is_kept_within_something_kept_is_told_as_well() -> None:
    with in_pseudo():
        said = retold(kept("full", sent="1,000", span=kept("span", number=24)))
    assert said == "⟦⟦1,000⟧ messages have left in the last ⟦⟦24⟧ hours⟧, as many as allowed⟧"


def test_what_a_button_asked_is_told_in_the_language_in_use() -> None:
    with in_pseudo():
        plan = translated(a_plan(a_message(checks=[CHECK])), LANGUAGE, "⟦{}⟧".format)
        theirs = plan.in_language(LANGUAGE)
        assert question_text(f"{EXPLAIN} (Where?)", plan, theirs) == f"⟦{EXPLAIN}⟧ (⟦Where?⟧)"
        assert question_text(f"{EXPLAIN} (Another?)", plan, theirs) == f"⟦{EXPLAIN}⟧ (Another?)"
        assert question_text("Why?", plan, theirs) == "Why?"


def test_a_text_of_a_plan_is_shown_with_its_dates() -> None:
    milestones = {"go_live": Milestone(date=DAY), "pilot": Milestone(date=dt.date(2027, 2, 3), firm=False)}
    text = "From {{ milestones.go_live }}, {{milestones.pilot}} {{ milestones.gone }} {{ person.department }}"
    told = "From Monday, 15 March 2027, planned for the week of 1 February 2027"
    assert with_dates(text, milestones) == told + " {{ milestones.gone }} {{ person.department }}"
