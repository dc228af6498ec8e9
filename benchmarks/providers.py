"""The first day with a provider, driven by the program as a process against the stand-ins, at scaled rates.

``quota``      the server takes 700 in a day of 20 s, and the program learns so by its refusal: no one fails, 800 wait,
               ``today`` and the administrator's mail say so, and all have it two days later
``mailbox``    3 connections and 3,000 messages a minute, as the profile says: no refusal, and the end as announced
``wide``       the same server, but 8 connections are set: the program narrows, and all have it
``tokens``     XOAUTH2 with tokens of 6 s from a token command, of which the second is refused: nobody fails

A Slack that is new to the app: benchmarks/slack.py.

    .venv/bin/python -m benchmarks.providers [PART …] [--people 1500]
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.faults.report import Report
from commsengine.authoring.providers_file import load_providers
from commsengine.channels.providers import SendingLimits
from commsengine.sandbox.relay import RelayStandIn
from tests.stories.campaign import IN_FORCE, write_for
from tests.stories.conftest import free_port
from tests.stories.program import Program

PROFILES = {profile.name: profile for profile in load_providers(Path("providers.yaml"))}
PASSWORD = "of-the-benchmark"
MAILBOX, ADMIN = "dana@example.com", "admin@example.com"
QUOTA, DAY = 700, dt.timedelta(seconds=20)
RATE = 3000
TOKEN_LASTS = 6.0
LONGEST = 600.0  # seconds until a part is given up
CLOSE = 0.10


@dataclass
class Course:
    """One part: how many people it is for, what was announced (in seconds), and what came of it."""

    people: int
    report: Report
    announced: float | None = None
    took: float = 0.0

    @classmethod
    def of(cls, part: str, people: int) -> Course:
        return cls(people, Report(f"{part}, {people:,} people"))

    def ends(self, relay: RelayStandIn, books: dict[str, Any]) -> None:
        self.report.add("sent", books["sent"])
        self.report.add("failed", books["failed"])
        self.report.add("refusals", "; ".join(f"{n} × {reply[:70]}" for reply, n in relay.refused.items()) or "none")
        self.report.add("connections at once", relay.most_at_once)
        self.report.add("announced seconds", "none" if self.announced is None else round(self.announced, 1))
        self.report.add("seconds it took", round(self.took, 1))
        self.report.promise(books["failed"] == 0, f"{books['failed']} failed")
        self.report.promise(books["sent"] == self.people, "not all are sent on record")

    def as_announced(self) -> None:
        off = self.took / self.announced - 1 if self.announced else float("inf")
        self.report.add("off the announced time", f"{off:+.1%}")
        self.report.promise(abs(off) <= CLOSE, f"the end is as announced, give or take {CLOSE:.0%}")


def profile_yaml(**limits: object) -> str:
    lines = ["profiles:", "  scaled:", "    title: A scaled provider", "    hosts: [127.0.0.1]"]
    return "\n".join([*lines, *(f"    {name}: {value}" for name, value in limits.items()), ""])


def url_of(relay: RelayStandIn, *, oauth: bool = False) -> str:
    user = MAILBOX.replace("@", "%40")
    log_in, option = (user, "?auth=xoauth2") if oauth else (f"{user}:{PASSWORD}", "")
    return f"smtp://{log_in}@{relay.host}:{relay.port}{option}"


@contextmanager
def launched(relay: RelayStandIn, course: Course, limits: dict[str, object], **settings: str) -> Iterator[Program]:
    """A campaign that is due now for all people, with ``run`` at work; announced before it was started."""
    with tempfile.TemporaryDirectory() as folder:
        given = {
            "COMMSENGINE_SMTP_URL": url_of(relay),
            "COMMSENGINE_MAIL_FROM": MAILBOX,
            "COMMSENGINE_ADMIN_EMAIL": ADMIN,
            "COMMSENGINE_HTTP_BIND": f"127.0.0.1:{free_port()}",
            "COMMSENGINE_STATE_DIR": f"{folder}/state",
            **settings,
        }
        program = Program(Path(folder), given, fresh=True)
        write_for(program, course.people)
        program.write("providers.yaml", profile_yaml(**limits))
        for command in IN_FORCE[:2]:
            program.done(*command)
        course.announced = announced(program)
        program.done(*IN_FORCE[2])
        with program.running("run") as process:
            said = threading.Thread(target=lambda: process.stderr and process.stderr.read(), daemon=True)
            said.start()
            yield program
            process.terminate()
            process.wait(60)
        course.ends(relay, program.json("status")["campaigns"][0]["touches"])


def announced(program: Program) -> float | None:
    """Seconds from the first to the last of the messages that are due at once."""
    touches = program.json("simulate", "schedules/crm.yaml")["touches"]
    first = min(touch["at"] for touch in touches)
    ends = [touch["sent_at"] for touch in touches if touch["at"] == first and touch.get("sent_at")]
    if not ends:
        return None
    begins, last = dt.datetime.fromisoformat(min(ends)), dt.datetime.fromisoformat(max(ends))
    return (last - begins).total_seconds()


def to_people(relay: RelayStandIn) -> list[float]:
    return [mail.arrived_at for mail in list(relay.arrived) if mail.key and ADMIN not in mail.recipients]


def wait_for(reached: Callable[[], bool]) -> bool:
    until = time.monotonic() + LONGEST
    while not reached() and time.monotonic() < until:
        time.sleep(0.2)
    return reached()


def all_have_it(relay: RelayStandIn, course: Course) -> None:
    course.report.promise(wait_for(lambda: len(to_people(relay)) >= course.people), "not all have it")
    arrived = to_people(relay)
    course.took = max(arrived) - min(arrived) if arrived else 0.0


# -- the parts ------------------------------------------------------------------------------------


def quota(people: int) -> Course:
    course = Course.of("quota", people)
    limits = SendingLimits(connections=3, per_day=QUOTA, day=DAY)
    with RelayStandIn(PROFILES["gmail"], limits=limits, password=PASSWORD) as relay:
        with launched(relay, course, {"connections": 3, "day": f"{DAY.seconds}s"}) as program:
            wait_for(lambda: relay.refused.total() > 0)
            rests: list[dict[str, Any]] = []
            wait_for(lambda: bool(rests.extend(program.json("today")["channels"]) or rests))
            books = program.json("status")["campaigns"][0]["touches"]
            course.report.add("sent when it was full", books["sent"])
            course.report.add("today says", rests[:1])
            course.report.promise(bool(rests), "today names no channel that rests")
            course.report.promise(books["failed"] == 0, "some had failed when it was full")
            all_have_it(relay, course)
            wait_for(lambda: any(ADMIN in mail.recipients for mail in relay.arrived))
        told = [mail.subject for mail in relay.arrived if ADMIN in mail.recipients]
        course.report.add("the administrator's mail", told[:2])
        course.report.promise(bool(told), "the administrator has no mail")
    return course


def mailbox(people: int) -> Course:
    course = Course.of("mailbox", people)
    limits = SendingLimits(connections=3, per_minute=RATE)
    with RelayStandIn(PROFILES["microsoft365"], limits=limits, password=PASSWORD, unit=2) as relay:
        with launched(relay, course, {"connections": 3, "per_minute": RATE}):
            all_have_it(relay, course)
        course.report.add("came too fast", relay.delayed)
        course.report.promise(not relay.refused, "there were refusals")
    course.as_announced()
    return course


def wide(people: int) -> Course:
    course = Course.of("wide", people)
    limits = SendingLimits(connections=3, per_minute=RATE)
    with RelayStandIn(PROFILES["microsoft365"], limits=limits, password=PASSWORD, unit=2) as relay:
        given = {"connections": 3, "per_minute": RATE}
        with launched(relay, course, given, COMMSENGINE_SMTP_CONNECTIONS="8"):
            all_have_it(relay, course)
    return course


TOKENS = """\
import json, pathlib, secrets, sys, time
book = pathlib.Path(__file__).with_name("tokens.jsonl")
number = len(book.read_text().splitlines()) if book.exists() else 0
token, ends = secrets.token_hex(16), time.time() + {lasts}
with book.open("a") as file:
    file.write(json.dumps({{"token": token, "ends": ends, "good": number != 1}}) + "\\n")
