"""Access tokens for mail servers (OAuth 2.0): one for all connections, renewed in time, and a command that gives it."""

from __future__ import annotations

import base64
import datetime as dt
import json
import math
import os
import re
import shlex
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from commsengine.cadence.kinds_and_states import Fault

COMMAND = "COMMSENGINE_OAUTH_TOKEN_COMMAND"
EARLIEST = dt.timedelta(minutes=5)
"""How long before its end a token is renewed; a tenth of its life, if that is less."""
UNKNOWN_LIFE = dt.timedelta(minutes=10)
"""After that a token is asked for again which does not say when it ends."""

_AFTER_A_FAILURE = dt.timedelta(seconds=10)
_TOKEN = re.compile(r"[\x21-\x7e]{1,16000}")
_ADDRESS = re.compile(r"[^\s<>@]+@[^\s<>@]+")
_GUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_SECRET = re.compile(rf"(?<![\w.~+=-])(?!{_GUID}(?![\w.~+=-]))[\w.~+=-]{{24,}}", re.IGNORECASE)
_TOO_LONG = 300  # characters


@dataclass(frozen=True, slots=True)
class AccessToken:
    """``renew_at`` lies before ``ends_at``, which is ``None`` where nothing says it."""

    text: str = field(repr=False)
    renew_at: dt.datetime
    ends_at: dt.datetime | None = None

    @classmethod
    def of(cls, text: str, ends_at: dt.datetime | None, now: dt.datetime) -> AccessToken:
        ends_at = ends_at or _end_in_claims(text)
        if ends_at is None or ends_at <= now:  # a clock is wrong, here or there: the mail server decides
            return cls(text, now + UNKNOWN_LIFE)
        return cls(text, ends_at - min(EARLIEST, (ends_at - now) / 10), ends_at)


class TokenError(Exception):
    """No token is to be had: one sentence without a secret, in English, for it may become a receipt.

    ``code`` is the provider's word for it, such as ``AADSTS7000222`` or ``invalid_grant``.
    """

    def __init__(self, because: str, fault: Fault = "us", code: str = "") -> None:
        super().__init__(because)
        self.because, self.fault, self.code = because, fault, code


Fetch = Callable[[dt.datetime], AccessToken]
"""Asks for a token at this time. Raises ``TokenError``."""


class AccessTokens:
    """The token that all connections of a process log in with. Threads may share it."""

    def __init__(self, fetch: Fetch, clock: Callable[[], dt.datetime]) -> None:
        self._fetch, self._clock = fetch, clock
        self._lock = threading.Lock()
        self._token: AccessToken | None = None
        self._failure: tuple[dt.datetime, TokenError] | None = None

    def current(self) -> AccessToken:
        """Renewed when it is time. Raises ``TokenError``."""
        with self._lock:
            now, token = self._clock(), self._token
            if token is not None and now < token.renew_at:
                return token
            try:
                return self._renewed(now)
            except TokenError:
                if token is None or token.ends_at is None or now >= token.ends_at:
                    raise
                return token  # it still holds

    def another_than(self, refused: AccessToken) -> AccessToken:
        """For a token that a server refused before its end. Raises ``TokenError``."""
        with self._lock:
            if self._token is not None and self._token.text != refused.text:  # another connection was quicker
                return self._token
            return self._renewed(self._clock())

    def holds(self, token: AccessToken) -> bool:
        """Whether no newer one is known or due: a look that never waits for a renewal."""
        known = self._token
        return known is not None and known.text == token.text and self._clock() < token.renew_at

    def has_replaced(self, token: AccessToken) -> bool:
        """Whether a connection that logged in with ``token`` must log in with a newer one. Never raises."""
        try:
            return self.current().text != token.text
        except TokenError:
            return True  # the next log-in says why

    def _renewed(self, now: dt.datetime) -> AccessToken:
        # What has just failed for one connection is not asked again for each of the others.
        if self._failure and self._failure[0] <= now < self._failure[0] + _AFTER_A_FAILURE:
            failed = self._failure[1]
            raise TokenError(failed.because, failed.fault, failed.code)
        try:
            self._token, self._failure = self._fetch(now), None
        except TokenError as error:
            self._failure = (now, error)
            raise
        return self._token


def claims(token: str) -> Mapping[str, Any]:
    """What a token says of itself, if it is a JWT. Not verified: for advice only."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        found = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def in_one_line(text: str) -> str:
    """Somebody else's words for an error: no address, and nothing that may be a secret."""
    line = " ".join(text.split())
    return _SECRET.sub("…", _ADDRESS.sub("(address)", line))[:_TOO_LONG].rstrip(". ")


def by_command(command: str, folder: Path, seconds: float = 30.0) -> Fetch:
    """Runs ``command`` in ``folder``, without a shell. It prints the token alone, or JSON."""

    def fetch(now: dt.datetime) -> AccessToken:
        return _read(_printed(command, folder, seconds), now)

    return fetch


def _printed(command: str, folder: Path, seconds: float) -> str:
    try:
        process = subprocess.Popen(  # noqa: S603 - the administrator's own command
            shlex.split(command),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise TokenError(f"{COMMAND} cannot be run: {in_one_line(why)}", code="command") from None
    with process:
        try:
            printed, complaint = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # with what it started, which would keep the pipes open
            raise TokenError(f"{COMMAND} did not end within {seconds:g} seconds", code="command") from None
    if process.returncode:
        first = next((line for line in complaint.decode("utf-8", "replace").splitlines() if line.strip()), "")
        said = f": {in_one_line(first)}" if first else ""
        raise TokenError(f"{COMMAND} failed with status {process.returncode}{said}", code="command")
    return printed.decode("utf-8", "replace").strip()


def _read(printed: str, now: dt.datetime) -> AccessToken:
    answer: Any = {"access_token": printed}
    if printed.startswith("{"):
        try:
            answer = json.loads(printed)
        except ValueError:
            raise TokenError(f"{COMMAND} prints JSON that cannot be read", code="output") from None
    text = answer.get("access_token") or answer.get("accessToken")
    if not isinstance(text, str) or not _TOKEN.fullmatch(text):
        raise TokenError(f"{COMMAND} prints no token", code="output")
    return AccessToken.of(text, _end(answer, now), now)


def _end(answer: Mapping[str, Any], now: dt.datetime) -> dt.datetime | None:
    try:
        if "expires_in" in answer:
            return now + dt.timedelta(seconds=float(answer["expires_in"]))
        given = answer.get("expires_on") or answer.get("expires_at")
        return _instant(given) if given else None
    except (TypeError, ValueError, OverflowError):
        raise TokenError(f"{COMMAND} prints an end of the token that is no time", code="output") from None


def _instant(given: Any) -> dt.datetime:
    # Seconds since 1970, or ISO 8601; without a zone it is UTC.
    if isinstance(given, str) and not given.replace(".", "", 1).isdecimal():
        found = dt.datetime.fromisoformat(given)
        return found if found.tzinfo else found.replace(tzinfo=dt.UTC)
    return dt.datetime.fromtimestamp(float(given), dt.UTC)


def _end_in_claims(text: str) -> dt.datetime | None:
    end = claims(text).get("exp")
    sound = isinstance(end, int | float) and math.isfinite(end) and 0 < end < 1e11
    return dt.datetime.fromtimestamp(end, dt.UTC) if sound and end else None
