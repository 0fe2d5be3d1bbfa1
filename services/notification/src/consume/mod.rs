//! Creates notifications and queues e-mails for the events of other contexts. Also updates the replica of the directory
//! and the addresses of members.

mod bulk_job_finished;
mod channel_events;
mod connection_invitation_events;
mod engagement_invitation_events;
mod member_events;
mod opportunity_assigned;
mod opportunity_closed_by_aws;
mod opportunity_events;
mod referral_events;
mod review_round_opened;

use std::sync::Arc;

use cosell_events::{Delivery, Handler, HandlerError};
use cosell_proto::cosell::collaboration::v1 as collaboration;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::partner::v1 as partner;
use cosell_proto::cosell::review::v1 as review;
use cosell_store::Tx;
use cosell_types::{AccountId, Clock, MemberId, OpportunityId, Pii, random};

use crate::domain::values::NotificationKind;
use crate::domain::{
    Contact, Member, Recipients, SelectionCriteria, TemplateFacts, Templates, select_recipients,
};
use crate::peers::Peers;
use crate::store;
use crate::store::{MailRecipient, RelatedRecords};

/// The contexts whose events are consumed.
pub const OPPORTUNITY: &str = "opportunity";
pub const REVIEW: &str = "review";
pub const REFERRAL: &str = "referral";
pub const COLLABORATION: &str = "collaboration";

/// What all handlers need.
#[derive(Clone)]
pub struct Dependencies {
    /// The services that have the names and texts that events do not contain.
    pub peers: Peers,
    pub templates: Arc<Templates>,
    pub clock: Clock,
}

/// Notifies members of the events of opportunity.
#[derive(Clone)]
pub struct OpportunityEvents(pub Dependencies);

/// Applies the events of the directory to the replica and to the addresses of members, and notifies members.
#[derive(Clone)]
pub struct PartnerEvents(pub Dependencies);

/// Notifies reviewers of the events of review.
#[derive(Clone)]
pub struct ReviewEvents(pub Dependencies);

/// Notifies members of the events of referral.
#[derive(Clone)]
pub struct ReferralEvents(pub Dependencies);

/// Notifies members of the events of collaboration.
#[derive(Clone)]
pub struct CollaborationEvents(pub Dependencies);

/// The effect of an event of the directory, besides that on the replica.
#[derive(Default)]
pub struct PartnerChange {
    contact: Option<member_events::ContactUpdate>,
    notification: Option<Box<PreparedNotification>>,
}

/// A notification before its recipients are selected.
pub struct PreparedNotification {
    kind: NotificationKind,
    related: RelatedRecords,
    /// The members whose own opportunity it is, or whom the event names.
    concerned_members: Vec<MemberId>,
    /// Contacts that get an e-mail only.
    contacts: Vec<Contact>,
    /// The assignee of a review case.
    reviewer: Option<MemberId>,
    /// The addresses of the account owners in the AWS team.
    account_owners: Vec<Pii<String>>,
    facts: TemplateFacts,
}

impl PreparedNotification {
    /// A notification whose recipients its kind alone determines.
    fn new(kind: NotificationKind, facts: TemplateFacts) -> Self {
        Self {
            kind,
            related: RelatedRecords::default(),
            concerned_members: Vec::new(),
            contacts: Vec::new(),
            reviewer: None,
            account_owners: Vec::new(),
            facts,
        }
    }

    /// As [`PreparedNotification::new`], related to an opportunity; `None` if the event names none.
    fn of_opportunity(kind: NotificationKind, id: Option<OpportunityId>, facts: TemplateFacts) -> Self {
        let mut notification = Self::new(kind, facts);
        notification.related.opportunity = id;
        notification
    }
}

