"""The errors of Slack's Web API, and what each is about: rows of the table of refusals.

They are those of the documentation (August 2026) of the methods that are called here, and what apps report beside it.
An error that no row names is ``unknown``. To teach it another one, add it to a row.
"""

from __future__ import annotations

from commsengine.cadence.kinds_and_states import Fault, RefusalKind
from commsengine.channels.refusal_rule import RefusalRule
from commsengine.translation import N_

INSTALL = N_("Install the app again and copy its bot token (xoxb-…)")
SCOPES = N_("Give the app the scopes of slack-manifest.json, install it again and copy its bot token (xoxb-…)")
ALLOWED = N_("Ask an administrator of the Slack workspace to let this app send direct messages from here")
WORKSPACE = N_(
    "The app is not installed in this workspace: install it there, or have an administrator of the organisation add it"
)
NETWORK = N_("Slack admits this app from other addresses only: look at its allowed IP ranges and at this network")
TAB = N_("Switch it on at api.slack.com/apps: the app → App Home → Show Tabs → Messages Tab")
HOME = N_("Switch it on at api.slack.com/apps: the app → App Home → Show Tabs → Home Tab")
PLAN = N_("The workspace has reached a limit of its Slack plan: its administrator must solve that")
MOVING = N_("The workspace is moving into an Enterprise organisation: it works again after that")
UPDATE = N_("Slack has changed its interface: update commsengine, or report this")


def _slack(fault: Fault, errors: str, remedy: str = "", kind: RefusalKind = "") -> RefusalRule:
    return RefusalRule(fault, kind, "slack", word=errors, remedy=remedy)


SLACK_REFUSALS = (
    # -- the person, and the conversation with them
    _slack(
        "person",
        "users_not_found user_not_found user_not_visible user_disabled user_deactivated user_is_bot cannot_dm_bot "
        "cannot_dm_user channel_not_found is_archived is_inactive not_in_channel invalid_user_combination "
        "channel_is_limited_access method_not_supported_for_channel_type",
        kind="gone",
    ),
    # -- this one message
    _slack(
        "message",
        "invalid_blocks invalid_blocks_format invalid_attachments invalid_arguments no_text msg_too_long "
        "msg_blocks_too_long view_too_large too_many_attachments too_many_contact_cards "
        "attachment_payload_limit_exceeded markdown_text_conflict metadata_too_large invalid_metadata_format "
        "invalid_metadata_schema",
    ),
    _slack(  # where it is to stand, or what it is to replace
        "message",
        "message_not_found cant_update_message edit_window_closed block_mismatch no_dual_broadcast_content_update "
        "cant_broadcast_message cannot_reply_to_message restricted_action_thread_locked "
        "restricted_action_non_threadable_channel restricted_action_thread_only_channel duplicate_channel_not_found "
        "duplicate_message_not_found duplicate_external_id draft_already_deleted draft_already_sent draft_has_conflict "
        "draft_not_found",
    ),
    _slack(  # files that it would bring
        "message",
        "blocked_file_type file_deleted file_is_deleted file_not_found file_share_limit_reached "
        "max_file_sharing_exceeded missing_file_data posting_to_channel_denied unable_to_share_files "
        "slack_connect_blocked_file_type slack_connect_canvas_sharing_blocked slack_connect_clip_sharing_blocked "
        "slack_connect_file_link_sharing_blocked slack_connect_file_upload_sharing_blocked "
        "slack_connect_lists_sharing_blocked",
    ),
    # -- us: token, scopes, the app, the rules of the workspace
    _slack("us", "invalid_auth not_authed token_revoked token_expired account_inactive", INSTALL),
    _slack(
        "us",
        "missing_scope no_permission not_allowed_token_type is_bot as_user_not_supported "
        "metadata_must_be_sent_from_app send_on_behalf_not_allowed",
        SCOPES,
    ),
    _slack(
        "us",
        "access_denied ekm_access_denied enterprise_is_restricted two_factor_setup_required restricted_action "
        "restricted_action_read_only_channel",
        ALLOWED,
    ),
    _slack("us", "team_access_not_granted team_not_found", WORKSPACE),
    _slack("us", "accesslimited", NETWORK),
    _slack("us", "messages_tab_disabled", TAB),
    _slack("us", "not_enabled not_implemented", HOME),
    _slack(
        "us",
        "deprecated_endpoint method_deprecated unknown_method upgrade_required invalid_arg_name invalid_array_arg "
        "invalid_charset invalid_form_data invalid_post_type missing_post_type invalid_json json_not_object "
        "missing_argument missing_profile_id users_list_not_supplied not_enough_users too_many_users limit_required "
        "invalid_limit invalid_ts_latest invalid_ts_oldest invalid_metadata_filter_keys",
        UPDATE,
    ),
    _slack("quota", "message_limit_exceeded", PLAN),
    # -- only this moment
    _slack("later", "ratelimited rate_limited", kind="busy"),
    _slack("later", "team_added_to_org org_login_required", MOVING, "down"),
    _slack(
        "later",
        "fatal_error internal_error service_unavailable request_timeout update_failed external_channel_migrating "
        "streaming_state_conflict hash_conflict invalid_cursor expired_trigger_id exchanged_trigger_id "
        "invalid_trigger_id",
    ),
    # -- it may be the app or the person who is not admitted: what the others get will tell
    _slack("unknown", "app_access_restricted"),
    RefusalRule("unknown", channel="slack"),
)

KNOWN = {error: row for row in SLACK_REFUSALS for error in row.word.split()}


def remedy_of(reply: str) -> str:
    """A sentence; empty where nothing is known to help. The reply may go on after the error."""
    found = KNOWN.get(reply.partition(" ")[0])
    return f"{found.remedy}." if found and found.remedy else ""
