"""Commands in a language in which every text is marked: no word that people read is left out of the catalog."""

from __future__ import annotations

import datetime as dt
import os
import pwd
import re
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

import click
import pytest

from commsengine.answers.inbox import Evidence
from commsengine.cadence import kinds_and_states
from commsengine.cli.commands import ENTRIES, commsengine
from commsengine.cli.output import WORDS
from commsengine.sandbox.mailbox import Mailbox
from commsengine.wiring import Wiring, now
from tests.catalogs import ROOT
from tests.cli.conftest import plan
from tests.cli.terminal import Said, Terminal
from tests.pseudo import in_catalog, in_pseudo, untranslated

SCHEDULE = "schedules/crm.yaml"
ANA = "ana@example.com"
CLICKS_OWN = ("Usage:", "Options:", "Commands:", "Show this message and exit.", "[OPTIONS]", "COMMAND [ARGS]...")
HERE = (socket.gethostname(), pwd.getpwuid(os.getuid()).pw_name)
GIVEN = re.compile(
    r"[^\s⟦⟧]+@[^\s⟦⟧]+|[^\s⟦⟧]*/[^\s⟦⟧]*|\b(erased-)?[0-9a-f]{8,}\b"
    r"|([A-Z][a-z]{2} )?\d{1,2} [A-Z][a-z]{2}( \d{4})?|\d{4}-W\d\d"
    r"|\bCOMMSENGINE_[A-Z_]+(, )?|\bper_(day|week)\b|One customer record|Ana Kim|Ben Ortiz|Mia Wolf|Dana Reyes"
    r"|\b(crm(-rollout)?|UTC|one-record|go_live|kickoff|commsengine.db)\b"
    r"|\b(UTF-8|email|slack|sqlite|postgresql|sales|others|name|department|manager|country|time_zone|phone)\b|--[a-z]+"
    r"|Connection refused|\b[a-z]{2}(, [a-z]{2})+\b"
    r"|\b(mon|tue|wed|thu|fri|sat|sun)\b"
    r"|^[~+-] \S+|\bcommsengine (apply|start|resume) [^⟦⟧\n]+"
    rf"|^  (cd|commsengine) .*$|\breply\b|250 2.0.0 Ok: queued as S\d+|\b({'|'.join(map(re.escape, HERE))})\b",
    re.MULTILINE,
)
"""Names, addresses, days, places of a plan, commands, languages and what a mail server says: values of these tests."""

STORED = ("suppressed: ", "Restored from ")


@contextmanager
def marked() -> Iterator[None]:
    """All that is looked up is in the catalog, but for reasons that somebody wrote, or that hold values."""
    with in_pseudo(values_outside=True) as texts:
        yield
    unknown = [text for text in texts.asked if not (in_catalog(text) or "⟦" in text or text.startswith(STORED))]
    assert [text for text in unknown if untranslated(GIVEN.sub("", text))] == []


@pytest.fixture
def pseudo() -> Iterator[None]:
    with marked():
        yield


def stray(said: Said) -> list[str]:
    return untranslated(GIVEN.sub("", said.out + said.err))


def names_of(command: click.Command) -> set[str]:
    """What a help text shows of a command that is typed."""
    ctx = click.Context(command, info_name="x")
    names = {command.name or "", *getattr(command, "commands", {}), *ENTRIES, "commsengine", "people"}
    for each in command.params:
        names |= {*each.opts, *each.secondary_opts, each.make_metavar(ctx).strip("[]")}
    return names | {"-h", "--help", "--version"}


def shown_help(terminal: Terminal, *command: str) -> str:
    text = terminal.run(*command, "--help").out
    for own in CLICKS_OWN:
        text = text.replace(own, "")
    if command == ("people",):  # click cuts the lines of its commands
        text = re.sub(r"^(  \w+ +⟦[^⟧\n]*)$", r"\1⟧", text, flags=re.MULTILINE)
    return re.sub(r"\[(default:\s[^]]*|required|x>=\d[^]]*)\]", "", text)


@pytest.mark.parametrize(
    "name", ["", *ENTRIES, *(f"people {name}" for name in ("import", "list", "export", "show", "erase"))]
)
def test_every_help_is_in_the_catalog(terminal: Terminal, pseudo: None, name: str) -> None:
    command: click.Command = commsengine
    for word in name.split():
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), word)
        assert found is not None
        command = found
    typed = {part for each in names_of(command) for part in each.split()}
    stray_words = untranslated(shown_help(terminal, *name.split()))
    assert [word for word in stray_words if word.strip(",[]") not in typed and not word.endswith(".md")] == []


def test_help_is_translated_each_time_it_is_shown(terminal: Terminal) -> None:
    english = terminal.run("pause", "--help").out
    with in_pseudo():
        assert "⟦Stop sending: one campaign, or all of them." in terminal.run("pause", "--help").out
        assert "⟦Stop sending: one campaign, or all of them." in terminal.run("pause", "--help").out
    assert terminal.run("pause", "--help").out == english


def test_every_word_of_the_closed_lists_is_in_the_catalog() -> None:
    lists = (
        kinds_and_states.TouchState,
        kinds_and_states.CampaignState,
        kinds_and_states.TouchKind,
        kinds_and_states.Verdict,
        kinds_and_states.AttemptVerdict,
        kinds_and_states.Standing,
    )
    words = {word for one in (*lists, kinds_and_states.OutcomeName) for word in get_args(one)}
    words |= {kind.replace("_", " ") for kind in kinds_and_states.ANSWERS}
    listed = {*WORDS, *kinds_and_states.STATE_WORDS.values()}
    assert words - listed == set()
    assert [word for word in listed if not in_catalog(word)] == []


