//! Events as they were frozen when they became public: today's code must still read them. A new event gets a file
//! beside this one; a file that is there never changes.

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
use cosell_testkit::harness::{App, FarEnd, Setup, eventually, opportunities, referrals, reviews};
use cosell_tests::repository::files;
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde::Deserialize;
use serde_json::Value;

/// A frozen event.
#[derive(Deserialize)]
struct Frozen {
    subject: String,
    headers: BTreeMap<String, String>,
    /// In hexadecimal.
    payload: String,
    /// In the JSON form of Protocol Buffers.
    message: Value,
}

impl Frozen {
    fn all() -> Vec<Frozen> {
        let files = files("tests/contracts", ".json");
        files
            .iter()
            .map(|file| {
                serde_json::from_str(&file.text).unwrap_or_else(|error| panic!("{}: {error}", file.path))
            })
            .collect()
    }

    fn of(context: &str) -> Vec<Frozen> {
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

    async fn publish(&self, far: &FarEnd) {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            headers.insert(name.as_str(), value.as_str());
        }
        far.publish_raw(&self.subject, headers, self.payload()).await;
    }
}

#[test]
fn plt_009_frozen_bytes_mean_what_they_meant() {
    let pool = DescriptorPool::decode(cosell_proto::DESCRIPTORS).expect("descriptors");
    let all = Frozen::all();
    assert!(all.len() >= 76);
    for frozen in all {
        let name = &frozen.headers["ce-type"];
        let descriptor = pool
            .get_message_by_name(name)
            .unwrap_or_else(|| panic!("{name} is gone"));
        let message = DynamicMessage::decode(descriptor, frozen.payload().as_slice())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(message.unknown_fields().count(), 0, "{name} has lost a field");
        assert_eq!(
            serde_json::to_value(&message).expect("JSON"),
            frozen.message,
            "{name}"
        );
    }
}

/// Waits until a consumer has dealt with as many events as were published, and none became a dead letter.
async fn consumed<S: Service>(app: &App, consumer: &str, expected: usize) {
    eventually(async || {
        let mut admin = app.database.admin::<S>().await;
        let read: i64 = sqlx::query_scalar("SELECT count(*) FROM inbox WHERE consumer = $1")
            .bind(consumer)
            .fetch_one(&mut admin)
            .await
            .expect("a count");
        let letters: Vec<String> = sqlx::query_scalar("SELECT type || ': ' || error FROM dead_letter")
            .fetch_all(&mut admin)
            .await
            .expect("the dead letters");
        assert!(letters.is_empty(), "{consumer} cannot read: {letters:?}");
        if read == expected as i64 {
            Ok(())
        } else {
            Err(format!("{consumer} has read {read} of {expected}"))
        }
    })
    .await;
}

async fn any_opportunity() -> String {
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
        opportunity_url: any_opportunity().await,
    };
    let app = Setup::default().with_bus().start::<Reviews>(options).await;
    let far = FarEnd::new(&app.bus_args.nats_url).await;
    for context in ["opportunity", "partner"] {
        let frozen = Frozen::of(context);
        for event in &frozen {
            event.publish(&far).await;
        }
        consumed::<Reviews>(&app, &format!("review-{context}"), frozen.len()).await;
    }
    app.finish::<Reviews>().await;
}

#[tokio::test]
async fn plt_009_referral_reads_frozen_events() {
    let options = cosell_referral::Options::new(any_opportunity().await);
    let app = Setup::default().with_bus().start::<Referrals>(options).await;
    let far = FarEnd::new(&app.bus_args.nats_url).await;
    let frozen = Frozen::of("partner");
    for event in &frozen {
        event.publish(&far).await;
    }
    consumed::<Referrals>(&app, "referral-partner", frozen.len()).await;
    app.finish::<Referrals>().await;
}

#[tokio::test]
async fn plt_009_collaboration_reads_frozen_events() {
    let options = cosell_collaboration::Options::new(any_opportunity().await);
    let app = Setup::default().with_bus().start::<Collaboration>(options).await;
    let far = FarEnd::new(&app.bus_args.nats_url).await;
    for context in ["partner", "opportunity"] {
        let frozen = Frozen::of(context);
        for event in &frozen {
            event.publish(&far).await;
        }
        consumed::<Collaboration>(&app, &format!("collaboration-{context}"), frozen.len()).await;
    }
    app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn plt_009_notification_reads_frozen_events() {
    let options = cosell_notification::Options {
        opportunity_url: any_opportunity().await,
        collaboration_url: cosell_testkit::harness::channels().await,
        smtp_host: "127.0.0.1".to_owned(),
        smtp_port: 9,
        smtp_security: SmtpSecurity::None,
        smtp_user: None,
        smtp_password_file: None,
        mail_from: "cosell <no-reply@cosell.example>".to_owned(),
    };
    let app = Setup::default().with_bus().start::<Notifications>(options).await;
    let far = FarEnd::new(&app.bus_args.nats_url).await;
    for (context, consumer) in [
        ("opportunity", "notification-opportunity"),
        ("partner", "notification-partner"),
        ("review", "notification-review"),
        ("referral", "notification-referral"),
        ("collaboration", "notification-collaboration"),
    ] {
        let frozen = Frozen::of(context);
        for event in &frozen {
            event.publish(&far).await;
        }
        consumed::<Notifications>(&app, consumer, frozen.len()).await;
    }
    app.finish::<Notifications>().await;
}

#[tokio::test]
async fn plt_009_opportunity_reads_frozen_events() {
    let options = cosell_opportunity::Options {
        review_url: reviews("Remarks.").await,
        referral_url: referrals(
            GetAcceptedOpportunityResponse {
                opportunity: Some(cosell_tests::record()),
                ..Default::default()
            },
            LeadDetails::default(),
        )
        .await,
        catalog: "Sandbox".to_owned(),
        ..cosell_opportunity::Options::default()
    };
    let app = Setup::default().with_bus().start::<Opportunities>(options).await;
    let far = FarEnd::new(&app.bus_args.nats_url).await;
    // What referral brings is then shared.
    for context in ["partner", "review", "referral", "collaboration"] {
        let frozen = Frozen::of(context);
        for event in &frozen {
            event.publish(&far).await;
        }
        consumed::<Opportunities>(&app, &format!("opportunity-{context}"), frozen.len()).await;
    }
    app.finish::<Opportunities>().await;
}
