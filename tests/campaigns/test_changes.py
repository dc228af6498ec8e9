"""A difference names every place of a plan that changes, and nothing else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from commsengine.cadence.time_notation import Moment, Wait
from commsengine.campaigns.changes import PlanChange, changes_of, template_changes
from tests.builders import a_message, a_plan
from tests.cadence import generated

WHOLE = a_plan(
    a_message(
        to=["sales"],
        text="One place.\n\nLog it.",
        link="https://example.com/",
        subject="One record",
        ask="commit",
        input={"question": "What must stay?", "kind": "choice", "choices": ["This", "That"]},
        checks=[
            {"question": "Where?", "answers": ["Here", "There"], "right": "Here", "because": "One.", "about": "goal"}
        ],
        commit={"text": "I log each call.", "by": "go_live"},
        repeat_until="done",
        outcome="first_call",
        managers_first="2 working days",
        wiifm={"sales": {"why": "Fewer lists."}},
        corrects="other",
        follow_up=[{"after": "2 touches", "do": "remind", "channel": "email"}],
    ),
    a_message(id="other", cadence={"recall_floor": "0.35", "target": "0.6", "by": "go_live"}),
    phases={
        "listen": {"until": "go_live", "goal": "Hear", "reach": {"one-record": {"answered": "0.5"}}, "gate": "true"}
    },
    outcomes={"first_call": {"title": "The first call is logged", "by": "go_live"}},
    language="en",
    translations={"de": {"title": "Ein Kundensatz"}},
    audience={
        "people": "people.csv",
        "roles": {"leads": {"is_manager": "true", "team": ["A", "B"]}, "all": {"rest": "true"}},
    },
    experiment={
        "arms": ["recall", {"every": "48h"}],
        "outcome": "first_call",
        "day": "go_live",
        "suppose": {"base": "0.3"},
    },
)
"""Every part of a plan is there."""


def test_nothing_differs_from_itself() -> None:
    assert changes_of(WHOLE, WHOLE) == ()


def test_no_field_of_a_plan_is_left_out_here() -> None:
    parts = list(models(WHOLE))
    unset = {
        f"{kind.__name__}.{name}"
        for kind in {type(part) for part in parts}
        for name in kind.model_fields
        if all(getattr(part, name) in (None, (), {}) for part in parts if isinstance(part, kind))
    }
    assert unset == set()


def models(value: Any) -> Iterator[BaseModel]:
    if isinstance(value, BaseModel):
        yield value
        for name in type(value).model_fields:
            yield from models(getattr(value, name))
    elif isinstance(value, Mapping | tuple):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from models(each)


@pytest.mark.filterwarnings("ignore:Pydantic serializer")
def test_each_place_that_changes_is_named() -> None:
    seen = {path for path, _changed in mutations(WHOLE)}
    assert {"send.window.to", "messages.one-record.checks.1.because", "audience.roles.leads.team", "title"} <= seen
    for path, changed in mutations(WHOLE):
        named = [change.path for change in changes_of(WHOLE, changed)]
        assert named != [], path
        assert all(_beside(path, other) for other in named), (path, named)
        assert [change.path for change in changes_of(changed, WHOLE)] != [], path


def _beside(one: str, other: str) -> bool:
    # A text of a list is named by its place; another id is one message that goes and one that comes.
    place = one.removesuffix(".id")
    return place.startswith(other) or other.startswith(place)


def mutations(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The value with one thing changed, for each of its things, with the path of the thing."""
    if isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            written = field.alias or name
            place = path if written == "columns" else _joined(path, written)
            for where, changed in mutations(getattr(value, name), place):
                yield where, value.model_copy(update={name: changed})
    elif isinstance(value, Mapping):
        for name in value:
            yield _joined(path, name), {key: value[key] for key in value if key != name}
            for where, changed in mutations(value[name], _joined(path, name)):
                yield where, {**value, name: changed}
    elif isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
        yield path, value[1:]
        for number, each in enumerate(value):
            name = getattr(each, "id", str(number + 1)) if path != "experiment.arms" else ""
            for where, changed in mutations(each, _joined(path, name)):
                yield (
                    path if where == f"{path}.id" or not name else where,
                    (*value[:number], changed, *value[number + 1 :]),
                )
    elif value not in (None, ()):
        yield path, _other(value)


