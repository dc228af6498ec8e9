"""What Slack had or had not, asked of its history: an uncertain card is found, or proved absent and posted again."""

from __future__ import annotations

from tests.faults.slack_witness import FORGET, POST, RESET, Rule, SlackWitness
from tests.faults.test_slack_faults import P0, P1, P2, Begin, Hurried, begin, rows_of, slack, states_of

__all__ = ["begin", "slack"]  # fixtures
HISTORY = "conversations.history"


def test_f20_a_card_that_slack_has_is_found_and_one_that_it_has_not_is_posted_again(
    slack: SlackWitness, begin: Begin
) -> None:
    """Also where the history cannot be read at first."""
    program = begin(3)
    slack.behave(
        Rule(POST, RESET, only=[P0]), Rule(POST, FORGET, only=[P1], first=1), Rule(HISTORY, "internal_error", first=2)
    )
    hurried = Hurried(program, lambda wiring: wiring.resolvers)
    hurried.tick()
    hurried.tick()
    rows = rows_of(program)
    assert slack.copies == {P0: 1, P1: 1, P2: 1}
    assert {person: row["state"] for person, row in rows.items()} == {P0: "sent", P1: "sent", P2: "sent"}
    assert (rows[P0]["possible_duplicate"], rows[P0]["attempts"], rows[P1]["attempts"]) == (False, 1, 2)
    assert {call["person"] for call in slack.calls(HISTORY)} == {P0, P1}


def test_a_history_that_is_refused_leaves_it_to_the_plan(slack: SlackWitness, begin: Begin) -> None:
    program = begin(1, ("sponsor: sam@example.com", "sponsor: sam@example.com\non_uncertain: hold"))
    slack.behave(Rule(POST, RESET, first=1), Rule(HISTORY, "missing_scope"))
    hurried = Hurried(program, lambda wiring: wiring.resolvers)
    hurried.tick()
    assert program.look("today")["held"] == []
    hurried.sleep(6 * 60)
    hurried.tick()
    assert (states_of(program), slack.copies) == ({P0: "uncertain"}, {P0: 1})
    assert [row["person"] for row in program.look("today")["held"]] == [P0]
