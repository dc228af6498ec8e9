"""The list of users of a Slack workspace, read into the id cache of a real database, from the HTTP stand-in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from structlog.testing import capture_logs

from commsengine.channels.channel import Outcome
from commsengine.channels.slack import SlackChannel
from commsengine.channels.slack_manifest import MANIFEST
from commsengine.channels.slack_users import (
    LookUpPace,
    SlackUsers,
    seconds_of_look_ups,
    seconds_to_get_ready,
    seconds_until_known,
)
from commsengine.sandbox.sandbox import Serving
from commsengine.sandbox.slack_server import SlackStandIn
from commsengine.sandbox.slack_team import TEAM_ID
from commsengine.store.store import Store
from tests import fresh
from tests.builders import ANA, BEN, MIA, someone, utc
from tests.channels.test_slack import a_card
from tests.fakes import Clock

NOW = utc("2027-01-11 08:00")
DAY = dt.timedelta(days=1)


@pytest.fixture(scope="module")
def serving() -> Iterator[tuple[Serving, Starlette]]:
    app = Starlette()
    with Serving(app) as server:
        yield server, app


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with fresh.a_store(tmp_path / "slack.db") as store:
        store.people.save([ANA, BEN, MIA], by="dana", now=NOW)
        yield store


class Office:
    """A workspace of so many strangers, Ana (in capitals) and Ben; the engine's clock is the stand-in's, too."""

    def __init__(self, store: Store, serving: tuple[Serving, Starlette], strangers: int = 0, **slack: Any) -> None:
        self.store, self.clock, self._serving = store, Clock(NOW), serving
        others = [(f"other{number}@example.com", "Other") for number in range(strangers)]
        people = [("ANA@Example.com", "Ana Kim", "UANA"), *others, ("ben@example.com", "Ben Ortiz", "UBEN")]
        self.slack = SlackStandIn(people, clock=lambda: self.clock().timestamp(), **slack)
        self.serve()
        self.users = self.another()

    def serve(self) -> None:
        server, app = self._serving
        self.slack.url, app.router.routes[:] = server.url, self.slack.routes

    def another(self) -> SlackUsers:
        """As another process would go on."""
        return SlackUsers(self.slack.bot_token, self.store.slack_workspaces, api_url=self.slack.api_url)

    def beat(self, after: float = 0.0) -> float:
        self.clock.forward(seconds=after)
        return self.users(self.clock.now)

    def read(self) -> float:
        """Until it is known; the seconds that this took."""
        waited = 0.0
        while wait := self.beat():
            self.clock.forward(seconds=wait)
            waited += wait
        return waited

    def read_again(self) -> None:
        """The next day."""
        self.beat(DAY.total_seconds())
        for _page in range(5):
            self.beat(3)

    def send(self, *people: Any) -> list[Outcome]:
        channel = SlackChannel(self.slack.bot_token, self.store.slack_ids, api_url=self.slack.api_url)
        cards = [a_card(f"k{number}", to_email=person.email) for number, person in enumerate(people)]
        return list(channel.deliver(cards, lambda keys: keys))

    @property
    def pages(self) -> int:
        return self.slack.calls.count("users.list")

    @property
    def trouble(self) -> list[str]:
        return [each.trouble for each in self.store.slack_workspaces.of(self.users.hashed_token)]


@pytest.fixture
def office(store: Store, serving: tuple[Serving, Starlette]) -> Office:
    return Office(store, serving, strangers=1100)


def test_a_workspace_is_read_page_by_page_and_then_nobody_is_looked_up(office: Office) -> None:
    assert (office.beat(), office.beat(1), office.pages) == (3.0, 2.0, 1)
    assert (office.beat(2), office.beat(3), office.pages) == (3.0, 0.0, 3)
    assert [outcome.verdict for outcome in office.send(ANA, BEN)] == ["sent", "sent"]
    assert office.slack.calls == ["auth.test", *["users.list"] * 3, *["chat.postMessage"] * 2]


def test_only_people_of_the_directory_are_kept(office: Office) -> None:
    office.read()
    with office.store.database.read() as connection:
        kept = connection.exec_driver_sql("SELECT email_key, user_id, team_id, status FROM slack_id").all()
    assert sorted(map(tuple, kept)) == [
        ("ana@example.com", "UANA", TEAM_ID, "member"), ("ben@example.com", "UBEN", TEAM_ID, "member"),
    ]  # fmt: skip
    (workspace,) = office.store.slack_workspaces.of(office.users.hashed_token)
    assert (workspace.members, workspace.missing, workspace.name) == (1103, 1, "Sandbox")


def test_another_process_goes_on_where_one_ended(office: Office) -> None:
    office.beat()
    office.users = office.another()
    assert office.read() == 6.0 + 0.0
    assert (office.pages, office.slack.calls.count("auth.test")) == (3, 1)


def test_two_engines_keep_one_pace(office: Office) -> None:
    two = office.another()
    waits = [office.beat(), two(office.clock.now), two(office.clock.now)]
    assert (waits, office.pages) == ([3.0] * 3, 1)
    office.clock.forward(seconds=3)
    assert (two(office.clock.now), office.beat(), office.pages) == (3.0, 3.0, 2)


def test_the_first_reading_takes_as_long_as_announced(office: Office) -> None:
    office.read()
    assert office.pages == 3
    assert (seconds_until_known(1103, known=False), seconds_until_known(1103, known=True)) == (6.0, 0.0)
    assert [seconds_until_known(members, known=False) for members in (0, 500, 2000, 10_000)] == [0, 0, 9, 57]
    assert [seconds_of_look_ups(people) for people in (0, 50, 51, 2000)] == [0, 0, 60, 2340]


def test_the_forecast_knows_a_cold_and_a_warm_cache(office: Office) -> None:
    def forecast(people: int) -> float:
        return seconds_to_get_ready(office.store.slack_workspaces.of(office.users.hashed_token), people)

    assert (forecast(2000), forecast(100)) == (9.0, 0.0)
    office.beat()
    assert forecast(2000) == 9.0
    office.read()
    assert forecast(2000) == 0.0


def test_who_is_deactivated_or_a_bot_is_not_on_slack_without_a_call_and_guests_are(office: Office) -> None:
    office.slack.team.change(ANA.email, deleted=True)
    office.slack.team.change(BEN.email, guest="single")
    office.read()
    before = list(office.slack.calls)
    ana, ben = office.send(ANA, BEN)
    assert (ana.verdict, ana.begun, ana.unreachable, ana.fault) == ("permanent", False, "not on Slack", "person")
    assert (ben.verdict, office.slack.calls) == ("sent", [*before, "chat.postMessage"])
    assert office.store.slack_workspaces.deactivated(NOW.date()) == [ANA.email]
    office.slack.team.change(BEN.email, bot=True)
    office.read_again()
    assert office.send(BEN)[0].unreachable == "not on Slack"


def test_it_is_read_again_after_a_day_and_nobody_waits_for_that(office: Office) -> None:
    office.read()
    office.beat(DAY.total_seconds() - 60)
    assert office.pages == 3
    office.slack.team.change(BEN.email, id="UNEW")
    assert [office.beat(60), *(office.beat(3) for _ in range(3))] == [0.0] * 4
    assert (office.pages, office.store.slack_ids.get(BEN.email)) == (6, ("UNEW", ""))


def test_a_few_new_people_are_looked_up_and_many_are_read(office: Office) -> None:
    office.read()
    office.store.people.save([someone(number) for number in range(20)], by="dana", now=NOW)
    assert (office.beat(61), office.pages) == (0.0, 3)
    office.store.people.save([someone(number) for number in range(30)], by="dana", now=NOW)
    assert (office.beat(61), office.pages) == (3.0, 4)
    office.read()
    assert (office.beat(61), office.pages) == (0.0, 6)  # once: these are not on Slack


def test_nothing_is_read_for_nobody(store: Store, serving: tuple[Serving, Starlette]) -> None:
    office = Office(store, serving)
    store.people.save([replace(each, left=dt.date(2027, 1, 1)) for each in (ANA, BEN, MIA)], by="dana", now=NOW)
    assert (office.beat(), office.slack.calls) == (0.0, [])


def test_who_comes_back_to_slack_is_reachable_there_again(office: Office) -> None:
    office.slack.team.change(ANA.email, deleted=True)
    office.read()
    office.store.reachability.mark_unreachable(ANA.id, "slack", "not on Slack", now=NOW)
    office.store.reachability.mark_unreachable(BEN.id, "slack", "cannot_dm_user", now=NOW)
    office.slack.team.change(ANA.email, deleted=False)
    office.read_again()
    loaded = office.store.loading.histories(["ana", "ben"])
    closed = {person: each.history.unreachable for person, each in loaded.items()}
    assert closed == {"ana": {}, "ben": {"slack": "cannot_dm_user"}}  # what Slack refuses of active users stays


@pytest.mark.parametrize("missing", ["users:read", "users:read.email"])
def test_without_the_scope_it_says_so_and_look_ups_go_on(
    store: Store, serving: tuple[Serving, Starlette], missing: str
) -> None:
    scopes = [scope for scope in MANIFEST["oauth_config"]["scopes"]["bot"] if scope != missing]
    office = Office(store, serving, manifest={**MANIFEST, "oauth_config": {"scopes": {"bot": scopes}}})
    with capture_logs() as logged:
        assert office.beat() == 0.0
    because = "missing_scope" + (" (users:read.email)" if missing == "users:read.email" else "")
    assert (office.trouble, logged[0]["because"]) == ([because], because)
    office.beat(3599)
    assert office.pages == 1
    office.slack.team.scopes |= {missing}
    office.beat(1)
    assert (office.trouble, office.store.slack_ids.get(ANA.email)) == ([""], ("UANA", ""))


def test_a_limit_is_obeyed(office: Office) -> None:
    office.slack.limit("users.list", retry_after=40)
    assert (office.beat(), office.beat(39), office.pages) == (40.0, 1.0, 1)
    assert (office.beat(1), office.pages) == (3.0, 2)


@pytest.mark.parametrize("trouble", [("limit_required", 200), ("fatal_error", 500), ("Bad Gateway", 502)])
def test_slack_in_trouble_lets_look_ups_go_on_and_is_asked_for_less(office: Office, trouble: tuple[str, int]) -> None:
    office.slack.fail("users.list", trouble[0], status=trouble[1])
    assert (office.beat(), office.beat(59), office.pages) == (0.0, 0.0, 1)
    office.beat(1)
    office.read()
    assert office.pages == 1 + 6  # two hundred a page


def test_a_workspace_that_does_not_answer_is_asked_again_in_a_minute(office: Office) -> None:
    office.slack.fail("auth.test", "internal_error", status=500)
    assert (office.beat(), office.beat(59), office.slack.calls) == (0.0, 0.0, ["auth.test"])
    assert office.beat(1) == 3.0


def test_a_cursor_that_is_no_longer_valid_starts_the_list_anew(office: Office) -> None:
    office.beat()
    office.slack.fail("users.list", "invalid_cursor")
    office.read()
    assert office.pages == 1 + 1 + 3
    assert office.store.slack_ids.get(BEN.email) == ("UBEN", "")


def test_an_endless_list_does_not_keep_messages_waiting_for_ever(office: Office) -> None:
    office.beat()
    office.slack.limit("users.list", times=100, retry_after=600)
    assert [office.beat(3), office.beat(600), office.beat(600), office.beat(600)] == [600.0, 600.0, 600.0, 0.0]


def test_an_organisation_is_read_workspace_by_workspace(store: Store, serving: tuple[Serving, Starlette]) -> None:
    office = Office(store, serving, strangers=300, teams={"T1": "North", "T2": "South"})
    for user in office.slack.team.users:
        office.slack.team.change(user.id, team="T2" if user.id == "UBEN" else "T1")
    assert office.read() == 3.0
    assert office.slack.calls == ["auth.test", "auth.teams.list", "users.list", "users.list"]
    assert {each.name: each.members for each in store.slack_workspaces.of(office.users.hashed_token)} == {
        "North": 302, "South": 2,
    }  # fmt: skip
    assert store.slack_workspaces.found(NOW.date()) == {"T1": 1, "T2": 1}
    assert [outcome.verdict for outcome in office.send(ANA, BEN)] == ["sent", "sent"]


def test_a_workspace_that_is_refused_does_not_keep_the_others_from_being_read(
    store: Store, serving: tuple[Serving, Starlette]
) -> None:
    office = Office(store, serving, teams={"T1": "North", "T2": "South"})
    office.slack.team.change("UBEN", team="T2")
    office.slack.fail("users.list", "team_access_not_granted")
    assert (office.beat(), office.beat(), office.trouble) == (1.0, 0.0, ["team_access_not_granted", ""])
    assert store.slack_workspaces.found(NOW.date()) == {"T2": 1}


def test_both_ids_of_a_grid_are_kept(store: Store, serving: tuple[Serving, Starlette]) -> None:
    office = Office(store, serving)
    office.slack.team.change(ANA.email, grid="WANA")
    office.read()
    assert store.slack_ids.grid_id(ANA.email, "UANA") == "WANA"


@pytest.mark.parametrize("first", ["UOLD", "UNEW"])
def test_of_two_accounts_with_one_address_the_active_one_counts(store: Store, first: str) -> None:
    book = store.slack_workspaces
    book.begin("t", {"T1": "North"}, NOW)
    users = [(ANA.email, "UOLD", "deleted", ""), (ANA.email, "UNEW", "member", "")]
    for number, user in enumerate(sorted(users, key=lambda user: user[1] != first)):
        cursors = [("", "a"), ("a", "")][number]
        book.keep("t", "T1", [user], channel="slack", cursors=cursors, counted=1, now=NOW)  # type: ignore[list-item]
    assert (store.slack_ids.get(ANA.email), store.slack_ids.status(ANA.email, "UNEW")) == (("UNEW", ""), "member")


def test_what_was_learned_of_a_conversation_outlives_a_reading(office: Office) -> None:
    office.read()
    office.send(ANA)
    known = office.store.slack_ids.get(ANA.email)
    office.read_again()
    assert office.pages == 6
    assert known == office.store.slack_ids.get(ANA.email) == ("UANA", office.slack.posts[0].conversation)


def test_an_erased_person_is_not_read_again(office: Office) -> None:
    office.read()
    office.store.people.erase(ANA.id, by="dana", now=NOW)
    office.read_again()
    assert (office.pages, office.store.slack_workspaces.found(NOW.date())) == (6, {TEAM_ID: 1})


def test_fifty_are_looked_up_in_any_minute_and_each_keeps_its_turn() -> None:
    pace, now = LookUpPace(), NOW
    waits = [pace.wait(f"{number}@example.com", now) for number in range(120)]
    assert waits == [0.0] * 50 + [60.0] * 50 + [120.0] * 20
    assert pace.wait("60@example.com", now + dt.timedelta(seconds=20)) == 40.0
    assert pace.wait("late@example.com", now + dt.timedelta(seconds=60)) == 60.0
    assert {pace.wait(f"{number}@example.com", now + dt.timedelta(seconds=60)) for number in range(50, 100)} == {0.0}
    assert pace.wait("any@example.com", now - DAY) == 0.0  # the clock was set back


def test_a_look_up_that_waits_for_its_turn_gives_only_its_own_message_back(office: Office) -> None:
    office.store.slack_ids.put(BEN.email, "UBEN", "")
    channel = SlackChannel(
        office.slack.bot_token, office.store.slack_ids, api_url=office.slack.api_url, look_ups=lambda _email, _now: 7.0
    )
    cards = [a_card("k1", to_email=ANA.email), a_card("k2", to_email=BEN.email)]
    ana, ben = channel.deliver(cards, lambda keys: keys)
    assert (ana.verdict, ana.begun, ana.retry_after, ben.verdict) == ("released", False, 7.0, "sent")
