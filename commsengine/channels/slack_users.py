"""Reads Slack's list of users into the id cache, page by page: before the first message, then daily.

1. A reading begins with ``auth.test``: which workspaces the token covers. Each of them is read from the start.
2. A page is asked for at most every three seconds (tier 2: twenty a minute), by all engines together, and kept with the
   cursor that leads on: another process goes on from there.
3. Until the first reading is done, nothing leaves by Slack: looking up each address would take far longer.
4. When Slack does not give the list (a scope is missing, it is in trouble), addresses are looked up one by one.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import math
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import structlog
from slack_sdk.errors import SlackApiError

from commsengine.cadence.kinds_and_states import ChannelName, SlackStatus
from commsengine.channels import slack
from commsengine.channels.channel import DeliveryError

PAGE, SMALL_PAGE = 500, 200
"""Users a page; Slack recommends no more than 200, and may refuse more to a large workspace."""

BETWEEN_PAGES = dt.timedelta(seconds=3)
LOOK_UPS_A_MINUTE = 50
A_DAY, A_MINUTE = dt.timedelta(days=1), dt.timedelta(minutes=1)
AFTER_TROUBLE, AFTER_A_REFUSAL = dt.timedelta(minutes=1), dt.timedelta(hours=1)
LONGEST_WAIT = dt.timedelta(minutes=30)
"""So long the first reading may keep messages waiting."""

MANY_NEW = 20
"""So many people who are new in the directory make a reading of their own; fewer are looked up."""

TIMEOUT = 10.0  # seconds
EMAIL_SCOPE = "users:read.email"
SLACKBOT = "USLACKBOT"

log = structlog.get_logger(__name__)


class ListedUser(NamedTuple):
    """One user of a workspace, with an address. ``grid_id`` is theirs in a whole Enterprise Grid."""

    email: str
    user_id: str
    status: SlackStatus
    grid_id: str = ""


class ListReading(Protocol):
    """How far the list of a workspace's users has been read."""

    @property
    def team_id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def cursor(self) -> str: ...
    @property
    def members(self) -> int: ...
    @property
    def missing(self) -> int: ...
    @property
    def began_at(self) -> dt.datetime | None: ...
    @property
    def finished_at(self) -> dt.datetime | None: ...
    @property
    def free_at(self) -> dt.datetime | None: ...
    @property
    def trouble(self) -> str: ...


class AddressBook(Protocol):
    """Where the readings are kept; ``token`` is a hash of it."""

    def of(self, token: str) -> Sequence[ListReading]: ...

    def begin(self, token: str, teams: Mapping[str, str], now: dt.datetime, *, anew: bool = False) -> None: ...

    def take_turn(self, token: str, team: str, now: dt.datetime, until: dt.datetime) -> bool: ...

    def wait(self, token: str, team: str, until: dt.datetime, trouble: str) -> None: ...

    def keep(
        self,
        token: str,
        team: str,
        users: Sequence[ListedUser],
        *,
        channel: ChannelName,
        cursors: tuple[str, str],
        counted: int,
        now: dt.datetime,
    ) -> None: ...

    def missing(self, day: dt.date) -> int: ...

    def people(self, day: dt.date) -> int: ...


def seconds_until_known(members: int, *, known: bool) -> float:
    """What the first reading of a workspace with so many users takes before anything leaves; 0 when it is ``known``."""
    return 0.0 if known else max(0, math.ceil(members / PAGE) - 1) * BETWEEN_PAGES.total_seconds()


def seconds_to_get_ready(workspaces: Sequence[ListReading], people: int) -> float:
    """What passes before the first message leaves: the lists that have never been read, of at least so many people."""
    unread = [each for each in workspaces if each.finished_at is None]
    members = max(people, sum(each.members for each in unread))
    return seconds_until_known(members, known=bool(workspaces) and not unread)


def seconds_of_look_ups(people: int) -> float:
    """What it takes to look up so many people one by one."""
    return max(0, math.ceil(people / LOOK_UPS_A_MINUTE) - 1) * 60.0


def hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()[:16]


def unfinished(workspace: ListReading) -> bool:
    begun, finished = workspace.began_at, workspace.finished_at
    return finished is None or (begun is not None and finished < begun)


