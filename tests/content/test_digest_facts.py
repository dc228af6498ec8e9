from __future__ import annotations

import json
from dataclasses import replace

import pytest

from commsengine.content.digest_facts import Call, DigestFacts, GivenAnswer, HeldRow, OpenQuestion, RecordedTalk
from commsengine.content.manager_card import calls_on
from commsengine.content.message import RenderedMessage
from commsengine.content.talking_points import Part, TalkingPoints
from tests.builders import MIA, a_message, a_plan, utc
from tests.content.desk import CAST, DANA, RENDERER, SHIPPED, a_full_plan, a_renderer

TALK = TalkingPoints(
    "", (Part("Questions to ask", ("What would have to be true?",)), Part("What to avoid", ("Persuade *them*.",)))
)
ANA = Call("Ana Kim", "others", "+82 2 1234", "Reachable on no channel.", talk=TALK, id="3fa9c01b")
FACTS = DigestFacts(
    key="d" * 24,
    at=utc("2027-01-20 07:00"),
    calls=(
        ANA,
        Call(
            name="Ben <Ortiz>", role="sales", phone="+1 212 1234", reason="Two messages without an answer.",
            tried="e-mail twice", by="Mia Wolf",
        ),
    ),
    questions=(OpenQuestion("Ana Kim", "One record", "Do old notes *move*?", "since Monday", overdue=True),),
    answers=(GivenAnswer("Ben Ortiz", "how-you-work", "The <phone> *number*.", "2027-01-19"),),
    held=(HeldRow("Ben Ortiz", "One record", "the relay went silent after accepting"),),
    figures=("12 messages left yesterday.",),
    answered=24,
)  # fmt: skip
HEADLINE = "1 message to decide on, 1 question open, 24 new answers, 2 people to call"


def test_the_digest_says_whom_to_call_and_what_to_say() -> None:
    shown = RENDERER.digest(DANA, FACTS)
    assert shown.subject == f"One customer record: {HEADLINE}"
    assert "\n\nBen <Ortiz>, sales, +1 212 1234\n\nTwo messages" in shown.text
    assert "Two messages without an answer. Tried: e-mail twice. Mia Wolf should call." in shown.text
    assert '- Ana Kim on "One record", since Monday (longer than two working days): Do old notes *move*?' in shown.text
    assert '- Ben Ortiz on "how-you-work", 2027-01-19: The <phone> *number*.' in shown.text
    assert '- Ben Ortiz, "One record", needs your decision: the relay went silent after accepting' in shown.text
    assert "<b>" not in shown.html
    assert "Ben &lt;Ortiz&gt;" in shown.html
    assert "The &lt;phone&gt; *number*." in shown.html


ALL = replace(
    FACTS,
    troubles=("Nothing leaves by Slack.",),
    overdue=("By Monday: a shorter form.",),
    numbers=("Yesterday: 3 sent.",),
    recorded=(RecordedTalk("Cy Mo", "Mia Wolf", "Has an objection", "12 January", "wants <b>time</b>"),),
    waiting=19,
    opens="https://comms.example.com/p/abc",
)
IN_ORDER = (
    "Overdue promises", "a shorter form", "Problems", "Nothing leaves by Slack.", "needs your decision",
    "Numbers of the day", "3 sent", "Open questions", "What people answered",
    "People to call: 2 of 19 today", "Record the results", "Results of talks", "Figures",
)  # fmt: skip


@pytest.mark.parametrize("form", ["text", "html", "slack"])
def test_bad_news_comes_first_and_the_rest_in_order(form: str) -> None:
    shown = RENDERER.digest(DANA, ALL, "slack" if form == "slack" else "email")
    said = json.dumps(shown.blocks, ensure_ascii=False) if form == "slack" else getattr(shown, form)
    places = [said.find(words) for words in IN_ORDER]
    assert -1 not in places
    assert places == sorted(places)
    assert said.count(ALL.opens) == 1
    assert "<b>time</b>" not in said or form == "text"


def test_a_headline_says_the_worst_and_stays_a_headline() -> None:
    assert ALL.headline == ("1 promise overdue, 1 problem, 1 message to decide on, 1 question open, 24 new answers")
    assert replace(ALL, troubles=(), held=(), overdue=()).headline.startswith(
        "1 question open, 24 new answers, 2 of 19 people to call, 1 talk recorded"
    )


@pytest.mark.parametrize("form", ["text", "html", "slack"])
def test_the_real_talking_points_keep_every_dont_under_its_heading(form: str) -> None:
    talk = RENDERER.talking_points(["one-record"], "sales", MIA, CAST, ["e-mail on 11 January"])
    donts = next(part.lines for part in talk.parts if part.title == "What to avoid")
    after = next(part.title for part in talk.parts if part.title.startswith("Afterwards"))
    shown = RENDERER.digest(
        DANA, replace(FACTS, calls=(replace(ANA, talk=talk),)), "slack" if form == "slack" else "email"
    )
    said = "".join(b["text"]["text"] for b in shown.blocks if b["type"] == "section") if form == "slack" else ""
    said = said or getattr(shown, form if form != "slack" else "text")
    below = said.partition("What to avoid")[2].partition(after)[0]
    assert len(donts) == 3
    for dont in donts:
        assert (dont in below, said.count(dont)) == (True, 1), dont
    for need in ("Say that their knowledge is needed", "Questions to ask"):
        assert said.index(need) < said.index("What to avoid")


