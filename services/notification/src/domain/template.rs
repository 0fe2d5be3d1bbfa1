//! Renders the texts of notifications. Each kind has a template in `templates/`, whose first line is the subject.

use minijinja::{Environment, context};

use super::values::NotificationKind;

/// The values that templates can use; those that an event does not have are empty.
#[derive(Clone, Debug, Default)]
pub struct TemplateFacts {
    /// The opportunity.
    pub opportunity_id: String,
    /// The name of the company that the notification names: the customer, the other partner, or that of an invited
    /// person.
    pub company: String,
    /// The project title.
    pub title: String,
    /// The submission round.
    pub round: i32,
    /// The reason for a review decision or a rejection, as AWS Partner Central displays it.
    pub reason: String,
    /// Review comments, the reason for reopening, or the message of an invitation.
    pub comments: String,
    /// The review case.
    pub review_case_id: String,
    /// The id of the partner account.
    pub partner: String,
    /// The connection invitation.
    pub connection_invitation_id: String,
    /// Name and e-mail address of the member who sent a connection invitation.
    pub inviter: String,
    /// The names of roles, separated by commas.
    pub roles: String,
    /// The id of the member whom the event names.
    pub member: String,
    /// Facts of an import or a transfer.
    pub job: BulkJobFacts,
    /// Facts of a referral, an offer or a lead.
    pub referral: ReferralFacts,
    /// Facts of an engagement invitation or a channel.
    pub collaboration: CollaborationFacts,
}

/// The facts of an engagement invitation or a channel.
#[derive(Clone, Debug, Default)]
pub struct CollaborationFacts {
    /// The engagement invitation.
    pub invitation_id: String,
    /// The channel.
    pub channel_id: String,
    /// The link of a manually managed channel. Empty for other providers, which invite members themselves.
    pub link: String,
    /// The outcome, a phrase for the end of a sentence.
    pub outcome: &'static str,
}

/// The facts of a referral, an offer or a lead.
#[derive(Clone, Debug, Default)]
pub struct ReferralFacts {
    /// The referral, for AWS.
    pub referral_id: String,
    /// The offer, for the partner.
    pub offer_id: String,
    /// The lead.
    pub lead_id: String,
    /// The offered resource, with an article.
    pub payload: &'static str,
    /// The deadline of the offer.
    pub deadline: String,
    /// The outcome, a phrase for the end of a sentence.
    pub outcome: &'static str,
}

/// The facts of a bulk job that has ended.
#[derive(Clone, Debug, Default)]
pub struct BulkJobFacts {
    /// The name of its operation.
    pub name: String,
    /// `Import` or `Transfer`.
    pub kind: &'static str,
    /// How it ended, a phrase for the end of a sentence.
    pub outcome: &'static str,
    /// The number of rows.
    pub total: i64,
    /// The number of processed rows.
    pub processed: i64,
    /// The number of processed rows that failed.
    pub failed: i64,
}

/// The rendered text of a notification and its e-mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotificationText {
    /// A single line.
    pub subject: String,
    /// Plain text with line breaks.
    pub body: String,
}

