"""The buttons on a manager's cards in Slack: how a call went, and what becomes of what goes out in their name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from commsengine.cadence.kinds_and_states import OUTCOME_WORDS
from commsengine.content.slots import Prose, slack_text
from commsengine.translation import N_, _

Block = dict[str, Any]

OUTCOME, MORE = "outcome", "outcome-more"
"""How the ids of the buttons of a call begin, and that of the one which opens a form."""

HOLD, LINE = "manager-hold", "manager-line"

_CALL = re.compile(r"call-([0-9a-f]{8})")
_FOR_GOOD = N_(
    "This person is not asked about these messages again. If you want to call another day, press “Not reached”."
)


def place_of_buttons(call: str) -> Prose:
    """What a template writes where the buttons of this call are to stand."""
    return Prose(f"call-{call}")


def parted(texts: Sequence[str]) -> Iterator[tuple[list[str], str]]:
    """The paragraphs up to the buttons of each call, with its id; last what stands below, without one."""
    above: list[str] = []
    for text in texts:
        if found := _CALL.fullmatch(text.strip()):
            yield above, found[1]
            above = []
        else:
            above.append(text)
    yield above, ""


def without_buttons(text: str) -> str:
    """What is shown where the card is not: in a notification, or read out."""
    return "\n\n".join(part for part in text.split("\n\n") if not _CALL.fullmatch(part.strip()))


def call_buttons(call: str) -> Block:
    buttons = [_button(_(words), f"{OUTCOME}_{name}", call) for name, words in OUTCOME_WORDS.items()]
    buttons[0]["style"] = "primary"
    buttons[-1]["confirm"] = {
        "title": _plain(_("For good?")),
        "text": _plain(_(_FOR_GOOD)),
        "confirm": _plain(_("Record it")),
        "deny": _plain(_("Cancel")),
    }
    more = _button(_("With a note…"), MORE, call)
    return {"type": "actions", "block_id": f"call-{call}", "elements": [*buttons, more]}


def name_buttons(key: str) -> Block:
    """Below a message that goes out in the name of who reads this first."""
    held, line = _button(_("Hold it…"), HOLD, key), _button(_("Add a line…"), LINE, key)
    return {"type": "actions", "block_id": "in-your-name", "elements": [line, held]}


def calls_on(blocks: Sequence[Mapping[str, Any]]) -> list[str]:
    """The ids of the calls whose buttons stand on the card."""
    found = (_CALL.fullmatch(str(block.get("block_id", ""))) for block in blocks)
    return [each[1] for each in found if each]


def with_closed(blocks: Sequence[Mapping[str, Any]], closed: Mapping[str, str]) -> list[Block]:
    """The card with, for each call that is closed, what came of it in place of its buttons."""
    return [_closed(block, closed) for block in blocks]


def _closed(block: Mapping[str, Any], closed: Mapping[str, str]) -> Block:
    found = _CALL.fullmatch(str(block.get("block_id", "")))
    if found is None or found[1] not in closed:
        return dict(block)
    return {
        "type": "section",
        "text": {"type": "mrkdwn", "text": f"✓ {slack_text(closed[found[1]])}", "verbatim": True},
    }


def _button(text: str, action: str, value: str) -> Block:
    return {"type": "button", "action_id": action, "text": _plain(text), "value": value}


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}
