"""Rules about names: whatever a plan refers to must exist, once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from commsengine.authoring.addresses import AddressError, clean_address
from commsengine.authoring.draft import Draft
from commsengine.authoring.people.time_zones import zone_fix
from commsengine.authoring.yaml_parser import YamlPath
from commsengine.cadence.kinds_and_states import Measure
from commsengine.errors import Problem
from commsengine.text import meant
from commsengine.translation import N_, _


def translations_stand_beside(draft: Draft) -> Iterator[Problem]:
    if "translations" in draft.written:
        cause, fix = _("A plan has no 'translations'."), _("Put them in a file beside it: commsengine translate.")
        yield draft.error_at_key(("translations",), "unknown_key", cause, fix)


def milestones_exist(draft: Draft) -> Iterator[Problem]:
    known, phases = draft.names("milestones"), draft.names("phases")
    for path, moment in draft.moments():
        name = moment.milestone
        if name and name not in known:
            fix = meant(name, known, N_("milestone"))
            if name in phases:
                fix = _("'{name}' is a phase; write a milestone or a date.", name=name) + f" {fix}"
            elif name in draft.message_ids:
                fix = _("'{name}' is a message; write a milestone or a date.", name=name) + f" {fix}"
            yield draft.error(path, "unknown_milestone", _("There is no milestone '{name}'.", name=name), fix)


def roles_exist(draft: Draft) -> Iterator[Problem]:
    for path, message in draft.messages():
        for index, role in enumerate(message.to):
            yield from _role_exists(draft, (*path, "to", index), role)
        for role in message.wiifm:
            yield from _role_exists(draft, (*path, "wiifm", role), role)
    for role in draft.plan.wiifm:
        yield from _role_exists(draft, ("wiifm", role), role)


def _role_exists(draft: Draft, path: YamlPath, role: str) -> Iterator[Problem]:
    if role not in draft.roles:
        fix = meant(role, draft.roles, N_("role"))
        yield draft.error_at_key(path, "unknown_role", _("There is no role '{role}'.", role=role), fix)


def message_ids_are_unique(draft: Draft) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for path, message in draft.messages():
        if line := first.get(message.id):
            cause = _("The message id '{id}' is taken by the message in line {line}.", id=message.id, line=line)
            yield draft.error((*path, "id"), "duplicate_message", cause, _("Give each message an id of its own."))
        first.setdefault(message.id, draft.tree.place((*path, "id"))[0])


def corrections_lead_back(draft: Draft) -> Iterator[Problem]:
    corrects = {message.id: message.corrects for message in draft.plan.messages if message.corrects}
    for path, message in draft.messages():
        named = message.corrects
        if named and named not in draft.message_ids:
            cause = _("There is no message '{message}' to correct.", message=named)
            fix = meant(named, draft.message_ids, N_("message"))
            yield draft.error((*path, "corrects"), "unknown_message", cause, fix)
        elif named and _in_a_circle(message.id, corrects):
            cause = _("'corrects' leads from '{message}' back to itself.", message=message.id)
            fix = _("Name the earlier message that was wrong.")
            yield draft.error((*path, "corrects"), "circular_corrects", cause, fix)


def _in_a_circle(start: str, corrects: Mapping[str, str]) -> bool:
    seen, at = set[str](), corrects.get(start)
    while at is not None and at not in seen and at != start:
        seen.add(at)
        at = corrects.get(at)
    return at == start


def phase_measures_exist(draft: Draft) -> Iterator[Problem]:
    for name, phase in draft.plan.phases.items():
        for message, measures in phase.reach.items():
            path: YamlPath = ("phases", name, "reach", message)
            if message not in draft.message_ids:
                cause = _("There is no message '{message}' to measure.", message=message)
                fix = meant(message, draft.message_ids, N_("message"))
                yield draft.error_at_key(path, "unknown_message", cause, fix)
            for measure, share in measures.items():
                if not 0 < share <= 1:
                    cause = _("'{measure}' is a share of the people, but is {share:g}.", measure=measure, share=share)
                    yield draft.error((*path, measure), "bad_value", cause, _("Write a number up to 1, such as 0.75."))
            yield from _measurable(draft, path, message, measures)


def _measurable(draft: Draft, path: YamlPath, name: str, measures: Iterable[Measure]) -> Iterator[Problem]:
    message = next((each for each in draft.plan.messages if each.id == name), None)
    if message is None:
        return
    if "right" in measures and not message.checks:
        cause = _("'{message}' has no checks, so no answer can be right.", message=name)
        yield draft.error((*path, "right"), "not_measurable", cause, _("Give it 'checks', or measure 'acknowledged'."))
    if "done" in measures and draft.plan.outcome_of(message) is None and len(draft.plan.outcomes) != 1:
        cause = _("The plan does not say which outcome '{message}' is for.", message=name)
        fix = _("Write 'outcome: NAME' at the message, one of 'outcomes'.")
        yield draft.error((*path, "done"), "not_measurable", cause, fix)
    if message.ask == "nothing" and (asked := sorted({"answered", "acknowledged"} & {*measures})):
        cause = _("'{message}' asks for nothing, so it cannot be {measure}.", message=name, measure=_(asked[0]))
        yield draft.error((*path, asked[0]), "not_measurable", cause, _("Measure 'reached', or let it ask."))


def addresses_are_sound(draft: Draft) -> Iterator[Problem]:
    written: list[tuple[YamlPath, str]] = [(("owner", i), owner) for i, owner in enumerate(draft.plan.owner)]
    if draft.plan.sponsor is not None:
        path: YamlPath = ("sponsor",) if isinstance(draft.written["sponsor"], str) else ("sponsor", "email")
        written.append((path, draft.plan.sponsor.email))
    for path, address in written:
        try:
            clean_address(address)
        except AddressError as error:
            yield draft.error(path, "bad_address", f"{path[0]}: {error}.", error.fix)


def the_zone_exists(draft: Draft) -> Iterator[Problem]:
    name = draft.plan.send.time_zone
    if fix := zone_fix(name):
        yield draft.error(("send", "time_zone"), "unknown_time_zone", _("'{name}' is not a time zone.", name=name), fix)


def templates_exist(draft: Draft, names: list[str]) -> Iterator[Problem]:
    for path, message in draft.messages():
        if names and message.template not in names:
            cause = _("There is no template '{name}'.", name=message.template)
            fix = meant(message.template, names, N_("template"))
            yield draft.error((*path, "template"), "unknown_template", cause, fix)


def senders_exist(draft: Draft) -> Iterator[Problem]:
    for path, message in draft.messages():
        if message.sender == "sponsor" and not draft.written.get("sponsor"):
            cause = _("The sponsor sends '{message}', but the plan names no sponsor.", message=message.id)
            fix = _("Write 'sponsor: name@example.com' at the top, or another sender.")
            yield draft.error((*path, "sender"), "no_sponsor", cause, fix)


def links_are_the_same_for_everybody(draft: Draft) -> Iterator[Problem]:
    for path, message in draft.messages():
        if "{{" in message.link or "{%" in message.link:
            cause = _("The 'link' of '{message}' is the same for everybody: nothing is filled in.", message=message.id)
            fix = _("Write it without {{ … }}, or in 'text' with words: [Your form](https://…{{ person.id }}).")
            yield draft.error((*path, "link"), "filled_link", cause, fix)


RULES = (
    translations_stand_beside,
    milestones_exist,
    roles_exist,
    message_ids_are_unique,
    corrections_lead_back,
    phase_measures_exist,
    addresses_are_sound,
    the_zone_exists,
    senders_exist,
    links_are_the_same_for_everybody,
)
