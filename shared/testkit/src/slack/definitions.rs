//! The published definitions of the Web API methods that the fake server knows: arguments, scope, content types and
//! errors, as https://docs.slack.dev/reference/methods states them for bot tokens. docs/SLACK.md lists what of them the
//! service uses.

use serde_json::{Map, Value, json};

/// The published definition of a method.
#[derive(Clone, Copy, Debug)]
pub struct MethodDefinition {
    /// The name, such as `conversations.create`.
    pub name: &'static str,
    /// Arguments that each call must have.
    pub required: &'static [&'static str],
    /// Further arguments.
    pub optional: &'static [&'static str],
    /// The scope that a bot token needs for private channels; empty if none.
    pub scope: &'static str,
    /// Whether the method accepts `application/json` besides form-encoded arguments.
    pub accepts_json: bool,
    /// Its error codes, besides [`COMMON_ERRORS`].
    pub errors: &'static [&'static str],
}

/// All scopes that the methods need, and `users:read.email`, without which `users.info` omits the address.
pub const SCOPES: [&str; 9] = [
    "chat:write",
    "conversations.connect:manage",
    "conversations.connect:write",
    "groups:read",
    "groups:write",
    "pins:read",
    "pins:write",
    "users:read",
    "users:read.email",
];

/// The error codes that every method can return.
pub const COMMON_ERRORS: [&str; 33] = [
    "access_denied",
    "accesslimited",
    "account_inactive",
    "deprecated_endpoint",
    "ekm_access_denied",
    "enterprise_is_restricted",
    "fatal_error",
    "internal_error",
    "invalid_arg_name",
    "invalid_arguments",
    "invalid_array_arg",
    "invalid_auth",
    "invalid_charset",
    "invalid_form_data",
    "invalid_json",
    "invalid_post_type",
    "is_bot",
    "json_not_object",
    "method_deprecated",
    "missing_post_type",
    "missing_scope",
    "no_permission",
    "not_allowed_token_type",
    "not_authed",
    "org_login_required",
    "ratelimited",
    "request_timeout",
    "service_unavailable",
    "team_added_to_org",
    "token_expired",
    "token_revoked",
    "two_factor_setup_required",
    "unknown_method",
];

