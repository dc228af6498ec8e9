"""The first contact with a Slack of which nothing is known yet: does its last message leave when announced?

One ``tick`` of the whole program, as a process, against the HTTP stand-in with Slack's published limits. Posts are
scaled, so that it takes a minute instead of seven; the pages of the list of users are not. A part of the directory is
deactivated in Slack, some are guests, and some are not there at all.

    .venv/bin/python -m benchmarks.slack --people 2000

Exit status 1 when it ends more than a tenth off, or when Slack had to turn a call away.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from commsengine.channels.slack_users import PAGE, seconds_of_look_ups, seconds_to_get_ready
from commsengine.sandbox.sandbox import Serving
from commsengine.sandbox.slack_server import SlackStandIn
from commsengine.sandbox.slack_tiers import PUBLISHED
from tests.stories.campaign import addresses, start_for
from tests.stories.program import Program

RATE = 300
"""Messages a minute by default: ``COMMSENGINE_SLACK_RATE``."""

TOLERANCE = 0.1


@dataclass(frozen=True)
class Crowd:
    """How many people of the directory are what in Slack."""

    people: int
    deactivated: int
    guests: int
    elsewhere: int

    @property
    def reached(self) -> int:
        return self.people - self.deactivated - self.elsewhere


def a_slack(crowd: Crowd, strangers: int, scale: float) -> SlackStandIn:
    known = addresses(crowd.people)[crowd.elsewhere :]
    others = [f"other{number}@example.com" for number in range(strangers)]
    posts = PUBLISHED.times(scale).posts
    slack = SlackStandIn(
        [(each, each) for each in [*known, *others]],
        tiers=replace(PUBLISHED, posts=posts),
    )
    for email in known[: crowd.deactivated]:
        slack.team.change(email, deleted=True)
    for email in known[-crowd.guests :]:
        slack.team.change(email, guest="single")
    return slack


class Watched:
    """Passes requests on, and remembers when the first one came (monotonic)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.first: float | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.first = self.first or time.monotonic()
        await self._app(scope, receive, send)


def announced(crowd: Crowd, strangers: int, rate: float) -> float:
    """Seconds from the start to the last message."""
    read = seconds_to_get_ready((), crowd.people + strangers)
    return max(read + crowd.reached / rate * 60, read + seconds_of_look_ups(crowd.elsewhere))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--people", type=int, default=2000)
    parser.add_argument(
        "--strangers", type=int, default=500, help="users of the workspace who are not in the directory"
    )
    parser.add_argument("--scale", type=float, default=10.0, help="how many times the usual rate of posts")
    given = parser.parse_args()
    crowd = Crowd(given.people, given.people // 50, given.people // 50, min(40, given.people // 50))
    slack, rate = a_slack(crowd, given.strangers, given.scale), RATE * given.scale
    watched = Watched(Starlette(routes=slack.routes))
    with tempfile.TemporaryDirectory() as folder, Serving(watched) as server:
        slack.url = server.url
        program = Program(
            Path(folder) / "house",
            {
                "COMMSENGINE_SLACK_BOT_TOKEN": slack.bot_token,
                "COMMSENGINE_SLACK_API_URL": slack.api_url,
                "COMMSENGINE_SLACK_RATE": str(int(rate)),
                "COMMSENGINE_STATE_DIR": str(Path(folder) / "state"),
            },
        )
        start_for(program, crowd.people)
        program.change("schedules/crm.yaml", ("channels: [email]", "channels: [slack]"))
        program.here("apply", "schedules/crm.yaml", "--yes")
        began = time.monotonic()
        with program.running("tick", "--json") as process:
            process.communicate()
    first = watched.first or began
    took, promised = slack.posts[-1].arrived_at - first, announced(crowd, given.strangers, rate)
    calls, off = Counter(slack.calls), took / promised - 1
    print(f"{crowd.people:,} people, {crowd.reached:,} of them on Slack, {PAGE} users a page, {rate:g} posts a minute")
    print(f"announced: the last leaves after {promised:.1f} s; it left after {took:.1f} s ({off:+.1%})")
    print(f"the program took {first - began:.1f} s to start")
    print(f"at {RATE} a minute that is {announced(crowd, given.strangers, RATE) / 60:.1f} minutes")
    print(f"{len(slack.posts):,} posts, {len({post.user.id for post in slack.posts}):,} people; calls: {dict(calls)}")
    print(f"turned away: {len(slack.turned_away)}")
    whole = len(slack.posts) == len({post.user.id for post in slack.posts}) == crowd.reached
    return 0 if whole and abs(off) <= TOLERANCE and not slack.turned_away else 1


if __name__ == "__main__":
    raise SystemExit(main())
