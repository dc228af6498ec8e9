"""The plan's format as JSON Schema, so that an editor completes keys and marks slips while the author types."""

from __future__ import annotations

from typing import Any

from commsengine.cadence.plan import Plan
from commsengine.translation import N_, _

_TEXTS = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
_DESCRIPTIONS = {
    "campaign": N_("the id of the campaign; never used again once cancelled"),
    "title": N_("what people read as its name"),
    "language": N_("the language of the plan's texts, such as en; the workspace's when left out"),
    "owner": N_("one or several e-mail addresses; they get the follow-up list"),
    "sponsor": N_("an e-mail address, or email and in_audience; the last step, which only the owner can take"),
    "optional": N_("whether people may leave the whole campaign"),
    "on_uncertain": N_(
        "what to do when it is not known whether a message arrived: send it again, or wait for a person"
    ),
    "milestones": N_("named dates the plan is anchored to; they may move"),
    "firm": N_("false while only the week is planned: texts say 'planned for the week of'"),
    "corrects": N_(
        "the message that was wrong: it is not sent any more, and people who got it get this one as a correction"
    ),
    "phases": N_("parts of the campaign with one small goal and a measure, in the order of time"),
    "audience": N_("who the campaign is for"),
    "send": N_("how and when messages are sent"),
    "wiifm": N_("what is in it for each role"),
    "messages": N_("the key points, each repeated"),
    "follow_up": N_("what follows when there is no answer, in order"),
    "experiment": N_("two or more cadences for messages with recall_floor, assigned by chance within each role"),
    "check_every": N_("after the first message, every n-th one asks a question; 1 is every message"),
    "baseline": N_("also asked before the message says anything"),
    "transfer": N_("asked only with the last message"),
    "outcomes": N_("what people should do in the end: something that others can see"),
    "outcome": N_("the outcome that it is for: a name of 'outcomes'"),
    "day": N_("the last day on which the outcome counts"),
    "suppose": N_("what 'check' assumes when it estimates the experiment's power: base, and lift above it"),
    "arms": N_("recall, or every: and a span"),
    "share": N_("the share of people who take part; the others get the plan as it is"),
    "hold_out": N_("the share of checks, 0.1 to 0.2, from which nothing is learned"),
    "text": N_("what the message says beside its key point; texts of a list take turns"),
    "to": N_("the roles it is for; all of them when left out"),
    "key_point": N_("the one thing people should remember, in one sentence"),
    "from": N_("when it begins"),
    "until": N_("when it ends (not included)"),
    "sender": N_("in whose name: personal impact comes from one's manager, business reasons from the sponsor"),
    "managers_first": N_("how many working days before their people managers get it, with what their people will see"),
    "cadence": N_("when it repeats: 'every' with 'times', or 'recall_floor'"),
    "ask": N_("what people are asked for"),
    "because": N_("the reason, told to people"),
    "in_audience": N_("whether the sponsor also gets what the audience gets; false when left out"),
    "choices": N_("what to choose from: answers, things to put in order, or appointments"),
    "reply_by": N_("how long people have, in their working days"),
    "people": N_("a people file beside the plan; without it, everybody in the directory"),
    "roles": N_("the first that matches a person, in this order"),
    "template": N_("the name of a message template"),
    "link": N_("where to read more; begins with https://"),
    "reach": N_("what the phase is measured by: for a message, the share of people"),
    "gate": N_("true: messages that begin after this phase wait until the lead opens the gate"),
    "commit": N_("what people say they will do; on the day 'by' they are asked once whether it is done"),
    "about": N_("what a check asks about: why, role, goal, procedure or skill"),
}


def plan_schema() -> dict[str, Any]:
    """JSON Schema of a plan file, for editors. What concerns several fields only ``check`` finds."""
    schema = Plan.model_json_schema(by_alias=True, mode="validation")
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "commsengine plan"}
    kinds = schema["$defs"]
    del schema["properties"]["translations"]  # they stand in files beside the plan
    kinds["Milestone"] = {"anyOf": [{"type": "string", "examples": ["2027-03-15"]}, kinds["Milestone"]]}
    kinds["PlannedCommitment"] = {"anyOf": [{"type": "string"}, kinds["PlannedCommitment"]]}
    kinds["Role"] = _role(kinds["Role"])
    kinds["Sponsor"] = {"anyOf": [{"type": "string", "examples": ["sam@example.com"]}, kinds["Sponsor"]]}
    kinds["Arm"] = {"anyOf": [{"const": "recall"}, kinds["Arm"]]}
    for kind in (schema, *kinds.values()):
        _describe(kind)
    return schema


def _role(kind: dict[str, Any]) -> dict[str, Any]:
    # Authors write the columns beside is_manager and rest, not below a key of their own.
    properties = {name: rule for name, rule in kind["properties"].items() if name != "columns"}
    return {**kind, "properties": properties, "additionalProperties": _TEXTS}


def _describe(kind: dict[str, Any]) -> None:
    for name, rule in kind.get("properties", {}).items():
        if name in _DESCRIPTIONS:
            rule["description"] = _(_DESCRIPTIONS[name])
        if name in ("owner", "to") or (name == "text" and rule.get("type") == "array"):
            kind["properties"][name] = {**_TEXTS, "description": _(_DESCRIPTIONS[name])}