/// The methods, in alphabetical order.
pub const METHODS: [MethodDefinition; 14] = [
    MethodDefinition {
        name: "auth.test",
        required: &[],
        optional: &[],
        scope: "",
        accepts_json: true,
        errors: &[],
    },
    MethodDefinition {
        name: "chat.postMessage",
        required: &["channel"],
        optional: &[
            "as_user",
            "attachments",
            "blocks",
            "icon_emoji",
            "icon_url",
            "link_names",
            "markdown_text",
            "metadata",
            "mrkdwn",
            "parse",
            "reply_broadcast",
            "text",
            "thread_ts",
            "unfurl_links",
            "unfurl_media",
            "username",
        ],
        scope: "chat:write",
        accepts_json: true,
        errors: &[
            "channel_not_found",
            "invalid_blocks",
            "invalid_blocks_format",
            "is_archived",
            "message_limit_exceeded",
            "msg_blocks_too_long",
            "no_text",
            "not_in_channel",
            "rate_limited",
            "restricted_action",
            "restricted_action_read_only_channel",
        ],
    },
    MethodDefinition {
        name: "conversations.archive",
        required: &["channel"],
        optional: &[],
        scope: "groups:write",
        accepts_json: true,
        errors: &[
            "already_archived",
            "cant_archive_general",
            "cant_archive_required",
            "channel_not_found",
            "method_not_supported_for_channel_type",
            "not_in_channel",
            "restricted_action",
        ],
    },
    MethodDefinition {
        name: "conversations.create",
        required: &["name"],
        optional: &["is_private", "team_id"],
        scope: "groups:write",
        accepts_json: true,
        errors: &[
            "cannot_create_channel",
            "invalid_name",
            "invalid_name_maxlength",
            "invalid_name_punctuation",
            "invalid_name_required",
            "invalid_name_specials",
            "missing_argument",
            "name_taken",
            "no_channel",
            "restricted_action",
        ],
    },
    MethodDefinition {
        name: "conversations.invite",
        required: &["channel", "users"],
        optional: &["force"],
        scope: "groups:write",
        accepts_json: true,
        errors: &[
            "already_in_channel",
            "app_cannot_join_channel",
            "cant_invite",
            "cant_invite_self",
            "channel_not_found",
            "external_channel_migrating",
            "invitee_cant_see_channel",
            "is_archived",
            "method_not_supported_for_channel_type",
            "no_external_invite_permission",
            "no_user",
            "not_in_channel",
            "org_user_not_in_team",
            "ura_max_channels",
            "user_is_restricted",
            "user_not_found",
        ],
    },
    MethodDefinition {
        name: "conversations.inviteShared",
        required: &["channel"],
        optional: &["emails", "external_limited", "user_ids"],
        scope: "conversations.connect:write",
        accepts_json: true,
        errors: &[
            "already_in_channel",
            "cannot_share_cross_workspace_channel",
            "cannot_share_mandatory_channel",
            "channel_archived",
            "channel_not_found",
            "connection_limit_exceeded",
            "connection_limit_exceeded_pending",
            "invalid_channel_type",
            "invalid_email",
            "invite_lookup_error",
            "invite_not_found",
            "legacy_connection_limit_exceeded",
            "member_limit_exceeded",
            "message_too_long",
            "no_external_invite_permission",
            "not_allowed_for_grid_workspace",
            "not_in_channel",
            "not_owner",
            "not_paid",
            "not_supported",
            "ratelimit",
            "recipients_not_specified",
            "restricted_action",
            "too_many_emails",
            "url_in_message",
            "user_not_found",
        ],
    },
    MethodDefinition {
        name: "conversations.kick",
        required: &["channel"],
        optional: &["user"],
        scope: "groups:write",
        accepts_json: true,
        errors: &[
            "cant_kick_from_general",
            "cant_kick_self",
            "channel_not_found",
            "method_not_supported_for_channel_type",
            "not_in_channel",
            "not_supported",
            "restricted_action",
            "user_not_found",
        ],
    },
    MethodDefinition {
        name: "conversations.list",
        required: &[],
        optional: &["cursor", "exclude_archived", "limit", "team_id", "types"],
        scope: "groups:read",
        accepts_json: false,
        errors: &[
            "invalid_cursor",
            "invalid_limit",
            "invalid_types",
            "method_not_supported_for_channel_type",
            "missing_argument",
        ],
    },
    MethodDefinition {
        name: "conversations.listConnectInvites",
        required: &[],
        optional: &["count", "cursor", "team_id"],
        scope: "conversations.connect:manage",
        accepts_json: false,
        errors: &["restricted_action"],
    },
    MethodDefinition {
        name: "conversations.setPurpose",
        required: &["channel", "purpose"],
        optional: &[],
        scope: "groups:write",
        accepts_json: true,
        errors: &[
            "channel_not_found",
            "is_archived",
            "method_not_supported_for_channel_type",
            "not_in_channel",
            "too_long",
            "user_is_restricted",
        ],
    },
    MethodDefinition {
        name: "pins.add",
        required: &["channel"],
        optional: &["timestamp"],
        scope: "pins:write",
        accepts_json: true,
        errors: &[
            "already_pinned",
            "bad_timestamp",
            "channel_not_found",
            "external_channel_migrating",
            "message_not_found",
            "no_item_specified",
            "not_in_channel",
            "not_pinnable",
            "restricted_action",
            "too_many_pins",
        ],
    },
    MethodDefinition {
        name: "pins.list",
        required: &["channel"],
        optional: &[],
        scope: "pins:read",
        accepts_json: false,
        errors: &["channel_not_found", "restricted_action"],
    },
    MethodDefinition {
        name: "users.info",
        required: &["user"],
        optional: &["include_locale"],
        scope: "users:read",
        accepts_json: false,
        errors: &["too_many_users", "user_not_found", "user_not_visible"],
    },
    MethodDefinition {
        name: "users.lookupByEmail",
        required: &["email"],
        optional: &[],
        scope: "users:read.email",
        accepts_json: false,
        errors: &["users_not_found"],
    },
];

impl MethodDefinition {
    /// The definition of a method.
    pub fn of(name: &str) -> Option<&'static Self> {
        METHODS.iter().find(|definition| definition.name == name)
    }

    /// The error response to a call whose token or arguments the definition does not permit. An unknown argument is
    /// refused, too, although Slack ignores most: the service must not send any.
    pub(super) fn refuse(
        &self,
        scopes: &[String],
        is_json: bool,
        arguments: &Map<String, Value>,
    ) -> Option<Value> {
        if !self.scope.is_empty() && scopes.iter().all(|scope| scope != self.scope) {
            return Some(json!({
                "error": "missing_scope", "needed": self.scope, "provided": scopes.join(","),
            }));
        }
        if is_json && !self.accepts_json {
            return Some(json!({ "error": "invalid_post_type" }));
        }
        let unknown = arguments
            .keys()
            .filter(|name| !self.required.contains(&name.as_str()) && !self.optional.contains(&name.as_str()))
            .map(|name| format!("[ERROR] no such argument: {name}"));
        let missing = self
            .required
            .iter()
            .filter(|name| !arguments.contains_key(**name))
            .map(|name| format!("[ERROR] missing required field: {name}"));
        let messages: Vec<_> = unknown.chain(missing).collect();
        (!messages.is_empty())
            .then(|| json!({ "error": "invalid_arguments", "response_metadata": { "messages": messages } }))
    }

    /// Whether the definition names this error code.
    pub fn has_error(&self, code: &str) -> bool {
        self.errors.contains(&code) || COMMON_ERRORS.contains(&code)
    }
}
