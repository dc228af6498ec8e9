"""``--json`` prints the fields that docs/commands.md names and no other, in a campaign in which everything happened."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from commsengine.answers.inbox import Evidence
from commsengine.sandbox.mailbox import Mailbox
from commsengine.settings import PREFIX, Settings
from commsengine.store.records import NewReply
from commsengine.wiring import Wiring
from tests.cli.conftest import laid_out, plan
from tests.cli.terminal import Terminal

pytestmark = pytest.mark.sqlite("all its tests look at one workspace")

DOCUMENTED = (Path(__file__).parent.parent.parent / "docs/commands.md").read_text(encoding="utf-8")
SCHEDULE = "schedules/crm.yaml"
BY_LINK = Evidence("link", {"method": "POST"})
MESSAGES = """\
    managers_first: 1 working day
    sender: manager
    checks:
      - {question: Where?, answers: [Here, There], right: Here, because: One place., about: why}
  - id: asks
    key_point: You know the work.
    from: kickoff
    until: go_live
    cadence: {every: 48h, times: 5}
    ask: input
    input: {question: Which day suits you?, kind: choice, choices: [Monday, Friday]}
  - id: promise
    key_point: Each of us starts with one call.
    from: kickoff
    until: go_live
    cadence: {every: 48h, times: 5}
    ask: commit
    commit: {text: I log one call., by: go_live - 9d}
outcomes: {first_call: {title: The first call is logged, by: go_live}}
phases: {learn: {until: go_live, gate: true, reach: {one-record: {right: 0.5, answered: 0.5, done: 0.1}}}}
follow_up:
"""
LOOKS: Sequence[tuple[str, ...]] = (
    ("answers", "crm"), ("answers", "crm", "--by-department"), ("acks", "crm"), ("facts", "crm"), ("managers", "crm"),
    ("phases", "crm"), ("phases", "crm", "--review", "learn"), ("followups",), ("questions",), ("question", "2"),
    ("today",), ("status",), ("touches", "crm"), ("why", "ana@example.com"), ("report", "crm"), ("refusals",),
    ("simulate", SCHEDULE), ("apply", SCHEDULE, "--dry-run"),
    ("send-now", "crm", "--to", "all", "--text", "The office closes at noon.", "--dry-run"),
)  # fmt: skip
NAMED_BY_PEOPLE = {
    "tally", "places", "chosen_by", "grades", "talks", "checks", "leaving", "corrected", "not_today", "skipped",
    "gates", "per_day", "per_week", "follow_ups_per_day", "unreachable", "compared", "ready_after", "differ", "later",
}  # fmt: skip
"""Below these stand words of a plan, or of closed lists."""
ALSO = {
    "today": "answers phases followups questions managers refusals status",
    "status": "phases managers",
    "report": "phases answers outcomes.md",
    "phases": "questions answers report",
    "why": "touches",
}
"""Of which other sections a command shows what they describe."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """Ana has answered, promised, asked and done it; Ben is called and objects; Mia holds what goes out in her name."""
    terminal = laid_out(tmp_path_factory.mktemp("documented"))
    text = plan(**{"times: 5}\n": "times: 5}\n" + MESSAGES.removesuffix("follow_up:\n"), "holidays: false": ROOMY})
    terminal.write(SCHEDULE, text)
    with pytest.MonkeyPatch.context() as patch, Mailbox() as mailbox:
        for name in Settings.model_fields:
            patch.delenv(PREFIX + name.upper(), raising=False)
        key = "COMMSENGINE_SECRET_KEY=a-key-of-enough-letters"
        Path(terminal.write(".env", f"{key}\nCOMMSENGINE_SMTP_URL={mailbox.url}\n")).chmod(0o600)
        ok(terminal, "people", "import", terminal.path("people.csv"))
        ok(terminal, "suppress", "ben@example.com")
        for command in (("apply", terminal.path(SCHEDULE), "--yes"), ("start", "crm", "--yes"), ("tick",)):
            ok(terminal, *command)
        with Wiring(terminal.folder) as wiring:
            everything_happens(wiring)
        ok(terminal, "facts", "add", "crm", "first_call", "ana@example.com")
        (call,) = [one["id"] for one in terminal.json("followups")["follow_ups"] if "ben" in one["person"]][:1]
        ok(terminal, "followup", call, "--outcome", "objects", "--unclear", "why", "--note", "His own list.")
        yield terminal


ROOMY = "holidays: false\n  at_most: {per_day: 9, per_week: 30}"


def ok(terminal: Terminal, *command: str) -> None:
    said = terminal.run(*command)
    assert said.status == 0, (command, said.err)


def everything_happens(wiring: Wiring) -> None:
    store, inbox, now = wiring.store, wiring.inbox, wiring.clock()
    ana = store.people.by_email("ana@example.com")
    mia = store.people.by_email("mia@example.com")
    assert ana
    assert mia
    cards = {row.message: inbox.card(row.key, now) for row in store.touches.of_person(ana.id) if row.local_date}
    inbox.give_input(cards["asks"], "Friday", BY_LINK)
    inbox.commit(cards["promise"], "", BY_LINK)
    for text in ("May I keep my notes?", "May I keep my notes ?"):
        inbox.ask(cards["promise"], text, BY_LINK)
    first, *_ = store.questions.all()
    yesterday = now.date() - dt.timedelta(days=1)
    store.replies.give([first.ask], NewReply("crm", "promise", "Soon.", "later", yesterday), by="dana", now=now)
    store.manager_words.hold("crm", "one-record", mia.id, now.date() + dt.timedelta(days=2), by="mia", now=now)
    store.manager_words.add_line("crm", "one-record", mia.id, "Ask me.", by="mia", now=now)


def section(name: str) -> str:
    if name.endswith(".md"):
        return (Path(__file__).parent.parent.parent / "docs" / name).read_text(encoding="utf-8")
    parts = re.split(r"^### ", DOCUMENTED, flags=re.M)
    return next(part for part in parts if re.search(rf"`{name}[ `]", part.partition("\n")[0]))


def names_in(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from names_in(each)
    if isinstance(value, dict):
        yield from value
        for name, each in value.items():
            if name not in NAMED_BY_PEOPLE:
                yield from names_in(each)


@pytest.mark.parametrize("look", LOOKS, ids=" ".join)
def test_what_a_command_prints_is_documented(house: Terminal, look: tuple[str, ...]) -> None:
    words = [house.path(word) if word == SCHEDULE else word for word in look]
    documented = "\n".join(section(name) for name in (look[0], *ALSO.get(look[0], "").split()))
    printed = {*names_in(house.json(*words))}
    assert {name for name in printed if not re.search(rf"\b{re.escape(name)}\b", documented)} == set()
    assert printed


def test_everything_happened(house: Terminal) -> None:
    """Else nothing would be looked at."""
    today, (campaign,) = house.json("today"), house.json("status")["campaigns"]
    for name in ("promises", "numbers", "questions", "recorded", "holds"):
        assert today[name], name
    assert campaign["held_by_managers"]
    assert campaign["phases"][0]["measures"][0]["roles"]
    report = house.json("report", "crm")
    for name in ("phases", "commitments", "inputs", "replies", "outcomes"):
        assert report[name], name
