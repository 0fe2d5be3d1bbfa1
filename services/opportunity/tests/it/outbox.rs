//! What others are told: every change is one event, in order, with what a consumer needs and no personal data.

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_testkit::harness::{FarEnd, Setup};

use crate::support::{
    ALDER, by, create, discard_request, next_steps, options, record, submit, user, withdraw_request,
};

#[tokio::test]
async fn plt_009_every_change_is_published_once_in_order() {
    let app = Setup::default()
        .with_bus()
        .start::<Opportunities>(options("http://127.0.0.1:9"))
        .await;
    let made = create(&app, &user(), record("Secret Customer Ltd")).await;
    let id = made.opportunity_id.as_str();
    by(&app, &user())
        .opportunities()
        .update_opportunity(next_steps(id, "Confidential step"))
        .await
        .expect("an update");
    submit(&app, &user(), id).await;
    by(&app, &user())
        .lifecycle()
        .withdraw_submission(withdraw_request(id))
        .await
        .expect("a withdrawal");
    let other = create(&app, &user(), record("Secret Customer Ltd")).await;
    by(&app, &user())
        .lifecycle()
        .discard_draft(discard_request(&other.opportunity_id))
        .await
        .expect("a discarded draft");

    let all = FarEnd::new(&app.bus_args.nats_url)
        .await
        .first("opportunity", 6)
        .await;
    let of = |id: &str| {
        all.iter()
            .filter(|event| event.header("ce-subject") == id)
            .collect::<Vec<_>>()
    };
    let first = of(id);
    let verbs: Vec<_> = first
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
    for (index, event) in first.iter().enumerate() {
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
    let updated: pb::OpportunityUpdated = first[1].message();
    assert_eq!(updated.changed_fields, ["life_cycle.next_steps"]);
    let submitted: pb::OpportunitySubmitted = first[2].message();
    assert_eq!((submitted.revision, submitted.round), (3, 1));
    assert_eq!(submitted.involvement_type(), pb::InvolvementType::CoSell);
    let discarded: pb::OpportunityDiscarded = of(&other.opportunity_id)[1].message();
    assert_eq!(discarded.revision, 2);

    for event in &all {
        let text = format!(
            "{} {:?} {}",
            event.subject,
            event.headers,
            String::from_utf8_lossy(&event.payload)
        );
        for secret in ["Secret Customer", "Confidential", "alder.example", "20457"] {
            assert!(
                !text.contains(secret),
                "{secret:?} must not leave in an event: {text}"
            );
        }
    }
    app.finish::<Opportunities>().await;
}
