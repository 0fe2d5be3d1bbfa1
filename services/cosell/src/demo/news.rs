//! What people are told: the partner of its opportunities, and nobody else.

use std::collections::BTreeSet;

use anyhow::ensure;
use cosell_proto::cosell::notification::v1 as pb;
use cosell_proto::cosell::notification::v1::NotificationKind;
use cosell_types::{Clock, Role};
use tokio::time::Instant;

use super::calls::{PATIENCE, PAUSE, request_id};
use super::journey::{Journey, Traveller};
use super::mail::{self, Mail};
use super::people::Person;
use crate::seed::members;

impl Journey<'_> {
    /// The person finds the news in the inbox, and the mail server has sent it to exactly those whom it concerns.
    pub(super) async fn told(
        &mut self,
        person: &Person,
        traveller: &Traveller<'_>,
        kind: NotificationKind,
        text: &str,
    ) -> anyhow::Result<()> {
        let (subject, left) = read_notice(person, &traveller.id, kind).await?;
        self.say(
            &person.id,
            format!("inbox: “{subject}”, marked read, {left} more unread"),
        );
        let mails = mailed(self.mail, &subject, &concerned(traveller, kind)?).await?;
        for mail in &mails {
            ensure!(mail.body.contains(text), "the e-mail lacks the remarks: {mail:?}");
        }
        let to: Vec<_> = mails.iter().map(|mail| mail.to.as_str()).collect();
        self.say("mail server", format!("“{subject}” to {}", to.join(", ")));
        Ok(())
    }

    /// Somebody is told nothing of these opportunities, neither in the inbox nor by e-mail.
    pub(super) async fn not_told(&self, person: &Person, ids: &[&str]) -> anyhow::Result<()> {
        let mut request = pb::ListNotificationsRequest::default();
        loop {
            let page = person
                .notifications()
                .list_notifications(request.clone())
                .await?
                .into_inner();
            for notice in page.notifications {
                ensure!(
                    !ids.contains(&notice.opportunity_id.as_str()),
                    "{} was told: {notice:?}",
                    person.id
                );
            }
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        for mail in mail::read_all(self.mail)? {
            let concerns = ids.iter().any(|id| mail.subject.contains(id));
            ensure!(
                !concerns || !mail.to.contains("@birch."),
                "the other partner got {mail:?}"
            );
        }
        Ok(())
    }
}

/// Marks the notice of an opportunity as read; returns its subject, and how many are still unread.
async fn read_notice(person: &Person, id: &str, kind: NotificationKind) -> anyhow::Result<(String, i64)> {
    let until = Instant::now() + PATIENCE;
    loop {
        let request = pb::ListNotificationsRequest {
            unread_only: true,
            page_size: 100,
            ..Default::default()
        };
        let list = person
            .notifications()
            .list_notifications(request)
            .await?
            .into_inner();
        let mut notices = list.notifications.into_iter();
        if let Some(notice) = notices.find(|notice| notice.opportunity_id == id && notice.kind() == kind) {
            let request = pb::MarkNotificationsReadRequest {
                notification_ids: vec![notice.notification_id],
                request_id: request_id(),
                ..Default::default()
            };
            let left = person
                .notifications()
                .mark_notifications_read(request)
                .await?
                .into_inner()
                .unread_count;
            return Ok((notice.subject, left));
        }
        ensure!(
            Instant::now() < until,
            "{} was not told of {id} in the inbox",
            person.id
        );
        tokio::time::sleep(PAUSE).await;
    }
}

/// Waits for the e-mails with a subject; they must go to these addresses and no others.
async fn mailed(folder: &std::path::Path, subject: &str, to: &BTreeSet<String>) -> anyhow::Result<Vec<Mail>> {
    let until = Instant::now() + PATIENCE;
    loop {
        let mut mails = mail::read_all(folder)?;
        mails.retain(|mail| mail.subject == subject);
        let seen: BTreeSet<_> = mails.iter().map(|mail| mail.to.clone()).collect();
        if seen == *to {
            ensure!(mails.len() == to.len(), "somebody got “{subject}” twice");
            return Ok(mails);
        }
        ensure!(
            Instant::now() < until,
            "“{subject}” went to {seen:?}, not to {to:?}"
        );
        tokio::time::sleep(PAUSE).await;
    }
}

/// Whom a decision concerns, by address (NOT-001, NOT-002): the record's owner and the sales contacts on it, and those
/// who look after the whole pipeline where something has to be done.
fn concerned(traveller: &Traveller<'_>, kind: NotificationKind) -> anyhow::Result<BTreeSet<String>> {
    let owner = &traveller.record.member;
    let keepers = [Role::AllianceLead, Role::AllianceTeam, Role::AceManager];
    let mut addresses = BTreeSet::new();
    for member in members() {
        let keeps = keepers.contains(&member.role()) && owner.starts_with(member.company());
        if member.id() == *owner || (keeps && kind == NotificationKind::ActionRequired) {
            addresses.insert(member.email());
        }
    }
    let record = traveller.record.corrected(Clock::system().now().date_naive())?;
    let contacts = record.opportunity_team.into_iter();
    addresses.extend(
        contacts
            .filter(|contact| contact.business_title == "PartnerAccountManager" && !contact.email.is_empty())
            .map(|contact| contact.email),
    );
    Ok(addresses)
}
