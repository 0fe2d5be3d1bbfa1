//! Published events: each change is one event, in order, with CloudEvents attributes and without personal data
//! (PLT-009).

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_testkit::harness::{PeerStub, Setup};

use crate::support::{
    ALDER, client_for, create, discard_request, next_steps_request, options, record, submit, user,
    withdraw_request,
};

#[tokio::test]
async fn plt_009_each_change_is_published_once_in_order() {
    let app = Setup::default()
        .with_bus()
        .start::<Opportunities>(options("http://127.0.0.1:9"))
        .await;
    let created = create(&app, &user(), record("Secret Customer Ltd")).await;
    let id = created.opportunity_id.as_str();
    client_for(&app, &user())
        .opportunities()
        .update_opportunity(next_steps_request(id, "Confidential step"))
        .await
        .expect("an update");
    submit(&app, &user(), id).await;
    client_for(&app, &user())
        .lifecycle()
        .withdraw_submission(withdraw_request(id))
        .await
        .expect("a withdrawal");
    let other = create(&app, &user(), record("Secret Customer Ltd")).await;
    client_for(&app, &user())
        .lifecycle()
        .discard_draft(discard_request(&other.opportunity_id))
        .await
        .expect("a discarded draft");

    let all = PeerStub::new(&app.bus_args.nats_url)
        .await
        .first_events("opportunity", 6)
        .await;
    let events_of = |id: &str| {
        all.iter()
            .filter(|event| event.header("ce-subject") == id)
            .collect::<Vec<_>>()
    };
    let opportunity_events = events_of(id);
    let verbs: Vec<_> = opportunity_events
        .iter()
        .map(|event| event.subject.rsplit('.').next().expect("a verb"))
        .collect();
    assert_eq!(
        verbs,
        [
            "opportunity_created",
            "opportunity_updated",
            "opportunity_submitted",
            "opportunity_submission_withdrawn"
        ]
    );
    for (index, event) in opportunity_events.iter().enumerate() {
        assert_eq!(
            event.subject,
            format!("cosell.opportunity.v1.{ALDER}.{id}.{}", verbs[index])
        );
        assert_eq!(event.header("ce-specversion"), "1.0");
        assert_eq!(event.header("ce-source"), "/cosell/opportunity");
        assert_eq!(event.header("ce-sequence"), (index + 1).to_string());
        assert_eq!(event.header("ce-accountid"), ALDER);
        assert_eq!(event.header("ce-actor"), "mem-user");
        assert_eq!(event.header("ce-datacontenttype"), "application/protobuf");
        assert_eq!(event.header("ce-id"), event.header("Nats-Msg-Id"));
        assert!(!event.header("ce-requestid").is_empty());
    }
    let updated: pb::OpportunityUpdated = opportunity_events[1].message();
    assert_eq!(updated.changed_fields, ["life_cycle.next_steps"]);
    let submitted: pb::OpportunitySubmitted = opportunity_events[2].message();
    assert_eq!((submitted.revision, submitted.round), (3, 1));
    assert_eq!(submitted.involvement_type(), pb::InvolvementType::CoSell);
    let discarded: pb::OpportunityDiscarded = events_of(&other.opportunity_id)[1].message();
    assert_eq!(discarded.revision, 2);

    for event in &all {
        let text = format!(
            "{} {:?} {}",
            event.subject,
            event.headers,
            String::from_utf8_lossy(&event.payload)
        );
        for personal in ["Secret Customer", "Confidential", "alder.example", "20457"] {
            assert!(!text.contains(personal), "an event contains {personal:?}: {text}");
        }
    }
    app.finish::<Opportunities>().await;
}