class SlackAnswer(NamedTuple):
    data: Mapping[str, Any]
    headers: Mapping[str, str]


class SlackApi:
    """Calls that are no posts of touches. ``timeout`` is in seconds."""

    def __init__(self, token: str, api_url: str, timeout: float) -> None:
        self._client = slack.web_client(token, api_url, timeout)

    def call(self, method: str, **arguments: Any) -> SlackAnswer:
        """Empty arguments are left out. Raises ``DeliveryError``."""
        given = {name: value for name, value in arguments.items() if value}
        try:
            answer = self._client.api_call(method, params=given)
        except SlackApiError as refused:
            raise slack.refused(refused, marked=False) from None
        except Exception as broken:  # the SDK has no closed list of what it raises on answers that are not Slack's
            raise slack.broken(broken, marked=False) from None
        return SlackAnswer(answer.data if isinstance(answer.data, dict) else {}, dict(answer.headers))


class SlackUsers:
    """Called at every beat with the time; asks for one page at most."""

    def __init__(
        self, token: str, book: AddressBook, *, api_url: str = slack.API_URL, timeout: float = TIMEOUT
    ) -> None:
        self.hashed_token, self._book = hashed(token), book
        self.call = SlackApi(token, api_url, timeout).call
        self._page = PAGE
        self._nothing_until: dt.datetime | None = None

    def __call__(self, now: dt.datetime) -> float:
        """The seconds for which nothing should leave by Slack."""
        if self._nothing_until and self._nothing_until - A_MINUTE <= now < self._nothing_until:
            return 0.0
        workspaces = self._book.of(self.hashed_token)
        if workspaces and not any(map(unfinished, workspaces)) and not self._due(workspaces, now):
            self._nothing_until = now + A_MINUTE
            return 0.0
        self._advance(workspaces, now)
        return self._wait(now)

    def _due(self, workspaces: Sequence[ListReading], now: dt.datetime) -> bool:
        read_at = min(each.finished_at or now for each in workspaces)
        return now - read_at >= A_DAY or self._many_are_new(workspaces, now)

    def _many_are_new(self, workspaces: Sequence[ListReading], now: dt.datetime) -> bool:
        return self._book.missing(now.date()) > max(each.missing for each in workspaces) + MANY_NEW

    def _advance(self, workspaces: Sequence[ListReading], now: dt.datetime) -> None:
        team = ""
        try:
            if not any(each.team_id and unfinished(each) for each in workspaces):
                workspaces = self._begun(workspaces, now)
            open_ones = [each for each in workspaces if not (each.trouble and _busy(each, now))]
            under_way = [each for each in open_ones if each.team_id and unfinished(each)]
            if under_way and not any(_busy(each, now) for each in open_ones):
                team = under_way[0].team_id
                self._read(under_way[0], now)
        except DeliveryError as error:
            self._failed(team, workspaces, error, now)

    def _begun(self, workspaces: Sequence[ListReading], now: dt.datetime) -> Sequence[ListReading]:
        if not self._book.people(now.date()) or any(_busy(each, now) for each in workspaces):
            return ()
        covered, known = self.covered(), [each for each in workspaces if each.team_id]
        self._book.begin(self.hashed_token, covered, now, anew=bool(known) and self._many_are_new(known, now))
        return self._book.of(self.hashed_token)

    def covered(self, us: Mapping[str, Any] | None = None) -> dict[str, str]:
        """The workspaces that the token covers, by id: their names. ``us`` is the answer to ``auth.test``, if known.

        Raises ``DeliveryError``.
        """
        us = us or self.call("auth.test").data
        if not us.get("is_enterprise_install"):
            return {str(us.get("team_id", "")): str(us.get("team", ""))}
        teams: dict[str, str] = {}
        cursor = ""
        while True:
            page = self.call("auth.teams.list", limit=SMALL_PAGE, cursor=cursor).data
            teams |= {str(team.get("id", "")): str(team.get("name", "")) for team in page.get("teams") or ()}
            cursor = _next(page)
            if not cursor:
                return teams

    def _read(self, workspace: ListReading, now: dt.datetime) -> None:
        if not self._book.take_turn(self.hashed_token, workspace.team_id, now, now + BETWEEN_PAGES):
            return  # another engine reads it
        page = self.call("users.list", limit=self._page, cursor=workspace.cursor, team_id=workspace.team_id).data
        members = [each for each in page.get("members") or () if isinstance(each, dict)]
        users = [user for each in members if (user := _user(each))]
        if not users and any(not each.get("is_bot") and each.get("id") != SLACKBOT for each in members):
            raise DeliveryError("retry", "connect", f"missing_scope ({EMAIL_SCOPE})", fault="us")
        cursors = (workspace.cursor, _next(page))
        self._book.keep(
            self.hashed_token,
            workspace.team_id,
            users,
            channel=slack.NAME,
            cursors=cursors,
            counted=len(members),
            now=now,
        )

    def _failed(self, team: str, workspaces: Sequence[ListReading], error: DeliveryError, now: dt.datetime) -> None:
        if error.reply == "invalid_cursor":
            self._book.begin(self.hashed_token, {each.team_id: each.name for each in workspaces}, now)
        elif error.reply == "ratelimited":
            self._book.wait(self.hashed_token, team, now + dt.timedelta(seconds=error.retry_after or 0), "")
        else:
            self._page = SMALL_PAGE
            later = AFTER_A_REFUSAL if error.fault == "us" and error.reply != "limit_required" else AFTER_TROUBLE
            self._book.wait(self.hashed_token, team, now + later, error.reply)
            log.warning("slack_users_unread", because=error.reply)

    def _wait(self, now: dt.datetime) -> float:
        """0 as soon as ids are known, where Slack does not give its list, and after half an hour."""
        workspaces = [each for each in self._book.of(self.hashed_token) if not each.trouble]
        if not any(each.finished_at is None and self._worth_waiting(each, now) for each in workspaces):
            return 0.0
        free_at = max((each.free_at for each in workspaces if each.free_at and _busy(each, now)), default=now)
        return max((free_at - now).total_seconds(), 1.0)

    def _worth_waiting(self, workspace: ListReading, now: dt.datetime) -> bool:
        begun = workspace.began_at
        return begun is not None and dt.timedelta() <= now - begun < LONGEST_WAIT


