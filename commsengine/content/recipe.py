"""What it takes to write one message for one role: its texts, its template and layouts, and which values decide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from commsengine.cadence.plan import Message, Plan
from commsengine.content.facts import Facts
from commsengine.content.templates import Text, compiled
from commsengine.content.texts import Texts
from commsengine.content.vocabulary import VARYING, layout_names, template_names
from commsengine.errors import RenderError

FIXED = ("footer", "layout.html", "layout.txt")


def template_of(message: Message, kind: str) -> str:
    """The template of a touch: a reminder's, the message's own, or the one that fits what it asks."""
    if kind == "remind":
        return "reminder"
    if message.template != "wiifm":
        return message.template
    if message.corrects:
        return "correction"
    return message.ask if message.ask in ("input", "check") else "wiifm"


class Library:
    """The templates of one plan version, compiled when first needed."""

    def __init__(self, plan: Plan, templates: Mapping[str, str]) -> None:
        self._sources = templates
        self._names, self._layout_names = template_names(plan), layout_names(plan)
        self._compiled: dict[str, Text] = {}

    def get(self, name: str) -> Text:
        """Raises ``RenderError`` for a template that is missing or wrong."""
        if name not in self._compiled:
            if name not in self._sources:
                known = ", ".join(sorted(word for word in self._sources if "." not in word))
                raise RenderError(f"there is no template '{name}'.", f"The templates are {known}.")
            layout = name.startswith("layout.")
            self._compiled[name] = compiled(
                self._sources[name], name if layout else f"{name}.md",
                self._layout_names if layout else self._names, html=name.endswith(".html"),
            )  # fmt: skip
        return self._compiled[name]


Required = tuple[tuple[str, str, int], ...]
"""Columns that texts cannot do without: each name with the place and line that need it."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """The texts of one message for one role, by the name a template uses; lists for choices."""

    template: Text
    footer: Text
    texts: Mapping[str, Text]
    wiifm: Mapping[str, Text]
    choices: tuple[Text, ...]
    names: Mapping[str, int]
    by_value: tuple[str, ...]
    by_truth: tuple[str, ...]
    required: Required

    def decisive(self, facts: Facts) -> tuple[str | bool, ...]:
        """What makes this person's text another text: values that decide, and whether optional ones are there."""
        return (*(facts[name] for name in self.by_value), *(bool(facts[name]) for name in self.by_truth))

    def refuse_missing(self, facts: Facts) -> None:
        """Raises ``RenderError`` when one of its texts needs a column that this person does not have."""
        refuse_missing(self.required, facts)


def refuse_missing(required: Required, facts: Facts) -> None:
    """Raises ``RenderError`` for the first column that this person does not have."""
    for name, where, line in required:
        if facts.find(name) is None:
            known = ", ".join(f"person.{column}" for column in sorted(facts.person.attributes)) or "none"
            raise RenderError(
                f"'{name}' is not defined for this person.", f"Their own columns are: {known}.", where=where, line=line
            )


def required_by(texts: Iterable[Text]) -> Required:
    """The columns that these texts cannot do without."""
    return tuple(
        (name, text.where, text.uses.names[name])
        for text in texts
        for name in sorted(text.uses.required)
        if name.startswith("person.")
    )


def recipe_for(
    plan: Plan, message: Message, role: str, template: Text, library: Library, texts: Texts, number: int
) -> Recipe:
    """Gather what the ``number``-th touch of a message needs."""
    found = _texts_of(plan, message, texts, number)
    wiifm = texts.wiifm(message, role)
    choices = _choices(message, texts, number)
    layouts = [library.get(name) for name in FIXED]
    return _recipe(template, found, wiifm, choices, layouts)


def _recipe(
    template: Text, found: dict[str, Text], wiifm: dict[str, Text], choices: tuple[Text, ...], layouts: list[Text]
) -> Recipe:
    everything = [template, *layouts, *found.values(), *wiifm.values(), *choices]
    names: dict[str, int] = {}
    for text in everything:
        names.update(text.uses.names)
    return Recipe(
        template=template, footer=layouts[0], texts=found, wiifm=wiifm, choices=choices, names=names,
        by_value=_varying(name for text in everything for name in text.uses.by_value),
        by_truth=_varying(name for text in everything for name in text.uses.by_truth),
        required=required_by(everything),
    )  # fmt: skip


def _varying(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({name for name in names if name == "again" or name.partition(".")[0] in VARYING}))


def _texts_of(plan: Plan, message: Message, texts: Texts, number: int) -> dict[str, Text]:
    corrected = next((other for other in plan.messages if other.id == message.corrects), None)
    found = {
        "key_point": texts.of(message, "key_point"),
        "subject": texts.of(message, "subject"),
        "text": texts.of(message, "text"),
        "commit": texts.of(message, "commit"),
        "question": _question(message, texts, number),
        "corrected": texts.of(corrected, "key_point") if corrected else None,
    }
    return {name: text for name, text in found.items() if text is not None}


def check_texts(message: Message, texts: Texts, number: int) -> tuple[dict[str, Text], tuple[Text, ...]]:
    """The check of the ``number``-th touch, whatever the message asks: question, because and right; the answers."""
    if not message.checks:
        return {}, ()
    turn = _turn(message, number)
    answers = [
        texts.of(message, "checks", turn, "answers", place) for place in range(len(message.checks[turn].answers))
    ]
    right = answers[message.checks[turn].answers.index(message.checks[turn].right)]
    found = {
        "question": texts.of(message, "checks", turn, "question"),
        "because": texts.of(message, "checks", turn, "because"),
        "right": right,
    }
    return {name: text for name, text in found.items() if text}, tuple(answer for answer in answers if answer)


def _question(message: Message, texts: Texts, number: int) -> Text | None:
    if message.ask == "input":
        return texts.of(message, "input", "question")
    return texts.of(message, "checks", _turn(message, number), "question") if message.ask == "check" else None


def _choices(message: Message, texts: Texts, number: int) -> tuple[Text, ...]:
    if message.ask == "input" and message.input:
        paths = [("input", "choices", place) for place in range(len(message.input.choices))]
    elif message.ask == "check":
        turn = _turn(message, number)
        paths = [("checks", turn, "answers", place) for place in range(len(message.checks[turn].answers))]  # type: ignore[misc]
    else:
        return ()
    return tuple(text for path in paths if (text := texts.of(message, *path)) is not None)


def _turn(message: Message, number: int) -> int:
    """Which check comes with this touch: they take turns."""
    return (number - 1) % len(message.checks)
