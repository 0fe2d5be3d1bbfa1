use chrono::{DateTime, Utc};
use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::r#type::v1::Blocker;
use cosell_types::{Member, Violation};

use super::{Api, permit, status, visible};
use crate::domain::access::Action;
use crate::domain::values::{InvolvementType, Visibility};
use crate::domain::{Facts, Field, Opportunity, Rule};
use crate::store;

pub async fn handle(
    api: &Api,
    call: Call<pb::GetAllowedActionsRequest>,
) -> Result<pb::GetAllowedActionsResponse, Failure> {
    let mut tx = api.begin(&call).await?;
    let record = visible(&mut tx, &call, &call.message.opportunity_id).await?;
    let member = call.member()?;
    let now = api.clock.now();
    let allowed = |action| permit(action)(&call.caller);
    let role =
        |rpc: &str| Failure::role_not_permitted(&format!("cosell.opportunity.v1.OpportunityService/{rpc}"));

    let update = if allowed(Action::Update) {
        editable(&record)
    } else {
        Err(role("UpdateOpportunity"))
    };
    let fields = Field::ALL
        .iter()
        .map(|field| field_permission(*field, &record, update.as_ref().err()))
        .collect();
    let submit = if allowed(Action::Submit) {
        Ok(())
    } else {
        Err(role("SubmitOpportunity"))
    };
    let withdraw = if allowed(Action::Withdraw) {
        Ok(())
    } else {
        Err(role("WithdrawSubmission"))
    };
    let discard = if allowed(Action::Discard) {
        Ok(())
    } else {
        Err(role("DiscardDraft"))
    };
    let try_out = |change: &dyn Fn(&mut Opportunity) -> Result<(), Rule>| {
        change(&mut record.clone()).map_err(|rule| status::broken(rule, &record.id().to_string()))
    };

    let facts = store::facts(&mut tx, &api.policy, record.account(), &[record.details()]).await?;
    let (submit, blockers) = match submit {
        Ok(()) => submission(&record, member, &facts, now),
        refused => (refused, Vec::new()),
    };
    let withdraw = withdraw.and_then(|()| try_out(&|record| record.withdraw(&member.id, now).map(drop)));
    let discard = discard.and_then(|()| try_out(&|record| record.discard(&member.id, now).map(drop)));
    let actions = vec![
        permission(pb::OpportunityAction::Update, &update, Vec::new()),
        permission(pb::OpportunityAction::Submit, &submit, blockers),
        permission(pb::OpportunityAction::WithdrawSubmission, &withdraw, Vec::new()),
        permission(pb::OpportunityAction::DiscardDraft, &discard, Vec::new()),
    ];
    Ok(pb::GetAllowedActionsResponse {
        actions,
        fields,
        etag: etags::of(record.revision()),
    })
}

fn editable(record: &Opportunity) -> Result<(), Failure> {
    let now = record.situation();
    if now.is_editable() {
        Ok(())
    } else {
        Err(status::broken(
            Rule::RecordNotEditable(now),
            &record.id().to_string(),
        ))
    }
}

/// Whether the record could be submitted with the involvement that it has, or that its needs ask for; and what is
/// still missing in it.
fn submission(
    record: &Opportunity,
    member: &Member,
    facts: &Facts<'_>,
    now: DateTime<Utc>,
) -> (Result<(), Failure>, Vec<Blocker>) {
    let involvement = record
        .involvement()
        .unwrap_or(if record.details().primary_needs_from_aws.is_empty() {
            InvolvementType::ForVisibilityOnly
        } else {
            InvolvementType::CoSell
        });
    let visibility = record.visibility().unwrap_or(Visibility::Full);
    match record
        .clone()
        .submit(&member.id, involvement, visibility, facts, now)
    {
        Ok(_) => (Ok(()), Vec::new()),
        Err(rule) => {
            let blockers = match &rule {
                Rule::Invalid(found) => found.iter().map(blocker).collect(),
                _ => Vec::new(),
            };
            (Err(status::broken(rule, &record.id().to_string())), blockers)
        }
    }
}

fn field_permission(field: Field, record: &Opportunity, refused: Option<&Failure>) -> pb::FieldPermission {
    let now = record.situation();
    let editable = refused.is_none() && field.is_editable(now);
    let (reason, explanation) = match refused {
        Some(failure) => (failure.reason().to_owned(), failure.message().to_owned()),
        None if editable => Default::default(),
        None => {
            let failure = status::broken(Rule::FieldsNotEditable(now, Vec::new()), "");
            (
                failure.reason().to_owned(),
                failure.message().trim_end_matches([':', ' ']).to_owned(),
            )
        }
    };
    pb::FieldPermission {
        field: field.path().to_owned(),
        editable,
        reason,
        explanation,
    }
}

fn permission(
    action: pb::OpportunityAction,
    result: &Result<(), Failure>,
    blockers: Vec<Blocker>,
) -> pb::ActionPermission {
    let refused = result.as_ref().err();
    pb::ActionPermission {
        action: action.into(),
        allowed: refused.is_none(),
        reason: refused
            .map(|failure| failure.reason().to_owned())
            .unwrap_or_default(),
        explanation: refused
            .map(|failure| failure.message().to_owned())
            .unwrap_or_default(),
        blockers,
    }
}

fn blocker(violation: &Violation) -> Blocker {
    Blocker {
        field: violation.field.clone(),
        code: violation.code.as_str().to_owned(),
        description: violation.description.clone(),
    }
}
