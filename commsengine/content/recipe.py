"""What it takes to write one message for one role: its texts, its template and layouts, and which values decide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from commsengine.cadence.kinds_and_states import CARRIED, TouchKind
from commsengine.cadence.people import COLUMNS
from commsengine.cadence.plan import ANGLES, Message, Plan
from commsengine.cadence.told import NOTHING, Told
from commsengine.content.grammar import VARYING, layout_names, template_names
from commsengine.content.person_values import Required, TextValues
from commsengine.content.plan_texts import Texts, texts_of
from commsengine.content.templates import Text, compiled, parse
from commsengine.content.texts_by_touch import UNCLEAR, sides
from commsengine.errors import RenderError
from commsengine.translation import _

HEARD = "heard"
"""The template of the replies that a message opens with."""

_FIXED = ("footer", "layout.html", "layout.txt", HEARD)
_BY_KIND: Mapping[TouchKind, str] = {"remind": "reminder", "commitment": "commitment"}
LINE = "manager_line"
"""The template of the line that a manager adds."""

QUESTION = "one_question"
"""The template of a check that comes with a message which has something else to say."""

_OURS = {f"person.{column}" for column in (*COLUMNS, "first_name")}

ASKING = "check"
"""The template of a message that asks a check and says nothing else."""


CORRECTION = "correction"


def template_of(message: Message, kind: TouchKind, *, corrects: bool = False) -> str:
    """``corrects``: it goes to a person who got the wrong message."""
    if kind in _BY_KIND:
        return _BY_KIND[kind]
    if message.template not in ("wiifm", CORRECTION):
        return message.template
    if corrects:
        return CORRECTION
    return message.ask if message.ask in ("input", ASKING) else "wiifm"


class Library:
    """The texts and templates of one plan version, compiled when first needed."""

    def __init__(self, plan: Plan, templates: Mapping[str, str]) -> None:
        self.texts = Texts(plan)
        self._sources = templates
        self._names, self._layout_names = template_names(plan), layout_names(plan)
        self._compiled: dict[str, Text] = {}

    def get(self, name: str) -> Text:
        """Raises ``RenderError`` for a template that is missing or wrong."""
        if name not in self._compiled:
            if name not in self._sources:
                known = ", ".join(sorted(word for word in self._sources if "." not in word))
                fix = _("The templates are {names}.", names=known)
                raise RenderError(_("there is no template '{name}'.", name=name), fix)
            layout = name.startswith("layout.")
            where, names = (name, self._layout_names) if layout else (f"{name}.md", self._names)
            self._compiled[name] = compiled(self._sources[name], where, names, html=name.endswith(".html"))
        return self._compiled[name]


@dataclass(frozen=True, slots=True)
class Recipe:
    """The texts of one message for one role, by the name a template uses; lists for choices.

    ``own`` are the sides that the message itself has, by their name; ``plans`` those that the plan says beside it.

    ``answers`` are those of the check that the touch carries, in the order of the plan, ``question`` what it asks and
    ``part`` the template that asks it, where the message's own does not. ``along``: the message asks something else.
    ``by_filter`` are the dates that a filter changes.
    """

    template: Text
    footer: Text
    texts: Mapping[str, Text]
    own: Mapping[str, Text]
    plans: Mapping[str, Text]
    choices: tuple[Text, ...]
    answers: tuple[Text, ...]
    part: Text | None
    question: Text | None
    along: bool
    names: Mapping[str, int]
    by_value: tuple[str, ...]
    by_truth: tuple[str, ...]
    by_filter: tuple[str, ...]
    required: Required

    @property
    def wiifm(self) -> dict[str, Text]:
        """What is in it for the role: the message's own words before the plan's."""
        found = {**self.plans, **self.own}
        return {angle: found[angle] for angle in ANGLES if angle in found}

    @property
    def written(self) -> dict[str, Text]:
        """All sides: the author's texts, then what is in it for the role."""
        return {side: text for side, text in self.own.items() if side not in ANGLES} | self.wiifm

    def said(self, number: int) -> tuple[str, ...]:
        """The sides that the ``number``-th time says."""
        return sides(self.own, self.plans, number)

    def decisive(self, facts: TextValues) -> tuple[str | bool, ...]:
        """What makes this person's text another text: values that decide, and whether optional ones are there."""
        return (*[facts[name] for name in self.by_value], *[bool(facts[name]) for name in self.by_truth])

    def under(self, footer: Text) -> Recipe:
        return replace(self, footer=footer, names={**self.names, **footer.uses.names})

    def with_names(self, other: Mapping[str, int]) -> Recipe:
        """Filled in with the values of another text, too, that stands beside it."""
        return replace(self, names={**other, **self.names})