/// The templates of all kinds.
#[derive(Debug)]
pub struct Templates(Environment<'static>);

impl Templates {
    /// Parses the templates, which are compiled into the program.
    pub fn new() -> Result<Self, minijinja::Error> {
        let mut environment = Environment::new();
        // An undefined variable is a defect of the template.
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

    /// Renders the text of a kind.
    pub fn render(
        &self,
        kind: NotificationKind,
        facts: &TemplateFacts,
    ) -> Result<NotificationText, minijinja::Error> {
        use cosell_types::ClosedList as _;
        let text = self.0.get_template(kind.name())?.render(context! {
            opportunity_id => facts.opportunity_id.as_str(),
            company => facts.company.as_str(),
            title => facts.title.as_str(),
            round => facts.round,
            reason => facts.reason.as_str(),
            comments => facts.comments.as_str(),
            review_case_id => facts.review_case_id.as_str(),
            partner => facts.partner.as_str(),
            connection_invitation_id => facts.connection_invitation_id.as_str(),
            inviter => facts.inviter.as_str(),
            roles => facts.roles.as_str(),
            member => facts.member.as_str(),
            job => context! {
                name => facts.job.name.as_str(),
                kind => facts.job.kind,
                outcome => facts.job.outcome,
                total => facts.job.total,
                processed => facts.job.processed,
                failed => facts.job.failed,
            },
            referral => context! {
                referral_id => facts.referral.referral_id.as_str(),
                offer_id => facts.referral.offer_id.as_str(),
                lead_id => facts.referral.lead_id.as_str(),
                payload => facts.referral.payload,
                deadline => facts.referral.deadline.as_str(),
                outcome => facts.referral.outcome,
            },
            collaboration => context! {
                invitation_id => facts.collaboration.invitation_id.as_str(),
                channel_id => facts.collaboration.channel_id.as_str(),
                link => facts.collaboration.link.as_str(),
                outcome => facts.collaboration.outcome,
            },
        })?;
        let (subject, body) = text.split_once('\n').unwrap_or((&text, ""));
        // Line breaks in user text must not inject mail headers.
        let subject = subject.split_whitespace().collect::<Vec<_>>().join(" ");
        Ok(NotificationText {
            subject,
            body: body.trim_end().to_owned() + "\n",
        })
    }
}

#[cfg(test)]
mod tests {
    use cosell_types::ClosedList as _;

    use super::*;

    fn facts() -> TemplateFacts {
        TemplateFacts {
            opportunity_id: "O42".to_owned(),
            company: "Alder & Söhne <GmbH>".to_owned(),
            title: "Data\nplatform".to_owned(),
            round: 2,
            reason: "Clarify Revenue".to_owned(),
            comments: "Explain the {{ amount }}.".to_owned(),
            review_case_id: "rc-0000000000000".to_owned(),
            partner: "111111111111".to_owned(),
            connection_invitation_id: "pacinv-0000000000000".to_owned(),
            inviter: "Jane Roe <jane@alder.example>".to_owned(),
            roles: "ACE_MANAGER".to_owned(),
            member: "alder-user".to_owned(),
            job: BulkJobFacts {
                name: "operations/bulkjob-0000000000000".to_owned(),
                kind: "Transfer",
                outcome: "is completed",
                total: 3,
                processed: 3,
                failed: 1,
            },
            referral: ReferralFacts {
                referral_id: "ref-0000000000000".to_owned(),
                offer_id: "engi-0000000000000".to_owned(),
                lead_id: "lead-0000000000000".to_owned(),
                payload: "a lead",
                deadline: "2026-03-10 00:00 UTC".to_owned(),
                outcome: "a partner accepted the offer",
            },
            collaboration: CollaborationFacts {
                invitation_id: "engi-a000000000000".to_owned(),
                channel_id: "chan-0000000000000".to_owned(),
                link: "https://chat.example/nordwind".to_owned(),
                outcome: "was approved",
            },
        }
    }

    #[test]
    fn templates_exist_for_every_kind() {
        let templates = Templates::new().expect("templates");
        for kind in NotificationKind::ALL {
            let email = templates.render(*kind, &facts()).expect("an e-mail");
            let expected_words = [
                "O42",
                "Alder",
                "alder-user",
                "Your roles",
                "Transfer",
                "engi-",
                "ref-",
                "lead-",
                "chan-",
            ];
            assert!(
                expected_words.iter().any(|word| email.subject.contains(word)),
                "{email:?}"
            );
            assert!(!email.subject.contains('\n'), "{email:?}");
            assert!(
                email.body.ends_with(".\n") || email.body.ends_with("}.\n"),
                "{email:?}"
            );
        }
    }

    #[test]
    fn user_text_is_neither_escaped_nor_evaluated() {
        let email = Templates::new()
            .expect("templates")
            .render(NotificationKind::ActionRequired, &facts())
            .expect("an e-mail");
        assert!(email.body.contains("Alder & Söhne <GmbH>"), "{email:?}");
        assert!(email.body.contains("Explain the {{ amount }}."), "{email:?}");
    }

    #[test]
    fn comments_are_omitted_when_empty() {
        let templates = Templates::new().expect("templates");
        let without_comments = TemplateFacts {
            comments: String::new(),
            ..facts()
        };
        let email = templates
            .render(NotificationKind::OpportunityApproved, &without_comments)
            .expect("an e-mail");
        assert!(!email.body.contains("Review comments"), "{email:?}");
    }
}
