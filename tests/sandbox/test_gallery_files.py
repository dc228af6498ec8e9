"""The gallery as files: none is empty, the index leads to all of them, and nothing on it comes from elsewhere."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from commsengine.authoring.check import check
from commsengine.cadence.plan import Workspace
from commsengine.cadence.population import ListedPeople
from commsengine.content.shipped import shipped_folder
from commsengine.content.templates import load_templates
from commsengine.planning.gallery import Gallery, gallery
from commsengine.planning.plan_on_disk import CheckedPlan, checked
from commsengine.planning.preview import PreviewBasis, preview_people
from commsengine.sandbox.gallery_files import INDEX, gallery_files
from tests.builders import ANA, BEN, MIA, a_message, a_plan
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
TEMPLATES = load_templates(shipped_folder(), None)
BASIS = PreviewBasis(Workspace(), TEMPLATES, "http://127.0.0.1:8080", frozenset(), None)
CHECK = {"question": "Where?", "answers": ["Here", "In the record"], "right": "In the record", "because": "It is one."}


def written(given: CheckedPlan, file: Path) -> tuple[Gallery, dict[str, str]]:
    shown = gallery(BASIS, given, preview_people(given, email=None, role=None), file)
    return shown, dict(gallery_files(BASIS, given, shown))


@cache
def shipped(name: str) -> tuple[Gallery, dict[str, str]]:
    file = ROOT / "schedules" / name
    return written(checked(check(file, root=ROOT, people=None, templates=TEMPLATES)), file)


def small(*messages: object) -> tuple[Gallery, dict[str, str]]:
    plan = a_plan(*messages, send={"channels": ["slack", "email"], "holidays": "false"})  # type: ignore[arg-type]
    return written(CheckedPlan(plan, ListedPeople((ANA, BEN, MIA))), ROOT / "schedules/crm-rollout.yaml")


PLANS = sorted(each.name for each in (ROOT / "schedules").glob("*.yaml") if "." not in each.stem)


@pytest.mark.parametrize("name", PLANS)
def test_no_file_of_a_shipped_plan_is_empty_and_the_index_has_all(name: str) -> None:
    shown, files = shipped(name)
    assert [path for path, text in files.items() if len(text.strip()) < 80] == []
    index = files[INDEX]
    linked = set(re.findall(r'(?:src|href)="([^"#]+)"', index))
    assert linked <= set(files)
    pages = {path for path in files if path.endswith(".html")} - {INDEX}
    assert linked == pages
    anchors = set(re.findall(r'id="([^"]+)"', index))
    assert set(re.findall(r'href="#([^"]+)"', index)) <= anchors
    assert {piece.stem for piece in shown.pieces} <= anchors
    assert all(piece.path("talk", "txt") in files for piece in shown.pieces if not piece.shown)


def test_nothing_comes_from_elsewhere_or_runs() -> None:
    for path, text in shipped("crm-rollout.yaml")[1].items():
        if path.endswith(".html"):
            assert "<script" not in text, path
            assert not re.search(r'<link[^>]+href="(?!data:)|<img|@import|url\((?!data:)', text), path


def test_the_pages_after_each_answer_are_there() -> None:
    asked = a_message(ask="check", checks=[CHECK])
    promised = a_message(id="promise", ask="commit", commit={"text": "I log it.", "by": "kickoff + 14d"})
    choice = a_message(id="choice", ask="input", input={"question": "Which?", "kind": "rank", "choices": ["A", "B"]})
    _shown, files = small(asked, promised, choice)
    checks = [path for path in files if path.startswith("one-record/others/") and path.endswith("-page-wrong.html")]
    assert checks
    assert "It is one." in files[checks[0]]
    assert "It is one." in files[checks[0].replace("wrong", "right")]
    assert "You said you will" in files["promise/others/1-page-answered.html"]
    done = next(text for path, text in files.items() if path.endswith("-commitment-page-answered.html"))
    assert "You said it is done" in done
    assert "1. A" in files["choice/others/1-page-answered.html"]
    first = files["promise/others/1-page.html"]
    assert ("<style>" in first, "form-action 'none'" in first, "You said" in first) == (True, True, False)


def test_a_choice_leaves_what_it_says_without_script(browser: Browser, tmp_path: Path) -> None:
    _shown, files = small(a_message(), a_message(id="worse-first", ask="nothing"))
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 800})
    context.set_default_timeout(PATIENCE * 1000)
    page = context.new_page()
    page.goto((tmp_path / INDEX).as_uri())
    pieces = page.locator(".piece:visible")
    everything = pieces.count()
    page.get_by_text("worse-first", exact=True).first.click()
    page.locator("label", has_text="sales").click()
    expect(page.locator(".message:visible")).to_have_count(1)
    assert 0 < pieces.count() < everything
    assert all("sales" in text.lower() for text in pieces.locator("h3").all_inner_texts())
    page.locator("label", has_text="Slack").click()
    assert (
        page.locator("figure:visible").count()
        == page.locator("details[open] figure:visible iframe[src*=slack]").count()
    )
    card = page.frame_locator("figure:visible iframe >> nth=0")
    expect(card.get_by_text("APP", exact=True)).to_be_visible()
    context.close()
