"""Rules about who is meant: roles that can have somebody in them and, where the people are known, do."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from commsengine.authoring.draft import Draft
from commsengine.authoring.yaml_parser import YamlPath
from commsengine.cadence.audience import is_kept_out, members, role_of
from commsengine.cadence.calendar import Hours
from commsengine.cadence.people import END_OF_DAYS, Person
from commsengine.cadence.plan import Role
from commsengine.cadence.population import Population
from commsengine.errors import Problem
from commsengine.text import like, listed, meant, near_names, near_or
from commsengine.translation import N_, _, counted


def roles_can_match(draft: Draft) -> Iterator[Problem]:
    rest = ""
    for name, role in draft.plan.audience.roles.items():
        path: YamlPath = ("audience", "roles", name)
        if rest:
            cause = _("'{role}' stays empty: '{rest}' above it takes everybody else.", role=name, rest=rest)
            fix = _("Move '{role}' above '{rest}'.", role=name, rest=rest)
            yield draft.error_at_key(path, "empty_role", cause, fix)
        elif not role.rest and role.is_manager is None and not role.columns:
            cause = _("The role '{role}' does not say who is in it.", role=name)
            fix = _("Write a column with values, is_manager: true, or rest: true for everybody else.")
            yield draft.error_at_key(path, "vague_role", cause, fix)
        elif role.rest and (role.columns or role.is_manager is not None):
            cause = _("'rest: true' takes everybody, so the other conditions of '{role}' have no effect.", role=name)
            yield draft.advice(path, "rest_alone", cause, _("Take them out, or take 'rest' out."))
        rest = rest or (name if role.rest else "")


def titles_differ(draft: Draft) -> Iterator[Problem]:
    taken: dict[str, str] = {}
    for name in draft.plan.audience.roles:
        title = draft.plan.audience.title(name)
        if title in taken:
            cause = _(
                "People read '{role}' and '{other}' as the same role, '{title}'.",
                role=name,
                other=taken[title],
                title=title,
            )
            fix = _("Give one of them another 'title'.")
            yield draft.error_at_key(("audience", "roles", name), "same_title", cause, fix)
        taken.setdefault(title, name)


def roles_have_people(draft: Draft, people: Population) -> Iterator[Problem]:
    groups = [group for group in people.groups(draft.plan) if not is_kept_out(draft.plan, group.first)]
    members = Counter[str | None]()
    for group in groups:
        members[role_of(draft.plan, group.first)] += group.people
    for name, role in draft.plan.audience.roles.items():
        unknown = list(_columns_exist(draft, name, role, people))
        yield from unknown
        if not unknown and not members[name]:
            yield from _nobody(draft, name, role, people)
        elif not unknown:
            yield from _idle_values(draft, name, role, people)
    if members[None]:
        outside, everybody = members[None], members.total()
        cause = _("{number} of {all} people are in no role and get nothing.", number=outside, all=everybody)
        yield draft.advice(("audience", "roles"), "no_role", cause, _("Add 'others: {rest: true}' if they should."))


def the_sponsor_is_meant_or_not(draft: Draft, people: Population) -> Iterator[Problem]:
    # Said once in the plan, either way, it is no surprise to either of them.
    sponsor = draft.plan.sponsor
    if sponsor is None:
        return
    listed_too = _sponsor_in(draft, people) is not None
    if listed_too and "in_audience" not in sponsor.model_fields_set:
        cause = _(
            "{email} is in the people file, but as the sponsor they are not in the audience.", email=sponsor.email
        )
        fix = N_(
            "Write 'sponsor: {{email: {email}, in_audience: true}}' if they should get what all others get; else false."
        )
        yield draft.advice(("sponsor",), "sponsor_in_people", cause, _(fix, email=sponsor.email))
    elif sponsor.in_audience and not listed_too:
        cause = _("{email} is to be in the audience, but is not in the people file.", email=sponsor.email)
        yield draft.advice(
            ("sponsor",), "sponsor_not_in_people", cause, _("Add them to it, or take 'in_audience' out.")
        )


def _sponsor_in(draft: Draft, people: Population) -> Person | None:
    found = people.find(draft.plan.sponsor_email.strip()) if draft.plan.sponsor_email else None
    return found if found and found.email.lower() == draft.plan.sponsor_email.strip().lower() else None


def _columns_exist(draft: Draft, name: str, role: Role, people: Population) -> Iterator[Problem]:
    for column in role.columns:
        if column not in people.columns:
            path: YamlPath = ("audience", "roles", name, column)
            cause = _("The people file has no column '{column}'.", column=column)
            yield draft.error_at_key(path, "unknown_column", cause, meant(column, people.columns, N_("column")))


def _values(draft: Draft, people: Population, column: str) -> Mapping[str, int]:
    """Without that of a sponsor who is not in the audience."""
    found = Counter(people.values(column))
    sponsor = _sponsor_in(draft, people) if draft.plan.kept_out else None
    return found - Counter([sponsor.column(column)] if sponsor else [])


def _nobody(draft: Draft, name: str, role: Role, people: Population) -> Iterator[Problem]:
    path: YamlPath = ("audience", "roles", name)
    audience = draft.plan.audience.model_copy(update={"roles": {name: role}})
    alone = draft.plan.model_copy(update={"audience": audience})
    if any(role_of(alone, group.first) for group in people.groups(alone)):
        cause = _("Everybody in '{role}' is already in a role above it.", role=name)
        fix = _("Move '{role}' up, or take it out.", role=name)
    else:
        cause, fix = _("The role '{role}' selects nobody.", role=name), _values_fix(draft, role, people)
    yield draft.error_at_key(path, "empty_role", cause, fix)


def _values_fix(draft: Draft, role: Role, people: Population) -> str:
    for column, values in role.columns.items():
        known = sorted(_values(draft, people, column).keys() - {""})
        for value in values:
            if value not in known:
                near = near_names(value, known)
                fix = N_("No person has {column} '{value}': did you mean {names}?")
                fix = fix if near else N_("No person has {column} '{value}': the values are {names}.")
                return _(fix, column=column, value=value, names=listed(near) if near else listed(known[:8], "and"))
    return _("Loosen its conditions, or take it out.")


def _idle_values(draft: Draft, name: str, role: Role, people: Population) -> Iterator[Problem]:
    for column, values in role.columns.items():
        known = _values(draft, people, column).keys()
        for index, value in enumerate(values):
            if value not in known:
                fix = near_or(value, known - {""}, _("Take it out, or check the people file."))
                cause = _("No person has {column} '{value}'.", column=column, value=value)
                yield draft.advice(("audience", "roles", name, column, index), "idle_value", cause, fix)


def values_look_alike(draft: Draft, people: Population) -> Iterator[Problem]:
    # "Sales " and "Sale s" are typed by hand somewhere: who has the other spelling is in another role, or in none
    for name, role in draft.plan.audience.roles.items():
        for column, values in role.columns.items():
            number = people.values(column)
            for index, value in enumerate(values):
                for other in _alike(value, number.keys() - {*values, ""}):
                    cause = _(
                        "'{other}' looks like '{value}', but is not in '{role}'.", other=other, value=value, role=name
                    )
                    have = counted(number[other], "person has", "people have")
                    fix = _("{people} it: add it to the role, or correct the people file.", people=have)
                    yield draft.advice(("audience", "roles", name, column, index), "alike_value", cause, fix)


ALIKE, SHORT = 0.9, 6


def _alike(value: str, others: Iterable[str]) -> list[str]:
    def plain(text: str) -> str:
        return like(text).replace(" ", "")

    def looks_alike(other: str) -> bool:
        if plain(other) == plain(value):
            return True
        digits = [re.sub(r"\D", "", each) for each in (value, other)]
        return len(value) >= SHORT and digits[0] == digits[1] and bool(near_names(value, [other], 1, ALIKE))

    return sorted(filter(looks_alike, others))


def people_can_be_reached(draft: Draft, people: Population) -> Iterator[Problem]:
    audience = [group for group in people.groups(draft.plan) if role_of(draft.plan, group.first)]
    never = sum(group.people for group in audience if not Hours(draft.plan, group.first).ever_open)
    if never:
        cause = _("{number} people never work on a day of the send window and get nothing.", number=never)
        yield draft.advice(("send", "window", "days"), "never_at_work", cause, _("Allow one of their days."))
    alone = sum(group.people for group in audience if not group.first.manager)
    if alone > 1 and _managers_call(draft):
        cause = _("{number} people have no manager; their follow-ups go to the owner.", number=alone)
        yield draft.advice(("follow_up",), "no_manager", cause, _("Fill the column 'manager' if they have one."))


def briefings_give_nothing_away(draft: Draft) -> Iterator[Problem]:
    for path, message in draft.messages():
        if message.managers_first is not None and message.ask == "check":
            cause = _("'{message}' asks a question that its own briefing of managers would answer.", message=message.id)
            fix = _("Take 'managers_first' out, or put the check into a message of its own.")
            yield draft.error((*path, "managers_first"), "answered_before", cause, fix)


def managers_can_be_first(draft: Draft, people: Population) -> Iterator[Problem]:
    for path, message in draft.messages():
        if message.managers_first is None:
            continue
        firsts = (group.first for group in people.groups(draft.plan))
        theirs = (
            person for person, role in members(draft.plan, firsts, END_OF_DAYS) if role in draft.roles_of(message)
        )
        if not any(person.manager for person in theirs):
            cause = _(
                "The people in the roles of '{message}' have no manager who could get it first.", message=message.id
            )
            fix = _("Fill the column 'manager' of people.csv, or take 'managers_first' out.")
            yield draft.advice((*path, "managers_first"), "no_manager_first", cause, fix)


def _managers_call(draft: Draft) -> bool:
    ladders = [draft.plan.ladder(message) for message in draft.plan.messages]
    return any(rung.do == "personal" and rung.by == "manager" for ladder in ladders for rung in ladder)


RULES = (roles_can_match, titles_differ, briefings_give_nothing_away)
PEOPLE_RULES = (
    roles_have_people,
    values_look_alike,
    the_sponsor_is_meant_or_not,
    people_can_be_reached,
    managers_can_be_first,
)
