"""A language of the workspace's own: ``locale/pl.po`` has the texts of mails, Slack and pages in it.

A file that adds a language, or rewords some texts of a shipped one. What is changed there is seen at once. One that
cannot be read stops no message: ``check`` and ``doctor`` say what is wrong with it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from string import Formatter

from babel import Locale, UnknownLocaleError
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

from commsengine.errors import Problem
from commsengine.translation import DOMAIN, LOCALES, _

_MARKS = re.compile(r"\*\*|`[^`]*`|\]\(|https?://\S+|<\{\w+\}\||</?\w+")
_NUMBER = "{number}"
_ENDS = ".!?:…"
_SAME_END = {"。": ".", "！": "!", "？": "?", "：": ":", "؟": "?", "۔": ".", "।": ".", ";": "?", "՞": "?"}
"""How other scripts write the sign at the end of a sentence."""


class WorkspaceCatalogs:
    """Gives the catalogs of a folder by language: the same object until a file there has changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: Mapping[Path, tuple[int, int]] = {}
        self._read: Mapping[str, NullTranslations] = {}

    def __call__(self) -> Mapping[str, NullTranslations]:
        try:
            files = {path: path.stat() for path in catalog_files(self._folder)}
        except OSError:  # it goes on with what it has
            return self._read
        now = {path: (found.st_mtime_ns, found.st_size) for path, found in files.items()}
        if now != self._seen:
            self._seen, self._read = now, {name: texts for path in now for name, texts in self._texts(path)}
        return self._read

    def _texts(self, path: Path) -> Iterator[tuple[str, NullTranslations]]:
        # while one is broken, what it said before holds
        name = language_of(path)
        if texts := _compiled(path) or self._read.get(name):
            yield name, texts


def catalog_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.po")) if folder.is_dir() else []


def language_of(path: Path) -> str:
    return path.stem.replace("-", "_")


def languages_known(folder: Path) -> list[str]:
    """Those that buttons and pages are there in, such as ``de`` or ``pt_BR``: ours and the workspace's."""
    ours = {path.parts[-3] for path in Path(LOCALES).glob(f"*/LC_MESSAGES/{DOMAIN}.mo")}
    return sorted(ours | {language_of(path) for path in catalog_files(folder)})


def _compiled(path: Path) -> GNUTranslations | None:
    compiled = io.BytesIO()
    try:
        write_mo(compiled, _catalog(path))
        return GNUTranslations(io.BytesIO(compiled.getvalue()))
    except Exception:  # whatever a file can have in it
        return None


def _catalog(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=language_of(path), abort_invalid=True)


# -- what is wrong with one -----------------------------------------------------------------------


def review_catalogs(folder: Path) -> list[Problem]:
    """What is wrong with the files of the folder, each at its line."""
    return [problem for path in catalog_files(folder) for problem in _review(path)]


def _review(path: Path) -> Iterator[Problem]:
    file = f"{path.parent.name}/{path.name}"
    try:
        Locale.parse(language_of(path))
    except (UnknownLocaleError, ValueError):
        cause = _("'{name}' is not named after a language.", name=path.name)
        yield Problem(file, 0, 0, "catalog", cause, _("Name it after the language's code, such as pl.po or pt_BR.po."))
        return
    try:
        catalog = _catalog(path)
    except PoFileError as error:
        yield Problem(file, error.lineno + 1, 1, "catalog", *_unreadable(str(error).rpartition(" on ")[0]))
    except UnicodeDecodeError:
        yield Problem(file, 0, 0, "catalog", _("This catalog is not UTF-8 text."), _("Save it as UTF-8."))
    except (OSError, ValueError) as error:
        yield Problem(file, 0, 0, "catalog", *_unreadable(str(error)))
    else:
        for entry in catalog:
            found = dict.fromkeys(slips(entry))
            yield from (Problem(file, entry.lineno or 1, 1, "catalog", *slip, "advice") for slip in found)


def _unreadable(reason: str) -> tuple[str, str]:
    cause = _("This catalog cannot be read: {reason}.", reason=reason.rstrip("."))
    return cause, _("Each entry is a line that begins with msgid and one that begins with msgstr.")


Slip = tuple[str, str]
"""Cause and remedy."""


def slips(entry: Message) -> Iterator[Slip]:
    """What is wrong with one translation; nothing where there is none."""
    if not entry.id or not is_translated(entry):
        return
    names = names_in("".join(entry.id)) or set()
    for text, written in pairs(entry):
        if written:
            yield from _of_text(text, written, names)
        else:
            yield (
                _("A plural form of this text is missing."),
                _("Write msgstr[0] to msgstr[{last}].", last=len(entry.string or ()) - 1),
            )


def is_translated(entry: Message) -> bool:
    return any(entry.string) if isinstance(entry.string, tuple | list) else bool(entry.string)


def pairs(entry: Message) -> list[tuple[str, str]]:
    """Each text with its translation; of one with a plural each form with what it stands for."""
    if isinstance(entry.id, str):
        return [(entry.id, str(entry.string))]
    (one, many), forms = entry.id, list(entry.string or ())
    return [(one if number == 0 and len(forms) > 1 else many, form) for number, form in enumerate(forms)]


def _of_text(text: str, written: str, known: set[str]) -> Iterator[Slip]:
    wanted, names = (names_in(text) or set()) - {_NUMBER}, names_in(written)
    if names is None or not wanted <= names <= known:
        cause = _("The names in braces are not those of the text.")
        yield cause, _("Write these as they are in the text: {names}.", names=" ".join(sorted(known)) or _("none"))
    if sorted(_MARKS.findall(text)) != sorted(_MARKS.findall(written)):
        cause = _("The marks are not those of the text.")
        yield cause, _("Keep each ** and `…`, each link and each address.")
    if _around(text) != _around(written) or text.count("\n") != written.count("\n"):
        cause = _("Spaces and line ends are not those of the text.")
        yield cause, _("Begin, end and break it as the text does.")
    if _end(text) != _end(written) and not text.endswith(","):  # a greeting ends as letters do in the language
        cause = _("The translation does not end as the text does.")
        yield cause, _("End it with the same sign, or none.")


def names_in(text: str) -> set[str] | None:
    """``{name}`` and ``%(name)s`` of a text; ``None`` where a brace stays open."""
    try:
        braces = {f"{{{name}}}" for _text, name, _spec, _how in Formatter().parse(text) if name is not None}
    except ValueError:
        return None
    return braces | set(re.findall(r"%\(\w+\)s", text))


def _around(text: str) -> tuple[str, str]:
    return text[: len(text) - len(text.lstrip(" \n"))], text[len(text.rstrip(" \n")) :]


def _end(text: str) -> str:
    last = text.rstrip(" \u00a0\u202f\n*_`\"'”“«»’)")[-1:]
    last = _SAME_END.get(last, last)
    return last if last in _ENDS else ""
