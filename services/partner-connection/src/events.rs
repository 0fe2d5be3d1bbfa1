//! Public events: the one place where what happened inside becomes what others are told.

use cosell_events::{About, Cause, Event};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_types::{AccountId, ClosedList as _};

use crate::domain::{
    Account, AccountEvent, Connection, ConnectionEvent, Invitation, InvitationEvent, Member, MemberEvent,
};

/// The name of this context in subjects, of its schema and of its identity.
pub const CONTEXT: &str = "partner";

/// The public form of what happened to an account.
pub fn account(account: &Account, AccountEvent: AccountEvent, cause: Cause<'_>) -> Event {
    let about = About {
        context: CONTEXT,
        aggregate: "account",
        account: account.id(),
        id: account.id().as_str(),
        version: account.revision(),
    };
    let message = pb::AccountChanged {
        account_id: account.id().to_string(),
        revision: account.revision(),
        side: account.side().number(),
        status: account.facts().status.number(),
        terms_accepted: account.terms().is_some(),
        partner_types: account
            .facts()
            .partner_types
            .iter()
            .map(|kind| kind.number())
            .collect(),
        tier: account.facts().tier.number(),
    };
    Event::new(about, cause, "account_changed", &message)
}

/// The public form of what happened to a member.
pub fn member(member: &Member, event: MemberEvent, cause: Cause<'_>) -> Event {
    let about = About {
        context: CONTEXT,
        aggregate: "member",
        account: member.account(),
        id: member.id().as_str(),
        version: member.revision(),
    };
    let change = match event {
        MemberEvent::Invited => pb::MemberChange::Invited,
        MemberEvent::Joined => pb::MemberChange::Joined,
        MemberEvent::RolesChanged => pb::MemberChange::Roles,
        MemberEvent::DetailsChanged => pb::MemberChange::Details,
        MemberEvent::Deactivated => pb::MemberChange::Deactivated,
        MemberEvent::Provisioned => pb::MemberChange::Provisioned,
    };
    let message = pb::MemberChanged {
        member_id: member.id().to_string(),
        account_id: member.account().to_string(),
        revision: member.revision(),
        side: member.side().number(),
        change: change.into(),
        status: member.facts().status.number(),
        roles: member.facts().roles.iter().map(|role| role.number()).collect(),
    };
    Event::new(about, cause, event.name(), &message)
}

/// The public form of what happened to an invitation, for one of the two companies.
pub fn invitation(
    invitation: &Invitation,
    account: &AccountId,
    event: InvitationEvent,
    cause: Cause<'_>,
) -> Event {
    let about = About {
        context: CONTEXT,
        aggregate: "connection_invitation",
        account,
        id: invitation.id().as_str(),
        version: invitation.revision(),
    };
    let profile = |party: &crate::domain::Party| {
        party
            .profile
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default()
    };
    let message = pb::ConnectionInvitationChanged {
        connection_invitation_id: invitation.id().to_string(),
        account_id: account.to_string(),
        revision: invitation.revision(),
        participant_type: invitation.participant(account).number(),
        r#type: invitation.offer().kind.number(),
        status: event.0.number(),
        sender_profile_id: profile(invitation.sender()),
        receiver_profile_id: if invitation.hides_receiver(account) {
            String::new()
        } else {
            profile(invitation.receiver())
        },
        connection_id: invitation
            .connection()
            .map(ToString::to_string)
            .unwrap_or_default(),
    };
    Event::new(about, cause, event.name(), &message)
}

/// The public form of what happened to a connection, for one of the two companies.
pub fn connection(
    connection: &Connection,
    account: &AccountId,
    event: ConnectionEvent,
    cause: Cause<'_>,
) -> Event {
    let about = About {
        context: CONTEXT,
        aggregate: "connection",
        account,
        id: connection.id().as_str(),
        version: connection.revision(),
    };
    let ConnectionEvent(kind, status) = event;
    let message = pb::ConnectionChanged {
        connection_id: connection.id().to_string(),
        account_id: account.to_string(),
        revision: connection.revision(),
        other_account_id: connection.other(account).account.to_string(),
        r#type: kind.number(),
        type_status: status.number(),
        status: connection.status().number(),
        canceled_by_account_id: connection
            .ended_by(kind)
            .map(ToString::to_string)
            .unwrap_or_default(),
    };
    Event::new(about, cause, event.name(), &message)
}
