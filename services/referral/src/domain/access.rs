//! Who may do what (ACC-010, REF-040, REF-055).

use cosell_types::{Caller, Member, Role, Side};

use super::Lead;

/// What can be asked of this service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// CreateReferral, GetReferral, ListReferrals.
    Refer,
    /// GetReferralOffer, ListReferralOffers, AcceptReferralOffer, BatchAcceptReferralOffers, RejectReferralOffer.
    Answer,
    /// GetLead, ListLeads, SetLeadState, AddLeadInteraction, AssignLead, ConvertLead.
    Lead,
    /// GetAcceptedOpportunity, GetConvertedLead.
    ReadDeal,
}

/// The service that makes opportunities.
const OPPORTUNITY: &str = "opportunity";

/// Whether the caller may make the call.
pub fn permits(caller: &Caller, action: Action) -> bool {
    let member = match caller {
        // The opportunity service makes the partner's opportunity of what was accepted or converted.
        Caller::Service(name) => return action == Action::ReadDeal && name.as_str() == OPPORTUNITY,
        Caller::Member(member) => member,
    };
    match action {
        Action::Refer => member.side == Side::Aws && member.has_any(&Role::SALES),
        Action::Answer => member.side == Side::Partner && member.has_any(&Role::WHOLE_PIPELINE),
        Action::Lead => {
            member.side == Side::Partner
                && (member.has_any(&Role::WHOLE_PIPELINE) || member.has_any(&Role::OWN_RECORDS))
        }
        Action::ReadDeal => false,
    }
}

/// Whether the member sees all leads of its account, or only those that it owns (REF-055).
pub fn sees_all_leads(member: &Member) -> bool {
    member.has_any(&Role::WHOLE_PIPELINE)
}

/// Whether the member sees a lead of its account (REF-055).
pub fn sees(member: &Member, lead: &Lead) -> bool {
    member.account == *lead.account() && (sees_all_leads(member) || member.id == *lead.owner())
}

/// Whether a lead can be given to the member (REF-056).
pub fn may_own_leads(member: &Member) -> bool {
    member.has_any(&Role::OWNERS)
}
