"""Languages that a workspace adds: one file each, reviewed at its lines, seen as soon as it is saved."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from commsengine.authoring.catalog_file import WorkspaceCatalogs, languages_known, review_catalogs
from commsengine.translation import (
    NO_CATALOGS,
    TO_TRANSLATE,
    _,
    cached,
    counted,
    has_catalog,
    in_language,
    look_for_catalogs,
)
from tests.builders import BEN, MIA
from tests.content.desk import CAST, a_renderer, a_touch

HEADER = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
GOT_IT = 'msgid "Got it"\nmsgstr "Rozumiem"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "locale"
    folder.mkdir()
    look_for_catalogs(WorkspaceCatalogs(folder))
    yield folder
    look_for_catalogs(lambda: NO_CATALOGS)


def saved(folder: Path, text: str, name: str = "pl.po", at: int = 1) -> Path:
    file = folder / name
    file.write_text(HEADER + text, encoding="utf-8")
    os.utime(file, (at, at))
    return file


def in_polish(text: str) -> str:
    with in_language("pl-PL"):
        return _(text)


def test_a_language_is_one_file_that_is_seen_as_it_is_saved(folder: Path) -> None:
    assert (in_polish("Got it"), has_catalog("pl")) == ("Got it", False)
    saved(folder, GOT_IT)
    assert (in_polish("Got it"), in_polish("I will")) == ("Rozumiem", "I will")
    assert (has_catalog("pl"), languages_known(folder)[-1]) == (True, "pl")
    saved(folder, GOT_IT.replace("Rozumiem", "Jasne"), at=2)
    assert in_polish("Got it") == "Jasne"


def test_what_was_made_of_a_catalog_is_made_again_when_it_changes(folder: Path) -> None:
    made = cached(lambda: _("Got it"))
    saved(folder, GOT_IT)
    with in_language("pl"):
        assert made() == "Rozumiem"
    saved(folder, GOT_IT.replace("Rozumiem", "Jasne"), at=2)
    with in_language("pl"):
        assert made() == "Jasne"


def test_the_folder_is_looked_at_for_each_text_and_not_for_each_letter(folder: Path) -> None:
    looks: list[Path] = []
    look_for_catalogs(lambda: looks.append(folder) or NO_CATALOGS)  # type: ignore[func-returns-value]
    renderer = a_renderer()
    renderer.touch(a_touch(), BEN, CAST)
    at_first = len(looks)
    renderer.touch(a_touch(person="mia"), MIA, CAST)
    assert len(looks) == at_first
    renderer.touch(a_touch("input"), BEN, CAST)
    assert len(looks) > at_first


def test_a_file_of_a_shipped_language_rewords_it(folder: Path) -> None:
    saved(folder, 'msgid "Got it"\nmsgstr "Understood"\n', "en_GB.po")
    with in_language("en-GB"):
        assert (_("Got it"), _("I will")) == ("Understood", "I will")
    assert _("Got it") == "Got it"


def test_its_plural_forms_are_those_of_the_language(folder: Path) -> None:
    forms = "".join(f'msgstr[{n}] "{word}"\n' for n, word in enumerate(("osoba", "osoby", "osób")))
    saved(folder, f'msgid "person"\nmsgid_plural "people"\n{forms}')
    with in_language("pl"):
        assert [counted(n, "person", "people") for n in (1, 2, 5, 1200)] == [
            "1 osoba", "2 osoby", "5 osób", "1\u00a0200 osób",
        ]  # fmt: skip


def test_a_broken_file_stops_no_message_and_what_it_said_before_holds(folder: Path) -> None:
    saved(folder, GOT_IT)
    assert in_polish("Got it") == "Rozumiem"
    saved(folder, "msgidd oops\n", at=2)
    assert in_polish("Got it") == "Rozumiem"
    saved(folder, "msgidd oops\n", "tr.po")
    with in_language("tr"):
        assert _("Got it") == "Got it"


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("msgidd oops\n", "locale/pl.po:5:1: error: This catalog cannot be read"),
        ('msgid "Hi {name}"\nmsgstr "Cześć {nme}"\n', "locale/pl.po:5:1: advice: The names in braces are not those"),
        ('msgid "Hi {name}"\nmsgstr "Cześć {name"\n', "The names in braces are not those"),
        ('msgid "%(n)s of it"\nmsgstr "tego"\n', "The names in braces are not those"),
        ('msgid "**Not** now"\nmsgstr "Nie teraz"\n', "The marks are not those of the text."),
        ('msgid "See `run`"\nmsgstr "Zobacz `biegnij`"\n', "The marks are not those of the text."),
        ('msgid "<{answer}|Open>"\nmsgstr "Otwórz {answer}"\n', "The marks are not those of the text."),
        ('msgid "Ends."\nmsgstr "Koniec"\n', "The translation does not end as the text does."),
        ('msgid "Ends"\nmsgstr "Koniec!"\n', "The translation does not end as the text does."),
        ('msgid "a"\nmsgstr " b"\n', "Spaces and line ends are not those of the text."),
        ('msgid "one"\nmsgid_plural "many"\nmsgstr[0] "a"\nmsgstr[1] "b"\n', "Write msgstr[0] to msgstr[2]."),
    ],
)
def test_what_is_wrong_with_it_is_told_at_its_line(folder: Path, entry: str, said: str) -> None:
    saved(folder, entry)
    told = [str(problem) for problem in review_catalogs(folder)]
    assert len(told) == 1
    assert said in told[0]


@pytest.mark.parametrize(
    "entry",
    [
        GOT_IT, 'msgid "Hi {name}"\nmsgstr ""\n', 'msgid "Ends?"\nmsgstr "終わり？"\n',
        'msgid "a"\nmsgid_plural "{number}"\nmsgstr[0] "{number} dzień"\nmsgstr[1] "{number}"\nmsgstr[2] "x"\n',
    ],
)  # fmt: skip
def test_what_is_right_is_let_be(folder: Path, entry: str) -> None:
    saved(folder, entry)
    assert review_catalogs(folder) == []


def test_a_file_without_a_language_or_in_other_letters(folder: Path) -> None:
    saved(folder, GOT_IT, "klingon.po")
    (folder / "pl.po").write_bytes(HEADER.encode() + 'msgid "Got it"\nmsgstr "Jasné"\n'.encode("cp1250"))
    assert [problem.message for problem in review_catalogs(folder)] == [
        "'klingon.po' is not named after a language.", "This catalog is not UTF-8 text.",
    ]  # fmt: skip


def test_the_list_of_texts_can_be_copied_as_a_beginning(folder: Path) -> None:
    listed = Path(TO_TRANSLATE).read_text(encoding="utf-8")
    (folder / "pl.po").write_text(listed, encoding="utf-8")
    assert review_catalogs(folder) == []
    assert 'msgid "Got it"' in listed
    assert "Plural-Forms" not in listed
