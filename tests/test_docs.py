"""Documentation that cannot rot: every command is documented, has an example, and the README's commands run."""

from __future__ import annotations

import re
import shlex
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from benchmarks.house import A_CHANNEL, naming, sources
from commsengine.authoring.providers_file import load_providers
from commsengine.cli.commands import ENTRIES, commsengine
from commsengine.environment import load_settings
from commsengine.settings import PREFIX, SECRETS, Settings
from tests.cli.terminal import Terminal
from tests.shown import blocks, commands
from tests.widened.program import EDITS
from tests.widened.program import PAGE as CHANNEL_PAGE

ROOT = Path(__file__).parent.parent
COMMANDS = (ROOT / "docs/commands.md").read_text(encoding="utf-8")


def _all() -> Iterator[tuple[str, click.Command]]:
    context = click.Context(commsengine)
    for name in ENTRIES:
        command = commsengine.get_command(context, name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name} {below}", each) for below, each in command.commands.items())


ALL = dict(_all())


@pytest.mark.parametrize("name", ALL)
def test_every_command_has_help_with_an_example_of_itself(name: str) -> None:
    assert f"Example: commsengine {name}" in (ALL[name].help or "")


@pytest.mark.parametrize("name", ALL)
def test_every_option_is_explained(name: str) -> None:
    options = [option for option in ALL[name].params if isinstance(option, click.Option)]
    assert [option.name for option in options if not option.help] == []


@pytest.mark.parametrize("name", ALL)
def test_every_command_has_its_place_in_the_reference(name: str) -> None:
    headings = "\n".join(line for line in COMMANDS.splitlines() if line.startswith("### "))
    assert re.search(rf"`{name}[ `]", headings)


def test_the_reference_names_no_command_that_is_not_there() -> None:
    headings = re.findall(r"^### (.*)$", COMMANDS, re.M)
    named = {words for heading in headings for words in re.findall(r"`([a-z-]+(?: [a-z]+)?)", heading)}
    assert {name for name in named if name not in ALL and name.split()[0] not in ALL} == set()


@pytest.mark.parametrize("name", ALL)
def test_every_option_of_an_example_exists(name: str) -> None:
    example = re.search(r"Example: commsengine (.*)", ALL[name].help or "")
    assert example
    given = {word for word in shlex.split(example[1]) if word.startswith("--")}
    known = {text for option in ALL[name].params for text in option.opts}
    assert given - known == set()


def test_every_setting_is_documented() -> None:
    text = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    names = [PREFIX + name.upper() for name in Settings.model_fields if name != "workspace"]
    assert [name for name in names if f"`{name}`" not in text] == []
    assert [name for name in SECRETS if f"`{PREFIX}{name}` (secret)" not in text] == []


PROVIDERS = (ROOT / "docs/providers.md").read_text(encoding="utf-8")


def test_the_page_of_providers_has_the_figures_of_the_table() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \| (\S+) \| (\S+) \| (\S+) \|", PROVIDERS, re.M)
    written = {
        name: [None if figure == "–" else int(figure.replace(",", "")) for figure in rest] for name, *rest in rows
    }
    known = {
        profile.name: [profile.limits.connections, profile.limits.per_minute, profile.limits.per_day]
        for profile in load_providers(ROOT / "providers.yaml")
    }
    assert written == {name: limits for name, limits in known.items() if name != "unknown"}


def test_the_page_of_providers_names_only_settings_that_there_are() -> None:
    named = {name.rstrip("_") for name in re.findall(rf"{PREFIX}(\w+)", PROVIDERS)} - {"MICROSOFT"}
    known = {name.upper() for name in Settings.model_fields}
    assert sorted(named - known) == []


def test_the_commands_on_the_page_of_providers_can_be_typed() -> None:
    shown = "\n".join(PROVIDERS.split("```")[1::2])
    lines = [shlex.split(line.partition("#")[0]) for line in shown.splitlines() if line.startswith("commsengine ")]
    assert len(lines) > 9
    for _program, *words in lines:
        group = ALL[words[0]]
        command = ALL[" ".join(words[:2])] if isinstance(group, click.Group) else group
        given = words[2:] if isinstance(group, click.Group) else words[1:]
        command.make_context(words[0], given, resilient_parsing=False)  # raises for an option that there is not


def test_the_settings_shown_for_mail_are_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(PREFIX + name.upper(), raising=False)
    blocks = re.findall(r"```ini\n(.*?)```", (ROOT / "docs/mail.md").read_text(encoding="utf-8"), re.S)
    shown = []
    for block in blocks:
        (tmp_path / ".env").touch(mode=0o600)
        (tmp_path / ".env").write_text(textwrap.dedent("\n" + block), encoding="utf-8")
        shown.append(load_settings(tmp_path).tokens_from)
    assert shown == ["microsoft", "google", ""]


def test_links_between_documents_lead_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
    links = [
        (page, target) for page in pages for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
    ]
    assert [(page.name, target) for page, target in links if not (page.parent / target).exists()] == []


def test_the_readme_opens_with_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [line.split()[:2] for line in text.split("```")[1].splitlines()[1:3]] == [["make", "demo"], ["make", "test"]]


