from __future__ import annotations

import datetime as dt
import hashlib
import re

import pytest

from commsengine.cadence.history import touch_key
from commsengine.cli.terminal_safety import written_out
from commsengine.content.slots import clean
from commsengine.reports.followups import followup_id
from commsengine.reports.morning.morning_time import morning_key
from commsengine.text import (
    LIKE_AN_ADDRESS,
    UNSEEN_IN_A_LINE,
    UNSEEN_IN_LINES,
    listed,
    mail_address,
    meant,
    message_key,
    name_in,
    near_names,
    no_such,
    one_line,
    shown_unseen,
    unseen_in,
)

DAY = dt.date(2027, 1, 11)


def key_before(*parts: str) -> str:
    """As keys on record were made."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:24]


def test_keys_are_those_on_record() -> None:
    assert message_key("crm", "why-crm") == "7c5055fe8b5063983422828c"
    assert message_key("answer to question 7") == hashlib.sha256(b"answer to question 7").hexdigest()[:24]
    assert touch_key("crm", "why-crm", "ana", DAY, 2) == key_before("crm", "why-crm", "ana", "2027-01-11", "2")
    assert morning_key("digest", "crm", "dana@example.com", DAY) == key_before(
        "digest", "crm", "dana@example.com", "2027-01-11"
    )
    assert followup_id("crm", "ana", "personal") == key_before("crm", "ana", "personal")[:8]


def test_near_names_come_best_first_whatever_their_capitals() -> None:
    assert near_names("Manger", ["sales", "Managers", "manager"]) == ["manager", "Managers"]


def test_a_word_that_shares_a_few_letters_is_not_near() -> None:
    """Half alike, as commands and campaigns once were matched, proposes names that nobody meant."""
    assert near_names("list", ["apply", "init", "simulate"]) == []
    assert near_names("list", ["init"], likeness=0.5) == ["init"]


def test_addresses_of_one_domain_are_not_all_near() -> None:
    others = [f"{name}@example.com" for name in ("tom", "eva", "mia", "lee", "olga")]
    written = "kim.jong.ho@example.com"
    assert near_names(written, others, 5, LIKE_AN_ADDRESS) == ["olga@example.com"]
    assert len(near_names(written, others, 5)) == 5


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (["sales", "service"], "Did you mean 'sales'?"),
        ([], "There is no role yet; add it, or take the name out."),
        (["office", "b"], "Write a known role: 'office' or 'b'."),
        ([f"group {n}" for n in range(24)], "'group 23'."),
        ([f"group {n}" for n in range(25)], " (and 5 more)."),
    ],
)
def test_the_remedy_for_an_unknown_name(known: list[str], said: str) -> None:
    assert said in meant("sale", known, "role")


def test_a_list_in_words() -> None:
    assert [listed([]), listed("a"), listed("ab"), listed("abc", "and")] == [
        "",
        "'a'",
        "'a' or 'b'",
        "'a', 'b' and 'c'",
    ]


def test_no_such_name_lists_what_is_there() -> None:
    assert no_such("role", "Sale", ["sales"]) == "There is no role 'Sale'. Did you mean sales?"
    assert no_such("role", "x", []) == "There is no role 'x'; there is none yet."
    assert no_such("role", "x", map(str, range(10, 20))).endswith("There is: 10, 11, 12, 13, 14, 15, 16, 17, ….")


@pytest.mark.parametrize(
    "unseen", ["\x00", "\x1b", "\x7f", "\x9b", "\u2028", "\u202e", "\u2066", "\ufeff", "\uffff", "\ud800"]
)
def test_what_has_no_sign_is_found_everywhere(unseen: str) -> None:
    text = f"a{unseen}b"
    assert all(pattern.search(text) for pattern in (UNSEEN_IN_LINES, UNSEEN_IN_A_LINE))
    assert unseen_in(text)
    assert (shown_unseen(text), clean(text), written_out(text)) == ("a\ufffdb", "a b", f"a\\u{ord(unseen):04x}b")
    assert one_line(text).isprintable()


@pytest.mark.parametrize("needed", ["\u200c", "\u200d", "\u200b", "\u200e", "\xa0", "\xad"])
def test_joiners_and_plain_marks_are_left_to_those_who_need_them(needed: str) -> None:
    assert not UNSEEN_IN_A_LINE.search(needed)


def test_a_line_holds_no_break() -> None:
    assert UNSEEN_IN_A_LINE.findall("a\tb\nc\rd") == ["\t", "\n", "\r"]
    assert not UNSEEN_IN_LINES.search("a\tb\nc\r\n")


def test_what_is_unseen_is_named() -> None:
    assert unseen_in("plain") == ""
    assert unseen_in("a\x00") == "a NUL"
    assert unseen_in("a\u202e") == "the direction mark U+202E"
    assert unseen_in("a\x07") == "the control character U+0007"
    assert re.fullmatch(r"[ -~]+", unseen_in("\ufeff"))


@pytest.mark.parametrize(
    ("written", "sent_to"),
    [
        ("x" * 64 + "@example.com", True),
        ("x" * 65 + "@example.com", False),
        ("ana@" + ".".join(["b" * 49] * 5), True),
        ("ana@" + ".".join(["b" * 50] * 5), False),
        ("ana@" + ".".join(["ü"] * 40), False),  # it is longer in ASCII
    ],
)
def test_what_is_too_long_for_an_address_is_none(written: str, sent_to: bool) -> None:
    assert bool(mail_address(written)) is sent_to


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("dana.reyes@example.com", "Dana Reyes"),
        ("DANA_REYES@example.com", "Dana Reyes"),
        ("jürgen.von.gross@example.com", "Jürgen Von Gross"),
        ("dana@example.com", ""),
        ("d.reyes@example.com", ""),
        ("dana.reyes2@example.com", ""),
        ("a.b.c.d@example.com", ""),
    ],
)
def test_the_name_in_an_address(address: str, name: str) -> None:
    assert name_in(address) == name