def _joined(path: str, name: str) -> str:
    return ".".join(part for part in (path, name) if part)


def _other(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, Moment):
        return Moment(value.milestone, value.date, value.time, value.offset + 1, value.working)
    if isinstance(value, Wait):
        return Wait(value.count + 1, value.unit)
    if isinstance(value, dt.date):
        return value + dt.timedelta(days=1)
    return (*value, "more") if isinstance(value, tuple) else value + ("x" if isinstance(value, str) else 1)


@settings(max_examples=60)
@given(st.data())
def test_plans_differ_in_named_places_only_if_they_differ(data: st.DataObject) -> None:
    old, new = (data.draw(generated.plans(1, generated.KICKOFFS[0])) for _ in range(2))
    assert (changes_of(old, new) == ()) == (old == new)
    assert len(changes_of(old, new)) == len({change.path for change in changes_of(old, new)})


def test_values_are_as_the_author_wrote_them() -> None:
    new = a_plan(
        send={"channels": ["email"], "holidays": "false", "window": {"to": "18:00"}}, owner=["mia@example.com"]
    )
    assert changes_of(a_plan(), new) == (
        PlanChange("owner", "changed", ["dana@example.com"], ["mia@example.com"]),
        PlanChange("send.window.to", "changed", "16:30", "18:00"),
    )


def test_a_new_message_is_shown_without_what_it_has_by_default() -> None:
    (new,) = changes_of(a_plan(), a_plan(a_message(), a_message(id="new", key_point="Start  here.")))
    written = {"id": "new", "key_point": "Start  here.", "from": "kickoff", "until": "go_live + 14d"}
    cadence = {"every": "48h", "times": 3}
    assert new == PlanChange("messages.new", "added", None, {**written, "cadence": cadence}, "Start here.")
    (gone,) = changes_of(a_plan(a_message(), a_message(id="new", key_point="Start  here.")), a_plan())
    assert (gone.kind, gone.old, gone.new) == ("removed", new.new, None)


def test_the_order_of_roles_is_a_change_for_the_first_that_matches_holds() -> None:
    turned = a_plan(audience={"roles": {"others": {"rest": "true"}, "sales": {"department": ["Sales"]}}})
    assert changes_of(a_plan(), turned) == (
        PlanChange("audience.roles", "changed", ["sales", "others"], ["others", "sales"], "order"),
    )


def test_a_step_that_goes_leaves_the_others_where_they_are() -> None:
    steps = a_plan().model_dump(mode="json")["follow_up"]
    (gone,) = changes_of(a_plan(), a_plan(follow_up=steps[1:]))
    assert (gone.path, gone.kind, gone.old) == ("follow_up.1", "removed", {"after": "2 touches", "do": "remind"})
    (own,) = changes_of(a_plan(), a_plan(a_message(follow_up=[])))
    assert (own.path, own.kind, own.old, own.new) == ("messages.one-record.follow_up", "added", None, [])


def test_templates_are_compared_by_file() -> None:
    found = list(
        template_changes({"wiifm": "a", "gone": "b", "same": "c"}, {"wiifm": "A", "same": "c", "layout.html": ""})
    )
    assert [(change.path, change.kind) for change in found] == [
        ("message_templates/gone.md", "removed"),
        ("message_templates/layout.html", "added"),
        ("message_templates/wiifm.md", "changed"),
    ]


def test_texts_that_take_turns_are_named_by_their_place() -> None:
    one, two = (a_plan(a_message(text=text)) for text in ("One place.", ["One place.", "Log it there."]))
    assert [(each.path, each.old, each.new) for each in changes_of(a_plan(), one)] == [
        ("messages.one-record.text", None, "One place.")
    ]
    assert [(each.path, each.old, each.new) for each in changes_of(one, two)] == [
        ("messages.one-record.text.2", None, "Log it there.")
    ]
    assert changes_of(one, a_plan(a_message(text=["One place."]))) == ()
