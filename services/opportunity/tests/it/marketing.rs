//! What marketing staff sees (ACC-013): own opportunities, or all of the account by the operator's option, which arrives
//! with the events of the directory.

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::transfer_opportunities_request::Records;
use cosell_proto::cosell::partner::v1 as directory;
use cosell_testkit::harness::{App, eventually, partner, refused};
use cosell_types::{Caller, ClosedList as _, Role};
use tonic::Code;

use crate::bulk::bulk_client;
use crate::reviewer::start_with_review;
use crate::support::{
    ALDER, client_for, create, get_request, list_all_ids, next_steps_request, record, submit, user,
};

fn marketer() -> Caller {
    partner("mem-marketer", ALDER, Role::MarketingStaff)
}

fn visibility_changed(revision: i64, sees_all: bool) -> directory::MemberVisibilityChanged {
    directory::MemberVisibilityChanged {
        detail: Some(directory::MemberEventDetail {
            member_id: "mem-marketer".to_owned(),
            account_id: ALDER.to_owned(),
            revision,
            side: directory::Side::Partner.into(),
            status: directory::MemberStatus::Active.into(),
            roles: vec![Role::MarketingStaff.number()],
            sees_all_opportunities: sees_all,
        }),
    }
}

async fn wait_for_visibility(app: &App, id: &str, is_visible: bool) {
    eventually(async || {
        let found = client_for(app, &marketer())
            .opportunities()
            .get_opportunity(get_request(id))
            .await;
        match found {
            Ok(_) if is_visible => Ok(()),
            Err(status) if !is_visible && status.code() == Code::NotFound => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
}

#[tokio::test]
async fn acc_013_marketing_staff_works_on_own_opportunities_only() {
    let (app, _) = start_with_review().await;
    let of_colleague = create(&app, &user(), record("Nordwind")).await.opportunity_id;
    let own = create(&app, &marketer(), record("Ostwind")).await.opportunity_id;
    submit(&app, &marketer(), &own).await;
    let client = client_for(&app, &marketer());
    let listed = list_all_ids(&app, &marketer(), pb::ListOpportunitiesRequest::default())
        .await
        .expect("a list");
    assert_eq!(listed, [own]);
    let read = client
        .opportunities()
        .get_opportunity(get_request(&of_colleague))
        .await;
    refused(read, Code::NotFound, "OPPORTUNITY_NOT_FOUND");
    let update = next_steps_request(&of_colleague, "Call the customer.");
    let updated = client.opportunities().update_opportunity(update).await;
    refused(updated, Code::NotFound, "OPPORTUNITY_NOT_FOUND");
    let all = pb::CountOpportunitiesRequest {
        presets: vec![pb::OpportunityPreset::AllCustomerEngagements.into()],
    };
    let counts = client.opportunities().count_opportunities(all).await;
    assert_eq!(counts.expect("counts").into_inner().counts[0].count, 1);
    let transfer = |count| pb::TransferOpportunitiesRequest {
        records: Some(Records::List(pb::OpportunityList {
            expected_count: Some(count),
            ..Default::default()
        })),
        owner_member_id: "mem-user".to_owned(),
        ..Default::default()
    };
    let bulk = bulk_client(&app, &marketer());
    let of_all = bulk.clone().transfer_opportunities(transfer(2)).await;
    refused(of_all, Code::FailedPrecondition, "COUNT_MISMATCH");
    let of_own = bulk.clone().transfer_opportunities(transfer(1)).await;
    of_own.expect("a transfer of the own opportunity");
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn acc_013_option_of_the_directory_shows_marketing_staff_all_opportunities() {
    let (app, peer) = start_with_review().await;
    let id = create(&app, &user(), record("Nordwind")).await.opportunity_id;
    wait_for_visibility(&app, &id, false).await;
    for (sequence, sees_all) in [(1, true), (2, false)] {
        // The service has looked up revision 1.
        let event = visibility_changed(sequence + 1, sees_all);
        peer.publish_event("partner", ALDER, "mem-marketer", sequence, &event)
            .await;
        wait_for_visibility(&app, &id, sees_all).await;
    }
    app.finish::<Opportunities>().await;
}
