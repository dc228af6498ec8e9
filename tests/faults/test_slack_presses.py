"""Presses that Slack delivers late, twice, out of order, forged or not at all, to the program as it runs."""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from commsengine.sandbox.rehearsal_people import first_form
from commsengine.sandbox.rehearsal_people import send as send_form
from commsengine.sandbox.slack_clicks import block_actions, signed_headers
from commsengine.sandbox.slack_team import Post
from tests.browsing import WEB
from tests.faults.slack_witness import TOKEN, House
from tests.slack_socket import SocketSlack
from tests.stories.campaign import IN_FORCE, write_for
from tests.stories.conftest import free_port
from tests.stories.pages import pages
from tests.stories.program import Program
from tests.waiting import PATIENCE, wait_until

SECRET = "signed-by-slack"
PRESSERS = 50
ANA, BEN, LEA, MIA, TOM, UMA = (f"p{number:04d}@example.com" for number in range(PRESSERS, PRESSERS + 6))


@dataclass
class Day:
    """The program at work, everybody's card posted, and the Slack that presses them."""

    program: Program
    slack: SocketSlack
    house: House

    @property
    def door(self) -> str:
        return f"http://{self.program.settings['COMMSENGINE_HTTP_BIND']}/slack/events"

    def card(self, email: str) -> Post:
        (post,) = self.house.team.dm_of(email)
        return post

    def payload(self, email: str, action: str = "got_it", by: str = "") -> dict[str, Any]:
        """One press, by the person themselves unless somebody else is named."""
        card, team = self.card(email), self.house.team
        button = {"action_id": action, "value": card.key}
        answer = f"http://127.0.0.1:{self.slack.port}/response/{card.conversation}/{card.ts}"
        payload = block_actions(card, button, trigger_id=team.stamp(), response_url=answer, at=team.stamp())
        presser = team.user(by or email)
        assert presser
        return {**payload, "user": {"id": presser.id}}

    def deliver(self, body: str, headers: dict[str, str]) -> int:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return WEB.post(self.door, content=body, headers=form | headers).status_code

    def acknowledged(self) -> int:
        (campaign,) = self.program.look("status")["campaigns"]
        return int(campaign["acknowledged"])

    def standing(self, email: str) -> str:
        return str(self.program.look("why", email)["campaigns"][0]["messages"][0]["standing"])


def signed(payload: dict[str, Any], age: float = 0.0) -> tuple[str, dict[str, str]]:
    """A request as Slack signs it, so many seconds ago."""
    body = urlencode({"payload": json.dumps(payload)})
    return body, signed_headers(SECRET, body, lambda: time.time() - age)


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    folder: Path = tmp_path_factory.mktemp("presses")
    people = PRESSERS + 6
    house = House(folder, [f"p{number:04d}@example.com" for number in range(people)])
    with SocketSlack(house) as slack:
        program = Program(folder / "house", {
            "COMMSENGINE_SLACK_BOT_TOKEN": TOKEN, "COMMSENGINE_SLACK_APP_TOKEN": "xapp-1-witness",
            "COMMSENGINE_SLACK_API_URL": f"http://127.0.0.1:{slack.port}/api/", "COMMSENGINE_SLACK_RATE": "60000",
            "COMMSENGINE_SLACK_SIGNING_SECRET": SECRET, "COMMSENGINE_HTTP_BIND": f"127.0.0.1:{free_port()}",
            "COMMSENGINE_STATE_DIR": str(folder / "state"),
        })  # fmt: skip
        write_for(program, people)
        program.change("schedules/crm.yaml", ("channels: [email]", "channels: [slack]"))
        for command in IN_FORCE:
            program.here(*command)
        with pages(program):
            assert wait_until(lambda: len(house.team.posts) == people)
            assert slack.linked.wait(PATIENCE)
            yield Day(program, slack, house)


def test_f23_presses_delivered_four_times_and_out_of_order_are_one_answer_each(day: Day) -> None:
    presses = [signed(day.payload(f"p{number:04d}@example.com")) for number in range(PRESSERS)]
    deliveries = presses * 4
    random.Random(4).shuffle(deliveries)  # noqa: S311 - the same disorder each time
    before = day.acknowledged()
    with ThreadPoolExecutor(4) as slack:
        assert set(slack.map(lambda press: day.deliver(*press), deliveries)) == {200}
    assert day.acknowledged() - before == PRESSERS
    assert len(day.house.team.posts) == PRESSERS + 6


def test_a_press_that_comes_again_after_its_undo_stays_undone(day: Day) -> None:
    got_it, undo = signed(day.payload(ANA)), signed(day.payload(ANA, "undo"))
    for press in (got_it, undo, undo, got_it, got_it, undo):
        assert day.deliver(*press) == 200
    assert day.standing(ANA) == "reached"


def test_f23_the_press_of_another_is_refused_and_told_to_them_alone(day: Day) -> None:
    assert day.deliver(*signed(day.payload(BEN, by=MIA))) == 200
    assert wait_until(lambda: day.slack.whispers)
    assert day.slack.whispers == [
        "This message is for somebody else, so nothing was recorded. You get your own message directly."
    ]
    assert (day.standing(BEN), day.standing(MIA), day.card(BEN).edits) == ("reached", "reached", 0)


def test_a_request_that_is_old_forged_or_changed_is_refused(day: Day) -> None:
    """How old is old, to the second, is tested where the clock stands still."""
    payload = day.payload(BEN)
    body, headers = signed(payload)
    stamp = "X-Slack-Request-Timestamp"
    for refused in (
        signed(payload, age=301), signed(payload, age=-400), (body.replace("got_it", "undo"), headers),
        *((body, headers | {stamp: odd}) for odd in ("soon", "", "1e9", "-5", "9" * 400)),
        (body, headers | {"X-Slack-Signature": "v0=" + "0" * 64}), (body, {}),
    ):  # fmt: skip
        assert day.deliver(*refused) == 401
    assert day.standing(BEN) == "reached"
    assert day.deliver(*signed(payload, age=240)) == 200
    assert day.standing(BEN) == "acknowledged"


@pytest.mark.slow
def test_f24_a_press_while_the_socket_is_gone_is_visibly_not_recorded_and_the_link_works(day: Day) -> None:
    slack = day.slack
    assert slack.press(day.payload(LEA))
    assert wait_until(lambda: day.standing(LEA) == "acknowledged", step=0.2)
    assert wait_until(lambda: day.card(LEA).edits >= 1)

    slack.go()
    assert not slack.press(day.payload(TOM))  # Slack has nobody to give it to, and shows so
    card = day.card(TOM)
    assert (card.edits, day.standing(TOM)) == (0, "reached")
    assert '"action_id": "got_it"' in json.dumps(card.blocks)
    (page,) = set(re.findall(r"<(http[^|>]+/a/[^|>]+)\|", json.dumps(card.blocks)))
    send_form(first_form(page))
    assert day.standing(TOM) == "acknowledged"

    slack.away = False
    assert slack.linked.wait(PATIENCE)
    assert slack.press(day.payload(UMA), "e2")
    assert wait_until(lambda: day.standing(UMA) == "acknowledged", step=0.2)
    assert wait_until(lambda: "e2" in slack.acknowledged)
