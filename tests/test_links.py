from __future__ import annotations

import datetime as dt
import hashlib
import string

import pytest
from itsdangerous import URLSafeSerializer

from commsengine.errors import InputError, LinkError
from commsengine.links import Links
from commsengine.text import message_key
from tests.builders import utc

KEY = "0123456789abcdef01234567"
END = utc("2027-04-01")
LINKS = Links("https://comms.example.com", ["new-key", "old-key"])


def token_of(url: str) -> str:
    return url.rsplit("/", 1)[1]


def test_each_purpose_has_its_own_path() -> None:
    assert LINKS.url("answer", KEY, END).startswith("https://comms.example.com/a/")
    assert LINKS.url("mine", KEY, END).startswith("https://comms.example.com/m/")


def test_a_link_carries_the_touch_key_until_it_expires() -> None:
    token = token_of(LINKS.url("answer", KEY, END))
    assert LINKS.read("answer", token, END).key == KEY
    with pytest.raises(LinkError, match="expired"):
        LINKS.read("answer", token, END + dt.timedelta(seconds=1))


def test_a_link_says_how_often_links_were_revoked_before_it() -> None:
    made = [LINKS.read("answer", token_of(LINKS.url("answer", KEY, END, revoked)), END) for revoked in (0, 1, 7)]
    assert made == [(KEY, 0), (KEY, 1), (KEY, 7)]


def test_a_token_cannot_be_moved_to_another_purpose() -> None:
    with pytest.raises(LinkError, match="not valid"):
        LINKS.read("mine", token_of(LINKS.url("answer", KEY, END)), END)


def test_every_changed_bit_is_refused() -> None:
    token = token_of(LINKS.url("answer", KEY, END))
    for place in range(len(token)):
        for bit in range(7):
            changed = token[:place] + chr(ord(token[place]) ^ (1 << bit)) + token[place + 1 :]
            with pytest.raises(LinkError):
                LINKS.read("answer", changed, END)


def test_no_other_last_letter_is_accepted() -> None:
    token = token_of(LINKS.url("answer", KEY, END))
    for letter in set(string.ascii_letters + string.digits + "-_=") - {token[-1]}:
        with pytest.raises(LinkError):
            LINKS.read("answer", token[:-1] + letter, END)


@pytest.mark.parametrize("token", ["", ".", "a.b.c", "é", "\x00", "WyJhIl0.x", "W10.", "x" * 5000])
def test_rubbish_is_refused_kindly(token: str) -> None:
    with pytest.raises(LinkError):
        LINKS.read("answer", token, END)


def test_a_link_signed_with_an_older_key_still_opens_and_a_retired_one_does_not() -> None:
    older = token_of(Links("https://comms.example.com", ["old-key"]).url("answer", KEY, END))
    assert LINKS.read("answer", older, END).key == KEY
    with pytest.raises(LinkError):
        Links("https://comms.example.com", ["new-key"]).read("answer", older, END)


def by_itsdangerous(key: str, revoked: int) -> str:
    how = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
    serializer = URLSafeSerializer("new-key", salt="commsengine.answer", signer_kwargs=how)
    return str(serializer.dumps([key, int(END.timestamp()), *([revoked] if revoked else [])]))


@pytest.mark.parametrize("revoked", [0, 1, 12])
@pytest.mark.parametrize("key", [*(message_key(str(n)) for n in range(20)), "crm de", "campaign" * 9, "k", 'é"'])
def test_a_token_has_the_bytes_that_itsdangerous_makes(key: str, revoked: int) -> None:
    assert token_of(LINKS.url("answer", key, END, revoked)) == by_itsdangerous(key, revoked)


def test_a_key_that_itsdangerous_would_shorten_opens_either_way() -> None:
    made = {by_itsdangerous("a" * 24, 0), token_of(LINKS.url("answer", "a" * 24, END))}
    assert len(made) == 2
    assert {LINKS.read("answer", token, END).key for token in made} == {"a" * 24}


def test_the_newest_key_signs() -> None:
    token = token_of(LINKS.url("answer", KEY, END))
    assert Links("https://comms.example.com", ["new-key"]).read("answer", token, END).key == KEY


@pytest.mark.parametrize("base", ["http://127.0.0.1:8080", "http://localhost", "https://x.example.com/comms/"])
def test_good_bases(base: str) -> None:
    assert Links(base, ["k"]).url("answer", KEY, END).startswith(base.rstrip("/") + "/a/")


@pytest.mark.parametrize(
    "base", ["http://comms.example.com", "", "comms.example.com", "https://", "https://u:p@x.y", "https://x.y/?a=b"]
)
def test_bases_that_are_not_safe_are_refused(base: str) -> None:
    with pytest.raises(InputError):
        Links(base, ["k"])


@pytest.mark.parametrize("keys", [[], [""], ["good", ""]])
def test_without_a_key_there_are_no_links(keys: list[str]) -> None:
    with pytest.raises(InputError, match="secret key"):
        Links("https://comms.example.com", keys)
