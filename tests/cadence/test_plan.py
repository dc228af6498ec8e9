from typing import Any

import pytest
from pydantic import ValidationError

from commsengine.cadence.plan import BlackOut, Budget, Cadence, Check, Input, Message, Phase, Plan, Rung, Window
from tests.builders import a_message, a_plan


def test_a_plan_comes_back_from_its_stored_form() -> None:
    plan = a_plan(a_message(until="go_live 12:00 - 2 working days", input={"question": "What?"}, ask="input"))
    assert Plan.model_validate(plan.model_dump(mode="json")) == plan


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"cadence": {"every": "12h"}}, "at least 24h"),
        ({"cadence": {"every": "48h", "recall_floor": 0.3}}, "exactly one"),
        ({"cadence": {}}, "exactly one"),
        ({"cadence": {"every": "48h", "target": 0.6}}, "belong to 'recall_floor'"),
        ({"ask": "input"}, "needs 'input"),
        ({"ask": "check"}, "needs at least one of 'checks'"),
        ({"link": "http://example.com"}, "https://"),
        ({"colour": "red"}, "Extra inputs"),
        ({"follow_up": [{"after": "2 touches", "do": "personal", "channel": "email"}]}, "only 'do: remind'"),
    ],
)
def test_what_one_field_cannot_mean_is_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Message.model_validate(a_message(**changes))


@pytest.mark.parametrize("window", [{"from": "16:00", "to": "09:00"}, {"from": "09:00", "to": "09:00"}, {"days": []}])
def test_a_window_opens_before_it_closes(window: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="window"):
        Window.model_validate(window)


def test_a_window_may_last_to_the_end_of_the_day() -> None:
    assert Window.model_validate({"from": "20:00", "to": "24:00"}).end == 24 * 60


@pytest.mark.parametrize("days", ["mon-fri", ["mon-fri"], ["mon-wed", "thu", "Friday"], "mon tue wed thu fri"])
def test_days_may_be_a_stretch(days: object) -> None:
    assert Window.model_validate({"days": days}) == Window()


@pytest.mark.parametrize(("written", "share"), [("50%", 0.5), ("12,5 %", 0.125), ("0.5", 0.5), (0.5, 0.5)])
def test_a_share_may_be_in_percent(written: object, share: float) -> None:
    cadence = {"recall_floor": written, "target": written, "by": "go_live"}
    assert (Cadence.model_validate(cadence).recall_floor, Cadence.model_validate(cadence).target) == (share, share)
    phase = Phase.model_validate({"until": "go_live", "reach": {"one-record": {"answered": written}}})
    assert phase.reach["one-record"]["answered"] == share


def test_max_late_leaves_time_to_send() -> None:
    with pytest.raises(ValidationError, match="at least 15m"):
        a_plan(send={"max_late": "5m"})


def test_a_choice_needs_choices() -> None:
    with pytest.raises(ValidationError, match="two 'choices'"):
        Input.model_validate({"question": "Which?", "kind": "choice", "choices": ["this"]})


@pytest.mark.parametrize("answers", [["a", "b"], ["c", "c"]])
def test_the_right_answer_is_one_of_different_answers(answers: list[str]) -> None:
    with pytest.raises(ValidationError):
        Check.model_validate({"question": "?", "answers": answers, "right": "c", "because": "So."})


def test_a_message_that_asks_nothing_has_no_ladder() -> None:
    plan = a_plan(a_message(ask="nothing"), a_message(id="two"), a_message(id="three", follow_up=[]))
    assert [len(plan.ladder(message)) for message in plan.messages] == [0, 3, 0]


def test_a_message_overrides_single_fields_of_a_roles_texts() -> None:
    plan = a_plan(a_message(wiifm={"sales": {"why": "Fewer forms."}}))
    wiifm = plan.wiifm_for(plan.messages[0], "sales")
    assert (wiifm.why, wiifm.your_job) == ("Fewer forms.", "You log each call once.")


@pytest.mark.parametrize(
    "written", ["2027-03-30", "2027-03-30..2027-03-30", {"first": "2027-03-30", "last": "2027-03-30"}]
)
def test_a_black_out_is_a_day_or_a_range(written: object) -> None:
    assert BlackOut.model_validate(written).model_dump(mode="json", exclude={"because"}) == {
        "first": "2027-03-30",
        "last": "2027-03-30",
    }


def test_defaults_are_those_of_the_plan_reference() -> None:
    send = a_plan(send={}).send
    assert (send.channels, send.max_late, send.at_most) == (("slack", "email"), 240, Budget(per_day=1, per_week=3))
    assert (send.window.start, send.window.end, send.time_zone) == (540, 990, "UTC")
    assert (Cadence(every="48h").every, Rung(after="1 touch", do="personal").by) == (2880, "manager")  # type: ignore[arg-type]
