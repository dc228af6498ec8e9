"""Where the files lie that come with the program. ``--help`` names them, so nothing heavy is loaded here."""

from __future__ import annotations

from pathlib import Path


def shipped_folder(name: str = "message_templates") -> Path:
    # It lies inside an installed package, or beside it in a checkout.
    package = Path(__file__).resolve().parents[1]
    installed = package / name
    return installed if installed.is_dir() else package.parent / name
