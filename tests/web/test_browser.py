"""A person with a real browser: without script, by keyboard, and through the whole way of an answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.answering import BY_LINK, answering
from tests.answers.test_inbox import CHECK
from tests.builders import ANA, a_message
from tests.web.conftest import app_of, served

pytestmark = pytest.mark.browser

LOWEST_CONTRAST = """() => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map(Number).map((each) => each / 255)
      .map((each) => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (!colour.endsWith(", 0)") && colour !== "transparent") return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const texts = [...document.querySelectorAll("main *, footer *, header *")].filter((element) =>
    element.checkVisibility() && [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
  return Math.min(...texts.map((element) => {
    const [a, b] = [light(getComputedStyle(element).color), light(behind(element))].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  }));
}"""


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
        page.get_by_label("The people who lead this campaign read your question").fill("When does it start?")
        page.get_by_role("button", name="Send my question").click()
        expect(page.get_by_text("We have your question")).to_be_visible()
    assert house.kinds() == []
    assert "sec-fetch-site" in house.store.answers.of_person(ANA.id)[0].detail
    house.store.close()


def test_the_link_to_the_question_opens_its_form_without_script(browser: Browser, tmp_path: Path) -> None:
    house = answering(tmp_path)
    key = house.touch()
    context = browser.new_context(java_script_enabled=False)
    with served(app_of(house)) as address:
        page = context.new_page()
        page.goto(address + "/a/" + house.token("answer", key))
        expect(page.get_by_label("The people who lead this campaign read your question")).to_be_hidden()
        page.goto(address + "/a/" + house.token("answer", key) + "#question")
        page.get_by_label("The people who lead this campaign read your question").fill("When does it start?")
        page.get_by_role("button", name="Send my question").click()
        expect(page.get_by_text("We have your question")).to_be_visible()
    context.close()
    house.store.close()


def test_opening_with_a_browser_that_runs_everything_records_nothing(page: Page, tmp_path: Path) -> None:
    house = answering(tmp_path, a_message(ask="check", checks=[CHECK]))
    key = house.touch()
    before = house.store.people.all_of(ANA.id)
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    with served(app_of(house)) as address:
        page.goto(address + "/a/" + house.token("answer", key), wait_until="networkidle")
        assert page.locator("form").first.locator("input[type=radio]").count() == 2
    assert house.store.people.all_of(ANA.id) == before
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


def test_a_check_by_keyboard_alone_and_the_verdict_has_the_focus(page: Page, tmp_path: Path) -> None:
    house = answering(tmp_path, a_message(checks=[CHECK]))
    key = house.touch(number=2)
    with served(app_of(house)) as address:
        page.goto(address + "/a/" + house.token("answer", key))
        page.keyboard.press("Tab")  # the way past the head
        page.keyboard.press("Tab")
        group = page.get_by_role("group", name=CHECK["question"])
        expect(group).to_have_accessible_description(
            "This is not a test: only you see your answer. It is explained at once."
        )
        radios = group.get_by_role("radio")
        expect(radios.first).to_be_focused()
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        page.keyboard.press("Space")
        right = group.get_by_role("radio", name=CHECK["right"])
        for _ in range(2):
            if not right.is_checked():
                page.keyboard.press("ArrowDown")
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name="Answer", exact=True)).to_be_focused()
        page.keyboard.press("Enter")
        verdict = page.get_by_role("status")
        expect(verdict).to_have_text(f"That is right. {CHECK['because']}")
        expect(verdict).to_be_focused()
        expect(verdict).to_be_in_viewport()
    assert house.store.answers.of_person(ANA.id)[0].right
    house.store.close()


def test_a_wrong_answer_and_please_explain_it_without_script_on_a_small_screen(
    browser: Browser, tmp_path: Path
) -> None:
    house = answering(tmp_path, a_message(checks=[CHECK]))
    key = house.touch(number=2)
    context = browser.new_context(java_script_enabled=False, viewport={"width": 320, "height": 640})
    with served(app_of(house)) as address:
        page = context.new_page()
        page.goto(address + "/a/" + house.token("answer", key))
        page.get_by_label("My notebook").check()
        page.get_by_role("button", name="Answer", exact=True).click()
        expect(page.get_by_role("status")).to_contain_text(f"Not quite. The answer is: {CHECK['right']}.")
        page.get_by_role("button", name="Please explain it to me").click()
        expect(page.get_by_text("We have your question")).to_be_visible()
        expect(page.get_by_role("button", name="Please explain it to me")).to_have_count(0)
    context.close()
    assert [answer.right for answer in house.store.answers.of_person(ANA.id)] == [False]
    house.store.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_a_check_says_can_be_read_by_weak_eyes(browser: Browser, tmp_path: Path, scheme: str) -> None:
    """Every text has a contrast of 4.5 to 1 at least, before the answer and after it."""
    house = answering(tmp_path, a_message(checks=[CHECK]))
    key = house.touch(number=2)
    context = browser.new_context(color_scheme="dark" if scheme == "dark" else "light")
    with served(app_of(house)) as address:
        page = context.new_page()
        page.goto(address + "/a/" + house.token("answer", key))
        before = page.evaluate(LOWEST_CONTRAST)
        house.inbox.answer_check(house.card(key), "My notebook", BY_LINK)
        page.reload()
        assert min(before, page.evaluate(LOWEST_CONTRAST)) >= 4.5
    context.close()
    house.store.close()


def test_nothing_is_wider_than_a_phone_and_targets_are_large(page: Page, tmp_path: Path) -> None:
    house = answering(tmp_path, a_message(checks=[CHECK], link="https://intranet.example.com/record"))
    key, checked, wrong = (house.touch(number=number) for number in (1, 2, 4))
    house.inbox.answer_check(house.card(wrong), "My notebook", BY_LINK)
    page.set_viewport_size({"width": 320, "height": 640})
    with served(app_of(house)) as address:
        asked = ["/a/" + house.token("answer", each) for each in (key, checked, wrong)]
        for path in (*asked, "/m/" + house.token("mine", key)):
            page.goto(address + path)
            assert page.evaluate("document.documentElement.scrollWidth") <= 320
            for target in page.locator("button:visible, summary:visible, select:visible, .target:visible").all():
                box = target.bounding_box()
                assert box
                assert box["height"] >= 44
    house.store.close()


def test_my_messages_open_by_a_link_of_ones_own(page: Page, tmp_path: Path) -> None:
    house = answering(tmp_path, send={"channels": ["email", "slack"]})
    key = house.touch()
    with served(app_of(house)) as address:
        page.goto(address + "/a/" + house.token("answer", key))
        page.get_by_role("button", name="Send me the link").click()
        expect(page.get_by_role("status")).to_contain_text("on its way")
        (mail,) = house.store.service_mail.due(house.clock())
        page.goto(address + "/p/" + (mail.payload or {})["text"].partition("/p/")[2].split()[0].rstrip(")."))
        page.reload()
        page.get_by_role("button", name="Open").click()
        expect(page.get_by_role("heading", name="Everything we keep about you")).to_be_visible()
        page.get_by_label("Channel").select_option("slack")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("status")).to_contain_text("Saved.")
    assert house.store.people.by_email(ANA.email).wished_channel == "slack"  # type: ignore[union-attr]
    house.store.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_of_links_can_be_read_on_a_phone_by_weak_eyes(browser: Browser, tmp_path: Path, scheme: str) -> None:
    house = answering(tmp_path)
    key = house.touch()
    fresh, used = (house.fresh_links.make("mine", ANA.id, house.clock(), campaign="crm")[21:] for _ in range(2))
    context = browser.new_context(
        color_scheme="dark" if scheme == "dark" else "light", viewport={"width": 320, "height": 640}
    )
    with served(app_of(house)) as address:
        page = context.new_page()
        page.goto(address + used)
        page.get_by_role("button", name="Open").click()
        asked = "/m/" + house.token("mine", key)
        for path in ("/mine", fresh, used, asked, f"{asked}?note=sent"):
            page.goto(address + path)
            assert page.evaluate("document.documentElement.scrollWidth") <= 320
            assert page.evaluate(LOWEST_CONTRAST) >= 4.5
            for target in page.locator("button:visible, summary:visible, select:visible").all():
                box = target.bounding_box()
                assert box
                assert box["height"] >= 44
    context.close()
    house.store.close()
