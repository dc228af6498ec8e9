"""All texts of a plan and all templates, tried before anything is sent."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from commsengine.cadence.history import Touch
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Message, Plan, Workspace
from commsengine.cadence.terms import CHANNELS, ChannelName, TouchKind
from commsengine.content.grammar import Flaw, layout_names, plan_names, template_names
from commsengine.content.render import Renderer
from commsengine.content.templates import parse
from commsengine.content.texts import Path, texts_of
from commsengine.content.values import Signers
from commsengine.errors import RenderError
from commsengine.links import Links
from commsengine.text import UNSEEN

LONGEST_TEXT = 8_000
"""Characters of one text of a plan; what is longer is a document, not a message."""
MOST_TOLD = 20
"""The most flaws of one kind that are shown of one text; a text full of them has one cause."""

_UNSEEN = re.compile(rf"[{UNSEEN}\r]")

_LINK = re.compile(r"\]\(\s*<?(?!https://|\{\{ *links\.)([^\s)>]+)", re.IGNORECASE)
_IMAGE = re.compile(r"!\[")


@dataclass(frozen=True, slots=True)
class TextProblem:
    """One thing wrong with a text: of the plan (``path``) or of a template (``template``, its file name).

    ``line`` counts from 1 inside that text.
    """

    path: Path
    template: str
    line: int
    message: str
    fix: str


TRIALS: tuple[tuple[TouchKind, ChannelName, int], ...] = (
    *(("message", name, 1) for name in sorted(CHANNELS)),
    ("message", "email", 2),
    ("remind", "email", 2),
)
"""Kind, channel and number of the touches that are tried with every text: what follows the first only as mail."""


def check_texts(plan: Plan, templates: Mapping[str, str], people: Sequence[Person] | None) -> list[TextProblem]:
    """Syntax, names, links, and a trial rendering of everything.

    ``people`` say which columns exist; ``None`` leaves them open.
    """
    return check_names(plan, templates, people) or list(_in_trial(plan, templates, people or ()))


def check_names(plan: Plan, templates: Mapping[str, str], people: Sequence[Person] | None) -> list[TextProblem]:
    # Without the trial rendering: the plan may still have other faults.
    columns = None if people is None else {column for person in people for column in person.attributes}
    return [*_in_plan(plan, columns), *_in_templates(plan, templates, columns)]


def _in_plan(plan: Plan, columns: set[str] | None) -> Iterator[TextProblem]:
    names = plan_names(plan, columns)
    for path, source in texts_of(plan):
        for flaw in (*parse(source, names).flaws, *link_flaws(source), *_length_flaws(source)):
            yield TextProblem(path, "", flaw.line, flaw.message, flaw.fix)


def _length_flaws(source: str) -> list[Flaw]:
    if len(source) <= LONGEST_TEXT:
        return []
    return [Flaw(1, f"the text has more than {LONGEST_TEXT:,} characters", "Shorten it, and link to the rest.")]


def _in_templates(plan: Plan, templates: Mapping[str, str], columns: set[str] | None) -> Iterator[TextProblem]:
    for name, source in templates.items():
        layout = "." in name
        names = layout_names(plan) if layout else template_names(plan, columns)
        flaws = parse(source, names, html=name.endswith(".html")).flaws
        for flaw in (*flaws, *_unseen_flaws(source), *([] if layout else link_flaws(source))):
            yield TextProblem((), name if layout else f"{name}.md", flaw.line, flaw.message, flaw.fix)


def link_flaws(source: str) -> list[Flaw]:
    links = [
        Flaw(
            _line(source, found.start()),
            f"the link to '{_short(found[1])}' is not https",
            "Write the whole address: https://…",
        )
        for found in itertools.islice(_LINK.finditer(source), MOST_TOLD)
    ]
    images = {_line(source, found.start()) for found in itertools.islice(_IMAGE.finditer(source), MOST_TOLD)}
    fix = "Say it in words, or link to it."
    return [*links, *(Flaw(line, "there is an image in the text", fix) for line in sorted(images))]


def _unseen_flaws(source: str) -> list[Flaw]:
    # What no editor shows, and marks that make a line read otherwise than it is stored.
    found = itertools.islice(_UNSEEN.finditer(source), MOST_TOLD)
    return [
        Flaw(_line(source, one.start()), f"the template holds U+{ord(one[0]):04X}, which no editor shows", "Delete it.")
        for one in found
    ]


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"


def _line(source: str, place: int) -> int:
    return source.count("\n", 0, place) + 1


def _in_trial(plan: Plan, templates: Mapping[str, str], people: Sequence[Person]) -> Iterator[TextProblem]:
    # Some flaws show only when a text is rendered, such as one that grows too large.
    renderer = Renderer(plan, templates, Links("https://check.invalid", ["trial"]), Workspace())
    columns = {column: "x" for person in people for column in person.attributes}
    filled = Person(id="trial", email="ann@example.com", attributes=columns)
    person = replace(filled, name="Ann Example", department="x", job="x", country="x", region="x", phone="x")
    seen = set()
    for message in plan.messages:
        if message.template not in templates:
            continue  # review_plan says so, with its place
        for trial, role in itertools.product(TRIALS, plan.audience.roles):
            problem = _trial(renderer, message, role, *trial, person)
            if problem and (problem.path, problem.template, problem.line) not in seen:
                seen.add((problem.path, problem.template, problem.line))
                yield problem


def _trial(
    renderer: Renderer, message: Message, role: str, kind: TouchKind, channel: ChannelName, number: int, person: Person
) -> TextProblem | None:
    now = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
    touch = Touch(
        renderer.plan.campaign,
        message.id,
        person.id,
        role,
        0,
        kind,
        channel,
        now.date(),
        now,
        now,
        number,
        again_at=now,
    )
    try:
        renderer.touch(touch, person, Signers(person, person, person))
    except RenderError as error:
        where = error.where if error.where.endswith((".md", ".html", ".txt")) else ""
        path: Path = () if where else ("messages", renderer.plan.messages.index(message))
        return TextProblem(path, where, max(error.line, 1), error.what, error.fix)
    return None
