"""The catalogs in ``commsengine/locale``: complete, and the place where a text is reworded."""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections.abc import Iterator
from gettext import GNUTranslations
from pathlib import Path
from types import SimpleNamespace as Thing
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from commsengine.answers.touch_text import CardText
from commsengine.cadence.kinds_and_states import OUTCOME_WORDS
from commsengine.cli import exit_status_of
from commsengine.slack_app.forms import answer_form, not_yet_form, question_form
from commsengine.slack_app.manager_buttons import _outcome_form
from commsengine.translation import ENGLISH, TO_TRANSLATE, _, in_language
from tests.builders import a_message, a_plan
from tests.catalogs import SAME, catalog_files, extracted, for_people, missing, python, renewed, slips, to_translate
from tests.pseudo import in_place_of

NEXT = "The workspace is in {folder}. Next:"
STILTED = re.compile(
    r"\b([Nn]obody (has|needs|gets|is (known|here|asked|imported)|would|can)|[Ww]hoever|anew|rungs?|books|beats?)\b"
    r"|\b[Tt]ouch(es)?\b|\bleaves? now\b|\bleft (since|just)\b|\bin force\b|\bgoes out\b|\bgo out\b"
    r"|\bstands? (here|in|there|beside|twice)\b|nothing that|\b[Ss]upposed\b|of this version|\bis whole\b|\bby itself\b"
    r"|\bneeds? a person\b|\bperson's (own )?time\b|\byour word\b|hears? of it|comes once|come again|not written to"
    r"|they say\b|makes this contact|gives '|another angle|more side|[Bb]ack briefly|[Ee]nough of this|collides"
    r"|soon forgotten|for afterwards|in silence|forsake|give back|time-lapse|\btouches are made\b|few remember"
)
"""Words and turns that texts once had, and turns that people read badly."""
NAMES = re.compile(r"commsengine touch(es)? \S+|'commsengine touches'|--touch\b|\b\d touches\b|\{[a-z]+[^}]*\}")
"""What keeps its name: commands, options, the wait of a plan, and places that are filled in."""
FILES = {path.parts[-3]: path for path in catalog_files()}


@pytest.fixture(scope="module")
def today() -> Catalog:
    return extracted()


def test_the_texts_are_in_plain_words(today: Catalog) -> None:
    texts = [text for each in today if each.id for text in ([each.id] if isinstance(each.id, str) else each.id)]
    stilted = {text: found[0] for text in texts if (found := STILTED.search(NAMES.sub("", text)))}
    assert stilted == {}
    old = ("All 1 touches are made.", "Nobody needs a person.", "'a' is nothing that 'b' can be.", "It comes once.")
    assert all(map(STILTED.search, old))


@pytest.mark.parametrize("language", FILES)
def test_the_catalogs_have_the_texts_of_today(today: Catalog, language: str) -> None:
    path = FILES[language]
    kept = tuple(file.read_bytes() if file.exists() else b"" for file in (path, path.with_suffix(".mo")))
    renew = renewed(path, today) != kept  # compared here: pytest would show two long files
    assert not renew, "make catalogs brings them up to date"


@pytest.fixture
def reworded(today: Catalog, tmp_path: Path) -> Iterator[Path]:
    """A copy of the English catalog, in which one text was changed and the rest brought up to date."""
    copy = tmp_path / ENGLISH / "LC_MESSAGES" / "commsengine.po"
    copy.parent.mkdir(parents=True)
    written, _compiled = renewed(copy, today)
    entry = f'msgid "{NEXT}"\nmsgstr ""\n'.encode()
    assert entry in written
    copy.write_bytes(written.replace(entry, f'msgid "{NEXT}"\nmsgstr "{{folder}} is yours."\n'.encode()))
    written, compiled = renewed(copy, today)
    copy.write_bytes(written)
    with in_place_of(ENGLISH, GNUTranslations(io.BytesIO(compiled))):
        yield copy


def test_a_text_is_reworded_in_the_catalog(reworded: Path, tmp_path: Path) -> None:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert exit_status_of(["init", str(tmp_path / "crm")]) == 0
    said = out.getvalue().splitlines()
    assert said[0] == f"{tmp_path}/crm is yours."
    assert said[-1] == "  commsengine check schedules/crm.yaml"


