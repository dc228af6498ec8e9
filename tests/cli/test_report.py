"""``report`` as a command, and its page in a real browser: wide, narrow, dark, printed, and for who cannot see it."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from commsengine.recall.small_groups import week_of
from commsengine.reports.campaign_report import report
from commsengine.reports.report_html import page as page_of
from tests.builders import a_message
from tests.cli.terminal import Terminal
from tests.on_record import CHECKS, NOW, TYPICAL, Given, a_recalled_plan, put_on_record

GIVEN = Given(
    {"managers": 7, "sales": 40, "service": 26, "office": 14}, TYPICAL.strength, TYPICAL.answers, unsent="later"
)
LONG = "Every-customer-conversation-is-logged-in-one-record-before-anybody-goes-home: no exceptions & no <b>lists</b>."


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a generated campaign."""
    folder = tmp_path_factory.mktemp("page")
    cadence = {"recall_floor": "0.35", "target": "0.6", "by": "go_live"}
    plan = a_recalled_plan(
        a_message(cadence=cadence, until="go_live + 14d", checks=list(CHECKS), key_point=LONG),
        a_message(id="later", **{"from": "go_live", "until": "go_live + 14d"}),
    )
    with put_on_record(folder, GIVEN, plan) as store:
        text = page_of(report(store, "crm", NOW))
    (folder / "report.html").write_text(text, encoding="utf-8")
    return folder / "report.html"


