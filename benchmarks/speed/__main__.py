"""How fast mail leaves: the engine, ``smtp-source -d``, django-post_office and a loop over smtplib, in turns.

All send to one mail server on loopback, round by round, in the same minutes: machines wander, so only ratios count.
Figures are for the messages alone: what a command costs that has nothing to send is taken off.

    .venv/bin/python -m benchmarks.speed --people 20000 --rounds 3
    .venv/bin/python -m benchmarks.speed --people 5000 --growth 100000      the same with more people: messages/s
    .venv/bin/python -m benchmarks.speed --delay 20 --connections 32        a relay that answers after 20 ms
    .venv/bin/python -m benchmarks.speed --database postgresql              beside the same on SQLite
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks.speed.contenders import Contender, Engine, PostOffice, SmtplibLoop, SmtpSource
from benchmarks.speed.sink import Sink


@dataclass(frozen=True)
class Result:
    """Of one round: messages a second, CPU seconds for 1,000 messages, MiB at the peak, bytes of a message."""

    rate: float
    cpu: float
    peak: float
    size: float
    to_the_last: float
    """Messages a second by the mail server: from the first message to the last."""


def measure(kind: type[Contender], messages: int, sink: Sink) -> Result:
    with tempfile.TemporaryDirectory(prefix="speed-") as folder, closing(kind(Path(folder), messages)) as contender:
        contender.prepare(sink.port)
        before = sink.received()
        used = contender.send(sink.port)
        after = sink.received()
        idle = contender.idle(sink.port)
    arrived, messages = after.messages - before.messages, contender.messages
    if arrived != messages:
        raise SystemExit(f"{kind.name}: {arrived} of {messages} messages have arrived")
    wall, cpu = used.wall - idle.wall, used.cpu - idle.cpu
    size = (after.bytes - before.bytes) / messages
    return Result(messages / wall, 1000 * cpu / messages, used.peak, size, messages / after.seconds)


def engine_on(kind: str, connections: int) -> type[Engine]:
    """The engine on that database, with so many connections; 0 leaves it to the program."""
    own = {"COMMSENGINE_SMTP_CONNECTIONS": str(connections)} if connections else {}
    name = Engine.name if kind == "sqlite" else "engine, PostgreSQL"
    return type("EngineOn", (Engine,), {"name": name, "database": kind, "settings": own})


def rounds(kinds: list[tuple[type[Contender], int]], count: int, delay: int) -> dict[tuple[str, int], list[Result]]:
    found: dict[tuple[str, int], list[Result]] = defaultdict(list)
    for number in range(1, count + 1):
        for kind, messages in kinds:
            with Sink(delay_ms=delay) as sink:
                one = measure(kind, messages, sink)
            found[kind.name, messages].append(one)
            print(
                f"round {number}: {kind.name:22} {messages:8,} people {one.rate:9,.0f}/s {one.cpu:8.3f} CPU s/1,000 "
                f"{one.peak:6.0f} MiB {one.size:7,.0f} bytes",
                flush=True,
            )
    return found


def middle(results: list[Result]) -> Result:
    def of(name: str) -> float:
        return statistics.median(getattr(each, name) for each in results)

    return Result(*(of(name) for name in ("rate", "cpu", "peak", "size", "to_the_last")))


GOALS = {
    "smtp-source -d": ("messages/s ÷ smtp-source -d", 0.12, 0.20),
    "django-post_office": ("messages/s ÷ django-post_office", 5.0, 9.0),
    "smtplib loop": ("messages/s ÷ smtplib loop", None, None),
}


def tell(label: str, figure: float, must: float | None, stretch: float | None, *, less: bool = False) -> None:
    sign = "≤" if less else "≥"
    goal = f"goal {sign} {must}, stretch {sign} {stretch}" if must is not None else "no goal"
    print(f"{label:48} {figure:8.3f}   {goal}")


def main() -> None:
    wanted = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wanted.add_argument("--people", type=int, default=20_000)
    wanted.add_argument("--rounds", type=int, default=3)
    wanted.add_argument("--growth", type=int, help="measures the engine with so many people, too")
    wanted.add_argument("--delay", type=int, default=0, help="milliseconds until the end of a message is answered")
    wanted.add_argument("--connections", type=int, default=32, help="of the engine; 0 leaves it to the program")
    wanted.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    wanted.add_argument("--alone", action="store_true", help="the engine without the others")
    given = wanted.parse_args()
    engine = engine_on(given.database, given.connections)
    kinds: list[tuple[type[Contender], int]] = [(engine, given.people)]
    if given.database != "sqlite":
        kinds.append((engine_on("sqlite", given.connections), given.people))
    if given.growth:
        kinds.append((engine, given.growth))
    if not (given.alone or given.delay):
        kinds += [(kind, given.people) for kind in (SmtpSource, PostOffice, SmtplibLoop) if kind.program]
    found = rounds(kinds, given.rounds, given.delay)
    ours = middle(found[engine.name, given.people])
    for (name, _), results in found.items():
        if name in GOALS:
            label, must, stretch = GOALS[name]
            tell(label, ours.rate / middle(results).rate, must, stretch)
    if ("smtplib loop", given.people) in found:
        loop = middle(found["smtplib loop", given.people])
        tell("CPU a message ÷ smtplib loop", ours.cpu / loop.cpu, 0.12, 0.07, less=True)
    if given.growth:
        more = middle(found[engine.name, given.growth])
        tell(f"messages/s at {given.growth:,} ÷ at {given.people:,} people", more.rate / ours.rate, 0.8, 0.95)
    if given.database != "sqlite":
        tell("PostgreSQL ÷ SQLite", ours.rate / middle(found[Engine.name, given.people]).rate, 0.6, 0.9)
    if given.delay:
        ideal = 1000 / given.delay * (given.connections or 3)
        tell("share of the ideal rate of that relay", ours.to_the_last / ideal, 0.7, 0.9)


if __name__ == "__main__":
    main()
