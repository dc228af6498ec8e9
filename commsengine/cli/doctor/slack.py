"""Whether Slack takes messages from us, in which workspaces, and whom of the directory it has there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from commsengine.cli.doctor.finding import TIMEOUT, Finding, note, ok, problem
from commsengine.cli.output import n_people, when_where
from commsengine.cli.workspace import zone_of
from commsengine.translation import N_, _, counted

if TYPE_CHECKING:
    from commsengine.channels.channel import DeliveryError
    from commsengine.wiring import Wiring

HISTORY = "im:history"
MOST_NAMED = 10


def slack(wiring: Wiring) -> Iterator[Finding]:
    settings = wiring.settings
    if not settings.slack_token:
        yield note(_("Not set up: nothing is sent to Slack."))
        return
    from commsengine.channels.channel import DeliveryError
    from commsengine.channels.slack_users import SlackUsers

    users = SlackUsers(
        settings.slack_token, wiring.store.slack_workspaces, api_url=settings.slack_api_url, timeout=TIMEOUT
    )
    try:
        answer = users.call("auth.test")
        covered = users.covered(answer.data)
    except DeliveryError as error:
        yield _refused(error)
        return
    team, user = answer.data.get("team", _("the workspace")), answer.data.get("user", _("the app"))
    look = _("To see whether its Messages Tab is on: commsengine doctor --slack-dm EMAIL")
    yield ok(_("Connected to {team} as {user}.", team=team, user=user), look)
    yield from _scopes(str(answer.headers.get("x-oauth-scopes", "")))
    yield from _workspaces(answer.data, covered)
    yield from _found(wiring, users.hashed_token)
    if not (settings.slack_app_token or settings.slack_signing_secret):
        fix = _("Set COMMSENGINE_SLACK_APP_TOKEN (Socket Mode) or COMMSENGINE_SLACK_SIGNING_SECRET (HTTP).")
        yield note(_("Buttons do not work yet; the links in the messages do."), fix)


def _scopes(granted: str) -> Iterator[Finding]:
    if not granted:
        return
    from commsengine.channels.slack_manifest import MANIFEST, scopes_of

    scopes = {scope.strip() for scope in granted.split(",")}
    if missing := sorted({*scopes_of(MANIFEST)} - scopes - {HISTORY}):
        text = _("Scopes are missing: {scopes}.", scopes=", ".join(missing))
        yield problem(text, _("Use slack-manifest.json of init."))
    if HISTORY not in scopes:
        text = _(
            "Without the scope {scope} it cannot be found out whether an uncertain message arrived.", scope=HISTORY
        )
        yield note(text, _("Add it to the app and install it again."))


def _workspaces(us: Mapping[str, Any], covered: Mapping[str, str]) -> Iterator[Finding]:
    names = _named(sorted(covered.values()))
    if us.get("is_enterprise_install"):
        number = counted(len(covered), "workspace", "workspaces")
        yield ok(
            _("The app is installed in a whole organisation and reaches {number}: {names}.", number=number, names=names)
        )
    elif us.get("enterprise_id"):
        text = N_(
            "The app is installed in {names} alone; people of the organisation's other workspaces get nothing in Slack."
        )
        fix = _("Let an administrator of the organisation install it for all, and take the token of that installation.")
        yield note(_(text, names=names), fix)
    else:
        yield ok(_("It reaches one workspace, {names}. People of another one get the next channel.", names=names))


def _found(wiring: Wiring, token: str) -> Iterator[Finding]:
    book = wiring.store.slack_workspaces
    read = [each for each in book.of(token) if each.finished_at]
    for each in book.of(token):
        if each.trouble:
            from commsengine.channels.slack_refusals import remedy_of

            text = N_("The list of users cannot be read: {why}. Addresses are looked up one by one, 50 a minute.")
            yield problem(_(text, why=each.trouble), _(remedy_of(each.trouble)))
    if not read:
        yield note(_("The list of users has not been read yet; the engine reads it before the first message."))
        return
    at = when_where(zone_of(wiring), min(each.finished_at for each in read if each.finished_at))
    found, people = sum(book.found().values()), book.people()
    text = N_("Of {people} in the directory, {found} are on Slack (read {instant}).")
    yield ok(_(text, people=n_people(people), found=found, instant=at))
    if gone := book.deactivated():
        one, many = "person of the directory is", "people of the directory are"
        fix = _("If they have left, write it into people.csv (column left). Nothing was changed.")
        text = N_("{people} deactivated in Slack: {names}.")
        yield note(_(text, people=counted(len(gone), one, many), names=_named(gone)), fix)


def _named(names: list[str]) -> str:
    more = [_("{number} more", number=len(names) - MOST_NAMED)] if len(names) > MOST_NAMED else []
    return ", ".join([*names[:MOST_NAMED], *more])


def slack_dm(wiring: Wiring, email: str) -> Iterator[Finding]:
    """Sends one real message and reads it back."""
    from commsengine.channels.channel import DeliveryError
    from commsengine.channels.slack_trial import Trial

    settings = wiring.settings
    if not settings.slack_token:
        yield problem(_("Slack is not set up."), _("Set COMMSENGINE_SLACK_BOT_TOKEN."))
        return
    trial = Trial(settings.slack_token, api_url=settings.slack_api_url, timeout=TIMEOUT)
    person = wiring.store.people.by_email(email)
    text = _("This is a test of commsengine. There is nothing to do.")
    try:
        sent = trial.send(email, person.slack_id if person else "", text)
        yield ok(_("Slack took a message to {person}: conversation {place}.", person=email, place=sent.conversation))
        arrived = trial.arrived(sent)
    except DeliveryError as error:
        yield _refused(error, email)
        return
    if arrived:
        yield ok(_("It was read back from that conversation."))
    else:
        fix = _(
            "Look into the app's Messages tab in Slack. If nothing is there, ask the administrator of the workspace."
        )
        yield problem(_("Slack took it, and does not show it in that conversation."), fix)


def _refused(error: DeliveryError, email: str = "") -> Finding:
    from commsengine.channels.slack_refusals import remedy_of

    if error.unreachable:
        fix = _("Write the address that this person has in Slack, or their member ID in people.csv (column slack_id).")
        return problem(_("{person} is not on Slack: {why}.", person=email, why=error.reply), fix)
    return problem(_("Slack does not accept us: {why}.", why=error.reply), _(remedy_of(error.reply)))
