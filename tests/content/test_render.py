from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from gettext import NullTranslations
from typing import Any

import pytest

from commsengine.cadence.history import Briefing
from commsengine.cadence.plan import Plan
from commsengine.campaigns.moved_dates import notice_of
from commsengine.content.person_values import Signers
from commsengine.content.render import Renderer
from commsengine.errors import RenderError
from commsengine.links import Links
from tests.builders import ANA, BEN, MIA, a_message, a_plan, translated, utc
from tests.content.desk import (
    CAST,
    CHECK,
    DANA,
    MESSAGES,
    RENDERER,
    SHIPPED,
    WIIFM,
    a_full_plan,
    a_renderer,
    a_touch,
    written,
)
from tests.pseudo import in_place_of

KEY = a_touch().key


def first_link(text: str) -> str:
    found = re.search(r"https?://\S+", text)
    assert found
    return found[0]


def test_the_first_touch_has_key_point_why_and_your_job() -> None:
    text = written().text
    assert "Every customer conversation is logged in one record." in text
    assert "Hello Ben," in text
    assert "Two lists cost us orders." in text
    assert "You log each call once." in text
    assert "A one-hour course." not in text


def test_a_later_touch_takes_another_angle() -> None:
    text = written(number=2).text
    assert "A one-hour course." in text
    assert "Two lists cost us orders." not in text


@pytest.mark.parametrize("message", MESSAGES)
@pytest.mark.parametrize("kind", ["message", "remind"])
def test_the_first_link_of_the_text_is_the_answer_page(message: str, kind: str) -> None:
    touch = a_touch(message, 2, kind=kind)
    shown = RENDERER.touch(touch, replace(BEN, name="https://evil.example.com/"), CAST)
    page = first_link(shown.text)
    assert page.startswith("https://comms.example.com/a/")
    token = page.rsplit("/", 1)[1]
    assert Links("https://comms.example.com", ["key"]).read("answer", token, utc("2027-03-01")).key == touch.key


def test_the_html_has_one_button_a_question_link_and_settings() -> None:
    html = written().html
    links = re.findall(r'<a href="([^"]*)"[^>]*>([^<]*)</a>', html)
    page = first_link(written().text)
    assert [words for _, words in links] == ["Got it", "I have a question", "My messages and settings"]
    assert [address for address, _ in links][:2] == [page, f"{page}#question"]
    assert links[2][0].startswith("https://comms.example.com/m")


def footer(message: str = "one-record", renderer: Renderer = RENDERER, signers: Signers = CAST, **changes: Any) -> str:
    shown = renderer.touch(a_touch(message, **changes), BEN, signers)
    return shown.text.rsplit("\n----\n", 1)[1].split("My messages", 1)[0].strip()


def test_the_footer_is_one_sentence_about_why_and_who_sees_it() -> None:
    assert footer() == (
        'You get this as "Sales" in One customer record; Dana sees whether you answered, and if you do not, your '
        "manager is asked to talk to you."
    )
    assert footer("news") == 'You get this as "Sales" in One customer record; no answer is needed.'
    assert footer(signers=Signers(DANA)) == (
        'You get this as "Sales" in One customer record; Dana sees whether you answered, and may call you if you do '
        "not."
    )


def test_a_footer_names_the_role_by_its_title() -> None:
    roles = {"sales": {"title": "Everybody who sells", "department": "Sales"}, "others": {"rest": True}}
    named = a_renderer(a_full_plan(audience={"roles": roles}))
    assert footer("news", named) == 'You get this as "Everybody who sells" in One customer record; no answer is needed.'


def test_the_page_says_why_how_often_and_when_again() -> None:
    touch = a_touch(again_at=utc("2027-01-13 14:00"))
    assert RENDERER.why_me(touch, BEN, CAST) == (
        'You get this as "Sales" in One customer record, which Dana Reyes leads.',
        "Dana sees whether you answered.",
        "If you do not answer, your manager is asked to talk to you; Dana reads the result.",
        "You get this every 2 days, at most 3 times.",
        "Next time: Wednesday, 13 January 2027.",
        "We do not track whether you open a message.",
    )
    assert "If you do not answer, Dana may call you." in RENDERER.why_me(touch, BEN, Signers(DANA))
    assert not any("Next time" in said for said in RENDERER.why_me(a_touch(again_at=None), BEN, CAST))


