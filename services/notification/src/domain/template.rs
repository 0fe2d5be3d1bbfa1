//! The text of notifications: a template for each kind, the first line of which is the subject.

use minijinja::{Environment, context};

use super::values::Kind;

/// What a template can say.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The record.
    pub opportunity_id: String,
    /// The customer's company.
    pub company: String,
    /// The project's title.
    pub title: String,
    /// The review round.
    pub round: i32,
    /// Why it was sent back or rejected, in words.
    pub reason: String,
    /// The reviewer's remarks.
    pub remarks: String,
    /// The review case.
    pub review_case_id: String,
    /// The partner's account.
    pub partner: String,
    /// The connection invitation.
    pub connection_invitation_id: String,
    /// Who invites, and how to reach them.
    pub inviter: String,
    /// Roles, in words.
    pub roles: String,
    /// A member's id.
    pub member: String,
    /// A job on many records.
    pub job: Job,
    /// A deal or a lead that AWS offers.
    pub referral: Referral,
    /// A deal that partners share, or a channel on one.
    pub shared: Shared,
}

/// A deal that partners share, or a channel on one.
#[derive(Clone, Debug, Default)]
pub struct Shared {
    /// The invitation.
    pub invitation: String,
    /// The channel.
    pub channel: String,
    /// Where the channel is; empty where its provider asks people itself.
    pub link: String,
    /// What became of it, in words.
    pub how: &'static str,
}

/// A deal or a lead that AWS offers to a partner.
#[derive(Clone, Debug, Default)]
pub struct Referral {
    /// The referral, for AWS.
    pub id: String,
    /// The offer, for the partner.
    pub offer: String,
    /// The lead that came of it.
    pub lead: String,
    /// What is offered, in a word.
    pub what: &'static str,
    /// Until when it can be answered.
    pub until: String,
    /// What became of it, in words.
    pub how: &'static str,
}

/// A job on many records that has ended.
#[derive(Clone, Debug, Default)]
pub struct Job {
    /// Its name.
    pub name: String,
    /// What it did, in words.
    pub what: &'static str,
    /// How it ended, in words.
    pub how: &'static str,
    /// How many rows it had.
    pub total: i64,
    /// How many of them were processed.
    pub processed: i64,
    /// How many of those were refused.
    pub failed: i64,
}

/// A text, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// One line.
    pub subject: String,
    /// The whole text, plain.
    pub body: String,
}

