"""A campaign by the channel that was added: each use case that lists channels or kinds of answers, once.

Prints what people read, as JSON. Run by ``tests.widened.program`` with the copy of the program.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

import commsengine
from commsengine.answers.inbox import Evidence
from commsengine.reports.followups import followups
from commsengine.reports.why import why
from commsengine.wiring import Wiring, now
from tests.cli.conftest import PEOPLE, plan
from tests.cli.terminal import Terminal
from tests.replies import answer_question
from tests.web.conftest import served

ANA, BEN = "ana@example.com", "ben@example.com"
DAYS = 8


def story(folder: Path) -> Iterator[tuple[str, Any]]:
    terminal = Terminal(folder)
    yield "wrong", _importing(terminal, "pagr")
    assert not _importing(terminal, "pager")
    file = terminal.write("schedules/crm.yaml", plan(**{"[email]": "[pager, email]"}))
    yield from (
        (name, terminal.run(*command).out)
        for name, command in {
            "check": ("check", file),
            "preview": ("preview", file, "--as", ANA),
            "simulate": ("simulate", file),
        }.items()
    )
    yield "foreseen", terminal.json("simulate", file)
    yield "files", _written(terminal, file)
    yield "rehearsed", terminal.run("rehearse", file).status
    yield "paged in rehearsal", Path(os.environ["COMMSENGINE_PAGER_FILE"]).exists()
    terminal.run("apply", file, "--yes")
    yield "started", terminal.run("start", "crm", "--yes").err
    assert terminal.run("suppress", BEN, "--reason", "asked us to").status == 0
    clock = [now()]
    with Wiring(folder, lambda: clock[0]) as wiring:
        for _ in range(DAYS):
            with wiring.engine() as engine:
                engine.tick()
            clock[0] += dt.timedelta(days=1)
        yield (
            "followups",
            {
                one.person.email: [one.reason, *one.tried]
                for one in followups(wiring.store, wiring.decisions, wiring.renderer, clock[0], None)
            },
        )
        yield from _answered(wiring, clock[0])
        yield from _pages(wiring, clock[0])
    yield "shown", terminal.run("people", "show", ANA).out


def _importing(terminal: Terminal, channel: str) -> str:
    head, *rows = PEOPLE.splitlines()
    file = terminal.write("people.csv", "\n".join([f"{head},channel", *(f"{row},{channel}" for row in rows)]))
    said = terminal.run("people", "import", file)
    return said.out + said.err if said.status else ""


def _written(terminal: Terminal, file: str) -> list[str]:
    terminal.run("preview", file, "--as", ANA, "--out", terminal.path("preview"))
    return sorted(each.name for each in Path(terminal.path("preview")).rglob("*") if each.is_file())


def _key(wiring: Wiring) -> str:
    return next(row["key"] for row in wiring.store.people.all_of(ANA)["touch"] if row["state"] == "sent")


def _answered(wiring: Wiring, at: dt.datetime) -> Iterator[tuple[str, Any]]:
    """By the added channel Ana gives the added kind of answer, and asks; the lead's answer goes back."""
    key = _key(wiring)
    wiring.store.answers.record(ANA, "crm", "one-record", key, "will_teach", evidence="pager", by=ANA, now=at)  # type: ignore[arg-type]
    wiring.inbox.ask(wiring.inbox.card(key, at), "Which list?", Evidence("pager"))  # type: ignore[arg-type]
    answer_question(wiring.store, wiring.inbox, 1, "The new one.", "dana@example.com", at)
    rows = wiring.store.people.all_of(ANA)["touch"]
    yield "reply", [row["channel"] for row in rows if row["kind"] == "service"]
    yield "why", why(wiring.store, wiring.decisions, ANA, at)


def _pages(wiring: Wiring, at: dt.datetime) -> Iterator[tuple[str, str]]:
    answer = urlsplit(wiring.links.url("answer", _key(wiring), at + dt.timedelta(days=1))).path
    mine = urlsplit(wiring.fresh_links.make("mine", ANA, at, campaign="crm")).path
    with served(wiring.web_app) as address, httpx.Client(base_url=address, follow_redirects=True) as browser:
        yield "answered", browser.get(answer).text
        offered = browser.post(mine).text
        yield "offered", offered
        note = offered.partition('name="seen" value="')[2].partition('"')[0]
        form = {"do": "preferences", "channel": "pager", "from": "", "to": "", "seen": note}
        yield "chosen", browser.post("/mine", data=form).text


if __name__ == "__main__":
    workspace = Path(sys.argv[1])
    workspace.mkdir()
    assert Path(commsengine.__file__).parents[1] == Path.cwd()
    print(json.dumps(dict(story(workspace)), default=str))
