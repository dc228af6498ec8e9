"""The closed lists of words, each once: channels, touches, answers, outcomes. Stored as text, checked as ``Literal``.

A list that people read has its words beside it. What goes over all channels or kinds takes the table, never a list of
its own, so a new one is added here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from commsengine.translation import N_

ChannelName = Literal["slack", "email"]
"""What carries a message by itself."""

Wish = Literal["", ChannelName]
"""The channel somebody would rather have; empty without a wish."""

Carrier = Literal[ChannelName, "personal"]
"""A channel, or a human."""

HUMAN: Literal["personal"] = "personal"
"""The carrier that is no channel."""

Form = Literal["letter", "card"]
"""What a message is written as: mail with HTML and text, or blocks with buttons."""

TouchKind = Literal["message", "briefing", "remind", "commitment", "personal", "sponsor", "service"]
"""``commitment`` asks once, on its day, whether what a person said they will do is done."""

HandKind = Literal["personal", "sponsor"]
"""What a human carries."""

CARRIED: tuple[TouchKind, ...] = ("message", "briefing", "remind", "commitment")
"""The kinds of touches that a channel carries."""

REPEATED: tuple[TouchKind, ...] = ("message", "remind")
"""The kinds that bring a message or repeat it; a check comes with them."""

Purpose = Literal["mine", "calls", "review"]
"""A page that opens by a link which works once."""

TouchState = Literal["claimed", "sending", "sent", "retry", "failed", "uncertain", "skipped"]
Verdict = Literal["sent", "permanent", "retry", "uncertain", "released"]
"""What a channel says of one attempt."""

Fault = Literal["", "person", "message", "us", "quota", "later", "unknown"]
"""What a refusal is about: one person, the message, us (our sender, log-in or machine, until somebody sees to it), a
quota of ours (until it renews), or only this moment. ``unknown`` until it shows; empty where nothing was refused."""

SlackStatus = Literal["", "member", "guest", "bot", "deleted"]
"""What somebody is in Slack, by its list of users; empty for a user who was only looked up."""

RefusalKind = Literal["", "gone", "full", "connections", "busy", "down"]
"""More about a fault where it matters: no such person there, their mailbox takes nothing for now, one connection too
many, a moment's patience, nothing is taken from anybody at present."""

ChangeKind = Literal["added", "removed", "changed"]
"""What became of one place of a plan, from one version to the next."""

RefusalWord = Literal["person", "us", "message", "again"]
"""The word of the lead that settles a refusal: what it is about, or ``again`` for one more try."""

ReceiptState = Literal["sent", "failed", "retry", "uncertain", "released"]
"""What becomes of a touch by one attempt."""
AttemptVerdict = Literal["sent", "failed", "retry", "uncertain"]
Resolution = Literal["sent", "resend"]
"""How a person or a resolver settles an uncertain touch."""

AnswerKind = Literal["acknowledged", "input", "commit", "check", "kept", "not_kept", "heard_enough", "not_for_me"]
EvidenceKind = Literal["slack", "link", "reply", "manager"]
Grade = Literal["slack", "link", "reply", "manager", "suspect"]
"""How well an acknowledgement is proved, the strongest first; ``suspect`` came without its page and does not count."""

Ending = Literal["done", "later", "no"]
"""How what people asked or put in ends: it is done, promised for a day, or not done for a reason."""

AskKind = Literal["question", "input"]
"""What a reply answers."""

InputKind = Literal["text", "choice", "rank", "meeting"]

FileSource = Literal["feed", "roster"]
"""Where a people file comes from that nobody stands beside: the watched folder, or a plan's own people file."""

FileReasonKind = Literal["returning", "managers", "leavers", "rows", "unusable", "unreadable"]
"""Why a person is asked about a people file."""
"""How an input is given: in words, by one choice, by an order of the choices, by one of the appointments or words."""

OutcomeName = Literal["understood", "objects", "declines", "away"]
Unclear = Literal["why", "role", "goal", "procedure", "skill", "time"]
About = Literal["why", "role", "goal", "procedure", "skill"]
"""What a check asks about: the same words, but for time."""

Measure = Literal["answered", "acknowledged", "right", "reached", "done"]
"""What of a message a phase may be measured by."""

