"""``translate``: the overlay of a plan in one language, begun or brought up to date."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from commsengine.authoring.languages.overlay import (
    LEFT_TO_TRANSLATE,
    known_language,
    name_of,
    overlay_path,
    read_overlay,
)
from commsengine.authoring.languages.overlay_file import Updated, updated
from commsengine.cadence.plan import Plan
from commsengine.cadence.translations import wider
from commsengine.errors import InputError
from commsengine.text import near_names
from commsengine.translation import _


@dataclass(frozen=True)
class Translated:
    """``file`` as it is to be; ``changed`` unless it is so already."""

    language: str
    file: Path
    updated: Updated
    changed: bool
    begun: bool

    def write(self) -> None:
        draft = self.file.with_name(f".{self.file.name}.draft")
        draft.write_text(self.updated.text, encoding="utf-8")
        draft.replace(self.file)


def translated(plan: Plan, path: Path, language: str, own: str) -> Translated:
    """Raises ``InputError`` for what is no language or that of the plan, and for a file that cannot be brought up to
    date without losing what stands in it.
    """
    code = known_language(language)
    if not code:
        near = near_names(language, ["de", "fr", "es", "it", "nl", "pl", "pt-BR", "ko", "ja", "zh"])
        fix = _("Write its code, such as de, fr or pt-BR.") if not near else _("Did you mean {near}?", near=near[0])
        raise InputError(_("'{code}' is not a known language.", code=language), fix)
    if code in wider(own):
        raise InputError(_("The plan itself is in {language}.", language=name_of(code)), _("Name another language."))
    file = overlay_path(path, code)
    before = read_overlay(file, code, plan, own) if file.exists() else None
    if before and (wrong := [one for one in before.problems if one.code not in LEFT_TO_TRANSLATE]):
        raise InputError.of(wrong)
    new = updated(plan, file, code, own, before)
    return Translated(code, file, new, before is None or before.tree.source != new.text, before is None)
