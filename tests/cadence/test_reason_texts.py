"""Why something is not sent, in a language in which every text is marked."""

from __future__ import annotations

from commsengine.cadence.history import Reason
from tests.pseudo import in_pseudo


def test_a_reason_is_told_in_the_language_in_which_it_is_read() -> None:
    reason = Reason("crm", "one-record", "times", "Sent {number} times; no more follow.", values=(("number", 3),))
    assert reason.text == "Sent 3 times; no more follow."
    with in_pseudo():
        assert reason.text == "⟦Sent 3 times; no more follow.⟧"
