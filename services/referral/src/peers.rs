//! Calls to the opportunity service.

use cosell_grpc::{Failure, Peer, Retry};
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::opportunity::v1::opportunity_internal_service_client::OpportunityInternalServiceClient;
use cosell_types::{FieldPath, Violation, ViolationCode};
use tonic::Code;

/// A referred opportunity as the opportunity service sees it.
pub struct CheckedOpportunity {
    /// The violations that would prevent its creation.
    pub violations: Vec<Violation>,
    /// The opportunity as the accepting partner receives it: defaults set, values in their standard spelling. `None`
    /// from an opportunity service of an earlier release.
    pub opportunity: Option<opportunity::Opportunity>,
}

/// Validates and normalizes a referred opportunity in the opportunity service (REF-003, REF-012). The call has the
/// identity of this service and reads no data of any account.
pub async fn check_opportunity(
    peer: &Peer,
    opportunity: &opportunity::Opportunity,
    sender_contacts: &[opportunity::Contact],
) -> Result<CheckedOpportunity, Failure> {
    let message = opportunity::CheckReferredOpportunityRequest {
        opportunity: Some(opportunity.clone()),
        sender_contacts: sender_contacts.to_vec(),
    };
    let request = peer.request(message)?;
    let response = OpportunityInternalServiceClient::new(peer.channel())
        .check_referred_opportunity(request)
        .await;
    let response = response.map_err(|status| match status.code() {
        Code::Unavailable | Code::DeadlineExceeded | Code::ResourceExhausted | Code::Cancelled => {
            Failure::unavailable(Retry::Never, status)
        }
        _ => Failure::internal(status),
    })?;
    let response = response.into_inner();
    let root = FieldPath::root();
    let violations = response.violations.into_iter().map(|violation| {
        let details = violation.field.unwrap_or_default();
        let field = format!("referral.{}", details.field);
        let code = ViolationCode::from_name(&details.code).unwrap_or(ViolationCode::InvalidValue);
        Violation {
            partner_central_field: details.partner_central_field,
            rejected: details.rejected_value,
            allowed: details.allowed_values,
            pattern: details.pattern,
            ..Violation::new(&root.field(&field), code, violation.description)
        }
    });
    Ok(CheckedOpportunity {
        violations: violations.collect(),
        opportunity: response.opportunity,
    })
}
