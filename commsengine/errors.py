"""Every error that a user can cause, and the exit status it ends with.

    CommsError            the operation failed                          exit 1
    ├── InputError        bad plan, people file, setting or argument     exit 2
    ├── DiskError         the disk fails, or the file on it is damaged   exit 1
    ├── HeldError         somebody else holds what we need, or a hold    exit 1
    ├── LinkError         a link that is forged, changed or expired      exit 1
    └── RenderError       a text that cannot be rendered for a person    exit 1

Anything else that escapes is our own defect.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from commsengine.text import one_line
from commsengine.translation import N_, _

_SEVERITIES = {"error": N_("error"), "advice": N_("advice")}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong, or worth improving, in what a person wrote.

    ``line`` and ``column`` count from 1; 0 means the file as a whole. ``severity`` is ``error`` or ``advice``.
    """

    file: str
    line: int
    column: int
    code: str
    message: str
    fix: str = ""
    severity: str = "error"

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        text = f"{place}: {_(_SEVERITIES[self.severity])}: {self.message}"
        return one_line(f"{text} {self.fix}" if self.fix else text)


class CommsError(Exception):
    """An operation that failed: one sentence, and the remedy if there is one."""

    exit_status = 1

    def __init__(self, message: str, fix: str = "") -> None:
        self.message = message
        self.fix = fix
        super().__init__(f"{message} {fix}".strip())


class InputError(CommsError):
    """Bad input: all problems at once."""

    exit_status = 2

    def __init__(self, message: str, fix: str = "", problems: Sequence[Problem] = ()) -> None:
        super().__init__(message, fix)
        self.problems = tuple(problems)

    @classmethod
    def of(cls, problems: Sequence[Problem]) -> InputError:
        return cls("\n".join(str(problem) for problem in problems), problems=problems)


class DiskError(CommsError):
    """The disk is full or fails, or the file on it is damaged: nothing may leave that could not be recorded."""


class HeldError(CommsError):
    """Another process holds the engine, or the engine refuses to send until a person releases it."""


class OtherEngineError(HeldError):
    """Another process holds the engine."""


class LinkError(CommsError):
    """A link that is forged, changed, of another purpose or expired."""


class RenderError(CommsError):
    """A text that cannot be rendered; ``where`` is the template or the place in the plan, ``line`` counts from 1."""

    def __init__(self, message: str, fix: str = "", *, where: str = "", line: int = 0) -> None:
        place = f"{where}:{line}: " if where and line else f"{where}: " if where else ""
        super().__init__(place + message, fix)
        self.where, self.line, self.what = where, line, message
