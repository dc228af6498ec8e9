"""Another system tells who did it: signed, each call once."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from commsengine.web.facts_webhook import FactsWebhook, signed
from tests.answering import Answering, answering
from tests.browsing import TRUST
from tests.waiting import PATIENCE
from tests.web.conftest import app_of, served

SECRET = "a secret that both sides know"
OUTCOMES = {"first_call": {"title": "The first call is logged", "by": "go_live + 14d"}}
ANA = {"person": "ana@example.com", "outcome": "first_call", "at": "2027-01-11T08:30:00Z", "id": "c-1"}


class Caller:
    def __init__(self, house: Answering, client: httpx.Client) -> None:
        self.house, self._client = house, client

    def call(
        self, facts: object, *, campaign: str = "crm", age: int = 0, secret: str = SECRET, body: bytes | None = None
    ) -> httpx.Response:
        body = json.dumps(facts).encode() if body is None else body
        stamp = str(int(self.house.clock().timestamp()) - age)
        headers = {
            "X-Commsengine-Timestamp": stamp,
            "X-Commsengine-Signature": signed(secret.encode(), stamp, body),
        }
        return self.send(body, headers, campaign)

    def send(self, body: bytes, headers: dict[str, str], campaign: str = "crm") -> httpx.Response:
        return self._client.post(f"/facts/{campaign}", content=body, headers=headers)

    def done(self) -> list[tuple[str, dt.datetime]]:
        return [(one.person, one.at) for one in self.house.store.deeds.of_campaign("crm")]


@contextmanager
def listening(folder: Path, secret: str = SECRET) -> Iterator[Caller]:
    house = answering(folder, outcomes=OUTCOMES)
    webhook = FactsWebhook(house.store, secret, house.clock)
    with (
        served(app_of(house, more=[webhook.route()])) as address,
        httpx.Client(base_url=address, verify=TRUST, timeout=PATIENCE) as client,
    ):
        yield Caller(house, client)
    house.store.close()


@pytest.fixture
def caller(tmp_path: Path) -> Iterator[Caller]:
    with listening(tmp_path) as found:
        yield found


def test_facts_are_taken_in_and_the_bad_ones_told(caller: Caller) -> None:
    unknown, wrong = {**ANA, "person": "who@example.com"}, {**ANA, "person": "ben", "outcome": "x", "id": "c-2"}
    found = caller.call([ANA, unknown, wrong, {"person": "mia"}])
    assert found.status_code == 200
    told = found.json()
    assert {name: told[name] for name in ("recorded", "known", "unknown")} == {
        "recorded": 2, "known": 0, "unknown": ["who@example.com"],
    }  # fmt: skip
    assert [(error["index"], error["person"]) for error in told["errors"]] == [(1, "who@example.com"), (2, "ben")]
    now = caller.house.clock()
    assert caller.done() == [("ana@example.com", now - dt.timedelta(minutes=30)), ("mia@example.com", now)]


def test_the_same_call_is_refused_and_the_same_fact_known(caller: Caller) -> None:
    assert caller.call([ANA]).status_code == 200
    replayed = caller.call([ANA])
    assert replayed.status_code == 409
    caller.house.clock.pass_(seconds=1)
    assert caller.call([{**ANA, "at": ""}]).json() == {"recorded": 0, "known": 1, "unknown": [], "errors": []}
    assert len(caller.done()) == 1


def test_a_signature_of_another_secret_or_time_opens_nothing(caller: Caller) -> None:
    assert caller.call([ANA], secret="another secret, as long").status_code == 401
    assert caller.call([ANA], age=301).status_code == 401
    assert caller.call([ANA], age=-301).status_code == 401
    assert caller.send(b"[]", {}).status_code == 401
    stamp = str(int(caller.house.clock().timestamp()))
    headers = {"X-Commsengine-Timestamp": stamp, "X-Commsengine-Signature": signed(SECRET.encode(), stamp, b"[]")}
    assert caller.send(b"[ ]", headers).status_code == 401
    for odd in ("²", "1e9", "", "9" * 400):
        headers = {"X-Commsengine-Timestamp": odd, "X-Commsengine-Signature": signed(SECRET.encode(), odd, b"[]")}
        coded = {name: value.encode() for name, value in headers.items()}
        assert caller.send(b"[]", coded).status_code == 401  # type: ignore[arg-type]
    assert caller.done() == []
    assert caller.call([ANA], age=299).status_code == 200


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"not json", b"\xff", b"[1]", b'[{"person": 7}]', b'[{"person": "\\ud800"}]', b"[" * 9000,
     b'[{"person": "nobody@example.com"}]'],
)  # fmt: skip
def test_what_is_no_list_of_facts_is_422(caller: Caller, body: bytes) -> None:
    assert caller.call(None, body=body).status_code == 422


def test_an_unknown_campaign_is_404_and_a_long_call_413(caller: Caller) -> None:
    assert caller.call([ANA], campaign="cmr").status_code == 404
    assert caller.call(None, body=b" " * (64 * 1024 + 1)).status_code == 413
    assert caller._client.get("/facts/crm").status_code == 405


def test_without_a_secret_there_is_no_such_page(tmp_path: Path) -> None:
    house = answering(tmp_path, outcomes=OUTCOMES)
    with served(app_of(house)) as address, httpx.Client(base_url=address, verify=TRUST, timeout=PATIENCE) as client:
        assert client.post("/facts/crm", content=b"[]").status_code == 404
    house.store.close()
