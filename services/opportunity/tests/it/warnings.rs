//! What is accepted in a draft and asked for at submission (OPP-014, OPP-017, OPP-042), and what a clone does not have of its
//! source (OPP-037).

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::partner::v1::PartnerType;
use cosell_proto::cosell::r#type::v1::Warning;
use cosell_testkit::harness::refused;
use tonic::Code;

use crate::reviewer::{create_approved, start_with_review};
use crate::support::{
    ALDER, client_for, create, create_request, date, get, record, start, submit, submit_request, user,
};

/// A record of the industry Government with this postal code in the United States.
fn government(postal_code: &str) -> pb::Opportunity {
    let mut record = record("Seine");
    let customer = record.customer.as_mut().expect("a customer");
    let account = customer.account.as_mut().expect("an account");
    account.industry = "Government".to_owned();
    let address = account.address.as_mut().expect("an address");
    address.country_code = "US".to_owned();
    address.state_or_region = "Virginia".to_owned();
    address.postal_code = postal_code.to_owned();
    record
}

fn texts(warnings: &[Warning]) -> Vec<(&str, &str)> {
    warnings
        .iter()
        .map(|warning| (warning.field.as_str(), warning.description.as_str()))
        .collect()
}

#[tokio::test]
async fn opp_014_017_draft_warns_with_the_texts_with_which_submission_refuses() {
    let app = start().await;
    let client = client_for(&app, &user());
    let created = client
        .opportunities()
        .create_opportunity(create_request(government("1234")))
        .await
        .expect("a draft")
        .into_inner();
    let id = created.opportunity.expect("the record").opportunity_id;
    let refusal = refused(
        client.lifecycle().submit_opportunity(submit_request(&id)).await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    assert_eq!(
        refusal.paths(),
        [
            "opportunity.national_security",
            "opportunity.customer.account.address.postal_code"
        ]
    );
    for (field, text) in texts(&created.warnings) {
        assert!(
            refusal
                .fields
                .iter()
                .any(|(path, _, description)| (path.as_str(), description.as_str()) == (field, text)),
            "the submission must refuse what the draft warns about: {field}: {text}"
        );
    }
    assert_eq!(created.warnings.len(), 2, "{:?}", created.warnings);

    // An answer, whichever it is, and a valid code end both.
    let mut answered = government("22202-1234");
    answered.national_security = Some(false);
    let update = pb::UpdateOpportunityRequest {
        opportunity_id: id.clone(),
        opportunity: Some(answered),
        update_mask: Some(prost_types::FieldMask {
            paths: vec![
                "national_security".to_owned(),
                "customer.account.address.postal_code".to_owned(),
            ],
        }),
        ..Default::default()
    };
    let updated = client.opportunities().update_opportunity(update).await;
    assert_eq!(texts(&updated.expect("an update").into_inner().warnings), []);
    let submitted = submit(&app, &user(), &id).await;
    assert_eq!(submitted.national_security, Some(false));
    app.finish::<Opportunities>().await;
}

/// Training partners choose the use case Training; another one is accepted with a warning.
#[tokio::test]
async fn opp_042_training_partner_is_warned_about_another_use_case_than_training() {
    let app = start().await;
    app.directory
        .set_partner_type(ALDER, PartnerType::TrainingPartner);
    for (use_case, warned) in [
        ("Database", vec!["opportunity.project.customer_use_case"]),
        ("Training", vec![]),
    ] {
        let mut deal = record("Seine");
        deal.project.as_mut().expect("a project").customer_use_case = use_case.to_owned();
        deal.life_cycle.as_mut().expect("a life cycle").stage = pb::Stage::Qualified.into();
        let id = create(&app, &user(), deal).await.opportunity_id;
        let answer = client_for(&app, &user())
            .lifecycle()
            .submit_opportunity(submit_request(&id))
            .await;
        let warnings = answer.expect("a submission").into_inner().warnings;
        let fields: Vec<_> = warnings.iter().map(|warning| warning.field.as_str()).collect();
        assert_eq!(fields, warned, "{use_case}");
    }
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_037_clone_names_what_it_does_not_have_of_its_source() {
    let (app, peer) = start_with_review().await;
    let mut source = record("Nordwind");
    source.partner_opportunity_identifier = "CRM-1".to_owned();
    let life_cycle = source.life_cycle.as_mut().expect("a life cycle");
    life_cycle.next_steps = "Call the customer.".to_owned();
    let id = create_approved(&app, &peer, source).await;
    let client = client_for(&app, &user());
    let loss = pb::ChangeStageRequest {
        opportunity_id: id.clone(),
        stage: pb::Stage::ClosedLost.into(),
        closed_lost_reason: pb::ClosedLostReason::Price.into(),
        ..Default::default()
    };
    client.lifecycle().change_stage(loss).await.expect("a loss");
    let before = get(&app, &user(), &id).await;
    let request = pb::CloneOpportunityRequest {
        opportunity_id: id.clone(),
        opportunity: Some(pb::Opportunity {
            life_cycle: Some(pb::LifeCycle {
                target_close_date: date(2026, 12, 1),
                ..Default::default()
            }),
            ..Default::default()
        }),
        ..Default::default()
    };
    let stated = pb::CloneOpportunityRequest {
        opportunity: Some(pb::Opportunity {
            partner_opportunity_identifier: "CRM-2".to_owned(),
            life_cycle: Some(pb::LifeCycle {
                target_close_date: date(2026, 12, 1),
                stage: pb::Stage::Qualified.into(),
                next_steps: "Call again.".to_owned(),
                ..Default::default()
            }),
            ..Default::default()
        }),
        ..request.clone()
    };
    let answer = client.lifecycle().clone_opportunity(stated).await;
    assert_eq!(
        texts(&answer.expect("a clone").into_inner().warnings)
            .iter()
            .map(|(field, _)| *field)
            .collect::<Vec<_>>(),
        ["opportunity.life_cycle.closed_lost_reason"],
        "what the caller states is no loss"
    );
    let answer = client.lifecycle().clone_opportunity(request).await;
    let warnings = answer.expect("a clone").into_inner().warnings;
    let not_copied = "Was not copied: it belongs to the cloned opportunity.";
    assert_eq!(
        texts(&warnings),
        [
            ("opportunity.partner_opportunity_identifier", not_copied),
            (
                "opportunity.life_cycle.stage",
                "Was set to PROSPECT, the stage of every new clone."
            ),
            ("opportunity.life_cycle.closed_lost_reason", not_copied),
            ("opportunity.life_cycle.next_steps", not_copied),
        ]
    );
    assert_eq!(get(&app, &user(), &id).await, before);
    app.finish::<Opportunities>().await;
}
