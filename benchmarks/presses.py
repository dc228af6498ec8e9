"""Presses in Slack by the minute: how soon does each card show its answer, and is any left with an older picture?

The real ``run`` as a process, presses over signed HTTP, against the stand-in with Slack's published limits (only posts
are let through faster, so that the cards are there soon). Some cards are pressed again, some answers come through a
form, and some people type, whose cards only the slow ``chat.update`` can draw: these are told apart.

    .venv/bin/python -m benchmarks.presses --presses 500 --minutes 1

Exit status 1 when a pressed card took more than 5 seconds, or one is stale in the end.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import httpx
from starlette.applications import Starlette

from commsengine.sandbox.sandbox import Serving
from commsengine.sandbox.slack_server import SlackStandIn
from commsengine.sandbox.slack_team import Post
from commsengine.sandbox.slack_tiers import PUBLISHED
from commsengine.slack_app.forms import ENTRY
from commsengine.wiring import Wiring
from tests.browsing import WEB
from tests.stories.campaign import addresses, start_for
from tests.stories.conftest import free_port
from tests.stories.program import Program
from tests.waiting import expect, wait_until

GOAL = 5.0
"""Seconds from a press to the card that shows it."""


@dataclass
class Crowd:
    """Who presses what; when each card was pressed last, and which were typed about."""

    slack: SlackStandIn
    pressed: dict[str, float] = field(default_factory=dict)
    typed: dict[str, float] = field(default_factory=dict)
    status: Counter[int] = field(default_factory=Counter)
    replies: list[float] = field(default_factory=list)

    def press(self, post: Post, button: str) -> None:
        began = self.pressed[post.key] = time.monotonic()
        self.status[self.slack.click(post.user.id, button, post=post).status] += 1
        self.replies.append(time.monotonic() - began)

    def ask(self, post: Post) -> None:
        self.status[self.slack.click(post.user.id, "question", post=post).status] += 1
        if wait_until(lambda: self.slack.team.dialogs_of(post.user.id), 10):
            self.pressed[post.key] = time.monotonic()
            dialog = self.slack.team.dialogs_of(post.user.id)[-1]
            self.status[self.slack.submit(dialog, {ENTRY: "When does it start?"}).status] += 1

    def type(self, post: Post) -> None:
        self.typed[post.key] = time.monotonic()
        self.status[self.slack.say(post.user.id, "When does it start?", thread=post.ts).status] += 1


def deeds(crowd: Crowd, posts: Sequence[Post], presses: int, forms: int, typing: int) -> list[Callable[[], None]]:
    """In the order in which they happen; every tenth card is pressed once more, five deeds later."""
    dice = random.Random(5)
    cards = iter(posts)
    done: list[Callable[[], None]] = []
    again: list[Callable[[], None]] = []
    while len(done) < presses - forms:
        post = next(cards)
        done.append(partial(crowd.press, post, "got_it"))
        if len(done) % 10 == 0:
            again.append(partial(crowd.press, post, "undo"))
        if len(done) % 10 == 5 and again:
            done.append(again.pop())
    for number in range(forms + typing):
        done.insert(dice.randrange(len(done)), partial(crowd.ask if number < forms else crowd.type, next(cards)))
    return done


def happen(done: Sequence[Callable[[], None]], seconds: float) -> float:
    """Evenly over so many seconds, each at its time, whatever becomes of the others; returns how long it took."""
    began = time.monotonic()
    with ThreadPoolExecutor(24) as people:
        for number, deed in enumerate(done):
            time.sleep(max(0.0, began + number * seconds / len(done) - time.monotonic()))
            people.submit(deed)
    return time.monotonic() - began


@contextmanager
def running(program: Program) -> Iterator[None]:
    """The process of ``run``. Its log is read, for a full pipe would stop it."""
    with program.running("run") as process:
        assert process.stderr
        threading.Thread(target=process.stderr.read, daemon=True).start()
        address = f"http://{program.settings['COMMSENGINE_HTTP_BIND']}/healthz"
        expect(lambda: _answers(address) or process.poll() is not None, step=0.1)
        yield


def _answers(address: str) -> bool:
    try:
        return WEB.get(address).status_code == 200
    except httpx.TransportError:
        return False


def stale(program: Program, posts: Sequence[Post]) -> int:
    """Cards that do not show what stands on record."""
    with program.environment(), Wiring(program.folder) as wiring:
        drawn = [wiring.inbox.drawn(wiring.inbox.card(post.key, wiring.clock()), "slack") for post in posts]
    return sum(
        (post.text, post.blocks) != (text, list(blocks)) for post, (text, blocks) in zip(posts, drawn, strict=True)
    )


def told(name: str, waits: Sequence[float]) -> str:
    if not waits:
        return f"{name}: none"
    ranked = sorted(waits)
    p99 = ranked[min(len(ranked) - 1, int(len(ranked) * 0.99))]
    return f"{name}: {len(ranked)}, p50 {statistics.median(ranked):.2f} s, p99 {p99:.2f} s, max {ranked[-1]:.2f} s"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--presses", type=int, default=500, help="in each minute")
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--forms", type=int, default=40, help="of these, by a form; Slack opens 100 a minute")
    parser.add_argument("--typing", type=int, default=20, help="people who type beside them")
    given = parser.parse_args()
    presses = int(given.presses * given.minutes)
    people = presses + given.typing
    slack = SlackStandIn([(each, each) for each in addresses(people)], tiers=replace(PUBLISHED, posts=60_000, burst=60))
    with tempfile.TemporaryDirectory() as folder, Serving(Starlette(routes=slack.routes)) as server:
        slack.url, bind = server.url, f"127.0.0.1:{free_port()}"
        slack.request_url = f"http://{bind}/slack/events"
        program = Program(
            Path(folder) / "house",
            {
                "COMMSENGINE_SLACK_BOT_TOKEN": slack.bot_token,
                "COMMSENGINE_SLACK_API_URL": slack.api_url,
                "COMMSENGINE_SLACK_SIGNING_SECRET": slack.signing_secret,
                "COMMSENGINE_SLACK_RATE": "60000",
                "COMMSENGINE_HTTP_BIND": bind,
                "COMMSENGINE_STATE_DIR": str(Path(folder) / "state"),
            },
        )
        start_for(program, people)
        program.change("schedules/crm.yaml", ("channels: [email]", "channels: [slack]"))
        program.here("apply", "schedules/crm.yaml", "--yes")
        with running(program):
            expect(lambda: len(slack.posts) == people, step=0.1)
            posts, crowd = list(slack.posts), Crowd(slack)
            took = happen(deeds(crowd, posts, presses, given.forms, given.typing), given.minutes * 60)
            waiting = lambda: [post for post in posts if _late(post, crowd.pressed, crowd.typed)]  # noqa: E731
            wait_until(lambda: not waiting(), 120, 0.2)
            time.sleep(2 * GOAL)  # an older picture that comes last would come now
        answered = [post for post in posts if post.key in crowd.pressed or post.key in crowd.typed]
        old = stale(program, answered)
    by_press = [post.edited_at - at for post in posts if (at := crowd.pressed.get(post.key))]
    by_words = [post.edited_at - at for post in posts if (at := crowd.typed.get(post.key))]
    print(f"{sum(crowd.status.values())} requests in {took:.0f} s, answered with {dict(crowd.status)}")
    print(told("answered with a status", crowd.replies))
    print(told("pressed", by_press))
    print(told("typed about", by_words))
    print(
        f"stale: {old} of {len(answered)}; calls: {dict(Counter(slack.calls))}; turned away: {len(slack.turned_away)}"
    )
    return 0 if old == 0 and max(by_press) <= GOAL and set(crowd.status) == {200} else 1


def _late(post: Post, *times: dict[str, float]) -> bool:
    return any(post.edited_at < at[post.key] for at in times if post.key in at)


if __name__ == "__main__":
    raise SystemExit(main())
