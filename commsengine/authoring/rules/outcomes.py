"""What a plan is for: outcomes that exist, messages that bring them about, and an experiment that can be judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from commsengine.authoring.draft import Draft
from commsengine.authoring.yaml_parser import YamlPath
from commsengine.cadence.analysis import tried_roles
from commsengine.cadence.experiment import arm_of
from commsengine.cadence.plan import Arm, Experiment, Plan, SupposedEffect
from commsengine.cadence.population import Population
from commsengine.errors import Problem
from commsengine.recall.small_groups import enough
from commsengine.recall.two_arms import power, smallest_lift
from commsengine.text import listed, meant
from commsengine.translation import N_, _

WANTED = 0.8
"""The chance of finding a difference that an experiment is usually made for."""


def outcomes_exist(draft: Draft) -> Iterator[Problem]:
    named: list[tuple[YamlPath, str]] = [
        ((*path, "outcome"), message.outcome) for path, message in draft.messages() if message.outcome
    ]
    experiment = draft.plan.experiment
    named += [(("experiment", "outcome"), experiment.outcome)] if experiment and experiment.outcome else []
    known = draft.names("outcomes")
    for path, name in named:
        if name not in known:
            cause = _("There is no outcome '{name}'.", name=name)
            yield draft.error(path, "unknown_outcome", cause, meant(name, known, N_("outcome")))


def done_says_what(draft: Draft) -> Iterator[Problem]:
    known = draft.names("outcomes")
    for path, message in draft.messages():
        if message.repeat_until != "done" or message.outcome or len(known) == 1:
            continue
        cause = _("'{message}' repeats until it is done, but the plan does not say what.", message=message.id)
        fix = _("Write 'outcomes: {first_call: {title: …, by: go_live + 14d}}'.")
        if known:
            cause = _("'{message}' repeats until it is done, and there are several outcomes.", message=message.id)
            fix = _("Write 'outcome:' with one of {names}.", names=listed(known))
        yield draft.error((*path, "repeat_until"), "done_what", cause, fix)


def outcomes_have_messages(draft: Draft) -> Iterator[Problem]:
    plan = draft.plan
    for name in plan.outcomes:
        if not plan.messages_for(name):
            cause = _("No message is for the outcome '{name}'.", name=name)
            fix = _("Write 'outcome: {name}' in a message.", name=name)
            yield draft.advice(("outcomes", name), "idle_outcome", cause, fix)


def the_day_comes_after(draft: Draft) -> Iterator[Problem]:
    experiment = draft.plan.experiment
    if experiment is None or experiment.day is None:
        return
    by_recall = [message for _path, message in draft.messages() if message.cadence.recall_floor is not None]
    opens = [at for message in by_recall if (at := draft.instant(message.opens))]
    day = draft.instant(experiment.day)
    if day and opens and day <= min(opens):
        known = {"day": f"{day:%Y-%m-%d}", "first": f"{min(opens):%Y-%m-%d}"}
        cause = _("The experiment is judged on {day}, but its first message is sent on {first}.", **known)
        yield draft.error(("experiment", "day"), "early_day", cause, _("Write a later day, such as go_live + 14d."))


def power_is_foretold(draft: Draft, people: Population) -> Iterator[Problem]:
    experiment = draft.plan.experiment
    if experiment is None or experiment.outcome is None:
        return
    for number, arm in enumerate(experiment.arms[1:], 1):
        sizes = arm_sizes(draft.plan, people, number)
        if not sizes:
            cause = _("No role of the experiment has ten people or more, so no difference is ever shown.")
            yield draft.advice(("experiment",), "no_power", cause, _("Join small roles."))
            return
        yield draft.advice(("experiment",), "power", *_foretold(experiment, arm.name, sizes))


def arm_sizes(plan: Plan, people: Population, number: int) -> list[tuple[int, int]]:
    """By role of ten people and more: how many chance has put into the arm of that number, and into the first."""
    assert plan.experiment is not None  # noqa: S101 - asked only of an experiment
    tried = tried_roles(plan)
    roles, arms = Counter[str](), Counter[tuple[str, Arm | None]]()
    for person, role in people.roles(plan):
        if role in tried:
            roles[role] += 1
            arms[role, arm_of(plan, person)] += 1
    one, first = plan.experiment.arms[number], plan.experiment.arms[0]
    return [(arms[role, one], arms[role, first]) for role in roles if enough(roles[role])]


def _foretold(experiment: Experiment, name: str, sizes: Sequence[tuple[int, int]]) -> tuple[str, str]:
    supposed = experiment.suppose or SupposedEffect()
    chance, least = power(sizes, supposed.base, supposed.lift), smallest_lift(sizes, supposed.base, WANTED)
    text = N_(
        "If {base:.0f} in 100 do it with '{first}' and {lift:.0f} more with '{other}', the experiment finds that "
        "with a chance of {chance:.0f} in 100 ({people:,} people in both)."
    )
    known = {"base": supposed.base * 100, "lift": supposed.lift * 100, "chance": chance * 100}
    arms = {"first": experiment.arms[0].name, "other": name, "people": sum(map(sum, sizes))}
    cause = _(text, **known, **arms)
    if chance >= WANTED:
        return cause, _("Nothing needs to be changed.")
    if least is None:
        return cause, _("So few people show no difference at all.")
    return cause, _(
        "A chance of {wanted:.0f} in 100 needs a difference of {least:.0f} or more.",
        least=least * 100,
        wanted=WANTED * 100,
    )


RULES = (outcomes_exist, done_says_what, outcomes_have_messages, the_day_comes_after)
PEOPLE_RULES = (power_is_foretold,)
