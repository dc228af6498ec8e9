"""The texts of a plan that people read, each known by its path in the plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from commsengine.cadence.plan import ANGLES, Message, Notice, Plan, Wiifm
from commsengine.content.grammar import Vocabulary, plan_names
from commsengine.content.templates import Text, compiled
from commsengine.content.texts_by_touch import text_side

Path = tuple[str | int, ...]


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
    return ((path, text) for path, text in _written(plan) if text.strip())


def _written(plan: Plan) -> Iterator[tuple[Path, str]]:
    yield from _wiifm((), plan.wiifm)
    for name, milestone in plan.milestones.items():
        yield ("milestones", name, "because"), milestone.because
    for place, message in enumerate(plan.messages):
        yield from _of_message(("messages", place), message)


def _of_message(base: Path, message: Message) -> Iterator[tuple[Path, str]]:
    for field in ("key_point", "subject"):
        yield (*base, field), getattr(message, field)
    yield from ((path, message.text[place]) for place, (_side, path) in enumerate(_sides(base, message)))
    if message.commit:
        yield (*base, "commit", "text"), message.commit.text
    yield from _wiifm(base, message.wiifm)
    if message.input:
        yield (*base, "input", "question"), message.input.question
        for number, choice in enumerate(message.input.choices):
            yield (*base, "input", "choices", number), choice
    for number, check in enumerate(message.checks):
        at: Path = (*base, "checks", number)
        yield (*at, "question"), check.question
        yield (*at, "because"), check.because
        for place, answer in enumerate(check.answers):
            yield (*at, "answers", place), answer


def _sides(base: Path, message: Message) -> list[tuple[str, Path]]:
    """Each text that takes turns: what it is called as a side of the message, and where it stands."""
    alone = len(message.text) == 1
    path: Path = (*base, "text")
    return [(text_side(place), path if alone else (*path, place)) for place in range(len(message.text))]


def _wiifm(base: Path, wiifm: Mapping[str, Wiifm]) -> Iterator[tuple[Path, str]]:
    for role, texts in wiifm.items():
        for angle in ANGLES:
            yield (*base, "wiifm", role, angle), getattr(texts, angle)
