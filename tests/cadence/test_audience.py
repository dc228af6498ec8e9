"""Who takes part, from when, and until when."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from commsengine.cadence.decide import decide
from commsengine.cadence.history import Campaign, Campaigns, History
from commsengine.cadence.people import Person
from tests.builders import ANA, a_message, a_plan, running, utc
from tests.cadence.telling import BERLIN, NOTHING_YET, a_row, days, lines, tell

ONE = {"cadence": {"every": "48h", "times": 1}, "follow_up": []}


def first(person: Person, campaigns: Campaigns, history: History = History()) -> str:  # noqa: B008 - never changed
    return lines(tell(campaigns, person, start="2027-01-01", history=history).touches, person.time_zone)[0]


@pytest.mark.parametrize(
    ("started", "introduced", "since", "expected"),
    [
        ("2027-01-04", None, None, "Mon 11 Jan 09:00 message email"),  # its "from"
        ("2027-01-12 10:00", None, None, "Tue 12 Jan 11:00 message email"),  # the campaign's start
        ("2027-01-04", "2027-01-13 11:00", None, "Wed 13 Jan 12:00 message email"),  # its introduction
        ("2027-01-04", None, "2027-01-14 12:00", "Thu 14 Jan 13:00 message email"),  # the person's joining
        ("2027-01-14", "2027-01-12", "2027-01-13", "Thu 14 Jan 09:00 message email"),  # the latest of them
    ],
)
def test_a_messages_clock_starts_at_the_latest_of_all(
    started: str, introduced: str | None, since: str | None, expected: str
) -> None:
    campaign = running(a_plan(), started=started).running[0]
    campaign = replace(campaign, introduced={"one-record": utc(introduced)} if introduced else {})
    assert first(replace(BERLIN, since=utc(since) if since else None), Campaigns((campaign,))) == expected


def test_a_late_joiner_starts_at_the_first_touch() -> None:
    late = replace(BERLIN, since=utc("2027-02-03 13:00"))
    told = tell(running(), late)
    assert lines(told.touches, "Europe/Berlin") == [
        "Wed 3 Feb 14:00 message email",
        "Fri 5 Feb 14:00 message email",
        "Mon 8 Feb 09:00 remind email",
        "Wed 10 Feb 09:00 personal personal",
    ]
    assert told.touches[0].number == 1


def test_a_roster_says_who_takes_part_and_since_when() -> None:
    campaigns = running(a_plan(audience={"people": "sales.csv", "roles": {"all": {"rest": "true"}}}))
    told = tell(campaigns, BERLIN)
    assert (told.touches, told.last.wake_at, told.reasons["not_in_roster"].waits_for) == ([], None, "never")
    joined = History(rosters={"crm": utc("2027-01-12 10:00")})
    assert first(BERLIN, campaigns, joined) == "Tue 12 Jan 11:00 message email"


def test_the_sponsor_hears_nothing_and_is_told_why() -> None:
    told = tell(running(a_plan(sponsor=BERLIN.email)), BERLIN)
    assert (told.touches, told.last.wake_at) == ([], None)
    assert told.reasons["no_role"].text.startswith("The person sponsors the campaign")


def test_whoever_is_in_no_role_hears_nothing() -> None:
    told = tell(running(a_plan(audience={"roles": {"sales": {"department": "Sales"}}})), ANA)
    assert (told.touches, told.reasons["no_role"].waits_for) == ([], "never")


def test_a_message_goes_to_its_roles_only() -> None:
    plan = a_plan(a_message(id="for-sales", to=["sales"], **ONE), a_message(id="for-all", **ONE))
    assert {touch.message for touch in tell(running(plan), ANA).touches} == {"for-all"}
    assert {touch.role for touch in tell(running(plan), BERLIN).touches} == {"sales"}


def test_a_leaver_hears_nothing_from_their_last_date_on() -> None:
    told = tell(running(), replace(BERLIN, left=dt.date(2027, 1, 13)))
    assert days(told.touches) == ["2027-01-11"]
    assert (told.last.wake_at, told.reasons["left"].waits_for) == (None, "never")


def test_a_leaver_is_not_sent_what_was_still_due_and_nobody_is_asked_to_call() -> None:
    left = replace(BERLIN, left=dt.date(2027, 1, 14))
    assert tell(running(), left, start="2027-01-14").touches == []
    unreachable = History(unreachable={"email": "bounced"})
    assert tell(running(), left, start="2027-01-14", history=unreachable).touches == []


def test_a_retry_for_a_leaver_is_dropped() -> None:
    row = a_row("2027-01-13 15:00", state="retry", retry_at=utc("2027-01-13 15:30"))
    told = tell(running(), replace(BERLIN, left=dt.date(2027, 1, 14)), start="2027-01-14", history=History((row,)))
    assert [touch.skip for touch in told.touches] == ["left"]


@pytest.mark.parametrize(
    ("channels", "preference", "unreachable", "expected"),
    [
        (["slack", "email"], "", {}, "slack"),  # the plan's first
        (["slack", "email"], "email", {}, "email"),  # the person's own preference wins
        (["slack", "email"], "console", {}, "slack"),  # one that the plan does not use does not
        (["slack", "email"], "", {"slack": "not on Slack"}, "email"),  # the next that reaches them
        (["slack", "email"], "email", {"email": "bounced"}, "slack"),
    ],
)
def test_the_first_channel_that_reaches_the_person(
    channels: list[str], preference: str, unreachable: dict[str, str], expected: str
) -> None:
    plan = a_plan(a_message(**ONE), send={"channels": channels})
    told = tell(running(plan), replace(BERLIN, channel=preference), history=History(unreachable=unreachable))
    assert [touch.channel for touch in told.touches] == [expected]


@pytest.mark.parametrize(
    ("wanted", "unreachable", "expected"), [("email", {}, "email"), ("email", {"email": "x"}, "slack")]
)
def test_a_reminder_takes_its_own_channel_if_that_reaches_the_person(
    wanted: str, unreachable: dict[str, str], expected: str
) -> None:
    ladder: list[dict[str, Any]] = [{"after": "1 touch", "do": "remind", "channel": wanted}]
    plan = a_plan(a_message(follow_up=ladder), send={"channels": ["slack", "email"]})
    told = tell(running(plan), BERLIN, history=History(unreachable=unreachable))
    assert [touch.channel for touch in told.touches if touch.kind == "remind"] == [expected]


def test_a_channel_that_is_not_set_up_carries_nothing() -> None:
    plan = a_plan(a_message(**ONE), send={"channels": ["slack", "email"]})
    only_email = replace(running(plan), carriers=frozenset({"email"}))
    assert first(BERLIN, only_email) == "Mon 11 Jan 09:00 message email"


def test_without_any_channel_set_up_nobody_is_called_and_everything_waits() -> None:
    row = a_row("2027-01-11 08:00", state="retry", retry_at=utc("2027-01-11 08:05"))
    told = tell(replace(running(), carriers=frozenset({"slack"})), BERLIN, history=History((row,)))
    assert (told.touches, told.last.wake_at, told.reasons["no_channel"].waits_for) == ([], None, "a channel")


def test_the_order_in_which_campaigns_are_named_decides_nothing() -> None:
    both = [Campaign(a_plan(campaign=name), utc("2027-01-04")) for name in ("two", "one")]
    for order in (both, both[::-1]):
        touches = decide(Campaigns(tuple(order)), BERLIN, NOTHING_YET, utc("2027-01-11 08:00")).touches
        assert [touch.campaign for touch in touches] == ["one"]