def required_by(texts: Iterable[Text]) -> Required:
    """The columns of people's own that these texts need; those of ours are there, if only empty."""
    return tuple(
        (name, text.where, text.uses.names[name])
        for text in texts
        for name in sorted(text.uses.required)
        if name.startswith("person.") and name not in _OURS
    )


def recipe_for(
    plan: Plan,
    message: Message,
    role: str,
    template: Text,
    library: Library,
    turn: int | None,
    unclear: int | None = None,
    told: Told = NOTHING,
) -> Recipe:
    """``turn`` is the check that the touch asks, ``unclear`` the one with the point that is made again."""
    texts = library.texts
    found = _texts_of(plan, message, texts, unclear, told)
    asked = None if turn is None else texts.of(message, "checks", turn, "question")
    if message.ask == "check" and asked:
        found["question"] = asked
    answers = () if turn is None else _answer_texts(message, texts, turn)
    part = library.get(QUESTION) if asked and template.where != f"{ASKING}.md" else None
    dates_alone = bool(told.dates) and not told.message
    own = {} if dates_alone else texts.own(message, role)
    plans = {} if dates_alone else texts.of_plan(message, role)
    if UNCLEAR in found:
        own[UNCLEAR] = found.pop(UNCLEAR)
    layouts = [library.get(name) for name in _FIXED]
    choices = _choices(message, texts)
    extra = [text for text in (part, asked) if text]
    everything = [template, *layouts, *found.values(), *own.values(), *plans.values(), *choices, *answers, *extra]
    return Recipe(
        template=template,
        footer=layouts[0],
        texts=found,
        own=own,
        plans=plans,
        choices=choices,
        answers=answers,
        part=part,
        question=asked,
        along=asked is not None and message.ask != "check",
        names={name: line for text in everything for name, line in text.uses.names.items()},
        by_value=_varying(name for text in everything for name in text.uses.by_value),
        by_truth=_varying(name for text in everything for name in text.uses.by_truth),
        by_filter=tuple({name for text in everything for name in text.uses.by_value if name.startswith("milestones.")}),
        required=required_by(everything),
    )


def _varying(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({name for name in names if name == "again" or name.partition(".")[0] in VARYING}))


def _texts_of(plan: Plan, message: Message, texts: Texts, unclear: int | None, told: Told) -> dict[str, Text]:
    corrected = next((other for other in plan.messages if other.id == told.message), None)
    found = {
        **{field: texts.of(message, field) for field in ("key_point", "subject")},
        "commit": texts.of(message, "commit", "text"),
        "question": texts.of(message, "input", "question") if message.ask == "input" else None,
        "corrected": texts.of(corrected, "key_point") if corrected else None,
        # The plan may have lost the check since.
        UNCLEAR: None if unclear is None else texts.of(message, "checks", unclear, "because"),
    }
    return {name: text for name, text in found.items() if text is not None}


def check_texts(message: Message, texts: Texts, turn: int | None) -> tuple[dict[str, Text], tuple[Text, ...]]:
    """One check on a page: question, because and right; the answers as in the plan."""
    if turn is None:
        return {}, ()
    check, answers = message.checks[turn], _answer_texts(message, texts, turn)
    found = {
        "question": texts.of(message, "checks", turn, "question"),
        "because": texts.of(message, "checks", turn, "because"),
        "right": answers[check.answers.index(check.right)],
    }
    return {name: text for name, text in found.items() if text}, answers


def _answer_texts(message: Message, texts: Texts, turn: int) -> tuple[Text, ...]:
    # An answer that is blank is still one.
    places = range(len(message.checks[turn].answers))
    return tuple(texts.of(message, "checks", turn, "answers", place) or compiled("–", "checks", {}) for place in places)


def _choices(message: Message, texts: Texts) -> tuple[Text, ...]:
    places = range(len(message.input.choices)) if message.ask == "input" and message.input else ()
    found = (texts.of(message, "input", "choices", place) for place in places)
    return tuple(text for text in found if text is not None)


def milestones_mentioned(plan: Plan, message: Message, templates: Mapping[str, str]) -> frozenset[str]:
    """The milestones with dates in this message, for any role and on any rung, where what was sent is not known."""
    place = [other.id for other in plan.messages].index(message.id)
    used = {template_of(message, kind, corrects=bool(message.corrects)) for kind in CARRIED} | set(_FIXED)
    sources = [templates[name] for name in used if name in templates]
    sources += [text for path, text in texts_of(plan) if path[0] == "wiifm" or path[:2] == ("messages", place)]
    names = {name for source in sources for name in parse(source, layout_names(plan)).names}
    return frozenset(name.removeprefix("milestones.") for name in names if name.startswith("milestones."))
