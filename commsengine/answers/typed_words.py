"""What people type to us in a conversation: a question, mostly, about the message below or after which they wrote.

A mere thank-you opens no question. "Got it" in so many words, below a message that asks for it, is an acknowledgement
by reply: weaker than a press, for it does not say what was read. Everything gets an answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from commsengine.answers.inbox import AnswerInbox, Evidence, answer_key
from commsengine.answers.touch_view import Card
from commsengine.cadence.kinds_and_states import BY_HAND, AnswerKind, EvidenceKind, asked_by
from commsengine.cadence.people import Person
from commsengine.engine.directory import SignerLookup, campaigns_of
from commsengine.store.records import AskId, TouchRecord
from commsengine.store.store import Store
from commsengine.translation import N_, _, in_language

AGREED = N_(
    "got it, ok, okay, understood, noted, done, will do, all clear, makes sense, confirmed, read it, "
    ":+1:, :thumbsup:, :ok_hand:, :white_check_mark:, :heavy_check_mark:, 👍, 👌, ✅, ✔"
)
"""Words that say no more than the button "Got it"; another language puts its own here, with commas between them."""

PROMISED = N_("i will, i'll do it, will do, yes i will, i'll do that, yes, sure, gladly, count me in")
"""Words that say no more than the button "I will"."""

KEPT = N_("done, it's done, it is done, yes, yes done, all done, i did it, finished, :white_check_mark:, ✅, ✔")
NOT_KEPT = N_("not yet, no, not done, not done yet, no not yet, i have not, i haven't, still open")
"""Words that answer "Is it done?" and say no more."""

THANKS = N_(
    "thanks, thank you, many thanks, thx, ty, cheers, great, perfect, super, nice, cool, so much, very much, a lot, "
    ":pray:, :heart:, :tada:, :clap:, :raised_hands:, :slightly_smiling_face:, :smile:, 🙏, ❤, 🎉, 👏, 🙌, 🙂, 😀, 😊"
)
"""Words that are kind and ask for nothing."""

NOT_YET = N_("Thank you for saying so. We recorded that it is not done yet.")

_PLAIN_WORDS: Mapping[str, Sequence[tuple[AnswerKind, str]]] = {
    "commit": (("commit", PROMISED),),
    "kept": (("kept", KEPT), ("not_kept", NOT_KEPT)),
}
"""By what a card asks for."""

_SKIN = re.compile(r":skin-tone-\d:|[\U0001F3FB-\U0001F3FF\uFE0F]")
_BETWEEN = r"[\s.,;!…–-]*"

MOST_REPLIES = 10
"""To one question: a promise, and more of them, until it is kept."""

ONLY_A_FILE = N_("We cannot read files or pictures here. Please write what you want to know.")


@dataclass(frozen=True, slots=True)
class Typed:
    """``conversation`` and ``stamp`` name what was typed, ``thread`` the message below which it stands, if any.

    ``by`` is how we know the writer, as kept with evidence.
    """

    text: str
    conversation: str
    stamp: str
    thread: str = ""
    evidence: EvidenceKind = "reply"
    by: Mapping[str, str] = field(default_factory=dict)

    @property
    def remote_id(self) -> str:
        return f"{self.conversation}:{self.stamp}"

    @property
    def root(self) -> str:
        """The ``remote_id`` of the message below which an answer to it stands."""
        return f"{self.conversation}:{self.thread or self.stamp}"


class TypedWords:
    """Finds what typed words are about and records them. What is said back is in the person's language."""

    def __init__(self, store: Store, inbox: AnswerInbox) -> None:
        self._store, self._inbox = store, inbox

    def touch(self, person: Person, typed: Typed) -> TouchRecord | None:
        """The card above the thread, else the last one that the person got; ``None`` without either."""
        rows = self._store.touches.of_person(person.id)
        got = [row for row in rows if row.local_date and row.sent_at and row.kind not in BY_HAND]
        named = self._key_in_thread(person, typed, rows) if typed.thread else ""
        here = [row for row in got if row.channel == asked_by(typed.evidence)]
        last = max(here or got, key=lambda row: row.sent_at or row.due_at, default=None)
        return next((row for row in got if row.key == named), last)

    def _key_in_thread(self, person: Person, typed: Typed, rows: Sequence[TouchRecord]) -> str:
        # The thread of a card, of an answer to a question, or of a question that was typed.
        root = next((row.key for row in rows if row.remote_id == typed.root), "")
        asked = self._store.questions.of_person(person.id)
        theirs = (one.key for one in asked if typed.thread in one.stamps or root in self._answer_keys(one.ask.id))
        return next(theirs, root)

    def _answer_keys(self, ask: AskId) -> Iterator[str]:
        return (answer_key(ask, turn) for turn in range(MOST_REPLIES))

    def records(self, card: Card, typed: Typed) -> bool:
        """Whether these words change anything on record: a question, or "got it" where that is asked for."""
        if self._word_of(card, typed) is not None or self._agrees(card, typed):
            return True
        return _friendly(typed.text, self._inbox.lead(card)) == ""

    def take(self, card: Card, typed: Typed) -> str:
        """Records what was typed about this card; returns what is said back, empty where it was taken before.

        Raises ``InputError`` for what is empty or too long.
        """
        if (kind := self._word_of(card, typed)) is not None:
            return self._promised(card, typed, kind)
        if not _friendly(typed.text, self._inbox.lead(card)):
            return self._asked(card, typed)
        return self._agreed(card, typed) if self._agrees(card, typed) else self._thanked(card)

    def _agrees(self, card: Card, typed: Typed) -> bool:
        asked = card.ask == "acknowledge" and not card.answered and bool(typed.thread)
        return asked and _friendly(typed.text, self._inbox.lead(card)) == AGREED

    def _word_of(self, card: Card, typed: Typed) -> AnswerKind | None:
        """What the words say of a commitment, below a message that asks for it."""
        if card.answered or not typed.thread or card.ask not in _PLAIN_WORDS:
            return None
        lead = self._inbox.lead(card)
        return next((kind for kind, words in _PLAIN_WORDS[card.ask] if _says(typed.text, words, lead)), None)

    def _promised(self, card: Card, typed: Typed, kind: AnswerKind) -> str:
        evidence = Evidence("reply", {**typed.by, "press": typed.stamp})
        if self._inbox.overtaken(card, typed.stamp):
            return ""
        if kind == "commit":
            self._inbox.commit(card, "", evidence)
            return _("Thank you. We recorded that you will.")
        self._inbox.keep(card, "", evidence, kept=kind == "kept")
        return _("Thank you. We recorded that it is done.") if kind == "kept" else _(NOT_YET)

    def _asked(self, card: Card, typed: Typed) -> str:
        evidence = Evidence(typed.evidence, typed.by)
        question = self._inbox.hear(card, typed.text, evidence, typed.root, typed.stamp)
        if question.known:
            return ""
        if question.added:
            return _("Added to your question.")
        lead = self._inbox.lead(card)
        if typed.thread:
            text = N_("{lead} has your question and usually answers here within two working days.")
            return _(text, lead=lead.name or lead.email)
        text = N_('{lead} has your question about "{about}" and usually answers here within two working days.')
        return _(text, lead=lead.name or lead.email, about=self._inbox.text(card).key_point)

    def _agreed(self, card: Card, typed: Typed) -> str:
        if self._inbox.overtaken(card, typed.stamp):
            return ""
        self._inbox.got_it(card, Evidence("reply", {**typed.by, "press": typed.stamp}))
        return _("Thank you. We recorded that you got it.")

    def _thanked(self, card: Card) -> str:
        if card.answered or card.ask == "nothing":
            return _("Thank you.")
        if card.ask == "acknowledge":
            return _('Thank you. To confirm the message, press "Got it" on it.')
        if card.ask == "commit":
            return _('Thank you. To say that you will, press "I will" on it.')
        return _("Thank you. To answer, please use the buttons of the message.")

    # -- where nothing was sent -------------------------------------------------------------------

    def whom_to_ask(self, person: Person) -> str:
        """For a person who has got no message yet."""
        record = next((one for one in campaigns_of(self._store, person) if one.state == "running"), None)
        if record is None:
            return _(
                "You have not got a message here yet, so we cannot pass your question on. Please ask your manager."
            )
        lead = SignerLookup(self._store).named(record.plan.owner[0])
        text = N_('You have not got a message here yet. {lead} leads "{title}" and can help: {email}')
        with in_language(self._inbox.language(person, record.id)):
            title = self._inbox.title(person, record)
            return _(text, lead=lead.name or lead.email, title=title, email=lead.email)


def _says(text: str, listed: str, lead: Person) -> bool:
    """Whether the words are some of these, with a thank-you at most."""
    return _friendly(text, lead) != THANKS and _only(_plain(text), _listed(listed) | _listed(THANKS) | _names(lead))


def _plain(text: str) -> str:
    return _SKIN.sub("", text).casefold().replace("’", "'").strip()


def _listed(words: str) -> set[str]:
    return {word.strip().casefold() for given in (words, _(words)) for word in given.split(",")}


def _names(lead: Person) -> set[str]:
    return {lead.first_name.casefold(), lead.name.casefold()} - {""}


def _friendly(text: str, lead: Person) -> str:
    """``AGREED`` or ``THANKS`` where the words say nothing else; empty for everything else."""
    words, agreed, thanks, named = _plain(text), _listed(AGREED), _listed(THANKS), _names(lead)
    if not _only(words, agreed | thanks | named):
        return ""
    return THANKS if _only(words, thanks | named) else AGREED


def _only(words: str, known: set[str]) -> bool:
    each = "|".join(re.escape(word) for word in sorted(known, key=len, reverse=True))
    return bool(re.fullmatch(rf"{_BETWEEN}(?:(?:{each})(?!\w){_BETWEEN})+", words))
