"""What Slack's errors mean for the touch: nobody there, retry, not this message, the whole channel down, or unknown.

Only an answer that could not come says nothing about the post: what urllib wraps in a ``URLError`` broke while it
connected or sent, so no whole request ever left; anything later is ``uncertain``.
"""

from __future__ import annotations

import socket
import ssl
import urllib.error

from slack_sdk.errors import SlackApiError

from commsengine.channels.channel import PERMANENT, RETRY, UNCERTAIN, DeliveryError

NOT_ON_SLACK = "not on Slack"

_NOBODY = {
    "users_not_found", "user_not_found", "user_not_visible", "user_disabled", "user_deactivated", "cannot_dm_bot",
    "cannot_dm_user",
}  # fmt: skip
_OURS = {  # of the token, the app or the workspace: account_inactive is the bot's own account
    "invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive", "missing_scope",
    "no_permission",
    "org_login_required", "ekm_access_denied", "access_denied", "not_allowed_token_type", "team_access_not_granted",
    "enterprise_is_restricted", "messages_tab_disabled", "two_factor_setup_required", "accesslimited",
    "restricted_action", "message_limit_exceeded", "team_added_to_org",
}  # fmt: skip
_THIS_MESSAGE = {
    "invalid_blocks", "invalid_blocks_format", "msg_too_long", "msg_blocks_too_long", "no_text", "invalid_arguments",
    "metadata_too_large", "invalid_metadata_format", "invalid_metadata_schema", "markdown_text_conflict",
    "channel_not_found", "is_archived", "message_not_found", "cant_update_message",
    "edit_window_closed",
}  # fmt: skip
_PERHAPS_POSTED = {"fatal_error", "internal_error"}  # "some aspect of the operation may have succeeded"
_SLACKS_OWN = {*_PERHAPS_POSTED, "service_unavailable", "request_timeout"}
_WAIT_OTHERWISE = 30.0  # seconds, when a 429 does not say how long
_SHORTEST_WAIT, _LONGEST_WAIT = 1.0, 3600.0  # seconds: a header that says more than an hour is asked again after one


class SlackTroubleError(DeliveryError):
    """Slack itself, or what lies between, does not work as it should; nothing is wrong with this one message."""


def refused(error: SlackApiError, *, marked: bool) -> DeliveryError:
    """Slack answered, and the answer is no. ``marked``: the answer is to a post."""
    status = int(getattr(error.response, "status_code", 200) or 200)
    data = getattr(error.response, "data", None)
    name = str(data.get("error", "")) if isinstance(data, dict) else ""
    phase = "reply" if marked else "connect"
    if status == 429 or name in ("ratelimited", "rate_limited"):
        return DeliveryError(RETRY, phase, "ratelimited", begun=False, retry_after=_wait(error))
    if name in _NOBODY:
        return DeliveryError(PERMANENT, phase, name, begun=False, unreachable=NOT_ON_SLACK)
    if name in _OURS:
        return DeliveryError(RETRY, phase, name, begun=False, channel_down=f"Slack refuses us: {name}", lasting=True)
    if name in _THIS_MESSAGE:
        return DeliveryError(PERMANENT, phase, name)
    if name.replace("_", "").isalnum() and name not in _SLACKS_OWN and status < 500:
        return DeliveryError(RETRY, phase, name)  # of this person or message, in a word that is new to us
    told = name.replace("_", "").isalnum()  # anything else is not Slack speaking, but something in between
    perhaps_posted = name in _PERHAPS_POSTED or not (told or status == 503)
    shown = name if told else f"HTTP {status}"
    return SlackTroubleError(UNCERTAIN if marked and perhaps_posted else RETRY, phase, shown, begun=marked)


def broken(error: Exception, *, marked: bool) -> DeliveryError:
    """No usable answer. ``marked``: it was waited for after a post."""
    if isinstance(error, urllib.error.URLError) and isinstance(error.reason, OSError):
        return _never_out(error.reason, marked=marked)
    text = f"the connection broke ({type(error).__name__})"
    if marked:
        return SlackTroubleError(UNCERTAIN, "reply", text)
    return SlackTroubleError(RETRY, "connect", text, begun=False)


def _never_out(reason: OSError, *, marked: bool) -> DeliveryError:
    """The request did not get out whole, so Slack has nothing of it, and the next one would fare no better.

    Where the connection was cut in mid-request, the request itself may be why: that counts as an attempt.
    """
    why = next((text for kind, text in _NO_CONNECTION if isinstance(reason, kind)), "Slack cannot be reached")
    cut = isinstance(reason, BrokenPipeError | ConnectionResetError)
    lasting = isinstance(reason, ssl.SSLCertVerificationError)
    return DeliveryError(RETRY, "connect", why, begun=marked and cut, channel_down=why, lasting=lasting)


_NO_CONNECTION: tuple[tuple[type[Exception], str], ...] = (
    (ConnectionRefusedError, "Slack refuses the connection"),
    (socket.gaierror, "Slack's name cannot be found"),
    (ssl.SSLCertVerificationError, "Slack's certificate cannot be trusted"),
    (ssl.SSLError, "no secure connection to Slack comes about"),
    (TimeoutError, "Slack does not answer"),
)


def _wait(error: SlackApiError) -> float:
    headers = {name.lower(): value for name, value in dict(getattr(error.response, "headers", None) or {}).items()}
    try:
        asked = float(headers.get("retry-after", _WAIT_OTHERWISE))
    except (TypeError, ValueError):  # a date, as HTTP allows
        asked = _WAIT_OTHERWISE
    return min(max(_SHORTEST_WAIT, asked), _LONGEST_WAIT)
