use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_types::{FieldPath, Violation, ViolationCode};

use super::Api;
use crate::convert::Reader;
use crate::domain::{ClosureCorrection, Rule};
use crate::write::change;
use crate::{convert, status, store};

pub async fn handle(
    api: Api,
    call: Call<pb::CorrectClosedOpportunityRequest>,
) -> Result<pb::CorrectClosedOpportunityResponse, Failure> {
    let message = &call.message;
    let id = &message.opportunity_id;
    let member = call.member()?;
    let correction = read_correction(message)?;
    let record = change(&api.db, &call, (id, &message.etag), async |tx, record| {
        let facts = store::load_facts(tx, &api.policy, record.account(), &[record.details()]).await?;
        record
            .correct_closed(&member.id, &correction, &facts, api.clock.now())
            .map_err(|rule| match rule {
                Rule::Invalid(violations) => Failure::invalid(of_request(violations)),
                rule => status::rule_violated(rule, id),
            })
    })
    .await?;
    Ok(pb::CorrectClosedOpportunityResponse {
        opportunity: Some(convert::opportunity(&record, &api.catalog)),
    })
}

/// Violations of the opportunity, at the fields of the request that state the values.
fn of_request(mut violations: Vec<Violation>) -> Vec<Violation> {
    for violation in &mut violations {
        if let Some((_, name)) = violation.field.rsplit_once('.') {
            violation.field = name.to_owned();
        }
    }
    violations
}

fn read_correction(message: &pb::CorrectClosedOpportunityRequest) -> Result<ClosureCorrection, Failure> {
    let mut reader = Reader::default();
    let target_close_date = reader.date(message.target_close_date.as_ref(), "target_close_date");
    let mut violations = reader.violations;
    if message.target_close_date.is_none() && message.aws_account_id.is_empty() {
        let text = "Is required, unless aws_account_id is stated.";
        violations.push(Violation::new(
            &FieldPath::root().field("target_close_date"),
            ViolationCode::RequiredFieldMissing,
            text,
        ));
    }
    if !violations.is_empty() {
        return Err(Failure::invalid(violations));
    }
    Ok(ClosureCorrection {
        target_close_date,
        aws_account_id: message.aws_account_id.clone().into(),
    })
}
