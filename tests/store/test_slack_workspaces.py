"""Whom the lists of users showed, and how far each has been read, on both databases."""

from __future__ import annotations

import datetime as dt

from commsengine.cadence.kinds_and_states import SlackStatus
from commsengine.store.store import Store
from tests.builders import ANA, BEN, MIA, someone
from tests.store.scene import NOW

LATER = dt.timedelta(seconds=3)
T, TEAM = "hash", "T1"


def listed(email: str, user: str, status: SlackStatus = "member", grid: str = "") -> tuple[str, str, SlackStatus, str]:
    return (email, user, status, grid)


def keep(store: Store, *users: tuple[str, str, SlackStatus, str], team: str = TEAM) -> None:
    """A whole reading of one page."""
    book = store.slack_workspaces
    book.begin(T, {TEAM: "North", "T2": "South"}, NOW)
    book.keep(T, team, users, channel="slack", cursors=("", ""), counted=len(users), now=NOW)


def test_a_reading_leaves_who_is_where_and_how_many(known: Store) -> None:
    stranger = listed("zoe@example.com", "UZOE")
    keep(known, listed("ANA@example.com", "UANA", "guest", "WANA"), listed(BEN.email, "UBEN", "deleted"), stranger)
    assert known.slack_ids.get(ANA.email) == ("UANA", "")
    assert (known.slack_ids.grid_id(ANA.email, "UANA"), known.slack_ids.status(ANA.email, "UANA")) == ("WANA", "guest")
    assert known.slack_ids.get(stranger[0]) is None
    book = known.slack_workspaces
    assert tuple(tell(NOW.date()) for tell in (book.found, book.deactivated, book.missing, book.people)) == (
        {TEAM: 1},
        [BEN.email],
        0,
        2,
    )
    north, south = book.of(T)
    assert (north.finished_at, north.members, north.missing, north.trouble) == (NOW, 3, 0, "")
    assert (south.finished_at, book.of("another")) == (None, [])


def test_who_has_a_slack_id_of_their_own_or_has_left_is_not_missing(known: Store) -> None:
    left, leaving = someone(2, left=dt.date(2027, 1, 1)), someone(3, left=NOW.date() + dt.timedelta(days=1))
    known.people.save([MIA, someone(1, slack_id="U1"), left, leaving], by="dana", now=NOW)
    keep(known, listed(ANA.email, "UANA"), listed(left.email, "U2"), listed(leaving.email, "U3"))
    assert known.slack_workspaces.missing(NOW.date()) == 2  # Ben and Mia
    assert known.slack_ids.get(left.email) is None
    assert known.slack_ids.get(leaving.email) == ("U3", "")


def test_a_turn_is_given_to_one_and_comes_again(known: Store) -> None:
    book = known.slack_workspaces
    book.begin(T, {TEAM: "North"}, NOW)
    turns = [book.take_turn(T, TEAM, now, now + LATER) for now in (NOW, NOW, NOW + LATER / 2, NOW + LATER)]
    assert turns == [True, False, False, True]
    a_year_back = NOW - dt.timedelta(days=365)
    assert book.take_turn(T, TEAM, a_year_back, a_year_back + LATER)  # the clock was set back


def test_a_page_that_another_engine_has_kept_is_kept_once(known: Store) -> None:
    book = known.slack_workspaces
    book.begin(T, {TEAM: "North"}, NOW)
    for user in ("UONE", "UTWO"):
        book.keep(T, TEAM, [listed(ANA.email, user)], channel="slack", cursors=("", "next"), counted=1, now=NOW)
    (north,) = book.of(T)
    assert (north.cursor, north.counted, known.slack_ids.get(ANA.email)) == ("next", 1, ("UONE", ""))


def test_trouble_is_on_record_until_a_page_comes(known: Store) -> None:
    book = known.slack_workspaces
    book.wait(T, "", NOW + LATER, "invalid_auth")
    assert [(each.team_id, each.trouble, each.free_at) for each in book.of(T)] == [("", "invalid_auth", NOW + LATER)]
    keep(known)
    book.wait(T, TEAM, NOW + LATER, "fatal_error")
    assert [each.trouble for each in book.of(T)] == ["fatal_error", ""]
    book.keep(T, TEAM, [], channel="slack", cursors=("", ""), counted=0, now=NOW)
    assert [each.trouble for each in book.of(T)] == ["", ""]


def test_in_two_workspaces_of_an_organisation_somebody_is_active_if_they_are_in_one(known: Store) -> None:
    keep(known, listed(ANA.email, "UANA"))
    keep(known, listed(ANA.email, "UANA", "deleted"), team="T2")
    assert known.slack_ids.status(ANA.email, "UANA") == "member"
    keep(known, listed(ANA.email, "UANA", "deleted"))
    assert known.slack_ids.status(ANA.email, "UANA") == "deleted"


def test_an_active_user_takes_the_place_of_another_and_no_former_one_does(known: Store) -> None:
    keep(known, listed(ANA.email, "UOLD", "deleted"))
    keep(known, listed(ANA.email, "UNEW"), listed(ANA.email, "UOLD", "deleted"))
    assert known.slack_ids.get(ANA.email) == ("UNEW", "")
    keep(known, listed(ANA.email, "UBOT", "bot"))
    assert known.slack_ids.get(ANA.email) == ("UNEW", "")


def test_a_conversation_is_kept_for_the_same_user_and_forgotten_for_another(known: Store) -> None:
    known.slack_ids.put(ANA.email, "UANA", "D1", "W1")
    keep(known, listed(ANA.email, "UANA"))
    assert (known.slack_ids.get(ANA.email), known.slack_ids.grid_id(ANA.email, "UANA")) == (("UANA", "D1"), "W1")
    keep(known, listed(ANA.email, "UNEW"))
    assert (known.slack_ids.get(ANA.email), known.slack_ids.grid_id(ANA.email, "UNEW")) == (("UNEW", ""), "")


def test_what_was_found_out_about_the_channel_is_lifted_when_somebody_becomes_active(known: Store) -> None:
    keep(known, listed(ANA.email, "UANA", "deleted"), listed(BEN.email, "UBEN"))
    for person in (ANA, BEN):
        known.reachability.mark_unreachable(person.id, "slack", "not on Slack", now=NOW)
    keep(known, listed(ANA.email, "UANA"), listed(BEN.email, "UBEN", "guest"))  # Ben was active all the time
    loaded = known.loading.histories([ANA.id, BEN.id])
    assert {person: each.history.unreachable for person, each in loaded.items()} == {
        "ana": {}, "ben": {"slack": "not on Slack"},
    }  # fmt: skip


def test_the_workspaces_of_a_former_token_are_forgotten(known: Store) -> None:
    book = known.slack_workspaces
    book.begin("former", {TEAM: "North"}, NOW)
    book.begin(T, {"T2": "South"}, NOW)
    assert (book.of("former"), [each.team_id for each in book.of(T)]) == ([], ["T2"])