def test_no_text_is_no_text_in_a_catalog_too(reworded: Path) -> None:
    assert _("") == ""


def test_a_language_without_a_catalog_is_english() -> None:
    with in_language("tlh"):
        assert _(NEXT, folder="crm") == "The workspace is in crm. Next:"


def test_texts_are_found_wherever_they_stand() -> None:
    code = b"""
x = f"{_('a')} {_(y)} {N_('b')}"
counted(n, "one", "many")
@click.command()
def c():
    '''Help.

    More.
    '''
def d(): "No help."
"""
    found = [texts for _line, _name, texts, _comments in python(io.BytesIO(code), {"_", "N_", "counted"}, ())]
    assert sorted(found, key=str) == ["Help.\n\nMore.", ["a"], ["b"], [None, "one", "many"], [None]]


@pytest.mark.parametrize("language", FILES)
def test_the_catalogs_have_the_names_of_their_texts(language: str) -> None:
    assert slips(read_po(io.BytesIO(FILES[language].read_bytes()), locale=language)) == []


def test_the_list_of_texts_is_of_today(today: Catalog) -> None:
    assert Path(TO_TRANSLATE).read_bytes() == to_translate(today), "make catalogs brings it up to date"


def test_every_text_is_translated_or_listed_as_the_same() -> None:
    begun = {*FILES} - {ENGLISH}
    left = {name: missing(read_po(io.BytesIO(FILES[name].read_bytes()), locale=name)) for name in begun}
    assert {name: texts for name, texts in left.items() if texts} == {}


def test_what_is_listed_as_the_same_is_a_text_of_today(today: Catalog) -> None:
    texts = {each.id if isinstance(each.id, str) else each.id[0] for each in for_people(today)}
    assert {text for listed in json.loads(SAME.read_text(encoding="utf-8")).values() for text in listed} <= texts


@pytest.mark.parametrize("language", FILES)
def test_titles_and_buttons_of_forms_are_not_cut(language: str) -> None:
    kinds: list[dict[str, Any]] = [
        {"kind": "text"}, {"kind": "choice", "choices": ["1", "2"]}, {"kind": "meeting", "choices": ["1", "2"]},
    ]  # fmt: skip
    asked = [a_message(ask="input", input={"question": "?", **kind}) for kind in kinds]
    asked += [a_message(ask="commit", commit="x")]
    with in_language(language):
        forms = [question_form(), not_yet_form(), _outcome_form()]
        forms += [
            answer_form(Thing(ask=each["ask"], message=a_plan(each).messages[0]), CardText("x")) for each in asked
        ]  # type: ignore[arg-type]
        labels = [_(words) for words in OUTCOME_WORDS.values()]
    shown = [form[part]["text"] for form in forms for part in ("title", "submit", "close")]
    assert [text for text in shown if text.endswith("…") or len(text) > 24] == []
    assert [text for text in labels if len(text) > 75] == []


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('Er sagt "ja".', "Write the quotes of the language"), ("Moment...", "Write … as one sign."),
        ("Eins  zwei.", "It has two blanks in a row."),
    ],
)  # fmt: skip
def test_what_a_translator_writes_by_mistake_is_named(written: str, said: str) -> None:
    catalog = Catalog(locale="de")
    catalog.add("He says yes." if written.endswith(".") and "..." not in written else "Wait…", written)
    assert any(said in slip for slip in slips(catalog))


@pytest.mark.parametrize("written", ["Dear {nme},", "Dear {name} {,", "Dear,", "Dear %(name)s,"])
def test_a_slip_in_a_catalog_is_found_and_does_not_stop_a_command(written: str) -> None:
    catalog = Catalog(locale=ENGLISH)
    catalog.add("Hello {name},", written)
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    assert slips(catalog)[0].startswith("'Hello {name},': The names in braces are not those")
    with in_place_of(ENGLISH, GNUTranslations(io.BytesIO(compiled.getvalue()))):
        said = _("Hello {name},", name="Ana")
    assert said in ("Hello Ana,", "Dear,", "Dear %(name)s,")
