//! The facts of an event that templates can use, by family of events (NOT-005). Facts that an event does not have, or
//! that its recipients may not see, are empty; templates leave out what is empty.

use serde::Serialize;

use super::RecordRef;

/// The facts of a notification.
#[derive(Clone, Debug, Default, Serialize)]
pub struct TemplateFacts {
    /// The records that the last line names. The link leads to the first.
    #[serde(skip)]
    pub records: Vec<RecordRef>,
    /// Customer and title of the opportunity or lead.
    pub project: ProjectFacts,
    /// Facts of a submission, a review or a reopening.
    pub review: ReviewFacts,
    /// Facts of an opportunity that AWS closed.
    pub closure: ClosureFacts,
    /// Facts of an assignment.
    pub assignment: AssignmentFacts,
    /// Facts of a bulk job.
    pub job: BulkJobFacts,
    /// Facts of a member.
    pub member: MemberFacts,
    /// Facts of a referral or an offer.
    pub referral: ReferralFacts,
    /// Facts of a connection invitation or an engagement invitation.
    pub invitation: InvitationFacts,
    /// Facts of a channel.
    pub channel: ChannelFacts,
}

/// The names under which people know an opportunity or a lead.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ProjectFacts {
    /// The company name of the customer.
    pub customer: String,
    /// The project title. A lead has none.
    pub title: String,
}

impl ProjectFacts {
    /// The name for a subject line: title and customer, or the one that is not empty.
    pub fn name(&self) -> String {
        match (self.title.as_str(), self.customer.as_str()) {
            ("", customer) => customer.to_owned(),
            (title, "") => title.to_owned(),
            (title, customer) => format!("{title} ({customer})"),
        }
    }
}

/// The facts of a submission, a review or a reopening.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ReviewFacts {
    /// The display name of the partner, for reviewers.
    pub partner: String,
    /// The submission round.
    pub round: i32,
    /// The reason for the decision, as AWS Partner Central displays it, or for the reopening.
    pub reason: String,
    /// The review comments.
    pub comments: String,
    /// The labels of the fields that the partner can change now.
    pub correctable_fields: Vec<String>,
}

/// The facts of an opportunity that AWS closed in its own sales process.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ClosureFacts {
    /// The stage of AWS, as AWS Partner Central displays it.
    pub stage: String,
    /// The close date of AWS.
    pub close_date: String,
    /// The closed lost reason of AWS.
    pub reason: String,
}

/// The facts of an opportunity or lead that was assigned.
#[derive(Clone, Debug, Default, Serialize)]
pub struct AssignmentFacts {
    /// The name of the new owner.
    pub owner: String,
    /// The name of the previous owner.
    pub previous_owner: String,
}

/// The facts of a bulk job that has ended.
#[derive(Clone, Debug, Default, Serialize)]
pub struct BulkJobFacts {
    /// `Import` or `Transfer`.
    pub kind: &'static str,
    /// How it ended, a phrase for the end of a sentence.
    pub outcome: &'static str,
    /// Why it was stopped, a sentence; empty otherwise.
    pub reason: &'static str,
    /// The name of the member who started it.
    pub starter: String,
    /// The name of the new owner of the transferred opportunities.
    pub owner: String,
    /// The number of rows.
    pub total: i64,
    /// The number of processed rows.
    pub processed: i64,
    /// The number of processed rows that failed.
    pub failed: i64,
}

/// The facts of a member.
#[derive(Clone, Debug, Default, Serialize)]
pub struct MemberFacts {
    /// The name of the member.
    pub name: String,
    /// The display name of its account.
    pub company: String,
    /// The names of its roles, separated by commas.
    pub roles: String,
}

/// The facts of a referral or an offer.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ReferralFacts {
    /// The offered resource, with an article.
    pub payload: &'static str,
    /// The deadline of the offer: for AWS, of the offer to the next partner.
    pub deadline: String,
    /// The message of AWS to the partner.
    pub message: String,
    /// The contacts at AWS, one line each.
    pub contacts: Vec<String>,
    /// The outcome for AWS, a sentence without a period.
    pub outcome: String,
    /// The reason for the rejection, as AWS Partner Central displays it.
    pub reason: &'static str,
    /// What the partner wrote about the rejection.
    pub explanation: String,
}

/// The facts of a connection invitation or an engagement invitation.
#[derive(Clone, Debug, Default, Serialize)]
pub struct InvitationFacts {
    /// The display name of the other account.
    pub company: String,
    /// Name and e-mail address of the member who sent a connection invitation.
    pub sender: String,
    /// The contacts at the sender of an engagement invitation, one line each.
    pub contacts: Vec<String>,
    /// The message of the sender.
    pub message: String,
    /// The deadline.
    pub deadline: String,
    /// The reason for the rejection, as AWS Partner Central displays it. A connection invitation has none.
    pub reason: &'static str,
    /// What the receiver wrote about the rejection.
    pub explanation: String,
    /// The answer, a sentence without a period.
    pub outcome: String,
}

/// The facts of a channel.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ChannelFacts {
    /// The name of the member who requested the channel.
    pub requester: String,
    /// The display name of the requester's account.
    pub partner: String,
    /// The purpose, as stated in the request.
    pub purpose: String,
    /// The decision: `approved` or `declined`.
    pub outcome: &'static str,
    /// The reason for declining the request.
    pub reason: String,
    /// `MANUAL` or `SLACK`; empty if it is unknown.
    pub provider: &'static str,
    /// The URL of the channel at its provider.
    pub url: String,
    /// The page with which the invited member leaves the channel, without signing in.
    pub leave_url: String,
    /// The page with which the invited member opts out of all channels, without signing in.
    pub opt_out_url: String,
}
