"""``init``: a workspace to start from."""

from __future__ import annotations

import json
import re
import secrets
import shlex
from datetime import timedelta
from pathlib import Path
from string import Template

import click

from commsengine.cli import starter_files
from commsengine.cli.output import write
from commsengine.errors import InputError
from commsengine.translation import _


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
def init(folder: Path) -> None:
    """Make a workspace: a plan, people, templates and settings to start from.

    Files that are there already are left as they are.

    Example: commsengine init crm-rollout
    """
    _refuse_inside(folder)
    campaign = _campaign(folder)
    files = _files(campaign)
    kept = [name for name in files if (folder / name).exists()]
    for name, text in files.items():
        if name not in kept:
            write(folder / name, text, _("Name a folder you may write to."), folders=True)
    for name in kept:
        click.echo(f"{_('kept'):<8} {folder / name}", err=True)
    click.echo(_("The workspace is in {folder}. Next:", folder=folder.absolute()))
    if folder.absolute() != Path.cwd():
        click.echo(f"  cd {shlex.quote(str(folder))}")
    click.echo(f"  commsengine people import people.csv\n  commsengine check schedules/{campaign}.yaml")


def _refuse_inside(folder: Path) -> None:
    """Raises ``InputError`` for a folder inside of a workspace, unless it is one itself."""
    around = next((each for each in folder.absolute().parents if _is_workspace(each)), None)
    if around is None or _is_workspace(folder.absolute()):
        return
    text = _("{folder} would be inside the workspace {around}.", folder=folder, around=around)
    fix = _("One workspace holds any number of plans: write another into schedules/. Or name a folder elsewhere.")
    raise InputError(text, fix)


def _is_workspace(folder: Path) -> bool:
    return (folder / "schedules").is_dir() and any((folder / name).exists() for name in (".env", "workspace.yaml"))


def _campaign(folder: Path) -> str:
    # From the folder's name, which the author chose.
    return re.sub(r"[^a-z0-9]+", "-", folder.absolute().name.lower()).strip("-")[:64] or "first-campaign"


def _files(campaign: str) -> dict[str, str]:
    from commsengine.authoring.json_schema import plan_schema
    from commsengine.channels.slack_manifest import MANIFEST
    from commsengine.wiring import now

    today = now().date()
    plan = Template(starter_files.PLAN).substitute(
        campaign=campaign, kickoff=today.isoformat(), go_live=(today + timedelta(days=42)).isoformat()
    )
    return {
        f"schedules/{campaign}.yaml": plan,
        "people.csv": starter_files.PEOPLE,
        "workspace.yaml": starter_files.WORKSPACE,
        "message_templates/README": starter_files.TEMPLATES,
        "plan.schema.json": json.dumps(plan_schema(), indent=2, ensure_ascii=False) + "\n",
        "slack-manifest.json": json.dumps(MANIFEST, indent=2) + "\n",
        ".env": Template(starter_files.ENVIRONMENT).substitute(key=secrets.token_hex(32)),
        ".gitignore": starter_files.GITIGNORE,
    }