/// The kind of notification that an event of opportunity causes.
fn kind_of_opportunity_event(delivery: &Delivery) -> Option<NotificationKind> {
    Some(if delivery.is::<opportunity::OpportunitySubmitted>() {
        NotificationKind::OpportunitySubmitted
    } else if delivery.is::<opportunity::OpportunityActionRequired>() {
        NotificationKind::ActionRequired
    } else if delivery.is::<opportunity::OpportunityApproved>() {
        NotificationKind::OpportunityApproved
    } else if delivery.is::<opportunity::OpportunityRejected>() {
        NotificationKind::OpportunityRejected
    } else if delivery.is::<opportunity::OpportunityReopened>() {
        NotificationKind::OpportunityReopened
    } else if delivery.is::<opportunity::OpportunityAssigned>() {
        NotificationKind::OwnershipChanged
    } else if delivery.is::<opportunity::BulkJobFinished>() {
        NotificationKind::BulkJobFinished
    } else if delivery.is::<opportunity::OpportunityClosedByAws>() {
        NotificationKind::OpportunityClosedByAws
    } else {
        return None;
    })
}

impl Handler for OpportunityEvents {
    type Prepared = Option<Box<PreparedNotification>>;
    const READS_PEERS: bool = true;

    fn has_effect(&self, delivery: &Delivery) -> bool {
        kind_of_opportunity_event(delivery).is_some()
    }

    async fn prepare(&self, delivery: &Delivery) -> Result<Self::Prepared, HandlerError> {
        let prepared = match kind_of_opportunity_event(delivery) {
            None => None,
            Some(NotificationKind::OwnershipChanged) => {
                opportunity_assigned::prepare(&self.0, delivery).await?
            }
            Some(NotificationKind::BulkJobFinished) => {
                Some(bulk_job_finished::prepare(&self.0, delivery).await?)
            }
            Some(NotificationKind::OpportunityClosedByAws) => {
                Some(opportunity_closed_by_aws::prepare(&self.0, delivery).await?)
            }
            Some(kind) => Some(opportunity_events::prepare(&self.0, delivery, kind).await?),
        };
        Ok(prepared.map(Box::new))
    }

    async fn apply(
        &self,
        tx: &mut Tx,
        delivery: &Delivery,
        notification: Self::Prepared,
    ) -> Result<(), HandlerError> {
        let Some(notification) = notification else {
            return Ok(());
        };
        let members = store::load_members_of_account(tx, &delivery.account).await?;
        notify(&self.0, tx, &delivery.account, &notification, members).await
    }
}

impl Handler for PartnerEvents {
    type Prepared = PartnerChange;
    const READS_PEERS: bool = true;

    async fn prepare(&self, delivery: &Delivery) -> Result<PartnerChange, HandlerError> {
        if let Some(member) = delivery.detail::<partner::MemberEventDetail>()? {
            member_events::prepare(&self.0, delivery, member).await
        } else if let Some(invitation) = delivery.detail::<partner::ConnectionInvitationEventDetail>()? {
            connection_invitation_events::prepare(&self.0, delivery, invitation).await
        } else {
            Ok(PartnerChange::default())
        }
    }

    async fn apply(
        &self,
        tx: &mut Tx,
        delivery: &Delivery,
        change: PartnerChange,
    ) -> Result<(), HandlerError> {
        let account = &delivery.account;
        cosell_members::apply_directory_event(tx, delivery).await?;
        if let Some(contact) = change.contact {
            member_events::apply(tx, account, contact).await?;
        }
        let Some(notification) = change.notification else {
            return Ok(());
        };
        let members = store::load_members_of_account(tx, account).await?;
        notify(&self.0, tx, account, &notification, members).await
    }
}

impl Handler for ReviewEvents {
    type Prepared = Option<Box<PreparedNotification>>;
    const READS_PEERS: bool = true;

    fn has_effect(&self, delivery: &Delivery) -> bool {
        delivery.is::<review::ReviewRoundOpened>()
    }

    async fn prepare(&self, delivery: &Delivery) -> Result<Self::Prepared, HandlerError> {
        if delivery.is::<review::ReviewRoundOpened>() {
            Ok(Some(Box::new(
                review_round_opened::prepare(&self.0, delivery).await?,
            )))
        } else {
            Ok(None)
        }
    }

