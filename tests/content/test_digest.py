from __future__ import annotations

from commsengine.content.digest import Call, DigestFacts, HeldRow, OpenQuestion
from tests.builders import utc
from tests.content.desk import DANA, RENDERER

FACTS = DigestFacts(
    key="d" * 24,
    at=utc("2027-01-20 07:00"),
    calls=(
        Call(
            name="Ben <Ortiz>", role="sales", phone="+1 212 1234", reason="Two messages without an answer.",
            tried="e-mail twice", by="Mia Wolf", points=("Ask what would have to be true.", "Do not persuade."),
        ),
        Call(name="Ana Kim", role="others", phone="", reason="Reachable on no channel."),
    ),
    questions=(OpenQuestion("Ana Kim", "One record", "Do old notes *move*?", "since Monday", overdue=True),),
    held=(HeldRow("Ben Ortiz", "One record", "the relay went silent after accepting"),),
    figures=("12 messages left yesterday.",),
)  # fmt: skip


def test_the_digest_says_whom_to_call_and_what_to_say() -> None:
    shown = RENDERER.digest(DANA, FACTS)
    assert shown.subject == "One customer record: 2 people to talk to, 1 question open, 1 message to decide on"
    assert "\n\nBen <Ortiz>, sales, +1 212 1234\n\nTwo messages" in shown.text
    assert "Two messages without an answer. Tried: e-mail twice. Mia Wolf makes this contact." in shown.text
    assert "- Ask what would have to be true.\n- Do not persuade." in shown.text
    assert '- Ana Kim on "One record", since Monday (more than two working days): Do old notes *move*?' in shown.text
    assert '- Ben Ortiz, "One record": the relay went silent after accepting' in shown.text
    assert "<b>" not in shown.html
    assert "Ben &lt;Ortiz&gt;" in shown.html


def test_the_digest_goes_to_the_lead_and_has_no_links() -> None:
    shown = RENDERER.digest(DANA, FACTS)
    assert (shown.to_email, shown.key, shown.date) == ("dana@example.com", FACTS.key, FACTS.at)
    assert "https://" not in shown.text


def test_a_quiet_morning() -> None:
    quiet = DigestFacts(key="q", at=utc("2027-01-20"))
    assert quiet.empty
    assert not FACTS.empty
    assert "Today: nobody waits for you" in RENDERER.digest(DANA, quiet).text
