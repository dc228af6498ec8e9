"""The texts of a plan that people read, each known by its path in the plan."""

from __future__ import annotations

from collections.abc import Iterator

from commsengine.cadence.plan import ANGLES, Message, Notice, Plan
from commsengine.cadence.translations import Path, paths_of
from commsengine.content.grammar import Vocabulary, plan_names
from commsengine.content.templates import Text, compiled
from commsengine.content.texts_by_touch import text_side


class Texts:
    """Every text of one plan, compiled when it is first needed."""

    def __init__(self, plan: Plan) -> None:
        self.sources = dict(texts_of(plan))
        self._names: Vocabulary = plan_names(plan)
        self._compiled: dict[Path, Text] = {}
        self._places = {message.id: place for place, message in enumerate(plan.messages)}

    def at(self, path: Path) -> Text | None:
        """``None`` where the author wrote none. Raises ``RenderError`` for a text that is wrong."""
        if path not in self.sources:
            return None
        if path not in self._compiled:
            self._compiled[path] = compiled(self.sources[path], dotted_path(path), self._names)
        return self._compiled[path]

    def of(self, message: Message, *path: str | int) -> Text | None:
        return self.at(("messages", self._places[message.id], *path))

    def own(self, message: Message, role: str) -> dict[str, Text]:
        """What the message itself says to a role, by the side: its texts in turn, and its own ``wiifm``."""
        found = {side: self.of(message, *path[2:]) for side, path in _sides(("messages", 0), message)}
        found |= {angle: self.of(message, "wiifm", role, angle) for angle in ANGLES}
        return {side: text for side, text in found.items() if text is not None}

    def of_plan(self, message: Message, role: str) -> dict[str, Text]:
        """What the plan says to a role beside it; a notice says what it has to say and no more."""
        if isinstance(message, Notice):
            return {}
        found = {angle: self.at(("wiifm", role, angle)) for angle in ANGLES}
        return {angle: text for angle, text in found.items() if text is not None}


def dotted_path(path: Path) -> str:
    """``messages[0].key_point`` for ``("messages", 0, "key_point")``."""
    written = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return written.removeprefix(".")


def text_name(plan: Plan, path: Path) -> str:
    """``messages.one-record.key_point`` for that path: the name of the text in every language."""
    parts = [str(part) for part in path]
    if path[:1] == ("messages",) and isinstance(path[1], int):
        parts[1] = plan.messages[path[1]].id
    return ".".join(parts)


def texts_of(plan: Plan) -> Iterator[tuple[Path, str]]:
    """The texts that a message is made of; titles, goals and links are no templates."""
    return ((path, text) for path, text in paths_of(plan) if text.strip() and _is_template(path))


def _is_template(path: Path) -> bool:
    return path[-1] == "because" or (path[0] in ("messages", "wiifm") and path[-1] != "link")


def _sides(base: Path, message: Message) -> list[tuple[str, Path]]:
    """Each text that takes turns: what it is called as a side of the message, and where it stands."""
    alone = len(message.text) == 1
    path: Path = (*base, "text")
    return [(text_side(place), path if alone else (*path, place)) for place in range(len(message.text))]