Standing = Literal[
    "corrected", "heard enough", "asked", "not recalled", "recalled", "acknowledged", "reached", "not reached"
]
RecallMode = Literal["person", "role", "off"]
"""The answers to checks that time the next touch: the person's own, those of ten and more of a role, or none."""

CheckKind = Literal["recall", "baseline", "transfer"]
"""What a check measures: what is still known, what was known before, or what carries over to what was never asked."""

Asked = Literal["", CheckKind]
"""What the check of a touch is for; empty for a touch without one."""

CampaignState = Literal["paused", "running", "finished", "cancelled"]
Ask = Literal["acknowledge", "check", "input", "commit", "nothing"]

SUPPOSITIONS = ("none", "all", "typical", "weak", "strong")
"""How people may be supposed to answer, in a simulation or a rehearsal."""

ReasonCode = Literal[
    "now", "due", "window", "missed_window", "snoozed", "budget", "standstill", "retry",
    "asked", "outreach", "remembered", "no_channel", "unreachable",
    "answered", "done", "heard_enough", "times", "closed", "no_room", "left", "corrected", "not_told", "no_role",
    "not_in_roster", "late", "superseded", "merged", "backlog", "held", "held_by_manager", "gate",
]  # fmt: skip
"""Why a message is not sent now: it waits for an instant, for a fact, is over, or this touch of it is never sent."""

SkipCode = ReasonCode | Literal[""]
"""Why a touch is never sent; empty for one that is."""

STATES: tuple[TouchState, ...] = get_args(TouchState)
ASKED_FOR: tuple[AnswerKind, ...] = ("input", "commit")
"""Answers in the person's own words or by choice, where a message asks for that: never the answer to a check."""

GOT_IT: tuple[AnswerKind, ...] = ("acknowledged", "input", "commit", "check")
"""Answers by which the person has taken note of the message, whatever it asks."""

ENDINGS: Mapping[Ending, str] = {
    "done": N_("Done"),
    "later": N_("Promised"),
    "no": N_("Not planned"),
}
"""The word for each, on pages and in lists."""

OFFERS: tuple[InputKind, ...] = ("choice", "rank", "meeting")
"""Inputs that offer something to choose from."""

GRADES: Mapping[Grade, str] = {
    "slack": N_("Slack button"),
    "link": N_("button on the page of a signed link"),
    "reply": N_("reply in words"),
    "manager": N_("a manager's word"),
    "suspect": N_("form sent without its page; not counted"),
}

WORD_GIVEN: frozenset[AnswerKind] = frozenset({"kept", "not_kept"})
"""What became of a commitment, as the person says."""

REFUSAL_WORDS: tuple[RefusalWord, ...] = get_args(RefusalWord)
OUTCOMES: tuple[OutcomeName, ...] = get_args(OutcomeName)
UNCLEAR: tuple[Unclear, ...] = get_args(Unclear)
OUTCOME_WORDS: Mapping[OutcomeName, str] = {
    "understood": N_("It is clear now"),
    "objects": N_("Has an objection"),
    "away": N_("Not reached"),
    "declines": N_("Wants to hear no more"),
}
"""As a manager chooses among them, and reads what was chosen."""

UNCLEAR_WORDS: Mapping[Unclear, str] = {
    "why": N_("why it happens"),
    "role": N_("what it means for them"),
    "goal": N_("what the goal is"),
    "procedure": N_("how to do it"),
    "skill": N_("whether they can do it"),
    "time": N_("when to find the time"),
}
MEASURES: Mapping[Measure, str] = {
    "answered": N_("answered"),
    "acknowledged": N_("acknowledged"),
    "right": N_("right"),
    "reached": N_("reached"),
    "done": N_("done"),
}
STATE_WORDS: Mapping[CampaignState, str] = {
    "paused": N_("paused"),
    "running": N_("running"),
    "finished": N_("finished"),
    "cancelled": N_("cancelled"),
}
STANDINGS: tuple[Standing, ...] = get_args(Standing)
"""The first that holds is the person's standing."""


@dataclass(frozen=True, slots=True)
class ChannelTerms:
    """How people read about a channel: as a choice, of what it carried, and within a sentence; and what it is like.

    ``evidence`` is how we know of an answer to what it carried. ``any_address``: it reaches addresses of all kinds,
    not only those of its own members.
    """

    label: str
    carried: str
    in_text: str
    form: Form = "letter"
    evidence: EvidenceKind = "link"
    any_address: bool = False


