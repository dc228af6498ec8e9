"""Messages as files: whole or not at all."""

from __future__ import annotations

import email
import json
from pathlib import Path

from commsengine.channels.channel import PERMANENT, RELEASED, SENT, Outcome
from commsengine.channels.file import FileChannel
from tests.servers import a_mail


def test_a_mail_becomes_an_eml(tmp_path: Path) -> None:
    channel = FileChannel(tmp_path / "out")
    assert list(channel.deliver([a_mail("abc")], lambda keys: keys)) == [
        Outcome("abc", SENT, "reply", "ok", remote_id="abc.eml")
    ]
    assert email.message_from_bytes((tmp_path / "out" / "abc.eml").read_bytes())["X-Commsengine-Touch"] == "abc"
    channel.close()


def test_a_card_becomes_json(tmp_path: Path) -> None:
    list(
        FileChannel(tmp_path).deliver([a_mail("abc", channel="slack", blocks=[{"type": "divider"}])], lambda keys: keys)
    )
    card = json.loads((tmp_path / "abc.json").read_text())
    assert (card["key"], card["to"], card["blocks"]) == ("abc", "ana@example.com", [{"type": "divider"}])


def test_what_is_not_marked_leaves_no_trace(tmp_path: Path) -> None:
    (outcome,) = FileChannel(tmp_path).deliver([a_mail()], lambda keys: ())
    assert (outcome.verdict, outcome.begun, list(tmp_path.iterdir())) == (RELEASED, False, [])


def test_a_key_or_a_header_that_must_not_be_fails_that_message_only(tmp_path: Path) -> None:
    mails = [a_mail("../etc"), a_mail("k2", subject="a\nb"), a_mail("k3")]
    verdicts = [outcome.verdict for outcome in FileChannel(tmp_path).deliver(mails, lambda keys: keys)]
    assert (verdicts, [path.name for path in tmp_path.iterdir()]) == ([PERMANENT, PERMANENT, SENT], ["k3.eml"])


def test_a_folder_that_is_gone_says_that_the_channel_is_down(tmp_path: Path) -> None:
    channel = FileChannel(tmp_path / "out")
    (tmp_path / "out").rmdir()
    (outcome,) = channel.deliver([a_mail()], lambda keys: keys)
    assert (outcome.begun, "cannot be written" in outcome.channel_down) == (False, True)
