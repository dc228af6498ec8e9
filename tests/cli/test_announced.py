"""What ``start``, ``resume`` and ``release`` announce is what the next tick does, person by person."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Mapping

import pytest

from commsengine.cadence.plan import WEEKDAYS, Plan
from commsengine.cli.output import SKIPPED
from commsengine.content.shipped import shipped_folder
from commsengine.content.templates import load_templates
from commsengine.sandbox.mailbox import Mailbox
from commsengine.store.store import Store
from tests import fresh
from tests.builders import a_message, a_plan, someone
from tests.cli.terminal import Said, Terminal

SHIPPED = load_templates(shipped_folder(), None)
DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
BEN, LEFT_OUT, SATED, ELSEWHEN, EVA = (someone(n, time_zone="") for n in range(5))
"""Two like most; one whom no mail reaches; one who has heard enough; one who works on another day of the week."""


def five_overdue(began: dt.datetime) -> Plan:
    """Five messages, half a day after the other; whom nothing reaches is talked to about the first."""
    messages = [
        a_message(
            id=f"m{n}", until="2099-01-01", cadence={"every": "240h", "times": "9"},
            follow_up=[{"after": "1 touches", "do": "personal", "by": "lead"}] if n == 0 else [],
            **{"from": f"{began + n * 12 * HOUR:%Y-%m-%d %H:%M}"},
        )
        for n in range(5)
    ]  # fmt: skip
    return a_plan(
        *messages,
        send={
            "channels": ["email"], "holidays": "false", "at_most": {"per_day": 1, "per_week": 7}, "time_zone": "UTC",
            "window": {"days": list(WEEKDAYS), "from": "00:00", "to": "24:00"},
        },
    )  # fmt: skip


def opened(terminal: Terminal) -> Store:
    return fresh.opened(terminal.folder / "commsengine.db")


@pytest.fixture
def behind(terminal: Terminal, mailbox: Mailbox) -> Terminal:
    """Three days in which five messages fell due, and nothing was sent."""
    del mailbox
    now = dt.datetime.now(dt.UTC)
    began = now - 3 * DAY
    works = frozenset({(now + 3 * DAY).weekday()})
    people = [BEN, LEFT_OUT, SATED, someone(3, time_zone="", days=works), EVA]
    with fresh.a_store(terminal.folder / "commsengine.db") as store:
        store.people.save(people, by="dana", now=began - DAY)
        store.campaigns.save_version(five_overdue(began), SHIPPED, "", introduced={}, by="dana", now=began - DAY)
        store.reachability.mark_unreachable(LEFT_OUT.id, "email", "no such mailbox", now=began)
        for n in range(5):
            store.answers.record(
                SATED.id, "crm", f"m{n}", f"k{n}", "heard_enough", evidence="link", by=SATED.id, now=began
            )
    return terminal


def started(terminal: Terminal) -> Store:
    store = opened(terminal)
    store.campaigns.start("crm", by="dana", now=dt.datetime.now(dt.UTC) - 3 * DAY - HOUR)
    return store


def announced(said: Said) -> Mapping[str, int]:
    """Messages now, people later, follow-ups, and what is skipped by reason."""
    assert said.status == 0, said.err
    now = re.search(r"^(\d+) (?:person gets|people get) a message now", said.out, re.MULTILINE)
    later = re.search(r"^(\d+) (?:person gets|people get) their (?:next|first) message from", said.out, re.MULTILINE)
    calls = re.search(r"^(\d+) follow-ups? would open", said.out, re.MULTILINE)
    skipped = re.findall(r"^(\d+) messages? (?:is|are) not sent any more: (.+)\.", said.out, re.MULTILINE)
    assert now or "Nothing is sent now.\n" in said.out, said.out
    found = {"sent": now, "later": later, "opened": calls}
    counts = {name: int(number[1]) if number else 0 for name, number in found.items()}
    codes = {words: code for code, words in SKIPPED.items()}
    return counts | {codes[words]: int(number) for number, words in skipped}


def happens(terminal: Terminal, mailbox: Mailbox) -> Mapping[str, int]:
    """What the next tick does, in the same words; it says so itself, and the rows and letters agree."""
    said = terminal.run("tick")
    assert said.status == 0, said.err
    with opened(terminal) as store:
        rows = list(store.touches.list("crm"))
    arrived = [mail.recipients[0] for mail in mailbox.arrived]
    skipped = Counter(row.reason for row in rows if row.state == "skipped")
    calls = sum(row.channel == "personal" for row in rows)
    assert said.out == (
        f"{len(arrived)} message{'s' * (len(arrived) != 1)} sent, {calls} follow-up{'s' * (calls != 1)} opened, "
        f"{skipped.total()} skipped.\n"
    )
    waiting = {BEN.email, ELSEWHEN.email, EVA.email} - set(arrived)
    return {"sent": len(arrived), "later": len(waiting), "opened": calls, **skipped}


EXPECTED = {
    "latest": {"sent": 2, "later": 1, "opened": 1, "merged": 8},
    "all": {"sent": 2, "later": 1, "opened": 1},
    "none": {"sent": 0, "later": 3, "opened": 1, "backlog": 10},
}


@pytest.mark.parametrize("backlog", EXPECTED)
def test_f32_release_does_what_it_announces(behind: Terminal, mailbox: Mailbox, backlog: str) -> None:
    with started(behind) as store:
        store.engine.hold("nothing beat for three days", now=dt.datetime.now(dt.UTC))
    said = announced(behind.run("release", "--backlog", backlog, "--yes"))
    assert said == happens(behind, mailbox) == EXPECTED[backlog]


@pytest.mark.parametrize("backlog", EXPECTED)
def test_f32_resume_does_what_it_announces(behind: Terminal, mailbox: Mailbox, backlog: str) -> None:
    with started(behind) as store:
        store.campaigns.pause("crm", by="dana", now=dt.datetime.now(dt.UTC) - 3 * DAY)
    said = announced(behind.run("resume", "crm", "--backlog", backlog, "--yes"))
    assert said == happens(behind, mailbox) == EXPECTED[backlog]


def test_f32_start_does_what_it_announces(behind: Terminal, mailbox: Mailbox) -> None:
    said = announced(behind.run("start", "crm", "--yes"))
    assert said == happens(behind, mailbox) == {"sent": 2, "later": 1, "opened": 1}
