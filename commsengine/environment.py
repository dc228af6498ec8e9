"""How the settings are read: the only reader of the environment, and of ``.env`` in the workspace.

A setting comes from the environment, else from ``.env``; a secret may instead name a file that holds it
(``COMMSENGINE_SECRET_KEY_FILE=/run/secrets/key``). All that is wrong is reported at once, by name, with its remedy.
"""

from __future__ import annotations

import codecs
import io
import os
import re
import shlex
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dotenv.parser import Binding, parse_stream
from pydantic import SecretStr, ValidationError

from commsengine import loopback
from commsengine.authoring.yaml_text import MOST_BYTES, read_bytes, read_utf8
from commsengine.errors import InputError, Problem
from commsengine.settings import MOST_CONNECTIONS, MOST_DAILY, PREFIX, REHEARSED, SECRETS, SMTP_CONNECTIONS, Settings
from commsengine.text import UNSEEN_IN_LINES, near_names, unseen_in
from commsengine.translation import N_, _

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
OUR_NAME = 0.85
"""How like it a name must be to be a slip of ours."""

_OUR_LINE = re.compile(rf"\s*(?:export\s+)?({PREFIX}\w+)", re.IGNORECASE)


def debugging() -> bool:
    # Whether unexpected errors show their traceback.
    return os.environ.get("COMMSENGINE_DEBUG", "") not in ("", "0", "false", "no")


def terminal_moves() -> bool:
    # Whether the cursor of the terminal can go back to the start of its line.
    return os.environ.get("TERM") not in (None, "", "dumb")


def wants_colours() -> bool:
    # https://no-color.org
    return not os.environ.get("NO_COLOR") and terminal_moves()


def spare_proxies() -> None:
    # The Slack SDK and urllib obey HTTP_PROXY even for a stand-in on the loopback address.
    spared = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    hosts = [host.strip() for host in spared.split(",") if host.strip()]
    if hosts != ["*"]:
        os.environ["no_proxy"] = ",".join([*hosts, *(name for name in loopback.NAMES if name not in hosts)])


@dataclass(frozen=True, slots=True)
class EnvFile:
    """``.env`` as it stands: each value as it is written, for ``${x}`` in a password is no reference."""

    path: Path
    text: str
    lines: tuple[Binding, ...]

    @property
    def written(self) -> dict[str, str | None]:
        return {line.key.upper(): line.value for line in self.lines if line.key}

    def line_of(self, name: str) -> int:
        wanted = re.compile(rf"\s*(export\s+)?{re.escape(name)}\s*=", re.IGNORECASE)
        return next((number for number, line in enumerate(self.text.splitlines(), 1) if wanted.match(line)), 0)


def load_settings(workspace: Path) -> Settings:
    """Raises ``InputError`` with every problem, each by the name of its setting."""
    if (workspace / REHEARSED).exists():
        return _of_rehearsal(workspace.absolute())
    file = _read(workspace / ".env")
    written = file.written
    secrets, of_files = _secret_files(file, written)
    problems = [*_unreadable(file), *_open_to_others(file, written), *_unknown(file), *of_files, *_unseen(file)]
    settings = None
    try:
        settings = Settings(workspace=workspace.absolute(), **_from_files(written, secrets))
    except ValidationError as invalid:
        problems += [_problem(error, file, written) for error in invalid.errors()]
    if problems or settings is None:
        raise InputError.of(problems)
    return settings


def _of_rehearsal(workspace: Path) -> Settings:
    # What is set on this machine would reach real people, and name another database.
    keys = _read(workspace / ".env").written.get(f"{PREFIX}SECRET_KEY")
    kept: dict[str, Any] = {"secret_key": keys} if keys else {}
    database = SecretStr(f"sqlite:///{REHEARSED}")
    return Settings(
        workspace=workspace, state_dir=workspace / "state", database_url=database, **kept, _env_prefix="REHEARSAL OF "
    )


def _read(file: Path) -> EnvFile:
    # Windows' own tools write UTF-16 with a mark of its byte order.
    if not os.path.lexists(file):
        return EnvFile(file, "", ())
    start = read_bytes(file, MOST_BYTES)
    text = start.decode("utf-16", "replace") if start.startswith(_UTF_16) else read_utf8(file)
    return EnvFile(file, text, tuple(parse_stream(io.StringIO(text))))


