use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::r#type::v1::InvalidField;
use cosell_types::{AccountId, MemberId, random};

use super::{Api, convert};
use crate::domain::{Facts, Opportunity, check_offer, introduction};

/// As if a partner had accepted it. Of accounts nothing is read: a deal that is offered names nothing of theirs.
pub async fn handle(
    api: &Api,
    call: Call<pb::CheckReferredOpportunityRequest>,
) -> Result<pb::CheckReferredOpportunityResponse, Failure> {
    let given = call.message.opportunity.clone().unwrap_or_default();
    let (details, found) = convert::details(&given);
    let mut problems: Vec<_> = found
        .into_iter()
        .map(|wrong| (wrong.field.clone(), wrong))
        .collect();
    let now = api.clock.now();
    let account: AccountId = NOBODY.parse().map_err(Failure::internal)?;
    let by: MemberId = NOBODY.parse().map_err(Failure::internal)?;
    let id = random::opportunity_id(now);
    let facts = Facts::none(&api.policy);
    let of_deal = |wrong: cosell_types::Violation| (format!("opportunity.{}", wrong.field), wrong);
    let (record, _, wrong) = Opportunity::referred(id, account, by, "", details, &facts, now);
    problems.extend(wrong.into_iter().map(of_deal));
    problems.extend(check_offer(&record, now).into_iter().map(of_deal));
    let people = call.message.sender_contacts.iter().cloned();
    let people = people.map(convert::contact).collect();
    if let Err(wrong) = introduction(&record, people, &api.policy, now) {
        problems.extend(wrong.into_iter().map(|wrong| {
            let place = wrong.field.strip_prefix("opportunity_team").unwrap_or_default();
            (format!("sender_contacts{place}"), wrong)
        }));
    }
    let problems = problems.into_iter().map(|(field, wrong)| pb::FieldProblem {
        field: Some(InvalidField {
            field,
            partner_central_field: wrong.original,
            code: wrong.code.as_str().to_owned(),
            rejected_value: wrong.rejected,
            allowed_values: wrong.allowed,
            standard_values: wrong.list.to_owned(),
            pattern: wrong.pattern,
        }),
        description: wrong.description,
    });
    Ok(pb::CheckReferredOpportunityResponse {
        violations: problems.collect(),
    })
}

/// Who would have the record is of no account.
const NOBODY: &str = "000000000000";
