"""Secrets do not belong in files that are mailed around and kept for years: they are found, and never shown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from commsengine.errors import Problem
from commsengine.text import place_of
from commsengine.translation import N_, _

_SECRETS = (
    (N_("a Slack token"), r"\bxox[abeoprs](?:\.xox[bp])?-[A-Za-z0-9-]{6,}"),
    (N_("a Slack app token"), r"\bxapp-[A-Za-z0-9-]{6,}"),
    (N_("a Slack webhook"), r"hooks\.slack\.com/services/[A-Za-z0-9/]{8,}"),
    (N_("a SendGrid key"), r"\bSG\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"),
    (N_("a private key"), r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    (N_("an AWS key"), r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    (N_("a GitHub token"), r"\b(?:gh[opusr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})"),
    (N_("an API key"), r"\bsk[-_](?:live[-_]|proj-|ant-)?[A-Za-z0-9_-]{20,}"),
    (N_("a password in an address"), r"\b[a-z][a-z0-9+.-]*://[^\s/:@'\"]+:[^\s/@'\"]+@"),
)
_ANY = re.compile("|".join(f"(?:{pattern})" for _name, pattern in _SECRETS))


def leaks(file: str, source: str) -> list[Problem]:
    fix = _(
        "Take it out, put it in .env or the environment, and make a new one where it came from: others may know it."
    )
    return [
        Problem(file, *place_of(source, found.start()), "secret", _("This looks like {secret}.", secret=_(name)), fix)
        for name, pattern in _SECRETS
        for found in re.finditer(pattern, source)
    ]


def masked(problems: Iterable[Problem]) -> list[Problem]:
    # A message may quote what the author wrote, secrets included.
    return [replace(p, message=_ANY.sub("***", p.message), fix=_ANY.sub("***", p.fix)) for p in problems]
