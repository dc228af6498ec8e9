"""Who is behind a Slack account: by the ids that are on record, else as Slack says, whose answer is remembered."""

from __future__ import annotations

from typing import Any

import structlog
from slack_bolt import Respond
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from commsengine.cadence.people import Person
from commsengine.channels.slack import IdCache, broken, grid_id_of, refused
from commsengine.errors import CommsError
from commsengine.store.people import People

log = structlog.get_logger(__name__)


class Accounts:
    """In an Enterprise Grid a person has two ids, and a press or a message may come by either."""

    def __init__(self, people: People, ids: IdCache, client: WebClient) -> None:
        self._people, self._ids, self._client = people, ids, client

    def known_as(self, person: Person) -> set[str]:
        # By the rule by which the card was sent: the person's own slack_id, else the one remembered, and beside it the
        # one of a whole Enterprise Grid.
        known = person.slack_id or (self._ids.get(person.email) or ("", ""))[0]
        return {known, self._ids.grid_id(person.email, known)} - {""}

    def asked(self, person: Person) -> set[str]:
        """The ids that Slack names; none where it cannot say."""
        email, own = person.email, person.slack_id
        user, dm = self._ids.get(email) or ("", "")
        known = own or user
        by_id, by_email = ("users_info", {"user": known}), ("users_lookupByEmail", {"email": email})
        method, named = by_id if known else by_email
        found = quietly(self._client, method, **named)
        if not found:
            return set()
        theirs, grid = str(found["user"]["id"]), grid_id_of(found["user"])
        self._ids.put(email, known or theirs, dm if known == user else "", grid)
        return {known, theirs, grid} - {""}

    def person(self, user: str) -> Person | None:
        """``None`` for somebody who is not in the directory. Raises ``CommsError`` where Slack cannot say just now."""
        return self._people.by_slack_id(user) or self._by_email(user)

    def _by_email(self, user: str) -> Person | None:
        try:
            found = self._client.users_info(user=user)["user"]
        except SlackApiError as failure:
            error = refused(failure, marked=False)
            if error.unreachable:
                return None
            raise CommsError(f"Slack does not say who wrote: {error.reply}") from None
        except Exception as failure:  # the SDK has no closed list of what it raises
            raise CommsError(f"Slack does not say who wrote: {broken(failure, marked=False).reply}") from None
        email, theirs, grid = (found.get("profile") or {}).get("email", ""), str(found["id"]), grid_id_of(found)
        person = self._people.by_email(email) if email else None
        if person is None or person.slack_id not in ("", theirs, grid):
            return None
        known = person.slack_id or theirs
        cached, dm = self._ids.get(person.email) or ("", "")
        self._ids.put(person.email, known, dm if cached == known else "", grid)
        return person


def quietly(client: WebClient, method: str, **arguments: Any) -> Any:
    """One call that no answer depends on; a failure is logged, and the result is ``None``."""
    try:
        return getattr(client, method)(**arguments)
    except Exception as error:  # the SDK has no closed list of what it raises
        cause = error.response.get("error") if isinstance(error, SlackApiError) else type(error).__name__
        log.warning("slack_call_failed", method=method, cause=cause)
        return None


def whisper(respond: Respond, text: str | None) -> None:
    """To the one who pressed."""
    try:
        respond(text or "", response_type="ephemeral", replace_original=False)
    except Exception as error:  # as above
        log.warning("slack_call_failed", method="respond", cause=type(error).__name__)
