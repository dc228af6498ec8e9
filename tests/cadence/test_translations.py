"""The texts of a plan in several languages, and the one rule about who reads which."""

from __future__ import annotations

from dataclasses import replace
from gettext import NullTranslations

import pytest

from commsengine.cadence.decide import decide
from commsengine.cadence.history import History
from commsengine.cadence.plan import Notice, Plan
from commsengine.cadence.translations import canonical, language_for, says, wider
from tests.builders import ANA, a_message, a_plan, running, translated, utc
from tests.pseudo import in_place_of

CHECK = {"question": "Where?", "answers": ["Here", "140", "There"], "right": "There", "because": "It is."}
FULL = a_plan(
    a_message(text=["First.", "Second."], link="https://x.example.com", wiifm={"sales": {"why": "Orders."}}),
    a_message(id="asks", ask="input", input={"question": "Which?", "kind": "rank", "choices": ["One", "Two"]}),
    a_message(id="check", ask="check", checks=[CHECK], text="Only one."),
    a_message(id="will", ask="commit", commit="I will.", repeat_until="done", outcome="log"),
    a_message(id="right", corrects="asks"),
    outcomes={"log": {"title": "Logs calls", "by": "go_live"}},
    phases={"first": {"until": "go_live", "goal": "Half of us."}},
    milestones={"kickoff": "2027-01-11", "go_live": {"date": "2027-03-15", "because": "A pilot failed."}},
)  # fmt: skip
GERMAN = translated(FULL, "de", "de:{}".format)


@pytest.mark.parametrize(
    ("written", "code"),
    [("de", "de"), ("DE", "de"), ("de_at", "de-AT"), ("zh-hant-tw", "zh-Hant-TW"), ("german", ""), ("", ""), ("d", "")],
)
def test_a_language_has_one_code(written: str, code: str) -> None:
    assert canonical(written) == code


def test_a_language_of_a_region_is_also_the_language() -> None:
    assert wider("de_at") == ("de", "de-AT")
    assert wider("") == ()


def test_every_text_has_a_name_and_what_is_no_text_has_none() -> None:
    assert sorted(FULL.texts) == sorted([
        "title", "milestones.kickoff.title", "milestones.go_live.title", "milestones.go_live.because",
        "phases.first.goal", "outcomes.log.title", "audience.roles.sales.title", "audience.roles.others.title",
        "wiifm.sales.why", "wiifm.sales.your_job", "wiifm.others.why", "wiifm.others.your_job",
        "messages.one-record.key_point", "messages.one-record.text.0", "messages.one-record.text.1",
        "messages.one-record.link", "messages.one-record.wiifm.sales.why",
        "messages.asks.key_point", "messages.asks.input.question", "messages.asks.input.choices.0",
        "messages.asks.input.choices.1",
        "messages.check.key_point", "messages.check.text", "messages.check.checks.0.question",
        "messages.check.checks.0.answers.0", "messages.check.checks.0.answers.1", "messages.check.checks.0.answers.2",
        "messages.check.checks.0.because",
        "messages.will.key_point", "messages.will.commit.text", "messages.right.key_point",
    ])  # fmt: skip
    assert (FULL.texts["milestones.go_live.title"], FULL.texts["audience.roles.sales.title"]) == ("go live", "Sales")
    assert FULL.texts.keys() - FULL.to_translate == {
        "messages.one-record.link", "messages.check.checks.0.answers.1",
    }  # fmt: skip


def test_the_plan_in_a_language_has_its_texts_and_everything_else_as_it_is() -> None:
    german = GERMAN.in_language("de-AT")
    (check,) = german.message("check").checks
    assert (german.title, german.milestone_title("go_live")) == ("de:One customer record", "de:go live")
    assert (check.answers, check.right) == (("de:Here", "de:140", "de:There"), "de:There")
    assert german.message("one-record").text == ("de:First.", "de:Second.")
    assert german.message("check").text == ("de:Only one.",)
    assert german.message("one-record").link == "https://x.example.com"
    assert german.texts == {**FULL.texts, **GERMAN.translations["de"]}