def test_the_footer_of_what_asks_for_an_answer_says_who_reads_it() -> None:
    for message in ("input", "choice", "commit"):
        assert footer(message) == (
            'You get this as "Sales" in One customer record; Dana reads your answer with your name, and if you do not '
            "answer, your manager is asked to talk to you."
        )
    assert "Dana reads every answer, with your name." in written("input").text
    several = a_renderer(a_full_plan(owner=["dana@example.com", "tom@example.com"]))
    text = several.touch(a_touch("input"), BEN, CAST).text
    assert "Dana and the others who lead this read every answer, with your name." in text


def test_who_has_no_manager_is_not_told_of_one() -> None:
    for message in ("one-record", "input"):
        assert "your manager" not in written(message, signers=Signers(DANA)).text


def test_next_time_is_the_persons_local_date_in_their_language_if_the_campaign_is_written_in_it() -> None:
    touch, german = a_touch(again_at=utc("2027-01-13 20:00")), replace(ANA, language="de-DE")
    assert "Next time: Thursday, 14 January 2027." in RENDERER.why_me(touch, german, CAST)
    with in_place_of("de", NullTranslations()):
        renderer = a_renderer(translated(a_full_plan(), "de"))
        assert "Next time: Donnerstag, 14. Januar 2027." in renderer.why_me(touch, german, CAST)


def test_a_reminder_is_shorter_and_says_so() -> None:
    wiifm = dict.fromkeys(
        WIIFM, "Two lists cost us orders every week, and nobody sees it before an angry customer calls us."
    )
    renderer = a_renderer(a_plan(wiifm={"sales": wiifm}))
    reminder = renderer.touch(a_touch(number=2, kind="remind"), BEN, CAST)
    message = renderer.touch(a_touch(), BEN, CAST)
    assert reminder.subject == "Reminder: Every customer conversation is logged in one record."
    assert "friendly reminder" in reminder.text
    assert len(reminder.text.split()) < len(message.text.split())


def test_an_input_request_shows_its_question_and_choices() -> None:
    assert "> What must never get harder?" in written("input").text
    assert "- One\n- Two" in written("choice").text
    assert ">Give your answer</a>" in written("input").html


def test_a_check_does_not_give_its_answer_away() -> None:
    text = written("check", number=2, kind="remind").text + written("check").text
    assert "Where do you log a call?" in text
    assert "Every customer conversation" not in text


def test_a_message_that_asks_for_nothing_has_no_button() -> None:
    assert "Got it" not in written("news").html
    assert ">I have a question</a>" in written("news").html


def test_a_correction_says_what_no_longer_holds() -> None:
    shown = written("fixed", corrects="one-record")
    assert shown.subject.startswith("Correction: ")
    assert (
        "We told you before: Every customer conversation is logged in one record. This is no longer true." in shown.text
    )


def test_plan_texts_use_person_and_milestones() -> None:
    shown = written("personal")
    assert shown.subject == "Ben Ortiz, one list for Sales"
    assert "Ben, go-live is Monday, 15 March 2027." in shown.text
    assert "page <https://x.example.com/Ben%20Ortiz>" in shown.text
    assert 'href="https://intranet.example.com/?a=1&amp;b=2"' in shown.html


@pytest.mark.parametrize(
    ("message", "signers", "name", "reply_to"),
    [
        ("one-record", CAST, "Dana Reyes", "dana@example.com"),
        ("personal", CAST, "Mia Wolf", "mia@example.com"),
        ("news", CAST, "Sam Okafor", "sam@example.com"),
        ("personal", Signers(DANA), "Dana Reyes", "dana@example.com"),
        ("news", Signers(DANA, MIA), "Dana Reyes", "dana@example.com"),
    ],
)
def test_the_sender_is_whom_the_message_names_or_the_lead(
    message: str, signers: Signers, name: str, reply_to: str
) -> None:
    shown = written(message, signers=signers)
    assert (shown.sender_name, shown.reply_to) == (name, reply_to)


def test_all_replies_may_go_to_the_lead() -> None:
    send = RENDERER.plan.send.model_copy(update={"reply_to": "lead"})
    renderer = a_renderer(RENDERER.plan.model_copy(update={"send": send}))
    shown = renderer.touch(a_touch("news"), BEN, CAST)
    assert (shown.sender_name, shown.reply_to) == ("Sam Okafor", "dana@example.com")


def test_a_long_key_point_makes_a_short_subject() -> None:
    plan = a_plan(
        a_message(
            key_point="From go-live on, every single customer conversation is logged once, in **one** shared record."
        )
    )
    subject = a_renderer(plan).touch(a_touch(), BEN, CAST).subject
    assert subject == "From go-live on, every single customer conversation is logged once, in one…"
    assert len(subject) <= 78