    async fn apply(
        &self,
        tx: &mut Tx,
        delivery: &Delivery,
        notification: Self::Prepared,
    ) -> Result<(), HandlerError> {
        let Some(notification) = notification else {
            return Ok(());
        };
        let members = store::load_aws_members(tx).await?;
        notify(&self.0, tx, &delivery.account, &notification, members).await
    }
}

impl Handler for ReferralEvents {
    type Prepared = Option<Box<PreparedNotification>>;
    const READS_PEERS: bool = true;

    async fn prepare(&self, delivery: &Delivery) -> Result<Self::Prepared, HandlerError> {
        Ok(referral_events::prepare(&self.0, delivery).await?.map(Box::new))
    }

    async fn apply(
        &self,
        tx: &mut Tx,
        delivery: &Delivery,
        notification: Self::Prepared,
    ) -> Result<(), HandlerError> {
        let Some(notification) = notification else {
            return Ok(());
        };
        let account = &delivery.account;
        let members = store::load_members_of_account(tx, account).await?;
        notify(&self.0, tx, account, &notification, members).await
    }
}

impl Handler for CollaborationEvents {
    /// The notification with the id of the account whose members are notified.
    type Prepared = Option<Box<(PreparedNotification, String)>>;
    const READS_PEERS: bool = true;

    async fn prepare(&self, delivery: &Delivery) -> Result<Self::Prepared, HandlerError> {
        let notification =
            if let Some(invitation) = delivery.detail::<collaboration::EngagementInvitationEventDetail>()? {
                engagement_invitation_events::prepare(&self.0, delivery, invitation)
                    .await?
                    .map(|notification| (notification, delivery.account.to_string()))
            } else if let Some(channel) = delivery.detail::<collaboration::ChannelEventDetail>()? {
                channel_events::prepare(&self.0, delivery, channel).await?
            } else {
                None
            };
        Ok(notification.map(Box::new))
    }

    async fn apply(
        &self,
        tx: &mut Tx,
        delivery: &Delivery,
        prepared: Self::Prepared,
    ) -> Result<(), HandlerError> {
        let Some(prepared) = prepared else { return Ok(()) };
        let (notification, account) = *prepared;
        let account: AccountId = account
            .parse()
            .map_err(|_| HandlerError::permanent("member_account_id is invalid"))?;
        // An event of a partner account notifies members of that account or of AWS, and of no other account.
        let is_for_own_members =
            account == delivery.account && notification.kind != NotificationKind::ChannelRequested;
        let members = if is_for_own_members {
            store::load_members_of_account(tx, &account).await?
        } else {
            store::load_aws_members(tx).await?
        };
        notify(&self.0, tx, &account, &notification, members).await
    }
}

/// Selects the recipients, inserts the notification into their inboxes, and queues their e-mails. The mail sender sends
/// them later, outside this transaction.
async fn notify(
    dependencies: &Dependencies,
    tx: &mut Tx,
    account: &AccountId,
    notification: &PreparedNotification,
    candidates: Vec<Member>,
) -> Result<(), HandlerError> {
    let criteria = SelectionCriteria {
        kind: notification.kind,
        account,
        concerned_members: &notification.concerned_members,
        contacts: &notification.contacts,
        reviewer: notification.reviewer.as_ref(),
        account_owners: &notification.account_owners,
    };
    let Recipients { members, contacts } = select_recipients(&criteria, candidates);
    let text = dependencies
        .templates
        .render(notification.kind, &notification.facts)
        .map_err(|error| HandlerError::Bug(error.to_string()))?;
    let now = dependencies.clock.now();
    for (member, gets_email) in members {
        let id = random::prefixed("ntf-");
        let recipient = (&member.account, &member.id);
        let (kind, related) = (notification.kind, &notification.related);
        store::insert_notification(tx, &id, recipient, kind, related, &text, now).await?;
        if gets_email {
            let to = MailRecipient {
                member: &member.id,
                notification: &id,
                kind,
            };
            store::queue_mail(tx, &member.account, Some(to), &member.email, &text, now).await?;
        }
    }
    for contact in contacts {
        store::queue_mail(tx, account, None, &contact.email, &text, now).await?;
    }
    Ok(())
}
