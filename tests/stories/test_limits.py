"""A mail server with a quota: no one fails, the rest waits, is told, and is sent when there is room again.

A profile of the workspace says that a day of this server is some seconds long.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP

from tests.stories.campaign import start_for
from tests.stories.program import Program
from tests.stories.relay import Relay
from tests.waiting import expect

PEOPLE, QUOTA, DAY = 60, 35, 6.0
ADMIN = "admin@example.com"


class Quota(Relay):
    """Takes so many messages in a day of so many seconds, each of which makes room again when it is so old."""

    def __init__(self, quota: int, day: float) -> None:
        super().__init__()
        self.quota, self.day, self.refused = quota, day, 0
        self.times: list[float] = []

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's hook
        if sum(at > time.monotonic() - self.day for at in self.times) >= self.quota:
            self.refused += 1
            return "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException"
        self.times.append(time.monotonic())
        return await super().handle_DATA(server, session, envelope)


@pytest.fixture
def relay() -> Iterator[Quota]:
    with Quota(QUOTA, DAY) as relay:
        yield relay


@pytest.fixture
def ready(program: Program) -> Program:
    program = replace(program, settings={**program.settings, "COMMSENGINE_ADMIN_EMAIL": ADMIN})
    start_for(program, PEOPLE)
    return program


def profile(program: Program, known: str) -> None:
    limits = f"connections: 3, day: {DAY:.0f}s, {known}"
    program.write("providers.yaml", f"profiles: {{small: {{title: A small mailbox, {limits}}}}}\n")


def the_rest(program: Program) -> dict[str, Any]:
    found = program.look("today")
    assert found["failed"] == []
    return next(iter(found["channels"]), {})


def everybody_is_reached_once(program: Program, relay: Quota) -> bool:
    told = {address: copies for address, copies in relay.copies.items() if address.startswith("p0")}
    assert set(told.values()) <= {1}
    return len(told) == PEOPLE


@pytest.mark.slow
def test_a_quota_that_the_server_tells_of_fails_nobody_and_the_others_are_sent_when_it_renews(
    ready: Program, relay: Quota
) -> None:
    profile(ready, "banners: [sandbox mailbox]")
    with ready.running("run"):
        expect(lambda: relay.refused)
        expect(lambda: the_rest(ready).get("waiting") == PEOPLE - QUOTA, step=0.3)
        assert the_rest(ready)["because"].endswith("SubmissionQuotaExceededException")
        expect(lambda: everybody_is_reached_once(ready, relay), step=0.3)
    assert ready.books("crm").counts["sent"] == PEOPLE
    assert {row["attempts"] for row in ready.books("crm").rows} == {1}
    (mail,) = [mail for mail in relay.arrived if mail.recipients[0] == ADMIN]
    assert "SubmissionQuotaExceededException. The mail server appears to be: A small mailbox." in mail.text
    assert f"{PEOPLE - QUOTA} messages wait" in mail.text


@pytest.mark.parametrize("command", ["run", "tick"])
@pytest.mark.slow
def test_a_day_that_our_own_count_says_is_full_is_never_refused(ready: Program, relay: Quota, command: str) -> None:
    profile(ready, f"hosts: [127.0.0.1], per_day: {QUOTA}")
    if command == "run":
        with ready.running("run"):
            expect(lambda: the_rest(ready).get("waiting") == PEOPLE - QUOTA, step=0.3)
            expect(lambda: everybody_is_reached_once(ready, relay), step=0.3)
    else:
        expect(lambda: ready.here("tick") and everybody_is_reached_once(ready, relay))
    assert relay.refused == 0
    assert ready.books("crm").counts["sent"] == PEOPLE