def test_every_attempt_is_the_same_message() -> None:
    assert written() == written()
    assert written().date == a_touch().due_at


def test_each_person_gets_their_own_words() -> None:
    plan = a_plan(
        a_message(
            text="{% if person.department == 'Sales' %}You sell.{% else %}You build, {{ person.job|lower }}.{% endif %}"
        )
    )
    renderer = a_renderer(plan)
    shown = [renderer.touch(a_touch(), person, CAST).text for person in (BEN, ANA, replace(ANA, job="Tester"), BEN)]
    assert [re.findall(r"You sell\.|You build, \w+\.", text) for text in shown] == [
        ["You sell."], ["You build, engineer."], ["You build, tester."], ["You sell."],
    ]  # fmt: skip


def test_an_optional_value_shows_only_for_those_who_have_it() -> None:
    plan = a_plan(a_message(text="Hi.{% if person.depot %} Depot {{ person.depot }}.{% endif %}"))
    renderer = a_renderer(plan)
    with_depot = replace(BEN, attributes={"depot": "North"})
    assert "Depot" not in renderer.touch(a_touch(), BEN, CAST).text
    assert "Depot North." in renderer.touch(a_touch(), with_depot, CAST).text
    assert "Depot South." in renderer.touch(a_touch(), replace(BEN, attributes={"depot": "South"}), CAST).text


def test_a_column_the_person_does_not_have_is_an_error_with_its_place() -> None:
    renderer = a_renderer(a_plan(a_message(text="Hi.\n\nYour depot is {{ person.depot }}.")))
    with pytest.raises(RenderError, match=r"^messages\[0\]\.text:3: 'person\.depot' is not defined for this person"):
        renderer.touch(a_touch(), BEN, CAST)


def test_an_undefined_name_in_a_template_names_the_line_and_what_is_near() -> None:
    renderer = a_renderer(templates={**SHIPPED, "wiifm": "# x\n\n{{ key_pont }}"})
    with pytest.raises(
        RenderError, match=r"^wiifm\.md:3: 'key_pont' is not defined\. Did you mean key_point or key_points\?$"
    ):
        renderer.touch(a_touch(), BEN, CAST)


def test_a_missing_template_names_the_known_ones() -> None:
    renderer = a_renderer(a_plan(a_message(template="launch")))
    with pytest.raises(RenderError, match=r"no template 'launch'.*wiifm"):
        renderer.touch(a_touch(), BEN, CAST)


def test_a_workspace_template_is_used() -> None:
    renderer = a_renderer(templates={**SHIPPED, "wiifm": "# {{ key_point }}\n\nOur own words for {{ person.name }}."})
    assert "Our own words for Ben Ortiz." in renderer.touch(a_touch(), BEN, CAST).text


def test_mail_has_no_image_no_script_no_outside_asset() -> None:
    for message in MESSAGES:
        html = written(message).html
        assert not re.search(r"<(img|script|link|iframe|form)\b|url\(|@import|src=", html)


def test_mail_is_ready_for_dark_mode_small_screens_and_old_clients() -> None:
    html = written().html
    assert '<meta name="color-scheme" content="light dark">' in html
    assert "@media (prefers-color-scheme: dark)" in html
    assert "@media only screen and (max-width: 480px)" in html
    assert html.index('<meta charset="utf-8">') < 1024
    assert re.search(r'<h1 style="[^"]*font-size: 24px', html)


def test_an_optional_campaign_can_be_left_and_no_other() -> None:
    assert written().unsubscribe_url == ""
    optional = a_renderer(a_full_plan(optional="true"))
    assert optional.touch(a_touch(), BEN, CAST).unsubscribe_url.startswith("https://comms.example.com/u/")


def test_links_say_how_often_the_persons_were_revoked() -> None:
    shown = RENDERER.touch(a_touch("one-record", 1), replace(BEN, revoked=2), CAST)
    token = first_link(shown.text).rsplit("/", 1)[1]
    assert Links("https://comms.example.com", ["key"]).read("answer", token, utc("2027-03-01")).revoked == 2


def test_links_outlive_the_campaign_by_a_month() -> None:
    token = first_link(written().text).rsplit("/", 1)[1]
    assert Links("https://comms.example.com", ["key"]).read("answer", token, utc("2027-04-28")).key == KEY