def test_before_anything_is_set_up(tmp_path: Path, pseudo: None) -> None:
    fresh = Terminal(tmp_path / "crm")
    assert stray(fresh.run("init", str(fresh.folder))) == []
    assert stray(fresh.run("init", str(fresh.folder))) == []
    assert stray(fresh.run("doctor")) == []
    assert stray(fresh.run("status")) == []
    assert stray(fresh.run("run")) == []
    assert stray(Terminal(tmp_path).run("status")) == []


def test_before_a_campaign_is_applied(terminal: Terminal, pseudo: None) -> None:
    schedule, people = terminal.path(SCHEDULE), terminal.path("people.csv")
    assert stray(terminal.run("apply", schedule)) == []
    terminal.run("people", "import", people)
    for arguments in (
        ("people", "import", people), ("people", "import", people, "--complete"), ("apply", schedule, "--dry-run"),
        ("apply", schedule), ("simulate", schedule), ("simulate", schedule, "--answers", "typical"),
        ("simulate", schedule, "--answers", "all"), ("simulate", schedule, "--from", "«soon»"),
        ("preview", schedule, "--out", terminal.path("preview")), ("preview", schedule, "--touch", "99"),
        ("send-test", schedule, "--to", ANA), ("send-test", schedule, "--to", ANA, "--channel", "slack"),
        ("people", "export", "--out", terminal.path("out.csv")), ("people", "show", "anna@example.com"),
    ):  # fmt: skip
        assert stray(terminal.run(*arguments)) == [], arguments
    assert untranslated(terminal.run("check", schedule).err) == []


def test_while_a_campaign_runs(started: Terminal, pseudo: None) -> None:
    closes = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=40)
    started.write(SCHEDULE, plan(**{f"{closes}": f"{closes + dt.timedelta(days=9)}"}))
    for arguments in (
        ("status",), ("tick",), ("tick",), ("status",), ("today",), ("touches", "crm"), ("why", ANA), ("doctor",),
        ("touches", "crm", "--state", "failed"), ("followups",), ("questions",), ("answers", "crm"), ("report", "crm"),
        ("apply", started.path(SCHEDULE), "--dry-run"), ("pause", "crm"), ("status",), ("why", ANA), ("start", "crm"),
        ("resume", "crm"), ("resume", "crm", "--yes"), ("resume", "crm"), ("pause",), ("pause", "--all"),
        ("suppress", ANA), ("why", ANA), ("suppress", ANA, "--lift"), ("suppress", ANA, "--lift"),
        ("touch", "«none»"), ("question", "7", "--answer", "Yes."), ("followup", "«none»", "--outcome", "away"),
        ("cancel", "crm"), ("cancel", "crm", "--yes"), ("start", "crm"), ("why", ANA), ("pause", "--all"),
    ):  # fmt: skip
        assert stray(started.run(*arguments)) == [], arguments


def test_what_came_back_and_what_failed(started: Terminal, mailbox: Mailbox) -> None:
    assert started.run("tick").status == 0
    with Wiring(started.folder) as wiring:
        first, second, *_rest = wiring.store.touches.list("crm")
        card = wiring.inbox.card(first.key, now())
        wiring.inbox.ask(card, "«Why?»", Evidence("link", {}))
        wiring.inbox.got_it(wiring.inbox.card(second.key, now()), Evidence("link", {}))
        email = card.person.email
    with marked():
        for arguments in (
            ("today",), ("questions",), ("why", email), ("question", "1", "--answer", "«So.»"), ("touch", first.key),
            ("question", "1", "--answer", "«So.»"), ("touch", first.key, "--sent"), ("status",),
        ):  # fmt: skip
            assert stray(started.run(*arguments)) == [], arguments


@pytest.mark.sqlite("a backup is a copy of a file")
def test_backup_and_restore(started: Terminal, pseudo: None) -> None:
    copy = started.path("copy.db")
    for arguments in (
        ("backup", copy), ("tick",), ("restore", copy, "--verify"), ("restore", copy), ("restore", copy, "--yes"),
        ("status",), ("doctor",), ("tick",), ("release",), ("release", "--yes"), ("release",), ("upgrade",),
        ("people", "erase", ANA), ("people", "erase", ANA, "--yes"),
    ):  # fmt: skip
        assert stray(started.run(*arguments)) == [], arguments


@pytest.mark.slow
def test_a_forecast_by_recall(tmp_path: Path, pseudo: None) -> None:
    shutil.copytree(ROOT / "schedules", tmp_path, dirs_exist_ok=True)
    head, *people = (tmp_path / "people.csv").read_text(encoding="utf-8").splitlines()
    managers = {line.split(",")[5] for line in people}
    some = [line for n, line in enumerate(people) if line.split(",")[1] in managers or n % 5 == 0]
    (tmp_path / "people.csv").write_text("\n".join([head, *some]), encoding="utf-8")
    said = Terminal(tmp_path).run("simulate", str(tmp_path / "crm-rollout.yaml"), "--answers", "weak")
    assert "Managers" in said.out
    messages = re.findall(r"- id: (\S+)", (tmp_path / "crm-rollout.yaml").read_text(encoding="utf-8"))
    titles = ["Managers", "Sales", "Support", "and", "field", "service", "Everyone", "else"]
    assert [word for word in stray(said) if word not in (*titles, *messages)] == []


def test_the_story_of_a_rehearsal(terminal: Terminal, pseudo: None) -> None:
    said = terminal.run("rehearse", terminal.path(SCHEDULE))
    told = re.sub(r"^  .*$", "", said.out, flags=re.MULTILINE)  # talking points have a test of their own
    assert "⟦Whom to call, and what to say." in told
    told = re.sub(r"⟧\d+ [A-Z][a-z]+⟦", "⟧⟦", told)  # a day in full
    assert stray(Said(said.status, told, said.err)) == []
