"""The settings: what differs between installations, what each may be, and what follows from them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from commsengine.cadence.kinds_and_states import ChannelName
from commsengine.errors import InputError
from commsengine.loopback import is_loopback
from commsengine.translation import N_, _

PREFIX = "COMMSENGINE_"
SECRETS = (
    "DATABASE_URL",
    "SMTP_URL",
    "SLACK_BOT_TOKEN",
    "SLACK_APP_TOKEN",
    "SLACK_SIGNING_SECRET",
    "SECRET_KEY",
    "IMAP_URL",
    "MICROSOFT_CLIENT_SECRET",
    "FACTS_SECRET",
)
"""Settings that hold a secret: each has a ``_FILE`` variant, and none is ever shown."""

TokenSource = Literal["", "command", "microsoft", "google"]
"""What gives the access tokens that ``auth=xoauth2`` asks for."""

Rates = Mapping[ChannelName, int | None]
"""Messages a minute, by channel; ``None`` without a limit."""

JOURNAL = "journal"
"""What ``COMMSENGINE_POSTFIX_LOG`` says instead of a path, where Postfix writes to the system's journal."""

REHEARSED = "rehearsal.db"
"""The database of a rehearsal. A workspace that holds it is that rehearsal's own: nothing is sent from it."""

_SQLITE = re.compile(r"sqlite(?:\+\w+)?:///(.+)", re.DOTALL)


def _address(value: str) -> str:
    # A name before the address is nowhere shown.
    from commsengine.channels.mime import HeaderError, sender_address  # only who sends mail loads the channel

    try:
        return sender_address(value) if value else ""
    except HeaderError as bad:
        raise ValueError(_("{what}. Write one such as change@example.com", what=_(bad.what))) from None


def _web_url(value: str) -> str:
    if not value.isprintable() or " " in value:
        raise ValueError(_("contains a space or an invisible character. Write one such as https://comms.example.com"))
    try:
        parts = _split(value)
    except ValueError:
        fault = _("has a port or an address that is not valid. Write one such as https://comms.example.com:8443")
        raise ValueError(fault) from None
    if parts.hostname and not parts.hostname.isascii():
        raise ValueError(_("has letters beyond a-z in its host. Write the host in its ASCII form (xn--…)"))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(_("is not a web address. Write one such as https://comms.example.com"))
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError(_("uses http, which anybody on the way can read. Write https://{host}", host=parts.netloc))
    return value


def _split(url: str) -> SplitResult:
    parts = urlsplit(url)
    # The port is read only here, and reading it raises ValueError for one that is no number.
    if parts.port == 0:
        raise ValueError("no service listens on port 0")
    return parts


def _api_url(value: str) -> str:
    return _web_url(value).rstrip("/") + "/"


def _authority(value: str) -> str:
    return _web_url(value).rstrip("/")


def _base_url(value: str) -> str:
    if value != value.strip():
        raise ValueError(_("has a space at an end. Remove it"))
    if not value:
        return value
    parts = urlsplit(_web_url(value))
    if parts.path not in ("", "/") or "?" in value or "#" in value or "@" in parts.netloc:
        host = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        raise ValueError(_("contains more than a host. Write only {address}", address=host))
    return value.rstrip("/")


def _host_and_port(value: str) -> str:
    host, _colon, port = value.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536 or "/" in host or " " in value:
        raise ValueError(_("is not HOST:PORT. Write for example 127.0.0.1:8080"))
    return value


def _database_url(value: SecretStr) -> SecretStr:
    scheme, _mark, rest = value.get_secret_value().partition("://")
    if scheme.partition("+")[0] not in ("sqlite", "postgresql", "postgres") or not rest.strip("/"):
        fault = _(
            "names no database that works here. Write sqlite:///commsengine.db or postgresql://user:password@host/name"
        )
        raise ValueError(fault)
    if not scheme.startswith("sqlite") and rest.count("@") > 1:
        raise ValueError(_("holds an '@' in its user or password. Write it there as %40, a / as %2F and a % as %25"))
    if scheme.startswith("sqlite") and "?" in rest:
        raise ValueError(_("holds a '?'. In the name of a file or folder write it as %3F, and a % as %25"))
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


def _ehlo(value: str) -> str:
    if value and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}|\[[0-9A-Fa-f.:IPv]{3,60}\]", value):
        raise ValueError(_("is not a host name. Write one such as comms.example.com, or an address as [192.0.2.7]"))
    return value


def _identifier(value: str) -> str:
    if value and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,200}", value):
        raise ValueError(_("contains a character that cannot be in it. Copy it again, exactly"))
    return value


def _mail_log(value: str) -> str:
    if value not in ("", JOURNAL) and not Path(value).is_absolute():
        raise ValueError(_("is not a full path. Write for example /var/log/mail.log, or '{journal}'", journal=JOURNAL))
    return value


def _listed_keys(value: object) -> object:
    return tuple(re.split(r"[\s,]+", value.strip())) if isinstance(value, str) else value


