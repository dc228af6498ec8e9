""" "Nobody sees your answer" is true: whatever a lead can look at is the same for a right and a wrong answer."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

import pytest

from commsengine.answers.inbox import Evidence
from commsengine.cli.commands import CHAPTERS
from commsengine.reports.morning.digest import Digests
from commsengine.reports.morning.morning_time import MorningBasis
from commsengine.sandbox.mailbox import Mailbox
from commsengine.store.tables import answer, touch
from commsengine.wiring import Wiring
from tests.cli.conftest import plan
from tests.cli.terminal import Terminal

SCHEDULE = "schedules/crm.yaml"
RIGHT, WRONG = "Quokka, the record", "Zebra, the notebook"
CHECKED = f"""cadence: CADENCE
    ask: check
    checks:
      - {{question: Where do you log a call?, answers: ["{RIGHT}", "{WRONG}"], right: "{RIGHT}", because: Walrus.}}"""

BEFORE_THE_AUDIENCE = """\
outcomes: {first_call: {title: The first call is logged, by: go_live}}
phases: {learn: {until: go_live, gate: true, reach: {one-record: {right: 0.5, answered: 0.5}}}}
audience:
"""

LOOKS: Sequence[Sequence[str]] = (
    ("why", "ana@example.com"),
    ("touches", "crm"),
    ("status",),
    ("today",),
    ("followups",),
    ("followups", "--talking-points"),
    ("questions",),
    ("refusals",),
    ("answers", "crm"),
    ("answers", "crm", "--csv"),
    ("answers", "crm", "--by-department"),
    ("facts", "crm"),
    ("managers", "crm"),
    ("phases", "crm"),
    ("phases", "crm", "--review", "learn"),
    ("people", "show", "ana@example.com"),
    ("people", "export"),
    ("acks", "crm"),
    ("acks", "crm", "--csv"),
    ("report", "crm", "--json"),
)
WITHOUT_JSON = {
    ("people", "export"),
    ("answers", "crm", "--csv"),
    ("acks", "crm", "--csv"),
    ("followups", "--talking-points"),
    ("report", "crm", "--json"),
}
MADE_AT = re.compile(r'^  "at": ".*",$', re.M)
"""When a report was made."""

LINK = re.compile(r"http\S+")
"""Signed for an instant."""

CHANGES = {"touch", "followup", "question", "refusal", "suppress"}
"""Commands of the chapter that record something; what they print is not about what somebody said."""


def test_every_command_that_shows_people_is_looked_at() -> None:
    shown = {entry.name for entry in CHAPTERS["See and follow up"]} - CHANGES
    assert shown <= {look[0] for look in LOOKS}


@pytest.fixture(params=["{every: 48h, times: 5}", "{recall_floor: 0.35}"])
def answered(terminal: Terminal, mailbox: Mailbox, request: pytest.FixtureRequest) -> Terminal:
    """Ana has answered the check of her first touch, and Ben asked something; the next touch is not yet due."""
    terminal.write(
        SCHEDULE,
        plan(
            **{
                "cadence: {every: 48h, times: 5}": CHECKED.replace("CADENCE", request.param),
                "audience:\n": BEFORE_THE_AUDIENCE,
            }
        ),
    )
    for command in (("people", "import", terminal.path("people.csv")), ("apply", terminal.path(SCHEDULE), "--yes"),
                    ("start", "crm", "--yes"), ("tick",)):  # fmt: skip
        said = terminal.run(*command)
        assert said.status == 0, said.err
    keys = {mail.recipients[0]: mail.key for mail in mailbox.arrived}
    with Wiring(terminal.folder) as wiring:
        wiring.inbox.answer_check(wiring.inbox.card(keys["ana@example.com"], wiring.clock()), RIGHT, Evidence("link"))
        wiring.inbox.ask(
            wiring.inbox.card(keys["ben@example.com"], wiring.clock()), "May I keep my notes?", Evidence("link")
        )
    return terminal


def seen(terminal: Terminal, start: str) -> dict[str, str]:
    told = {" ".join(look): MADE_AT.sub("", terminal.run(*look).out) for look in LOOKS}
    told |= {
        " ".join((*look, "--json")): terminal.run(*look, "--json").out for look in LOOKS if look not in WITHOUT_JSON
    }
    told = {
        look: re.sub(r'"at": "[^"]*"', "", text) if look.startswith(("report", "phases")) else text
        for look, text in told.items()
    }
    told["simulate"] = terminal.run("simulate", terminal.path(SCHEDULE), "--from", start, "--json").out
    preview = terminal.run("preview", terminal.path(SCHEDULE), "--as", "ana@example.com", "--touch", "3").out
    told["preview"] = LINK.sub("", preview)
    told["digest"] = digest(terminal)
    return told


def digest(terminal: Terminal) -> str:
    """The lead's mail of the next working morning; its row is taken away again."""
    with Wiring(terminal.folder) as wiring:
        day = wiring.clock().date() + dt.timedelta(days=1)
        day += dt.timedelta(days=(7 - day.weekday()) % 7 if day.weekday() > 4 else 0)
        morning = dt.datetime.combine(day, dt.time(8, 30), dt.UTC)
        digests = Digests(
            MorningBasis(wiring.store, wiring.decisions, wiring.renderer, ["email"], wiring.fresh_links.make)
        )
        assert digests.send(wiring.store.campaigns.all(), morning) == 1
        (mail,) = wiring.store.service_mail.due(morning)
        with wiring.store.database.write() as connection:
            connection.execute(touch.delete().where(touch.c.key == mail.key))
    assert mail.payload
    return str(mail.payload["text"])


def test_right_or_wrong_makes_no_difference_to_whatever_anybody_else_can_look_at(answered: Terminal) -> None:
    tomorrow = str(dt.datetime.now(dt.UTC).date() + dt.timedelta(days=1))
    right = seen(answered, tomorrow)
    with Wiring(answered.folder) as wiring, wiring.store.database.write() as connection:
        connection.execute(answer.update().values(value=WRONG, right=False))
    wrong = seen(answered, tomorrow)
    assert "answered the question" in right["why ana@example.com"]
    assert "May I keep my notes?" in right["digest"]
    for look, told in right.items():
        assert wrong[look] == told, look
        named = any(word in told for word in ("Quokka", "Zebra", "Walrus"))
        assert named is (look == "preview"), look  # of the plan, for everybody alike
