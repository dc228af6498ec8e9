"""Provider profiles: the shipped table holds together, and a workspace's own comes first."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from commsengine.authoring.providers_file import load_providers, load_refusals
from commsengine.channels.providers import profile_of
from commsengine.channels.refusals import judge
from commsengine.errors import InputError

NOWHERE = Path("/nowhere/providers.yaml")


@pytest.mark.parametrize(
    ("host", "banner", "name"),
    [
        ("smtp.office365.com", "", "microsoft365"),
        ("SMTP.Office365.com.", "", "microsoft365"),
        ("smtp-hve.office365.com", "BN0PR04CA0000.outlook.office365.com Microsoft ESMTP MAIL Service ready", "hve"),
        ("smtp.gmail.com", "smtp.gmail.com ESMTP ready", "gmail"),
        ("smtp-relay.gmail.com", "", "google-relay"),
        ("email-smtp.eu-west-1.amazonaws.com", "", "ses"),
        ("mail.example.com", "mail.example.com ESMTP Postfix (Debian)", "postfix"),
        ("mail.example.com", "", "unknown"),
        ("mail.example.com", "mail.example.com ESMTP Exim 4.97", "unknown"),
    ],
)
def test_the_profile_of_a_server(host: str, banner: str, name: str) -> None:
    assert profile_of(host, banner, load_providers(NOWHERE)).name == name


def test_a_profile_of_the_workspace_comes_first(tmp_path: Path) -> None:
    own = tmp_path / "providers.yaml"
    own.write_text("profiles:\n  ours: {hosts: [127.0.0.1], connections: 2, per_day: 700, day: 20s}\n")
    found = profile_of("127.0.0.1", "", load_providers(own))
    assert (found.name, found.limits.per_day, found.limits.day) == ("ours", 700, dt.timedelta(seconds=20))


def test_what_is_wrong_in_it_has_its_place(tmp_path: Path) -> None:
    own = tmp_path / "providers.yaml"
    own.write_text("profiles:\n  ours:\n    connections: 0\n    banners: ['(']\n    perday: 3\n")
    with pytest.raises(InputError) as refused:
        load_providers(own)
    assert {problem.line for problem in refused.value.problems} == {3, 4, 5}


def test_a_refusal_of_the_workspace_is_judged_before_the_shipped_ones(tmp_path: Path) -> None:
    own = tmp_path / "providers.yaml"
    own.write_text(
        "refusals:\n"
        "  - {verdict: us, code: 550, enhanced: 5.7.350, words: our gateway}\n"
        "  - {verdict: later, kind: busy, channel: slack, word: some_error}\n"
    )
    rows = load_refusals(own)
    reply = "5.7.350 Remote server returned: our gateway says no"
    assert [judge("email", "reply", 550, reply, own=some).fault for some in ((), rows)] == ["unknown", "us"]
    assert judge("email", "reply", 551, reply, own=rows).fault == "unknown"
    assert judge("slack", "reply", 200, "some_error", own=rows)[:2] == ("later", "busy")
    assert load_refusals(NOWHERE) == ()


def test_what_is_wrong_in_a_refusal_has_its_place(tmp_path: Path) -> None:
    own = tmp_path / "providers.yaml"
    own.write_text("refusals:\n  - verdict: them\n    code: '5'\n  - verdict: us\n  - {verdict: us, words: '('}\n")
    with pytest.raises(InputError) as refused:
        load_refusals(own)
    assert {problem.line for problem in refused.value.problems} == {2, 4, 5}
