use chrono::{DateTime, Utc};
use cosell_types::{AccountId, Pii, revision_time, text_id};
use serde::{Deserialize, Serialize};

use super::values::{ConnectionStatus, ConnectionType};
use super::{ConnectionEvent, Invitation, InvitationId, Limit, Party, Quotas, Rule};

text_id!(
    /// A connection: `pac-` and 13 lower-case letters or digits.
    ConnectionId,
    "connection id",
    "pac- and 13 lower-case letters or digits",
    |text| cosell_types::is_prefixed(text, "pac-")
);

/// The connection aggregate: a lasting relation of two accounts, the same record for both. It changes only through its
/// methods. Each method checks all rules first, changes nothing when one is violated, and returns the event to publish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    id: ConnectionId,
    revision: i64,
    create_time: DateTime<Utc>,
    update_time: DateTime<Utc>,
    parties: [Party; 2],
    #[serde(rename = "parts")]
    type_details: Vec<ConnectionTypeDetail>,
}

/// One type of a connection. A type that was canceled and established again has several entries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionTypeDetail {
    /// The type itself.
    pub kind: ConnectionType,
    /// The accepted invitation that established it.
    pub invitation: InvitationId,
    /// The account that sent the invitation.
    pub sender: AccountId,
    /// The time of the acceptance.
    pub create_time: DateTime<Utc>,
    /// None while the type is active.
    #[serde(rename = "end")]
    pub cancellation: Option<Cancellation>,
}

/// The cancellation of a type, which is final (CON-021).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancellation {
    /// When the type was canceled.
    pub time: DateTime<Utc>,
    /// The account that canceled it.
    pub by: AccountId,
    /// Visible to both accounts.
    pub reason: Pii<String>,
}

impl ConnectionTypeDetail {
    /// Active until it is canceled.
    pub fn status(&self) -> ConnectionStatus {
        if self.cancellation.is_some() {
            ConnectionStatus::Canceled
        } else {
            ConnectionStatus::Active
        }
    }
}

impl Connection {
    /// Connects sender and receiver of an accepted invitation (CON-004, CON-040). `active_counts` are the numbers of
    /// active connections of each.
    pub fn establish(
        id: ConnectionId,
        invitation: &Invitation,
        active_counts: [i64; 2],
        quotas: &Quotas,
        now: DateTime<Utc>,
    ) -> Result<(Self, ConnectionEvent), Rule> {
        for count in active_counts {
            Limit::ActiveConnections.check(count, quotas.active_connections)?;
        }
        let connection = Self {
            id,
            revision: 1,
            create_time: now,
            update_time: now,
            parties: [invitation.sender().clone(), invitation.receiver().clone()],
            type_details: vec![ConnectionTypeDetail::from_invitation(invitation, now)],
        };
        let event = ConnectionEvent(invitation.details().kind, ConnectionStatus::Active);
        Ok((connection, event))
    }

    /// Adds the type of another accepted invitation (CON-004).
    pub fn add_type(&mut self, invitation: &Invitation, now: DateTime<Utc>) -> Result<ConnectionEvent, Rule> {
        let kind = invitation.details().kind;
        self.require_type_not_active(kind)?;
        self.type_details
            .push(ConnectionTypeDetail::from_invitation(invitation, now));
        Ok(self.advance_revision(ConnectionEvent(kind, ConnectionStatus::Active), now))
    }

    /// Cancels a type. Canceling the last active type ends the connection permanently (CON-020, CON-021).
    pub fn cancel(
        &mut self,
        kind: ConnectionType,
        by: &AccountId,
        reason: Pii<String>,
        now: DateTime<Utc>,
    ) -> Result<ConnectionEvent, Rule> {
        let active = self
            .type_details
            .iter_mut()
            .find(|detail| detail.kind == kind && detail.cancellation.is_none());
        active.ok_or(Rule::ConnectionTypeNotActive)?.cancellation = Some(Cancellation {
            time: now,
            by: by.clone(),
            reason,
        });
        Ok(self.advance_revision(ConnectionEvent(kind, ConnectionStatus::Canceled), now))
    }

    /// Refuses a type that is active already (CON-004).
    pub fn require_type_not_active(&self, kind: ConnectionType) -> Result<(), Rule> {
        let is_active = self
            .type_details
            .iter()
            .any(|detail| detail.kind == kind && detail.cancellation.is_none());
        if is_active {
            return Err(Rule::DuplicateConnection(self.id.clone()));
        }
        Ok(())
    }

    /// Active while one of its types is.
    pub fn status(&self) -> ConnectionStatus {
        let mut details = self.type_details.iter();
        if details.any(|detail| detail.cancellation.is_none()) {
            ConnectionStatus::Active
        } else {
            ConnectionStatus::Canceled
        }
    }

    /// The party that is not `account`.
    pub fn counterparty(&self, account: &AccountId) -> &Party {
        let [first, second] = &self.parties;
        if first.account == *account { second } else { first }
    }

    /// The account that canceled the type most recently; none while it is active.
    pub fn canceled_by(&self, kind: ConnectionType) -> Option<&AccountId> {
        let latest = self.type_details.iter().rfind(|detail| detail.kind == kind)?;
        latest.cancellation.as_ref().map(|cancellation| &cancellation.by)
    }

    fn advance_revision(&mut self, event: ConnectionEvent, now: DateTime<Utc>) -> ConnectionEvent {
        self.revision += 1;
        self.update_time = revision_time(self.update_time, now);
        event
    }
}

impl ConnectionTypeDetail {
    fn from_invitation(invitation: &Invitation, now: DateTime<Utc>) -> Self {
        Self {
            kind: invitation.details().kind,
            invitation: invitation.id().clone(),
            sender: invitation.sender().account.clone(),
            create_time: now,
            cancellation: None,
        }
    }
}

#[expect(missing_docs, reason = "reads a field of the same name")]
impl Connection {
    pub fn id(&self) -> &ConnectionId {
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

    pub fn parties(&self) -> &[Party; 2] {
        &self.parties
    }

    pub fn type_details(&self) -> &[ConnectionTypeDetail] {
        &self.type_details
    }
}
