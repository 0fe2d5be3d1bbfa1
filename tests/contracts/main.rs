//! Contract tests: every consumer must still read events as they were frozen when they became public. A new event gets
//! its own JSON file in this folder; existing files never change.

use std::collections::BTreeMap;

use async_nats::HeaderMap;
use cosell_collaboration::Collaboration;
use cosell_notification::{Notifications, SmtpSecurity};
use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1::Opportunity;
use cosell_proto::cosell::referral::v1::{GetAcceptedOpportunityResponse, LeadDetails};
use cosell_referral::Referrals;
use cosell_review::Reviews;
use cosell_service::Service;
use cosell_testkit::harness::{App, PeerStub, Setup, eventually, opportunities, referrals, reviews};
use cosell_tests::repository::files;
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde::Deserialize;
use serde_json::Value;

/// An event as it was frozen.
#[derive(Deserialize)]
struct FrozenEvent {
    subject: String,
    headers: BTreeMap<String, String>,
    /// Hexadecimal.
    payload: String,
    /// In the canonical JSON form of Protocol Buffers.
    message: Value,
}

impl FrozenEvent {
    fn all() -> Vec<FrozenEvent> {
        let files = files("tests/contracts", ".json");
        files
            .iter()
            .map(|file| {
                serde_json::from_str(&file.text).unwrap_or_else(|error| panic!("{}: {error}", file.path))
            })
            .collect()
    }

    fn of_context(context: &str) -> Vec<FrozenEvent> {
        let source = format!("/cosell/{context}");
        Self::all()
            .into_iter()
            .filter(|frozen| frozen.headers["ce-source"] == source)
            .collect()
    }

    fn payload(&self) -> Vec<u8> {
        let digits = self.payload.as_bytes().chunks(2);
        digits
            .map(|pair| {
                let pair = std::str::from_utf8(pair).expect("digits");
                u8::from_str_radix(pair, 16).expect("hexadecimal")
            })
            .collect()
    }

    async fn publish(&self, peer: &PeerStub) {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            headers.insert(name.as_str(), value.as_str());
        }
        peer.publish_raw(&self.subject, headers, self.payload()).await;
    }
}

#[test]
fn plt_009_frozen_bytes_decode_to_frozen_messages() {
    let pool = DescriptorPool::decode(cosell_proto::DESCRIPTORS).expect("descriptors");
    let all = FrozenEvent::all();
    assert!(all.len() >= 79);
    for frozen in all {
        let name = &frozen.headers["ce-type"];
        let descriptor = pool
            .get_message_by_name(name)
            .unwrap_or_else(|| panic!("the message {name} was removed"));
        let encoded = DynamicMessage::deserialize(descriptor.clone(), frozen.message.clone());
        let encoded = encoded
            .unwrap_or_else(|error| panic!("{name}: {error}"))
            .encode_to_vec();
        let encoded: String = encoded.iter().map(|byte| format!("{byte:02x}")).collect();
        let message = DynamicMessage::decode(descriptor, frozen.payload().as_slice())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(
            message.unknown_fields().count(),
            0,
            "a field of {name} was removed"
        );
        assert_eq!(
            serde_json::to_value(&message).expect("JSON"),
            frozen.message,
            "{name}; the payload of a new event with this message is {encoded}"
        );
    }
}

/// Waits until a consumer has applied `expected` events. Fails if one becomes a dead letter.
async fn wait_until_applied<S: Service>(app: &App, consumer: &str, expected: usize) {
    eventually(async || {
        let mut admin = app.database.admin::<S>().await;
        let applied: i64 = sqlx::query_scalar("SELECT count(*) FROM inbox WHERE consumer = $1")
            .bind(consumer)
            .fetch_one(&mut admin)
            .await
            .expect("a count");
        let dead_letters: Vec<String> = sqlx::query_scalar("SELECT type || ': ' || error FROM dead_letter")
            .fetch_all(&mut admin)
            .await
            .expect("the dead letters");
        assert!(
            dead_letters.is_empty(),
            "{consumer} has dead letters: {dead_letters:?}"
        );
        if applied == expected as i64 {
            Ok(())
        } else {
            Err(format!("{consumer} has applied {applied} of {expected} events"))
        }
    })
    .await;
}

