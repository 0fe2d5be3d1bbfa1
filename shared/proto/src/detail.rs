//! The part that all events of a record have in common, for consumers to which it does not matter what happened.

use prost::{DecodeError, Message as _, Name as _};

use crate::cosell::{collaboration::v1 as collaboration, partner::v1 as partner};

/// What holds for a record after an event, whichever it was.
pub trait EventDetail: Sized {
    /// The detail of an event of this type; `None` when no event of the record has this type.
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