def _long_keys(keys: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    if any(len(key.get_secret_value()) < 16 for key in keys):
        raise ValueError(_("contains a key shorter than 16 characters. Make one: openssl rand -hex 32"))
    return keys


def _long_secret(value: SecretStr) -> SecretStr:
    return _long_keys((value,))[0]


def _slack_token(prefix: str, meaning: str) -> AfterValidator:
    def check(value: SecretStr) -> SecretStr:
        found = value.get_secret_value()
        if not found.startswith(prefix):
            given = f"'{found[:5]}…'" if re.match(r"x[a-z]{3}-", found) else _("something else")
            text = N_("starts with {given}, but {token} starts with '{prefix}'. Copy it from your Slack app")
            raise ValueError(_(text, given=given, token=_(meaning), prefix=prefix))
        if not found.isascii() or any(character.isspace() for character in found):
            raise ValueError(_("contains a space or an unusual character. Copy the token again, exactly"))
        return value

    return AfterValidator(check)


LOG_LEVELS = ("debug", "info", "warning", "error")


def _log_level(value: str) -> str:
    if value and value.lower() not in LOG_LEVELS:
        raise ValueError(_("is not a log level. Write debug, info, warning or error"))
    return value.lower()


def _expanded(value: Path) -> Path:
    try:
        return value.expanduser()
    except RuntimeError:
        raise ValueError(_("begins with the home folder of an account that has none. Write it in full")) from None


def _full_path(value: Path) -> Path:
    full = _expanded(value)
    if not full.is_absolute():
        raise ValueError(_("is not a full path. Write one such as /var/lib/commsengine, not '{path}'", path=value))
    return full


Rate = Annotated[int, Field(ge=1, le=1_000_000)]
Address = Annotated[str, AfterValidator(_address)]
Keys = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_listed_keys), AfterValidator(_long_keys)]

SMTP_CONNECTIONS = 3
"""To a mail server without a profile; as many as a mailbox of Microsoft 365 takes."""

MOST_CONNECTIONS = 100
MOST_DAILY = 100_000_000

MICROSOFT_APP = ("microsoft_tenant", "microsoft_client_id")
MICROSOFT_CREDENTIALS = ("microsoft_client_secret", "microsoft_certificate")
TOKEN_SOURCES: Mapping[TokenSource, str] = {
    "command": "oauth_token_command",
    "microsoft": "microsoft_tenant",
    "google": "google_credentials",
}
"""Each source of access tokens, and the setting that says that it is one."""


