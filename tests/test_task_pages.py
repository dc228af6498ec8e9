"""The pages that lead through a task are followed, step by step, and say what the program says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.terminal import Said, Terminal
from tests.shown import follow

STAYS_UP = {"run", "--serve", "--open"}
OF_THE_REHEARSAL = {"today", "why", "followups", "status", "answers", "touches", "acks"}


class Reader:
    """Somebody at a terminal in ``folder`` who does what a page says."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.typed = folder, list[list[str]]()

    def run(self, words: list[str]) -> Said:
        self.typed.append(words)
        said = Terminal(self.folder).run(*words)
        assert said.status == 0 or "error: " in said.err, (words, said.out, said.err)
        return said


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, list[str]]]:
    """The workspace at the end of ``first-campaign.md``, and where the page is wrong."""
    folder = tmp_path_factory.mktemp("first") / "expenses"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder.parent)
        reader = Reader(folder)

        def run(words: list[str]) -> Said:
            if words[0] == "init":
                said = Terminal(Path()).run(*words)
                patch.chdir(folder)
                return said
            return reader.run(words)

        yield folder, follow("first-campaign", run, folder, lambda words: bool(STAYS_UP & {*words}))


def test_the_first_campaign_goes_as_the_page_says(campaign: tuple[Path, list[str]]) -> None:
    assert campaign[1] == []


def test_an_export_is_understood_as_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "w"
    Terminal(tmp_path).run("init", str(folder))
    monkeypatch.chdir(folder)
    assert follow("hr-export", Reader(folder).run, folder, lambda words: "FILE" in words) == []


def test_what_to_do_when_says_what_comes_of_it(
    campaign: tuple[Path, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading is done where something has happened: in the workspace of the rehearsal."""
    folder = campaign[0]
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COMMSENGINE_SMTP_URL", "smtp://127.0.0.1:9")
    here, rehearsed = Reader(folder), Reader(folder / "rehearsals/expenses")
    here.run(["apply", "schedules/expenses.yaml", "--yes"])
    here.run(["start", "expenses", "--yes"])

    def run(words: list[str]) -> Said:
        return (rehearsed if words[0] in OF_THE_REHEARSAL else here).run(words)

    assert follow("what-to-do-when", run, folder, lambda _: False) == []
