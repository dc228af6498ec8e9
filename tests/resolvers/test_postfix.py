"""The log of Postfix, read against what a real one (3.7) wrote while clients came, went and vanished.

``data/postfix.log`` is that log. Each message of it is named by the end of its key; its story stands in ``STORIES``.
"""

from __future__ import annotations

import bz2
import datetime as dt
import gzip
import lzma
import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from commsengine.resolvers.mail_log import Extract, LogFiles, Stamps, SystemJournal
from commsengine.resolvers.postfix import PostfixLog, Transactions
from commsengine.resolvers.resolver import Sending, Sighting

LOG = (Path(__file__).parent / "data" / "postfix.log").read_bytes()
WRITTEN = dt.datetime(2026, 11, 25, 22, 42, tzinfo=dt.UTC)
STAMPS = Stamps(dt.UTC, WRITTEN)

QUEUED, HELD, CUT, REFUSED, UNKNOWN = "queue", "holds", "was cut", "was refused", ""

STORIES = {  # the end of the key: queue id, what can be said, and what happened
    "101": ("4553620E7D1", QUEUED, "the usual"),
    "102": ("B24E020E7C2", QUEUED, "a second one on the same connection"),
    "103": (
        "2C7D320E847",
        CUT,
        "a small one, the client gone before its dot: named after the line that tells of the cut",
    ),
    "105": ("5F92B20E7EC", CUT, "a middling one, likewise: named before it"),
    "108": ("3225A20E875", CUT, "a large one, the connection reset before its dot"),
    "109": ("C515820E88D", CUT, "the client gone in the midst of the headers: no Message-ID"),
    "10a": ("338D320E850", QUEUED, "the client gone right after its dot"),
    "10c": ("0805620E892", CUT, "a reset right after the dot, which was never read"),
    "10e": ("D2AFE20E039", QUEUED, "the client gone after its dot, while a check took eight seconds"),
    "111": ("6824C20E01A", REFUSED, "refused by a check after the dot, the client gone: named after the refusal"),
    "112": ("CAD7E20E89D", REFUSED, "put off by a check after the dot"),
    "114": ("B0E0420E05A", HELD, "put on hold for its subject"),
    "115": ("2C75820E133", REFUSED, "refused for its subject, before its Message-ID was read"),
    "116": ("A3B7320E0E2", REFUSED, "refused by a milter"),
    "119": ("175F020E192", REFUSED, "put off by a milter, the client gone"),
    "11a": ("921F520E085", HELD, "discarded by a milter"),
    "11d": ("0B6FA20E1D1", HELD, "put on hold by a milter, the client gone"),
    "11f": ("05CCF20E2D1", QUEUED, "the client gone while a milter took eight seconds"),
    "120": ("8119320E2F1", REFUSED, "refused by a milter after eight seconds"),
    "121": ("EFE0320E01B", UNKNOWN, "Postfix was stopped while a milter thought about it"),
    "122": ("76EE720E329", REFUSED, "larger than Postfix takes"),
    "124": ("2F00B20E32A", QUEUED, "after a transaction that was taken back"),
    "125": ("9B6A420E32A", CUT, "three seconds of silence before the client left"),
    "126": ("0A96120E8A3", UNKNOWN, "Postfix was stopped between its Message-ID and its dot"),
    "127": ("543B020E049", CUT, "Postfix was stopped before it had read the headers"),
    "128": ("A063D20E080", CUT, "Postfix was stopped during a check after the dot"),
    "129": ("308BA20E03F", CUT, "the process of Postfix that served it was killed"),
    "12a": ("817F820E067", QUEUED, "the first after that"),
}


def key(end: str) -> str:
    return end.rjust(24, "0")


def opened(queue_id: str) -> dt.datetime:
    """When a recipient of it was accepted; its send is marked after that."""
    line = next(line for line in LOG.splitlines() if f"{queue_id}: client=".encode() in line)
    found = STAMPS.read(line)
    assert found
    return found


