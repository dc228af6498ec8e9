"""A saved difference is read only as it was written, and applied only to what it was saved for."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commsengine.cadence.people import Person
from commsengine.cadence.population import ListedPeople
from commsengine.campaigns.saved_difference import (
    KnownAudience,
    SavedDifference,
    known_audience,
    plan_of,
    read,
    refuse_moved,
    written,
)
from commsengine.errors import InputError
from commsengine.store.store import Store
from tests.builders import a_message, a_plan, someone, utc
from tests.engine.conftest import run

KEY = "a-key-of-enough-letters"
PLAN = a_plan(a_message(text="One place:\n\n- log\n- look\n", managers_first="2 working days"))
SALES = [someone(1), someone(2)]
TODAY = dt.date(2027, 1, 5)


def _audience(people: Sequence[Person], *about: Any) -> KnownAudience:
    return known_audience(PLAN, ListedPeople(tuple(people)), *about)


def saved(**changes: Any) -> SavedDifference:
    values: dict[str, Any] = {
        "campaign": "crm",
        "base_version": 1,
        "state": "running",
        "saved_by": "dana",
        "saved_at": utc("2027-01-05 09:00"),
        "correct": False,
        "difference": '~ send.window.to  "16:30" → "18:00"\n',
        "consequences": [{"message": "one-record", "people": 2, "first_at": utc("2027-01-11").isoformat()}],
        "audience": _audience(SALES, TODAY),
        "plan_file": "schedules/crm.yaml",
        "source": {"schedules/crm.yaml": "campaign: crm\n"},
        "templates": {"wiifm": "# {{ key_point }}\n"},
        "plan": PLAN.model_dump(mode="json"),
        **changes,
    }
    return SavedDifference.model_validate(values)


def test_it_is_readable_and_comes_back_as_it_was() -> None:
    text = written(saved(), KEY)
    assert 'difference: |\n  ~ send.window.to  "16:30" → "18:00"\n' in text
    assert "  schedules/crm.yaml: |\n    campaign: crm\n" in text
    again = read(text, [KEY])
    assert again == saved()
    assert plan_of(again) == PLAN


@settings(max_examples=40)
@given(st.text(max_size=60), st.sampled_from(("", " \n", "\r\n", "\n\n", "\n  ", "\t\n- x", "\x85\n")))
def test_any_text_comes_back(text: str, end: str) -> None:
    odd = saved(difference=end + text + end, templates={"a": text + "\n" + text, text or "b": end}, plan={})
    assert read(written(odd, KEY), ["another", KEY]) == odd


def test_what_was_edited_is_not_read() -> None:
    text = written(saved(), KEY)
    place = len(text) // 2
    edited = (
        text[:place] + "x" + text[place + 1 :],
        text.replace("18:00", "19:00"),
        text + "x",
        text + text,
        text[:-9],
    )
    for other in (*edited, text.replace("signature:", "signed:"), re.sub(r"signature: \w+", "signature: ", text), ""):
        assert other != text
        with pytest.raises(InputError, match="was changed after it was saved"):
            read(other, [KEY])


def test_a_key_of_another_workspace_reads_nothing() -> None:
    with pytest.raises(InputError, match="in a workspace with another key"):
        read(written(saved(), KEY), ["another-key"])
    assert read(written(saved(), KEY), ["a-newer-key", KEY]) == saved()


def test_a_plan_of_other_fields_is_refused_in_one_sentence() -> None:
    with pytest.raises(InputError, match="by another version of commsengine"):
        plan_of(saved(plan={**PLAN.model_dump(mode="json"), "from_the_future": 1}))


def test_the_audience_is_known_without_names() -> None:
    known = _audience([*SALES, someone(3, department="Legal"), someone(4, left=dt.date(2020, 1, 1))], TODAY)
    assert (known.people, known.roles) == (3, {"others": 1, "sales": 2})
    assert "@" not in known.digest
    assert _audience(SALES[::-1], TODAY).digest == _audience(SALES, TODAY).digest
    assert _audience([someone(1), someone(3)], TODAY).digest != _audience(SALES, TODAY).digest


def moved(store: Store, people: KnownAudience | None = None, **changes: Any) -> str:
    try:
        record = store.campaigns.get("crm")
        refuse_moved(saved(**changes), record, people or _audience(SALES, TODAY), "Tue 5 Jan")
    except InputError as refused:
        return str(refused)
    return ""


def test_it_is_refused_with_what_has_moved(store: Store) -> None:
    assert "crm had version 1, and has version 0 now." in moved(store)
    run(store, SALES, PLAN)
    assert moved(store) == ""
    assert "crm was paused, and is running now." in moved(store, state="paused")
    assert "crm had version 4, and has version 1 now." in moved(store, base_version=4)
    more = moved(store, _audience([*SALES, someone(3)], TODAY))
    assert "dana saved this difference on Tue 5 Jan" in more
    assert "Role sales: 2 before, 3 people now." in more
    assert "commsengine apply schedules/crm.yaml --save FILE" in more
    assert "but not the same people" in moved(store, _audience([someone(1), someone(3)], TODAY))
    file = _audience(SALES, TODAY, "people.csv", b"email\n")
    assert "people.csv has changed." in moved(store, file, audience=_audience(SALES, TODAY, "people.csv", b"id\n"))
    assert moved(store, file, audience=file) == ""
