"""The answer page: looking changes nothing, pressing records once, and nothing gives away more than it must."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from commsengine.cadence.check_questions import order_of
from tests.answers.test_inbox import CHECK, INPUT, PERSONAL
from tests.builders import ANA, BEN, a_message, someone, utc
from tests.replies import answer_question
from tests.web.conftest import Site

OpenSite = Callable[..., Site]

FOUR: dict[str, Any] = {
    "question": "Where do you log a call?", "answers": ["Nowhere", "My notebook", "The inbox", "The record"],
    "right": "The record", "because": "Your colleague sees it.",
}  # fmt: skip

WHY = "One list for all of us."

SCANNERS = (
    "Mozilla/5.0 (compatible; Proofpoint URL Defense)", "Barracuda Sentinel (EE)", "Mimecast-URL-Protect/1.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) SafeLinks", "Slackbot-LinkExpanding 1.0", "curl/8.4.0",
    "Mozilla/5.0 (compatible; bingbot/2.0)", "facebookexternalhit/1.1", "GoogleImageProxy", "Symantec Email Security",
    "TrendMicro WRS", "python-requests/2.31",
)  # fmt: skip


class Forms(HTMLParser):
    """The forms of a page in order: method, and the hidden fields."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag == "form":
            self.found.append((given.get("method", ""), {}))
        if tag == "input" and given.get("type") == "hidden":
            self.found[-1][1][given["name"]] = given["value"]


def first_form(html: str) -> dict[str, str]:
    method, fields = Forms(html).found[0]
    assert method == "post"
    return fields


def detail(site: Site) -> Any:
    (answer,) = site.house.store.answers.of_person(ANA.id)
    return answer.detail


def test_the_page_names_the_addressee_the_campaign_and_what_is_said(site: Site) -> None:
    html = site.get(site.house.touch()).text
    for words in ("Ana K.", "One customer record", "Every customer conversation is logged in one record.", "Not Ana?",
                  "You find every customer in one place."):  # fmt: skip
        assert words in html
    assert "Kim" not in html
    assert not re.search(rf"\b{ANA.email}", html)


@pytest.mark.parametrize(
    ("owners", "readers"),
    [
        (["dana@example.com"], "Dana reads every answer, with your name."),
        (["dana@example.com", "tom@example.com"],
         "Dana and the others who lead this read every answer, with your name."),
    ],
)  # fmt: skip
@pytest.mark.parametrize("more", [{"ask": "input", "input": INPUT}, {"ask": "commit"}])
def test_who_reads_an_answer_is_said_where_it_is_written(
    open_site: OpenSite, owners: list[str], readers: str, more: dict[str, Any]
) -> None:
    site = open_site(a_message(**more), owner=owners)
    site.house.store.people.save(
        [someone(3, email="dana@example.com", name="Dana Reyes")], by="d", now=site.house.clock()
    )
    html = site.get(site.house.touch()).text
    assert f'<p class="quiet" id="readers">{readers}</p>' in html
    assert 'aria-describedby="readers"' in html


def test_looking_changes_nothing_whoever_looks(open_site: OpenSite) -> None:
    site = open_site(per_minute=100_000)
    key = site.house.touch()
    before = site.house.store.people.all_of(ANA.id)
    path = site.path("answer", key)
    for number in range(300):
        agent = {"User-Agent": SCANNERS[number % len(SCANNERS)]}
        seen = site.client.request("HEAD" if number % 3 == 0 else "GET", path, headers=agent)
        assert seen.status_code == 200
    assert site.house.store.people.all_of(ANA.id) == before


def test_options_changes_nothing(site: Site) -> None:
    key = site.house.touch()
    assert site.client.options(site.path("answer", key)).status_code == 405
    assert site.house.kinds() == []