class Settings(BaseSettings):
    """Everything that differs between installations. Rates are messages per minute.

    ``smtp_rate``, ``smtp_connections`` and ``smtp_daily`` override what the profile of the mail server says.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True)

    workspace: Path = Path()
    database_url: Annotated[SecretStr, AfterValidator(_database_url)] = SecretStr("sqlite:///commsengine.db")
    smtp_url: Annotated[SecretStr, AfterValidator(_smtp_url)] | None = None
    mail_from: Address = ""
    smtp_rate: Rate | None = None
    smtp_ehlo: Annotated[str, AfterValidator(_ehlo)] = ""
    smtp_connections: Annotated[int, Field(ge=1, le=MOST_CONNECTIONS)] | None = None
    smtp_daily: Annotated[int, Field(ge=1, le=MOST_DAILY)] | None = None
    postfix_log: Annotated[str, AfterValidator(_mail_log)] = ""
    imap_url: Annotated[SecretStr, AfterValidator(_imap_url)] | None = None
    oauth_token_command: SecretStr | None = None
    microsoft_tenant: Annotated[str, AfterValidator(_identifier)] = ""
    microsoft_client_id: Annotated[str, AfterValidator(_identifier)] = ""
    microsoft_client_secret: SecretStr | None = None
    microsoft_certificate: str = ""
    microsoft_authority: Annotated[str, AfterValidator(_authority)] = "https://login.microsoftonline.com"
    google_credentials: str = ""
    google_subject: Address = ""
    slack_bot_token: Annotated[SecretStr, _slack_token("xoxb-", N_("a bot token"))] | None = None
    slack_app_token: Annotated[SecretStr, _slack_token("xapp-", N_("an app-level token"))] | None = None
    slack_signing_secret: SecretStr | None = None
    slack_api_url: Annotated[str, AfterValidator(_api_url)] = "https://slack.com/api/"
    slack_rate: Rate = 300
    http_bind: Annotated[str, AfterValidator(_host_and_port)] = "127.0.0.1:8080"
    base_url: Annotated[str, AfterValidator(_base_url)] = ""
    secret_key: Keys = ()
    state_dir: Annotated[Path, AfterValidator(_full_path)]
    admin_email: Address = ""
    facts_secret: Annotated[SecretStr, AfterValidator(_long_secret)] | None = None
    log_level: Annotated[str, AfterValidator(_log_level)] = ""
    people_feed: Annotated[Path, AfterValidator(_expanded)] | None = None
    people_feed_complete: bool = False
    heartbeat_url: Annotated[str, AfterValidator(lambda url: url and _web_url(url))] = ""

    @model_validator(mode="after")
    def _together(self) -> Settings:
        if self.slack_app_token and not self.slack_bot_token:
            raise ValueError(_("COMMSENGINE_SLACK_APP_TOKEN is set without COMMSENGINE_SLACK_BOT_TOKEN. Set both"))
        if not self.base_url and not is_loopback(self.bind[0]):
            fault = _(
                "COMMSENGINE_HTTP_BIND listens beyond this machine, so COMMSENGINE_BASE_URL must say how people "
                "reach it. Set it to https://your-host"
            )
            raise ValueError(fault)
        return self

    @model_validator(mode="after")
    def _one_token_source(self) -> Settings:
        if fault := self._fault_of_microsoft() or self._fault_of_token_sources():
            raise ValueError(fault)
        return self

    def _fault_of_microsoft(self) -> str:
        credentials = [each for each in MICROSOFT_CREDENTIALS if self._given(each)]
        given = [each for each in (*MICROSOFT_APP, *credentials) if self._given(each)]
        if len(credentials) == 2:
            text = N_("{first} and {second} are both set. Set only one of them")
            return _(text, first=_setting(credentials[0]), second=_setting(credentials[1]))
        if given and len(given) < 3:
            missing = next((each for each in MICROSOFT_APP if each not in given), MICROSOFT_CREDENTIALS[0])
            text = N_(
                "{given} is set without {missing}. Set COMMSENGINE_MICROSOFT_TENANT, COMMSENGINE_MICROSOFT_CLIENT_ID, "
                "and COMMSENGINE_MICROSOFT_CLIENT_SECRET or COMMSENGINE_MICROSOFT_CERTIFICATE"
            )
            return _(text, given=_setting(given[0]), missing=_setting(missing))
        return ""

    def _fault_of_token_sources(self) -> str:
        sources = [_setting(each) for each in TOKEN_SOURCES.values() if self._given(each)]
        if len(sources) > 1:
            text = N_("{first} and {second} would both give access tokens. Set only one of them")
            return _(text, first=sources[0], second=sources[1])
        if self.google_subject and not self.google_credentials:
            return _("COMMSENGINE_GOOGLE_SUBJECT is set without COMMSENGINE_GOOGLE_CREDENTIALS. Set both")
        if (wanting := self._logs_in_by_token) and not sources:
            text = N_(
                "{setting} says auth=xoauth2, but nothing gives an access token. Set COMMSENGINE_MICROSOFT_TENANT and "
                "what belongs to it, COMMSENGINE_GOOGLE_CREDENTIALS, or COMMSENGINE_OAUTH_TOKEN_COMMAND"
            )
            return _(text, setting=wanting)
        return ""

    def _given(self, name: str) -> bool:
        return bool(getattr(self, name))

    @property
    def _logs_in_by_token(self) -> str:
        urls = {"smtp_url": self.smtp, "imap_url": self.imap}
        return next((_setting(name) for name, url in urls.items() if "auth" in parse_qs(urlsplit(url).query)), "")

    @property
    def tokens_from(self) -> TokenSource:
        """Empty where no server asks for a token."""
        found = (source for source, name in TOKEN_SOURCES.items() if self._given(name))
        return next(found, "") if self._logs_in_by_token else ""

    @property
    def microsoft_credential(self) -> str | Path:
        """The secret of the application, or the file of its certificate."""
        secret = self.microsoft_client_secret
        return secret.get_secret_value() if secret else self.workspace / self.microsoft_certificate

    @property
    def google_user(self) -> str:
        """For whom a service account acts: as set, else the user that logs in."""
        return self.google_subject or unquote(urlsplit(self.smtp or self.imap).username or "")

    @property
    def bind(self) -> tuple[str, int]:
        host, _colon, port = self.http_bind.rpartition(":")
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
    def rehearsed(self) -> bool:
        return self.database_file == (self.workspace / REHEARSED).absolute()

    @property
    def feed(self) -> Path | None:
        """The watched folder or file; a relative one lies in the workspace."""
        return self.workspace / self.people_feed if self.people_feed else None

    @property
    def keys(self) -> tuple[str, ...]:
        """The newest first. Raises ``InputError`` when there is none."""
        self.require_key()
        return tuple(key.get_secret_value() for key in self.secret_key)

    def require_key(self) -> None:
        """Raises ``InputError`` when there is no key to sign links with."""
        if not self.secret_key:
            fix = _("Run 'commsengine init .' to have one written to .env, or set it yourself: openssl rand -hex 32.")
            raise InputError(_("COMMSENGINE_SECRET_KEY is not set, so no link can be signed."), fix)

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
        """As set; of e-mail the profile of the mail server may know more."""
        return {"email": self.smtp_rate, "slack": self.slack_rate}


def _setting(name: str) -> str:
    return PREFIX + name.upper()
