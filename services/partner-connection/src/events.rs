//! Builds the events that the service publishes from domain events. Invitations and connections have one event for each
//! of their two accounts.

use cosell_events::{AggregateRef, Cause, Event};
use cosell_grpc::convert::timestamp;
use cosell_proto::cosell::partner::v1 as pb;
use cosell_types::{AccountId, ClosedList as _};

use crate::domain::values::{ConnectionInvitationStatus, ConnectionStatus};
use crate::domain::{
    Account, AccountEvent, Connection, ConnectionEvent, Invitation, InvitationEvent, Member, MemberEvent,
};

/// The name of this context in event subjects, of its database schema and of its service identity.
pub const CONTEXT: &str = "partner";

/// The event to publish for a change of an account.
pub fn account(account: &Account, event: AccountEvent, cause: Cause<'_>) -> Event {
    let aggregate = AggregateRef {
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
        AccountEvent::Registered => Event::new(aggregate, cause, &pb::AccountRegistered { detail }),
        AccountEvent::DetailsChanged => Event::new(aggregate, cause, &pb::AccountDetailsChanged { detail }),
        AccountEvent::Suspended => Event::new(aggregate, cause, &pb::AccountSuspended { detail }),
        AccountEvent::Reinstated => Event::new(aggregate, cause, &pb::AccountReinstated { detail }),
        AccountEvent::TermsAccepted => Event::new(aggregate, cause, &pb::AccountTermsAccepted { detail }),
        AccountEvent::ProfileUpdated => Event::new(aggregate, cause, &pb::AccountProfileUpdated { detail }),
        AccountEvent::ProfileVisibilityChanged => {
            Event::new(aggregate, cause, &pb::AccountProfileVisibilityChanged { detail })
        }
        AccountEvent::ConnectionPreferencesUpdated => {
            Event::new(aggregate, cause, &pb::ConnectionPreferencesUpdated { detail })
        }
    }
}

/// The event to publish for a change of a member.
pub fn member(member: &Member, event: MemberEvent, cause: Cause<'_>) -> Event {
    let aggregate = AggregateRef {
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
        sees_all_opportunities: member.sees_all_opportunities(),
    });
    match event {
        MemberEvent::Invited => Event::new(aggregate, cause, &pb::MemberInvited { detail }),
        MemberEvent::Joined => Event::new(aggregate, cause, &pb::MemberJoined { detail }),
        MemberEvent::RolesChanged => Event::new(aggregate, cause, &pb::MemberRolesChanged { detail }),
        MemberEvent::DetailsChanged => Event::new(aggregate, cause, &pb::MemberDetailsChanged { detail }),
        MemberEvent::Deactivated => Event::new(aggregate, cause, &pb::MemberDeactivated { detail }),
        MemberEvent::Registered => Event::new(aggregate, cause, &pb::MemberRegistered { detail }),
        MemberEvent::Reinstated => Event::new(aggregate, cause, &pb::MemberReinstated { detail }),
        MemberEvent::VisibilityChanged => {
            Event::new(aggregate, cause, &pb::MemberVisibilityChanged { detail })
        }
    }
}

/// The event to publish to `account`, one of the two, for a change of an invitation.
pub fn invitation(
    invitation: &Invitation,
    account: &AccountId,
    event: InvitationEvent,
    cause: Cause<'_>,
) -> Event {
    let aggregate = AggregateRef {
        context: CONTEXT,
        aggregate: "connection_invitation",
        account,
        id: invitation.id().as_str(),
        version: invitation.revision(),
    };
    let profile_id = |party: &crate::domain::Party| {
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
        participant_type: invitation.participant_type(account).number(),
        connection_type: invitation.details().kind.number(),
        expire_time: Some(timestamp(invitation.expire_time())),
        sender_profile_id: profile_id(invitation.sender()),
        receiver_profile_id: invitation
            .receiver_visible_to(account)
            .map(profile_id)
            .unwrap_or_default(),
    });
    match event.0 {
        ConnectionInvitationStatus::Pending => {
            Event::new(aggregate, cause, &pb::ConnectionInvitationCreated { detail })
        }
        ConnectionInvitationStatus::Accepted => {
            let message = pb::ConnectionInvitationAccepted {
                detail,
                connection_id: invitation
                    .connection()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
            };
            Event::new(aggregate, cause, &message)
        }
        ConnectionInvitationStatus::Rejected => {
            Event::new(aggregate, cause, &pb::ConnectionInvitationRejected { detail })
        }
        ConnectionInvitationStatus::Canceled => {
            Event::new(aggregate, cause, &pb::ConnectionInvitationCanceled { detail })
        }
        ConnectionInvitationStatus::Expired => {
            Event::new(aggregate, cause, &pb::ConnectionInvitationExpired { detail })
        }
    }
}

/// The event to publish to `account`, one of the two, for a change of a connection.
pub fn connection(
    connection: &Connection,
    account: &AccountId,
    event: ConnectionEvent,
    cause: Cause<'_>,
) -> Event {
    let aggregate = AggregateRef {
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
        other_account_id: connection.counterparty(account).account.to_string(),
        connection_type: kind.number(),
        status: connection.status().number(),
    });
    match status {
        ConnectionStatus::Active => Event::new(aggregate, cause, &pb::ConnectionEstablished { detail }),
        ConnectionStatus::Canceled => {
            let message = pb::ConnectionCanceled {
                detail,
                canceled_by_account_id: connection
                    .canceled_by(kind)
                    .map(ToString::to_string)
                    .unwrap_or_default(),
            };
            Event::new(aggregate, cause, &message)
        }
    }
}