def sending(end: str, since: dt.datetime | None = None) -> Sending:
    return Sending(key(end), "ana@example.net", "", since or opened(STORIES[end][0]))


class Lines:
    """A log in memory, up to a line."""

    def __init__(self, lines: Sequence[bytes], *, covers: bool = True) -> None:
        self._lines, self._covers = lines, covers

    def since(self, time: dt.datetime) -> Extract:
        return Extract(self._covers, self.last_lines())

    def last_lines(self) -> Iterator[tuple[Stamps, bytes]]:
        return ((STAMPS, line) for line in self._lines)


def write(path: Path, content: bytes, at: dt.datetime = WRITTEN) -> Path:
    """A log file that was last written at this time."""
    path.write_bytes(content)
    os.utime(path, (at.timestamp(), at.timestamp()))
    return path


def look(path: Path, *ends: str, zone: dt.tzinfo = dt.UTC) -> Mapping[str, Sighting]:
    found = PostfixLog(LogFiles(path, zone)).look([sending(end) for end in ends])
    return {name[-3:]: sighting for name, sighting in found.items()}


@pytest.mark.parametrize("end", STORIES)
def test_what_became_of_a_message_is_read_from_the_log_of_a_real_postfix(tmp_path: Path, end: str) -> None:
    queue_id, fate, _ = STORIES[end]
    sighting = look(write(tmp_path / "mail.log", LOG), end).get(end)
    if fate == UNKNOWN:
        assert sighting is None
        return
    assert sighting
    assert (sighting.found, fate in sighting.evidence) == (fate in (QUEUED, HELD), True)
    assert sighting.remote_id == (queue_id if sighting.found else "")
    named = f"{queue_id}: message-id=".encode() in LOG
    assert (queue_id in sighting.evidence) or not named
    assert ("without a name" in sighting.evidence) is not named


def test_at_no_line_of_the_log_is_anything_said_that_is_wrong_in_the_end() -> None:
    """After every line that Postfix wrote, all messages whose recipient was accepted by then are asked for."""
    lines = LOG.splitlines(keepends=True)
    ends = {queue_id.encode(): end for end, (queue_id, _, _) in STORIES.items()}
    begun: list[Sending] = []
    for number, line in enumerate(lines, 1):
        if b": client=" in line and (end := ends.get(line.split()[5].rstrip(b":"))):
            begun.append(sending(end))
        for name, sighting in PostfixLog(Lines(lines[:number])).look(begun).items():
            fate = STORIES[name[-3:]][1]
            # What another message's cut lends to one that has left no trace itself is true all the same.
            assert sighting.found == (fate in (QUEUED, HELD)), (number, line, name, sighting)


def test_while_postfix_is_busy_with_a_message_it_is_not_missing() -> None:
    """Its check takes eight seconds: no Message-ID is logged yet, and another client was cut meanwhile."""
    lines = LOG.splitlines(keepends=True)
    named = next(number for number, line in enumerate(lines) if b"D2AFE20E039: message-id=" in line)
    assert any(b"lost connection after DATA" in line for line in lines[:named])
    assert PostfixLog(Lines(lines[:named])).look([sending("10e")]) == {}
    assert PostfixLog(Lines(lines[: named + 2])).look([sending("10e")])[key("10e")].found


def test_a_log_without_the_transaction_is_not_the_log_of_our_relay() -> None:
    quiet = [line for line in LOG.splitlines(keepends=True) if b"lost connection" not in line and b"rej" not in line]
    stranger = Sending("a" * 24, "ana@example.net", "", opened("4553620E7D1") - dt.timedelta(seconds=30))
    assert PostfixLog(Lines(quiet[:20])).look([stranger]) == {}


def conversation(*lines: str) -> list[bytes]:
    """Ten minutes later, so that nothing else is near; the log reaches back."""
    return [*LOG.splitlines(keepends=True), *(f"Nov 25 22:51:10 relay postfix/{line}\n".encode() for line in lines)]


