from __future__ import annotations

import datetime as dt

import pytest

from commsengine.cadence.plan import Cadence
from commsengine.content.phrases import day_text, often
from commsengine.content.sheet import header, shortened

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
