"""You asked, we did: a touch opens with the news of its role once, and what says nearly the same is one group."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from commsengine.cadence.dialogue import MOST, groups, nearly_same, opening
from commsengine.cadence.history import PublicReply, Touch, TouchRow
from tests.builders import utc

SAID = PublicReply(1, "May it stay?", "Until May.", "done", None, ("sales",), utc("2027-01-12 10:00"))
DAY = dt.timedelta(days=1)


def touch(at: dt.datetime, **changes: object) -> Touch:
    about = ("crm", "one-record", "ana", "sales", 0, "message", "email")
    made = Touch(*about, at.date(), at, at + dt.timedelta(hours=4))  # type: ignore[arg-type]
    return replace(made, **changes)  # type: ignore[arg-type]


def row(at: dt.datetime, **changes: object) -> TouchRow:
    made = TouchRow(f"k{at:%d%H}", "crm", "other", 0, "message", at.date(), at, "email", "sent")
    return replace(made, **changes)  # type: ignore[arg-type]


BEFORE, AFTER = row(SAID.at - DAY), row(SAID.at + DAY)
NEXT = touch(SAID.at + 2 * DAY)


def test_the_first_touch_after_it_brings_it_and_no_other_does() -> None:
    assert opening([SAID], NEXT, []) == (SAID,)
    assert opening([SAID], NEXT, [BEFORE]) == (SAID,)
    assert opening([SAID], NEXT, [BEFORE, AFTER]) == ()
    assert opening([SAID], touch(SAID.at - DAY), []) == ()


@pytest.mark.parametrize(
    "skipped",
    [{"state": "skipped"}, {"state": "failed"}, {"kind": "personal", "channel": "personal"}, {"campaign": "another"}],
)
def test_what_never_reached_them_or_was_of_another_campaign_has_not_brought_it(skipped: dict[str, object]) -> None:
    assert opening([SAID], NEXT, [replace(AFTER, **skipped)]) == (SAID,)  # type: ignore[arg-type]


def test_what_is_tried_again_still_brings_it_itself() -> None:
    own = replace(row(NEXT.due_at, state="retry"), key=NEXT.key)
    assert opening([SAID], NEXT, [own]) == (SAID,)


def test_an_answer_without_words_for_what_was_asked_opens_nothing() -> None:
    assert opening([replace(SAID, asked="")], NEXT, []) == ()


def test_it_is_for_the_roles_of_those_who_asked_and_not_for_a_talk() -> None:
    assert opening([SAID], replace(NEXT, role="others"), []) == ()
    assert opening([SAID], replace(NEXT, kind="personal"), []) == ()


def test_a_reply_that_another_has_replaced_is_told_only_before_that() -> None:
    replaced = replace(SAID, replaced_at=NEXT.due_at - dt.timedelta(hours=1))
    assert opening([replaced], NEXT, []) == ()
    assert opening([replaced], touch(SAID.at + DAY), []) == (replaced,)


def test_of_many_the_newest_are_told() -> None:
    many = [replace(SAID, id=n, at=SAID.at + dt.timedelta(minutes=n)) for n in range(MOST + 2)]
    assert [each.id for each in opening(many, NEXT, [])] == [2, 3, 4]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("May I keep my notebook?", "may i keep my NOTEBOOK", True),
        ("May I keep my notebook?", "May I keep my old notebook?", True),
        ("Where do I log a call?", "Where do I log calls?", True),
        ("Who trains me?", "Who pays me?", False),
        ("Is it on 12 May?", "Is it on 13 May?", False),
        ("", "Why?", False),
    ],
)
def test_nearly_the_same_words(one: str, other: str, same: bool) -> None:
    assert nearly_same(one, other) is nearly_same(other, one) is same


def test_groups_are_of_one_subject_and_in_the_order_of_their_first() -> None:
    asks = [("a", "Why now?"), ("b", "Why now?"), ("a", "why now"), ("a", "Who pays?")]
    assert groups(asks, lambda ask: ask[0], lambda ask: ask[1]) == [[asks[0], asks[2]], [asks[1]], [asks[3]]]
