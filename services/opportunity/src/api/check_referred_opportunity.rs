use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::r#type::v1::InvalidField;
use cosell_types::{AccountId, MemberId, Violation, random};

use super::Api;
use crate::convert;
use crate::domain::{Facts, Opportunity, check_referral_offer, initial_aws_summary};

/// The account and the member who would own the opportunity: no rule depends on them.
const PLACEHOLDER_OWNER: &str = "000000000000";

/// Checks the opportunity as if a partner had accepted it. Reads nothing from the database: a referral references no
/// entities of an account.
pub async fn handle(
    api: &Api,
    call: Call<pb::CheckReferredOpportunityRequest>,
) -> Result<pb::CheckReferredOpportunityResponse, Failure> {
    let opportunity = call.message.opportunity.clone().unwrap_or_default();
    let (details, violations) = convert::details(&opportunity);
    // Each violation with the path of its field in the request.
    let mut violations: Vec<_> = violations
        .into_iter()
        .map(|violation| (violation.field.clone(), violation))
        .collect();
    let now = api.clock.now();
    let account: AccountId = PLACEHOLDER_OWNER.parse().map_err(Failure::internal)?;
    let member: MemberId = PLACEHOLDER_OWNER.parse().map_err(Failure::internal)?;
    let id = random::opportunity_id(now);
    let facts = Facts::without_references(&api.policy);
    let of_opportunity = |violation: Violation| (format!("opportunity.{}", violation.field), violation);
    let (record, _, violated) =
        Opportunity::from_referral_offer(id, account, member, "", details, &facts, now);
    violations.extend(violated.into_iter().map(of_opportunity));
    violations.extend(check_referral_offer(&record, now).into_iter().map(of_opportunity));
    let contacts = call.message.sender_contacts.iter().cloned();
    let contacts = contacts.map(convert::contact).collect();
    if let Err(violated) = initial_aws_summary(&record, contacts, &api.policy, now) {
        violations.extend(violated.into_iter().map(|violation| {
            let index = violation.field.strip_prefix("opportunity_team");
            (format!("sender_contacts{}", index.unwrap_or_default()), violation)
        }));
    }
    let violations = violations.into_iter().map(|(field, violation)| pb::FieldProblem {
        field: Some(InvalidField {
            field,
            partner_central_field: violation.partner_central_field,
            code: violation.code.as_str().to_owned(),
            rejected_value: violation.rejected,
            allowed_values: violation.allowed,
            standard_values: violation.list.to_owned(),
            pattern: violation.pattern,
        }),
        description: violation.description,
    });
    Ok(pb::CheckReferredOpportunityResponse {
        violations: violations.collect(),
        opportunity: Some(convert::partner_fields(record.details())),
    })
}