def _unreadable(file: EnvFile) -> list[Problem]:
    # A line of ours that is neither a setting nor a comment would be left out in silence.
    fix = _("Write NAME=VALUE; put a value that holds quotes into others: '\"Change Team\" <change@example.com>'.")
    found = [(line.original.line, _OUR_LINE.match(line.original.string)) for line in file.lines if line.error]
    return [
        Problem(str(file.path), line, 1, "setting", _("{setting} cannot be read from this line.", setting=name[1]), fix)
        for line, name in found
        if name
    ]


def _unseen(file: EnvFile) -> list[Problem]:
    # No editor shows it, and no server, path or password has it.
    named = {name: value or "" for name, value in file.written.items() if name.startswith(PREFIX)}
    odd = {name: value for name, value in {**named, **_ours()}.items() if UNSEEN_IN_LINES.search(value)}
    return [
        Problem(
            *_place(name, file, named),
            "setting",
            _("{setting} contains {unseen}, which no editor shows.", setting=name, unseen=unseen_in(value)),
            _("Type it again."),
        )
        for name, value in odd.items()
    ]


# -- the environment ------------------------------------------------------------------------------


def _ours() -> dict[str, str]:
    """What the environment sets of ours, by name in capitals, as it is meant."""
    return {name.upper(): _meant(value) for name, value in os.environ.items() if name.upper().startswith(PREFIX)}


def _meant(value: str) -> str:
    # ``docker --env-file`` and systemd's drop-ins by other tools keep quotes, and the ends of Windows' lines.
    plain = value.rstrip("\r\n")
    return plain[1:-1] if len(plain) > 1 and plain[0] == plain[-1] and plain[0] in "\"'" else plain


def odd_variables() -> list[Problem]:
    """What the environment sets and is no setting, or is not taken as it stands."""
    return [*_quoted(), *_unknown_names(os.environ, lambda _name: ("environment", 0, 0))]


def _quoted() -> Iterator[Problem]:
    for name, value in os.environ.items():
        if name.upper().startswith(PREFIX) and _meant(value) != value:
            text = _("{setting} has quotes or a line's end around its value; they are left out.", setting=name)
            fix = _("Write it without: docker --env-file keeps quotes.")
            yield Problem("environment", 0, 0, "quoted", text, fix, "advice")


def _environment(name: str) -> str:
    # Names in the environment may be in small letters.
    return _meant(os.environ.get(name) or os.environ.get(name.lower()) or "")


def _from_files(written: Mapping[str, str | None], secrets: Mapping[str, str]) -> dict[str, Any]:
    # The environment comes first; then a secret's own file; then ``.env``.
    fields = [name for name in Settings.model_fields if name != "workspace"]
    found = {
        name: _environment(PREFIX + name.upper()) or secrets.get(name.upper()) or written.get(PREFIX + name.upper())
        for name in fields
    }
    given = {name: value for name, value in found.items() if value}
    return given if "state_dir" in given else {**given, "state_dir": _state_home()}


def _secret(name: str, path: Path) -> str:
    # Files below /run are guarded by what mounted them.
    try:
        mode, text = path.stat().st_mode, path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else _("it is not text")
        text = _("{setting} names {path}, which cannot be read: {reason}.", setting=name, path=path, reason=reason)
        raise InputError(text, _("Name a readable file.")) from None
    if mode & stat.S_IROTH and not path.absolute().is_relative_to("/run"):
        text = N_("{setting} names {path}, which everybody on this machine can read (mode {mode:04o}).")
        raise InputError(
            _(text, setting=name, path=path, mode=mode & 0o777), _("Run: chmod 600 {file}", file=shlex.quote(str(path)))
        )
    if not text:
        fix = _("Put the secret into it, alone on one line.")
        raise InputError(_("{setting} names {path}, which is empty.", setting=name, path=path), fix)
    return text


def _secret_files(file: EnvFile, written: Mapping[str, str | None]) -> tuple[dict[str, str], list[Problem]]:
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