/// All templates.
#[derive(Debug)]
pub struct Templates(Environment<'static>);

impl Templates {
    /// Reads the templates that the program was built with.
    pub fn new() -> Result<Self, minijinja::Error> {
        let mut environment = Environment::new();
        // A fact that a template asks for and nobody gave is a mistake in the template.
        environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
        for (name, text) in [
            (
                "OPPORTUNITY_SUBMITTED",
                include_str!("../../templates/opportunity_submitted.txt"),
            ),
            (
                "ACTION_REQUIRED",
                include_str!("../../templates/action_required.txt"),
            ),
            (
                "OPPORTUNITY_APPROVED",
                include_str!("../../templates/opportunity_approved.txt"),
            ),
            (
                "OPPORTUNITY_REJECTED",
                include_str!("../../templates/opportunity_rejected.txt"),
            ),
            (
                "REVIEW_REQUESTED",
                include_str!("../../templates/review_requested.txt"),
            ),
            (
                "CONNECTION_INVITATION_CREATED",
                include_str!("../../templates/connection_invitation_created.txt"),
            ),
            (
                "CONNECTION_INVITATION_ACCEPTED",
                include_str!("../../templates/connection_invitation_accepted.txt"),
            ),
            (
                "CONNECTION_INVITATION_REJECTED",
                include_str!("../../templates/connection_invitation_rejected.txt"),
            ),
            ("ROLES_CHANGED", include_str!("../../templates/roles_changed.txt")),
            (
                "MEMBER_DEACTIVATED",
                include_str!("../../templates/member_deactivated.txt"),
            ),
            (
                "MEMBER_INVITED",
                include_str!("../../templates/member_invited.txt"),
            ),
            (
                "OWNERSHIP_CHANGED",
                include_str!("../../templates/ownership_changed.txt"),
            ),
            (
                "OPPORTUNITY_REOPENED",
                include_str!("../../templates/opportunity_reopened.txt"),
            ),
            (
                "BULK_JOB_FINISHED",
                include_str!("../../templates/bulk_job_finished.txt"),
            ),
            (
                "REFERRAL_OFFER_CREATED",
                include_str!("../../templates/referral_offer_created.txt"),
            ),
            (
                "REFERRAL_OFFER_EXPIRES_SOON",
                include_str!("../../templates/referral_offer_expires_soon.txt"),
            ),
            (
                "ENGAGEMENT_INVITED",
                include_str!("../../templates/engagement_invited.txt"),
            ),
            (
                "ENGAGEMENT_ANSWERED",
                include_str!("../../templates/engagement_answered.txt"),
            ),
            (
                "CHANNEL_REQUESTED",
                include_str!("../../templates/channel_requested.txt"),
            ),
            (
                "CHANNEL_DECIDED",
                include_str!("../../templates/channel_decided.txt"),
            ),
            (
                "CHANNEL_INVITED",
                include_str!("../../templates/channel_invited.txt"),
            ),
            (
                "REFERRAL_ANSWERED",
                include_str!("../../templates/referral_answered.txt"),
            ),
            ("LEAD_ASSIGNED", include_str!("../../templates/lead_assigned.txt")),
        ] {
            environment.add_template(name, text)?;
        }
        Ok(Self(environment))
    }

    /// The text of a kind for these facts.
    pub fn render(&self, kind: Kind, facts: &Facts) -> Result<Letter, minijinja::Error> {
        use cosell_types::ClosedList as _;
        let text = self.0.get_template(kind.name())?.render(context! {
            opportunity_id => facts.opportunity_id.as_str(),
            company => facts.company.as_str(),
            title => facts.title.as_str(),
            round => facts.round,
            reason => facts.reason.as_str(),
            remarks => facts.remarks.as_str(),
            review_case_id => facts.review_case_id.as_str(),
            partner => facts.partner.as_str(),
            connection_invitation_id => facts.connection_invitation_id.as_str(),
            inviter => facts.inviter.as_str(),
            roles => facts.roles.as_str(),
            member => facts.member.as_str(),
            job => context! {
                name => facts.job.name.as_str(),
                what => facts.job.what,
                how => facts.job.how,
                total => facts.job.total,
                processed => facts.job.processed,
                failed => facts.job.failed,
            },
            referral => context! {
                id => facts.referral.id.as_str(),
                offer => facts.referral.offer.as_str(),
                lead => facts.referral.lead.as_str(),
                what => facts.referral.what,
                until => facts.referral.until.as_str(),
                how => facts.referral.how,
            },
            shared => context! {
                invitation => facts.shared.invitation.as_str(),
                channel => facts.shared.channel.as_str(),
                link => facts.shared.link.as_str(),
                how => facts.shared.how,
            },
        })?;
        let (subject, body) = text.split_once('\n').unwrap_or((&text, ""));
        // A header is one line: what a partner wrote must not become another one.
        let subject = subject.split_whitespace().collect::<Vec<_>>().join(" ");
        Ok(Letter {
            subject,
            body: body.trim_end().to_owned() + "\n",
        })
    }
}

#[cfg(test)]
mod tests {
    use cosell_types::ClosedList as _;

    use super::*;

    fn facts() -> Facts {
        Facts {
            opportunity_id: "O42".to_owned(),
            company: "Alder & Söhne <GmbH>".to_owned(),
            title: "Data\nplatform".to_owned(),
            round: 2,
            reason: "Clarify Revenue".to_owned(),
            remarks: "Explain the {{ amount }}.".to_owned(),
            review_case_id: "rc-0000000000000".to_owned(),
            partner: "111111111111".to_owned(),
            connection_invitation_id: "pacinv-0000000000000".to_owned(),
            inviter: "Jane Roe <jane@alder.example>".to_owned(),
            roles: "ACE_MANAGER".to_owned(),
            member: "alder-user".to_owned(),
            job: Job {
                name: "operations/bulkjob-0000000000000".to_owned(),
                what: "The transfer",
                how: "is done",
                total: 3,
                processed: 3,
                failed: 1,
            },
            referral: Referral {
                id: "ref-0000000000000".to_owned(),
                offer: "engi-0000000000000".to_owned(),
                lead: "lead-0000000000000".to_owned(),
                what: "lead",
                until: "2026-03-10 00:00 UTC".to_owned(),
                how: "a partner has taken it",
            },
            shared: Shared {
                invitation: "engi-a000000000000".to_owned(),
                channel: "chan-0000000000000".to_owned(),
                link: "https://chat.example/nordwind".to_owned(),
                how: "has been granted",
            },
        }
    }

    #[test]
    fn every_kind_has_a_text() {
        let templates = Templates::new().expect("templates");
        for kind in Kind::ALL {
            let letter = templates.render(*kind, &facts()).expect("a letter");
            let about = [
                "O42",
                "Alder",
                "alder-user",
                "Your roles",
                "transfer",
                "engi-",
                "ref-",
                "lead-",
                "chan-",
            ];
            assert!(
                about.iter().any(|what| letter.subject.contains(what)),
                "{letter:?}"
            );
            assert!(!letter.subject.contains('\n'), "{letter:?}");
            assert!(
                letter.body.ends_with(".\n") || letter.body.ends_with("}.\n"),
                "{letter:?}"
            );
        }
    }

    #[test]
    fn what_people_wrote_is_neither_escaped_nor_run() {
        let letter = Templates::new()
            .expect("templates")
            .render(Kind::ActionRequired, &facts())
            .expect("a letter");
        assert!(letter.body.contains("Alder & Söhne <GmbH>"), "{letter:?}");
        assert!(letter.body.contains("Explain the {{ amount }}."), "{letter:?}");
    }

    #[test]
    fn remarks_are_left_out_where_there_are_none() {
        let templates = Templates::new().expect("templates");
        let silent = Facts {
            remarks: String::new(),
            ..facts()
        };
        let letter = templates
            .render(Kind::OpportunityApproved, &silent)
            .expect("a letter");
        assert!(!letter.body.contains("Remarks"), "{letter:?}");
    }
}