def test_the_first_form_is_got_it_and_pressing_it_records(site: Site) -> None:
    key = site.house.touch()
    done = site.post(key, **first_form(site.get(key).text))
    assert (done.status_code, done.history[0].status_code, site.house.kinds()) == (200, 303, ["acknowledged"])
    assert "You confirmed Mon 18:00" in done.text


def test_pressing_twice_says_since_when_it_is_recorded(site: Site) -> None:
    key = site.house.touch()
    site.post(key, do="got_it")
    site.house.clock.pass_(hours=1)
    again = site.post(key, do="got_it").text
    assert "recorded already" in again
    assert "You confirmed Mon 18:00" in again
    assert len(site.house.store.answers.of_person(ANA.id)) == 1


def test_a_bare_post_is_kept_as_suspect_and_does_not_count(site: Site) -> None:
    key = site.house.touch()
    for _ in range(2):
        shown = site.client.post(site.path("answer", key), follow_redirects=True).text
        assert "it does not count. Please press again." in shown
    (kept,) = site.house.store.answers.suspects(person_id=ANA.id)
    assert (kept.kind, kept.key, site.house.kinds()) == ("acknowledged", key, [])
    assert "You confirmed" in site.post(key, **first_form(shown)).text
    assert site.house.kinds() == ["acknowledged"]


