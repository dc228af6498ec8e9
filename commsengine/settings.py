"""The settings: the only reader of the environment, and of ``.env`` in the workspace.

A setting comes from the environment, else from ``.env``; a secret may instead name a file that holds it
(``COMMSENGINE_SECRET_KEY_FILE=/run/secrets/key``). All that is wrong is reported at once, by name, with its remedy.
"""

from __future__ import annotations

import io
import os
import re
import stat
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import SplitResult, unquote, urlsplit

from dotenv.parser import Binding, parse_stream
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from commsengine import loopback
from commsengine.authoring.yaml_text import read_utf8
from commsengine.cadence.terms import ChannelName
from commsengine.errors import InputError, Problem
from commsengine.loopback import is_loopback
from commsengine.text import near_names

PREFIX = "COMMSENGINE_"
SECRETS = (
    "DATABASE_URL",
    "SMTP_URL",
    "SLACK_BOT_TOKEN",
    "SLACK_APP_TOKEN",
    "SLACK_SIGNING_SECRET",
    "SECRET_KEY",
    "IMAP_URL",
)
"""Settings that hold a secret: each has a ``_FILE`` variant, and none is ever shown."""

Rates = Mapping[str, int | None]
"""Messages a minute, by channel; ``None`` without a limit."""

JOURNAL = "journal"
"""What ``COMMSENGINE_POSTFIX_LOG`` says instead of a path, where Postfix writes to the system's journal."""

_SQLITE = re.compile(r"sqlite(?:\+\w+)?:///(.+)")
_OUR_LINE = re.compile(rf"\s*(?:export\s+)?({PREFIX}\w+)", re.IGNORECASE)


def debugging() -> bool:
    # Whether unexpected errors show their traceback.
    return os.environ.get("COMMSENGINE_DEBUG", "") not in ("", "0", "false", "no")


def _address(value: str) -> str:
    # A name before the address is nowhere shown.
    from commsengine.channels.mime import HeaderError, sender_address  # only who sends mail loads the channel

    try:
        return sender_address(value) if value else ""
    except HeaderError as bad:
        raise ValueError(f"{bad.what}. Write one such as change@example.com") from None


def _web_url(value: str) -> str:
    if not value.isprintable() or " " in value:
        raise ValueError("holds a space or an unseen character. Write one such as https://comms.example.com")
    try:
        parts = _split(value)
    except ValueError:
        raise ValueError(
            "has a port or an address that cannot be. Write one such as https://comms.example.com:8443"
        ) from None
    if parts.hostname and not parts.hostname.isascii():
        raise ValueError("has letters beyond a-z in its host. Write the host in its ASCII form (xn--…)")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("is not a web address. Write one such as https://comms.example.com")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError(f"uses http, which anybody on the way can read. Write https://{parts.netloc}")
    return value


def _split(url: str) -> SplitResult:
    parts = urlsplit(url)
    # The port is read only here, and reading it raises ValueError for one that is no number.
    if parts.port == 0:
        raise ValueError("no service listens on port 0")
    return parts


def _optional_web_url(value: str) -> str:
    return _web_url(value) if value else value


def _api_url(value: str) -> str:
    return _web_url(value).rstrip("/") + "/"


def _base_url(value: str) -> str:
    if value != value.strip():
        raise ValueError("has a space at an end. Remove it")
    if not value:
        return value
    parts = urlsplit(_web_url(value))
    if parts.path not in ("", "/") or "?" in value or "#" in value or "@" in parts.netloc:
        raise ValueError(f"holds more than a host. Write only {parts.scheme}://{parts.netloc.rpartition('@')[2]}")
    return value.rstrip("/")


def _host_and_port(value: str) -> str:
    host, _, port = value.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536 or "/" in host or " " in value:
        raise ValueError("is not HOST:PORT. Write for example 127.0.0.1:8080")
    return value


def _database_url(value: SecretStr) -> SecretStr:
    scheme, _, rest = value.get_secret_value().partition("://")
    if scheme.partition("+")[0] not in ("sqlite", "postgresql", "postgres") or not rest.strip("/"):
        raise ValueError(
            "names no database that works here. Write sqlite:///commsengine.db or postgresql://user:password@host/name"
        )
    if scheme.startswith("sqlite") and "?" in rest:
        raise ValueError("holds a '?'. In the name of a file or folder write it as %3F, and a % as %25")
    return value


def _smtp_url(value: SecretStr) -> SecretStr:
    from commsengine.channels.smtp import parse_smtp_url  # only who sends mail loads the channel

    return _read_by(parse_smtp_url, value)