def _open_to_others(file: EnvFile, written: Mapping[str, str | None]) -> list[Problem]:
    secrets = [name for name in SECRETS if written.get(PREFIX + name)]
    if not secrets or not file.path.stat().st_mode & stat.S_IROTH:
        return []
    mode = stat.S_IMODE(file.path.stat().st_mode)
    names = f" {_('and')} ".join(PREFIX + name for name in secrets)
    text = N_("this file contains {settings}, but everybody on this machine can read it (mode {mode:04o}).")
    message = _(text, settings=names, mode=mode)
    line = min(file.line_of(PREFIX + name) for name in secrets)
    fix = _("Run: chmod 600 {file}", file=shlex.quote(str(file.path)))
    return [Problem(str(file.path), line, 1, "open-secrets", message, fix)]


def _unknown(file: EnvFile) -> list[Problem]:
    return _unknown_names(file.written, lambda name: (str(file.path), file.line_of(name), 1))


def _unknown_names(names: Iterable[str], place: Callable[[str], tuple[str, int, int]]) -> list[Problem]:
    known = [PREFIX + name.upper() for name in Settings.model_fields if name != "workspace"]
    known += [f"{PREFIX}{name}_FILE" for name in SECRETS] + [f"{PREFIX}DEBUG"]
    problems = []
    for name in (name for name in names if _is_meant_for_us(name.upper()) and name.upper() not in known):
        near, message = near_names(name.upper(), known, 1), _("there is no setting {setting}.", setting=name)
        fix = _("Did you mean {near}?", near=near[0]) if near else _("Remove it.")
        problems.append(Problem(*place(name), "unknown-setting", message, fix))
    return problems


def _is_meant_for_us(name: str) -> bool:
    # Also with a slip in our own name.
    ours, mark, _rest = name.partition("_")
    return bool(mark) and bool(near_names(ours, [PREFIX.rstrip("_")], 1, OUR_NAME))


def _problem(error: Any, file: EnvFile, written: Mapping[str, str | None]) -> Problem:
    # The value is never shown, for it may be a secret.
    name = PREFIX + str(error["loc"][0]).upper() if error["loc"] else ""
    cause = str(error["ctx"]["error"]) if error["type"] == "value_error" else _plain(error)
    message, _stop, fix = f"{name} {cause}".strip().partition(". ")
    remedy = f"{fix.rstrip('.')}." if fix else ""
    return Problem(*_place(name, file, written), "setting", f"{message.rstrip('.')}.", remedy)


def _place(name: str, file: EnvFile, written: Mapping[str, str | None]) -> tuple[str, int, int]:
    # The environment comes before ``.env``.
    if written.get(name) and not _environment(name):
        return str(file.path), file.line_of(name), 1
    return "environment", 0, 0


def _plain(error: Any) -> str:
    numbers = {
        "smtp_connections": (_("connections"), SMTP_CONNECTIONS, MOST_CONNECTIONS),
        "smtp_daily": (_("messages a day"), 10_000, MOST_DAILY),
    }
    unit, example, most = numbers.get(str(error["loc"][0]), (_("messages a minute"), 300, 1_000_000))
    if error["type"] == "int_parsing":
        return _("is not a whole number. Write a number of {unit}, for example {example}", unit=unit, example=example)
    if error["type"] in ("bool_parsing", "bool_type"):
        return _("is neither true nor false. Write true or false")
    if error["type"] in ("greater_than_equal", "less_than_equal"):
        return _("is out of range. Write a number of {unit} from 1 to {most}", unit=unit, most=most)
    return _("is not valid ({reason}). See docs/operations.md", reason=error["msg"])


def _state_home() -> Path:
    # As systemd says, else as the desktop's standard says.
    given = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    if given:
        return Path(given)
    try:
        return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "commsengine"
    except RuntimeError:
        fix = _("Set COMMSENGINE_STATE_DIR to a folder of this account that is kept after a restart.")
        raise InputError(_("This account has no home folder, so the sent-journal has no place."), fix) from None


def names_set(settings: Settings) -> list[str]:
    """The settings that somebody made, by name."""
    made = settings.model_fields_set - {"workspace"}
    by_default = {"state_dir"} if settings.state_dir == _state_home() else set()
    return sorted(PREFIX + name.upper() for name in made - by_default)
