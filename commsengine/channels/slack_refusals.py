"""What Slack's errors are about: rows of the table of refusals. The words are Slack's own."""

from __future__ import annotations

from commsengine.cadence.kinds_and_states import Fault, RefusalKind
from commsengine.channels.refusal_rule import RefusalRule
from commsengine.translation import N_


def _slack(fault: Fault, word: str, remedy: str = "", kind: RefusalKind = "") -> RefusalRule:
    return RefusalRule(fault, kind, "slack", word=word, remedy=remedy)


_INSTALL = N_("Install the app again and copy its bot token (xoxb-…)")
_SCOPES = N_("Give the app the scopes of slack-manifest.json, install it again and copy its bot token (xoxb-…)")
_ALLOWED = N_("Ask an administrator of the Slack workspace to let this app send direct messages from here")
_TAB = N_("Switch it on at api.slack.com/apps: the app → App Home → Show Tabs → Messages Tab")
_PLAN = N_("The workspace has reached a limit of its Slack plan: its administrator must see to that")

SLACK_REFUSALS = (
    _slack(
        "person",
        "users_not_found user_not_found user_not_visible user_disabled user_deactivated cannot_dm_bot cannot_dm_user "
        "channel_not_found is_archived",
        kind="gone",
    ),
    _slack("us", "invalid_auth not_authed token_revoked token_expired account_inactive", _INSTALL),
    _slack("us", "missing_scope no_permission not_allowed_token_type", _SCOPES),
    _slack(
        "us",
        "org_login_required ekm_access_denied access_denied team_access_not_granted accesslimited "
        "enterprise_is_restricted two_factor_setup_required restricted_action",
        _ALLOWED,
    ),
    _slack("us", "messages_tab_disabled", _TAB),
    _slack("us", "message_limit_exceeded", _PLAN),
    _slack(
        "later",
        "team_added_to_org",
        N_("The workspace is moving into an Enterprise organisation: it works again after that"),
        "down",
    ),
    _slack(
        "message",
        "invalid_blocks invalid_blocks_format msg_too_long msg_blocks_too_long no_text invalid_arguments "
        "metadata_too_large invalid_metadata_format invalid_metadata_schema markdown_text_conflict",
    ),
    RefusalRule("unknown", channel="slack"),
)