def test_evidence_of_a_person_at_a_page(site: Site) -> None:
    key = site.house.touch()
    fields = first_form(site.get(key).text)
    site.house.clock.pass_(seconds=7)
    headers = {"User-Agent": "Firefox", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-User": "?1"}
    site.client.post(site.path("answer", key), data=fields, headers=headers)
    assert detail(site) == {
        "method": "POST", "user_agent": "Firefox", "ip_prefix": "127.0.0.0/24", "sec-fetch-site": "same-origin",
        "sec-fetch-user": "?1", "ms_since_get": "7000",
    }  # fmt: skip


def test_the_note_of_another_page_is_suspect(site: Site) -> None:
    key, other = site.house.touch(), site.house.touch(BEN)
    site.post(key, **first_form(site.get(other).text))
    assert (site.house.kinds(), len(site.house.store.answers.suspects(campaign="crm"))) == ([], 1)


def test_undo(site: Site) -> None:
    key = site.house.touch()
    confirmed = site.post(key, do="got_it").text
    undone = site.post(key, **first_form(confirmed)).text
    assert "Undone" in undone
    assert first_form(undone)["do"] == "got_it"
    assert site.house.kinds() == []


def test_undo_comes_too_late(site: Site) -> None:
    key = site.house.touch()
    form = first_form(site.post(key, do="got_it").text)
    site.house.clock.pass_(minutes=6)
    assert "cannot undo this any more" in site.post(key, **form).text
    assert site.house.kinds() == ["acknowledged"]
    assert 'value="undo"' not in site.get(key).text


def test_a_question_stops_here_until_it_is_answered(site: Site) -> None:
    key = site.house.touch()
    assert "Your question was sent" in site.post(key, do="question", text="When?").text
    (question,) = site.house.store.questions.all()
    answer_question(
        site.house.store, site.house.inbox, question.id, "In March.", "dana@example.com", site.house.clock()
    )
    assert "In March." in site.get(key).text


def test_an_empty_question_is_told_and_not_recorded(site: Site) -> None:
    refused = site.post(site.house.touch(), do="question", text="  ")
    assert (refused.status_code, "Please write something first." in refused.text) == (422, True)
    assert site.house.store.questions.all() == []


def test_remind_me_tomorrow(site: Site) -> None:
    assert "do not get this message again today" in site.post(site.house.touch(), do="snooze").text
    (snooze,) = site.house.store.loading.histories([ANA.id])[ANA.id].history.snoozes
    assert str(snooze.until) == "2027-01-12"


@pytest.mark.parametrize(
    ("ask", "do"), [("acknowledge", "commit"), ("acknowledge", "input"), ("acknowledge", "check"), ("commit", "input")]
)
def test_what_the_message_does_not_ask_for_is_refused(open_site: OpenSite, ask: str, do: str) -> None:
    site = open_site(a_message(ask=ask, input=INPUT))
    refused = site.post(site.house.touch(), do=do, value="I will", choice="I will")
    assert (refused.status_code, site.house.kinds()) == (422, [])


def test_the_page_of_a_cancelled_campaign_says_so_and_records_nothing(open_site: OpenSite) -> None:
    site = open_site(a_message(ask="check", checks=[CHECK]))
    key = site.house.touch()
    site.house.store.campaigns.cancel("crm", by="dana", now=site.house.clock())
    html = site.get(key).text
    assert ("This campaign has ended" in html, "mailto:dana@example.com" in html, html.count("<form")) == (
        True,
        True,
        1,
    )
    assert "Send me the link" in html
    for form in ({}, {"do": "got_it"}, {"do": "check", "choice": CHECK["right"]}, {"do": "snooze"},
                 {"do": "question", "text": "Why?"}):  # fmt: skip
        refused = site.post(key, **form)
        assert (refused.status_code, "has ended, so nothing was recorded." in refused.text) == (422, True)
    assert (site.house.kinds(), site.house.store.questions.all()) == ([], [])
    site.post(key, do="heard_enough")
    assert site.house.kinds() == ["heard_enough"]


@pytest.mark.parametrize(("scope", "whole"), [("message", False), ("campaign", True)])
def test_heard_enough_of_a_message_or_of_all(site: Site, scope: str, whole: bool) -> None:
    site.post(site.house.touch(), do="heard_enough", scope=scope)
    (answer,) = site.house.store.answers.of_person(ANA.id)
    assert (answer.kind, answer.whole_campaign) == ("heard_enough", whole)


@pytest.mark.parametrize(("ask", "number"), [("check", 1), ("acknowledge", 2), ("input", 2), ("commit", 2)])
def test_the_first_form_is_the_check_that_came_with_the_touch(open_site: OpenSite, ask: str, number: int) -> None:
    site = open_site(a_message(ask=ask, checks=[FOUR], **({"input": INPUT} if ask == "input" else {})))
    html = site.get(site.house.touch(number=number)).text
    assert first_form(html)["do"] == "check"
    order = order_of(site.house.plan.messages[0], 0, "crm", ANA.id)
    assert re.findall(r'name="choice" value="([^"]+)"', html) == [FOUR["answers"][place] for place in order]
    assert "This is not a test: only you see your answer." in html
    assert str(FOUR["because"]) not in html
    assert "Every customer conversation" not in html
    assert WHY not in html


def test_the_message_comes_with_the_answer(open_site: OpenSite) -> None:
    site = open_site(a_message(checks=[CHECK]))
    key = site.house.touch(number=2)
    html = site.post(key, do="check", choice="The customer record").text
    assert "Every customer conversation is logged in one record." in html
    assert WHY in html


def test_whoever_reads_first_is_asked_afterwards_and_that_measures_nothing(open_site: OpenSite) -> None:
    site = open_site(a_message(checks=[CHECK]))
    key = site.house.touch(number=2)
    assert 'href="?read=1"' in site.get(key).text
    reading = site.client.get(site.path("answer", key) + "?read=1").text
    assert first_form(reading)["do"] == "got_it"
    assert "Every customer conversation is logged in one record." in reading
    assert site.house.kinds() == []
    fields = next(fields for _, fields in Forms(reading).found if fields["do"] == "check")
    site.client.post(site.path("answer", key) + "?read=1", data={**fields, "choice": "The customer record"})
    (answer,) = site.house.store.answers.of_person(ANA.id)
    assert (answer.kind, answer.right, answer.counts) == ("check", True, False)


def test_what_is_answered_after_a_look_at_the_message_measures_nothing(open_site: OpenSite) -> None:
    site = open_site(a_message(checks=[CHECK]))
    key = site.house.touch(number=2)
    site.post(key, do="got_it")
    site.post(key, do="undo")
    site.post(key, do="check", choice="The customer record")
    assert [(one.kind, one.counts) for one in site.house.store.answers.of_person(ANA.id)] == [
        ("acknowledged", True), ("check", False),
    ]  # fmt: skip


def test_before_the_first_message_there_is_nothing_to_confirm(open_site: OpenSite) -> None:
    site = open_site(a_message(checks=[CHECK | {"baseline": "true"}]))
    key = site.house.touch(number=1)
    html = site.get(key).text
    assert "Skip the question" not in html
    assert WHY not in html
    assert WHY in site.post(key, do="check", choice="The customer record").text


def test_the_order_of_the_choices_is_the_persons_own(open_site: OpenSite) -> None:
    site = open_site(a_message(ask="check", checks=[FOUR]))
    ana, ben = (re.findall(r'name="choice" value="([^"]+)"', site.get(site.house.touch(p)).text) for p in (ANA, BEN))
    assert sorted(ana) == sorted(ben)
    assert ana != ben


@pytest.mark.parametrize(("ask", "number"), [("check", 1), ("acknowledge", 2)])
def test_the_question_can_be_skipped_and_that_says_got_it(open_site: OpenSite, ask: str, number: int) -> None:
    site = open_site(a_message(ask=ask, checks=[CHECK]))
    key = site.house.touch(number=number)
    html = site.get(key).text
    assert "Skip the question – got it" in html
    skipped = site.post(key, **Forms(html).found[1][1]).text
    assert (site.house.kinds(), "You confirmed Mon 18:00" in skipped) == (["acknowledged"], True)
    assert "Test yourself" in skipped


@pytest.mark.parametrize(
    ("ask", "more", "kind"), [("input", {"input": INPUT}, "input"), ("commit", {"commit": "Log it."}, "commit")]
)
def test_what_the_message_asks_for_stands_below_the_check_and_stays_open_after_it(
    open_site: OpenSite, ask: str, more: dict[str, Any], kind: str
) -> None:
    site = open_site(a_message(ask=ask, checks=[CHECK], **more))
    key = site.house.touch(number=2)
    before = [fields["do"] for _, fields in Forms(site.get(key).text).found]
    assert (before[:2], "got_it" in before) == (["check", ask], False)
    html = site.post(key, do="check", choice="The customer record").text
    assert [fields["do"] for _, fields in Forms(html).found][:2] == ["explain", ask]
    html = site.post(key, do=ask, value="As before").text
    assert site.house.kinds() == ["check", kind]
    assert ask not in [fields["do"] for _, fields in Forms(html).found]
    assert "<blockquote>As before</blockquote>" in html
    assert "That is right." in html


def test_the_first_answer_to_a_check_counts(open_site: OpenSite) -> None:
    site = open_site(a_message(checks=[CHECK]))
    key = site.house.touch(number=2)
    site.post(key, do="check", choice="My notebook")
    site.house.clock.pass_(hours=1)
    again = site.post(key, do="check", choice="The customer record").text
    assert "recorded already" in again
    assert "You answered the question Mon 18:00" in again
    assert [answer.value for answer in site.house.store.answers.of_person(ANA.id)] == ["My notebook"]


def test_the_verdict_is_what_the_page_leads_to_after_an_answer(open_site: OpenSite) -> None:
    site = open_site(a_message(checks=[CHECK]))
    key = site.house.touch(number=2)
    (done,) = site.post(key, do="check", choice="The customer record").history
    assert done.headers["location"].endswith("#verdict")
    assert re.search(r'id="verdict" role="status" tabindex="-1"><strong>That is right', site.get(key).text)


def test_the_page_of_a_touch_makes_the_point_again_that_was_not_clear(open_site: OpenSite) -> None:
    site = open_site(a_message(checks=[CHECK]))
    site.post(site.house.touch(number=2), do="check", choice="My notebook")
    site.house.clock.pass_(hours=48)
    html = site.get(site.house.touch(number=3)).text
    assert str(CHECK["because"]) in html
    assert "Not quite" not in html


def test_a_wrong_answer_is_explained_and_help_is_offered(open_site: OpenSite) -> None:
    site = open_site(a_message(ask="check", checks=[CHECK]))
    html = site.post(site.house.touch(), do="check", choice="My notebook").text
    for words in ("Not quite", str(CHECK["because"]), "Please explain it to me"):
        assert words in html


def test_a_check_without_a_choice(open_site: OpenSite) -> None:
    site = open_site(a_message(ask="check", checks=[CHECK]))
    assert site.post(site.house.touch(), do="check").status_code == 422
    assert site.house.kinds() == []


def test_a_check_may_be_taken_by_whoever_wants_one(open_site: OpenSite) -> None:
    site = open_site(a_message(checks=[CHECK]))
    html = site.get(site.house.touch()).text
    assert first_form(html)["do"] == "got_it"
    assert "Test yourself" in html


@pytest.mark.parametrize("ask", ["check", "acknowledge"])
def test_a_check_speaks_to_the_person(open_site: OpenSite, ask: str) -> None:
    site = open_site(a_message(ask=ask, checks=[PERSONAL]))
    key = site.house.touch()
    html = site.get(key).text
    assert "<legend>Ana, where do you log a call?</legend>" in html
    assert "<span>Ana&#39;s notebook</span>" in html
    html = site.post(key, do="check", choice=str(PERSONAL["answers"][0])).text
    assert "<blockquote>Ana&#39;s notebook</blockquote>" in html
    assert (
        "Not quite. The answer is: The record of Engineering.</strong> Engineering starts on Monday, 15 March 2027."
        in html
    )


def test_the_link_of_the_message_leads_to_the_question(site: Site) -> None:
    html = site.get(site.house.touch()).text
    assert re.search(r'id="question">\s*<a class="summary" href="#question">I have a question</a>\s*<form', html)


def test_the_first_form_is_the_input(open_site: OpenSite) -> None:
    site = open_site(a_message(ask="input", input=INPUT))
    key = site.house.touch()
    fields = first_form(site.get(key).text)
    assert "<b>fast</b>" not in site.post(key, **fields, value="<b>fast</b>").text
    assert [answer.value for answer in site.house.store.answers.of_person(ANA.id)] == ["<b>fast</b>"]


def test_the_first_form_is_the_commitment(open_site: OpenSite) -> None:
    site = open_site(a_message(ask="commit", commit="What will you do first?"))
    key = site.house.touch()
    html = site.get(key).text
    assert "What will you do first?" in html
    assert "You said you will" in site.post(key, **first_form(html), value="").text


def test_a_changed_token_opens_nothing(site: Site) -> None:
    path = site.path("answer", site.house.touch())
    for place in range(3, len(path)):
        changed = path[:place] + ("A" if path[place] != "A" else "B") + path[place + 1 :]
        assert site.client.get(changed).status_code == 404


def test_a_token_opens_no_page_of_another_purpose(site: Site) -> None:
    token = site.path("answer", site.house.touch())[3:]
    assert [site.client.get(f"/{page}/{token}").status_code for page in ("a", "m", "u")] == [200, 404, 404]


def test_an_expired_link_is_refused_like_a_forged_one(site: Site) -> None:
    path = site.path("answer", site.house.touch())
    forged = site.client.get("/a/forged")
    site.house.clock.pass_(days=61)
    expired = site.client.post(path, data={"do": "got_it"})
    assert (expired.status_code, expired.text) == (404, forged.text)
    assert site.house.kinds() == []


def test_the_page_of_somebody_erased_is_gone(site: Site) -> None:
    key = site.house.touch()
    site.house.store.people.erase(ANA.id, by="test", now=utc("2027-01-12"))
    assert site.get(key).status_code == 404


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script> X", 'A"><img src=x onerror=alert(1)> B', "{{ 7*7 }} C", "'); B"]
)
def test_a_hostile_name_is_only_text(site: Site, name: str) -> None:
    site.house.store.people.save([replace(ANA, name=name)], by="test", now=utc("2027-01-12"))
    key = site.house.touch()
    tags = [re.findall(r"<(\w+)", site.get(each).text) for each in (key, site.house.touch(BEN))]
    assert tags[0] == tags[1]


