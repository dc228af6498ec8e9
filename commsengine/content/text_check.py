"""All texts of a plan and all templates, tried before anything is sent."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from commsengine.cadence.check_questions import asks_of
from commsengine.cadence.history import Briefing, Touch
from commsengine.cadence.kinds_and_states import CHANNELS, ChannelName, TouchKind
from commsengine.cadence.people import COLUMNS, Person
from commsengine.cadence.plan import Message, Plan, Workspace
from commsengine.cadence.translations import Path
from commsengine.content.grammar import Flaw, layout_names, plan_names, template_names
from commsengine.content.person_values import Signers
from commsengine.content.plan_texts import texts_of
from commsengine.content.render import Renderer
from commsengine.content.slips import broken_links
from commsengine.content.templates import parse
from commsengine.errors import RenderError
from commsengine.links import Links
from commsengine.text import UNSEEN, cut_short, place_of
from commsengine.translation import _

MOST_TOLD = 20
"""The most flaws of one kind that are shown of one text; a text full of them has one cause."""

_UNSEEN = re.compile(rf"[{UNSEEN}\r]")

_LINKS = (
    re.compile(r"\]\(\s*<?(?!https://|\{\{ *links\.)([^\s)>]+)", re.IGNORECASE),
    re.compile(r"""\b(?:href|src)\s*=\s*["']?\s*(?!https://)([a-z][a-z0-9+.-]*:[^\s"'>]*)""", re.IGNORECASE),
)
"""Links of Markdown and of HTML that are not https."""
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
    *(("commitment", name, 1) for name in sorted(CHANNELS)),
    ("briefing", "email", 1),
)
"""Kind, channel and number of the touches that are tried with every text: what follows the first only as mail."""


def check_texts(plan: Plan, templates: Mapping[str, str], columns: Collection[str] | None) -> list[TextProblem]:
    """Syntax, names, links, and a trial rendering of everything.

    ``columns`` are those of the people; ``None`` leaves them open.
    """
    return check_names(plan, templates, columns) or list(_in_trial(plan, templates, _attributes(columns) or ()))


def check_names(plan: Plan, templates: Mapping[str, str], columns: Collection[str] | None) -> list[TextProblem]:
    # Without the trial rendering: the plan may still have other faults.
    own = _attributes(columns)
    return [*_in_plan(plan, own), *_in_templates(plan, templates, own)]


def _attributes(columns: Collection[str] | None) -> set[str] | None:
    return None if columns is None else set(columns).difference(COLUMNS)


def _in_plan(plan: Plan, columns: set[str] | None) -> Iterator[TextProblem]:
    names = plan_names(plan, columns)
    for path, source in texts_of(plan):
        for flaw in (*parse(source, names).flaws, *link_flaws(source)):
            yield TextProblem(path, "", flaw.line, flaw.message, flaw.fix)


def _in_templates(plan: Plan, templates: Mapping[str, str], columns: set[str] | None) -> Iterator[TextProblem]:
    for name, source in templates.items():
        layout = "." in name
        names = layout_names(plan) if layout else template_names(plan, columns)
        flaws = parse(source, names, html=name.endswith(".html")).flaws
        for flaw in (*flaws, *_unseen_flaws(source), *([] if layout else link_flaws(source))):
            yield TextProblem((), name if layout else f"{name}.md", flaw.line, flaw.message, flaw.fix)


def link_flaws(source: str) -> list[Flaw]:
    """Links of a text that are broken or not https, and images."""
    words = _("Say it in words, or link to it.")
    links = [
        Flaw(line, _("the link to '{address}' is not https", address=cut_short(found[1])), _instead(found[1]))
        for pattern in _LINKS
        for line, found in _found(pattern, source)
    ]
    images = sorted({line for line, found in _found(_IMAGE, source)})
    return [*broken_links(source), *links, *(Flaw(line, _("there is an image in the text"), words) for line in images)]


def _instead(address: str) -> str:
    scheme = address.partition(":")[0].casefold()
    if scheme == "mailto":
        return _("Write the mail address as words: mail programs and Slack make a link of it.")
    if scheme == "tel":
        return _("Write the number as words: phones make a link of it.")
    return _("Write the whole address: https://…")


def _unseen_flaws(source: str) -> list[Flaw]:
    # What no editor shows, and marks that make a line read otherwise than it is stored.
    return [
        Flaw(line, _("the template contains U+{code:04X}, which no editor shows", code=ord(one[0])), _("Delete it."))
        for line, one in _found(_UNSEEN, source)
    ]


def _found(pattern: re.Pattern[str], source: str) -> Iterator[tuple[int, re.Match[str]]]:
    for found in itertools.islice(pattern.finditer(source), MOST_TOLD):
        yield place_of(source, found.start())[0], found


def _in_trial(plan: Plan, templates: Mapping[str, str], columns: Collection[str]) -> Iterator[TextProblem]:
    # Some flaws show only when a text is rendered, such as one that grows too large.
    renderer = Renderer(plan, templates, Links("https://check.invalid", ["trial"]), Workspace())
    filled = Person(id="trial", email="ann@example.com", attributes=dict.fromkeys(columns, "x"))
    person = replace(filled, name="Ann Example", department="x", job="x", country="x", region="x", phone="x")
    seen = set()
    for message in plan.messages:
        if message.template not in templates:
            continue  # review_plan says so, with its place
        for trial, role in itertools.product((*TRIALS, *_turns(message)), plan.audience.roles):
            if (trial[0] == "briefing" and message.managers_first is None) or (
                trial[0] == "commitment" and message.asks_on is None
            ):
                continue
            problem = _trial(renderer, message, role, *trial, person)
            if problem and (problem.path, problem.template, problem.line) not in seen:
                seen.add((problem.path, problem.template, problem.line))
                yield problem


def _turns(message: Message) -> Iterator[tuple[TouchKind, ChannelName, int]]:
    """The touches that say the third text and those behind it."""
    last = len(message.text) * 2
    telling = [number for number in range(1, last) if message.ask == "check" or not asks_of(message, number)]
    yield from (("message", "email", number) for number in telling[2 : len(message.text)])


def _trial(
    renderer: Renderer, message: Message, role: str, kind: TouchKind, channel: ChannelName, number: int, person: Person
) -> TextProblem | None:
    now = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
    plan, day = renderer.plan, now.date()
    touch = Touch(plan.campaign, message.id, person.id, role, 0, kind, channel, day, now, now, number, again_at=now)
    touch = replace(touch, briefing=Briefing(role, now, only=False)) if kind == "briefing" else touch
    try:
        renderer.touch(touch, person, Signers(person, person, person))
    except RenderError as error:
        where = error.where if error.where.endswith((".md", ".html", ".txt")) else ""
        path: Path = () if where else ("messages", plan.messages.index(message))
        return TextProblem(path, where, max(error.line, 1), error.what, error.fix)
    return None
