"""The logger that Slack's libraries are given: they log whole requests, with names, texts and tokens."""

from __future__ import annotations

import logging

quiet = logging.getLogger("commsengine.slack_bolt")
quiet.addHandler(logging.NullHandler())
quiet.propagate = False
quiet.setLevel(logging.CRITICAL)
