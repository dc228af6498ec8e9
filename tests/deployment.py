"""The compose file of ``deploy/``, as the suite reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

DEPLOY = Path(__file__).parents[1] / "deploy"
COMPOSE = YAML(typ="safe").load(DEPLOY / "compose.yaml")
SETTINGS: dict[str, str] = COMPOSE["x-settings"]


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = COMPOSE["services"]
    return found


def command(service: str) -> list[str]:
    return list(services()[service]["command"])
