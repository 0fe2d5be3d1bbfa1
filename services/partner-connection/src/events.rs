//! Public events: the one place where what happened inside becomes what others are told.

use cosell_events::{About, Cause, Event};
use cosell_grpc::convert::timestamp;
use cosell_proto::cosell::partner::v1 as pb;
use cosell_types::{AccountId, ClosedList as _};

use crate::domain::values::{ConnectionInvitationStatus, ConnectionStatus};
use crate::domain::{
    Account, AccountEvent, Connection, ConnectionEvent, Invitation, InvitationEvent, Member, MemberEvent,
};

/// The name of this context in subjects, of its schema and of its identity.
pub const CONTEXT: &str = "partner";

/// The public form of what happened to an account.
pub fn account(account: &Account, event: AccountEvent, cause: Cause<'_>) -> Event {
    let about = About {
        context: CONTEXT,
        aggregate: "account",
        account: account.id(),
        id: account.id().as_str(),
        version: account.revision(),
    };
    let detail = Some(pb::AccountEventDetail {
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
    });
    match event {
        AccountEvent::Registered => Event::new(about, cause, &pb::AccountRegistered { detail }),
        AccountEvent::DetailsChanged => Event::new(about, cause, &pb::AccountDetailsChanged { detail }),
        AccountEvent::Suspended => Event::new(about, cause, &pb::AccountSuspended { detail }),
        AccountEvent::Reinstated => Event::new(about, cause, &pb::AccountReinstated { detail }),
        AccountEvent::TermsAccepted => Event::new(about, cause, &pb::AccountTermsAccepted { detail }),
        AccountEvent::ProfileUpdated => Event::new(about, cause, &pb::AccountProfileUpdated { detail }),
        AccountEvent::ProfileVisibilityChanged => {
            Event::new(about, cause, &pb::AccountProfileVisibilityChanged { detail })
        }
        AccountEvent::ConnectionPreferencesUpdated => {
            Event::new(about, cause, &pb::ConnectionPreferencesUpdated { detail })
        }
    }
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
    let detail = Some(pb::MemberEventDetail {
        member_id: member.id().to_string(),
        account_id: member.account().to_string(),
        revision: member.revision(),
        side: member.side().number(),
        status: member.facts().status.number(),
        roles: member.facts().roles.iter().map(|role| role.number()).collect(),
    });
    match event {
        MemberEvent::Invited => Event::new(about, cause, &pb::MemberInvited { detail }),
        MemberEvent::Joined => Event::new(about, cause, &pb::MemberJoined { detail }),
        MemberEvent::RolesChanged => Event::new(about, cause, &pb::MemberRolesChanged { detail }),
        MemberEvent::DetailsChanged => Event::new(about, cause, &pb::MemberDetailsChanged { detail }),
        MemberEvent::Deactivated => Event::new(about, cause, &pb::MemberDeactivated { detail }),
        MemberEvent::Registered => Event::new(about, cause, &pb::MemberRegistered { detail }),
        MemberEvent::Reinstated => Event::new(about, cause, &pb::MemberReinstated { detail }),
    }
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
    let detail = Some(pb::ConnectionInvitationEventDetail {
        connection_invitation_id: invitation.id().to_string(),
        account_id: account.to_string(),
        revision: invitation.revision(),
        participant_type: invitation.participant(account).number(),
        connection_type: invitation.offer().kind.number(),
        expire_time: Some(timestamp(invitation.expire_time())),
        sender_profile_id: profile(invitation.sender()),
        receiver_profile_id: invitation.receiver_for(account).map(profile).unwrap_or_default(),
    });
    match event.0 {
        ConnectionInvitationStatus::Pending => {
            Event::new(about, cause, &pb::ConnectionInvitationCreated { detail })
        }
        ConnectionInvitationStatus::Accepted => {
            let message = pb::ConnectionInvitationAccepted {
                detail,
                connection_id: invitation
                    .connection()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
            };
            Event::new(about, cause, &message)
        }
        ConnectionInvitationStatus::Rejected => {
            Event::new(about, cause, &pb::ConnectionInvitationRejected { detail })
        }
        ConnectionInvitationStatus::Canceled => {
            Event::new(about, cause, &pb::ConnectionInvitationCanceled { detail })
        }
        ConnectionInvitationStatus::Expired => {
            Event::new(about, cause, &pb::ConnectionInvitationExpired { detail })
        }
    }
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
    let detail = Some(pb::ConnectionEventDetail {
        connection_id: connection.id().to_string(),
        account_id: account.to_string(),
        revision: connection.revision(),
        other_account_id: connection.other(account).account.to_string(),
        connection_type: kind.number(),
        status: connection.status().number(),
    });
    match status {
        ConnectionStatus::Active => Event::new(about, cause, &pb::ConnectionEstablished { detail }),
        ConnectionStatus::Canceled => {
            let message = pb::ConnectionCanceled {
                detail,
                canceled_by_account_id: connection
                    .ended_by(kind)
                    .map(ToString::to_string)
                    .unwrap_or_default(),
            };
            Event::new(about, cause, &message)
        }
    }
}
