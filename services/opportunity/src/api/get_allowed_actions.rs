use chrono::{DateTime, Utc};
use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::r#type::v1::Blocker;
use cosell_store::begin;
use cosell_types::{Member, Violation};

use super::{Api, permit};
use crate::domain::access::Action;
use crate::domain::values::{InvolvementType, Visibility};
use crate::domain::{Facts, Field, Opportunity, Rule};
use crate::load::load_opportunity;
use crate::status;
use crate::store;

pub async fn handle(
    api: &Api,
    call: Call<pb::GetAllowedActionsRequest>,
) -> Result<pb::GetAllowedActionsResponse, Failure> {
    let mut tx = begin(&api.db, &call).await?;
    let record = load_opportunity(&mut tx, &call, &call.message.opportunity_id).await?;
    let member = call.member()?;
    let now = api.clock.now();
    let facts = store::load_facts(&mut tx, &api.policy, record.account(), &[record.details()]).await?;
    let check = |rpc: &str, action, rule: &dyn Fn(&mut Opportunity) -> Result<(), Rule>| {
        if permit(action)(&call.caller) {
            rule(&mut record.clone()).map_err(|rule| status::rule_violated(rule, &record.id().to_string()))
        } else {
            let rpc = format!("cosell.opportunity.v1.{rpc}");
            Err(Failure::role_not_permitted(&rpc))
        }
    };

    let update = check(
        "OpportunityService/UpdateOpportunity",
        Action::Update,
        &|record| check_editable(record),
    );
    let fields = Field::ALL
        .iter()
        .map(|field| field_permission(*field, &record, update.as_ref().err()))
        .collect();
    let (submit, blockers) = match check(
        "OpportunityLifecycleService/SubmitOpportunity",
        Action::Submit,
        &|_| Ok(()),
    ) {
        Ok(()) => check_submission(&record, member, &facts, now),
        denied => (denied, Vec::new()),
    };
    let withdraw = check(
        "OpportunityLifecycleService/WithdrawSubmission",
        Action::Withdraw,
        &|record| record.withdraw(&member.id, now).map(drop),
    );
    let discard = check(
        "OpportunityLifecycleService/DiscardDraft",
        Action::Discard,
        &|record| record.discard(&member.id, now).map(drop),
    );
    let stage = check(
        "OpportunityLifecycleService/ChangeStage",
        Action::Update,
        &|record| {
            check_editable(record)?;
            let now = record.lifecycle_state();
            let is_editable = Field::Stage.is_editable(now);
            is_editable
                .then_some(())
                .ok_or(Rule::FieldsNotEditable(now, Vec::new()))
        },
    );
    let next_step = check(
        "OpportunityLifecycleService/AddNextStep",
        Action::Update,
        &|record| record.can_add_next_step(),
    );
    let clone = check(
        "OpportunityLifecycleService/CloneOpportunity",
        Action::Create,
        &|record| record.can_be_cloned(),
    );
    let assign = check(
        "OpportunityLifecycleService/AssignOpportunity",
        Action::Update,
        &|record| record.can_be_assigned(),
    );
    let reopen = check(
        "OpportunityLifecycleService/ReopenOpportunity",
        Action::Reopen,
        &|record| record.can_be_reopened(),
    );
    let correct = check(
        "OpportunityLifecycleService/CorrectClosedOpportunity",
        Action::Update,
        &|record| record.can_be_corrected(&facts, now),
    );
    let associate = check("OpportunityService/AssociateEntity", Action::Update, &|record| {
        record.can_associate_any_entity()
    });
    let tag = check("OpportunityService/TagOpportunity", Action::Update, &|_| Ok(()));
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
        (pb::OpportunityAction::CorrectClosed, correct, Vec::new()),
    ];
    Ok(pb::GetAllowedActionsResponse {
        actions: actions.into_iter().map(action_permission).collect(),
        fields,
        etag: etags::of(record.revision()),
    })
}

fn check_editable(record: &Opportunity) -> Result<(), Rule> {
    let now = record.lifecycle_state();
    now.is_editable()
        .then_some(())
        .ok_or(Rule::RecordNotEditable(now))
}

/// Checks whether the record can be submitted with its involvement type or, if it has none, with the one that follows
/// from its needs. Returns the violations that block the submission.
fn check_submission(
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
                Rule::Invalid(violations) => violations.iter().map(blocker).collect(),
                _ => Vec::new(),
            };
            (
                Err(status::rule_violated(rule, &record.id().to_string())),
                blockers,
            )
        }
    }
}

/// `refusal` is the error of any update of the record.
fn field_permission(field: Field, record: &Opportunity, refusal: Option<&Failure>) -> pb::FieldPermission {
    let now = record.lifecycle_state();
    let editable = refusal.is_none() && record.is_field_editable(field);
    let (reason, explanation) = match refusal {
        Some(failure) => (failure.reason().to_owned(), failure.message().to_owned()),
        None if editable => Default::default(),
        None => {
            let failure = status::rule_violated(Rule::FieldsNotEditable(now, Vec::new()), "");
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

fn action_permission(
    (action, result, blockers): (pb::OpportunityAction, Result<(), Failure>, Vec<Blocker>),
) -> pb::ActionPermission {
    let refusal = result.err();
    let reason = refusal.as_ref().map(Failure::reason).unwrap_or_default();
    let explanation = refusal.as_ref().map(Failure::message).unwrap_or_default();
    pb::ActionPermission {
        action: action.into(),
        allowed: refusal.is_none(),
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
