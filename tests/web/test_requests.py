import pytest

from commsengine.web.requests import Notes, ip_prefix
from tests.builders import utc

SHOWN, SENT = utc("2027-01-12 09:00"), utc("2027-01-12 09:00:04")


def test_a_note_tells_how_long_ago_the_page_was_shown() -> None:
    notes = Notes(["new key"])
    assert notes.since(notes.write("k1", SHOWN), "k1", SENT) == 4000


def test_a_note_of_another_page_is_no_note() -> None:
    notes = Notes(["new key"])
    assert notes.since(notes.write("k2", SHOWN), "k1", SENT) is None


@pytest.mark.parametrize("note", ["", "x", "WyJrMSIsMF0.forged", "\ud800"])
def test_a_forged_note_is_no_note(note: str) -> None:
    assert Notes(["new key"]).since(note, "k1", SENT) is None


def test_a_note_survives_a_change_of_keys() -> None:
    note = Notes(["old key"]).write("k1", SHOWN)
    assert Notes(["new key", "old key"]).since(note, "k1", SENT) == 4000


@pytest.mark.parametrize(
    ("host", "prefix"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("testclient", ""),
        ("", ""),
    ],
)
def test_only_the_network_of_an_address_is_kept(host: str, prefix: str) -> None:
    assert ip_prefix(host) == prefix