def test_talking_points_can_be_read_aloud() -> None:
    said = RENDERER.talking_points(
        ["one-record", "input"], "sales", BEN, CAST, ["e-mail on Monday", "Slack on Wednesday"]
    ).text
    assert "Tried so far: e-mail on Monday, Slack on Wednesday." in said
    assert "Two lists cost us orders." in said
    assert "What it brings Ben as Account manager" in said
    assert "- In daily work: You log each call once." in said
    assert "- What must never get harder?" in said
    assert "You know this work, and we do not." in said
    assert "appraisal" in said
    assert all(f"- {outcome}:" in said for outcome in ("understood", "objects", "declines", "away"))
    assert not re.search(r"[*#<\ue000-\uf8ff]", said)


def test_an_answer_reaches_who_asked() -> None:
    shown = RENDERER.service(
        "answer", "k" * 24, BEN, CAST, utc("2027-01-12"), message="one-record", role="sales",
        question="Do <b>old</b> notes move?", answer="Yes, *all* of them.", others=True,
    )  # fmt: skip
    assert "> Do <b>old</b> notes move?" in shown.text
    assert "Dana Reyes answers:\n\nYes, *all* of them." in shown.text
    assert "Do &lt;b&gt;old&lt;/b&gt; notes move?" in shown.html
    assert (shown.key, shown.date, shown.reply_to) == ("k" * 24, utc("2027-01-12"), "dana@example.com")
    assert shown.subject == "Answer to your question: Do <b>old</b> notes move?"


def moved_to(firm: bool = True) -> Renderer:
    because = {"because": "The pilot lost calls.", "firm": str(firm).lower()}
    plan = a_plan(milestones={"kickoff": "2027-01-11", "go_live": {"date": "2027-04-07", **because}})
    return a_renderer(plan.with_notices([notice_of(plan, {"go_live": dt.date(2027, 3, 15)}, utc("2027-02-01"))]))


def test_a_moved_date_is_corrected_with_its_because() -> None:
    shown = moved_to().touch(a_touch("moved-go_live-2027-04-07", corrects="go_live=2027-03-15"), BEN, CAST)
    now = "Wednesday, 7 April 2027"
    assert f"We told you go live would be on Monday, 15 March 2027. It is now on {now}." in " ".join(shown.text.split())
    assert shown.subject == f"Correction: Go live is now on {now}."
    assert "The pilot lost calls." in shown.text
    assert ">Got it</a>" in shown.html
    assert shown.named == "go_live=2027-04-07"


def test_a_week_is_told_as_planned_before_and_now() -> None:
    shown = moved_to(firm=False).touch(a_touch("moved-go_live-2027-04-07", corrects="go_live=2027-W11"), BEN, CAST)
    said = " ".join(shown.text.split())
    assert "We told you go live was planned for the week of 15 March 2027." in said
    assert "It is now planned for the week of 5 April 2027." in said
    assert shown.subject == "Correction: Go live is now planned for the week of 5 April 2027."
    assert shown.named == "go_live=2027-W14"


def test_who_was_not_told_the_wrong_message_gets_an_ordinary_one() -> None:
    shown = written("fixed")
    assert "Correction" not in shown.subject
    assert "We told you" not in shown.text


def test_a_wrong_message_is_quoted_with_the_date_of_then_and_names_none() -> None:
    wrong = a_message(key_point="We start on {{ milestones.go_live }}.")
    right = a_message(id="right", key_point="Only Sales starts.", corrects="one-record")
    shown = a_renderer(a_plan(wrong, right)).touch(
        a_touch("right", corrects="one-record go_live=2027-03-01"), BEN, CAST
    )
    assert "We told you before: We start on Monday, 1 March 2027. This is no longer true." in shown.text
    assert shown.named == ""


@pytest.mark.parametrize("channel", ["email", "slack"])
@pytest.mark.parametrize(
    ("key_point", "named"),
    [
        ("We start on {{ milestones.go_live }}.", "go_live=2027-03-15"),
        ("We start on {{ milestones.go_live | upper }}.", "go_live=2027-03-15"),
        ("{% if milestones.go_live %}We start soon.{% endif %}", ""),
        ("We start soon.", ""),
    ],
)
def test_what_a_text_names_is_known(key_point: str, named: str, channel: str) -> None:
    plan = a_plan(a_message(key_point=key_point), wiifm={"sales": {"why": "A.", "skills": "{{ milestones.kickoff }}"}})
    assert a_renderer(plan).touch(a_touch(channel=channel), BEN, CAST).named == named


