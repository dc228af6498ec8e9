"""The mailbox keeps every byte, in order, from as many connections as come."""

from __future__ import annotations

import datetime as dt
import threading

from commsengine.channels.email import EmailChannel
from commsengine.channels.mime import message_bytes
from commsengine.channels.smtp import parse_smtp_url
from commsengine.sandbox.mailbox import Mailbox
from tests.servers import a_mail
from tests.waiting import PATIENCE


def send(box: Mailbox, *keys: str, **changes: object) -> None:
    channel = EmailChannel(parse_smtp_url(box.url), "change@example.com")
    assert all(o.verdict == "sent" for o in channel.deliver([a_mail(key, **changes) for key in keys], lambda k: k))
    channel.close()


def test_a_mail_is_kept_byte_by_byte() -> None:
    with Mailbox() as box:
        send(box, "k1", text=".\n..dots\nå\n")
        (mail,) = box.arrived
        assert mail.data == message_bytes(a_mail("k1", text=".\n..dots\nå\n"), "change@example.com")
        assert (mail.number, mail.sender, mail.recipients) == (1, "change@example.com", ("ana@example.com",))


def test_a_mail_can_be_read_like_a_person_would() -> None:
    with Mailbox() as box:
        send(box, "k1", subject="Größe", text="Read https://a.example/a/t1 and (https://b.example/x)\n")
        (mail,) = box.of("ANA@example.com")
    assert (mail.key, mail.subject, mail.html) == ("k1", "Größe", "<p>Hello Ana</p>\n")
    assert mail.date == dt.datetime(2027, 1, 11, 9, tzinfo=dt.UTC)
    assert mail.links == ("https://a.example/a/t1", "https://b.example/x")


def test_a_key_in_the_text_is_not_taken_for_the_header() -> None:
    with Mailbox() as box:
        send(box, "k1", text="\nX-Commsengine-Touch: forged\n")
        assert box.arrived[0].key == "k1"


def test_many_connections_at_once_lose_nothing() -> None:
    with Mailbox() as box:
        keys = [[f"{thread}-{number}" for number in range(25)] for thread in range(4)]
        threads = [threading.Thread(target=send, args=(box, *some)) for some in keys]
        for thread in threads:
            thread.start()
        assert box.wait_for(100, PATIENCE)
        for thread in threads:
            thread.join()
        assert sorted(mail.key for mail in box.arrived) == sorted(key for some in keys for key in some)
        assert [mail.number for mail in box.arrived] == list(range(1, 101))


def test_nobody_waits_for_ever() -> None:
    with Mailbox() as box:
        assert not box.wait_for(1, 0.01)
        assert box.of("ana@example.com") == []