CHANNELS: Mapping[ChannelName, ChannelTerms] = {
    "slack": ChannelTerms("Slack", N_("Sent in Slack"), "Slack", form="card", evidence="slack"),
    "email": ChannelTerms(N_("E-mail"), N_("Sent by e-mail"), N_("e-mail"), any_address=True),
}
"""In the order in which a plan that names none prefers them."""

EVIDENCE: Mapping[EvidenceKind, str] = {
    "link": N_("link"),
    "slack": N_("Slack"),
    "reply": N_("reply"),
    "manager": N_("in a talk"),
}


def channel_of(carrier: Carrier) -> ChannelName:
    """The channel itself; that of mail for a human, and for a channel that the program no longer has."""
    return carrier if carrier != HUMAN and carrier in CHANNELS else "email"


def asked_by(evidence: EvidenceKind) -> ChannelName:
    """The channel that gives this evidence: a question asked there is answered there."""
    return next((name for name, terms in CHANNELS.items() if terms.evidence == evidence), "email")


def service_channel(ready: Collection[ChannelName]) -> ChannelName:
    """Of these, the one for what is no touch: the first that reaches any address, else the first."""
    return min(ready, key=lambda name: not CHANNELS[name].any_address)


@dataclass(frozen=True, slots=True)
class PageWords:
    """What a page is, after "opens", and the subject of the mail that brings a link to it."""

    opens: str
    subject: str


PURPOSES: Mapping[Purpose, PageWords] = {
    "mine": PageWords(N_("your messages and settings"), N_("Your link to your messages")),
    "calls": PageWords(N_("the people you are asked to call"), N_("Your link to the people to call")),
    "review": PageWords(N_("the review of a phase"), N_("Your link to the review")),
}
"""The pages that open by a link which works once."""


BY_HAND: Mapping[HandKind, str] = {
    "personal": N_("Somebody was asked to call or visit you"),
    "sponsor": N_("The people who lead the campaign were asked to involve the sponsor"),
}
"""The kinds of touches that a human carries, as the person reads about them. They cost no attention budget."""


@dataclass(frozen=True, slots=True)
class AnswerWords:
    """How an answer reads to the person who gave it, and to the lead."""

    to_them: str
    to_others: str


ANSWERS: Mapping[AnswerKind, AnswerWords] = {
    "acknowledged": AnswerWords(N_("You confirmed"), N_("got it")),
    "input": AnswerWords(N_("You answered"), N_("gave an answer")),
    "commit": AnswerWords(N_("You said you will"), N_("said they will do it")),
    "check": AnswerWords(N_("You answered the question"), N_("answered the question")),
    "kept": AnswerWords(N_("You said it is done"), N_("says it is done")),
    "not_kept": AnswerWords(N_("You said it is not done yet"), N_("says it is not done yet")),
    "heard_enough": AnswerWords(N_("You said you have heard enough"), N_("heard enough")),
    "not_for_me": AnswerWords(N_("You left this campaign"), N_("left the campaign")),
}

FILE_REASONS: Mapping[FileReasonKind, str] = {
    "returning": N_("marked as left, and active again by this file: {people:,}"),
    "managers": N_("another manager than so far: {people:,} of {of:,} people"),
    "leavers": N_("marked as left by this file: {people:,} of {of:,} people"),
    "rows": N_("rows that are wrong: {people:,} of {of:,}"),
    "unusable": N_("it cannot be imported as it is"),
    "unreadable": N_("it is not there, or this account may not read it"),
}

ENOUGH: frozenset[AnswerKind] = frozenset({"heard_enough", "not_for_me"})
"""Answers after which nothing more of that message comes."""

WAITING: Mapping[ReasonCode, str] = {
    "due": N_("The next message."),
    "window": N_("The next message waits for the person's sending hours."),
    "missed_window": N_("The message missed the person's sending hours and waits for the next ones."),
    "snoozed": N_("The person asked to be reminded later."),
    "budget": N_("The next message waits because one person gets only so many a day and a week."),
    "standstill": N_("The next message was due while nothing was sent."),
    "retry": N_("The last attempt failed; the engine tries again."),
    "held_by_manager": N_("The person's manager holds the message until that day."),
    "held": N_(
        "The message was refused for an unknown reason. It waits for the lead's decision; the engine keeps trying."
    ),
}
"""The reasons with an instant, as a sentence."""
