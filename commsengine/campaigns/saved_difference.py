"""A difference that one person saves and another applies as it is: one readable file, signed with the workspace's key.

The signature is the last line and covers every letter before it, so that a file which was edited is not read at all.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import LiteralScalarString

from commsengine.cadence.kinds_and_states import CampaignState
from commsengine.cadence.plan import Plan
from commsengine.cadence.population import Population
from commsengine.errors import InputError
from commsengine.store.records import CampaignRecord
from commsengine.translation import N_, _, counted

MARK = "# A saved difference. To apply it as it is: commsengine apply FILE"
"""The first line, by which such a file is told from a plan."""

_SIGNED = "\nsignature: "
_PURPOSE = b"commsengine.saved-difference"


class Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class KnownAudience(Value):
    """Who the plan is for, without their names: how many by role, and a digest that changes with any of them.

    ``file`` is the plan's own people file, relative to the workspace, with its digest; empty without one.
    """

    people: int
    roles: Mapping[str, int]
    digest: str
    file: str = ""
    file_digest: str = ""


class SavedDifference(Value):
    """A checked plan with its templates, and what its difference was when it was saved.

    ``base_version`` is the version in force then, 0 for a new campaign, whose ``state`` is empty. ``source`` has the
    plan file and those beside it with its other languages, relative to the workspace.
    """

    format: Literal[1] = 1
    campaign: str
    base_version: int
    state: CampaignState | Literal[""]
    saved_by: str
    saved_at: AwareDatetime
    correct: bool
    difference: str
    consequences: Sequence[Mapping[str, Any]]
    audience: KnownAudience
    plan_file: str
    source: Mapping[str, str]
    templates: Mapping[str, str]
    plan: Mapping[str, Any]


def known_audience(plan: Plan, people: Population, day: dt.date, file: str = "", content: bytes = b"") -> KnownAudience:
    """That of one day. ``content`` is that of the plan's own people file."""
    lines = sorted(f"{person}\t{role}" for person, role in people.roles(plan, day))
    counts = dict(sorted(Counter(line.partition("\t")[2] for line in lines).items()))
    digest = hashlib.sha256(content).hexdigest() if file else ""
    return KnownAudience(
        people=len(lines), roles=counts, digest=_sha256("\n".join(lines)), file=file, file_digest=digest
    )


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


# -- the file -----------------------------------------------------------------------------------------


def written(saved: SavedDifference, key: str) -> str:
    data = saved.model_dump(mode="json")
    body = _as_yaml(data)
    if (
        _parsed(f"{MARK}\n{body.rstrip()}") != data
    ):  # it has a text that no block can hold: a carriage return, a control
        body = json.dumps(data, indent=1)
    signed = f"{MARK}\n{body.rstrip()}"
    return f"{signed}{_SIGNED}{_signature(signed, key)}\n"


def is_saved(text: str) -> bool:
    return text.startswith(MARK)


def read(text: str, keys: Iterable[str]) -> SavedDifference:
    """Raises ``InputError`` for a file that was changed, or signed with none of ``keys``."""
    body, _signed, signature = text.rpartition(_SIGNED)
    given = signature.strip().encode()
    if not any(hmac.compare_digest(_signature(body, key).encode(), given) for key in keys):
        cause = _("This difference was changed after it was saved, or it was saved in a workspace with another key.")
        raise InputError(cause, _("Do not apply it. Save it again: commsengine apply PLAN --save FILE"))
    try:
        return SavedDifference.model_validate(_parsed(body))
    except ValidationError:
        cause = _("This difference was saved by another version of commsengine.")
        raise InputError(cause, _("Save it again: commsengine apply PLAN --save FILE")) from None


def plan_of(saved: SavedDifference) -> Plan:
    """Raises ``InputError`` where plans have other fields by now."""
    try:
        return Plan.model_validate(saved.plan)
    except ValidationError:
        cause = _("This difference was saved by another version of commsengine.")
        raise InputError(cause, _("Save it again: commsengine apply PLAN --save FILE")) from None


def _signature(text: str, key: str) -> str:
    own = hmac.digest(key.encode(), _PURPOSE, "sha256")
    return hmac.new(own, text.encode(), "sha256").hexdigest()


def _as_yaml(data: Any) -> str:
    yaml, stream = YAML(), io.StringIO()
    yaml.width, yaml.allow_unicode = 1 << 20, True
    yaml.dump(_in_blocks(data), stream)
    return stream.getvalue()


def _in_blocks(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _in_blocks(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_in_blocks(each) for each in value]
    return LiteralScalarString(value) if isinstance(value, str) and "\n" in value else value


def _parsed(signed: str) -> Any:
    body = signed.removeprefix(f"{MARK}\n")
    try:
        return json.loads(body) if body.startswith("{") else YAML(typ="safe", pure=True).load(body)
    except (YAMLError, ValueError):
        return None


# -- what has moved since -------------------------------------------------------------------------------


def refuse_moved(saved: SavedDifference, record: CampaignRecord | None, audience: KnownAudience, day: str) -> None:
    """Raises ``InputError`` with everything that is not as it was on ``day``, when the difference was saved."""
    moved = [*_campaign_moved(saved, record), *_people_moved(saved.audience, audience)]
    if moved:
        text = N_("{by} saved this difference on {day}, and since then something has changed: {moved}")
        fix = _(
            "Look at the new difference and save it again: commsengine apply {plan} --save FILE", plan=saved.plan_file
        )
        raise InputError(_(text, by=saved.saved_by, day=day, moved=" ".join(moved)), fix)


def _campaign_moved(saved: SavedDifference, record: CampaignRecord | None) -> Iterator[str]:
    version, state = (record.version, record.state) if record else (0, "")
    about = {"campaign": saved.campaign, "old": saved.base_version, "new": version}
    if version != saved.base_version:
        yield _("{campaign} had version {old}, and has version {new} now.", **about)
    elif state != saved.state:
        yield _("{campaign} was {old}, and is {new} now.", campaign=saved.campaign, old=_(saved.state), new=_(state))


def _people_moved(old: KnownAudience, new: KnownAudience) -> Iterator[str]:
    if old.file_digest != new.file_digest:
        yield _("{file} has changed.", file=old.file)
    if old.digest == new.digest:
        return
    roles = [name for name in sorted({*old.roles, *new.roles}) if old.roles.get(name, 0) != new.roles.get(name, 0)]
    for role in roles:
        about = {
            "role": role,
            "old": old.roles.get(role, 0),
            "new": counted(new.roles.get(role, 0), "person", "people"),
        }
        yield _("Role {role}: {old:,} before, {new} now.", **about)
    if not roles:
        yield _("The same number of people, but not the same people, are in the roles.")