def test_a_side_of_a_message_names_its_date_when_its_turn_has_come() -> None:
    plan = a_plan(a_message(), wiifm={"sales": {"why": "A.", "skills": "B, from {{ milestones.kickoff }} on."}})
    shown = [a_renderer(plan).touch(a_touch(number=number), BEN, CAST).named for number in (1, 2)]
    assert shown == ["", "kickoff=2027-01-11"]


def test_a_template_may_offer_the_dates_as_a_calendar_with_the_first_mail() -> None:
    own = {**SHIPPED, "footer": "{% if links.calendar %}[calendar]({{ links.calendar }}){% endif %}"}
    renderer = a_renderer(templates=own)
    assert renderer.calendar_url() in renderer.touch(a_touch(first=True), BEN, CAST).text
    assert "calendar" not in renderer.touch(a_touch(), BEN, CAST).text
    undated = a_message(**{"from": "2027-01-11", "until": "2027-03-15"})
    assert a_renderer(a_plan(undated, milestones={})).calendar_url() == ""


def test_a_page_gets_plain_words() -> None:
    page = RENDERER.page("check", "sales", 1, BEN, CAST)
    assert page["question"] == "Where do you log a call?"
    assert page["check"]["answers"] == ["My notebook", "The customer record"]
    assert page["points"][0] == ("why", "Two lists cost us orders.")
    assert RENDERER.page("commit", "sales", 1, BEN, CAST)["commit"] == "I log my calls from Monday, 15 March 2027 on."


def test_a_page_gets_the_check_also_where_it_is_only_offered() -> None:
    plan = a_plan(
        a_message(checks=[CHECK | {"because": "{{ person.first_name }}, it begins {{ milestones.go_live }}."}])
    )
    check = a_renderer(plan).page("one-record", "sales", 1, BEN, CAST)["check"]
    assert check["because"] == "Ben, it begins Monday, 15 March 2027."
    assert (check["right"], check["answers"]) == (CHECK["right"], CHECK["answers"])
    assert RENDERER.page("commit", "sales", 1, BEN, CAST)["check"] == {"answers": []}


def awaiting() -> Plan:
    outcomes = {"first_call": {"title": "The *first* call is logged", "by": "go_live"}}
    return a_plan(a_message(repeat_until="done"), outcomes=outcomes)


def test_a_message_that_awaits_a_deed_says_how_it_ends_and_who_sees_it() -> None:
    renderer = a_renderer(awaiting())
    said = "You get this until it is recorded that you have done it: The *first* call is logged. Dana sees that, too."
    assert said in renderer.why_me(a_touch(), BEN, CAST)
    reminder = renderer.touch(a_touch(number=2, kind="remind"), BEN, CAST).text
    assert "A friendly reminder. This is still to be done: The *first* call is logged." in reminder
    assert "do not have your answer" not in renderer.touch(a_touch(number=3, kind="remind"), BEN, CAST).text


def test_who_confirmed_and_has_it_to_do_is_asked_what_stands_in_the_way() -> None:
    renderer = a_renderer(awaiting())
    confirmed = renderer.talking_points("one-record", "sales", BEN, CAST, [], ["The first call is logged"])
    assert "Ben has confirmed the message. Not done yet: The first call is logged." in confirmed.text
    assert "What keeps you from doing it:" in confirmed.text
    silent = renderer.talking_points("one-record", "sales", BEN, CAST)
    assert "Ben has not answered yet." in silent.text
    assert "What stands in the way" not in silent.text


def test_a_request_that_comes_again_is_true_for_who_has_answered_too() -> None:
    shown = [written("input", number=number).text for number in range(1, 9)]
    for text in shown[1:]:
        assert "still missing" not in text
        assert "still open" not in text
    assert any("your answer stands" in text for text in shown)
    assert "few words" in shown[0]
    assert "few words" not in written("choice").text


def test_a_briefing_says_that_a_question_comes_first_and_what_is_for_the_manager() -> None:
    before = {**CHECK, "baseline": True}
    about = Briefing("others", utc("2027-01-18"), only=False)
    for checks, asks_first in (((before,), True), ((CHECK,), False)):
        renderer = a_renderer(a_plan(a_message(checks=checks, managers_first="2 working days")))
        for channel in ("email", "slack"):
            briefing = replace(a_touch(kind="briefing", channel=channel, asks=""), briefing=about)
            shown = renderer.touch(briefing, MIA, CAST).text
            assert ("one question without the message" in shown) is asks_first
            assert shown.index("What you can say") < shown.index("The message for you")