AFTERWARDS = Sending("a" * 24, "ana@example.net", "", dt.datetime(2026, 11, 25, 22, 51, 11, tzinfo=dt.UTC))
OPENED = "smtpd[7]: 1A2B3C4D5E6: client=localhost[127.0.0.1]"
NAMED = f"cleanup[8]: 1A2B3C4D5E6: message-id=<{'a' * 24}@example.com>"
REJECTED = "smtpd[7]: 1A2B3C4D5E6: reject: END-OF-MESSAGE from localhost[127.0.0.1]: 554 5.7.1 no"


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ((OPENED, NAMED), None),
        ((OPENED, NAMED, "smtpd[7]: disconnect from localhost[127.0.0.1] ehlo=1 data=1 commands=2"), None),
        ((OPENED, NAMED, "smtpd[7]: disconnect from localhost[127.0.0.1] ehlo=1 data=0/1 commands=2"), False),
        ((OPENED, NAMED, REJECTED, "smtpd[7]: disconnect from localhost[127.0.0.1] ehlo=1 data=1/2 commands=2"), False),
        ((OPENED, NAMED, "smtpd[7]: timeout after DATA (99 bytes) from localhost[127.0.0.1]"), False),
        ((OPENED, NAMED, "smtpd[7]: timeout after END-OF-MESSAGE from localhost[127.0.0.1]"), None),
        ((OPENED, NAMED, "smtpd[7]: lost connection after BDAT (99 bytes) from localhost[127.0.0.1]"), False),
        ((OPENED, NAMED, "smtpd[7]: 2A2B3C4D5E6: client=localhost[127.0.0.1]"), None),
        ((OPENED, NAMED, "smtp[9]: 1A2B3C4D5E6: to=<a@b>, relay=x, dsn=4.4.1, status=deferred (later)"), True),
        ((OPENED, NAMED.replace("aaa", "bbb"), "smtpd[7]: lost connection after DATA (99 bytes) from x"), None),
        ((NAMED,), None),
        ((OPENED, "smtpd[7]: lost connection after DATA (0 bytes) from x"), False),
        ((OPENED, "smtpd[7]: lost connection after RCPT from x"), None),
        (
            ("smtpd[7]: NOQUEUE: client=x", OPENED.replace("7", "6"), "smtpd[6]: lost connection after DATA (0 bytes)"),
            None,
        ),
        (("smtpd[7]: NOQUEUE: client=x", "smtpd[7]: proxy-reject: END-OF-MESSAGE: 554 no; from=<>"), False),
    ],
)
def test_what_each_way_to_end_means(lines: tuple[str, ...], found: bool | None) -> None:
    sighting = PostfixLog(Lines(conversation(*lines))).look([AFTERWARDS]).get("a" * 24)
    assert (sighting.found if sighting else None) is found


def test_one_message_that_was_cut_says_nothing_of_another() -> None:
    other = Sending("b" * 24, "ben@example.net", "", AFTERWARDS.since)
    lines = conversation(OPENED, NAMED, "smtpd[7]: lost connection after DATA (99 bytes) from x")
    assert PostfixLog(Lines(lines)).look([AFTERWARDS, other]).keys() == {AFTERWARDS.key}


def test_a_cut_of_another_hour_proves_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "mail.log", LOG)
    late = sending("109", opened("C515820E88D") + dt.timedelta(minutes=10))
    assert PostfixLog(LogFiles(path, dt.UTC)).look([late]) == {}


def test_a_log_that_begins_too_late_finds_but_never_misses(tmp_path: Path) -> None:
    path = write(tmp_path / "mail.log", LOG[LOG.index(b"Nov 25 22:41:10") :])
    assert {end: sighting.found for end, sighting in look(path, "101", "103", "105").items()} == {"101": True}


