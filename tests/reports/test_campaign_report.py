"""The report of a campaign, from facts on record: its books, what it hides, and what the estimates rest on."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from commsengine.cadence.calendar import DAY
from commsengine.cadence.daily_learning import LearnedRoles, count_at
from commsengine.cadence.kinds_and_states import CheckKind, RecallMode
from commsengine.cadence.plan import Workspace
from commsengine.engine.daily_estimates import DailyEstimates
from commsengine.engine.decisions import Decisions
from commsengine.engine.directory import members_of
from commsengine.errors import InputError
from commsengine.recall.learning import nothing
from commsengine.recall.statistics import Share
from commsengine.reports.campaign_report import Report, report
from commsengine.reports.day_figures import told_of_got_it
from commsengine.reports.recall_by_role import RoleView
from commsengine.reports.recall_curves import Mean, MeanParts, mean_of
from commsengine.reports.report_html import headline, page
from commsengine.reports.report_json import as_data
from commsengine.reports.status import status
from commsengine.reports.why import why
from commsengine.store.store import Store
from tests.builders import a_message
from tests.on_record import CHECKS, NOW, RIGHT, STARTED, TYPICAL, WRONG, Given, a_recalled_plan, learn, put_on_record

SMALL = Given({"managers": 7, "sales": 40, "service": 26, "office": 12}, TYPICAL.strength, TYPICAL.answers)
PLAN = a_recalled_plan(
    a_message(
        cadence={"recall_floor": "0.35", "target": "0.6", "by": "go_live"}, until="go_live + 14d", checks=list(CHECKS)
    ),
    a_message(id="promise-once", to=["managers", "sales"], until="go_live", cadence={"every": "96h", "times": "5"}),
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with put_on_record(tmp_path_factory.mktemp("record"), SMALL, PLAN) as store:
        yield store


def seen_in(store: Store, now: dt.datetime = NOW) -> Report:
    return report(store, "crm", now)


@pytest.fixture(scope="module")
def seen(store: Store) -> Report:
    return seen_in(store)


def role(seen: Report, name: str, message: int = 0) -> RoleView:
    return next(role for role in seen.messages[message].roles if role.role == name)


def run_sql(store: Store, *statements: str) -> None:
    with store.database.write() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def test_its_books_are_those_of_status(tmp_path: Path) -> None:
    given = replace(SMALL, people={"managers": 11, "sales": 14, "service": 12, "office": 12})
    with put_on_record(tmp_path, given, PLAN) as store:
        run_sql(store, "UPDATE touch SET kind = 'personal', channel = 'personal', rung = 1 WHERE number = 4")
        run_sql(store, "UPDATE touch SET state = 'failed' WHERE number = 5 AND person_id < 'p00009'")
        seen = seen_in(store)
        books = status(store, NOW)["campaigns"][0]
    totals = [message.total for message in seen.messages if message.total]
    assert [total.all_roles for total in totals] == [True, True]
    assert sum(total.counts.touches + total.counts.by_hand for total in totals) == books["touches"]["sent"]
    assert sum(total.counts.by_hand for total in totals) == 49 + 25  # everybody once of either message
    assert sum(total.counts.acknowledged for total in totals) == books["acknowledged"]
    assert seen.people == books["audience"] == 49
    for message in seen.messages:
        shown = [each for each in message.roles if each.shown]
        assert message.total
        assert sum(each.counts.touches for each in shown) == message.total.counts.touches
        assert sum(each.people for each in shown) == message.total.people
    assert sum(week.touches for week in seen.weeks) == sum(total.counts.touches for total in totals)
    assert sum(week.acknowledged for week in seen.weeks) == books["acknowledged"]


def test_understood_is_counted_from_the_answers_on_record(store: Store, seen: Report) -> None:
    given = [each for each in store.answers.to_checks("crm") if each.role == "sales"]
    weeks, right = role(seen, "sales").weeks, role(seen, "sales").right
    for week in weeks:
        own = {each.person_id: each.right for each in given if week.since <= each.at < week.until}
        assert week.right == Share(sum(own.values()), len(own))
    assert len(weeks) > 1
    assert right
    assert weeks[-1].right.of <= right.of <= sum(week.right.of for week in weeks)


def test_a_role_of_seven_is_hidden_everywhere(seen: Report) -> None:
    for message in seen.messages:
        hidden = next(each for each in message.roles if each.role == "managers")
        assert hidden == RoleView("managers", 7, shown=False)
        assert message.total
        assert (message.total.all_roles, message.total.people) == (False, sum(e.people for e in message.roles) - 7)
        assert message.total.counts.touches == sum(each.counts.touches for each in message.roles if each.counts)
    data = next(each for each in as_data(seen)["messages"][0]["roles"] if each["role"] == "managers")
    assert {name for name, value in data.items() if value not in (None, [], True, 7)} == {"role"}
    assert seen.weeks[0].touches == 3 * (78 + 40)


def test_two_small_roles_are_in_the_total_only_if_they_are_ten_together(tmp_path: Path) -> None:
    for sizes, people in (((4, 5), 66), ((5, 5), 76)):
        folder = tmp_path / f"{sizes[0]}"
        folder.mkdir()
        given = replace(
            SMALL, people={"managers": sizes[0], "sales": 40, "service": 26, "office": sizes[1]}, days=(0, 1)
        )
        with put_on_record(folder, given) as store:
            total = seen_in(store).messages[0].total
        assert total
        assert (total.people, total.counts.touches) == (people, 2 * people)


def test_of_fewer_than_ten_people_nothing_is_told(tmp_path: Path) -> None:
    with put_on_record(
        tmp_path, replace(SMALL, people={"managers": 3, "sales": 2, "service": 2, "office": 2})
    ) as store:
        seen = seen_in(store)
    assert (seen.messages[0].total, seen.weeks) == (None, ())
    assert headline(seen)[0] == "Too few people to report on"


def test_nobody_is_named_on_the_page_or_in_the_data(seen: Report) -> None:
    for text in (page(seen), json.dumps(as_data(seen), default=str)):
        assert not any(word in text for word in ("p0000", "@example.com", "Person 1", "Mia Wolf"))


def test_whether_an_answer_of_the_open_week_is_right_changes_nothing(store: Store, seen: Report) -> None:
    """Neither count nor estimate: what one person answered since the last report cannot be found out."""
    now = NOW - 2 * DAY  # Saturday: this week's block is open
    before = seen_in(store, now)
    flip = "UPDATE answer SET \"right\" = NOT \"right\" WHERE kind = 'check' AND at >= '2027-01-25'"
    run_sql(store, flip)
    after = seen_in(store, now)
    run_sql(store, flip)
    assert before == after
    assert before != seen


@pytest.mark.parametrize("days", [0, 7], ids=["first block", "others before"])
def test_what_was_learned_from_the_one_answer_of_yesterday_moves_no_figure(tmp_path: Path, days: int) -> None:
    """The engine learns from it at once and sends by it; whoever compares two days must not tell which way it went."""
    given = replace(SMALL, days=(0, 1, 8, 9) if days else (19, 20))
    at, told = NOW + dt.timedelta(days=1), []
    for right in (True, False):
        with put_on_record(tmp_path, given, PLAN, file=f"{right}.db") as store:
            learn(store, NOW)
            answered = {given.person_id for given in store.answers.to_checks("crm")}
            quiet = [row for row in store.touches.list("crm") if row.person_id not in answered]
            said = {one.key for row in quiet for one in store.answers.of_person(row.person_id or "")}
            touch = next(row for row in quiet if (row.role, row.number) == ("service", 2) and row.key not in said)
            assert touch.person_id
            store.answers.record(
                touch.person_id, "crm", touch.message, touch.key, "check", value=RIGHT if right else WRONG, right=right,
                evidence="link", by=touch.person_id, now=at,
            )  # fmt: skip
            later = at + 2 * DAY
            DailyEstimates(store, "person").publish([record.plan for record in store.campaigns.all()], later)
            assert store.estimates.latest("crm").counted_at == count_at(later)
            figures = as_data(seen_in(store, later)), status(store, later, recall=True)["campaigns"][0]["recall"]
            told.append((store.estimates.latest("crm").roles["service"], figures))
    assert told[0][0] != told[1][0]
    assert told[0][1] == told[1][1]


def test_whoever_leaves_takes_no_answer_out_of_the_counts(tmp_path: Path) -> None:
    given = replace(SMALL, people={"managers": 11, "sales": 30, "service": 12, "office": 12})
    with put_on_record(tmp_path, given) as store:
        before = role(seen_in(store), "sales")
        gone = next(each.person_id for each in store.answers.to_checks("crm") if each.role == "sales")
        person = store.people.by_id(gone)
        assert person
        store.people.save([replace(person, left=NOW.date())], by="dana", now=NOW)
        after = role(seen_in(store), "sales")
    assert (after.people, after.right, after.weeks) == (before.people - 1, before.right, before.weeks)


def test_status_estimates_what_the_report_does(store: Store, seen: Report) -> None:
    told = {each["role"]: each for each in status(store, NOW, recall=True)["campaigns"][0]["recall"]}
    for name in ("sales", "service", "office"):
        own = role(seen, name)  # of the one message by recall
        assert own.recall
        assert told[name]["mean"] == round(own.recall.mean, 3)
        assert (told[name]["low"], told[name]["high"]) == (round(own.recall.low, 3), round(own.recall.high, 3))
        assert told[name]["checks"] == (own.right.of if own.right else None)
        assert told[name]["right"] == (own.right.count if own.right else None)
    assert told["managers"] == {
        "role": "managers", "hidden": True, "people": 7, "mean": None, "low": None, "high": None, "checks": None,
        "right": None, "tested": None,
    }  # fmt: skip


def test_a_campaign_that_is_over_has_no_estimate_in_status(tmp_path: Path) -> None:
    with put_on_record(tmp_path, replace(SMALL, days=(0,))) as store:
        store.campaigns.cancel("crm", by="dana", now=NOW)
        assert status(store, NOW, recall=True)["campaigns"][0]["recall"] == []


def test_the_line_begins_with_the_first_touch_and_falls_if_nothing_more_is_sent(seen: Report) -> None:
    line = role(seen, "sales").line
    assert line[0].at.date() == STARTED.date()
    assert line[0].mean == 0.0
    assert line[-1].at == seen.messages[0].closes
    ahead = [point.mean for point in line if point.at >= NOW]
    assert ahead == sorted(ahead, reverse=True)
    assert len(ahead) > 5
    assert all(0 <= point.low <= point.mean <= point.high <= 1 for point in line)
    assert {NOW, seen.messages[0].by} <= {point.at for point in line}


def a_moment(recalls: list[float], people: int, hypotheses: tuple[float, float] = (0.4, 0.4)) -> MeanParts:
    return MeanParts(NOW, people, recalls, hypotheses, (0.5, 0.5))


def test_an_interval_adds_up_hypotheses_the_known_miss_and_chance() -> None:
    def width(*moments: MeanParts) -> float:
        return (mean_of(moments).high - mean_of(moments).low) / (2 * 1.959964)

    assert mean_of([a_moment([0.4] * 96, 96)]).mean == pytest.approx(0.4)
    assert width(a_moment([0.4] * 96, 96)) == pytest.approx((0.06**2 + 0.0025) ** 0.5)
    assert width(a_moment([0.4] * 96, 96, (0.3, 0.5))) == pytest.approx((0.06**2 + 0.0025 + 0.01) ** 0.5)
    some = [0.2, 0.6] * 24  # of 96 people 48 are looked at, who differ by .2
    assert width(a_moment(some, 96)) == pytest.approx((0.06**2 + 0.2 / 96 + 0.04 / 48 / 2) ** 0.5)
    both = mean_of([a_moment([0.4] * 96, 96), a_moment([0.6] * 96, 96, (0.6, 0.6))])
    assert (both.mean, both.high < mean_of([a_moment([0.6] * 96, 96, (0.6, 0.6))]).high) == (pytest.approx(0.5), True)


def test_fewer_people_make_a_wider_interval(seen: Report) -> None:
    sales, office = role(seen, "sales").recall, role(seen, "office").recall
    assert sales
    assert office
    assert office.high - office.mean > sales.high - sales.mean


def test_a_curve_is_assumed_until_forecasts_beat_the_average(tmp_path: Path) -> None:
    with put_on_record(tmp_path, SMALL) as store:
        assert [each.tested for each in seen_in(store).messages[0].roles] == [False] * 4
        learned = replace(nothing(), checks=80, forecasts=60, right=30, error=12.0)
        worse = replace(learned, error=15.1)
        at = NOW - DAY
        store.estimates.publish("crm", LearnedRoles(at, at, {"sales": learned, "service": worse}))
        seen = seen_in(store)
    assert (role(seen, "sales").tested, role(seen, "sales").checks) == (True, 80)
    assert not role(seen, "service").tested
    text = page(seen)
    assert "tested for this role (80 checks)" in text
    assert "assumed curve (80 checks)" in text


def test_days_are_those_of_the_plans_zone(tmp_path: Path) -> None:
    plan = a_recalled_plan(send={"channels": ["email"], "time_zone": "Europe/Berlin"})
    with put_on_record(tmp_path, replace(SMALL, days=(0,)), plan) as store:
        text = page(seen_in(store))
    assert "Mon 11 Jan 2027 to Tue 2 Mar 2027 · floor 35 %, target 60 % by Tue 16 Feb 2027" in text


def test_a_message_that_was_not_sent_has_no_estimate(tmp_path: Path) -> None:
    with put_on_record(tmp_path, replace(SMALL, days=())) as store:
        seen = seen_in(store)
    assert (role(seen, "sales").recall, role(seen, "sales").line, seen.weeks) == (None, (), ())
    assert headline(seen)[0] == "Nothing has been sent yet"
    assert "not sent yet" in page(seen)


def test_without_a_floor_and_without_tests_no_role_is_singled_out(tmp_path: Path) -> None:
    fixed = a_recalled_plan(a_message(cadence={"every": "48h"}, until="go_live + 14d", checks=list(CHECKS)))
    with put_on_record(tmp_path, replace(SMALL, days=(0, 1, 4)), fixed) as store:
        title, lines = headline(seen_in(store))
        counted = [one.counts for one in seen_in(store).messages[0].roles if one.counts]
    said, reached = sum(one.acknowledged for one in counted), sum(one.reached for one in counted)
    assert title == f"{said} of {reached} confirmed"
    assert "not tested yet" in lines[1]


@pytest.mark.parametrize("means", [(0.4, 0.55), (0.401, 0.404)])
def test_without_a_floor_the_lowest_estimate_is_named_if_there_is_one(seen: Report, means: tuple[float, float]) -> None:
    known = [Mean(NOW, mean, mean - 0.1, mean + 0.1) for mean in means]
    roles = [
        replace(role(seen, name), recall=recall, tested=True)
        for name, recall in zip(("sales", "service"), known, strict=True)
    ]
    title, lines = headline(replace(seen, messages=(replace(seen.messages[0], floor=None, roles=tuple(roles)),)))
    if means[0] == 0.4:
        assert (title, lines[1].partition(",")[0]) == ("Lowest estimate: sales", "Highest estimate: service")
        assert lines[0].startswith("An estimated 40 % of the 40 people in sales still know")
    else:
        assert title.endswith("confirmed")


def test_who_always_says_got_it_is_counted_by_role_from_ten_people_up(tmp_path: Path) -> None:
    asked = a_recalled_plan(a_message(cadence={"every": "48h"}, until="go_live + 14d", checks=list(CHECKS)))
    quiet = replace(SMALL, answers=dict.fromkeys(SMALL.people, 0.0), days=(0, 1, 4))
    with put_on_record(tmp_path, quiet, asked) as store:
        run_sql(store, "DELETE FROM answer")
        people = {name: [p.id for p, r in members_of(store, asked, NOW.date()) if r == name] for name in SMALL.people}
        for name, often in (("sales", 3), ("service", 2), ("managers", 5)):
            for person in people[name][:6]:
                for n in range(often):
                    answered(store, person, "acknowledged", f"k{n}")
        answered(store, people["sales"][0], "check", "k9")  # one of the six does answer
        seen = seen_in(store)
        told = list(told_of_got_it(list(seen.got_it_only), seen.record.plan.audience))
    assert [(each.role, each.people, each.only) for each in seen.got_it_only] == [
        ("sales", 40, 5), ("service", 26, 0), ("office", 12, 0),
    ]  # fmt: skip
    assert told == ["People who always press “Got it” and never answer a question: 5 of 40 in Sales."]
    assert as_data(seen)["got_it_only"][0] == {"role": "sales", "people": 40, "only": 5, "share": 0.125}
    assert "12 % (5)" in page(seen)
    assert "managers" not in str([each.role for each in seen.got_it_only])


def answered(store: Store, person: str, kind: str, key: str) -> None:
    store.answers.record(person, "crm", "one-record", key, kind, evidence="link", by=person, now=NOW - DAY)


def test_in_the_first_week_no_floor_is_missed(tmp_path: Path) -> None:
    given = replace(SMALL, days=(0, 1))
    with put_on_record(tmp_path, given) as store:
        early, later = (seen_in(store, STARTED + days * DAY) for days in (6, 8))
    assert [role(seen, "sales").ramp for seen in (early, later)] == [True, False]
    title, lines = headline(early)
    assert title == "The first messages are on their way"
    assert "its floor is 35" in lines[1]
    assert ('class="low"' in page(early), "first week: no floor yet" in page(early)) == (False, True)
    assert "attention: " in headline(later)[0]
    assert ('class="low"' in page(later), "first week: no floor yet" in page(later)) == (True, False)


def test_departments_that_answer_differently_are_named(store: Store, seen: Report) -> None:
    assert seen.messages[1].alike.verdict == "too few answers"  # it has no question
    wrong = "UPDATE answer SET value = 'Nowhere', \"right\" = FALSE"
    run_sql(store, f"{wrong} WHERE person_id BETWEEN 'p00047' AND 'p00072' AND kind = 'check'")
    apart = seen_in(store).messages[0].alike  # in the office fewer than ten have answered
    assert (apart.verdict, apart.differ, set(apart.groups)) == ("not alike", ("Sales", "Support"), {"Sales", "Support"})
    assert "Not understood alike." in page(seen_in(store))


def test_questions_with_the_same_answers_are_told_apart_by_their_touch(tmp_path: Path) -> None:
    asked = [
        {"question": q, "answers": ["Yes", "No"], "right": "Yes", "because": "So it is."} for q in ("Now?", "All?")
    ]
    plan = a_recalled_plan(a_message(checks=asked, check_every=1, until="go_live"))
    quiet = replace(SMALL, answers=dict.fromkeys(SMALL.people, 0.0))
    with put_on_record(tmp_path, quiet, plan) as store:
        for touch in store.touches.list("crm"):
            if touch.role in ("sales", "service") and touch.number <= 2 and touch.person_id:
                said = "No" if (touch.role, touch.number) == ("service", 1) else "Yes"  # of the first, one half says no
                store.answers.record(
                    touch.person_id, "crm", touch.message, touch.key, "check", value=said, right=said == "Yes",
                    evidence="link", by=touch.person_id, now=touch.due_at + dt.timedelta(hours=1),
                )  # fmt: skip
        apart = seen_in(store).messages[0].alike
        assert (apart.verdict, apart.differ) == ("not alike", ("Sales", "Support"))


def test_answers_to_a_question_that_was_reworded_are_not_compared(tmp_path: Path) -> None:
    with put_on_record(tmp_path, SMALL, PLAN) as store:
        assert len(seen_in(store).messages[0].alike.groups) == 2
        run_sql(store, "UPDATE answer SET value = 'In ' || value")
        assert seen_in(store).messages[0].alike.verdict == "too few answers"
        assert role(seen_in(store), "sales").right  # it was right when it was given


def test_what_the_plan_has_lost_since_is_in_no_report(tmp_path: Path) -> None:
    with put_on_record(tmp_path, SMALL, PLAN) as store:
        asking, other = PLAN.messages
        bare = PLAN.model_copy(update={"messages": (asking.model_copy(update={"checks": ()}), other)})
        gone = PLAN.model_copy(update={"messages": (other,)})
        for plan, messages in ((bare, 2), (gone, 1)):
            store.campaigns.save_version(plan, {}, "", introduced={}, by="dana", now=NOW)
            seen = seen_in(store)
            assert (len(seen.messages), role(seen, "sales").right) == (messages, None)


def test_an_unknown_campaign_is_told_with_the_near_names(store: Store) -> None:
    with pytest.raises(InputError, match="crm"):
        report(store, "crn", NOW)


@pytest.mark.parametrize("mode", ["role", "person"])
def test_why_says_what_the_next_touch_is_for_and_no_figure(tmp_path: Path, mode: RecallMode) -> None:
    with put_on_record(
        tmp_path, replace(SMALL, people={"managers": 2, "sales": 8, "service": 8, "office": 2})
    ) as store:
        decisions = Decisions(store, Workspace(recall=mode))
        told = [why(store, decisions, f"p{n:05d}", NOW)["campaigns"][0]["messages"][0] for n in range(20)]
    timings = {each["timing"] for each in told}
    own = mode == "person"
    by = "by the curve of the role (an assumed curve)" + (" and by their own answers to checks." if own else ".")
    assert any(f"before the person is likely to forget it, {by}" in t for t in timings)
    assert any("so that the person is likely to know it on Tue 16 Feb, by the curve" in t for t in timings) == own
    text = json.dumps(told)
    assert not any(word in text for word in ("%", "0.", "right", "wrong", "recalled"))


@pytest.mark.parametrize("people", [16, 9])
def test_what_was_right_before_and_in_a_new_case_is_shown_from_ten_answers_up(tmp_path: Path, people: int) -> None:
    kinds: tuple[tuple[CheckKind, int, int], ...] = (("baseline", 1, 3), ("transfer", 2, 7))
    with put_on_record(tmp_path, replace(SMALL, answers=dict.fromkeys(SMALL.people, 0.0)), PLAN) as store:
        for kind, number, right in kinds:
            own = (PLAN.messages[0].id, "sales", number)
            rows = [row for row in store.touches.list("crm") if (row.message, row.role, row.number) == own]
            for place, row in enumerate(rows[:people]):
                about = (row.person_id or "", "crm", row.message, row.key, "check")
                store.answers.record(
                    *about, right=place < right, evidence="link", measures=kind, by="x", now=NOW - 10 * DAY
                )
        seen = seen_in(store)
    found = role(seen, "sales")
    shown = [each.count if each else None for each in (found.before, found.transfer)]
    assert [each is not None and each > 0 for each in shown] == [people == 16] * 2  # some had said "got it" before
    assert (found.right, "in a new case" in page(seen)) == (None, people == 16)


def test_where_recall_is_off_nothing_is_estimated_or_told_of_answers(tmp_path: Path) -> None:
    with put_on_record(tmp_path, SMALL, PLAN) as store:
        seen = report(store, "crm", NOW, "off")
    assert headline(seen)[0] == "Messages and answers"
    assert all((each.right, each.recall, each.line) == (None, None, ()) for each in seen.messages[0].roles)
    assert "not estimated" in page(seen)