def test_what_not_to_do_stands_under_its_own_heading() -> None:
    shown = RENDERER.digest(DANA, FACTS)
    assert (
        "Questions to ask\n\n- What would have to be true?\n\nWhat to avoid\n\n- Persuade *them*.\n\n"
        "Record the result: commsengine followup 3fa9c01b --outcome understood|objects|declines|away"
    ) in shown.text
    assert "<h4" in shown.html.partition("What to avoid")[0].rpartition("What would have")[2]
    slack = RENDERER.digest(DANA, FACTS, "slack")
    said = " ".join(block["text"]["text"] for block in slack.blocks if block["type"] == "section")
    assert "*Questions to ask*\n• What would have to be true?\n*What to avoid*\n• Persuade *\u2060them*." in said


def test_a_digest_template_from_before_cannot_take_a_warning_for_an_instruction() -> None:
    """What a campaign froze when it was applied lists ``points``, whatever heading they stood under."""
    points = "{% for line in call.points %}\n- {{ line }}\n{% endfor %}"
    before = f"# {{{{ headline }}}}\n\n{{% for call in calls %}}\n{points}\n{{% endfor %}}"
    shown = a_renderer(a_full_plan(), {**SHIPPED, "digest": before}).digest(DANA, FACTS)
    assert "- Questions to ask: What would have to be true?\n- What to avoid: Persuade *them*." in shown.text


def test_the_digest_goes_to_the_lead_and_has_no_links() -> None:
    shown = RENDERER.digest(DANA, FACTS)
    assert (shown.to_email, shown.key, shown.date) == ("dana@example.com", FACTS.key, FACTS.at)
    assert "https://" not in shown.text


def test_in_slack_there_is_nothing_to_press_that_leads_nowhere() -> None:
    shown = RENDERER.digest(DANA, FACTS, "slack")
    assert {block["type"] for block in shown.blocks} == {"header", "section", "context"}
    assert "https://" not in shown.text + json.dumps(shown.blocks)


def test_in_slack_a_manager_records_by_buttons_below_each_person() -> None:
    shown = manager_list("slack")
    assert {block["type"] for block in shown.blocks} == {"header", "section", "actions", "context"}
    assert calls_on(shown.blocks) == [ANA.id]
    assert ANA.id not in shown.text
    assert json.dumps(shown.blocks).count("https://") == 1


@pytest.mark.parametrize("calls", [0, 1, 12, 30])
def test_however_many_calls_slack_takes_it(calls: int) -> None:
    talk = RENDERER.talking_points(["one-record", "input"], "sales", MIA, CAST)
    shown = RENDERER.digest(DANA, replace(FACTS, calls=(replace(ANA, talk=talk),) * calls), "slack")
    assert len(json.dumps(shown.blocks, ensure_ascii=False)) < 12_000
    assert ("The rest does not fit" in json.dumps(shown.blocks)) == (calls > 6)
    assert shown.blocks[-1]["type"] == "context"


def manager_list(channel: str = "email") -> RenderedMessage:
    call = replace(ANA, campaign="One customer record", lead="dana@example.com", tried="e-mail on 11 January")
    return RENDERER.manager_list(MIA, DANA, replace(FACTS, calls=(call,), opens=ALL.opens), channel)


def test_a_manager_reads_whom_to_call_why_what_to_say_and_what_comes_then() -> None:
    shown = manager_list()
    assert (shown.to_email, shown.reply_to) == ("mia@example.com", "dana@example.com")
    assert shown.subject == "One customer record: 1 of your people needs a call from you"
    for said in (
        "Good morning Mia,", "Ana Kim, others, +82 2 1234", "About One customer record. Reachable on no channel.",
        "Tried: e-mail on 11 January.", "What to avoid\n\n- Persuade *them*.",
        f"Record the result: {ALL.opens}", "The link works once", "because these people report to you",
        "the people who lead the campaign read what you record, with your name",
    ):  # fmt: skip
        assert said in shown.text, said
    assert not any(word in shown.text for word in ("how-you-work", "Ben", "you lead", "is your role", "commsengine "))


def test_a_campaign_applied_before_tells_managers_in_true_words_too() -> None:
    """Its frozen footer knows nothing of such mail; the wiring adds the templates that are new."""
    footer = 'You get this because "{{ role }}" is your role. [Mine]({{ links.mine }})'
    shown = a_renderer(a_full_plan(), {**SHIPPED, "footer": footer}).manager_list(MIA, DANA, FACTS, "email")
    assert "is your role" not in shown.text


def test_mail_about_no_message_needs_no_column_that_the_messages_need() -> None:
    plan = a_plan(a_message(key_point="In {{ person.depot }} every call is logged."))
    assert "Ana Kim" in a_renderer(plan).digest(DANA, FACTS).text


def test_a_quiet_morning() -> None:
    quiet = DigestFacts(key="q", at=utc("2027-01-20"))
    assert quiet.empty
    assert not FACTS.empty
    assert not replace(quiet, answers=FACTS.answers).empty
    assert "Today: nothing waits for you" in RENDERER.digest(DANA, quiet).text
