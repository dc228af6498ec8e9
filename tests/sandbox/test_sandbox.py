"""The sandbox as a whole."""

from __future__ import annotations

import httpx
import pytest

from commsengine.sandbox.sandbox import Sandbox
from tests.browsing import WEB
from tests.builders import ANA, MIA
from tests.sandbox.conftest import mail, post
from tests.servers import a_mail


def test_one_sandbox_takes_mail_and_slack_and_shows_both(sandbox: Sandbox) -> None:
    mail(sandbox, a_mail("k1"))
    post(sandbox)
    assert [one.key for one in sandbox.mailbox.arrived] == ["k1"]
    assert [one.key for one in sandbox.slack.posts] == ["k1"]
    assert "Ana Kim" in WEB.get(sandbox.page_url).text


def test_who_is_on_slack_can_be_chosen(sandbox: Sandbox) -> None:
    assert [user.email for user in sandbox.slack.team.users] == ["ana@example.com", "ben@example.com"]


def test_two_sandboxes_do_not_meet_and_are_gone_when_closed() -> None:
    with Sandbox([ANA]) as one, Sandbox([MIA]) as other:
        mail(one, a_mail())
        assert (len(one.mailbox.arrived), len(other.mailbox.arrived)) == (1, 0)
        url = one.page_url
    with pytest.raises(httpx.ConnectError):
        WEB.get(url)


def test_a_sandbox_without_people_says_so() -> None:
    with Sandbox([]) as empty:
        assert "There are no people yet" in WEB.get(empty.page_url).text