class LookUpPace:
    """Fifty look-ups in any minute (tier 3), by the time of the engine. Shared by the sender threads of a process."""

    def __init__(self, per_minute: int = LOOK_UPS_A_MINUTE) -> None:
        self._turns: deque[dt.datetime] = deque(maxlen=per_minute)
        self._kept: dict[str, dt.datetime] = {}
        self._now: dt.datetime | None = None
        self._lock = threading.Lock()

    def wait(self, email: str, now: dt.datetime) -> float:
        """0 when this address may be looked up now, else the seconds until its turn, which is kept for it."""
        with self._lock:
            if self._now and now < self._now - A_MINUTE:  # the clock was set back
                self._turns.clear()
                self._kept.clear()
            self._now = now
            turn = self._kept.pop(email, None) or self._next(now)
            if turn > now:
                self._kept[email] = turn
            return max(0.0, (turn - now).total_seconds())

    def _next(self, now: dt.datetime) -> dt.datetime:
        full = len(self._turns) == self._turns.maxlen
        turn = max(now, self._turns[0] + A_MINUTE) if full else now
        self._turns.append(turn)
        return turn


def _busy(workspace: ListReading, now: dt.datetime) -> bool:
    # A wait of more than two hours is none of ours: the clock was set back.
    return workspace.free_at is not None and now < workspace.free_at <= now + 2 * AFTER_A_REFUSAL


def _user(member: Mapping[str, Any]) -> ListedUser | None:
    profile = member.get("profile")
    email = str(profile.get("email") or "") if isinstance(profile, dict) else ""
    if not email or not member.get("id"):
        return None
    return ListedUser(email, str(member["id"]), _status(member), slack.grid_id_of(member))


def _status(member: Mapping[str, Any]) -> SlackStatus:
    if member.get("deleted"):
        return "deleted"
    if member.get("is_bot"):
        return "bot"
    return "guest" if member.get("is_restricted") or member.get("is_ultra_restricted") else "member"


def _next(page: Mapping[str, Any]) -> str:
    more = page.get("response_metadata")
    return str(more.get("next_cursor") or "") if isinstance(more, dict) else ""
