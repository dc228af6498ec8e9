"""The closed lists of words, each once: channels, touches, answers, outcomes. Stored as text, checked as ``Literal``.

A list that people read has its words beside it. What goes over all channels or kinds takes the table, never a list of
its own, so a new one is added here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

ChannelName = Literal["slack", "email"]
"""What carries a message by itself."""

Wish = Literal["", "slack", "email"]
"""The channel somebody would rather have; empty without a wish."""

Carrier = Literal["slack", "email", "personal"]
"""A channel, or a human."""

TouchKind = Literal["message", "remind", "personal", "sponsor", "service"]
HandKind = Literal["personal", "sponsor"]
"""What a human carries."""

TouchState = Literal["claimed", "sending", "sent", "retry", "failed", "uncertain", "skipped"]
Verdict = Literal["sent", "permanent", "retry", "uncertain", "released"]
"""What a channel says of one attempt."""

ReceiptState = Literal["sent", "failed", "retry", "uncertain", "released"]
"""What becomes of a touch by one attempt."""
AttemptVerdict = Literal["sent", "failed", "retry", "uncertain"]
Resolution = Literal["sent", "resend"]
"""How a person or a resolver settles an uncertain touch."""

AnswerKind = Literal["acknowledged", "input", "commit", "check", "heard_enough", "not_for_me"]
EvidenceKind = Literal["slack", "link", "reply", "manager"]
OutcomeName = Literal["understood", "objects", "declines", "away"]
Unclear = Literal["why", "role", "goal", "procedure", "skill", "time"]
Standing = Literal["heard enough", "asked", "not recalled", "recalled", "acknowledged", "reached", "not reached"]
CampaignState = Literal["paused", "running", "finished", "cancelled"]
Ask = Literal["acknowledge", "check", "input", "commit", "nothing"]

SUPPOSITIONS = ("none", "all", "typical", "weak", "strong")
"""How people may be supposed to answer, in a simulation or a rehearsal."""

STATES: tuple[TouchState, ...] = get_args(TouchState)
ASKED_FOR: tuple[AnswerKind, ...] = ("input", "commit")
"""Answers in the person's own words or by choice, where a message asks for that: never the answer to a check."""

GOT_IT: tuple[AnswerKind, ...] = ("acknowledged", "input", "commit", "check")
"""Answers by which the person has taken note of the message, whatever it asks."""

OUTCOMES: tuple[OutcomeName, ...] = get_args(OutcomeName)
UNCLEAR: tuple[Unclear, ...] = get_args(Unclear)
STANDINGS: tuple[Standing, ...] = get_args(Standing)
"""The first that holds is the person's standing."""


@dataclass(frozen=True, slots=True)
class ChannelWords:
    """How people read about a channel: as a choice, of what it carried, and within a sentence."""

    label: str
    carried: str
    in_text: str


CHANNELS: Mapping[str, ChannelWords] = {
    "slack": ChannelWords("Slack", "Sent in Slack", "Slack"),
    "email": ChannelWords("E-mail", "Sent by e-mail", "e-mail"),
}

BY_HAND: Mapping[str, str] = {
    "personal": "You were put on the list for a personal call or visit",
    "sponsor": "It was proposed to the lead to involve the sponsor",
}
"""The kinds of touches that a human carries, as the person reads about them."""


@dataclass(frozen=True, slots=True)
class AnswerWords:
    """How an answer reads to the person who gave it, and to the lead."""

    to_them: str
    to_others: str


ANSWERS: Mapping[str, AnswerWords] = {
    "acknowledged": AnswerWords("You confirmed", "got it"),
    "input": AnswerWords("You answered", "gave an answer"),
    "commit": AnswerWords("You said you will", "said they will"),
    "check": AnswerWords("You answered the question", "answered the question"),
    "heard_enough": AnswerWords("You said you have heard enough", "heard enough"),
    "not_for_me": AnswerWords("You said this is not for you", "not for them, they say"),
}

ENOUGH: frozenset[str] = frozenset({"heard_enough", "not_for_me"})
"""Answers after which nothing more of that message comes."""
