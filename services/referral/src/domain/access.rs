//! Access to the RPCs and visibility of leads (ACC-010, REF-040, REF-055).

use cosell_types::{Caller, Member, Role, Side};

use super::Lead;

/// The RPCs of this service, grouped by the access that they require.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// CreateReferral, GetReferral, ListReferrals.
    Refer,
    /// GetReferralOffer, ListReferralOffers, AcceptReferralOffer, BatchAcceptReferralOffers, RejectReferralOffer.
    Answer,
    /// GetLead, ListLeads, SetLeadState, AddLeadInteraction, AssignLead, ConvertLead.
    Lead,
    /// GetAcceptedOpportunity, GetConvertedLead.
    ReadContent,
    /// GetReferralOfferForAccount, GetReferralForAccount, GetLeadForAccount.
    ReadForAccount,
}

/// The service that creates the opportunities of accepted offers and converted leads.
const OPPORTUNITY: &str = "opportunity";
/// The service that names offers, referrals and leads in the notifications of their accounts (REF-057).
const NOTIFICATION: &str = "notification";

/// Whether the caller has access to the RPCs of the action.
pub fn permits(caller: &Caller, action: Action) -> bool {
    let member = match caller {
        Caller::Service(name) => {
            return match action {
                Action::ReadContent => name.as_str() == OPPORTUNITY,
                Action::ReadForAccount => name.as_str() == NOTIFICATION,
                Action::Refer | Action::Answer | Action::Lead => false,
            };
        }
        Caller::Member(member) => member,
    };
    match action {
        Action::Refer => member.side == Side::Aws && member.has_any_role(&Role::SALES),
        Action::Answer => member.sees_whole_pipeline(),
        Action::Lead => member.has_pipeline_role(),
        Action::ReadContent | Action::ReadForAccount => false,
    }
}

/// Whether the lead is visible to the member (REF-055).
pub fn can_view_lead(member: &Member, lead: &Lead) -> bool {
    member.account == *lead.account() && (member.sees_whole_pipeline() || member.id == *lead.owner())
}

/// Whether leads can be assigned to the member (REF-056).
pub fn can_own_leads(member: &Member) -> bool {
    member.has_any_role(&Role::OWNERS)
}
