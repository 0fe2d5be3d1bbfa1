use chrono::{DateTime, Utc};
use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::r#type::v1::Blocker;
use cosell_types::{Member, Violation};

use super::{Api, permit, status, visible};
use crate::domain::access::Action;
use crate::domain::values::{InvolvementType, RelatedEntityType, Visibility};
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
    let facts = store::facts(&mut tx, &api.policy, record.account(), &[record.details()]).await?;
    let ask = |rpc: &str, action, rule: &dyn Fn(&mut Opportunity) -> Result<(), Rule>| {
        if permit(action)(&call.caller) {
            rule(&mut record.clone()).map_err(|rule| status::broken(rule, &record.id().to_string()))
        } else {
            let rpc = format!("cosell.opportunity.v1.OpportunityService/{rpc}");
            Err(Failure::role_not_permitted(&rpc))
        }
    };

    let update = ask("UpdateOpportunity", Action::Update, &|record| editable(record));
    let fields = Field::ALL
        .iter()
        .map(|field| field_permission(*field, &record, update.as_ref().err()))
        .collect();
    let (submit, blockers) = match ask("SubmitOpportunity", Action::Submit, &|_| Ok(())) {
        Ok(()) => submission(&record, member, &facts, now),
        refused => (refused, Vec::new()),
    };
    let withdraw = ask("WithdrawSubmission", Action::Withdraw, &|record| {
        record.withdraw(&member.id, now).map(drop)
    });
    let discard = ask("DiscardDraft", Action::Discard, &|record| {
        record.discard(&member.id, now).map(drop)
    });
    let stage = ask("ChangeStage", Action::Update, &|record| {
        editable(record)?;
        let now = record.situation();
        let is_open = Field::Stage.is_editable(now);
        is_open
            .then_some(())
            .ok_or(Rule::FieldsNotEditable(now, Vec::new()))
    });
    let next_step = ask("AddNextStep", Action::Update, &|record| {
        record.can_be_followed_up()
    });
    let clone = ask("CloneOpportunity", Action::Create, &|record| {
        record.can_be_cloned()
    });
    let assign = ask("AssignOpportunity", Action::Update, &|record| {
        record.can_be_assigned()
    });
    let reopen = ask("ReopenOpportunity", Action::Reopen, &|record| {
        record.can_be_reopened()
    });
    let associate = ask("AssociateEntity", Action::Update, &|record| {
        record.can_be_associated(RelatedEntityType::Solutions)
    });
    let tag = ask("TagOpportunity", Action::Update, &|_| Ok(()));
    let actions = [
        (pb::OpportunityAction::Update, update, Vec::new()),
        (pb::OpportunityAction::Submit, submit, blockers),
        (pb::OpportunityAction::WithdrawSubmission, withdraw, Vec::new()),
        (pb::OpportunityAction::DiscardDraft, discard, Vec::new()),
        (pb::OpportunityAction::ChangeStage, stage, Vec::new()),
        (pb::OpportunityAction::AddNextStep, next_step, Vec::new()),
        (pb::OpportunityAction::Clone, clone, Vec::new()),
        (pb::OpportunityAction::Assign, assign, Vec::new()),
        (pb::OpportunityAction::Reopen, reopen, Vec::new()),
        (pb::OpportunityAction::AssociateEntity, associate, Vec::new()),
        (pb::OpportunityAction::Tag, tag, Vec::new()),
    ];
    Ok(pb::GetAllowedActionsResponse {
        actions: actions.into_iter().map(permission).collect(),
        fields,
        etag: etags::of(record.revision()),
    })
}

fn editable(record: &Opportunity) -> Result<(), Rule> {
    let now = record.situation();
    now.is_editable()
        .then_some(())
        .ok_or(Rule::RecordNotEditable(now))
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
    let editable = refused.is_none() && record.is_open(field);
    let (reason, explanation) = match refused {
        Some(failure) => (failure.reason().to_owned(), failure.message().to_owned()),
        None if editable => Default::default(),
        None => {
            let failure = status::broken(Rule::FieldsNotEditable(now, Vec::new()), "");
            (failure.reason().to_owned(), failure.message().to_owned())
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
    (action, result, blockers): (pb::OpportunityAction, Result<(), Failure>, Vec<Blocker>),
) -> pb::ActionPermission {
    let refused = result.err();
    let reason = refused.as_ref().map(Failure::reason).unwrap_or_default();
    let explanation = refused.as_ref().map(Failure::message).unwrap_or_default();
    pb::ActionPermission {
        action: action.into(),
        allowed: refused.is_none(),
        reason: reason.to_owned(),
        explanation: explanation.to_owned(),
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
