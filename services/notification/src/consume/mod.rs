//! Incoming events: what happens to opportunities and reviews is told to those whom it concerns.

mod bulk_job_finished;
mod channel_changed;
mod connection_invitation_changed;
mod engagement_invitation_changed;
mod member_changed;
mod opportunity_assigned;
mod opportunity_changed;
mod referral_changed;
mod review_requested;

use std::sync::Arc;

use cosell_events::{Delivery, Fault, Handler};
use cosell_grpc::Peer;
use cosell_proto::cosell::collaboration::v1 as collaboration;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::partner::v1 as partner;
use cosell_proto::cosell::review::v1 as review;
use cosell_store::Tx;
use cosell_types::{AccountId, Clock, MemberId, random};

use crate::domain::values::Kind;
use crate::domain::{Audience, Contact, Facts, Templates};
use crate::store;
use crate::store::About;

/// The contexts whose events are consumed.
pub const OPPORTUNITY: &str = "opportunity";
pub const REVIEW: &str = "review";
pub const REFERRAL: &str = "referral";
pub const COLLABORATION: &str = "collaboration";

/// Tells of the events of opportunity.
#[derive(Clone)]
pub struct FromOpportunity {
    /// The opportunity service, for what events do not carry.
    pub opportunity: Peer,
    /// The texts.
    pub templates: Arc<Templates>,
    /// The time.
    pub clock: Clock,
}

/// Takes over from the events of the directory who can be told, and where.
#[derive(Clone)]
pub struct FromPartner {
    /// The partner-connection service, for what events do not carry.
    pub directory: Peer,
    /// The texts.
    pub templates: Arc<Templates>,
    /// The time.
    pub clock: Clock,
}

/// What an event of the directory asks for.
#[derive(Default)]
pub struct Change {
    reached: Option<member_changed::Reached>,
    news: Option<Box<News>>,
}

/// Tells of the events of review.
#[derive(Clone)]
pub struct FromReview {
    /// The texts.
    pub templates: Arc<Templates>,
    /// The time.
    pub clock: Clock,
}

/// Tells of the events of referral.
#[derive(Clone)]
pub struct FromReferral {
    /// The texts.
    pub templates: Arc<Templates>,
    /// The time.
    pub clock: Clock,
}

/// Tells of the events of collaboration.
#[derive(Clone)]
pub struct FromCollaboration {
    /// The collaboration service, for what events do not carry.
    pub collaboration: Peer,
    /// The texts.
    pub templates: Arc<Templates>,
    /// The time.
    pub clock: Clock,
}

/// What is to be told.
pub struct News {
    kind: Kind,
    about: About,
    own_of: Vec<MemberId>,
    contacts: Vec<Contact>,
    reviewer: Option<MemberId>,
    facts: Facts,
}

impl Handler for FromOpportunity {
    type Prepared = Option<Box<News>>;

    async fn prepare(&self, delivery: &Delivery) -> Result<Self::Prepared, Fault> {
        let kind = if delivery.is::<opportunity::OpportunitySubmitted>() {
            Kind::OpportunitySubmitted
        } else if delivery.is::<opportunity::OpportunityActionRequired>() {
            Kind::ActionRequired
        } else if delivery.is::<opportunity::OpportunityApproved>() {
            Kind::OpportunityApproved
        } else if delivery.is::<opportunity::OpportunityRejected>() {
            Kind::OpportunityRejected
        } else if delivery.is::<opportunity::OpportunityReopened>() {
            Kind::OpportunityReopened
        } else if delivery.is::<opportunity::OpportunityAssigned>() {
            return Ok(opportunity_assigned::prepare(delivery)?.map(Box::new));
        } else if delivery.is::<opportunity::BulkJobFinished>() {
            return Ok(Some(Box::new(bulk_job_finished::prepare(delivery)?)));
        } else {
            return Ok(None);
        };
        Ok(Some(Box::new(
            opportunity_changed::prepare(self, delivery, kind).await?,
        )))
    }

    async fn apply(&self, tx: &mut Tx, delivery: &Delivery, news: Self::Prepared) -> Result<(), Fault> {
        let Some(news) = news else { return Ok(()) };
        let members = store::of_account(tx, &delivery.account).await?;
        tell(
            tx,
            &delivery.account,
            &news,
            members,
            &self.templates,
            &self.clock,
        )
        .await
    }
}

impl Handler for FromPartner {
    type Prepared = Change;

    async fn prepare(&self, delivery: &Delivery) -> Result<Change, Fault> {
        if let Some(member) = delivery.detail::<partner::MemberEventDetail>()? {
            member_changed::prepare(self, delivery, member).await
        } else if let Some(invitation) = delivery.detail::<partner::ConnectionInvitationEventDetail>()? {
            connection_invitation_changed::prepare(self, delivery, invitation).await
        } else {
            Ok(Change::default())
        }
    }