def test_lines_lost_to_a_rate_limit_prove_nothing_missing(tmp_path: Path) -> None:
    lost = b"Nov 25 22:41:20 relay rsyslogd: imuxsock[pid: 7]: 120 messages lost due to rate-limiting\n"
    assert look(write(tmp_path / "mail.log", LOG + lost), "101", "103").keys() == {"101"}


def rfc3339(log: bytes) -> bytes:
    return re.sub(rb"^Nov 25 (\S+)", rb"2026-11-25T\1.250000+00:00", log, flags=re.MULTILINE)


def short_iso(log: bytes) -> bytes:
    return re.sub(rb"^Nov 25 (\S+)", rb"2026-11-25T\1+0000", log, flags=re.MULTILINE)


def in_new_york(log: bytes) -> bytes:
    return log.replace(b"Nov 25 22:", b"Nov 25 17:")


@pytest.mark.parametrize(
    ("written", "zone"),
    [(bytes, "Asia/Seoul"), (rfc3339, "Asia/Seoul"), (short_iso, "Asia/Seoul"), (in_new_york, "America/New_York")],
)
def test_both_formats_are_read_and_local_time_is_the_machines(tmp_path: Path, written: object, zone: str) -> None:
    assert callable(written)
    found = look(write(tmp_path / "mail.log", written(LOG)), "101", "103", zone=ZoneInfo(zone))
    absent_is_known = written is not bytes  # Seoul's 22:41 is another moment
    assert found.keys() == ({"101", "103"} if absent_is_known else {"101"})


@pytest.mark.parametrize(
    ("line", "newest", "read"),
    [
        (b"Dec 31 23:59:58 h p/smtpd[1]: x", "2027-01-01T00:00:05Z", "2026-12-31T23:59:58Z"),
        (b"Jan  1 00:00:01 h p/smtpd[1]: x", "2027-01-01T00:00:05Z", "2027-01-01T00:00:01Z"),
        (b"Feb 29 10:00:00 h p/smtpd[1]: x", "2027-01-01T00:00:00Z", "2024-02-29T10:00:00Z"),
        (b"2026-11-25T22:23:11.1+01:00 h p", "2000-01-01T00:00:00Z", "2026-11-25T21:23:11.1Z"),
        (b"2026-11-25T22:23:11Z h p/smtpd[", "2000-01-01T00:00:00Z", "2026-11-25T22:23:11Z"),
        (b"2026-11-25T22:23:11 h p/smtpd[1", "2027-01-01T00:00:00Z", None),
        (b"Nov 31 10:00:00 h p/smtpd[1]: x", "2027-01-01T00:00:00Z", None),
        (b"Foo 11 10:00:00 h p/smtpd[1]: x", "2027-01-01T00:00:00Z", None),
        (b"\xff\xfe", "2027-01-01T00:00:00Z", None),
    ],
)
def test_the_year_of_a_stamp_is_the_last_that_can_be(line: bytes, newest: str, read: str | None) -> None:
    found = Stamps(dt.UTC, dt.datetime.fromisoformat(newest)).read(line)
    assert found == (dt.datetime.fromisoformat(read) if read else None)


HALF = LOG.index(b"Nov 25 22:41:16")
EARLY, LATE = LOG[:HALF], LOG[HALF:]
ROTATED = dt.datetime(2026, 11, 25, 22, 41, 15, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("name", "packed"),
    [
        ("mail.log.1", bytes),
        ("mail.log.1.gz", gzip.compress),
        ("mail.log-20261125", bytes),
        ("mail.log-20261125.gz", gzip.compress),
        ("mail.log-20261125.xz", lzma.compress),
        ("mail.log-1764111675.bz2", bz2.compress),
    ],
)
def test_a_rotated_log_is_read_with_its_forerunner(tmp_path: Path, name: str, packed: object) -> None:
    assert callable(packed)
    path = write(tmp_path / "mail.log", LATE)
    assert look(path, "101", "103", "10c").keys() == set()  # 10c is in it, but it does not reach back far enough
    write(tmp_path / name, packed(EARLY), ROTATED)
    write(tmp_path / "mail.log.old", b"of another hand")
    assert {end: one.found for end, one in look(path, "101", "103", "10c").items()} == {
        "101": True, "103": False, "10c": False,
    }  # fmt: skip


