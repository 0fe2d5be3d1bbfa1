//! Broken rules as failures: every rule has its reason, and the compiler sees to it.

use cosell_grpc::Failure;
use cosell_proto::cosell::referral::v1::ErrorReason;
use cosell_types::ClosedList as _;
use tonic::Code;

use crate::domain::Rule;

const DOMAIN: &str = "referral.cosell";

fn failure(code: Code, reason: ErrorReason, message: impl Into<String>) -> Failure {
    Failure::new(code, DOMAIN, reason.as_str_name(), message)
}

/// No such referral.
pub fn referral_not_found(id: &str) -> Failure {
    failure(
        Code::NotFound,
        ErrorReason::ReferralNotFound,
        format!("referral {id} does not exist"),
    )
    .about("referral", id)
}

/// No such offer.
pub fn offer_not_found(id: &str) -> Failure {
    failure(
        Code::NotFound,
        ErrorReason::ReferralOfferNotFound,
        format!("offer {id} does not exist"),
    )
    .about("referral_offer", id)
}

/// No such lead.
pub fn lead_not_found(id: &str) -> Failure {
    failure(
        Code::NotFound,
        ErrorReason::LeadNotFound,
        format!("lead {id} does not exist"),
    )
    .about("lead", id)
}

/// A broken rule of this referral, offer or lead.
pub fn broken(rule: Rule, id: &str) -> Failure {
    match rule {
        Rule::Invalid(found) => Failure::invalid(found),
        Rule::IllegalTransition { state, action } => {
            let text = format!("{} is not possible in state {}", action.name(), state.name());
            failure(Code::FailedPrecondition, ErrorReason::IllegalTransition, text)
                .about("referral_offer", id)
                .with("state", state.name())
                .with("action", action.name())
        }
        Rule::Ineligible(account, cause) => {
            let text = format!("{account} cannot be offered deals: {}", cause.name());
            failure(Code::FailedPrecondition, ErrorReason::ReceiverNotEligible, text)
                .with("account_id", account)
                .with("cause", cause.name())
        }
        Rule::Converted(opportunity) => {
            let text =
                format!("opportunity {opportunity} was made of lead {id}, which does not change any more");
            failure(Code::FailedPrecondition, ErrorReason::LeadConverted, text)
                .about("lead", id)
                .with("opportunity_id", opportunity)
        }
        Rule::Disqualified => {
            let text = format!("lead {id} is disqualified; set another state first");
            failure(Code::FailedPrecondition, ErrorReason::LeadDisqualified, text).about("lead", id)
        }
    }
}