def test_a_region_says_only_what_is_said_otherwise_there() -> None:
    plan = GERMAN.model_copy(update={"translations": {**GERMAN.translations, "de-AT": {"title": "at"}}})
    assert [plan.in_language(code).title for code in ("de", "de-AT", "de-CH")] == [
        "de:One customer record", "at", "de:One customer record",
    ]  # fmt: skip


def test_what_is_stored_has_all_languages() -> None:
    assert Plan.model_validate(GERMAN.model_dump(mode="json")) == GERMAN


@pytest.mark.parametrize(
    ("text", "has_words"),
    [("140", False), ("{{ milestones.go_live }}", False), ("{{ person.name | upper }}: 3 %", False), ("3 euros", True),
     ('{{ _("a") }}', True)],
)  # fmt: skip
def test_what_reads_the_same_everywhere_needs_no_words(text: str, has_words: bool) -> None:
    assert says(text) is has_words


# -- the rule -------------------------------------------------------------------------------------


def spoken(person: str, plan: Plan, *messages: str, own: str = "en", roles: tuple[str, ...] = ("sales",)) -> str:
    translations = {code: plan.spoken(code) for code in wider(person)}
    with in_place_of("de", NullTranslations()):
        return language_for(person, own, translations, plan.texts_with(messages, roles))


def test_a_message_is_in_the_persons_language_where_all_of_it_is() -> None:
    assert [spoken(code, GERMAN, "check") for code in ("de", "de-AT", "fr", "", "en", "en-GB", "nonsense")] == [
        "de", "de-AT", "en", "en", "en", "en-GB", "en",
    ]  # fmt: skip


@pytest.mark.parametrize("name", sorted(GERMAN.translations["de"]))
def test_one_text_that_is_missing_leaves_each_message_that_shows_it_in_the_plans(name: str) -> None:
    texts = {key: text for key, text in GERMAN.translations["de"].items() if key != name}
    plan = GERMAN.model_copy(update={"translations": {"de": texts}})
    in_plans = {message.id for message in plan.messages if spoken("de", plan, message.id) == "en"}
    top, _dot, rest = name.partition(".")
    wanted = {message.id for message in plan.messages}
    if top == "messages":
        wanted = {rest.split(".")[0]} | ({"right"} if name == "messages.asks.key_point" else set())
    elif name == "wiifm.sales.why":
        wanted -= {"one-record"}  # it has its own
    elif top in ("milestones", "phases") or ".others" in name:
        wanted = set()
    elif top == "outcomes":
        wanted = {"will"}
    needs_words = name in FULL.to_translate
    assert in_plans == (wanted if needs_words else set())


def test_without_buttons_in_a_language_nothing_is_in_it() -> None:
    plan = translated(FULL, "xx")
    assert spoken("xx", plan, "check") == "en"


def test_a_notice_has_its_own_texts_in_other_languages() -> None:
    notice = Notice.model_validate(
        {**a_message(id="now", text="More."), "translations": {"de": {"key_point": "Jetzt"}}}
    )
    plan = GERMAN.with_notices([notice])
    assert spoken("de", plan, "now") == "en"
    whole = notice.model_copy(update={"translations": {"de": {"key_point": "Jetzt.", "text": "Mehr."}}})
    plan = GERMAN.with_notices([whole])
    assert (spoken("de", plan, "now"), plan.in_language("de").message("now").text) == ("de", ("Mehr.",))


def test_no_language_changes_what_is_sent_and_when() -> None:
    person, now = replace(ANA, language="de"), utc("2027-01-12 01:00")
    plain = decide(running(FULL), ANA, History(), now)
    assert plain.touches
    for plan in (GERMAN, GERMAN.in_language("de")):
        assert decide(running(plan), person, History(), now) == plain