def test_a_forerunner_that_ended_before_shows_that_the_log_is_whole(tmp_path: Path) -> None:
    """Only the youngest of them: what lies behind it is not opened."""
    start = LOG.index(b"Nov 25 22:41:10")
    path = write(tmp_path / "mail.log", LOG[start:])
    write(tmp_path / "mail.log.2.gz", b"damaged", dt.datetime(2026, 11, 24, tzinfo=dt.UTC))
    write(tmp_path / "mail.log.1", LOG[:start], dt.datetime(2026, 11, 25, 22, 35, tzinfo=dt.UTC))
    assert not look(path, "103")["103"].found


def test_a_forerunner_that_is_cut_short_proves_nothing_missing(tmp_path: Path) -> None:
    path = write(tmp_path / "mail.log", LATE)
    write(tmp_path / "mail.log.1.gz", gzip.compress(EARLY)[:-200], ROTATED)
    assert "103" not in look(path, "103", "10e")


def test_a_rotation_while_it_is_read_proves_nothing_missing(tmp_path: Path) -> None:
    path = write(tmp_path / "mail.log", LOG)

    class Rotating(LogFiles):
        def since(self, time: dt.datetime) -> Extract:
            extract = super().since(time)
            path.rename(tmp_path / "mail.log.1")
            write(path, LOG)
            return extract

    found = PostfixLog(Rotating(path, dt.UTC)).look([sending("101"), sending("103")])
    assert found[key("101")].found
    assert key("103") not in found


def test_of_a_large_log_only_the_end_is_read(tmp_path: Path) -> None:
    day = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
    noise = b"".join(
        b"%s relay postfix/anvil[7]: statistics: max connection rate 1/60s for (smtp)\n"
        % (day + dt.timedelta(seconds=3 * n)).strftime("%b %d %H:%M:%S").encode()
        for n in range(22 * 1200)
    )
    path = write(tmp_path / "mail.log", noise + LOG)
    source = LogFiles(path, dt.UTC)
    read = sum(len(line) for _, line in source.since(WRITTEN - dt.timedelta(minutes=2)).lines)
    assert len(LOG) < read < len(LOG) + len(noise) / 5
    assert {end: one.found for end, one in look(path, "101", "103").items()} == {"101": True, "103": False}


def test_a_log_that_is_not_there_is_one_warning(tmp_path: Path) -> None:
    with capture_logs() as logged:
        assert PostfixLog(LogFiles(tmp_path / "mail.log", dt.UTC)).look([sending("101"), sending("103")]) == {}
    assert [(entry["log_level"], entry["event"]) for entry in logged] == [("warning", "mail log unreadable")]
    assert "ana@" not in str(logged)


def test_nobody_is_asked_about_nothing(tmp_path: Path) -> None:
    assert PostfixLog(LogFiles(tmp_path / "nowhere", dt.UTC)).look([]) == {}


def test_a_queue_id_that_is_given_out_again_is_another_message() -> None:
    again = LOG.replace(b"2C7D320E847", b"4553620E7D1")
    found = PostfixLog(Lines(again.splitlines(keepends=True))).look([sending("101"), sending("103")])
    assert {name[-3:]: sighting.found for name, sighting in found.items()} == {"101": True, "103": False}


def test_a_message_id_that_quotes_a_line_of_the_log_is_only_a_message_id() -> None:
    forged = b"Nov 25 22:41:12 relay postfix/cleanup[9]: 1A2B3C4D5E6: message-id=<x Nov 25 22:41:12 relay "
    forged += b"postfix/qmgr[1]: 2C7D320E847: from=<>, size=1, nrcpt=1 (queue active)@example.com>\n"
    lines = [*LOG.splitlines(keepends=True), forged]
    assert not PostfixLog(Lines(lines)).look([sending("103")])[key("103")].found