def test_an_unknown_button(site: Site) -> None:
    assert site.post(site.house.touch(), do="acknowledge_all").status_code == 400
    assert site.house.kinds() == []


def test_a_link_is_used_thirty_times_a_minute_at_most(site: Site) -> None:
    key, other = site.house.touch(), site.house.touch(BEN)
    assert [site.get(key).status_code for _ in range(32)] == [200] * 30 + [429] * 2
    assert site.post(key, do="got_it").history[0].status_code == 303  # looking does not use up the answers
    assert site.get(other).status_code == 200


def test_a_body_beyond_64_kilobytes_is_refused(site: Site) -> None:
    assert site.post(site.house.touch(), do="question", text="x" * 65_536).status_code == 413
    assert site.house.store.questions.all() == []


def test_a_body_that_is_no_text(site: Site) -> None:
    path = site.path("answer", site.house.touch())
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert site.client.post(path, content=b"do=got_it\xff", headers=form).status_code == 400


def test_who_has_just_been_told_the_right_answer_is_not_invited_to_give_it_on_another_page(open_site: OpenSite) -> None:
    site = open_site(a_message(checks=[CHECK]))
    asked, later = site.house.touch(number=2), site.house.touch(number=3)
    assert "Test yourself" in site.get(later).text
    site.post(asked, do="check", choice="My notebook")
    assert "Test yourself" not in site.get(later).text
    site.house.clock.pass_(hours=24)
    assert "Test yourself" in site.get(later).text


