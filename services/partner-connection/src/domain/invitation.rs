use chrono::{DateTime, TimeDelta, Utc};
use cosell_types::{AccountId, ParticipantType, Pii, revision_time, text_id};
use serde::{Deserialize, Serialize};

use super::values::{AccountStatus, ConnectionInvitationStatus, ConnectionType};
use super::{
    Account, AttemptedAction, Connection, ConnectionId, InvitationEvent, Limit, ProfileId, Quotas, Rule,
};

text_id!(
    /// A connection invitation: `pacinv-` and 13 lower-case letters or digits.
    InvitationId,
    "connection invitation id",
    "pacinv- and 13 lower-case letters or digits",
    |text| cosell_types::is_prefixed(text, "pacinv-")
);

/// The connection invitation aggregate, the same record for both accounts. It changes only through its methods. Each
/// method checks all rules first, changes nothing when one is violated, and returns the event to publish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    id: InvitationId,
    revision: i64,
    create_time: DateTime<Utc>,
    update_time: DateTime<Utc>,
    expire_time: DateTime<Utc>,
    sender: Party,
    receiver: Party,
    #[serde(rename = "offer")]
    details: InvitationDetails,
    status: ConnectionInvitationStatus,
    rejection_reason: Pii<String>,
    connection: Option<ConnectionId>,
}

/// One of the two accounts, as it was when the invitation was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// Visible to the counterparty once the two are connected.
    pub account: AccountId,
    /// None if the account had no profile.
    pub profile: Option<ProfileId>,
    /// The display name of the account.
    pub company_name: String,
}

impl Party {
    /// The present profile and name of the account.
    pub fn from_account(account: &Account) -> Self {
        Self {
            account: account.id().clone(),
            profile: account.profile().map(|profile| profile.id.clone()),
            company_name: account.facts().display_name.clone(),
        }
    }
}

/// The content of an invitation. The interface validates lengths and formats.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationDetails {
    /// The type that the connection gets.
    pub kind: ConnectionType,
    /// The person who invites.
    pub inviter_name: Pii<String>,
    /// The e-mail address of that person.
    pub inviter_email: Pii<String>,
    /// Visible to both accounts.
    pub message: Pii<String>,
}

/// The facts that decide whether an invitation may be sent, read under the locks of both accounts.
#[derive(Clone, Debug, Default)]
pub struct ConnectionContext {
    /// A pending invitation of the same type between the two accounts, in either direction.
    pub pending_invitation: Option<InvitationId>,
    /// The active connection of the two accounts.
    pub active_connection: Option<Connection>,
    /// Invitations that the sender has sent since midnight (UTC).
    pub invitations_sent_today: i64,
    /// Pending invitations that the sender has sent.
    pub open_invitations: i64,
    /// Active connections of the sender.
    pub active_connections: i64,
    /// The links of sender and receiver, in this order.
    pub links: [SubsidiaryLinks; 2],
}

/// The active SUBSIDIARY connections of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SubsidiaryLinks {
    /// The account is a subsidiary of another account.
    pub is_subsidiary: bool,
    /// Other accounts are its subsidiaries.
    pub has_subsidiaries: bool,
}

impl SubsidiaryLinks {
    /// The links of `account` in its connections.
    pub fn from_connections(account: &AccountId, connections: &[Connection]) -> Self {
        let mut links = Self::default();
        for detail in connections.iter().flat_map(Connection::type_details) {
            if detail.kind == ConnectionType::Subsidiary && detail.cancellation.is_none() {
                // The sender is the parent.
                let is_parent = detail.sender == *account;
                links.has_subsidiaries |= is_parent;
                links.is_subsidiary |= !is_parent;
            }
        }
        links
    }

    /// Refuses a link that creates a third level, or a second parent of one account (CON-006).
    pub fn require_linkable([sender, receiver]: [Self; 2]) -> Result<(), Rule> {
        if sender.is_subsidiary {
            Err(Rule::AlreadyLinked(ParticipantType::Sender))
        } else if receiver.is_subsidiary || receiver.has_subsidiaries {
            Err(Rule::AlreadyLinked(ParticipantType::Receiver))
        } else {
            Ok(())
        }
    }
}

impl Invitation {
    /// Sends an invitation (CON-001 to CON-006, CON-030, CON-040).
    pub fn send(
        id: InvitationId,
        sender: &Account,
        receiver: &Account,
        details: InvitationDetails,
        context: &ConnectionContext,
        quotas: &Quotas,
        now: DateTime<Utc>,
    ) -> Result<(Self, InvitationEvent), Rule> {
        sender.require_active()?;
        let profile = sender.profile().ok_or(Rule::SenderProfileRequired)?;
        sender.require_tier(quotas)?;
        if receiver.id() == sender.id() {
            return Err(Rule::InvalidReceiverId);
        }
        if receiver.facts().status != AccountStatus::Active || !receiver.preferences().admits(&profile.id) {
            return Err(Rule::InvitationNotAdmitted);
        }
        if let Some(pending) = &context.pending_invitation {
            return Err(Rule::DuplicateInvitation(pending.clone()));
        }
        match &context.active_connection {
            Some(connection) => connection.require_type_not_active(details.kind)?,
            None => Limit::ActiveConnections.check(context.active_connections, quotas.active_connections)?,
        }
        if details.kind == ConnectionType::Subsidiary {
            SubsidiaryLinks::require_linkable(context.links)?;
        }
        Limit::InvitationsPerDay.check(context.invitations_sent_today, quotas.invitations_per_day)?;
        Limit::OpenInvitations.check(context.open_invitations, quotas.open_invitations)?;
        let invitation = Self {
            id,
            revision: 1,
            create_time: now,
            update_time: now,
            expire_time: now + TimeDelta::days(quotas.invitation_days),
            sender: Party::from_account(sender),
            receiver: Party::from_account(receiver),
            details,
            status: ConnectionInvitationStatus::Pending,
            rejection_reason: Pii::default(),
            connection: None,
        };
        Ok((invitation, InvitationEvent(ConnectionInvitationStatus::Pending)))
    }

