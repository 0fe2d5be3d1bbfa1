use chrono::{DateTime, TimeDelta, Utc};
use cosell_types::{AccountId, ParticipantType, Pii, revision_time, text_id};
use serde::{Deserialize, Serialize};

use super::values::{AccountStatus, ConnectionInvitationStatus, ConnectionType};
use super::{Account, Action, Connection, ConnectionId, InvitationEvent, Limit, ProfileId, Quotas, Rule};

text_id!(
    /// An invitation: `pacinv-` and 13 lower-case letters or digits.
    InvitationId,
    "connection invitation id",
    "pacinv- and 13 lower-case letters or digits",
    |text| cosell_types::is_prefixed(text, "pacinv-")
);

/// An offer to connect: the aggregate, the same for both companies. It changes only through its methods, each of which
/// checks everything first, changes nothing when a rule is broken, and returns what happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    id: InvitationId,
    revision: i64,
    create_time: DateTime<Utc>,
    update_time: DateTime<Utc>,
    expire_time: DateTime<Utc>,
    sender: Party,
    receiver: Party,
    offer: Offer,
    status: ConnectionInvitationStatus,
    rejection_reason: Pii<String>,
    connection: Option<ConnectionId>,
}

/// One of the two companies, as it was when the invitation was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// Its account; the other side learns it when they connect.
    pub account: AccountId,
    /// Its profile, if it had one.
    pub profile: Option<ProfileId>,
    /// Its name.
    pub company_name: String,
}

impl Party {
    /// The company as it is now.
    pub fn of(account: &Account) -> Self {
        Self {
            account: account.id().clone(),
            profile: account.profile().map(|profile| profile.id.clone()),
            company_name: account.facts().display_name.clone(),
        }
    }
}

/// What an invitation says. Lengths and forms are checked at the interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// What the connection would be for.
    pub kind: ConnectionType,
    /// Who invites.
    pub inviter_name: Pii<String>,
    /// How to reach them.
    pub inviter_email: Pii<String>,
    /// What they say.
    pub message: Pii<String>,
}

/// What there is already, read under the locks of both.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// An invitation of the type that is open between the two, whoever sent it.
    pub open_between: Option<InvitationId>,
    /// Their active connection.
    pub connection: Option<Connection>,
    /// Invitations that the sender sent today.
    pub sent_today: i64,
    /// Invitations of the sender that wait for an answer.
    pub open: i64,
    /// Active connections of the sender.
    pub connections: i64,
    /// How sender and receiver are linked with others.
    pub links: [Links; 2],
}

/// How a company is linked with others by SUBSIDIARY.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// It is under another company.
    pub is_subsidiary: bool,
    /// Companies are under it.
    pub has_subsidiaries: bool,
}

impl Links {
    /// How a company is linked by its active connections.
    pub fn of(account: &AccountId, active: &[Connection]) -> Self {
        let mut links = Self::default();
        for part in active.iter().flat_map(Connection::parts) {
            if part.kind == ConnectionType::Subsidiary && part.end.is_none() {
                // Who invites is above.
                let is_above = part.sender == *account;
                links.has_subsidiaries |= is_above;
                links.is_subsidiary |= !is_above;
            }
        }
        links
    }

