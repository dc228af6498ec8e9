"""``send-test``: a message for real, to yourself, as a review copy: its buttons and pages work and record nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from commsengine.cli.arguments import CHANNEL, PLAN, consent, yes_option
from commsengine.cli.output import note, say
from commsengine.cli.workspace import with_workspace
from commsengine.errors import CommsError, InputError
from commsengine.translation import N_, _, counted

if TYPE_CHECKING:
    from commsengine.cadence.history import Touch
    from commsengine.cadence.kinds_and_states import ChannelName
    from commsengine.cadence.people import Person
    from commsengine.channels.channel import Outcome
    from commsengine.content.message import RenderedMessage
    from commsengine.planning.plan_on_disk import CheckedPlan
    from commsengine.wiring import Wiring

MOST = 20
"""Messages that ``--all`` sends at once."""


@dataclass(frozen=True, slots=True)
class _Review:
    """What is sent to whom: the plan as this person gets it, by the first of the channels that reaches ``to``."""

    plan: CheckedPlan
    person: Person
    to: str
    channels: Sequence[ChannelName]
    several: bool = False
    language: str | None = None

    def named(self, touch: Touch) -> str:
        """The message at the head of a line, where there are several."""
        return f"{touch.message}: " if self.several else ""

    def tell_of_language(self, wiring: Wiring, key: str) -> None:
        copy = wiring.review_copies.open(key)
        spoken = copy.inbox.spoken(copy.inbox.card(key, wiring.clock())) if copy and self.language else self.language
        if spoken != self.language:
            text = N_("It is in {spoken}, because its texts are not complete in {language}.")
            note(_(text, spoken=spoken, language=self.language))


@click.command("send-test")
@click.argument("plan", type=PLAN)
@click.option("--to", "to", required=True, metavar="EMAIL", help=N_("Who gets it."))
@click.option(
    "--as", "email", metavar="EMAIL", help=N_("As this person would see it (default: the one of --to, else anybody).")
)
@click.option("--role", help=N_("As the first person of this role."))
@click.option("--message", help=N_("This message (default: the first)."))
@click.option(
    "--touch", "number", type=click.IntRange(1), default=1, show_default=True, help=N_("The n-th time that it is sent.")
)
@click.option("--channel", type=CHANNEL, help=N_("By this channel (default: the first that reaches the address)."))
@click.option("--lang", "language", metavar="LANG", help=N_("In this language."))
@click.option("--all", "everything", is_flag=True, help=N_("One of each message."))
@yes_option
@with_workspace
def send_test(
    wiring: Wiring,
    plan: Path,
    to: str,
    email: str | None,
    role: str | None,
    message: str | None,
    number: int,
    channel: ChannelName | None,
    language: str | None,
    everything: bool,
    yes: bool,
) -> None:
    """Send one message of a plan to yourself, to review it. Its buttons and pages work for 30 days and record nothing.

    Example: commsengine send-test schedules/crm-rollout.yaml --to me@example.com
    """
    from commsengine.planning.gallery import Wanted, spoken
    from commsengine.planning.plan_on_disk import checked

    checked_plan = checked(wiring.check(plan))
    channels = _channels(wiring, checked_plan.plan.send.channels, channel)
    spoken(wiring.preview_basis, checked_plan.plan, Wanted(language=language))
    person = _person(checked_plan, to, email, role)
    person = replace(person, language=language) if language else person
    touches = _touches(wiring, checked_plan, person, message, number, everything=everything)
    if everything:
        consent(_("Send {texts} to {to}?", texts=counted(len(touches), "message", "messages"), to=to), yes=yes)
    review = _Review(checked_plan, person, to, channels, len(touches) > 1, language)
    for touch in touches:
        _send(wiring, review, touch)
    _tell_of_pages(wiring)


def _person(checked_plan: CheckedPlan, to: str, email: str | None, role: str | None) -> Person:
    from commsengine.cadence.audience import role_of
    from commsengine.planning.preview import preview_people

    mine = checked_plan.people.find(to)
    if email is None and role is None and mine is not None and role_of(checked_plan.plan, mine) is not None:
        email = mine.email
    return preview_people(checked_plan, email=email, role=role)[0]


def _touches(
    wiring: Wiring,
    checked_plan: CheckedPlan,
    person: Person,
    message: str | None,
    number: int,
    *,
    everything: bool,
) -> list[Touch]:
    """The ``number``-th touch of the first message that has one, or with ``everything`` of each. Raises ``InputError``
    where there is none.
    """
    from commsengine.cadence.kinds_and_states import CARRIED
    from commsengine.planning.preview import touches_of, why_nothing

    basis = wiring.preview_basis
    seen = touches_of(basis, checked_plan, person, message)
    carried = [one.touch for one in seen if one.touch.kind in CARRIED and one.touch.number == number]
    if not carried:
        why = why_nothing(basis, checked_plan, person, message) if message and number == 1 else ""
        text = _("{email} gets no such message.", email=person.email)
        raise InputError(f"{text} {why}".strip(), _("Name another with --message, --touch, --role or --as."))
    firsts = {touch.message: touch for touch in reversed(carried)}
    found = [firsts[name] for name in dict.fromkeys(touch.message for touch in carried)]
    if len(found) > MOST:
        note(_("Only the first {most} of {number} messages are sent.", most=MOST, number=len(found)))
    return found[: MOST if everything else 1]


def _channels(wiring: Wiring, planned: tuple[ChannelName, ...], wanted: ChannelName | None) -> tuple[ChannelName, ...]:
    ready = wiring.settings.credentials
    found = tuple(name for name in ([wanted] if wanted else planned) if name in ready)
    if not found:
        text = _("There are no credentials for {channels}.", channels=wanted or f" {_('or')} ".join(planned))
        raise InputError(text, _("Set COMMSENGINE_SMTP_URL or COMMSENGINE_SLACK_BOT_TOKEN (docs/operations.md)."))
    return found


def _send(wiring: Wiring, review: _Review, touch: Touch) -> None:
    for name, following in zip(review.channels, [*review.channels[1:], None], strict=True):
        key, mail = _copy(wiring, review, replace(touch, channel=name))
        outcome = _deliver(wiring, name, mail)
        if outcome.verdict == "sent":
            wiring.review_copies.sent(key, outcome.remote_id)
            told = {"to": review.to, "channel": name, "email": review.person.email}
            review.tell_of_language(wiring, key)
            say(f"{review.named(touch)}{_('Sent to {to} by {channel}, as {email} would see it.', **told)}")
            return
        wiring.review_copies.drop(key)
        why = _(outcome.unreachable or outcome.channel_down or outcome.reply or outcome.verdict).rstrip(".")
        if following is None or not outcome.unreachable:
            raise CommsError(_("It was not sent: {reason}.", reason=why), _("Run: commsengine doctor"))
        text = N_("{channel} does not reach {to} ({reason}), so it is sent by {next}.")
        note(_(text, channel=name, to=review.to, reason=why, next=following))


def _copy(wiring: Wiring, review: _Review, touch: Touch) -> tuple[str, RenderedMessage]:
    from commsengine.planning.preview import people_in

    people = people_in(wiring.preview_basis, review.plan, review.person)
    made = wiring.review_copies.make
    return made(review.plan.plan, wiring.templates, touch, people, to=review.to, by=wiring.operator)


def _deliver(wiring: Wiring, name: ChannelName, message: RenderedMessage) -> Outcome:
    channel = wiring.channels[name].open()
    try:
        return next(iter(channel.deliver([message], lambda keys: keys)))
    finally:
        channel.close()


def _tell_of_pages(wiring: Wiring) -> None:
    from commsengine.cli.doctor.checks import pages_trouble

    base = wiring.links.base_url
    note(_("It is a review copy: its buttons and pages work for 30 days, and record nothing."))
    if pages_trouble(base):
        text = N_("They open while the engine runs, and {base} does not answer now. Start it: commsengine run")
        note(_(text, base=base))