def test_the_readmes_ten_minutes_are_those_of_the_first_campaign() -> None:
    """Which is followed by ``test_task_pages``. ``translate`` is tried where languages are."""
    ten_minutes = (ROOT / "README.md").read_text(encoding="utf-8").split("## Ten minutes", 1)[1]
    shown = [words for text in ten_minutes.split("```sh")[1:3] for words in commands(text.partition("```")[0])]
    page = [words for block in blocks("first-campaign") if block.kind == "sh" for words in commands(block.text)]
    assert [words for words in shown if words[0] != "translate" and words not in page] == []
    assert len(shown) == 7


def test_every_page_is_linked_from_the_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in ROOT.glob("docs/*.md") if f"(docs/{page.name})" not in text] == []


def test_every_command_on_a_page_can_be_typed() -> None:
    """What its arguments name need not be there; that a command and its options are is what counts."""
    wrong = []
    for page in sorted(ROOT.glob("docs/*.md")):
        shown = [words for block in blocks(page.stem) if block.kind == "sh" for words in commands(block.text)]
        wrong += [(page.name, words) for words in shown if words[0] != "--version" and not _can_be_typed(words)]
    assert wrong == []


def _can_be_typed(words: list[str]) -> bool:
    words = words[2:] if words[0] == "--workspace" else words
    name = next((name for name in (" ".join(words[:2]), words[0]) if name in ALL), "")
    known = {text for option in ALL[name].params for text in (*option.opts, *option.secondary_opts)} if name else set()
    return bool(name) and {word for word in words if word.startswith("--")} <= known


def test_pictures_are_small() -> None:
    assert [picture.name for picture in ROOT.glob("docs/pictures/*") if picture.stat().st_size > 60_000] == []


def test_the_container_copies_what_is_there_and_runs_what_is_known() -> None:
    text = (ROOT / "deploy/Dockerfile").read_text(encoding="utf-8")
    let_in = (ROOT / "deploy/Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    copied = [name for line in re.findall(r"^COPY (?!--from)(.*)$", text, re.M) for name in line.split()[:-1]]
    assert [name for name in copied if not (ROOT / name).exists() or f"!{name}" not in let_in] == []
    assert (
        {"COMMSENGINE_STATE_DIR", "COMMSENGINE_HTTP_BIND"}
        == {
            name
            for name in re.findall(r"\bCOMMSENGINE_\w+", text)
            if name.removeprefix(PREFIX).lower() in Settings.model_fields
        }
        == set(re.findall(r"\bCOMMSENGINE_\w+", text))
    )
    assert text.rindex("USER commsengine") < text.rindex("ENTRYPOINT")
    assert re.search(r'^CMD \["(\w+)"\]$', text, re.M)[1] in ALL  # type: ignore[index]


def test_the_wheel_takes_every_kind_of_file_along() -> None:
    setup = (ROOT / "setup.py").read_text(encoding="utf-8")
    taken = set(re.findall(r'"(\w+)"', re.search(r"DATA = \((.*)\)", setup)[1]))  # type: ignore[index]
    folders = ("commsengine", "docs", "message_templates", "schedules")
    names = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", *folders], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert {Path(name).suffix.lstrip(".") for name in names} - taken <= {"py"}
    beside = {str(Path(name).parent) for name in names} - {name for name in names if name.startswith("commsengine")}
    assert [name for name in beside if not name.startswith("commsengine") and f'"{name}"' not in setup] == []


def test_help_says_where_the_pages_are(tmp_path: Path) -> None:
    found = re.search(r"Documentation: (\S.*)", Terminal(tmp_path).run("--help").out)
    assert found
    assert Path(found[1]).read_text(encoding="utf-8").startswith("# Your first campaign")


def test_make_lists_its_targets() -> None:
    said = subprocess.run(
        ["make", "-C", str(ROOT), "--no-print-directory", "help"], capture_output=True, text=True, check=True
    )
    for target in ("setup", "demo", "test", "check", "bench", "format", "clean"):
        assert re.search(rf"^{target}\s", said.stdout, re.M)


def test_no_file_names_a_package_registry() -> None:
    tracked = subprocess.run(["git", "-C", str(ROOT), "ls-files"], capture_output=True, text=True, check=True).stdout
    texts = [
        ROOT / name
        for name in tracked.splitlines()
        if Path(name).suffix in {".md", ".toml", ".lock", ".py", ".txt", ""}
    ]
    hosts = re.compile("py" + r"pi\.org|pythonhosted|--(extra-)?index-url|registry\.", re.I)
    assert [
        p.name for p in texts if p.is_file() and p != Path(__file__) and hosts.search(p.read_text(errors="ignore"))
    ] == []


NEW_FILES = {"channels/pager.py", "resolvers/pager.py"}


def test_add_a_channel_names_every_file_that_one_needs() -> None:
    files = CHANNEL_PAGE.partition("\n## The files\n")[2].partition("\nTest it")[0]
    every, some = files.split("What some need besides:")
    needed = set(re.findall(r"^\| `(\w+(?:/\w+)*\.py)` \|", every, re.M))
    assert needed == {"channels/pager.py", *EDITS}
    named = needed | set(re.findall(r"`(\w+(?:/\w+)*\.py)`", some))
    assert [name for name in naming(sources(), A_CHANNEL) if name not in named] == []
    assert [name for name in named - NEW_FILES if not (ROOT / "commsengine" / name).is_file()] == []