    /// Refuses a link that makes more than two levels, or two companies above one (CON-006).
    pub fn require_room([sender, receiver]: [Self; 2]) -> Result<(), Rule> {
        if sender.is_subsidiary {
            Err(Rule::Linked(ParticipantType::Sender))
        } else if receiver.is_subsidiary || receiver.has_subsidiaries {
            Err(Rule::Linked(ParticipantType::Receiver))
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
        offer: Offer,
        standing: &Standing,
        quotas: &Quotas,
        now: DateTime<Utc>,
    ) -> Result<(Self, InvitationEvent), Rule> {
        sender.require_active()?;
        let profile = sender.profile().ok_or(Rule::SenderProfile)?;
        sender.require_tier(quotas)?;
        if receiver.id() == sender.id() {
            return Err(Rule::ReceiverNaming);
        }
        if receiver.facts().status != AccountStatus::Active || !receiver.preferences().admits(&profile.id) {
            return Err(Rule::ReceiverRefuses);
        }
        if let Some(open) = &standing.open_between {
            return Err(Rule::DuplicateInvitation(open.clone()));
        }
        match &standing.connection {
            Some(connection) => connection.require_without(offer.kind)?,
            None => Limit::ActiveConnections.check(standing.connections, quotas.active_connections)?,
        }
        if offer.kind == ConnectionType::Subsidiary {
            Links::require_room(standing.links)?;
        }
        Limit::InvitationsPerDay.check(standing.sent_today, quotas.invitations_per_day)?;
        Limit::OpenInvitations.check(standing.open, quotas.open_invitations)?;
        let invitation = Self {
            id,
            revision: 1,
            create_time: now,
            update_time: now,
            expire_time: now + TimeDelta::days(quotas.invitation_days),
            sender: Party::of(sender),
            receiver: Party::of(receiver),
            offer,
            status: ConnectionInvitationStatus::Pending,
            rejection_reason: Pii::default(),
            connection: None,
        };
        Ok((invitation, InvitationEvent(ConnectionInvitationStatus::Pending)))
    }

    /// Takes it (CON-006, CON-010). `links` are those of sender and receiver.
    pub fn accept(
        &mut self,
        by: &AccountId,
        connection: ConnectionId,
        links: [Links; 2],
        now: DateTime<Utc>,
    ) -> Result<InvitationEvent, Rule> {
        self.require(ParticipantType::Receiver, by, Action::Accept, now)?;
        if self.offer.kind == ConnectionType::Subsidiary {
            Links::require_room(links)?;
        }
        self.connection = Some(connection);
        Ok(self.moved(ConnectionInvitationStatus::Accepted, now))
    }

    /// Refuses it (CON-010).
    pub fn reject(
        &mut self,
        by: &AccountId,
        reason: Pii<String>,
        now: DateTime<Utc>,
    ) -> Result<InvitationEvent, Rule> {
        self.require(ParticipantType::Receiver, by, Action::Reject, now)?;
        self.rejection_reason = reason;
        Ok(self.moved(ConnectionInvitationStatus::Rejected, now))
    }

    /// Takes it back (CON-010).
    pub fn cancel(&mut self, by: &AccountId, now: DateTime<Utc>) -> Result<InvitationEvent, Rule> {
        self.require(ParticipantType::Sender, by, Action::Cancel, now)?;
        Ok(self.moved(ConnectionInvitationStatus::Canceled, now))
    }

    /// Ends it if its time is over; none when it is not, or when it has ended before (CON-010).
    pub fn expire(&mut self, now: DateTime<Utc>) -> Option<InvitationEvent> {
        let is_due = self.status == ConnectionInvitationStatus::Pending && now >= self.expire_time;
        is_due.then(|| self.moved(ConnectionInvitationStatus::Expired, now))
    }

    /// Where it stands at this time: over is over, also before anybody has noted it.
    pub fn status_at(&self, now: DateTime<Utc>) -> ConnectionInvitationStatus {
        if self.status == ConnectionInvitationStatus::Pending && now >= self.expire_time {
            ConnectionInvitationStatus::Expired
        } else {
            self.status
        }
    }

    /// Which of the two a company is.
    pub fn participant(&self, account: &AccountId) -> ParticipantType {
        if self.sender.account == *account {
            ParticipantType::Sender
        } else {
            ParticipantType::Receiver
        }
    }

    /// The other of the two.
    pub fn other(&self, account: &AccountId) -> &Party {
        match self.participant(account) {
            ParticipantType::Sender => &self.receiver,
            ParticipantType::Receiver => &self.sender,
        }
    }

    /// The receiver as far as an account may know which profile it has: a sender that named an account does not learn
    /// whose it is before the answer (CON-002).
    pub fn receiver_for(&self, account: &AccountId) -> Option<&Party> {
        let named_it = self.offer.kind == ConnectionType::Subsidiary && *account == self.sender.account;
        (!named_it || self.connection.is_some()).then_some(&self.receiver)
    }

    fn require(
        &self,
        role: ParticipantType,
        by: &AccountId,
        action: Action,
        now: DateTime<Utc>,
    ) -> Result<(), Rule> {
        let participant = self.participant(by);
        if participant != role {
            return Err(Rule::Participant(participant, action));
        }
        match self.status_at(now) {
            ConnectionInvitationStatus::Pending => Ok(()),
            status => Err(Rule::IncompatibleInvitation(status, action)),
        }
    }

    fn moved(&mut self, status: ConnectionInvitationStatus, now: DateTime<Utc>) -> InvitationEvent {
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

    pub fn offer(&self) -> &Offer {
        &self.offer
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