def _imap_url(value: SecretStr) -> SecretStr:
    from commsengine.resolvers.imap import parse_imap_url  # only who has an archive loads it

    return _read_by(parse_imap_url, value)


def _read_by(parse: Callable[[str], object], value: SecretStr) -> SecretStr:
    try:
        parse(value.get_secret_value())
    except InputError as error:
        message = re.sub(r"^The (SMTP|IMAP) URL ", "", error.message).rstrip(".")
        raise ValueError(f"{message}. {error.fix}") from None
    return value


def _mail_log(value: str) -> str:
    if value not in ("", JOURNAL) and not Path(value).is_absolute():
        raise ValueError(f"is no full path. Write for example /var/log/mail.log, or '{JOURNAL}'")
    return value


def _listed_keys(value: object) -> object:
    return tuple(re.split(r"[\s,]+", value.strip())) if isinstance(value, str) else value


def _long_keys(keys: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    if any(len(key.get_secret_value()) < 16 for key in keys):
        raise ValueError("holds a key shorter than 16 characters. Make one: openssl rand -hex 32")
    return keys


def _slack_token(prefix: str, meaning: str) -> AfterValidator:
    def check(value: SecretStr) -> SecretStr:
        found = value.get_secret_value()
        if not found.startswith(prefix):
            given = f"'{found[:5]}…'" if re.match(r"x[a-z]{3}-", found) else "something else"
            raise ValueError(f"starts with {given}, but {meaning} starts with '{prefix}'. Copy it from your Slack app")
        if not found.isascii() or any(character.isspace() for character in found):
            raise ValueError("holds a space or an odd character. Copy the token again, whole and alone")
        return value

    return AfterValidator(check)


def _full_path(value: Path) -> Path:
    if not value.expanduser().is_absolute():
        raise ValueError(f"is not a full path. Write one such as /var/lib/commsengine, not '{value}'")
    return value.expanduser()


def _state_home() -> Path:
    # As systemd says, else as the desktop's standard says.
    given = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    if given:
        return Path(given)
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "commsengine"


Rate = Annotated[int, Field(ge=1, le=1_000_000)]
Address = Annotated[str, AfterValidator(_address)]
Keys = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_listed_keys), AfterValidator(_long_keys)]

SMTP_CONNECTIONS = 3
"""As many as a mailbox of Microsoft 365 takes at once."""

MOST_CONNECTIONS = 100


