"""How the settings are read: the only reader of the environment, and of ``.env`` in the workspace.

A setting comes from the environment, else from ``.env``; a secret may instead name a file that holds it
(``COMMSENGINE_SECRET_KEY_FILE=/run/secrets/key``). All that is wrong is reported at once, by name, with its remedy.
"""

from __future__ import annotations

import io
import os
import re
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dotenv.parser import Binding, parse_stream
from pydantic import ValidationError

from commsengine import loopback
from commsengine.authoring.yaml_text import read_utf8
from commsengine.errors import InputError, Problem
from commsengine.settings import MOST_CONNECTIONS, MOST_DAILY, PREFIX, SECRETS, SMTP_CONNECTIONS, Settings
from commsengine.text import near_names
from commsengine.translation import N_, _

_OUR_LINE = re.compile(rf"\s*(?:export\s+)?({PREFIX}\w+)", re.IGNORECASE)


def debugging() -> bool:
    # Whether unexpected errors show their traceback.
    return os.environ.get("COMMSENGINE_DEBUG", "") not in ("", "0", "false", "no")


def terminal_moves() -> bool:
    # Whether the cursor of the terminal can go back to the start of its line.
    return os.environ.get("TERM") not in (None, "", "dumb")


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
    fix = _("Write NAME=VALUE; put a value that holds quotes into others: '\"Change Team\" <change@example.com>'.")
    found = [(line.original.line, _OUR_LINE.match(line.original.string)) for line in lines if line.error]
    return [
        Problem(str(file), line, 1, "setting", _("{setting} cannot be read from this line.", setting=name[1]), fix)
        for line, name in found
        if name
    ]


def _environment(name: str) -> str:
    # Names in the environment may be in small letters.
    return os.environ.get(name) or os.environ.get(name.lower()) or ""


def _from_files(written: Mapping[str, str | None], secrets: Mapping[str, str]) -> dict[str, Any]:
    # The environment comes first; then a secret's own file; then ``.env``.
    fields = [name for name in Settings.model_fields if name != "workspace" and not _environment(PREFIX + name.upper())]
    defaults: dict[str, Any] = {"state_dir": _state_home()}
    found = {name: secrets.get(name.upper()) or written.get(PREFIX + name.upper()) for name in fields}
    return {name: value or defaults.get(name) for name, value in found.items() if value or name in defaults}


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
        raise InputError(_(text, setting=name, path=path, mode=mode & 0o777), _("Run: chmod 600 {file}", file=path))
    if not text:
        fix = _("Put the secret into it, alone on one line.")
        raise InputError(_("{setting} names {path}, which is empty.", setting=name, path=path), fix)
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
    names = f" {_('and')} ".join(PREFIX + name for name in secrets)
    text = N_("this file holds {settings}, but everybody on this machine can read it (mode {mode:04o}).")
    message = _(text, settings=names, mode=mode)
    line = min(_line_of(file, PREFIX + name) for name in secrets)
    return [Problem(str(file), line, 1, "open-secrets", message, _("Run: chmod 600 {file}", file=file))]


def _unknown(file: Path, written: Mapping[str, str | None]) -> list[Problem]:
    known = [PREFIX + name.upper() for name in Settings.model_fields if name != "workspace"]
    known += [f"{PREFIX}{name}_FILE" for name in SECRETS] + [f"{PREFIX}DEBUG"]
    problems = []
    for name in (name for name in written if name.startswith(PREFIX) and name not in known):
        near, message = near_names(name, known, 1), _("there is no setting {setting}.", setting=name)
        fix = _("Did you mean {near}?", near=near[0]) if near else _("Remove it.")
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
    message, _stop, fix = f"{name} {cause}".strip().partition(". ")
    remedy = f"{fix.rstrip('.')}." if fix else ""
    return Problem(*_place(name, file, written), "setting", f"{message.rstrip('.')}.", remedy)


def _place(name: str, file: Path, written: Mapping[str, str | None]) -> tuple[str, int, int]:
    # The environment comes before ``.env``.
    if written.get(name) and not _environment(name):
        return str(file), _line_of(file, name), 1
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
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "commsengine"