@pytest.fixture(scope="module")
def running_now(tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    """A workspace whose campaign began three weeks ago by the real clock."""
    folder = tmp_path_factory.mktemp("workspace")
    now = dt.datetime.now(dt.UTC)
    start = week_of(now) - dt.timedelta(days=21) + dt.timedelta(hours=6)
    given = Given(GIVEN.people, GIVEN.strength, GIVEN.answers, start=start)
    put_on_record(folder, given, until=now, file="commsengine.db").close()
    return Terminal(folder)


def test_the_command_writes_the_page_and_says_the_headline(running_now: Terminal) -> None:
    said = running_now.run("report", "crm")
    assert (said.status, said.err) == (0, f"The report is in {running_now.folder.resolve()}/report-crm.html.\n")
    text = (running_now.folder / "report-crm.html").read_text(encoding="utf-8")
    assert said.out.splitlines()[0] in text
    assert "What this does not say" in text
    other = running_now.path("other.html")
    assert running_now.run("report", "crm", "--out", other).err == f"The report is in {other}.\n"


def test_the_page_is_as_of_a_time_in_the_zone_of_the_plan(file: Path) -> None:
    assert "As of Mon 1 Feb 2027 (14:00 UTC)" in file.read_text(encoding="utf-8")


def test_its_data_has_the_documented_fields(running_now: Terminal) -> None:
    page = running_now.folder / "report-crm.html"
    page.unlink(missing_ok=True)
    data = running_now.json("report", "crm")
    assert not page.exists()
    [message] = data["messages"]
    documented = (Path(__file__).parent.parent.parent / "docs/commands.md").read_text(encoding="utf-8")
    block = documented.split("### `report CAMPAIGN`", 1)[1].split("```")[1]
    names = set(re.findall(r'"([a-z_]+)"', block))
    for value in (data, message, message["total"], message["alike"], data["weeks"][0], *message["roles"]):
        assert set(value) <= names
    roles = {role["role"]: role for role in message["roles"]}
    assert roles["managers"]["hidden"]
    assert {key for key, value in roles["managers"].items() if value} == {"role", "hidden", "people"}
    assert roles["sales"]["recall"]["low"] < roles["sales"]["recall"]["mean"] < roles["sales"]["recall"]["high"]


def test_an_unknown_campaign_and_a_file_that_cannot_be_written_are_told(running_now: Terminal) -> None:
    said = running_now.run("report", "crn")
    assert (said.status, "crm" in said.err) == (2, True)
    said = running_now.run("report", "crm", "--out", running_now.path("nowhere/report.html"))
    assert (said.status, "cannot be written: No such file or directory. Name another file with --out." in said.err) == (
        2,
        True,
    )


def test_status_says_it_in_one_line_and_why_without_a_figure(running_now: Terminal) -> None:
    [line] = [line for line in running_now.run("status").out.splitlines() if line.startswith("Estimated recall")]
    assert re.search(r"Sales \d+% \(\d+% to \d+%, n = 40, assumed curve\)", line)
    assert line.endswith("; 1 role has too few people to be shown.")
    assert "managers" not in line.lower()
    [campaign] = running_now.json("status")["campaigns"]
    assert {role["role"]: role["hidden"] for role in campaign["recall"]} == {
        "managers": True, "sales": False, "service": False, "office": False,
    }  # fmt: skip
    said = running_now.run("why", "p00012@example.com")
    assert (said.status, "by the curve of the role (an assumed curve)." in said.out) == (0, True)
    assert "%" not in said.out


# -- in a browser ---------------------------------------------------------------------------------

CONTRAST = """() => {
  const parsed = c => c.match(/[\\d.]+/g).map(Number);
  const linear = v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const light = c => { const [r, g, b] = parsed(c).map(v => linear(v / 255));
    return .2126 * r + .7152 * g + .0722 * b; };
  const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
    if (!/, 0\\)$|transparent/.test(c)) return c; } return 'rgb(255, 255, 255)'; };
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((m, n) => n - m); return (x + .05) / (y + .05); };
  const band = getComputedStyle(document.querySelector('.band')).fill;
  const low = [];
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || !e.getClientRects().length || e.closest('title, desc, style')) continue;
    const drawn = e instanceof SVGElement, style = getComputedStyle(e);
    const text = drawn ? style.fill : style.color;
    const grounds = drawn ? [ground(e.closest('figure, li')), band] : [ground(e)];
    for (const g of grounds) if (ratio(text, g) < 4.5) low.push([e.textContent.trim(), text, g, ratio(text, g)]);
  }
  for (const name of ['path', 'dot', 'whisker', 'floor', 'moment', 'bar']) {
    const e = document.querySelector('svg .' + name), style = getComputedStyle(e);
    const ink = ['path', 'whisker', 'floor', 'moment'].includes(name) ? style.stroke : style.fill;
    for (const g of [ground(e.closest('figure')), band]) if (ratio(ink, g) < 3) low.push([name, ink, g, ratio(ink, g)]);
  }
  return low;
}"""


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_can_be_read_at_360_pixels_in_both_colours(browser: Browser, file: Path, scheme: str) -> None:
    context = browser.new_context(color_scheme=scheme, viewport={"width": 360, "height": 740})  # type: ignore[arg-type]
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert page.evaluate(CONTRAST) == []
    letters = page.evaluate(
        "[...document.querySelectorAll('svg text')].map(t => parseFloat(getComputedStyle(t).fontSize)"
        " * t.ownerSVGElement.getBoundingClientRect().width / 340)"
    )
    assert min(letters) >= 10
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert page.locator("script").count() == 0
    context.close()


@pytest.mark.browser
def test_who_cannot_see_a_plot_hears_it_and_finds_its_figures(page: Page, file: Path) -> None:
    page.goto(file.as_uri())
    plots = page.get_by_role("img")
    assert plots.count() == 3 + 2  # three roles that are shown; touches and acknowledgements
    assert plots.first.get_attribute("aria-labelledby") == "recall-1-t recall-1-d"
    for plot in plots.all():
        assert plot.locator("title").first.text_content()
        assert plot.locator("desc").first.text_content()
        assert plot.locator(".x-label").text_content()
        assert plot.locator(".y-label").text_content()
        rows = plot.locator("xpath=ancestor::figure").locator("tbody tr")
        assert rows.count() >= 3
    assert re.search(
        r"Mean over 40 people. On 1 Feb: \d+%, between \d+% and \d+%. If nothing more is sent: \d+% on 2 Mar. "
        r"The floor is 35%. Answers that were right: \d+% of \d+ from 11 Jan",
        plots.first.locator("desc").first.text_content() or "",
    )
    assert page.get_by_role("heading", level=1).count() == 1


@pytest.mark.browser
def test_plots_lie_within_their_frame_and_their_words_do_not_collide(page: Page, file: Path) -> None:
    page.goto(file.as_uri())
    outside = page.evaluate(
        "[...document.querySelectorAll('svg[role=img]')].flatMap(svg => { const f = svg.getBoundingClientRect();"
        " return [...svg.querySelectorAll('text, path, line, circle, rect')].filter(e => {"
        " const b = e.getBoundingClientRect();"
        " return b.left < f.left - 1 || b.right > f.right + 1 || b.top < f.top - 1 || b.bottom > f.bottom + 1 })"
        ".map(e => e.outerHTML) })"
    )
    assert outside == []
    collided = page.evaluate(
        "[...document.querySelectorAll('svg[role=img]')].flatMap(svg => { const t = [...svg.querySelectorAll("
        "'text:not(.dot-text)')].map(e => [e.textContent, e.getBoundingClientRect()]);"
        " return t.flatMap(([a, p], i) => t.slice(i + 1).filter(([b, q]) => p.left < q.right && q.left < p.right"
        " && p.top + 3 < q.bottom && q.top + 3 < p.bottom).map(([b]) => [a, b])) })"
    )
    assert collided == []


def test_what_authors_write_stays_text(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert "&lt;b&gt;lists&lt;/b&gt;" in text
    assert "<b>lists" not in text


def test_it_says_what_it_does_not_say_and_which_curve_is_only_assumed(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    for claim in (
        "forecast about groups", "do not represent everybody", "does not mean that they understood", "No primary study",
        "They do not raise recall on the go-live day", "one laboratory study", "Morisita", "is not estimated",
    ):  # fmt: skip
        assert claim in text
    assert text.count("assumed curve") >= 6  # beside each estimate of the table and above each plot
    assert "Too few people: hidden." in text
    assert "Roles shown" in text


def test_the_page_is_in_the_language_of_the_plan(tmp_path: Path) -> None:
    recalled = {"cadence": {"recall_floor": "0.35", "target": "0.6", "by": "go_live"}, "until": "go_live + 14d"}
    german = a_recalled_plan(a_message(**recalled, checks=list(CHECKS)), language="de")
    given = Given({"sales": 12}, TYPICAL.strength, TYPICAL.answers)
    put_on_record(tmp_path, given, german, file="commsengine.db").close()
    assert Terminal(tmp_path).run("report", "crm").status == 0
    text = (tmp_path / "report-crm.html").read_text(encoding="utf-8")
    assert '<html lang="de"' in text
    assert "Was das nicht aussagt" in text
