"""A person with a real browser: without script, by keyboard, and through the whole way of an answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from commsengine.links import Links
from tests.answering import KEYS, answering
from tests.builders import ANA, a_message
from tests.engine.test_answers import CHECK
from tests.web.conftest import app_of, served

pytestmark = pytest.mark.browser


def test_got_it_undo_and_a_question(page: Page, tmp_path: Path) -> None:
    house = answering(tmp_path)
    key = house.touch()
    with served(app_of(house)) as address:
        page.goto(address + "/a/" + house.token("answer", key))
        page.get_by_role("button", name="Got it").click()
        expect(page.get_by_text("You confirmed Mon 18:00")).to_be_visible()
        page.reload()
        assert house.kinds() == ["acknowledged"]
        page.get_by_role("button", name="undo").click()
        expect(page.get_by_role("status")).to_contain_text("Undone")
        page.get_by_text("I have a question").click()
        page.get_by_label("Your question goes to").fill("When does it start?")
        page.get_by_role("button", name="Send my question").click()
        expect(page.get_by_text("Your question is with us")).to_be_visible()
    assert house.kinds() == []
    assert "sec-fetch-site" in house.store.facts.answers_of(ANA.id)[0].detail
    house.store.close()


def test_the_link_to_the_question_opens_its_form_without_script(browser: Browser, tmp_path: Path) -> None:
    house = answering(tmp_path)
    key = house.touch()
    context = browser.new_context(java_script_enabled=False)
    with served(app_of(house)) as address:
        page = context.new_page()
        page.goto(address + "/a/" + house.token("answer", key))
        expect(page.get_by_label("Your question goes to")).to_be_hidden()
        page.goto(address + "/a/" + house.token("answer", key) + "#question")
        page.get_by_label("Your question goes to").fill("When does it start?")
        page.get_by_role("button", name="Send my question").click()
        expect(page.get_by_text("Your question is with us")).to_be_visible()
    context.close()
    house.store.close()


def test_opening_with_a_browser_that_runs_everything_records_nothing(page: Page, tmp_path: Path) -> None:
    house = answering(tmp_path, a_message(ask="check", checks=[CHECK]))
    key = house.touch()
    before = house.store.facts.all_of(ANA.id)
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    with served(app_of(house)) as address:
        page.goto(address + "/a/" + house.token("answer", key), wait_until="networkidle")
        assert page.locator("form").first.locator("input[type=radio]").count() == 2
    assert house.store.facts.all_of(ANA.id) == before
    assert problems == []  # the page keeps its own content policy
    house.store.close()


def test_by_keyboard_without_script_on_a_small_screen(browser: Browser, tmp_path: Path) -> None:
    house = answering(tmp_path)
    key = house.touch()
    context = browser.new_context(java_script_enabled=False, viewport={"width": 320, "height": 640})
    with served(app_of(house)) as address:
        page = context.new_page()
        page.goto(address + "/a/" + house.token("answer", key))
        for _ in range(12):
            page.keyboard.press("Tab")
            if page.locator("button.main:focus").count():
                break
        page.keyboard.press("Enter")
        expect(page.get_by_text("You confirmed")).to_be_visible()
    context.close()
    house.store.close()


def test_nothing_is_wider_than_a_phone_and_targets_are_large(page: Page, tmp_path: Path) -> None:
    house = answering(tmp_path, a_message(checks=[CHECK]))
    key = house.touch()
    page.set_viewport_size({"width": 320, "height": 640})
    with served(app_of(house)) as address:
        for path in ("/a/" + house.token("answer", key), "/m/" + house.token("mine", key)):
            page.goto(address + path)
            assert page.evaluate("document.documentElement.scrollWidth") <= 320
            for target in page.locator("button:visible, summary:visible, select:visible").all():
                box = target.bounding_box()
                assert box
                assert box["height"] >= 44
    house.store.close()


def test_links_follow_the_base_address(page: Page, tmp_path: Path) -> None:
    house = answering(tmp_path)
    key = house.touch()
    with served(app_of(house)) as address:
        links = Links(address, KEYS)
        house.links.base_url = links.base_url
        page.goto(address + "/a/" + house.token("answer", key))
        page.get_by_role("link", name="My messages").click()
        expect(page.get_by_role("heading", name="Everything we keep about you")).to_be_visible()
    house.store.close()
