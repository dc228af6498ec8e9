"""One real message in Slack, sent and read back, to see whether the app can reach people."""

from __future__ import annotations

from dataclasses import dataclass

from commsengine.channels import slack
from commsengine.channels.slack_users import SlackApi


@dataclass(frozen=True, slots=True)
class TrialMessage:
    """Where Slack says it is."""

    conversation: str
    ts: str


class Trial:
    """``timeout`` is in seconds, for each request. Both methods raise ``DeliveryError``."""

    def __init__(self, token: str, *, api_url: str = slack.API_URL, timeout: float = 30.0) -> None:
        self._api = SlackApi(token, api_url, timeout)

    def send(self, email: str, user: str, text: str) -> TrialMessage:
        """Without a ``user`` id the address is looked up."""
        if not user:
            found = self._api.call("users.lookupByEmail", email=email).data.get("user")
            user = str(found.get("id", "")) if isinstance(found, dict) else ""
        posted = self._api.call("chat.postMessage", channel=user, text=slack.harmless(text)).data
        return TrialMessage(str(posted.get("channel", "")), str(posted.get("ts", "")))

    def arrived(self, message: TrialMessage) -> bool:
        span = {"oldest": message.ts, "latest": message.ts, "inclusive": True, "limit": 1}
        shown = self._api.call("conversations.history", channel=message.conversation, **span).data.get("messages")
        return isinstance(shown, list) and any(isinstance(one, dict) and one.get("ts") == message.ts for one in shown)