    /// Accepts the invitation; `connection` is the connection that results (CON-006, CON-010). `links` are those of
    /// sender and receiver.
    pub fn accept(
        &mut self,
        by: &AccountId,
        connection: ConnectionId,
        links: [SubsidiaryLinks; 2],
        now: DateTime<Utc>,
    ) -> Result<InvitationEvent, Rule> {
        self.require_pending_for(ParticipantType::Receiver, by, AttemptedAction::Accept, now)?;
        if self.details.kind == ConnectionType::Subsidiary {
            SubsidiaryLinks::require_linkable(links)?;
        }
        self.connection = Some(connection);
        Ok(self.transition_to(ConnectionInvitationStatus::Accepted, now))
    }

    /// Rejects the invitation (CON-010).
    pub fn reject(
        &mut self,
        by: &AccountId,
        reason: Pii<String>,
        now: DateTime<Utc>,
    ) -> Result<InvitationEvent, Rule> {
        self.require_pending_for(ParticipantType::Receiver, by, AttemptedAction::Reject, now)?;
        self.rejection_reason = reason;
        Ok(self.transition_to(ConnectionInvitationStatus::Rejected, now))
    }

    /// Cancels the invitation (CON-010).
    pub fn cancel(&mut self, by: &AccountId, now: DateTime<Utc>) -> Result<InvitationEvent, Rule> {
        self.require_pending_for(ParticipantType::Sender, by, AttemptedAction::Cancel, now)?;
        Ok(self.transition_to(ConnectionInvitationStatus::Canceled, now))
    }

    /// Expires the invitation if it is pending past its deadline; no event otherwise (CON-010).
    pub fn expire(&mut self, now: DateTime<Utc>) -> Option<InvitationEvent> {
        let is_due = self.status == ConnectionInvitationStatus::Pending && now >= self.expire_time;
        is_due.then(|| self.transition_to(ConnectionInvitationStatus::Expired, now))
    }

    /// The effective status: a pending invitation is expired from its deadline on, even before the expiry is stored.
    pub fn status_at(&self, now: DateTime<Utc>) -> ConnectionInvitationStatus {
        if self.status == ConnectionInvitationStatus::Pending && now >= self.expire_time {
            ConnectionInvitationStatus::Expired
        } else {
            self.status
        }
    }

    /// Sender if `account` sent the invitation, otherwise receiver.
    pub fn participant_type(&self, account: &AccountId) -> ParticipantType {
        if self.sender.account == *account {
            ParticipantType::Sender
        } else {
            ParticipantType::Receiver
        }
    }

    /// The party that is not `account`.
    pub fn counterparty(&self, account: &AccountId) -> &Party {
        match self.participant_type(account) {
            ParticipantType::Sender => &self.receiver,
            ParticipantType::Receiver => &self.sender,
        }
    }

    /// The receiver, if `account` has access to its name and profile. A sender that named an account by its id has none
    /// before the acceptance (CON-002).
    pub fn receiver_visible_to(&self, account: &AccountId) -> Option<&Party> {
        let is_named_by_id =
            self.details.kind == ConnectionType::Subsidiary && *account == self.sender.account;
        (!is_named_by_id || self.connection.is_some()).then_some(&self.receiver)
    }

    fn require_pending_for(
        &self,
        required: ParticipantType,
        by: &AccountId,
        action: AttemptedAction,
        now: DateTime<Utc>,
    ) -> Result<(), Rule> {
        let participant = self.participant_type(by);
        if participant != required {
            return Err(Rule::IncompatibleParticipant(participant, action));
        }
        match self.status_at(now) {
            ConnectionInvitationStatus::Pending => Ok(()),
            status => Err(Rule::IncompatibleInvitationStatus(status, action)),
        }
    }

    fn transition_to(&mut self, status: ConnectionInvitationStatus, now: DateTime<Utc>) -> InvitationEvent {
        self.status = status;
        self.revision += 1;
        self.update_time = revision_time(self.update_time, now);
        InvitationEvent(status)
    }
}

#[expect(missing_docs, reason = "reads a field of the same name")]
impl Invitation {
    pub fn id(&self) -> &InvitationId {
        &self.id
    }

    pub fn revision(&self) -> i64 {
        self.revision
    }

    pub fn create_time(&self) -> DateTime<Utc> {
        self.create_time
    }

    pub fn update_time(&self) -> DateTime<Utc> {
        self.update_time
    }

    pub fn expire_time(&self) -> DateTime<Utc> {
        self.expire_time
    }

    pub fn sender(&self) -> &Party {
        &self.sender
    }

    pub fn receiver(&self) -> &Party {
        &self.receiver
    }

    pub fn details(&self) -> &InvitationDetails {
        &self.details
    }

    pub fn status(&self) -> ConnectionInvitationStatus {
        self.status
    }

    pub fn rejection_reason(&self) -> &Pii<String> {
        &self.rejection_reason
    }

    pub fn connection(&self) -> Option<&ConnectionId> {
        self.connection.as_ref()
    }
}
