//! Events on the bus: CloudEvents 1.0 in binary mode (PLT-009).

use std::fmt::Debug;
use std::str::FromStr as _;

use async_nats::{HeaderMap, HeaderName, HeaderValue};
use bytes::Bytes;
use cosell_events::{Delivery, HandlerError, fuzzing};
use cosell_proto::EventDetail;
use cosell_proto::cosell::{collaboration, notification, opportunity, partner, referral, review};
use prost::{Message, Name};

use crate::support::{assert_bounded, split_head};

/// The headers that a consumer reads, of which an error names one.
const REQUIRED: [&str; 6] = [
    "ce-id",
    "ce-accountid",
    "ce-subject",
    "ce-sequence",
    "ce-type",
    "ce-time",
];

macro_rules! event_types {
    ($($context:ident { $($name:ident,)+ })+) => {
        /// The full names of all event messages.
        pub const EVENT_TYPES: &[&str] = &[
            $($(concat!("cosell.", stringify!($context), ".v1.", stringify!($name)),)+)+
        ];

        fn check_message(delivery: &Delivery) {
            $($(
                if delivery.is::<$context::v1::$name>() {
                    check_message_of::<$context::v1::$name>(delivery);
                }
            )+)+
        }
    };
}

event_types! {
    collaboration {
        EngagementCreated,
        EngagementMemberInvited,
        EngagementMemberAdded,
        EngagementMemberNotJoined,
        EngagementMemberLeft,
        EngagementMemberRemoved,
        EngagementContextCreated,
        EngagementContextUpdated,
        EngagementInvitationCreated,
        EngagementInvitationAccepted,
        EngagementInvitationRejected,
        EngagementInvitationExpired,
        EngagementInvitationCanceled,
        ResourceSnapshotCreated,
        ChannelRequested,
        ChannelApproved,
        ChannelDeclined,
        ChannelActivated,
        ChannelArchived,
        ChannelMembersAdded,
        ChannelMemberInvited,
        ChannelMemberJoined,
        ChannelMemberLeft,
        ChannelMemberOptedOut,
        ChannelMemberExpired,
    }
    notification {
        EmailFailed,
    }
    opportunity {
        OpportunityCreated,
        OpportunityUpdated,
        OpportunityDiscarded,
        OpportunitySubmitted,
        OpportunitySubmissionWithdrawn,
        OpportunityReviewStarted,
        OpportunityApproved,
        OpportunityActionRequired,
        OpportunityRejected,
        OpportunityAwsSummaryChanged,
        OpportunityClosedByAws,
        OpportunityStageChanged,
        OpportunityClosureCorrected,
        OpportunityReopened,
        OpportunityAssigned,
        BulkJobFinished,
    }
    partner {
        AccountRegistered,
        AccountDetailsChanged,
        AccountSuspended,
        AccountReinstated,
        AccountTermsAccepted,
        AccountProfileUpdated,
        AccountProfileVisibilityChanged,
        ConnectionPreferencesUpdated,
        MemberInvited,
        MemberJoined,
        MemberRolesChanged,
        MemberVisibilityChanged,
        MemberDetailsChanged,
        MemberDeactivated,
        MemberRegistered,
        MemberReinstated,
        ConnectionInvitationCreated,
        ConnectionInvitationAccepted,
        ConnectionInvitationRejected,
        ConnectionInvitationCanceled,
        ConnectionInvitationExpired,
        ConnectionEstablished,
        ConnectionCanceled,
    }
    referral {
        ReferralOfferCreated,
        ReferralOfferExpiresSoon,
        ReferralOfferAccepted,
        ReferralOfferRejected,
        ReferralOfferExpired,
        ReferralCreated,
        ReferralRouted,
        ReferralAccepted,
        ReferralExhausted,
        LeadAccepted,
        LeadStateChanged,
        LeadInteractionAdded,
        LeadAssigned,
        LeadConverted,
    }
    review {
        ReviewRoundOpened,
        ReviewCaseClaimed,
        ReviewStarted,
        ReviewDecided,
        ReviewWithdrawn,
    }
}

/// The subject in the first line, headers such as `ce-id: …` in the next ones, an empty line, and the payload.
pub fn event(data: &[u8]) {
    let (lines, payload) = split_head(data);
    let Some((subject, lines)) = lines.split_first() else {
        return;
    };
    let mut headers = HeaderMap::new();
    for (name, value) in lines.iter().filter_map(|line| line.split_once(": ")) {
        if let (Ok(name), Ok(value)) = (HeaderName::from_str(name), HeaderValue::from_str(value)) {
            headers.append(name, value);
        }
    }
    let payload = Bytes::copy_from_slice(payload);
    let delivery = match fuzzing::delivery(subject, Some(&headers), payload.clone()) {
        Ok(delivery) => delivery,
        Err(header) => return assert!(REQUIRED.contains(&header), "{header}"),
    };
    let again = fuzzing::delivery(subject, Some(&written(&delivery)), payload).expect("the same event");
    assert_eq!(format!("{again:?}"), format!("{delivery:?}"));
    check_message(&delivery);
    check_detail::<collaboration::v1::ChannelEventDetail>(&delivery);
    check_detail::<collaboration::v1::EngagementEventDetail>(&delivery);
    check_detail::<collaboration::v1::EngagementInvitationEventDetail>(&delivery);
    check_detail::<partner::v1::AccountEventDetail>(&delivery);
    check_detail::<partner::v1::ConnectionEventDetail>(&delivery);
    check_detail::<partner::v1::ConnectionInvitationEventDetail>(&delivery);
    check_detail::<partner::v1::MemberEventDetail>(&delivery);
}

/// The headers of an event, as the relay writes them.
fn written(delivery: &Delivery) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("ce-id", delivery.event_id.to_string());
    headers.insert("ce-accountid", delivery.account.as_str());
    headers.insert("ce-subject", delivery.aggregate_id.as_str());
    headers.insert("ce-sequence", delivery.version.to_string());
    headers.insert("ce-type", delivery.type_name.as_str());
    headers.insert("ce-time", delivery.time.to_rfc3339());
    headers.insert("ce-actor", delivery.actor.as_str());
    headers.insert("ce-requestid", delivery.request_id.as_str());
    if let Some(traceparent) = &delivery.traceparent {
        headers.insert("traceparent", traceparent.as_str());
    }
    headers
}

fn check_message_of<M: Debug + Default + Message + Name + PartialEq>(delivery: &Delivery) {
    match delivery.message::<M>() {
        Ok(message) => {
            let encoded = message.encode_to_vec();
            assert_eq!(M::decode(encoded.as_slice()).ok(), Some(message));
        }
        Err(error) => assert_permanent(&error),
    }
}

fn check_detail<T: EventDetail>(delivery: &Delivery) {
    match delivery.detail::<T>() {
        Ok(detail) => assert!(detail.is_none() || EVENT_TYPES.contains(&delivery.type_name.as_str())),
        Err(error) => assert_permanent(&error),
    }
}

/// A retry of a malformed event cannot succeed.
fn assert_permanent(error: &HandlerError) {
    assert!(matches!(error, HandlerError::Permanent(_)), "{error}");
    assert_bounded(&error.to_string());
}
