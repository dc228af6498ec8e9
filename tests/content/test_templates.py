from __future__ import annotations

from pathlib import Path

import pytest

from commsengine.content.shipped import shipped_folder
from commsengine.content.templates import compiled, html_flaws, load_templates
from commsengine.errors import InputError, RenderError
from tests.content.desk import SHIPPED


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    return folder


def test_the_shipped_templates_are_found() -> None:
    assert {"wiifm", "reminder", "input", "check", "correction", "talking_points", "digest", "answer"} <= set(SHIPPED)
    assert {"footer", "layout.html", "layout.txt"} <= set(SHIPPED)
    assert (shipped_folder() / "wiifm.md").is_file()


def test_the_workspace_overrides_and_adds(tmp_path: Path) -> None:
    own = write(tmp_path / "own", wiifm="mine", launch="new")
    found = load_templates(shipped_folder(), own)
    assert (found["wiifm"], found["launch"], found["reminder"]) == ("mine", "new", SHIPPED["reminder"])


def test_a_workspace_without_templates_is_fine(tmp_path: Path) -> None:
    assert load_templates(shipped_folder(), tmp_path / "none") == SHIPPED


def test_a_symlink_is_refused(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside", secret="x")
    own = write(tmp_path / "own")
    (own / "wiifm.md").symlink_to(outside / "secret.md")
    with pytest.raises(InputError, match="leads out of its folder"):
        load_templates(shipped_folder(), own)


@pytest.mark.parametrize("name", ["Big", "a b", "ä", "x" * 65, "..x", "a.b"])
def test_odd_names_are_refused(tmp_path: Path, name: str) -> None:
    own = write(tmp_path / "own", **{name: "x"})
    with pytest.raises(InputError, match="not a name"):
        load_templates(shipped_folder(), own)


def test_a_file_that_is_not_utf8_or_too_large_is_refused(tmp_path: Path) -> None:
    own = write(tmp_path / "own")
    (own / "wiifm.md").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not UTF-8"):
        load_templates(shipped_folder(), own)
    (own / "wiifm.md").write_text("x" * 300_000)
    with pytest.raises(InputError, match="too large"):
        load_templates(shipped_folder(), own)


def test_an_empty_cell_counts_as_missing() -> None:
    text = compiled("{{ role|default('you') }}{% if role is defined %}!{% endif %}", "x.md", {"role": None})
    assert "!" not in text.render({"role": ""})
    assert "!" in text.render({"role": "sales"})


def test_output_over_the_limit_is_refused() -> None:
    text = compiled("{% for row in rows %}{{ row }}{% endfor %}", "x.md", {"rows": [None]})
    with pytest.raises(RenderError, match="256 KB"):
        text.render({"rows": ["x" * 1000] * 200})


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("<p class={{ role }}>", "no quotes"),
        ("<a href='javascript:alert(1)'>", "carries code"),
        ('<a href="{{ person.site }}">', "is not allowed"),
        ('<a href="http://x.example.com">', "is not allowed"),
        ('<img src="https://x.example.com/pixel.gif">', "does not need"),
        ("<script>x</script>", "does not need"),
        ('<p onclick="x">', "event handler"),
        ("<style>@import 'x';</style>", "outside asset"),
        ("<style>p { background: url(https://x.example.com/a.png) }</style>", "outside asset"),
    ],
)
def test_a_layout_that_is_not_safe_is_refused(source: str, what: str) -> None:
    flaws = html_flaws("\n" + source)
    assert what in flaws[0].message
    assert flaws[0].line == 2


def test_the_shipped_layout_has_no_flaw() -> None:
    assert html_flaws(SHIPPED["layout.html"]) == []
