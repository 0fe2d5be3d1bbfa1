//! Conversion between proto messages and the domain. Depends neither on calls nor on storage.

mod channel;
mod engagement;
mod shared;
mod snapshot;

pub use channel::{channel, channel_preferences, opportunity_facts};
pub use engagement::{answered_invitation, context_from_proto, engagement, engagement_member, invitation};
pub use shared::{
    SenderContent, account_profile, context_from_opportunity, invitation_content, is_limited, is_submitted,
    opportunity_summary, sharing_facts,
};
pub use snapshot::{job, snapshot};