/// Starts a peer stub that returns an opportunity for every id, and returns its address.
async fn start_opportunity_stub() -> String {
    opportunities(|id, revision| {
        Ok(Opportunity {
            opportunity_id: id.to_owned(),
            revision,
            ..Default::default()
        })
    })
    .await
}

#[tokio::test]
async fn plt_009_review_reads_frozen_events() {
    let options = cosell_review::Options {
        opportunity_url: start_opportunity_stub().await,
    };
    let app = Setup::default().with_bus().start::<Reviews>(options).await;
    let peer = PeerStub::new(&app.bus_args.nats_url).await;
    for context in ["opportunity", "partner"] {
        let frozen = FrozenEvent::of_context(context);
        for event in &frozen {
            event.publish(&peer).await;
        }
        wait_until_applied::<Reviews>(&app, &format!("review-{context}"), frozen.len()).await;
    }
    app.finish::<Reviews>().await;
}

#[tokio::test]
async fn plt_009_referral_reads_frozen_events() {
    let options = cosell_referral::Options::new(start_opportunity_stub().await);
    let app = Setup::default().with_bus().start::<Referrals>(options).await;
    let peer = PeerStub::new(&app.bus_args.nats_url).await;
    let frozen = FrozenEvent::of_context("partner");
    for event in &frozen {
        event.publish(&peer).await;
    }
    wait_until_applied::<Referrals>(&app, "referral-partner", frozen.len()).await;
    app.finish::<Referrals>().await;
}

#[tokio::test]
async fn plt_009_collaboration_reads_frozen_events() {
    let options = cosell_collaboration::Options::new(start_opportunity_stub().await);
    let app = Setup::default().with_bus().start::<Collaboration>(options).await;
    let peer = PeerStub::new(&app.bus_args.nats_url).await;
    for context in ["partner", "opportunity"] {
        let frozen = FrozenEvent::of_context(context);
        for event in &frozen {
            event.publish(&peer).await;
        }
        wait_until_applied::<Collaboration>(&app, &format!("collaboration-{context}"), frozen.len()).await;
    }
    app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn plt_009_notification_reads_frozen_events() {
    let options = cosell_notification::Options {
        opportunity_url: start_opportunity_stub().await,
        referral_url: referrals(GetAcceptedOpportunityResponse::default(), LeadDetails::default()).await,
        collaboration_url: cosell_testkit::harness::channels().await,
        link_base: String::new(),
        smtp_host: "127.0.0.1".to_owned(),
        smtp_port: 9,
        smtp_security: SmtpSecurity::None,
        smtp_user: None,
        smtp_password_file: None,
        mail_from: "cosell <no-reply@cosell.example>".to_owned(),
        unsubscribe: cosell_notification::UnsubscribeArgs::default(),
    };
    let app = Setup::default().with_bus().start::<Notifications>(options).await;
    let peer = PeerStub::new(&app.bus_args.nats_url).await;
    for (context, consumer) in [
        ("opportunity", "notification-opportunity"),
        ("partner", "notification-partner"),
        ("review", "notification-review"),
        ("referral", "notification-referral"),
        ("collaboration", "notification-collaboration"),
    ] {
        let frozen = FrozenEvent::of_context(context);
        for event in &frozen {
            event.publish(&peer).await;
        }
        wait_until_applied::<Notifications>(&app, consumer, frozen.len()).await;
    }
    app.finish::<Notifications>().await;
}

#[tokio::test]
async fn plt_009_opportunity_reads_frozen_events() {
    let options = cosell_opportunity::Options {
        review_url: reviews("Remarks.").await,
        referral_url: referrals(
            GetAcceptedOpportunityResponse {
                opportunity: Some(cosell_tests::valid_opportunity()),
                ..Default::default()
            },
            LeadDetails::default(),
        )
        .await,
        catalog: "Sandbox".to_owned(),
        ..cosell_opportunity::Options::default()
    };
    let app = Setup::default().with_bus().start::<Opportunities>(options).await;
    let peer = PeerStub::new(&app.bus_args.nats_url).await;
    // In this order: collaboration's events refer to opportunities that referral's events create.
    for context in ["partner", "review", "referral", "collaboration"] {
        let frozen = FrozenEvent::of_context(context);
        for event in &frozen {
            event.publish(&peer).await;
        }
        wait_until_applied::<Opportunities>(&app, &format!("opportunity-{context}"), frozen.len()).await;
    }
    app.finish::<Opportunities>().await;
}