def journalctl(folder: Path, log: bytes, status: int = 0) -> tuple[str, ...]:
    """A program that answers as ``journalctl`` does, and notes what it was asked."""
    (folder / "journal").write_bytes(short_iso(log))
    program = folder / "journalctl"
    program.write_text(
        f'#!/bin/sh\necho "$*" >> {folder}/asked\n'
        f'case "$*" in *--until*) head -1 {folder}/journal;; *) cat {folder}/journal;; esac\nexit {status}\n'
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return (str(program),)


def test_the_journal_is_asked_for_postfix_from_the_time_of_the_send(tmp_path: Path) -> None:
    postfix = PostfixLog(SystemJournal(journalctl(tmp_path, LOG)))
    found = postfix.look([sending("101"), sending("103")])
    assert {name[-3:]: sighting.found for name, sighting in found.items()} == {"101": True, "103": False}
    back, units = (tmp_path / "asked").read_text().splitlines()
    since = int(opened("4553620E7D1").timestamp()) - 60
    assert back == f"-o short-iso --no-pager --quiet --reverse -n 1 --until=@{since}"
    assert units == f"-o short-iso --no-pager --quiet -u postfix* --since=@{since - 70 * 60}"
    assert postfix.newest() == dt.datetime(2026, 11, 25, 22, 41, 54, tzinfo=dt.UTC)


def test_an_empty_journal_knows_nothing(tmp_path: Path) -> None:
    assert PostfixLog(SystemJournal(journalctl(tmp_path, b""))).look([sending("101"), sending("103")]) == {}


@pytest.mark.parametrize("command", [("false",), ("/nowhere/journalctl",)])
def test_a_journal_that_cannot_be_asked_is_one_warning(command: tuple[str, ...]) -> None:
    with capture_logs() as logged:
        assert PostfixLog(SystemJournal(command)).look([sending("101")]) == {}
    assert [entry["event"] for entry in logged] == ["mail log unreadable"]


def test_the_last_line_is_told_to_the_doctor(tmp_path: Path) -> None:
    path = write(tmp_path / "mail.log", b"")
    write(tmp_path / "mail.log.1", LOG, ROTATED)
    postfix = PostfixLog(LogFiles(path, dt.UTC))
    assert postfix.newest() == dt.datetime(2026, 11, 25, 22, 41, 54, tzinfo=dt.UTC)
    postfix.close()


WORDS = st.sampled_from(
    [
        b"Nov 25 22:41:12 ", b"2026-11-25T22:41:12+00:00 ", b"relay ", b"postfix/smtpd[7]: ", b"postfix/cleanup[8]: ",
        b"postfix/qmgr[9]: ", b"postfix/master[1]: ", b"4553620E7D1: ", b"client=x", b"message-id=<", b"NOQUEUE: ",
        key("101").encode(), b"@example.com>", b"from=<>, (queue active)", b"lost connection after DATA (", b"hold: ",
        b"disconnect from ", b"daemon started", b"reject: END-OF-MESSAGE ", b"warning: process p pid 7 killed by ",
        b"\n", b" ",
    ]
)  # fmt: skip


@given(st.lists(st.one_of(st.binary(max_size=40), st.lists(WORDS, max_size=8).map(b"".join)), max_size=30))
def test_no_line_whatever_it_holds_is_too_much(lines: list[bytes]) -> None:
    PostfixLog(Lines(lines)).look([sending("101", WRITTEN)])
    PostfixLog(Lines([*LOG.splitlines(keepends=True)[:30], *lines])).look([sending("101", WRITTEN)])


def test_other_peoples_messages_do_not_fill_the_memory() -> None:
    told = Transactions({key("101")})
    for line in LOG.splitlines(keepends=True) * 20:
        told.feed(STAMPS, line)
    assert len({id(one) for one in told if not one.key and one.named and one.fate != "open"}) == 0
