//! Two partners connect: one finds the other in the directory and invites it.

use anyhow::{Context as _, ensure};
use cosell_proto::cosell::notification::v1::{ListNotificationsRequest, Notification, NotificationKind};
use cosell_proto::cosell::partner::v1 as partner;
use tokio::time::Instant;

use super::calls::{POLL_INTERVAL, WAIT_LIMIT, request_id};
use super::member_client::MemberClient;
use super::scenario::Scenario;

const SENDER: &str = "alder-alliance-lead";
const RECEIVER: &str = "birch-alliance-lead";
const COLLABORATION: partner::ConnectionType = partner::ConnectionType::OpportunityCollaboration;

impl Scenario<'_> {
    /// A partner invites another one, which accepts.
    pub(super) async fn connect(&mut self) -> anyhow::Result<()> {
        let (sender, receiver) = (self.member(SENDER)?, self.member(RECEIVER)?);
        self.cancel_connections(&sender).await?;
        let found = find_partner(&sender, "birch").await?;
        let profile = found.profile.context("a profile")?;
        self.report(
            &sender.id,
            format!("finds     {}  {}", profile.profile_id, profile.display_name),
        );
        let invitation = invite(&sender, &profile.profile_id).await?;
        let id = invitation.connection_invitation_id;
        self.report(&sender.id, format!("invites   {}  ({id})", profile.display_name));

        let notification =
            wait_for_notification(&receiver, NotificationKind::ConnectionInvitationCreated, &id).await?;
        self.report(&receiver.id, format!("inbox: “{}”", notification.subject));
        let request = partner::AcceptConnectionInvitationRequest {
            connection_invitation_id: id.clone(),
            request_id: request_id(),
            ..Default::default()
        };
        let response = receiver
            .connections()
            .accept_connection_invitation(request)
            .await?
            .into_inner();
        let connection = response.connection.context("a connection")?;
        self.report(
            &receiver.id,
            format!(
                "accepts   {}  with {} ({})",
                connection.connection_id, connection.other_company_name, connection.other_account_id
            ),
        );
        let notification =
            wait_for_notification(&sender, NotificationKind::ConnectionInvitationAccepted, &id).await?;
        self.report(&sender.id, format!("inbox: “{}”", notification.subject));
        ensure!(
            find_partner(&sender, "birch").await?.connected,
            "the directory does not show the connection"
        );
        Ok(())
    }

    /// Cancels the connection of an earlier run on the same installation.
    async fn cancel_connections(&mut self, sender: &MemberClient) -> anyhow::Result<()> {
        let active = partner::ConnectionTypeFilter {
            r#type: COLLABORATION.into(),
            status: partner::ConnectionStatus::Active.into(),
        };
        let filter = partner::ConnectionFilter {
            types: vec![active],
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
                r#type: COLLABORATION.into(),
                reason: "The demo starts again".to_owned(),
                request_id: request_id(),
                ..Default::default()
            };
            sender.connections().cancel_connection(request).await?;
            self.report(&sender.id, format!("cancels   {}", connection.connection_id));
        }
        Ok(())
    }
}

async fn find_partner(client: &MemberClient, name: &str) -> anyhow::Result<partner::Partner> {
    let filter = partner::PartnerFilter {
        name: name.to_owned(),
        ..Default::default()
    };
    let request = partner::ListPartnersRequest {
        filter: Some(filter),
        ..Default::default()
    };
    let list = client.accounts().list_partners(request).await?.into_inner();
    let found = list.partners.into_iter().next();
    found.with_context(|| format!("no partner has the name {name}"))
}

async fn invite(sender: &MemberClient, profile: &str) -> anyhow::Result<partner::ConnectionInvitation> {
    let request = partner::CreateConnectionInvitationRequest {
        r#type: COLLABORATION.into(),
        receiver_id: profile.to_owned(),
        inviter_name: "Amara Okafor".to_owned(),
        inviter_email: "amara.okafor@alder.example".to_owned(),
        message: "We have customers in common. Shall we work with them together?".to_owned(),
        request_id: request_id(),
        ..Default::default()
    };
    let response = sender.connections().create_connection_invitation(request).await?;
    response
        .into_inner()
        .connection_invitation
        .context("an invitation")
}

/// Waits until the notification of an invitation is in the member's inbox and returns it.
async fn wait_for_notification(
    member: &MemberClient,
    kind: NotificationKind,
    invitation: &str,
) -> anyhow::Result<Notification> {
    let deadline = Instant::now() + WAIT_LIMIT;
    loop {
        let request = ListNotificationsRequest {
            page_size: 100,
            ..Default::default()
        };
        let list = member
            .notifications()
            .list_notifications(request)
            .await?
            .into_inner();
        let mut notifications = list.notifications.into_iter();
        let found = notifications.find(|notification| {
            notification.kind() == kind && notification.connection_invitation_id == invitation
        });
        if let Some(notification) = found {
            return Ok(notification);
        }
        ensure!(
            Instant::now() < deadline,
            "{} has no notification of {invitation} in the inbox",
            member.id
        );
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}
