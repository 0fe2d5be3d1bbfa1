//! Verifies inboxes and e-mails: a partner is notified of its own opportunities only.

use std::collections::BTreeSet;

use anyhow::{Context as _, ensure};
use cosell_proto::cosell::notification::v1 as pb;
use cosell_proto::cosell::notification::v1::NotificationKind;
use cosell_types::{Clock, Role};
use tokio::time::Instant;

use super::calls::{POLL_INTERVAL, WAIT_LIMIT, request_id};
use super::mailbox::{self, Mail};
use super::member_client::MemberClient;
use super::scenario::{DemoOpportunity, Scenario};
use crate::seed::seed_members;

impl Scenario<'_> {
    /// The member has a notification in the inbox, and e-mails were sent to exactly the expected recipients.
    pub(super) async fn verify_notified(
        &mut self,
        member: &MemberClient,
        item: &DemoOpportunity<'_>,
        kind: NotificationKind,
        text: &str,
    ) -> anyhow::Result<()> {
        let (subject, unread) = mark_notification_read(member, &item.id, kind).await?;
        self.report(
            &member.id,
            format!("inbox: “{subject}”, marked read, {unread} more unread"),
        );
        let mails =
            wait_for_mails(self.mail, (&subject, &item.id), &expected_recipients(item, kind)?).await?;
        for mail in &mails {
            ensure!(mail.body.contains(text), "the e-mail lacks the remarks: {mail:?}");
        }
        let to: Vec<_> = mails.iter().map(|mail| mail.to.as_str()).collect();
        self.report("mail server", format!("“{subject}” to {}", to.join(", ")));
        Ok(())
    }

    /// The account owner in the AWS team of the opportunity is notified of the channel request, the other one is not
    /// (NOT-006).
    pub(super) async fn verify_channel_request_notified(
        &mut self,
        owner_in_team: &MemberClient,
        other_owner: &MemberClient,
        id: &str,
    ) -> anyhow::Result<()> {
        let kind = NotificationKind::ChannelRequested;
        let (subject, _) = mark_notification_read(owner_in_team, id, kind).await?;
        self.report(&owner_in_team.id, format!("inbox: “{subject}”"));
        let other = seed_members()
            .into_iter()
            .find(|member| member.id() == other_owner.id);
        let address = other.context("a seeded member")?.email();
        self.verify_not_notified(other_owner, |to| to == address, &[id])
            .await?;
        self.report(
            &other_owner.id,
            "is not notified: another account owner is in the team",
        );
        Ok(())
    }

    /// The member has no notification, and no e-mail went to its addresses, about these opportunities.
    pub(super) async fn verify_not_notified(
        &self,
        member: &MemberClient,
        is_own_address: impl Fn(&str) -> bool,
        ids: &[&str],
    ) -> anyhow::Result<()> {
        let mut request = pb::ListNotificationsRequest::default();
        loop {
            let page = member
                .notifications()
                .list_notifications(request.clone())
                .await?
                .into_inner();
            for notification in page.notifications {
                ensure!(
                    !ids.contains(&notification.opportunity_id.as_str()),
                    "{} was notified: {notification:?}",
                    member.id
                );
            }
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        for mail in mailbox::read_all(self.mail)? {
            let is_concerned = ids.iter().any(|id| mail.body.contains(id));
            ensure!(
                !is_concerned || !is_own_address(&mail.to),
                "{} received {mail:?}",
                member.id
            );
        }
        Ok(())
    }
}

/// Waits for the notification of an opportunity and marks it as read. Returns its subject and the number of unread
/// notifications.
async fn mark_notification_read(
    member: &MemberClient,
    id: &str,
    kind: NotificationKind,
) -> anyhow::Result<(String, i64)> {
    let deadline = Instant::now() + WAIT_LIMIT;
    loop {
        let request = pb::ListNotificationsRequest {
            unread_only: true,
            page_size: 100,
            ..Default::default()
        };
        let list = member
            .notifications()
            .list_notifications(request)
            .await?
            .into_inner();
        let mut notifications = list.notifications.into_iter();
        let found = notifications
            .find(|notification| notification.opportunity_id == id && notification.kind() == kind);
        if let Some(notification) = found {
            let request = pb::MarkNotificationsReadRequest {
                notification_ids: vec![notification.notification_id],
                request_id: request_id(),
                ..Default::default()
            };
            let unread = member
                .notifications()
                .mark_notifications_read(request)
                .await?
                .into_inner()
                .unread_count;
            return Ok((notification.subject, unread));
        }
        ensure!(
            Instant::now() < deadline,
            "{} has no notification of {id} in the inbox",
            member.id
        );
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

/// Waits for the e-mails with a subject about an opportunity. Fails unless each of these addresses, and no other, receives
/// one.
async fn wait_for_mails(
    folder: &std::path::Path,
    (subject, id): (&str, &str),
    to: &BTreeSet<String>,
) -> anyhow::Result<Vec<Mail>> {
    let deadline = Instant::now() + WAIT_LIMIT;
    loop {
        let mut mails = mailbox::read_all(folder)?;
        mails.retain(|mail| mail.subject == subject && mail.body.contains(id));
        let seen: BTreeSet<_> = mails.iter().map(|mail| mail.to.clone()).collect();
        if seen == *to {
            ensure!(mails.len() == to.len(), "a recipient received “{subject}” twice");
            return Ok(mails);
        }
        ensure!(
            Instant::now() < deadline,
            "“{subject}” was sent to {seen:?}, not to {to:?}"
        );
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

/// The addresses that get e-mail about a decision (NOT-001, NOT-002): the opportunity's owner and its sales contacts,
/// and for ACTION_REQUIRED also the managers of the account's pipeline.
fn expected_recipients(
    item: &DemoOpportunity<'_>,
    kind: NotificationKind,
) -> anyhow::Result<BTreeSet<String>> {
    let owner = &item.record.member;
    let mut addresses = BTreeSet::new();
    for member in seed_members() {
        let is_manager =
            Role::WHOLE_PIPELINE.contains(&member.role()) && owner.starts_with(member.account_name());
        if member.id() == *owner || (is_manager && kind == NotificationKind::ActionRequired) {
            addresses.insert(member.email());
        }
    }
    let content = item.record.corrected(Clock::system().now().date_naive())?;
    let contacts = content.opportunity_team.into_iter();
    addresses.extend(
        contacts
            .filter(|contact| contact.business_title == "PartnerAccountManager" && !contact.email.is_empty())
            .map(|contact| contact.email),
    );
    Ok(addresses)
}
