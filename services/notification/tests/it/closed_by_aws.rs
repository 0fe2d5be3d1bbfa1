//! Covers notifications about opportunities that AWS closed in its own sales process: recipients, text, and what the
//! partner does not see of the AWS summary (NOT-001, NOT-005, OPP-052).

use cosell_notification::Notifications;
use cosell_proto::cosell::notification::v1::NotificationKind as Kind;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::google::r#type::Date;
use opportunity::AwsStage;

use crate::email::Email;
use crate::support::{
    ALDER, PROJECT, PROJECT_LINES, Scenario, ace_user, address, alliance_lead, other_account_lead, record,
    start, start_with, vera,
};

const PAGE: (&str, &str) = ("/opportunities/O1", "Opportunity O1");

/// Publishes the event of the AWS summary of O1.
async fn close(scenario: &Scenario, revision: i64, stage: AwsStage) {
    let event = opportunity::OpportunityClosedByAws {
        opportunity_id: "O1".to_owned(),
        account_id: ALDER.to_owned(),
        revision,
        stage: stage.into(),
    };
    let peer = &scenario.peer;
    peer.publish_event("opportunity", ALDER, "aws-O1", revision, &event)
        .await;
}

fn set_summary(scenario: &Scenario, stage: AwsStage, closed_lost_reason: &str) {
    scenario.aws_summary.lock().expect("the summary").life_cycle = Some(opportunity::AwsLifeCycle {
        stage: stage.into(),
        closed_lost_reason: closed_lost_reason.to_owned(),
        target_close_date: Some(Date {
            year: 2026,
            month: 3,
            day: 31,
        }),
        ..Default::default()
    });
}

#[tokio::test]
async fn not_001_closure_by_aws_notifies_members_with_own_record_and_contacts() {
    let scenario = start_with(|id, revision| {
        let contact = |email: &str, title: &str| opportunity::Contact {
            email: email.to_owned(),
            business_title: title.to_owned(),
            ..Default::default()
        };
        Ok(opportunity::Opportunity {
            opportunity_team: vec![
                contact("sales@alder.example", "PartnerAccountManager"),
                contact("owner@alder.example", "OpportunityOwner"),
            ],
            ..record(id, revision)
        })
    })
    .await;
    set_summary(&scenario, AwsStage::ClosedLost, "Lost to Competitor - Google");
    close(&scenario, 1, AwsStage::ClosedLost).await;
    assert_eq!(
        scenario.recipients(3).await,
        [
            address("mem-marketing"),
            address("mem-user"),
            "sales@alder.example".to_owned()
        ]
    );
    let entry = scenario.wait_for_notification(&ace_user(), "O1").await;
    assert_eq!(entry.kind(), Kind::OpportunityClosedByAws);
    for caller in [alliance_lead(), other_account_lead(), vera()] {
        assert_eq!(scenario.inbox(&caller).await, [], "{caller:?}");
    }
    let subject = format!("Closed by AWS as Closed Lost: {PROJECT}");
    for to in [address("mem-user"), "sales@alder.example".to_owned()] {
        let email = scenario.email(&to, &subject).await;
        let parts = [
            PROJECT_LINES,
            "AWS stage:              Closed Lost\n",
            "AWS close date:         2026-03-31\n",
            "AWS closed lost reason: Lost to Competitor - Google\n",
            "The stage of your own opportunity is unchanged.",
        ];
        email.require(&parts, PAGE.0, PAGE.1);
    }
    scenario.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn not_005_launch_by_aws_states_its_stage_and_date_without_reason() {
    let scenario = start().await;
    set_summary(&scenario, AwsStage::Launched, "");
    close(&scenario, 1, AwsStage::Launched).await;
    let email = scenario
        .email(&address("mem-user"), "Closed by AWS as Launched")
        .await;
    let parts = ["AWS stage:              Launched\nAWS close date:         2026-03-31\n"];
    email.require(&parts, PAGE.0, PAGE.1);
    email.forbid(&["reason"]);
    scenario.app.finish::<Notifications>().await;
}

/// AWS has moved its stage on before the event is processed, so that the partner no longer sees it.
#[tokio::test]
async fn opp_052_closure_notification_shows_nothing_of_a_hidden_aws_stage() {
    let scenario = start().await;
    set_summary(&scenario, AwsStage::Qualified, "Hidden reason");
    close(&scenario, 1, AwsStage::Launched).await;
    let email = scenario
        .email(&address("mem-user"), "Closed by AWS as Launched")
        .await;
    email.require(&[PROJECT_LINES], PAGE.0, PAGE.1);
    email.forbid(&["Qualified", "2026-03-31", "Hidden reason"]);

    // No event has another stage; one that has it nevertheless discloses nothing.
    close(&scenario, 2, AwsStage::Qualified).await;
    scenario.recipients(4).await;
    let inbox = scenario.inbox(&ace_user()).await;
    assert_eq!(inbox.len(), 2, "{inbox:?}");
    for entry in inbox {
        Email::from(entry).forbid(&["Qualified"]);
    }
    scenario.app.finish::<Notifications>().await;
}
