"""Takes the pictures of ``docs/first-campaign.md`` anew: ``python -m tests.pictures``, with the system's chromium."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.cli.terminal import Said
from tests.conftest import QUIET
from tests.shown import DOCS, follow

PICTURES = DOCS / "pictures"
PROGRAM = (sys.executable, "-m", "commsengine")


def take() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
        browser = playwright.chromium.launch(executable_path=found, args=[*QUIET, "--disable-lcd-text"])
        workspace = Path(folder) / "expenses"
        _prepare(workspace)
        page = next(workspace.glob("look/what-must-stay/sales/1-page.html"))
        _picture(browser, page.as_uri(), "answer-page", width=420, height=940)
        _sandbox(browser, workspace)
        browser.close()


def _prepare(workspace: Path) -> None:
    def run(words: list[str]) -> Said:
        where = [] if words[0] == "init" else ["--workspace", str(workspace)]
        words = [str(workspace) if word == "expenses" else word for word in words]
        subprocess.run(
            [*PROGRAM, *where, *words], check=True, cwd=workspace.parent if words[0] == "init" else workspace
        )
        return Said(0, "", "")

    follow("first-campaign", run, workspace, lambda words: words[0] in {"check", "simulate", "rehearse"})


def _sandbox(browser: Browser, workspace: Path) -> None:
    words = [*PROGRAM, "rehearse", "schedules/expenses.yaml", "--serve", "--port", "8971"]
    with subprocess.Popen(words, cwd=workspace, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as serving:
        assert serving.stdout
        for line in serving.stdout:
            if found := re.search(r"http://\S+:8971\S*", line):
                _picture(browser, found[0].rstrip("."), "sandbox", width=900, height=520)
                break
        serving.terminate()


def _picture(browser: Browser, address: str, name: str, *, width: int, height: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme="light")
    page.goto(address)
    page.screenshot(path=PICTURES / f"{name}.png")


if __name__ == "__main__":
    take()