class Settings(BaseSettings):
    """Everything that differs between installations. Rates are messages per minute."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True)

    workspace: Path = Path()
    database_url: Annotated[SecretStr, AfterValidator(_database_url)] = SecretStr("sqlite:///commsengine.db")
    smtp_url: Annotated[SecretStr, AfterValidator(_smtp_url)] | None = None
    mail_from: Address = ""
    smtp_rate: Rate | None = None
    smtp_connections: Annotated[int, Field(ge=1, le=MOST_CONNECTIONS)] = SMTP_CONNECTIONS
    postfix_log: Annotated[str, AfterValidator(_mail_log)] = ""
    imap_url: Annotated[SecretStr, AfterValidator(_imap_url)] | None = None
    slack_bot_token: Annotated[SecretStr, _slack_token("xoxb-", "a bot token")] | None = None
    slack_app_token: Annotated[SecretStr, _slack_token("xapp-", "an app-level token")] | None = None
    slack_signing_secret: SecretStr | None = None
    slack_api_url: Annotated[str, AfterValidator(_api_url)] = "https://slack.com/api/"
    slack_rate: Rate = 300
    http_bind: Annotated[str, AfterValidator(_host_and_port)] = "127.0.0.1:8080"
    base_url: Annotated[str, AfterValidator(_base_url)] = ""
    secret_key: Keys = ()
    state_dir: Annotated[Path, AfterValidator(_full_path)] = Field(default_factory=_state_home)
    admin_email: Address = ""
    heartbeat_url: Annotated[str, AfterValidator(_optional_web_url)] = ""

    @model_validator(mode="after")
    def _together(self) -> Settings:
        if self.slack_app_token and not self.slack_bot_token:
            raise ValueError("COMMSENGINE_SLACK_APP_TOKEN is set without COMMSENGINE_SLACK_BOT_TOKEN. Set both")
        if not self.base_url and not is_loopback(self.bind[0]):
            raise ValueError(
                "COMMSENGINE_HTTP_BIND listens beyond this machine, so COMMSENGINE_BASE_URL must say "
                "how people reach it. Set it to https://your-host"
            )
        return self

    @property
    def bind(self) -> tuple[str, int]:
        host, _, port = self.http_bind.rpartition(":")
        return host.strip("[]"), int(port)

    @property
    def links_base(self) -> str:
        """Without a slash at the end."""
        return self.base_url or f"http://{self.http_bind}"

    @property
    def database(self) -> str:
        """A URL; a relative SQLite file lies in the workspace."""
        from commsengine.store.database import sqlite_url  # only who opens the database loads it

        file, url = self.database_file, self.database_url.get_secret_value()
        return sqlite_url(file) if file else re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", url)

    @property
    def database_file(self) -> Path | None:
        """``None`` on a database server."""
        found = _SQLITE.fullmatch(self.database_url.get_secret_value())
        return (self.workspace / unquote(found[1])).absolute() if found else None

    @property
    def keys(self) -> tuple[str, ...]:
        """The newest first. Raises ``InputError`` when there is none."""
        self.require_key()
        return tuple(key.get_secret_value() for key in self.secret_key)

    def require_key(self) -> None:
        """Raises ``InputError`` when there is no key to sign links with."""
        if not self.secret_key:
            raise InputError(
                "COMMSENGINE_SECRET_KEY is not set, so no link can be signed.",
                "Run 'commsengine init .' to have one written to .env, or set it yourself: openssl rand -hex 32.",
            )

    @property
    def smtp(self) -> str:
        return self.smtp_url.get_secret_value() if self.smtp_url else ""

    @property
    def imap(self) -> str:
        return self.imap_url.get_secret_value() if self.imap_url else ""

    @property
    def slack_token(self) -> str:
        return self.slack_bot_token.get_secret_value() if self.slack_bot_token else ""

    @property
    def credentials(self) -> frozenset[ChannelName]:
        secrets: dict[ChannelName, str] = {"email": self.smtp, "slack": self.slack_token}
        return frozenset(name for name, given in secrets.items() if given)

    @property
    def rates(self) -> Rates:
        return {"email": self.smtp_rate, "slack": self.slack_rate}


def spare_proxies() -> None:
    # The Slack SDK and urllib obey HTTP_PROXY even for a stand-in on the loopback address.
    spared = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    hosts = [host.strip() for host in spared.split(",") if host.strip()]
    if hosts != ["*"]:
        os.environ["no_proxy"] = ",".join([*hosts, *(name for name in loopback.NAMES if name not in hosts)])


def load_settings(workspace: Path) -> Settings:
    """Raises ``InputError`` with every problem, each by the name of its setting."""
    file = workspace / ".env"
    lines = _lines(file)
    written = {line.key.upper(): line.value for line in lines if line.key}
    secrets, of_files = _secret_files(file, written)
    problems = [*_unreadable(file, lines), *_open_to_others(file, written), *_unknown(file, written), *of_files]
    settings = None
    try:
        settings = Settings(workspace=workspace.absolute(), **_from_files(written, secrets))
    except ValidationError as invalid:
        problems += [_problem(error, file, written) for error in invalid.errors()]
    if problems or settings is None:
        raise InputError.of(problems)
    return settings


def _lines(file: Path) -> list[Binding]:
    # Each value as it stands there: ``${x}`` in a password is no reference.
    return [*parse_stream(io.StringIO(read_utf8(file)))] if file.exists() else []


def _unreadable(file: Path, lines: Iterable[Binding]) -> list[Problem]:
    # A line of ours that is neither a setting nor a comment would be left out in silence.
    fix = """Write NAME=VALUE; put a value that holds quotes into others: '"Change Team" <change@example.com>'."""
    return [
        Problem(str(file), line.original.line, 1, "setting", f"{found[1]} cannot be read from this line.", fix)
        for line in lines
        if line.error and (found := _OUR_LINE.match(line.original.string))
    ]


def _environment(name: str) -> str:
    # Names in the environment may be in small letters.
    return os.environ.get(name) or os.environ.get(name.lower()) or ""


def _from_files(written: Mapping[str, str | None], secrets: Mapping[str, str]) -> dict[str, Any]:
    # The environment comes first; then a secret's own file; then ``.env``.
    fields = [name for name in Settings.model_fields if name != "workspace" and not _environment(PREFIX + name.upper())]
    found = {name: secrets.get(name.upper()) or written.get(PREFIX + name.upper()) for name in fields}
    return {name: value for name, value in found.items() if value}


def _secret(name: str, path: Path) -> str:
    # Files below /run are guarded by what mounted them.
    try:
        mode, text = path.stat().st_mode, path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise InputError(f"{name} names {path}, which cannot be read: {reason}.", "Name a readable file.") from None
    if mode & stat.S_IROTH and not path.absolute().is_relative_to("/run"):
        message = f"{name} names {path}, which everybody on this machine can read (mode {mode & 0o777:04o})."
        raise InputError(message, f"Run: chmod 600 {path}")
    if not text:
        raise InputError(f"{name} names {path}, which is empty.", "Put the secret into it, alone on one line.")
    return text


def _secret_files(file: Path, written: Mapping[str, str | None]) -> tuple[dict[str, str], list[Problem]]:
    """What stands in the files that COMMSENGINE_X_FILE names, by X, and what is wrong with them."""
    found, problems = {}, []
    for secret in SECRETS:
        name = f"{PREFIX}{secret}_FILE"
        if path := _environment(name) or written.get(name):
            try:
                found[secret] = _secret(name, Path(path))
            except InputError as error:
                problems.append(Problem(*_place(name, file, written), "setting", error.message, error.fix))
    return found, problems


def _open_to_others(file: Path, written: Mapping[str, str | None]) -> list[Problem]:
    secrets = [name for name in SECRETS if written.get(PREFIX + name)]
    if not secrets or not file.stat().st_mode & stat.S_IROTH:
        return []
    mode = stat.S_IMODE(file.stat().st_mode)
    names = " and ".join(PREFIX + name for name in secrets)
    message = f"this file holds {names}, but everybody on this machine can read it (mode {mode:04o})."
    line = min(_line_of(file, PREFIX + name) for name in secrets)
    return [Problem(str(file), line, 1, "open-secrets", message, f"Run: chmod 600 {file}")]


def _unknown(file: Path, written: Mapping[str, str | None]) -> list[Problem]:
    known = [PREFIX + name.upper() for name in Settings.model_fields if name != "workspace"]
    known += [f"{PREFIX}{name}_FILE" for name in SECRETS] + [f"{PREFIX}DEBUG"]
    problems = []
    for name in (name for name in written if name.startswith(PREFIX) and name not in known):
        near, message = near_names(name, known, 1), f"there is no setting {name}."
        fix = f"Did you mean {near[0]}?" if near else "Remove it."
        problems.append(Problem(str(file), _line_of(file, name), 1, "unknown-setting", message, fix))
    return problems


def _line_of(file: Path, name: str) -> int:
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    wanted = re.compile(rf"\s*(export\s+)?{re.escape(name)}\s*=", re.IGNORECASE)
    return next((number for number, line in enumerate(lines, 1) if wanted.match(line)), 0)


def _problem(error: Any, file: Path, written: Mapping[str, str | None]) -> Problem:
    # The value is never shown, for it may be a secret.
    name = PREFIX + str(error["loc"][0]).upper() if error["loc"] else ""
    cause = str(error["ctx"]["error"]) if error["type"] == "value_error" else _plain(error)
    message, _, fix = f"{name} {cause}".strip().partition(". ")
    return Problem(
        *_place(name, file, written), "setting", f"{message.rstrip('.')}.", f"{fix.rstrip('.')}." if fix else ""
    )


def _place(name: str, file: Path, written: Mapping[str, str | None]) -> tuple[str, int, int]:
    # The environment comes before ``.env``.
    if written.get(name) and not _environment(name):
        return str(file), _line_of(file, name), 1
    return "environment", 0, 0


def _plain(error: Any) -> str:
    connections = error["loc"] == ("smtp_connections",)
    what = "connections" if connections else "messages a minute"
    if error["type"] == "int_parsing":
        example = SMTP_CONNECTIONS if connections else 300
        return f"is not a whole number. Write a number of {what}, for example {example}"
    if error["type"] in ("greater_than_equal", "less_than_equal"):
        return f"is out of range. Write a number of {what} from 1 to {MOST_CONNECTIONS if connections else 1_000_000}"
    return f"is not valid ({error['msg']}). See docs/operations.md"


def shown(settings: Settings) -> dict[str, str]:
    """As ``doctor`` shows them: of a secret only that it is set."""
    names = [name for name in Settings.model_fields if name != "workspace"]
    return {PREFIX + name.upper(): _shown(name, getattr(settings, name)) for name in names}


def _shown(name: str, value: object) -> str:
    if value in (None, "", ()):
        return "not set"
    return "***" if name.upper() in SECRETS else str(value)
