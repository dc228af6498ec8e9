"""Whether what a plan asks of memory can be had, and whether anything will tell how well it went."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from commsengine.authoring.draft import Draft, planned
from commsengine.authoring.yaml_parser import YamlPath
from commsengine.cadence.experiment import arm_of
from commsengine.cadence.plan import Message, Workspace
from commsengine.cadence.population import Population
from commsengine.errors import Problem
from commsengine.recall.small_groups import FEWEST, enough
from commsengine.text import listed
from commsengine.translation import N_, _

LOWEST, HIGHEST = 0.30, 0.40
"""Floors that re-reading can keep, in simulation."""

HIGHEST_TARGET = 0.65


def recall_can_be_had(draft: Draft) -> Iterator[Problem]:
    for path, message in draft.messages():
        floor = message.cadence.recall_floor
        if floor is not None:
            yield from _floor(draft, (*path, "cadence", "recall_floor"), floor)
            yield from _target(draft, path, message, floor)


def _floor(draft: Draft, path: YamlPath, floor: float) -> Iterator[Problem]:
    if floor > HIGHEST:
        too_high = N_("Three messages a week cannot keep 'recall_floor: {floor:g}'; repeating alone is not enough.")
        fix = _("Write {lowest:g} to {highest:g}, and let people use it.", lowest=LOWEST, highest=HIGHEST)
        yield draft.advice(path, "high_floor", _(too_high, floor=floor), fix)
    if floor < LOWEST:
        cause = _("'recall_floor: {floor:g}' lets most people forget it before the next message.", floor=floor)
        fix = _("Write {lowest:g} to {highest:g}.", lowest=LOWEST, highest=HIGHEST)
        yield draft.advice(path, "low_floor", cause, fix)


def _target(draft: Draft, path: YamlPath, message: Message, floor: float) -> Iterator[Problem]:
    cadence, where = message.cadence, (*path, "cadence", "target")
    if cadence.target is not None and cadence.target <= floor:
        cause = _("'target: {target:g}' is not above 'recall_floor: {floor:g}'.", target=cadence.target, floor=floor)
        yield draft.error(where, "target_below_floor", cause, _("Write a higher 'target', or leave it out."))
    if cadence.target is not None and cadence.target > HIGHEST_TARGET:
        cause = _("'target: {target:g}' is more than messages alone can bring.", target=cadence.target)
        fix = _("Write {most:g} at most; more needs people who use it, and courses.", most=HIGHEST_TARGET)
        yield draft.advice(where, "high_target", cause, fix)
    if (cadence.target is None) != (cadence.by is None):
        lacking, there = ("target", "by") if cadence.target is None else ("by", "target")
        cause = _("'{key}' has no effect without '{lacking}'.", key=there, lacking=lacking)
        yield draft.error((*path, "cadence", there), "half_a_target", cause, _("Write both: target: 0.60, by: go_live"))
    if cadence.by is not None:
        by, opens, closes = (draft.instant(moment) for moment in (cadence.by, message.opens, message.closes))
        if by and opens and closes and not opens < by <= closes:
            day, first, last = (f"{at:%Y-%m-%d}" for at in (by, opens, closes))
            cause = _("'by' ({day}) is later than 'until' of '{message}'.", day=day, message=message.id)
            fix = _("Write a moment up to {day}, or close the message later.", day=last)
            if by <= opens:
                cause = _("'by' ({day}) is not later than 'from' of '{message}'.", day=day, message=message.id)
                fix = _("Write a moment after {day}, or open the message sooner.", day=first)
            yield draft.error((*path, "cadence", "by"), "target_outside", cause, fix)


def somebody_asks(draft: Draft) -> Iterator[Problem]:
    # Without a question the estimate is never tested.
    for path, message in draft.messages():
        asked = [check for check in message.checks if not check.transfer]
        if message.cadence.recall_floor is not None and not asked:
            cause = _("'{id}' has 'recall_floor', but no question shows how well it is remembered.", id=message.id)
            fix = _("Write 'checks': one or two questions with their answers.")
            yield draft.advice((*path, "cadence", "recall_floor"), "no_checks", cause, fix)
        if message.repeat_until == "recalled" and not asked:
            cause = _("'{message}' repeats until it is recalled, but people are never asked.", message=message.id)
            yield draft.error((*path, "repeat_until"), "never_recalled", cause, _("Write 'checks', or another end."))


def kinds_of_checks(draft: Draft) -> Iterator[Problem]:
    for path, message in draft.messages():
        yield from _one_of_each(draft, path, message)
        transfers = [place for place, check in enumerate(message.checks) if check.transfer]
        if transfers and message.ask == "check" and len(transfers) == len(message.checks):
            cause = _("'{id}' has one check, and it is asked only at the end.", id=message.id)
            fix = _("Write another check without 'transfer', or another 'ask'.")
            yield draft.error((*path, "checks", transfers[0], "transfer"), "nothing_to_ask", cause, fix)
        if transfers and (planned(draft, message) == 1 or message.repeat_until == "acknowledged"):
            cause = _("'{id}' ends before its last question can be asked.", id=message.id)
            fix = _("Give it two 'times' at least and 'repeat_until: end', or leave out 'transfer'.")
            yield draft.error((*path, "checks", transfers[0], "transfer"), "no_end_to_wait_for", cause, fix)


def _one_of_each(draft: Draft, path: YamlPath, message: Message) -> Iterator[Problem]:
    both = [place for place, check in enumerate(message.checks) if check.baseline and check.transfer]
    for place in both:
        cause = _("A check cannot be asked at the start and be new at the end.")
        fix = _("Leave out 'baseline' or 'transfer'.")
        yield draft.error((*path, "checks", place, "transfer"), "first_and_last", cause, fix)
    for kind in ("baseline", "transfer"):
        of_kind = [place for place, check in enumerate(message.checks) if getattr(check, kind) and place not in both]
        for place in of_kind[1:]:
            cause = _(
                "'{id}' has two checks with '{kind}', but one message asks one question.", id=message.id, kind=kind
            )
            fix = _("Keep '{kind}' in one of them.", kind=kind)
            yield draft.error((*path, "checks", place, kind), f"two_of_{kind}", cause, fix)


def fits_the_mode(draft: Draft, workspace: Workspace) -> Iterator[Problem]:
    """What the plan asks of recall, beside what ``workspace.yaml`` lets dates follow."""
    for path, message in draft.messages():
        where = (*path, "cadence", "recall_floor")
        if message.repeat_until == "recalled" and message.checks:
            yield _ends_by_answer(draft, (*path, "repeat_until"), message, workspace)
        if message.cadence.recall_floor is None:
            continue
        if workspace.recall == "person" and message.checks:
            cause = _(
                "With 'recall: person' the dates of '{id}' follow each person's answers, and hint at them.",
                id=message.id,
            )
            fix = _("Leave 'recall' out of workspace.yaml: then the dates follow the role.")
            yield draft.advice(where, "dates_tell", cause, fix)
        if workspace.recall == "off":
            cause = _("With 'recall: off' in workspace.yaml '{id}' comes every 72 hours.", id=message.id)
            yield draft.advice(where, "recall_off", cause, _("Write 'every' and 'times', and you choose them."))


def _ends_by_answer(draft: Draft, path: YamlPath, message: Message, workspace: Workspace) -> Problem:
    if workspace.recall == "person":
        cause = _("'{id}' ends for those who answered right, so its dates show who they are.", id=message.id)
        fix = _("Write 'cadence: {recall_floor: 0.35}' instead: people who know it get it less often.")
        return draft.advice(path, "tells_right", cause, fix)
    cause = _("'{id}' would end for those who answered right, and so show who they are.", id=message.id)
    fix = _("Write another end, or 'recall: person' in workspace.yaml.")
    return draft.error(path, "shows_who_was_right", cause, fix)


def _asks_for_recall(written: object) -> bool:
    # The author meant it to repeat by recall, also where the floor itself is at fault.
    cadence = written.get("cadence") if isinstance(written, Mapping) else None
    return isinstance(cadence, Mapping) and "recall_floor" in cadence


def experiments_try_something(draft: Draft) -> Iterator[Problem]:
    experiment = draft.plan.experiment
    if experiment is None:
        return
    if not any(_asks_for_recall(message) for message in draft.written.get("messages") or ()):
        cause = _("The experiment needs a message with 'recall_floor', and there is none.")
        fix = _("Give a message 'recall_floor', or leave it out.")
        yield draft.error(("experiment",), "idle_experiment", cause, fix)
    if all(arm.every is not None for arm in experiment.arms):
        cause = _("No arm of the experiment is 'recall'.")
        yield draft.advice(("experiment", "arms"), "no_recall_arm", cause, _("Write for example: [recall, every: 48h]"))


def arms_can_be_shown(draft: Draft, people: Population) -> Iterator[Problem]:
    # Chance deals by the person's id, so each arm's size is known already.
    plan = draft.plan
    if plan.experiment is None:
        return
    by_recall = [message for message in plan.messages if message.cadence.recall_floor is not None]
    roles = {role for message in by_recall for role in draft.roles_of(message)}
    arms = Counter(arm_of(plan, person) for person, role in people.roles(plan) if role in roles)
    small = [arm.name for arm in plan.experiment.arms if not enough(arms[arm])]
    if arms and small:
        cause = _(
            "Fewer than {few} people are drawn for {arms}; results of so few are not shown.",
            few=FEWEST,
            arms=listed(small, "and"),
        )
        fix = _(
            "Raise 'share', or name fewer arms: {number} people get a message with 'recall_floor'.", number=arms.total()
        )
        yield draft.advice(("experiment",), "small_arm", cause, fix)


RULES = (recall_can_be_had, somebody_asks, kinds_of_checks, experiments_try_something)
PEOPLE_RULES = (arms_can_be_shown,)
