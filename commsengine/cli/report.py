"""``report``: one page about a campaign, for its lead."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from commsengine.cli.arguments import CAMPAIGN
from commsengine.cli.output import json_option, note, show_json, title
from commsengine.cli.workspace import with_workspace
from commsengine.errors import InputError

if TYPE_CHECKING:
    from commsengine.recall.statistics import Share
    from commsengine.reports.campaign_report import MessageView, Report, RoleView
    from commsengine.reports.experiment_arms import ArmView
    from commsengine.reports.recall_curves import Mean
    from commsengine.wiring import Wiring

FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("campaign", type=CAMPAIGN)
@click.option("--out", type=FILE, help="Write the page to this file (default: report-CAMPAIGN.html).")
@click.option("--open", "open_", is_flag=True, help="Open the page in the browser.")
@json_option
@with_workspace
def report(wiring: Wiring, campaign: str, out: Path | None, open_: bool, as_json: bool) -> None:
    """Write one page with plots: what was sent, understood and may still be known.

    It tells of roles. Nobody is named on it, and no group of fewer than ten people is shown.

    Example: commsengine report crm-rollout --out report.html
    """
    from commsengine.reports.campaign_report import report as report_of
    from commsengine.reports.report_html import headline, page

    seen = report_of(wiring.store, campaign, wiring.clock())
    file = out or (None if as_json and not open_ else wiring.folder / f"report-{campaign}.html")
    if file is not None:
        _write(file, page(seen))
    if as_json:
        show_json(as_data(seen))
    else:
        heading, lines = headline(seen)
        title(heading)
        for line in lines:
            click.echo(line)
    if file is not None:
        note(f"The report is in {file}.")
        if open_:
            _open(file)


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{file} cannot be written: {error.strerror}.", "Name another file with --out.") from None


def _open(file: Path) -> None:
    import webbrowser

    webbrowser.open(file.absolute().as_uri())


# -- as data --------------------------------------------------------------------------------------


def as_data(seen: Report) -> dict[str, Any]:
    from commsengine.reports.report_html import headline

    heading, lines = headline(seen)
    return {
        "campaign": seen.campaign, "title": seen.title, "state": seen.state, "at": seen.at,
        "started_at": seen.started_at, "people": seen.people, "headline": [heading, *lines],
        "messages": [_message(message) for message in seen.messages],
        "weeks": [{"start": w.start, "touches": w.touches, "acknowledged": w.acknowledged} for w in seen.weeks],
        "experiment": [_arm(arm) for arm in seen.arms],
    }  # fmt: skip


def _message(message: MessageView) -> dict[str, Any]:
    total, alike = message.total, message.alike
    return {
        "message": message.id, "key_point": message.key_point, "from": message.opens, "until": message.closes,
        "floor": message.floor, "target": message.target, "by": message.by,
        "roles": [_role(role) for role in message.roles],
        "total": None if total is None else {
            "people": total.people, "all_roles": total.all_roles, "reached": total.reached, "touches": total.touches,
            "by_hand": total.by_hand, "acknowledged": total.acknowledged, "understood": _share(total.right),
        },
        "alike": {
            "verdict": alike.verdict, "index": alike.index, "answers": alike.answers, "departments": dict(alike.groups),
            "differ": alike.differ,
        },
    }  # fmt: skip


def _role(role: RoleView) -> dict[str, Any]:
    known = role.shown
    return {
        "role": role.role, "hidden": not known, "people": role.people,
        "reached": role.reached if known else None, "touches": role.touches if known else None,
        "by_hand": role.by_hand if known else None, "acknowledged": role.acknowledged if known else None,
        "understood": _share(role.right),
        "weeks": [{"from": week.since, "until": week.until, **(_share(week.right) or {})} for week in role.weeks],
        "recall": _mean(role.recall), "checks": role.checks if known else None,
        "tested": role.tested if known else None, "ramp": role.ramp if known else None,
        "line": [_mean(point) for point in role.line],
    }  # fmt: skip


def _arm(arm: ArmView) -> dict[str, Any]:
    more = arm.more
    return {
        "arm": arm.name, "people": arm.people, "hidden": arm.messages is None,
        "messages_per_person": None if arm.messages is None else round(arm.messages, 2), "right": _share(arm.right),
        "difference": None if more is None else {
            "share": round(more.value, 3), "low": round(more.low, 3), "high": round(more.high, 3),
        },
    }  # fmt: skip


def _share(share: Share | None) -> dict[str, Any] | None:
    if share is None:
        return None
    return {
        "right": share.count, "answers": share.of, "share": round(share.share, 3), "low": round(share.low, 3),
        "high": round(share.high, 3),
    }  # fmt: skip


def _mean(mean: Mean | None) -> dict[str, Any] | None:
    if mean is None:
        return None
    return {"at": mean.at, "mean": round(mean.mean, 3), "low": round(mean.low, 3), "high": round(mean.high, 3)}
