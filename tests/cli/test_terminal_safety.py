"""What others wrote reaches a terminal as text: no command obeys it, hides it, or takes it for markup."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import logging
import os
import pty
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from typing import Any

import click
import pytest
import structlog

from commsengine.answers.inbox import Evidence
from commsengine.cli.logs import configure_logs, unfailing_stderr
from commsengine.cli.output import show_json
from commsengine.cli.terminal_safety import guarded, in_one_line, written_out
from commsengine.sandbox.mailbox import Mailbox
from commsengine.store.records import Rest
from commsengine.wiring import Wiring
from tests.cli.terminal import Screen, Terminal
from tests.fork_server import python
from tests.stories.program import HERE

EVIL = (
    "Eve\x1b]52;c;cm0gLXJm\x07\x1b]8;;http://evil\x1b\\x\x1b[2J\x1b[8m\x9b1A\u202egnp\u2066\r\x08\x00\x7f [/][red]mark"
    "\nForged line"
)
"""Clipboard, link, clear, conceal, a C1 control, turned direction, return, backspace, markup, and a line of its own."""

SEEN = r"\u001b]52;c;cm0gLXJm\u0007"

OBEYED = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f]")
OUR_STYLES = re.compile(r"\x1b\[(?:0|1|2|32|33|31)m")

COLUMNS = {
    "person": ("name", "phone", "department", "job"), "touch": ("reason",), "attempt": ("reply",),
    "question": ("text",), "standstill": ("reason",), "unreachable": ("reason",), "suppression": ("reason",),
}  # fmt: skip

LOOKS: Sequence[str] = (
    "today", "questions", "followups", "followups --talking-points", "why ana@example.com", "touches crm",
    "touch {key}", "status", "people show ana@example.com", "report crm", "release --yes", "doctor",
)  # fmt: skip
JSON = [look for look in LOOKS if look.split()[0] not in ("release", "touch", "doctor")]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("plain, schön, 日本", "plain, schön, 日本"),
        ("a no-break\u00a0space and a\u200djoiner", "a no-break\u00a0space and a\u200djoiner"),
        ("two\nlines\r\nthree", "two\nlines\nthree"),
        ("a\ttab", "a tab"),
        ("\x1b[31m\x9b\x7f\b", r"\u001b[31m\u009b\u007f\u0008"),
        ("back\rover", r"back\u000dover"),
        ("\u202eabc\u2069", r"\u202eabc\u2069"),
        ("half a letter \udc80", r"half a letter \udc80"),
        ("[red]x[/]", "[red]x[/]"),
    ],
)
def test_what_a_terminal_would_obey_is_written_out(written: str, shown: str) -> None:
    assert written_out(written) == shown


def test_a_value_cannot_begin_a_line_of_its_own() -> None:
    assert in_one_line("one\ntwo\r\nthree\rfour\u2028five") == "one two three four five"


def test_json_keeps_its_values() -> None:
    value = {EVIL: [EVIL, "\udc80", "\\u001b"]}
    assert json.loads(written_out(json.dumps(value, ensure_ascii=False))) == value


@pytest.fixture
def hostile(started: Terminal, mailbox: Mailbox) -> Terminal:
    """Every free text on record is hostile; a question is open, somebody is to be called, the engine is on hold."""
    started.run("suppress", "ben@example.com")
    started.run("tick")
    key = next(mail.key for mail in mailbox.arrived if mail.recipients[0] == "ana@example.com")
    with Wiring(started.folder) as wiring:
        store, now = wiring.store, wiring.clock()
        ana = store.people.by_email("ana@example.com")
        assert ana is not None
        wiring.inbox.ask(wiring.inbox.card(key, now), "May I?", Evidence("link"))
        store.reachability.mark_unreachable(ana.id, "slack", "no account", now=now)
        store.channels.keep(Rest("email", now, now, EVIL, "us", next_tick=True))
        store.engine.beat("e", pid=1, host=EVIL, now=now)
        store.engine.hold("restored", now=now)
    with closing(sqlite3.connect(started.folder / "commsengine.db")) as database, database:
        for table, columns in COLUMNS.items():
            changes = ", ".join(f"{column} = ?" for column in columns)
            database.execute(f"UPDATE {table} SET {changes}", [EVIL] * len(columns))  # noqa: S608 - names of ours
        database.execute("UPDATE plan_version SET plan = json_set(plan, '$.title', ?)", [EVIL])
    return started


@pytest.mark.sqlite("its file takes texts that no command would write")
def test_no_command_prints_what_a_terminal_would_obey(hostile: Terminal, mailbox: Mailbox) -> None:
    for look in LOOKS:
        said = hostile.run(*look.format(key=mailbox.arrived[0].key).split())
        assert OBEYED.findall(said.out + said.err) == [], look
        assert "\nForged line" not in said.out, look
        assert SEEN in said.out or look in ("doctor", "report crm"), look


@pytest.mark.sqlite("its file takes texts that no command would write")
def test_json_of_every_command_is_neutral_and_its_values_are_whole(hostile: Terminal) -> None:
    for look in JSON:
        said = hostile.run(*look.split(), "--json")
        assert OBEYED.findall(said.out) == [], look
        assert any(EVIL in text for text in texts(said.data)) or look == "followups --talking-points", look


def texts(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, list | dict):
        for each in data.values() if isinstance(data, dict) else data:
            yield from texts(each)


@pytest.mark.sqlite("its file takes texts that no command would write")
def test_an_export_keeps_its_values(hostile: Terminal) -> None:
    [*_, ana] = sorted(
        csv.DictReader(io.StringIO(hostile.run("people", "export").out)),
        key=lambda row: row["email"] == "ana@example.com",
    )
    assert ana["name"] == EVIL


# -- on a real terminal ---------------------------------------------------------------------------


def on_a_terminal(terminal: Terminal, *arguments: str) -> str:
    """What a command of its own process writes to a terminal, stdout and stderr together."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": HERE, "TERM": "xterm-256color", "COLUMNS": "300"}
    command = ["-m", "commsengine", "--workspace", str(terminal.folder), *arguments]
    with python(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        said = b""
        with suppress(OSError):  # the other end is closed: that is how a terminal says it
            while some := os.read(ours, 65536):
                said += some
        process.wait()
    os.close(ours)
    return said.decode().replace("\r\n", "\n")


@pytest.mark.slow
@pytest.mark.sqlite("its file takes texts that no command would write")
def test_on_a_terminal_our_own_styles_are_all_that_acts(hostile: Terminal) -> None:
    for look in ("today", "why ana@example.com", "doctor", "check schedules/evil.yaml"):
        hostile.write("schedules/evil.yaml", "campaign: '\\e[31m'\ntitle: '[/][red]mark'\n")
        said = on_a_terminal(hostile, *look.split())
        assert OUR_STYLES.search(said) or look.startswith("check"), look
        assert OBEYED.findall(OUR_STYLES.sub("", said)) == [], look
        assert SEEN in said or look in ("doctor", "check schedules/evil.yaml"), look
        assert "[/][red]mark" in said or not look.startswith("why"), look


@pytest.mark.sqlite("its file takes texts that no command would write")
def test_an_error_on_a_terminal_is_written_out_too(hostile: Terminal) -> None:
    """The name of a file is somebody's word as well."""
    said = on_a_terminal(hostile, "people", "import", "no\x1b[2Jfile.csv")
    assert "\x1b" not in said
    assert r"no\u001b[2Jfile.csv" in said


# -- errors and logs ------------------------------------------------------------------------------


def test_an_error_that_cites_a_cell_is_neutral(terminal: Terminal) -> None:
    terminal.write("people.csv", f"email,name,time_zone\nann@example.com,Ann,{EVIL.partition(chr(10))[0]}\n")
    said = terminal.run("people", "import", terminal.path("people.csv"))
    assert (said.status, OBEYED.findall(said.err)) == (2, [])


@pytest.mark.parametrize("watched", [False, True])
def test_a_log_line_is_one_neutral_line(watched: bool) -> None:
    stream = Screen() if watched else io.StringIO()
    with contextlib.redirect_stderr(stream):
        unfailing_stderr()
        configure_logs(logging.WARNING)
        try:
            try:
                raise ValueError(EVIL)
            except ValueError:
                structlog.get_logger("x").error("failed", error=EVIL, also=[EVIL], exc_info=True)
            structlog.get_logger("x").error("failed", error=EVIL)
            sys.excepthook(ValueError, ValueError(EVIL), None)
            print(EVIL, file=sys.stderr)
            sys.stderr.writelines([EVIL])
        finally:
            structlog.reset_defaults()
    said = stream.getvalue()
    assert OBEYED.findall(re.sub(r"\x1b\[[0-9;]*m", "", said) if watched else said) == []
    assert "\x1b[8m" not in said
    assert "also" in said if watched else [json.loads(line)["error"] for line in said.splitlines()[:2]] == [EVIL] * 2


def test_a_stream_that_knows_ascii_only_is_not_written_past_the_guard() -> None:
    raw = io.BytesIO()
    stream = guarded(io.TextIOWrapper(raw, encoding="ascii"))
    click.echo("… \x1b[2J", file=stream, color=True)
    assert raw.getvalue() == r"… \u001b[2J".encode() + b"\n"


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("ascii", "Jurgen -> Stra?e - 5 EUR... ?"),
        ("cp1252", "Jürgen -> Straße – 5 €… ?"),
        ("latin-1", "Jürgen -> Straße - 5 EUR... ?"),
        ("utf-8", "Jürgen → Straße – 5 €… 日"),
    ],
)
def test_a_letter_that_a_terminal_has_not_is_replaced_by_one_like_it(encoding: str, shown: str) -> None:
    raw = ScreenBytes()
    stream = guarded(io.TextIOWrapper(raw, encoding=encoding))
    click.echo("Jürgen → Straße – 5 €… 日", file=stream)
    stream.flush()
    assert raw.getvalue().decode(encoding).rstrip() == shown.replace("Stra?e", "Strasse")


class ScreenBytes(io.BytesIO):
    def isatty(self) -> bool:
        return True


def test_json_keeps_its_letters_where_they_cannot_be_printed() -> None:
    raw = io.BytesIO()
    with contextlib.redirect_stdout(guarded(io.TextIOWrapper(raw, encoding="latin-1"))) as stream:
        show_json({"name": "日 → Jürgen"})
        stream.flush()
    assert json.loads(raw.getvalue()) == {"name": "日 → Jürgen"}


def test_help_and_a_plan_are_shown_whatever_the_terminal_can_print(terminal: Terminal) -> None:
    plan = terminal.path("schedules/crm.yaml")
    for command in (["--help"], ["--workspace", str(terminal.folder), "simulate", plan]):
        done = subprocess.run(
            [sys.executable, "-m", "commsengine", *command],
            env={**os.environ, "PYTHONPATH": HERE, "PYTHONIOENCODING": "cp1252:strict", "PYTHONUTF8": "0"},
            capture_output=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, b""), done.stderr


def test_without_a_stdout_a_command_does_its_work(applied: Terminal) -> None:
    command = [sys.executable, "-m", "commsengine", "--workspace", str(applied.folder), "status"]
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *command],
        env={**os.environ, "PYTHONPATH": HERE},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
