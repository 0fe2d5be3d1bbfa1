//! The detail message that all events of an aggregate share, for consumers that apply it regardless of the event type.

use prost::{DecodeError, Message as _, Name as _};

use crate::cosell::{collaboration::v1 as collaboration, partner::v1 as partner};

/// The state of an aggregate after an event, regardless of the event type.
pub trait EventDetail: Sized {
    /// Decodes the detail of an event; `None` if the type is not one of the aggregate's events.
    fn read(type_name: &str, payload: &[u8]) -> Option<Result<Self, DecodeError>>;
}

macro_rules! details {
    ($($context:ident::$detail:ident in $($event:ident)+;)+) => {
        $(impl EventDetail for $context::$detail {
            fn read(type_name: &str, payload: &[u8]) -> Option<Result<Self, DecodeError>> {
                $(if type_name == $context::$event::full_name() {
                    let event = $context::$event::decode(payload);
                    return Some(event.map(|event| event.detail.unwrap_or_default()));
                })+
                None
            }
        })+
    };
}

details! {
    partner::AccountEventDetail in AccountRegistered AccountDetailsChanged AccountSuspended AccountReinstated
        AccountTermsAccepted AccountProfileUpdated AccountProfileVisibilityChanged ConnectionPreferencesUpdated;
    partner::MemberEventDetail in MemberInvited MemberJoined MemberRolesChanged MemberDetailsChanged
        MemberDeactivated MemberRegistered MemberReinstated;
    partner::ConnectionInvitationEventDetail in ConnectionInvitationCreated ConnectionInvitationAccepted
        ConnectionInvitationRejected ConnectionInvitationCanceled ConnectionInvitationExpired;
    partner::ConnectionEventDetail in ConnectionEstablished ConnectionCanceled;
    collaboration::EngagementInvitationEventDetail in EngagementInvitationCreated EngagementInvitationAccepted
        EngagementInvitationRejected EngagementInvitationExpired EngagementInvitationCanceled;
    collaboration::ChannelEventDetail in ChannelRequested ChannelApproved ChannelDeclined ChannelActivated
        ChannelArchived ChannelMembersAdded ChannelMemberInvited ChannelMemberJoined ChannelMemberLeft
        ChannelMemberOptedOut ChannelMemberExpired;
}
