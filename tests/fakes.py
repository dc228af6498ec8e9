"""First-class stand-ins: a channel that remembers what it carried, a renderer that writes notes, a clock to set."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from commsengine.cadence.history import Touch
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Plan
from commsengine.cadence.told import Told, as_told
from commsengine.channels.channel import RELEASED, SENT, Mark, Outcome
from commsengine.content.digest_facts import DigestFacts, ReviewFacts
from commsengine.content.message import RenderedMessage, WrittenBody
from commsengine.content.person_values import Signers
from commsengine.content.talking_points import Part, TalkingPoints
from commsengine.engine.sending.senders import ChannelSetup, ready_at_once
from commsengine.errors import RenderError
from commsengine.translation import ENGLISH

Script = Callable[[RenderedMessage], Outcome | None]
"""What becomes of a message after its mark; ``None`` means it arrives."""


class Clock:
    """Stands still until it is set."""

    def __init__(self, now: dt.datetime) -> None:
        self.now = now

    def __call__(self) -> dt.datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)

    def forward(self, **span: float) -> None:
        self.now += dt.timedelta(**span)


@dataclass
class Mailbag:
    """Where everything ends that fake channels carry; ``tried`` also holds what did not arrive."""

    arrived: list[RenderedMessage] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def to(self) -> list[str]:
        return sorted(message.to_email for message in self.arrived)


class FakeChannel:
    """Marks each message on its own, then does what the script says."""

    def __init__(self, name: str, bag: Mailbag, script: Script, before_mark: Callable[[RenderedMessage], None]) -> None:
        self.name, self._bag, self._script, self._before_mark = name, bag, script, before_mark

    def deliver(self, messages: Sequence[RenderedMessage], mark: Mark) -> Iterator[Outcome]:
        for message in messages:
            self._before_mark(message)
            if message.key not in mark([message.key]):
                yield Outcome(message.key, RELEASED, begun=False)
                continue
            with self._bag.lock:
                self._bag.tried.append(message.key)
            outcome = self._script(message) or Outcome(message.key, SENT, "reply", "250 ok", remote_id="q1")
            if outcome.verdict == SENT:
                with self._bag.lock:
                    self._bag.arrived.append(message)
            yield outcome

    def close(self) -> None:
        """Nothing is held open."""


def arrives(message: RenderedMessage) -> None:
    del message


def a_channel(
    bag: Mailbag,
    script: Script = arrives,
    *,
    name: str = "email",
    before_mark: Callable[[RenderedMessage], None] = arrives,
    threads: int = 1,
    per_minute: float | None = None,
    prepare: Callable[[dt.datetime], float] = ready_at_once,
) -> ChannelSetup:
    return ChannelSetup(lambda: FakeChannel(name, bag, script, before_mark), threads, per_minute, prepare)


@dataclass(frozen=True)
class Scribe:
    """Writes a note instead of a letter; what it writes is not what these tests are about."""

    plan: Plan
    templates: Mapping[str, str] = field(default_factory=dict)

    def language(self, person: Person, message: str = "", *roles: str) -> str:
        del message, roles
        return person.language or ENGLISH

    def language_about(self, messages: Sequence[str], roles: Sequence[str], person: Person) -> str:
        del messages, roles
        return self.language(person)

    def language_of_all(self, person: Person) -> str:
        return self.language(person)

    def in_language(self, language: str) -> Scribe:
        del language
        return self

    @property
    def words(self) -> Plan:
        return self.plan

    def touch(self, touch: Touch, person: Person, cast: Signers, replies: object = ()) -> RenderedMessage:
        if person.name == "Unwritable":
            raise RenderError("no such name in the template")
        return RenderedMessage(
            key=touch.key, campaign=touch.campaign, campaign_title=self.plan.title, channel=touch.channel,
            to_email=person.email, to_name=person.name, slack_id=person.slack_id, sender_name=cast.lead.email,
            reply_to=cast.lead.email, subject=touch.message, body=WrittenBody(f"{touch.message} {touch.number}"),
            blocks=(), date=touch.due_at, named=str(Told(dates=self._dates(touch.message))),
        )  # fmt: skip

    def _dates(self, message: str) -> dict[str, str]:
        key_point = self.plan.message(message).key_point
        return {name: as_told(one) for name, one in self.plan.milestones.items() if f"milestones.{name}" in key_point}

    def talking_points(
        self,
        messages: str | Sequence[str],
        role: str,
        person: Person,
        cast: Signers,
        tried: Sequence[str] = (),
        to_do: Sequence[str] = (),
    ) -> TalkingPoints:
        if person.name.startswith("Unspeakable"):
            raise RenderError("no such column")
        about = f"Ask {person.first_name} about {', '.join([messages] if isinstance(messages, str) else messages)}."
        return TalkingPoints(about, (Part("Ask", (about,)),))

    def digest(self, lead: Person, facts: DigestFacts, channel: str = "email") -> RenderedMessage:
        return self._note(lead, facts, channel, facts.fields()["headline"])

    def review(
        self, lead: Person, key: str, said: ReviewFacts, now: dt.datetime, channel: str, url: str
    ) -> RenderedMessage:
        del url
        return self._note(lead, DigestFacts(key, now), channel, said.headline)

    def manager_list(self, manager: Person, lead: Person, facts: DigestFacts, channel: str) -> RenderedMessage:
        return self._note(manager, facts, channel, f"for {lead.email}: {', '.join(call.name for call in facts.calls)}")

    def _note(self, to: Person, facts: DigestFacts, channel: str, subject: str) -> RenderedMessage:
        """All that the facts tell, a line each."""
        news = [*facts.troubles, *facts.overdue, *facts.commitments, *facts.calls, *facts.questions, *facts.answers]
        news += [*facts.chosen, *([facts.all_answers] if facts.all_answers else [])]
        told = [*news, *facts.recorded, *facts.numbers, *facts.held, *facts.figures]
        return RenderedMessage(
            key=facts.key, campaign=self.plan.campaign, campaign_title=self.plan.title, channel=channel,
            to_email=to.email, to_name=to.name, slack_id=to.slack_id, sender_name="", reply_to="",
            subject=subject, body=WrittenBody("\n".join(map(str, told))), blocks=(), date=facts.at,
        )  # fmt: skip