def test_the_page_of_a_wrong_message_says_what_holds_now(open_site: OpenSite) -> None:
    messages = [
        a_message(),
        a_message(id="second", corrects="one-record", key_point="Calls are logged twice."),
        a_message(id="third", corrects="second", key_point="Calls are logged once."),
    ]
    site = open_site(*messages)
    wrong, right = site.get(site.house.touch()).text, site.get(site.house.touch(message="third", number=2)).text
    assert "This is no longer true. Now: Calls are logged once." in wrong
    assert "no longer true" not in right


def test_the_page_of_a_correction_says_what_was_told_to_those_who_were(open_site: OpenSite) -> None:
    site = open_site(a_message(), a_message(id="right", corrects="one-record", key_point="Calls are logged once."))
    key = site.house.touch(message="right")
    assert "We told you before" not in site.get(key).text
    with site.house.store.database.write() as connection:
        connection.exec_driver_sql("UPDATE touch SET corrects = 'one-record'")
    said = "We told you before: Every customer conversation is logged in one record. This is no longer true."
    assert said in site.get(key).text


def test_what_asks_for_nothing_does_not_ask_whether_it_was_read(open_site: OpenSite) -> None:
    site = open_site(a_message(ask="nothing"))
    shown = site.get(site.house.touch()).text
    assert "Have you read it?" not in shown
    assert "I have a question" in shown


@pytest.mark.parametrize("tail", [")", ".", ">", ",", ").", "%3E", "”", "…"])
def test_a_link_opens_with_what_stands_behind_it_in_a_text(site: Site, tail: str) -> None:
    key = site.house.touch()
    for purpose in ("answer", "heard", "mine"):
        assert site.client.get(f"{site.path(purpose, key)}{tail}").status_code == 200
