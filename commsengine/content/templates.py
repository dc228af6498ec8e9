"""Templates: where they come from, and how their text is made safe to run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from commsengine.content.grammar import FILTERS, LONGEST, TEXT, Flaw, Uses, Vocabulary, examine
from commsengine.content.slots import Prose, mark, unmarked
from commsengine.errors import InputError, Problem, RenderError
from commsengine.text import place_of
from commsengine.translation import N_, _

LONGEST_OUTPUT = 256 * 1024
"""Characters that one rendering may have."""

_NAME = re.compile(r"[a-z0-9_-]{1,64}\.(md|html|txt)")

_TAG = re.compile(r"<[a-zA-Z][^<>]*>", re.DOTALL)
_UNQUOTED = re.compile(r"=\s*\{\{")
_ADDRESSES = "href|src|action|formaction|background|srcset|poster"
_ADDRESS = re.compile(rf"\b(?:{_ADDRESSES})\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s>]+)", re.I)
_OWN = re.compile(r"[\"'](?:\{\{ *links\.[a-z]+ *\}\}(?:#[a-z]+)?|https://[^\s\"'{}]+|#[a-z]*)[\"']")
_REFUSED = (
    (re.compile(r"(?:java|vb)script\s*:|[\"'=]\s*data\s*:", re.I), N_("an address that runs or carries code"),
     N_("Link to https only.")),
    (re.compile(r"<\s*(?:script|iframe|object|embed|form|img|link|base)\b", re.I),
     N_("an element that mail does not need"), N_("Mail works without scripts, forms, images and outside assets.")),
    (re.compile(r"<[^<>]*\son[a-z]+\s*=", re.I), N_("an event handler"), N_("Leave it out.")),
    (re.compile(r"@import|url\s*\(", re.I), N_("an outside asset"), N_("Leave it out; mail works without images.")),
)  # fmt: skip

_MARKUP = re.compile(r"[\\`*_{}\[\]<>#~&|]")
_AT_THE_START = re.compile(r"^(\d*)([-+.)=:])")


def load_templates(shipped: Path, workspace: Path | None) -> dict[str, str]:
    """Name to source, the workspace's own before the shipped ones.

    A Markdown template is known by its bare name (``wiifm``), a layout by its file name (``layout.html``). Raises
    ``InputError`` for files that lead out of their folder, have an odd name, are not UTF-8 or too large.
    """
    found, problems = review_templates(shipped, workspace)
    if problems:
        raise InputError.of(problems)
    return found


def review_templates(shipped: Path, workspace: Path | None) -> tuple[dict[str, str], list[Problem]]:
    """As ``load_templates``, with the problems beside: a file that cannot be used is an empty text."""
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for folder in (shipped, workspace) if workspace and workspace.is_dir() else (shipped,):
        for path in sorted(path for path in folder.iterdir() if path.suffix in (".md", ".html", ".txt")):
            name = path.stem if path.suffix == ".md" else path.name
            try:
                found[name] = _source(folder, path)
            except InputError as error:
                found[name] = ""
                problems += error.problems
    return found, problems


def _source(folder: Path, path: Path) -> str:
    if path.is_symlink() or path.resolve().parent != folder.resolve():
        raise _refused(path, _("This template leads out of its folder."), _("Put a copy of the file there instead."))
    if not _NAME.fullmatch(path.name):
        cause = _("'{name}' is not a name for a template.", name=path.name)
        raise _refused(path, cause, _("Use lower-case letters, digits, - and _."))
    try:
        with path.open("rb") as stream:
            data = stream.read(LONGEST * 4 + 1)
    except OSError as error:
        cause = _("The template cannot be read: {reason}.", reason=error.strerror)
        raise _refused(path, cause, _("Check its rights.")) from None
    if len(data) > LONGEST * 4:
        raise _refused(path, _("This template is too large."), _("Keep it below {most:,} characters.", most=LONGEST))
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        raise _refused(path, _("This template is not UTF-8 text."), _("Save it as UTF-8."), (line, column)) from None


def _refused(path: Path, cause: str, fix: str, place: tuple[int, int] = (1, 1)) -> InputError:
    return InputError.of([Problem(f"{path.parent.name}/{path.name}", *place, "template", cause, fix)])


def _default(value: Any, instead: str = "") -> Any:
    return value if _defined(value) else instead


def _defined(value: Any) -> bool:
    # Unlike with Jinja2's own test, an empty cell counts as missing too.
    return not isinstance(value, StrictUndefined) and value != ""


def _text(text: str, /, **values: Any) -> Prose:
    return Prose(_(text, **{name: mark(value) for name, value in values.items()}))


def _environment(autoescape: bool) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        finalize=mark,
        autoescape=autoescape,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals = {TEXT: _text}
    environment.filters = {name: environment.filters[name] for name in FILTERS}
    environment.filters["default"] = _default
    environment.tests = {"defined": _defined, "undefined": lambda value: not _defined(value)}
    return environment


_MARKDOWN = _environment(autoescape=False)
_HTML = _environment(autoescape=True)


@dataclass(frozen=True, slots=True)
class Text:
    """A compiled text of a template or a plan. ``where`` names it in errors."""

    where: str
    uses: Uses
    template: Template

    def render(self, context: Mapping[str, Any]) -> str:
        """With marks in place of values. Raises ``RenderError``."""
        try:
            return self._written(context)
        except TemplateError as error:
            raise RenderError(f"{error}", where=self.where) from error

    def _written(self, context: Mapping[str, Any]) -> str:
        # Piece by piece: what grows too large is stopped while it grows, not when the memory is full.
        pieces, length = [], 0
        for piece in self.template.generate(context):
            pieces.append(piece)
            length += len(piece)
            if length > LONGEST_OUTPUT:
                raise RenderError(_("the text becomes larger than 256 KB"), _("Shorten it."), where=self.where)
        return "".join(pieces)


def parse(source: str, vocabulary: Vocabulary, *, html: bool = False) -> Uses:
    """What a text uses, and every flaw of it; never raises for what the text says."""
    if len(source) > LONGEST:
        cause = _("the template has more than {most:,} characters", most=LONGEST)
        return Uses(flaws=[Flaw(1, cause, _("Shorten it."))])
    try:
        uses = examine(_parsed(source, html), vocabulary)
    except TemplateError as error:
        line = getattr(error, "lineno", 1) or 1
        return Uses(flaws=[Flaw(line, f"{error.message or error}", _("Look at the {{ }} and {% %} on this line."))])
    except (RecursionError, MemoryError, ValueError, OverflowError):
        cause = _("the template is nested too deeply or holds too large a number")
        return Uses(flaws=[Flaw(1, cause, _("Simplify it."))])
    if html:
        uses.flaws += html_flaws(source)
    return uses


def literal(text: str) -> str:
    """A text of a plan that reads just as it is written here: nothing in it is a value, a link or markup."""
    lines = (_MARKUP.sub(r"\\\g<0>", line.strip()) for line in text.splitlines())
    return "\n".join(_AT_THE_START.sub(r"\1\\\2", line) for line in lines)


def compiled(source: str, where: str, vocabulary: Vocabulary, *, html: bool = False) -> Text:
    """A text ready to render; raises ``RenderError`` with the first flaw, its place and the near or known names."""
    uses = parse(source, vocabulary, html=html)
    for flaw in uses.flaws:
        raise RenderError(flaw.message + ".", flaw.fix, where=where, line=flaw.line)
    return Text(where, uses, _template(source, html))


# A check reads the same few texts for each message, role and channel. Neither result is ever changed.
@lru_cache(maxsize=256)
def _parsed(source: str, html: bool) -> nodes.Template:
    return (_HTML if html else _MARKDOWN).parse(unmarked(source))


@lru_cache(maxsize=256)
def _template(source: str, html: bool) -> Template:
    return (_HTML if html else _MARKDOWN).from_string(unmarked(source))


def html_flaws(source: str) -> list[Flaw]:
    flaws = []

    def note(place: int, cause: str, fix: str) -> None:
        flaws.append(Flaw(place_of(source, place)[0], cause, fix))

    for pattern, what, fix in _REFUSED:
        for found in pattern.finditer(source):
            note(found.start(), _("the layout contains {part}", part=_(what)), _(fix))
    for tag in _TAG.finditer(source):
        if _UNQUOTED.search(tag[0]):
            note(tag.start(), _("an attribute with a value has no quotes"), _('Write it as name="{{ … }}".'))
        for found in _ADDRESS.finditer(tag[0]):
            if not _OWN.fullmatch(found[1]):
                cause = _("the address {address} is not allowed", address=found[1])
                note(tag.start() + found.start(), cause, _("Use {{ links.answer }} or an https address."))
    return flaws
