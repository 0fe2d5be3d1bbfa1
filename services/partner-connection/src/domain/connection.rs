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

/// A standing relation of two companies: the aggregate, the same for both. It changes only through its methods, each of
/// which checks everything first, changes nothing when a rule is broken, and returns what happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    id: ConnectionId,
    revision: i64,
    create_time: DateTime<Utc>,
    update_time: DateTime<Utc>,
    parties: [Party; 2],
    parts: Vec<Part>,
}

/// One type of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// What it is for.
    pub kind: ConnectionType,
    /// The invitation that it came from.
    pub invitation: InvitationId,
    /// Who invited.
    pub sender: AccountId,
    /// Since when.
    pub create_time: DateTime<Utc>,
    /// How it ended, if it has.
    pub end: Option<End>,
}

/// How a type ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// When.
    pub time: DateTime<Utc>,
    /// By whom.
    pub by: AccountId,
    /// Why.
    pub reason: Pii<String>,
}

impl Part {
    /// Whether it is in force.
    pub fn status(&self) -> ConnectionStatus {
        if self.end.is_some() {
            ConnectionStatus::Canceled
        } else {
            ConnectionStatus::Active
        }
    }
}

impl Connection {
    /// Connects the two of an invitation (CON-004, CON-040). `present` are the active connections of each.
    pub fn make(
        id: ConnectionId,
        invitation: &Invitation,
        present: [i64; 2],
        quotas: &Quotas,
        now: DateTime<Utc>,
    ) -> Result<(Self, ConnectionEvent), Rule> {
        for count in present {
            Limit::ActiveConnections.check(count, quotas.active_connections)?;
        }
        let connection = Self {
            id,
            revision: 1,
            create_time: now,
            update_time: now,
            parties: [invitation.sender().clone(), invitation.receiver().clone()],
            parts: vec![Part::of(invitation, now)],
        };
        let event = ConnectionEvent(invitation.offer().kind, ConnectionStatus::Active);
        Ok((connection, event))
    }

    /// Adds a further type (CON-004).
    pub fn extend(&mut self, invitation: &Invitation, now: DateTime<Utc>) -> Result<ConnectionEvent, Rule> {
        let kind = invitation.offer().kind;
        self.require_without(kind)?;
        self.parts.push(Part::of(invitation, now));
        Ok(self.changed(ConnectionEvent(kind, ConnectionStatus::Active), now))
    }

    /// Ends a type; with the last one the connection has ended for good (CON-020, CON-021).
    pub fn cancel(
        &mut self,
        kind: ConnectionType,
        by: &AccountId,
        reason: Pii<String>,
        now: DateTime<Utc>,
    ) -> Result<ConnectionEvent, Rule> {
        let part = self
            .parts
            .iter_mut()
            .find(|part| part.kind == kind && part.end.is_none());
        part.ok_or(Rule::NotConnected)?.end = Some(End {
            time: now,
            by: by.clone(),
            reason,
        });
        Ok(self.changed(ConnectionEvent(kind, ConnectionStatus::Canceled), now))
    }

    /// Refuses a second active part of a type (CON-004).
    pub fn require_without(&self, kind: ConnectionType) -> Result<(), Rule> {
        let is_there = self
            .parts
            .iter()
            .any(|part| part.kind == kind && part.end.is_none());
        if is_there {
            return Err(Rule::DuplicateConnection(self.id.clone()));
        }
        Ok(())
    }

    /// Active as long as one of its types is.
    pub fn status(&self) -> ConnectionStatus {
        if self.parts.iter().any(|part| part.end.is_none()) {
            ConnectionStatus::Active
        } else {
            ConnectionStatus::Canceled
        }
    }

    /// The other of the two.
    pub fn other(&self, account: &AccountId) -> &Party {
        let [one, two] = &self.parties;
        if one.account == *account { two } else { one }
    }

    /// Who ended a type last, if anybody did.
    pub fn ended_by(&self, kind: ConnectionType) -> Option<&AccountId> {
        let part = self.parts.iter().rfind(|part| part.kind == kind)?;
        part.end.as_ref().map(|end| &end.by)
    }

    fn changed(&mut self, event: ConnectionEvent, now: DateTime<Utc>) -> ConnectionEvent {
        self.revision += 1;
        self.update_time = revision_time(self.update_time, now);
        event
    }
}

impl Part {
    fn of(invitation: &Invitation, now: DateTime<Utc>) -> Self {
        Self {
            kind: invitation.offer().kind,
            invitation: invitation.id().clone(),
            sender: invitation.sender().account.clone(),
            create_time: now,
            end: None,
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

    pub fn parts(&self) -> &[Part] {
        &self.parts
    }
}
