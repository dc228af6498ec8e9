"""Leaving an optional campaign: by the page or the one click of RFC 8058; never by looking, never as having read."""

from __future__ import annotations

import datetime as dt
import email
from collections.abc import Callable
from urllib.parse import urlsplit

from commsengine.channels.email import EmailChannel
from commsengine.channels.smtp import SmtpServer
from commsengine.links import Links
from tests.answering import KEYS
from tests.builders import ANA
from tests.servers import SmtpSink, a_mail
from tests.web.conftest import Site

ONE_CLICK = {"List-Unsubscribe": "One-Click"}

OpenSite = Callable[..., Site]


def test_looking_leaves_nothing(open_site: OpenSite) -> None:
    site = open_site(optional=True)
    shown = site.get(site.house.touch(), "unsubscribe")
    assert (shown.status_code, site.house.kinds()) == (200, [])


def test_one_click_leaves_without_a_redirect_and_acknowledges_nothing(open_site: OpenSite) -> None:
    site = open_site(optional=True)
    done = site.client.post(site.path("unsubscribe", site.house.touch()), data=ONE_CLICK)
    assert (done.status_code, done.headers.get("location"), "set-cookie" in done.headers) == (200, None, False)
    assert site.house.kinds() == ["not_for_me"]


def test_a_mail_program_leaves_by_the_headers_alone(open_site: OpenSite) -> None:
    """As RFC 8058 has it: the body is the header, word by word, sent to the address of the other header."""
    site = open_site(optional=True)
    links = Links("https://comms.example.com", KEYS)
    house = site.house
    key = house.touch()
    url = links.url("unsubscribe", key, house.clock() + dt.timedelta(days=60))
    with SmtpSink() as relay:
        channel = EmailChannel(SmtpServer("127.0.0.1", relay.port, "off"), "change@example.com")
        list(channel.deliver([a_mail(key, unsubscribe_url=url)], lambda keys: keys))
        channel.close()
    mail = email.message_from_bytes(relay.messages[0])
    path = urlsplit(mail["List-Unsubscribe"].strip("<>")).path
    assert (site.client.get(path).status_code, house.kinds()) == (200, [])
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    done = site.client.post(path, content=mail["List-Unsubscribe-Post"], headers=form)
    assert (done.status_code, house.kinds()) == (200, ["not_for_me"])


def test_a_mail_program_may_send_its_click_as_multipart(open_site: OpenSite) -> None:
    site = open_site(optional=True)
    path = site.path("unsubscribe", site.house.touch())
    assert site.client.post(path, files={"List-Unsubscribe": (None, "One-Click")}).status_code == 200
    assert site.house.kinds() == ["not_for_me"]


def test_the_button_leaves_and_says_so(open_site: OpenSite) -> None:
    site = open_site(optional=True)
    key = site.house.touch()
    assert "You get no more messages of this campaign" in site.post(key, "unsubscribe", do="not_for_me").text
    (answer,) = site.house.store.answers.of_person(ANA.id)
    assert answer.whole_campaign


def test_a_campaign_that_is_not_optional_cannot_be_left_so(site: Site) -> None:
    key = site.house.touch()
    assert site.client.post(site.path("unsubscribe", key), data=ONE_CLICK).status_code == 404
    assert site.house.kinds() == []
