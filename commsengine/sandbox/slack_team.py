"""A Slack team in memory: its people, their direct messages with the bot, open dialogs."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from commsengine.channels.slack_manifest import MANIFEST, scopes_of

TEAM_ID, APP_ID, BOT_USER, BOT_ID = "T0SANDBOX", "A0SANDBOX", "U0SANDBOX", "B0SANDBOX"
ENTERPRISE_ID = "E0SANDBOX"


@dataclass(frozen=True, slots=True)
class SlackUser:
    """``grid`` is their id in a whole Enterprise Grid (``W…``), by which their presses come; empty without one.

    ``guest`` is ``multi`` or ``single``, by how many channels they may see; ``team`` is their workspace.
    """

    id: str
    email: str
    name: str
    dm: str
    grid: str = ""
    deleted: bool = False
    bot: bool = False
    guest: Literal["", "multi", "single"] = ""
    team: str = TEAM_ID


@dataclass(slots=True)
class Post:
    """One message in a direct conversation. ``arrived_at`` is monotonic, in seconds; ``edits`` counts the updates, of
    which ``edited_at`` is the last.

    ``thread`` is the ``ts`` of the message below which it stands; ``broadcast``: beside that in the conversation too.
    ``typed`` are those of the person.
    """

    conversation: str
    ts: str
    user: SlackUser
    text: str
    blocks: list[dict[str, Any]]
    metadata: dict[str, Any]
    arrived_at: float
    edits: int = 0
    edited_at: float = 0.0
    only_visible_to: str = ""
    thread: str = ""
    broadcast: bool = False
    typed: bool = False

    @property
    def key(self) -> str:
        return str(self.metadata.get("event_payload", {}).get("key", ""))

    @property
    def remote_id(self) -> str:
        return f"{self.conversation}:{self.ts}"

    def as_slack_tells(self, *, metadata: bool = True) -> dict[str, Any]:
        body: dict[str, Any] = {"type": "message", "ts": self.ts, "text": self.text, "team": TEAM_ID}
        body |= {"thread_ts": self.thread} if self.thread else {}
        body |= {"subtype": "thread_broadcast"} if self.broadcast else {}
        if self.typed:
            return {**body, "user": self.user.grid or self.user.id, "client_msg_id": self.remote_id}
        body |= {"blocks": self.blocks, "user": BOT_USER, "bot_id": BOT_ID, "app_id": APP_ID}
        return {**body, "metadata": self.metadata} if metadata and self.metadata else body


@dataclass(slots=True)
class Dialog:
    """A modal that is open before one person."""

    id: str
    user: SlackUser
    view: dict[str, Any]
    errors: dict[str, str] = field(default_factory=dict)


class SlackTeam:
    """Only the people given are on Slack, as e-mail, name and, where known, user id and Enterprise Grid id.

    ``clock`` gives the seconds since 1970 that message stamps are made of. Without its Messages tab the app can post
    to no one; ``typing``: people can write there, and the app hears of it. ``scopes`` are what the app may do. With
    ``teams`` (id, name) it is installed in a whole organisation.
    """

    def __init__(
        self,
        people: Iterable[tuple[str, ...]],
        *,
        clock: Callable[[], float] = time.time,
        messages_tab: bool = True,
        home_tab: bool = True,
        typing: bool = True,
        scopes: Iterable[str] = scopes_of(MANIFEST),
        teams: Mapping[str, str] | None = None,
    ) -> None:
        self.messages_tab, self.home_tab, self.typing = messages_tab, home_tab, typing
        self.scopes, self.org = frozenset(scopes), teams is not None
        self.teams = teams or {TEAM_ID: "Sandbox"}
        self._clock, self._numbers, self._lock = clock, itertools.count(1), threading.RLock()
        self.posts: list[Post] = []
        self._of_user: dict[str, list[Post]] = {}
        self._by_place: dict[tuple[str, str], Post] = {}
        self.dialogs: dict[str, Dialog] = {}
        self.triggers: dict[str, SlackUser] = {}
        self.opened: set[str] = set()
        self.homes: dict[str, dict[str, Any]] = {}
        users = [
            SlackUser((known and known[0]) or f"U{n:08d}", email, name, f"D{n:08d}", "".join(known[1:]))
            for n, (email, name, *known) in enumerate(people, 1)
        ]
        self._by_email = {user.email.lower(): user for user in users}
        self._by_id = {user.id: user for user in users}
        self._by_grid = {user.grid: user for user in users if user.grid}
        self._by_dm = {user.dm: user for user in users}

    def change(self, email_or_id: str, **changes: Any) -> SlackUser:
        """Somebody is deactivated, becomes a guest, moves to another workspace: fields of ``SlackUser``."""
        user = self.user(email_or_id)
        if user is None:
            raise KeyError(email_or_id)
        changed = replace(user, **changes)
        with self._lock:
            self._by_email[changed.email.lower()] = self._by_id[changed.id] = self._by_dm[changed.dm] = changed
            if changed.grid:
                self._by_grid[changed.grid] = changed
        return changed

    @property
    def users(self) -> list[SlackUser]:
        return list(self._by_id.values())

    def user(self, email_or_id: str) -> SlackUser | None:
        found = self._by_id.get(email_or_id) or self._by_grid.get(email_or_id)
        return found or self._by_email.get(email_or_id.lower())

    def user_of(self, conversation: str) -> SlackUser | None:
        # A post to a user id goes to that user's conversation too.
        user = self._by_dm.get(conversation) or self._by_id.get(conversation)
        return user if user and (conversation == user.id or conversation in self.opened) else None

    def dm_of(self, email_or_id: str) -> list[Post]:
        user = self.user(email_or_id)
        with self._lock:
            return list(self._of_user.get(user.id, ())) if user else []

    def post(
        self,
        user: SlackUser,
        text: str,
        blocks: list[dict[str, Any]],
        metadata: Mapping[str, Any],
        thread: str = "",
        *,
        broadcast: bool = False,
    ) -> Post:
        """The app's. Below a message that is gone nothing can stand: it becomes a message by itself, as in Slack."""
        with self._lock:
            thread = self._root(user, thread)
            post = Post(user.dm, self.stamp(), user, text, blocks, dict(metadata), time.monotonic(), thread=thread)
            post.broadcast = broadcast and bool(thread)
            self.posts.append(post)
            return self._keep(post)

    def say(self, user: SlackUser, text: str, thread: str = "") -> Post:
        """The person's own."""
        with self._lock:
            self.opened.add(user.dm)
            thread = self._root(user, thread)
            return self._keep(
                Post(user.dm, self.stamp(), user, text, [], {}, time.monotonic(), thread=thread, typed=True)
            )

    def _root(self, user: SlackUser, thread: str) -> str:
        above = self.find(user.dm, thread)
        return (above.thread or above.ts) if above else ""

    def _keep(self, post: Post) -> Post:
        self._of_user.setdefault(post.user.id, []).append(post)
        self._by_place[post.conversation, post.ts] = post
        return post

    def find(self, conversation: str, ts: str) -> Post | None:
        return self._by_place.get((conversation, ts))

    def update(self, post: Post, text: str, blocks: list[dict[str, Any]]) -> None:
        with self._lock:
            post.text, post.blocks, post.edits, post.edited_at = text, blocks, post.edits + 1, time.monotonic()

    def forget_conversation(self, email: str) -> None:
        # As if Slack had closed the conversation: its id is not known any more.
        user = self.user(email)
        if user:
            self.opened.discard(user.dm)

    def open_dialog(self, user: SlackUser, view: dict[str, Any]) -> Dialog:
        dialog = Dialog(f"V{next(self._numbers):08d}", user, view)
        with self._lock:
            self.dialogs[dialog.id] = dialog
        return dialog

    def dialogs_of(self, email_or_id: str) -> list[Dialog]:
        user = self.user(email_or_id)
        with self._lock:
            return [dialog for dialog in self.dialogs.values() if user and dialog.user.id == user.id]

    def close_dialog(self, dialog: Dialog) -> None:
        with self._lock:
            self.dialogs.pop(dialog.id, None)

    def trigger(self, user: SlackUser) -> str:
        """An id that opens one dialog before this person."""
        name = f"{next(self._numbers)}.{user.id}"
        self.triggers[name] = user
        return name

    def stamp(self) -> str:
        return f"{int(self._clock())}.{next(self._numbers) % 1_000_000:06d}"
