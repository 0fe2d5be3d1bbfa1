//! Two partners find each other in the directory and connect.

use anyhow::{Context as _, ensure};
use cosell_proto::cosell::notification::v1::{ListNotificationsRequest, Notification, NotificationKind};
use cosell_proto::cosell::partner::v1 as partner;
use tokio::time::Instant;

use super::calls::{PATIENCE, PAUSE, request_id};
use super::journey::Journey;
use super::people::Person;

const SENDER: &str = "alder-alliance-lead";
const RECEIVER: &str = "birch-alliance-lead";
const SHARING: partner::ConnectionType = partner::ConnectionType::OpportunityCollaboration;

impl Journey<'_> {
    /// One company looks another up, invites it, and is accepted.
    pub(super) async fn connect(&mut self) -> anyhow::Result<()> {
        let (sender, receiver) = (self.person(SENDER)?, self.person(RECEIVER)?);
        self.part(&sender).await?;
        let found = find(&sender, "birch").await?;
        let profile = found.profile.context("a profile")?;
        self.say(
            &sender.id,
            format!("finds     {}  {}", profile.profile_id, profile.display_name),
        );
        let invitation = invite(&sender, &profile.profile_id).await?;
        let id = invitation.connection_invitation_id;
        self.say(&sender.id, format!("invites   {}  ({id})", profile.display_name));

        let notice = noticed(&receiver, NotificationKind::ConnectionInvitationCreated, &id).await?;
        self.say(&receiver.id, format!("inbox: “{}”", notice.subject));
        let request = partner::AcceptConnectionInvitationRequest {
            connection_invitation_id: id.clone(),
            request_id: request_id(),
            ..Default::default()
        };
        let answer = receiver
            .connections()
            .accept_connection_invitation(request)
            .await?
            .into_inner();
        let connection = answer.connection.context("a connection")?;
        self.say(
            &receiver.id,
            format!(
                "accepts   {}  with {} ({})",
                connection.connection_id, connection.other_company_name, connection.other_account_id
            ),
        );
        let notice = noticed(&sender, NotificationKind::ConnectionInvitationAccepted, &id).await?;
        self.say(&sender.id, format!("inbox: “{}”", notice.subject));
        ensure!(find(&sender, "birch").await?.connected, "they are connected");
        Ok(())
    }

    /// Ends the connection of an earlier journey on the same stack.
    async fn part(&mut self, sender: &Person) -> anyhow::Result<()> {
        let wanted = partner::ConnectionTypeFilter {
            r#type: SHARING.into(),
            status: partner::ConnectionStatus::Active.into(),
        };
        let filter = partner::ConnectionFilter {
            types: vec![wanted],
            ..Default::default()
        };
        let request = partner::ListConnectionsRequest {
            filter: Some(filter),
            ..Default::default()
        };
        let list = sender.connections().list_connections(request).await?.into_inner();
        for connection in list.connections {
            let request = partner::CancelConnectionRequest {
                connection_id: connection.connection_id.clone(),
                r#type: SHARING.into(),
                reason: "The journey begins again".to_owned(),
                request_id: request_id(),
                ..Default::default()
            };
            sender.connections().cancel_connection(request).await?;
            self.say(&sender.id, format!("ends      {}", connection.connection_id));
        }
        Ok(())
    }
}

async fn find(person: &Person, name: &str) -> anyhow::Result<partner::Partner> {
    let filter = partner::PartnerFilter {
        name: name.to_owned(),
        ..Default::default()
    };
    let request = partner::ListPartnersRequest {
        filter: Some(filter),
        ..Default::default()
    };
    let list = person.accounts().list_partners(request).await?.into_inner();
    let found = list.partners.into_iter().next();
    found.with_context(|| format!("nobody is called {name}"))
}

async fn invite(sender: &Person, profile: &str) -> anyhow::Result<partner::ConnectionInvitation> {
    let request = partner::CreateConnectionInvitationRequest {
        r#type: SHARING.into(),
        receiver_id: profile.to_owned(),
        inviter_name: "Amara Okafor".to_owned(),
        inviter_email: "amara.okafor@alder.example".to_owned(),
        message: "We meet at the same customers. Shall we work them together?".to_owned(),
        request_id: request_id(),
        ..Default::default()
    };
    let answer = sender.connections().create_connection_invitation(request).await?;
    answer.into_inner().connection_invitation.context("an invitation")
}

/// The notice of an invitation in a person's inbox, once it is there.
async fn noticed(person: &Person, kind: NotificationKind, invitation: &str) -> anyhow::Result<Notification> {
    let until = Instant::now() + PATIENCE;
    loop {
        let request = ListNotificationsRequest {
            page_size: 100,
            ..Default::default()
        };
        let list = person
            .notifications()
            .list_notifications(request)
            .await?
            .into_inner();
        let mut notices = list.notifications.into_iter();
        let found =
            notices.find(|notice| notice.kind() == kind && notice.connection_invitation_id == invitation);
        if let Some(notice) = found {
            return Ok(notice);
        }
        ensure!(
            Instant::now() < until,
            "{} was not told of {invitation} in the inbox",
            person.id
        );
        tokio::time::sleep(PAUSE).await;
    }
}