print(json.dumps({{"access_token": token, "expires_in": {lasts}}}))
"""


class TokenRelay(RelayStandIn):
    """It knows the tokens that the command has given out, but for one that is refused. ``book`` is the command's."""

    book = Path()

    def log_in(self, one: Any, *, password: str = "", token: str = "") -> str:
        for line in self.book.read_text().splitlines() if self.book.exists() else ():
            given = json.loads(line)
            if given["good"]:
                self.tokens[given["token"]] = dt.datetime.fromtimestamp(given["ends"], dt.UTC)
        return super().log_in(one, password=password, token=token)


def tokens(people: int) -> Course:
    course = Course.of("tokens", people)
    limits = SendingLimits(connections=3, per_minute=RATE)
    with tempfile.TemporaryDirectory() as folder, TokenRelay(PROFILES["microsoft365"], limits=limits, unit=2) as relay:
        script = Path(folder) / "token.py"
        script.write_text(TOKENS.format(lasts=TOKEN_LASTS))
        relay.book = script.with_name("tokens.jsonl")
        command = {"COMMSENGINE_OAUTH_TOKEN_COMMAND": f"{sys.executable} {script}"}
        given = {"connections": 3, "per_minute": RATE}
        with launched(relay, course, given, COMMSENGINE_SMTP_URL=url_of(relay, oauth=True), **command):
            all_have_it(relay, course)
        given_out = len(relay.book.read_text().splitlines())
        course.report.add("tokens, log-ins", f"{given_out}, {relay.log_ins}")
        course.report.promise(relay.refused.total() > 0, "the refused token was never tried")
        course.report.promise(given_out > 2, "no token ended in mid-run")
    return course


PARTS: dict[str, Callable[[int], Course]] = {"quota": quota, "mailbox": mailbox, "wide": wide, "tokens": tokens}


def main() -> int:
    wanted = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wanted.add_argument("parts", nargs="*", choices=[*PARTS, []], default=[])
    wanted.add_argument("--people", type=int, default=1500)
    given = wanted.parse_args()
    missed = 0
    for name in given.parts or PARTS:
        course = PARTS[name](given.people)
        print(course.report.table(), flush=True)
        missed += course.report.status
    return min(missed, 1)


if __name__ == "__main__":
    sys.exit(main())