    async fn apply(&self, tx: &mut Tx, delivery: &Delivery, change: Change) -> Result<(), Fault> {
        let account = &delivery.account;
        cosell_members::take_over(tx, delivery).await?;
        if let Some(reached) = change.reached {
            member_changed::apply(tx, account, reached).await?;
        }
        let Some(news) = change.news else { return Ok(()) };
        let members = store::of_account(tx, account).await?;
        tell(tx, account, &news, members, &self.templates, &self.clock).await
    }
}

impl Handler for FromReview {
    type Prepared = Option<Box<News>>;

    async fn prepare(&self, delivery: &Delivery) -> Result<Self::Prepared, Fault> {
        if delivery.is::<review::ReviewRoundOpened>() {
            Ok(Some(Box::new(review_requested::prepare(delivery)?)))
        } else {
            Ok(None)
        }
    }

    async fn apply(&self, tx: &mut Tx, delivery: &Delivery, news: Self::Prepared) -> Result<(), Fault> {
        let Some(news) = news else { return Ok(()) };
        let members = store::of_aws(tx).await?;
        tell(
            tx,
            &delivery.account,
            &news,
            members,
            &self.templates,
            &self.clock,
        )
        .await
    }
}

impl Handler for FromReferral {
    type Prepared = Option<Box<News>>;

    async fn prepare(&self, delivery: &Delivery) -> Result<Self::Prepared, Fault> {
        Ok(referral_changed::prepare(delivery)?.map(Box::new))
    }

    async fn apply(&self, tx: &mut Tx, delivery: &Delivery, news: Self::Prepared) -> Result<(), Fault> {
        let Some(news) = news else { return Ok(()) };
        let account = &delivery.account;
        let members = store::of_account(tx, account).await?;
        tell(tx, account, &news, members, &self.templates, &self.clock).await
    }
}

impl Handler for FromCollaboration {
    /// With the account whose people are told, where it is not that of the event.
    type Prepared = Option<Box<(News, String)>>;

    async fn prepare(&self, delivery: &Delivery) -> Result<Self::Prepared, Fault> {
        let news =
            if let Some(invitation) = delivery.detail::<collaboration::EngagementInvitationEventDetail>()? {
                engagement_invitation_changed::prepare(delivery, invitation)
                    .map(|news| (news, delivery.account.to_string()))
            } else if let Some(channel) = delivery.detail::<collaboration::ChannelEventDetail>()? {
                channel_changed::prepare(self, delivery, channel).await?
            } else {
                None
            };
        Ok(news.map(Box::new))
    }

    async fn apply(&self, tx: &mut Tx, delivery: &Delivery, news: Self::Prepared) -> Result<(), Fault> {
        let Some(told) = news else { return Ok(()) };
        let (news, account) = *told;
        let account: AccountId = account
            .parse()
            .map_err(|_| Fault::permanent("member_account_id"))?;
        // Partners' events tell of partners' people and of AWS's, and of nobody else's.
        let is_own = account == delivery.account && news.kind != Kind::ChannelRequested;
        let members = if is_own {
            store::of_account(tx, &account).await?
        } else {
            store::of_aws(tx).await?
        };
        tell(tx, &account, &news, members, &self.templates, &self.clock).await
    }
}

/// Puts the news into inboxes and into the mail queue. Mail goes out later, from the queue: never from in here.
async fn tell(
    tx: &mut Tx,
    account: &AccountId,
    news: &News,
    members: Vec<crate::domain::Member>,
    templates: &Templates,
    clock: &Clock,
) -> Result<(), Fault> {
    let subject = crate::domain::Subject {
        kind: news.kind,
        account,
        own_of: &news.own_of,
        contacts: &news.contacts,
        reviewer: news.reviewer.as_ref(),
    };
    let Audience { members, contacts } = crate::domain::audience(&subject, members);
    let letter = templates
        .render(news.kind, &news.facts)
        .map_err(|error| Fault::Bug(error.to_string()))?;
    let now = clock.now();
    for (member, email) in members {
        let id = random::prefixed("ntf-");
        let to = (&member.account, &member.id);
        store::put(tx, &id, to, news.kind, &news.about, &letter, now).await?;
        if email {
            store::queue(
                tx,
                &member.account,
                Some((&member.id, &id)),
                &member.email,
                &letter,
                now,
            )
            .await?;
        }
    }
    for contact in contacts {
        store::queue(tx, account, None, &contact.email, &letter, now).await?;
    }
    Ok(())
}
