"""The sandbox page over real HTTP: who got what, and clicks as that person."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from playwright.sync_api import Page as BrowserPage
from slack_sdk import WebClient

from commsengine.sandbox.sandbox import Sandbox
from tests.browsing import WEB
from tests.sandbox.conftest import a_card, mail, post
from tests.sandbox.test_slack_server import MODAL
from tests.servers import SlackApp, a_mail


def shown(sandbox: Sandbox, person: str = "ana@example.com", **more: str) -> str:
    answer = WEB.get(sandbox.page_url, params={"person": person, **more})
    assert answer.status_code == 200
    return answer.text


def form_of(page: str, label: str) -> dict[str, str]:
    """The hidden fields of the form whose button bears this label."""
    form = next(form for form in re.findall(r"<form method=post.*?</form>", page, re.DOTALL) if label in form)
    return {name: html.unescape(value) for name, value in re.findall(r'name="(.*?)" value="(.*?)"', form)}


def test_everybody_is_listed_with_what_they_got(sandbox: Sandbox) -> None:
    mail(sandbox, a_mail(), a_mail("k2", to_email="stranger@example.com"))
    post(sandbox)
    page = shown(sandbox)
    assert "2 e-mails · 1 Slack message<" in page
    for text in ("Ana Kim", "Ben Ortiz", "Mia Wolf", "stranger@example.com", "<i>1</i> mail", "<i>1</i> Slack"):
        assert text in page
    assert "Nothing has reached Ben Ortiz yet." in shown(sandbox, "ben@example.com")


def test_people_are_found_by_any_word(sandbox: Sandbox) -> None:
    page = shown(sandbox, find="sales mia")
    assert ("Mia Wolf</b>" in page, "Ben Ortiz</b>" in page) == (True, False)
    assert "No person matches “&lt;b&gt;”." in shown(sandbox, find="<b>")


def test_times_are_the_persons_own(sandbox: Sandbox) -> None:
    mail(sandbox, a_mail())
    post(sandbox)
    page = shown(sandbox)
    assert "Mon 11 Jan 2027, 18:00" in page
    assert "Tue 12 Jan 2027, 18:00" in page


def test_a_mail_is_shown_in_a_frame_that_may_do_nothing(sandbox: Sandbox) -> None:
    mail(sandbox, a_mail(html="<html><head><title>x</title></head><script>alert(1)</script><p>Hello</p></html>"))
    assert '<iframe src="/mail/1"' in shown(sandbox)
    answer = WEB.get(f"{sandbox.page_url}mail/1")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "sandbox allow-popups" in answer.headers["content-security-policy"]
    assert '<head><base target="_blank"><title>' in answer.text
    assert "X-Commsengine-Touch: k1" in WEB.get(f"{sandbox.page_url}mail/1/source").text
    assert WEB.get(f"{sandbox.page_url}mail/2").status_code == 404


def test_a_name_that_is_html_stays_a_name(sandbox: Sandbox) -> None:
    block = {
        "type": "section",
        "text": {"type": "mrkdwn", "text": "&lt;img src=x&gt; <javascript:alert(1)|x> <img/src>"},
    }
    mail(sandbox, a_mail(subject="<script>alert(1)</script>", text="</pre><script>"))
    post(sandbox, a_card(blocks=[block, {"type": "header", "text": {"type": "plain_text", "text": "<b>&"}}]))
    page = shown(sandbox)
    assert not re.search(r"<script|<img|<b>&|javascript:[^<]*\"", page)
    assert "&lt;script&gt;alert(1)" in page


def test_a_button_is_pressed_as_that_person(sandbox: Sandbox, app: SlackApp) -> None:
    post(sandbox)
    answer = WEB.post(f"{sandbox.page_url}click", data=form_of(shown(sandbox), "Got it"), follow_redirects=True)
    (payload,) = app.payloads
    assert (payload["user"]["id"], payload["actions"][0]["action_id"]) == ("U00000001", "got_it")
    assert "commsengine has received it" in answer.text


def test_a_click_that_nobody_takes_is_said(sandbox: Sandbox, app: SlackApp) -> None:
    post(sandbox)
    fields = form_of(shown(sandbox), "Got it")
    app.status = "500 Internal Server Error"
    assert "HTTP 500" in WEB.post(f"{sandbox.page_url}click", data=fields, follow_redirects=True).text
    app.close()
    assert "is not running" in WEB.post(f"{sandbox.page_url}click", data=fields, follow_redirects=True).text


def test_a_button_that_is_gone_cannot_be_pressed(sandbox: Sandbox, app: SlackApp) -> None:
    post(sandbox)
    fields = form_of(shown(sandbox), "Got it")
    sandbox.slack.team.update(sandbox.slack.posts[0], "Recorded", [])
    assert WEB.post(f"{sandbox.page_url}click", data=fields).status_code == 409
    assert (app.payloads, "changed after your answer" in shown(sandbox)) == ([], True)


def test_looking_changes_nothing(sandbox: Sandbox, app: SlackApp) -> None:
    post(sandbox)
    for path in ("click", "submit"):
        assert WEB.get(f"{sandbox.page_url}{path}").status_code == 405
    assert app.payloads == []


def test_a_dialog_is_filled_in_and_sent(sandbox: Sandbox, app: SlackApp) -> None:
    slack = WebClient(sandbox.slack.bot_token, base_url=sandbox.slack.api_url)
    ana = sandbox.slack.team.user("ana@example.com")
    assert ana
    slack.views_open(trigger_id=sandbox.slack.team.trigger(ana), view=MODAL)
    assert all(
        text in shown(sandbox) for text in ("Your question", "textarea", 'type=radio name="about" value="dates"')
    )
    (dialog,) = sandbox.slack.team.dialogs_of("ana@example.com")
    fields = {"dialog": dialog.id, "text": "Why?", "about": "work"}
    WEB.post(f"{sandbox.page_url}submit", data=fields)
    values = app.payloads[0]["view"]["state"]["values"]
    assert (values["text"]["entry"]["value"], values["about"]["pick"]["selected_option"]["value"]) == ("Why?", "work")
    assert WEB.post(f"{sandbox.page_url}submit", data=fields).status_code == 409


def test_a_dialog_can_be_closed(sandbox: Sandbox, app: SlackApp) -> None:
    ana = sandbox.slack.team.user("ana@example.com")
    assert ana
    dialog = sandbox.slack.team.open_dialog(ana, dict[str, Any](MODAL))
    WEB.post(f"{sandbox.page_url}submit", data={"dialog": dialog.id, "away": "1"})
    assert (sandbox.slack.team.dialogs_of("ana@example.com"), app.payloads) == ([], [])


@pytest.mark.browser
@pytest.mark.parametrize("width", [1200, 380])
def test_in_a_browser_a_person_reads_and_presses(
    sandbox: Sandbox, app: SlackApp, page: BrowserPage, width: int
) -> None:
    mail(sandbox, a_mail(text="Hello", html="<html><head></head><p>Hello from the mail</p></html>"))
    post(sandbox)
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{sandbox.page_url}?person=ana@example.com")
    page.frame_locator("iframe").get_by_text("Hello from the mail").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("button", name="Got it").click()
    page.get_by_text("commsengine has received it").wait_for()
    assert [payload["actions"][0]["value"] for payload in app.payloads] == ["k1"]


def test_people_type_to_the_app_and_threads_are_shown(page: BrowserPage, sandbox: Sandbox, app: SlackApp) -> None:
    post(sandbox)
    root, slack = sandbox.slack.posts[0], WebClient(sandbox.slack.bot_token, base_url=sandbox.slack.api_url)
    page.goto(f"{sandbox.page_url}?person=ana@example.com")
    page.get_by_label("Reply in the thread").fill("Why <b>now</b>?")
    page.get_by_role("button", name="Reply").click()
    page.get_by_text("Done: commsengine has received it.").wait_for()
    slack.chat_postMessage(channel=root.conversation, text="You will hear.", thread_ts=root.ts)
    page.get_by_label("Write to the app in Slack").fill("And how?")
    page.get_by_role("button", name="Send").click()
    page.get_by_text("You will hear.").wait_for()
    assert [payload["event"]["text"] for payload in app.payloads] == ["Why <b>now</b>?", "And how?"]
    assert page.locator(".thread .reply").all_inner_texts()[0].splitlines()[-1] == "Why <b>now</b>?"
    assert page.locator("article").count() == 2  # the card, and what was written by itself


def test_the_home_tab_is_opened_and_shown(page: BrowserPage, sandbox: Sandbox, app: SlackApp) -> None:
    label = {"type": "plain_text", "text": "My page"}
    button = {"type": "button", "action_id": "own_page", "text": label, "url": "https://example.com/m/1"}
    view = {"type": "home", "blocks": [{"type": "header", "text": label}, {"type": "actions", "elements": [button]}]}
    client = WebClient(sandbox.slack.bot_token, base_url=sandbox.slack.api_url)
    app.act = lambda payload: client.views_publish(user_id=payload["event"]["user"], view=view) and None
    page.goto(f"{sandbox.page_url}?person=ana@example.com")
    page.get_by_role("button", name="Home tab").click()
    assert page.get_by_role("link", name="My page").get_attribute("href") == "https://example.com/m/1"
    assert app.payloads[0]["event"]["tab"] == "home"


def test_who_is_not_on_slack_has_nowhere_to_type(sandbox: Sandbox) -> None:
    assert "Write to the app in Slack" not in shown(sandbox, "mia@example.com")
